"""The YAML price sheet: strict, and with every problem at once. Its format: docs/prices.md."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from pathlib import PurePath
from typing import Any

from bot.configuration import Key, Misconfigured, Problem, check
from bot.manifests.documents import load_settings
from bot.value_kinds import DAY, TEXT, TEXTS_BY_NAME, Kind, shown
from estimators.prices import BUILT_IN, Pool, PriceSheet

_BASIC = ("cpu_core_hour", "memory_gib_hour")
_DEFAULTS = (*_BASIC, "gpu_hour", "storage_gib_month", "load_balancer_hour")
_WEAKEST_CURRENCY = 100_000
"""Units of the weakest currency to a US dollar, about."""


def checked_price(amount: Decimal, most: Decimal) -> Decimal:
    """The amount where it can be a price; ValueError says why it cannot. `most` is in the same unit."""
    if not amount.is_finite():
        raise ValueError(f"needs a number such as 0.03, not {amount}")
    if amount < 0:
        raise ValueError(f"needs a price of zero or more, not {amount:f}")
    if amount > most:
        raise ValueError(f"{amount:f} is above {most:,f}, which no such price is; check its unit")
    return amount


def _price_reader(most: Decimal) -> Callable[[object], Decimal]:
    def read(value: object) -> Decimal:
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise ValueError(f"needs a number such as 0.03, without quotes, not {shown(value)}")
        return checked_price(Decimal(str(value)), most)

    return read


def _prices_reader(most: Decimal, example: str) -> Callable[[object], Mapping[str, Decimal]]:
    one = _price_reader(most)

    def read(value: object) -> Mapping[str, Decimal]:
        if not isinstance(value, Mapping):
            raise ValueError(f"needs names with prices, such as {{{example}}}, not {shown(value)}")
        prices, wrong = {}, []
        for name, price in value.items():
            try:
                prices[str(name)] = one(price)
            except ValueError as error:
                wrong.append(f"{shown(str(name))} {error}")
        if wrong:
            raise ValueError("; ".join(wrong))
        return prices

    return read


def _currency(value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"[A-Z]{3}", value):
        raise ValueError(f"needs a code of three capital letters, such as USD, not {shown(value)}")
    return value


CURRENCY = Kind("currency code", _currency, {"type": "string", "pattern": "^[A-Z]{3}$"})


def price_keys(weight: int) -> tuple[Key, ...]:
    """The keys of a price sheet in a currency of which `weight` units make a US dollar at most.

    Prices some thirty times above the dearest list price are refused: they are of another unit, a month
    say.
    """

    def price(most: int) -> Kind:
        schema = {"type": "number", "minimum": 0, "maximum": most * weight}
        return Kind("price", _price_reader(Decimal(most * weight)), schema)

    def prices(most: int, example: str) -> Kind:
        each = {"type": "number", "minimum": 0, "maximum": most * weight}
        reader = _prices_reader(Decimal(most * weight), example)
        return Kind("names with prices", reader, {"type": "object", "additionalProperties": each})

    basic = (
        Key("cpu_core_hour", "A core for an hour.", price(10), required=True),
        Key("memory_gib_hour", "A GiB of memory for an hour.", price(1), required=True),
    )
    gpu = Key("gpu_hour", "A physical GPU for an hour.", price(1_000))
    return (
        Key("currency", "The currency of all prices; USD where it is left out.", CURRENCY),
        Key("as_of", "The day the prices are of.", DAY),
        Key(
            "default",
            "Prices where nothing below says otherwise.",
            keys=(
                *basic,
                gpu,
                Key("storage_gib_month", "A GiB of volume for a month.", price(100)),
                Key("load_balancer_hour", "A load balancer for an hour.", price(100)),
            ),
        ),
        Key("spot", "Prices of spot and preemptible nodes; the default ones where left out.", keys=basic),
        Key("gpus", "Prices of GPU models for an hour.", prices(1_000, "NVIDIA-L4: 0.7")),
        Key("storage", "Prices of StorageClasses per GiB-month.", prices(100, "gp3: 0.08")),
        Key(
            "pools",
            "Node pools; the first whose labels are all on a node wins.",
            many=True,
            keys=(
                Key("name", "What the pool is called in reports.", TEXT, required=True, unique=True),
                Key("match", "The labels of its nodes.", TEXTS_BY_NAME, required=True),
                Key("rates", "Its prices.", keys=(*basic, gpu), required=True),
            ),
        ),
    )


PRICE_KEYS = price_keys(1)


def sheet_name(file: str) -> str:
    """What a price file is called as the source of a price: its name, not where it lies."""
    return f"price sheet {PurePath(file).name}"


def parse_sheet(content: str, file: str) -> PriceSheet:
    """The price sheet of a YAML text.

    Raises UserError with every problem, a line each.
    """
    settings = load_settings(content, file)
    currency = settings.value.get("currency", "USD") if isinstance(settings.value, Mapping) else "USD"
    keys = PRICE_KEYS if currency == "USD" else price_keys(_WEAKEST_CURRENCY)
    given, problems = check(keys, settings.value, file, settings.locate)
    if not given and not problems:
        problems = [Problem(file, 1, "", "the file is empty; a price sheet has keys such as default")]
    if problems:
        raise Misconfigured(problems)
    return _sheet(given, sheet_name(file))


def _sheet(given: Mapping[str, Any], name: str) -> PriceSheet:
    default, spot = given.get("default", {}), given.get("spot", {})
    currency = given.get("currency", "USD")
    built_in = {key: getattr(BUILT_IN, key) for key in _DEFAULTS}
    on_demand = default or {key: getattr(BUILT_IN, f"spot_{key}") for key in _BASIC}
    return PriceSheet(
        currency=currency,
        as_of=given["as_of"].isoformat() if "as_of" in given else "",
        source=name,
        **{**built_in, **default},
        spot_cpu_core_hour=(spot or on_demand)["cpu_core_hour"],
        spot_memory_gib_hour=(spot or on_demand)["memory_gib_hour"],
        gpus=given.get("gpus", {}),
        storage=given.get("storage", {}),
        pools=tuple(Pool(pool["name"], pool["match"], **pool["rates"]) for pool in given.get("pools", ())),
        explicit=True,
        names_defaults=bool(default),
        borrowed=frozenset(_DEFAULTS) - default.keys(),
        notes=tuple(_borrowed(default, currency, name)),
    )


def _borrowed(default: Mapping[str, Decimal], currency: str, name: str) -> Iterator[str]:
    """Built-in prices are in US dollars: in a sheet of another currency they are worth a word."""
    missing = [key for key in _DEFAULTS if key not in default]
    if missing and currency != "USD":
        absent = f"{name} has no {', '.join(missing)}"
        yield f"{absent}: {BUILT_IN.source}, in USD, stand in without being converted"
