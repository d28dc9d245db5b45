"""OpenCost's CSV price format: hourly prices of nodes, volumes and GPUs, a row each.

Columns and their meaning as OpenCost reads them (`pkg/cloud/provider/csvprovider.go`): a GPU's price
comes on top of its node's, a row without Region holds in every region, EndTimestamp and Version are
not looked at there; here the latest EndTimestamp dates the prices.
"""

from __future__ import annotations

import csv
import difflib
import io
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal, InvalidOperation

from bot.adapters.instance_prices import instance_prices
from bot.adapters.price_sheet import Problems, checked_price, sheet_name
from bot.errors import UserError
from estimators.gpu_model import PRODUCT_LABELS
from estimators.money import HOURS_PER_MONTH, ZERO
from estimators.prices import BUILT_IN, InstancePrice, PriceSheet

COLUMNS = (
    "EndTimestamp",
    "InstanceID",
    "Region",
    "AssetClass",
    "InstanceIDField",
    "InstanceType",
    "MarketPriceHourly",
    "Version",
)
_MOST = {"node": Decimal(10_000), "pv": Decimal(1), "gpu": Decimal(1_000)}
"""US dollars an hour for a whole node, a GiB of a volume and a GPU; no list price comes near."""
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?", re.ASCII)


@dataclass(slots=True)
class _Found:
    """What the rows of one file say, by where it goes in the sheet."""

    machines: dict[tuple[str, str, str], Decimal] = field(default_factory=dict)
    types: defaultdict[tuple[str, str], list[Decimal]] = field(default_factory=lambda: defaultdict(list))
    gpus: dict[str, Decimal] = field(default_factory=dict)
    storage: dict[str, Decimal] = field(default_factory=dict)
    unused: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))
    as_of: str = ""


def looks_like_csv(content: str) -> bool:
    """Whether the first line that is no comment names OpenCost's columns, or has as many fields."""
    first = next((line for line in content.splitlines() if line.strip() and not line.startswith("#")), "")
    if first.lstrip().startswith("{"):  # YAML in flow style
        return False
    return "MarketPriceHourly" in first or first.count(",") == len(COLUMNS) - 1


def parse_csv(content: str, file: str) -> PriceSheet:
    """The prices of a CSV text, in US dollars.

    Raises UserError with every problem, a line each.
    """
    problems = Problems(file)
    found = _Found()
    for line, row in _rows(content, problems):
        _read(row, line, found, problems)
    problems.raise_if_any()
    if not (found.machines or found.types or found.gpus or found.storage):
        raise UserError(
            f"{file}:1: no row has a price that can be told from a manifest or a node; {_KNOWN_FIELDS}"
        )
    return replace(
        BUILT_IN,
        as_of=found.as_of,
        source=sheet_name(file),
        gpus=found.gpus,
        storage=found.storage,
        machines=found.machines,
        instances=_instances(found),
        explicit=True,
        names_defaults=False,
        notes=tuple(f"{count} rows of {sheet_name(file)}: {why}" for why, count in found.unused.items()),
    )


_KNOWN_FIELDS = (
    "InstanceIDField can be metadata.name or metadata.labels.<label> for nodes (or InstanceType set),"
    " spec.storageClassName for pv, and a GPU model's label for gpu"
)


def _rows(content: str, problems: Problems) -> Iterator[tuple[int, dict[str, str]]]:
    """Each row with its line; the header, where there is one, may have the columns in any order."""
    reader = csv.reader(io.StringIO(content, newline=""))
    columns: list[str] = list(COLUMNS)
    try:
        for fields in reader:
            if not any(item.strip() for item in fields) or fields[0].startswith("#"):
                continue
            if "MarketPriceHourly" in fields:
                columns = [item.strip() for item in fields]
                _check_header(columns, reader.line_num, problems)
            elif len(fields) != len(columns):
                problems.add(
                    reader.line_num, f"{len(fields)} fields, expected {len(columns)}: {','.join(columns)}"
                )
            else:
                yield reader.line_num, dict(zip(columns, map(str.strip, fields), strict=True))
    except csv.Error as error:
        problems.add(reader.line_num, f"not CSV: {error}")


def _check_header(columns: list[str], line: int, problems: Problems) -> None:
    for column in columns:
        if column not in COLUMNS:
            close = difflib.get_close_matches(column, COLUMNS, n=1)
            hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(COLUMNS)}"
            problems.add(line, f"{column[:60]!r} is not a column of OpenCost's price format; {hint}")
    for column in ("InstanceID", "AssetClass", "InstanceIDField"):
        if column not in columns:
            problems.add(line, f"the column {column} is missing")


def _read(row: dict[str, str], line: int, found: _Found, problems: Problems) -> None:
    kind = row.get("AssetClass", "").lower() or "node"
    if kind not in _MOST:
        problems.add(line, f"AssetClass {row['AssetClass'][:40]!r} is none of {', '.join(_MOST)}")
        return
    price = _price(row.get("MarketPriceHourly", ""), _MOST[kind])
    if isinstance(price, str):
        problems.add(line, f"MarketPriceHourly {price}")
        return
    stamp = _DATE.match(row.get("EndTimestamp", ""))
    found.as_of = max(found.as_of, stamp[0] if stamp else "")
    name = row.get("InstanceID", "")
    where = row.get("InstanceIDField", "")
    if kind == "node":
        _read_node(row, name, where, price, found)
    elif kind == "gpu":
        if where not in PRODUCT_LABELS:
            found.unused[
                f"{where or 'no field'} does not name a GPU model; {', '.join(PRODUCT_LABELS)} do"
            ] += 1
        else:
            found.gpus[name] = max(price, found.gpus.get(name, ZERO))
    elif where == "spec.storageClassName":
        found.storage[name.lower()] = price * HOURS_PER_MONTH
    else:
        found.unused[f"a volume's {where or 'nameless field'} cannot be told from a manifest"] += 1


def _read_node(row: dict[str, str], name: str, where: str, price: Decimal, found: _Found) -> None:
    region, machine = row.get("Region", ""), row.get("InstanceType", "")
    if machine:
        found.types[machine, region].append(price)
    if where == "metadata.name" or where.startswith("metadata.labels."):
        label = where.removeprefix("metadata.labels.")
        found.machines[label, name.lower(), region.lower()] = price
    elif not machine:
        found.unused[f"a node's {where or 'nameless field'} is not known; set InstanceType"] += 1


def _instances(found: _Found) -> dict[tuple[str, str], InstancePrice]:
    """The mean price of each machine type, with its shape where the bundled lists know it."""
    shapes = instance_prices(found.types)
    return {
        key: InstancePrice(
            name=key[0],
            region=key[1],
            hourly=sum(prices, ZERO) / len(prices),
            vcpus=shapes[key].vcpus if key in shapes else ZERO,
            memory_gib=shapes[key].memory_gib if key in shapes else ZERO,
            gpus=shapes[key].gpus if key in shapes else ZERO,
            gpu_product=shapes[key].gpu_product if key in shapes else "",
        )
        for key, prices in found.types.items()
    }


def _price(written: str, most: Decimal) -> Decimal | str:
    """The price, or why it is none."""
    if len(written) > 40 or not _NUMBER.fullmatch(written):
        return f"{written[:40]!r} is not a number such as 0.0960"
    try:
        amount = Decimal(written)
    except InvalidOperation:
        return f"{written!r} is not a number such as 0.0960"
    reason = checked_price(amount, most)
    return f"{written} {reason}" if reason else amount
