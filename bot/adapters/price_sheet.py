"""The YAML price sheet: strict, and with every problem at once."""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from pathlib import PurePath

from bot.errors import UserError
from bot.manifests.documents import load_settings
from estimators.objects import Path, mapping, text
from estimators.prices import BUILT_IN, Pool, PriceSheet

_KEYS = ("currency", "as_of", "default", "spot", "gpus", "storage", "pools")
_POOL_KEYS = ("name", "match", "rates")
_DEFAULTS = ("cpu_core_hour", "memory_gib_hour", "gpu_hour", "storage_gib_month", "load_balancer_hour")
_BASIC = ("cpu_core_hour", "memory_gib_hour")
_CURRENCY = re.compile(r"[A-Z]{3}")

_ABSURD = {
    "cpu_core_hour": Decimal(10),
    "memory_gib_hour": Decimal(1),
    "gpu_hour": Decimal(1_000),
    "storage_gib_month": Decimal(100),
    "load_balancer_hour": Decimal(100),
}
"""US dollars: some thirty times the dearest list prices. A price above is of another unit, a month say."""
_WEAKEST_CURRENCY = 100_000
"""Units of the weakest currency to a dollar, about: in other currencies that much more is not absurd."""


@dataclass(slots=True)
class Problems:
    """What is wrong with one file, gathered so that a person can mend it in one go."""

    file: str
    found: list[tuple[int, str]] = field(default_factory=list)

    def add(self, line: int, message: str) -> None:
        """Note a problem on a line of the file, from 1."""
        self.found.append((line, message))

    def raise_if_any(self) -> None:
        """Raises UserError with a line for each problem, in the order of the file."""
        if self.found:
            raise UserError(
                "\n".join(f"{self.file}:{line}: {message}" for line, message in sorted(self.found))
            )


def checked_price(amount: Decimal, most: Decimal) -> str:
    """Why an amount is not a price, `""` where it is one."""
    if not amount.is_finite():
        return "is not a number"
    if amount < 0:
        return "is below zero; a price is zero or more"
    if amount > most:
        return f"is above {most:,f}, which no such price is; check its unit"
    return ""


def sheet_name(file: str) -> str:
    """What a price file is called as the source of a price: its name, not where it lies."""
    return f"price sheet {PurePath(file).name}"


def parse_sheet(content: str, file: str) -> PriceSheet:
    """The price sheet of a YAML text. What it leaves out is as documented in docs/prices.md.

    Raises UserError with every problem, a line each.
    """
    settings = load_settings(content, file)
    if not isinstance(settings.value, dict):
        raise UserError(f"{file}:1: not a price sheet: expected keys such as `currency:` and `default:`")
    return _Reader(file, settings.locate).sheet(settings.value)


class _Reader:
    """Reads the parts of one sheet and gathers what is wrong with them."""

    def __init__(self, file: str, locate: Callable[[Path], int]) -> None:
        self._file = file
        self._locate = locate
        self._problems = Problems(file)
        self._weight = 1

    def sheet(self, value: Mapping[str, object]) -> PriceSheet:
        self._known((), value, _KEYS)
        currency = self._currency(value.get("currency", "USD"))
        self._weight = 1 if currency == "USD" else _WEAKEST_CURRENCY
        default = self._rates(("default",), value.get("default"), _DEFAULTS)
        if value.get("default") is not None:
            self._required(("default",), value["default"], _BASIC)
        spot = self._rates(("spot",), value.get("spot"), _BASIC)
        as_of = self._date(value.get("as_of", ""))
        gpus = self._prices(("gpus",), value.get("gpus"), "gpu_hour")
        storage = self._prices(("storage",), value.get("storage"), "storage_gib_month")
        pools = self._pools(value.get("pools"))
        self._problems.raise_if_any()
        prices = {name: default.get(name, getattr(BUILT_IN, name)) for name in _DEFAULTS}
        on_demand = default or {name: getattr(BUILT_IN, f"spot_{name}") for name in _BASIC}
        return PriceSheet(
            currency=currency,
            as_of=as_of,
            source=sheet_name(self._file),
            **prices,
            spot_cpu_core_hour=spot.get("cpu_core_hour", on_demand["cpu_core_hour"]),
            spot_memory_gib_hour=spot.get("memory_gib_hour", on_demand["memory_gib_hour"]),
            gpus=gpus,
            storage=storage,
            pools=pools,
            explicit=True,
            names_defaults=bool(default),
            notes=tuple(self._borrowed(default, currency)),
        )

    def _borrowed(self, default: Mapping[str, Decimal], currency: str) -> Iterable[str]:
        """Built-in prices are in US dollars: in a sheet of another currency they are worth a word."""
        missing = [name for name in _DEFAULTS if name not in default]
        if missing and currency != "USD":
            absent = f"{sheet_name(self._file)} has no {', '.join(missing)}"
            yield f"{absent}: {BUILT_IN.source}, in USD, stand in without being converted"

    def _pools(self, value: object) -> tuple[Pool, ...]:
        if value is None:
            return ()
        if not isinstance(value, list):
            self._add(("pools",), "pools must be a list of `- name: ...` entries")
            return ()
        pools = [self._pool(("pools", index), item) for index, item in enumerate(value)]
        return tuple(pool for pool in pools if pool)

    def _pool(self, path: Path, value: object) -> Pool | None:
        if not isinstance(value, dict):
            self._add(path, "a pool must have name, match and rates")
            return None
        self._known(path, value, _POOL_KEYS)
        name = value.get("name")
        if not isinstance(name, str) or not name:
            self._add((*path, "name"), "a pool needs a name")
        rates = self._rates((*path, "rates"), value.get("rates"), (*_BASIC, "gpu_hour"))
        self._required((*path, "rates"), value.get("rates"), _BASIC)
        match = self._match((*path, "match"), value.get("match"))
        if not match or not all(basic in rates for basic in _BASIC):
            return None
        return Pool(
            text(name), match, rates["cpu_core_hour"], rates["memory_gib_hour"], rates.get("gpu_hour")
        )

    def _match(self, path: Path, value: object) -> Mapping[str, str]:
        if not isinstance(value, dict) or not value:
            self._add(
                path, "a pool needs `match:`, a set of node labels such as {karpenter.sh/capacity-type: spot}"
            )
            return {}
        match = {}
        for label, expected in value.items():
            if isinstance(expected, str):
                match[label] = expected
            else:
                self._add((*path, label), f"a label's value is text: write {label}: {_quoted(expected)}")
        return match

    def _rates(self, path: Path, value: object, names: Collection[str]) -> dict[str, Decimal]:
        if value is None:
            return {}
        if not isinstance(value, dict):
            self._add(path, f"{path[-1]} must hold prices such as {{cpu_core_hour: 0.03}}")
            return {}
        self._known(path, value, names)
        prices = {name: self._price((*path, name), value[name], name) for name in names if name in value}
        return {name: price for name, price in prices.items() if price is not None}

    def _prices(self, path: Path, value: object, unit: str) -> dict[str, Decimal]:
        """Prices by names of the person's own."""
        if value is None:
            return {}
        if not isinstance(value, dict):
            self._add(path, f"{path[-1]} must hold names with prices, such as {{gp3: 0.08}}")
            return {}
        prices = {str(name): self._price((*path, name), price, unit) for name, price in value.items()}
        return {name: price for name, price in prices.items() if price is not None}

    def _price(self, path: Path, value: object, unit: str) -> Decimal | None:
        if isinstance(value, bool) or not isinstance(value, int | float):
            shown = "nothing" if value is None else repr(value)[:40]
            self._add(path, f"{path[-1]} is {shown}; expected a number such as 0.03, without quotes")
            return None
        amount = Decimal(str(value)) if isinstance(value, int) or math.isfinite(value) else Decimal("nan")
        reason = checked_price(amount, _ABSURD[unit] * self._weight)
        if reason:
            self._add(path, f"{path[-1]} {str(value)[:40]} {reason}")
            return None
        return amount

    def _required(self, path: Path, value: object, names: Collection[str]) -> None:
        missing = [name for name in names if name not in mapping(value)]
        if missing:
            self._add(path, f"{path[-1]} needs {' and '.join(missing)}")

    def _currency(self, value: object) -> str:
        if isinstance(value, str) and _CURRENCY.fullmatch(value):
            return value
        self._add(
            ("currency",), f"currency {str(value)[:40]!r} is not a code of three capital letters, such as USD"
        )
        return "USD"

    def _date(self, value: object) -> str:
        shown = value if isinstance(value, str) else ""
        try:
            return date.fromisoformat(shown).isoformat() if value != "" else ""
        except ValueError:
            self._add(("as_of",), f"as_of {str(value)[:40]!r} is not a date such as 2026-11-01")
            return ""

    def _known(self, path: Path, value: Mapping[str, object], names: Collection[str]) -> None:
        for key in value:
            if key not in names:
                close = difflib.get_close_matches(str(key), names, n=1)
                hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(names)}"
                self._add((*path, key), f"{str(key)[:60]} is not a key of a price sheet here; {hint}")

    def _add(self, path: Path, message: str) -> None:
        self._problems.add(self._locate(path), message)


def _quoted(value: object) -> str:
    return f'"{str(value).lower()}"' if isinstance(value, bool) else f'"{value}"'
