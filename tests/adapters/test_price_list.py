"""The list prices of AWS and Azure machine types that ship with the product."""

from __future__ import annotations

import time
from dataclasses import replace
from decimal import Decimal

import pytest

from bot.adapters.price_list import instance_prices, with_list_prices
from estimators.prices import BUILT_IN

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
    price = instance_prices([(kind, asked)])[kind, asked]
    assert (price.region, price.hourly) == (region, D(hourly))
    assert tuple(map(int, (price.vcpus, price.memory_gib, price.gpus))) == shape
    assert price.source.endswith("on-demand list price")


def test_machine_types_whose_shape_is_not_certain_are_left_out() -> None:
    """A fraction of a GPU sold as one, a machine of another cloud, a name nobody has."""
    assert (
        instance_prices(
            [
                ("g6f.large", ""),
                ("Standard_NV6ads_A10_v5", ""),
                ("n2-standard-4", "us-central1"),
                ("type", ""),
            ]
        )
        == {}
    )


def test_list_prices_are_looked_up_in_under_20_ms() -> None:
    """They are on the way of every report about a cluster that is known."""
    wanted = [(f"m5.{size}", "us-east-1") for size in ("large", "xlarge", "2xlarge")] + [
        ("Standard_D4s_v5", "eastus")
    ]
    times = []
    for _ in range(5):
        start = time.perf_counter()
        instance_prices(wanted)
        times.append(time.perf_counter() - start)
    assert min(times) < 0.02


def test_list_prices_complete_a_sheet_that_nobody_named() -> None:
    """They never stand against an explicit sheet or another currency."""
    wanted = [("m5.large", "us-east-1")]
    assert with_list_prices(BUILT_IN, wanted).instances[wanted[0]].hourly == D("0.096")
    assert with_list_prices(BUILT_IN, [("n2-standard-4", "")]) is BUILT_IN
    for sheet in (replace(BUILT_IN, explicit=True), replace(BUILT_IN, currency="EUR")):
        assert with_list_prices(sheet, wanted) is sheet
