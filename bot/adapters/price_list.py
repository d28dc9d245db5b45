"""List prices of machine types that ship with Tuppence: AWS and Azure, on demand, in US dollars.

Figures published in karpenter-provider-aws and karpenter-provider-azure (Apache-2.0); the shapes of
Azure's machines in Aspire's list of AKS node sizes (MIT). See docs/prices.md for what is left out.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from estimators.prices import InstancePrice, PriceSheet

_DATA = Path(__file__).parent.parent / "data"


class _List(NamedTuple):
    """One bundled table: a row per machine type, a column per region, the first region first choice."""

    file: str
    source: str
    as_of: str
    prefix: str


_AWS = _List("aws_on_demand.csv", "AWS on-demand list price", "2026-07-20", "")
_AZURE = _List("azure_on_demand.csv", "Azure on-demand list price", "2026-06-18", "Standard_")


def instance_prices(
    wanted: Iterable[tuple[str, str]],
) -> Mapping[tuple[str, str], InstancePrice]:
    """The list prices of (machine type, region) pairs, under the pairs as asked; unknown types are left out.

    A region that no list has gets another one's price: `InstancePrice.region` says whose.
    """
    regions: dict[str, set[str]] = defaultdict(set)
    for kind, region in wanted:
        regions[kind].add(region)
    azure = {kind for kind in regions if kind.startswith(_AZURE.prefix)}
    return {
        (price.name, asked): price
        for table, kinds in ((_AZURE, azure), (_AWS, regions.keys() - azure))
        for asked, price in _lookup(table, {kind: regions[kind] for kind in kinds})
    }


def with_list_prices(sheet: PriceSheet, wanted: Iterable[tuple[str, str]]) -> PriceSheet:
    """The sheet with the list prices of the machine types named, as far as it has none of its own.

    A sheet that a person named, or one in another currency, is left as it is.
    """
    if sheet.explicit or sheet.currency != "USD":
        return sheet
    listed = instance_prices(wanted)
    return replace(sheet, instances={**listed, **sheet.instances}) if listed else sheet


def _lookup(table: _List, regions: Mapping[str, set[str]]) -> Iterator[tuple[str, InstancePrice]]:
    if not regions:
        return
    with (_DATA / table.file).open(encoding="utf-8", newline="") as file:
        columns = file.readline().rstrip("\n").split(",")[5:]
        # The table has thousands of rows and few are wanted: only those are taken apart.
        rows = [line for line in file if line.partition(",")[0] in regions]
    for kind, vcpus, gib, gpus, product, *prices in csv.reader(rows):
        priced = {region: price for region, price in zip(columns, prices, strict=True) if price}
        for asked in regions[kind]:
            region = asked if asked in priced else next(iter(priced))
            yield (
                asked,
                InstancePrice(
                    name=kind,
                    region=region,
                    hourly=Decimal(priced[region]),
                    vcpus=Decimal(vcpus),
                    memory_gib=Decimal(gib),
                    gpus=Decimal(gpus or 0),
                    gpu_product=product,
                    source=table.source,
                    as_of=table.as_of,
                ),
            )
