"""The list prices of AWS and Azure machine types that ship with the product."""

from __future__ import annotations

import time
from decimal import Decimal

import pytest

from bot.adapters import price_list
from bot.adapters.price_list import ListPrices, default_sheet
from estimators.node_price import sheet_rates
from estimators.prices import BUILT_IN, Provenance

D = Decimal


@pytest.mark.parametrize(
    ("kind", "asked", "region", "hourly", "shape"),
    [
        ("m5.large", "us-east-1", "us-east-1", "0.096", (2, 8, 0)),
        ("m5.large", "eu-west-1", "us-east-1", "0.096", (2, 8, 0)),
        ("p4d.24xlarge", "", "us-east-1", "21.957642", (96, 1152, 8)),
        ("trn1.32xlarge", "us-east-1", "us-east-1", "21.5", (128, 512, 16)),
        ("Standard_D4s_v5", "westeurope", "westeurope", "0.23", (4, 16, 0)),
        ("Standard_D4s_v5", "mars", "eastus", "0.192", (4, 16, 0)),
        ("Standard_E16-4s_v5", "eastus", "eastus", "1.008", (4, 128, 0)),
        ("Standard_NC24ads_A100_v4", "eastus", "eastus", "3.673", (24, 220, 1)),
    ],
)  # fmt: skip
def test_list_prices_are_found_by_machine_type_and_region(
    kind: str, asked: str, region: str, hourly: str, shape: tuple[int, int, int]
) -> None:
    """For a region the list has not, another's, which says so; a constrained Azure size has the cores it leaves."""
    price = ListPrices()[kind, asked]
    assert (price.region, price.hourly) == (region, D(hourly))
    assert tuple(map(int, (price.vcpus, price.memory_gib, price.gpus))) == shape
    assert price.source.endswith("on-demand list price")


@pytest.mark.parametrize(
    "kind", ["g6f.large", "Standard_NV6ads_A10_v5", "n2-standard-4", "type", "", "m5.large,2"], ids=str
)
def test_machine_types_whose_shape_is_not_certain_are_left_out(kind: str) -> None:
    """A fraction of a GPU sold as one, a machine of another cloud, names nobody has."""
    assert (kind, "us-east-1") not in ListPrices()


def test_every_row_of_the_lists_can_be_priced() -> None:
    """Shapes and prices above zero, GPUs with their model, and as many as docs/prices.md says."""
    every = dict(ListPrices())
    assert len(every) == len(ListPrices())
    assert len({kind for kind, _ in every}) == 1_340 + 1_427
    for (kind, region), price in every.items():
        assert (price.name, price.region) == (kind, region)
        assert min(price.hourly, price.vcpus, price.memory_gib) > 0
        assert bool(price.gpus) is bool(price.gpu_product)


def test_list_prices_are_read_in_under_20_ms() -> None:
    """They are on the way of every report about a cluster that is known."""
    times = []
    for _ in range(5):
        price_list._table.cache_clear()
        start = time.process_time()
        assert ("m5.large", "") in ListPrices()
        assert ("Standard_D4s_v5", "") in ListPrices()
        times.append(time.process_time() - start)
    assert min(times) < 0.02


def test_the_default_sheet_is_the_built_in_one_with_list_prices() -> None:
    """It is nobody's own: OpenCost's measurements come first, and what it says is assumed."""
    sheet = default_sheet()
    assert (sheet.source, sheet.explicit, sheet.names_defaults) == (BUILT_IN.source, False, False)
    rates = sheet_rates({"node.kubernetes.io/instance-type": "m5.large"}, sheet)
    assert round(rates.cpu_core_hour * 2 + rates.memory_gib_hour * 8, 12) == D("0.096")
    assert rates.provenance is Provenance.ASSUMED
