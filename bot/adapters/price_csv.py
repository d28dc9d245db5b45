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
from decimal import Decimal

from bot.adapters.price_list import ListPrices
from bot.adapters.price_sheet import checked_price, sheet_name
from bot.configuration import Misconfigured, Problem
from bot.value_kinds import shown
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
_USABLE = (
    "InstanceIDField can be metadata.name or metadata.labels.<label> for a node (or set InstanceType),"
    " spec.storageClassName for a pv, and the label of its model for a gpu"
)
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
    problems: list[Problem] = []
    found = _Found()
    for line, row in _rows(content, file, problems):
        try:
            _read(row, found)
        except ValueError as error:
            problems.append(Problem(file, line, "", str(error)))
    if not problems and not (found.machines or found.types or found.gpus or found.storage):
        problems.append(Problem(file, 1, "", f"no row can be told from a manifest or a node; {_USABLE}"))
    if problems:
        raise Misconfigured(problems)
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


def _rows(content: str, file: str, problems: list[Problem]) -> Iterator[tuple[int, dict[str, str]]]:
    """Each row with its line; the header, where there is one, may have the columns in any order."""
    reader = csv.reader(io.StringIO(content, newline=""))
    columns: list[str] = list(COLUMNS)
    try:
        for fields in reader:
            if not any(item.strip() for item in fields) or fields[0].startswith("#"):
                continue
            if "MarketPriceHourly" in fields:
                columns = [item.strip() for item in fields]
                problems += (Problem(file, reader.line_num, "", wrong) for wrong in _header_problems(columns))
            elif len(fields) != len(columns):
                wrong = f"has {len(fields)} fields, needs {len(columns)}: {','.join(columns)}"
                problems.append(Problem(file, reader.line_num, "", wrong))
            else:
                yield reader.line_num, dict(zip(columns, map(str.strip, fields), strict=True))
    except csv.Error as error:
        problems.append(Problem(file, reader.line_num, "", f"not CSV: {error}"))


def _header_problems(columns: list[str]) -> Iterator[str]:
    for column in columns:
        if column not in COLUMNS:
            close = difflib.get_close_matches(column, COLUMNS, n=1)
            hint = f"did you mean {close[0]}?" if close else f"known are {', '.join(COLUMNS)}"
            yield f"{shown(column)} is not a column of OpenCost's price format; {hint}"
    for column in ("InstanceID", "AssetClass", "InstanceIDField"):
        if column not in columns:
            yield f"the column {column} is missing"


def _read(row: dict[str, str], found: _Found) -> None:
    """Raises ValueError for a row that cannot be meant."""
    kind = row.get("AssetClass", "").lower() or "node"
    if kind not in _MOST:
        raise ValueError(f"AssetClass needs one of {', '.join(_MOST)}, not {shown(row['AssetClass'])}")
    written = row.get("MarketPriceHourly", "")
    if len(written) > 40 or not _NUMBER.fullmatch(written):
        raise ValueError(f"MarketPriceHourly needs a number such as 0.0960, not {shown(written)}")
    price = checked_price(Decimal(written), _MOST[kind])
    stamp = _DATE.match(row.get("EndTimestamp", ""))
    found.as_of = max(found.as_of, stamp[0] if stamp else "")
    name, where = row.get("InstanceID", ""), row.get("InstanceIDField", "")
    if kind == "node":
        _read_node(row, name, where, price, found)
    elif kind == "gpu":
        if where in PRODUCT_LABELS:
            found.gpus[name] = max(price, found.gpus.get(name, ZERO))
        else:
            labels = ", ".join(PRODUCT_LABELS)
            found.unused[f"{where or 'no field'} is not known to name a GPU model; {labels} are"] += 1
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
    listed = ListPrices()
    priced = {}
    for (kind, region), prices in found.types.items():
        shape = listed.get((kind, region), InstancePrice(kind, region, ZERO, vcpus=ZERO, memory_gib=ZERO))
        mean = sum(prices, ZERO) / len(prices)
        priced[kind, region] = replace(shape, region=region, hourly=mean, source="", as_of="")
    return priced
