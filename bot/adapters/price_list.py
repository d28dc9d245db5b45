"""List prices of machine types that ship with Tuppence: AWS and Azure, on demand, in US dollars.

Figures published in karpenter-provider-aws and karpenter-provider-azure (Apache-2.0); the shapes of
Azure's machines in Aspire's list of AKS node sizes (MIT). See docs/prices.md for what is left out.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import NamedTuple

from estimators.prices import BUILT_IN, InstancePrice, PriceSheet

_DATA = Path(__file__).parent.parent / "data"


class _List(NamedTuple):
    """Where one bundled table is, and what it is."""

    file: str
    source: str
    as_of: str


class _Table(NamedTuple):
    """A row per machine type, not yet taken apart, and a price column per region, the first choice first."""

    regions: list[str]
    rows: dict[str, str]


_AWS = _List("aws_on_demand.csv", "AWS on-demand list price", "2026-07-20")
_AZURE = _List("azure_on_demand.csv", "Azure on-demand list price", "2026-06-18")
_BEFORE_PRICES = 5
"""Columns: type, vcpus, gib, gpus, product."""


def default_sheet() -> PriceSheet:
    """The prices that hold where nobody names any: the built-in ones, with the bundled list prices."""
    return replace(BUILT_IN, instances=ListPrices())


class ListPrices(Mapping[tuple[str, str], InstancePrice]):
    """List prices by (machine type, region). A table is read when the first type is asked for.

    For a region that no list has, another one's price is found: `InstancePrice.region` says whose.
    """

    def __getitem__(self, key: tuple[str, str]) -> InstancePrice:
        kind, region = key
        listed = _list_of(kind)
        regions, rows = _table(listed)
        if kind not in rows:
            raise KeyError(key)
        _, vcpus, gib, gpus, product, *prices = next(csv.reader([rows[kind]]))
        priced = {where: price for where, price in zip(regions, prices, strict=True) if price}
        found = region if region in priced else next(iter(priced))
        return InstancePrice(
            name=kind,
            region=found,
            hourly=Decimal(priced[found]),
            vcpus=Decimal(vcpus),
            memory_gib=Decimal(gib),
            gpus=Decimal(gpus or 0),
            gpu_product=product,
            source=listed.source,
            as_of=listed.as_of,
        )

    def __iter__(self) -> Iterator[tuple[str, str]]:
        for listed in (_AWS, _AZURE):
            regions, rows = _table(listed)
            for kind, row in rows.items():
                prices = row.rstrip("\n").split(",")[_BEFORE_PRICES:]
                yield from ((kind, region) for region, price in zip(regions, prices, strict=True) if price)

    def __len__(self) -> int:
        return sum(1 for _ in self)


def _list_of(kind: str) -> _List:
    return _AZURE if kind.startswith("Standard_") else _AWS


@cache
def _table(listed: _List) -> _Table:
    """Few of a table's thousands of rows are ever asked for, so each is taken apart when it is."""
    with (_DATA / listed.file).open(encoding="utf-8", newline="") as file:
        regions = file.readline().rstrip("\n").split(",")[_BEFORE_PRICES:]
        return _Table(regions, {line.partition(",")[0]: line for line in file})
