"""What a node costs per core, GiB and GPU, and who says so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimators.node_price import (
    capacity_of,
    is_spot,
    measured_rates,
    sheet_rates,
    split_node_price,
)
from estimators.placement import demanded_labels
from estimators.prices import BUILT_IN, InstancePrice, Pool, PriceSheet, Provenance
from estimators.quantity import GIB
from estimators.usage import Node
from estimators.workload import Placement

D = Decimal
TYPE, REGION = "node.kubernetes.io/instance-type", "topology.kubernetes.io/region"
SPOT = {"karpenter.sh/capacity-type": "spot"}
M5 = InstancePrice(
    "m5.large", "us-east-1", D("0.096"), D(2), D(8), source="AWS on-demand list price", as_of="2026-07-20"
)
LISTED = replace(BUILT_IN, instances={("m5.large", "us-east-1"): M5, ("m5.large", "eu-west-1"): M5})
GIVEN = replace(BUILT_IN, source="price sheet ours.yaml", as_of="2026-10-01", names_defaults=True)

prices = st.decimals("0.000001", "1000", places=6)
amounts = st.decimals("0.1", "1024", places=3)


def node(hourly: Mapping[str, str], *, gpus: int = 0, labels: Mapping[str, str] | None = None) -> Node:
    """A node of 4 cores and 16 GiB, with what OpenCost says it costs."""
    capacity = {"cpu": D(4), "memory": 16 * GIB, "nvidia.com/gpu": D(gpus)}
    return Node("n", labels or {}, capacity=capacity, hourly={key: D(price) for key, price in hourly.items()})


@given(prices, amounts, amounts, st.integers(0, 16), st.none() | prices)
def test_the_parts_of_a_node_price_add_up_to_it_exactly(
    total: Decimal, cores: Decimal, gib: Decimal, gpus: int, known: Decimal | None
) -> None:
    """To the last digit, with and without a known GPU price; and no part is negative."""
    parts = split_node_price(total, cores, gib, D(gpus), BUILT_IN, known)
    assert sum(parts) == total
    assert min(parts) >= 0


def test_a_node_price_is_split_in_the_ratios_of_the_sheet() -> None:
    """OpenCost's rule by hand: 2 x 7.4607 + 8 GiB, so a GiB is 0.096 / 22.92 and a core 7.46 times that."""
    parts = split_node_price(D("0.096"), D(2), D(8), D(0), BUILT_IN)
    ratio = BUILT_IN.cpu_core_hour / BUILT_IN.memory_gib_hour
    gib = D("0.096") / (2 * ratio + 8)
    assert round(parts.memory / 8, 12) == round(gib, 12)
    assert round(parts.cpu / 2, 12) == round(gib * ratio, 12)


def test_a_known_gpu_price_comes_off_for_every_gpu() -> None:
    """Eight GPUs at 2 leave 4 of 20 for the rest; a price that leaves nothing is not believed."""
    parts = split_node_price(D(20), D(96), D(1152), D(8), BUILT_IN, D(2))
    assert parts.gpu == 16
    assert parts.cpu + parts.memory == 4
    unbelieved = split_node_price(D(20), D(96), D(1152), D(8), BUILT_IN, D(3))
    assert unbelieved == split_node_price(D(20), D(96), D(1152), D(8), BUILT_IN)
    assert unbelieved.cpu > 0


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (SPOT, True),
        ({"eks.amazonaws.com/capacityType": "SPOT"}, True),
        ({"cloud.google.com/gke-spot": "true"}, True),
        ({"cloud.google.com/gke-preemptible": "true"}, True),
        ({"kubernetes.azure.com/scalesetpriority": "spot"}, True),
        ({"karpenter.sh/capacity-type": "on-demand"}, False),
        ({"cloud.google.com/gke-spot": "false"}, False),
        ({}, False),
    ],
    ids=str,
)
def test_spot_is_told_by_the_clouds_labels(labels: Mapping[str, str], expected: bool) -> None:
    """On nodes, and as what a pod demands."""
    assert is_spot(labels) is expected
    assert is_spot(demanded_labels(Placement(labels))) is expected


def test_tolerating_spot_or_accepting_it_is_not_demanding_it() -> None:
    """Such a pod may land on either kind of node."""
    either = {
        "matchExpressions": [
            {"key": "karpenter.sh/capacity-type", "operator": "In", "values": ["spot", "on-demand"]}
        ]
    }
    assert not is_spot(demanded_labels(Placement(affinity=(either,))))
    tolerating = Placement(tolerations=({"key": "karpenter.sh/capacity-type", "operator": "Exists"},))
    assert not is_spot(demanded_labels(tolerating))


def test_opencost_prices_are_taken_as_measured() -> None:
    """Cores and memory as exported."""
    rates = measured_rates(
        node({"cpu": "0.02", "memory": "0.003"}), capacity_of(node({})), BUILT_IN, "2026-11-20"
    )
    assert rates is not None
    assert (rates.cpu_core_hour, rates.memory_gib_hour, rates.as_of) == (D("0.02"), D("0.003"), "2026-11-20")
    assert rates.provenance is Provenance.MEASURED


@pytest.mark.parametrize(
    "hourly", [{}, {"cpu": "0", "memory": "0", "total": "0"}, {"cpu": "0.02"}], ids=["none", "zeros", "half"]
)
def test_a_node_without_a_price_is_not_free(hourly: Mapping[str, str]) -> None:
    """Zero is how OpenCost says that it does not know."""
    assert measured_rates(node(hourly), capacity_of(node({})), BUILT_IN, "") is None


def test_a_total_alone_is_split() -> None:
    """The parts times the node's size are the total again."""
    only = node({"total": "0.5"}, gpus=1)
    rates = measured_rates(only, capacity_of(only), BUILT_IN, "")
    assert rates is not None
    assert round(rates.cpu_core_hour * 4 + rates.memory_gib_hour * 16 + rates.gpu_hour, 12) == D("0.5")


def test_gpus_that_are_advertised_several_times_share_what_the_total_leaves() -> None:
    """Four advertised, one there: OpenCost's price of an advertised one is not that of a GPU."""
    sliced = node(
        {"cpu": "0.1", "memory": "0.01", "gpu": "0.5", "total": "2.56"},
        gpus=4,
        labels={"nvidia.com/gpu.replicas": "4"},
    )
    rates = measured_rates(sliced, capacity_of(sliced), BUILT_IN, "")
    assert rates is not None
    assert rates.gpu_hour == D("2.56") - D("0.4") - D("0.16")


def pool(name: str, match: Mapping[str, str], cpu: str, gpu: str | None = None) -> Pool:
    """A pool at this price of a core."""
    return Pool(name, match, D(cpu), D("0.001"), None if gpu is None else D(gpu))


def test_the_first_pool_whose_labels_are_all_there_wins() -> None:
    """In the order of the sheet; its name is kept."""
    sheet = replace(
        GIVEN,
        pools=(
            pool("both", {**SPOT, "zone": "a"}, "0.01"),
            pool("spot", SPOT, "0.02"),
            pool("any-spot", SPOT, "0.03"),
        ),
    )
    assert sheet_rates({**SPOT, "zone": "a"}, sheet).pool == "both"
    rates = sheet_rates(SPOT, sheet)
    assert (rates.pool, rates.cpu_core_hour, rates.provenance) == ("spot", D("0.02"), Provenance.REQUESTED)
    assert rates.source == "price sheet ours.yaml, pool spot"
    assert sheet_rates({}, sheet).pool == ""


def test_a_pool_prices_gpus_itself_or_by_model_or_by_default() -> None:
    """A price of zero in the sheet is a price."""
    labels = {"nvidia.com/gpu.product": "NVIDIA-L4"}
    sheet = replace(
        GIVEN,
        gpus={"NVIDIA-L4": D("0.7")},
        pools=(pool("own", {**labels, "a": "1"}, "0.01", "0"), pool("rest", {}, "0.01")),
    )
    assert sheet_rates({**labels, "a": "1"}, sheet).gpu_hour == 0
    assert sheet_rates(labels, sheet).gpu_hour == D("0.7")
    assert sheet_rates({}, sheet).gpu_hour == BUILT_IN.gpu_hour


def test_a_list_price_is_split_and_says_whose_it_is() -> None:
    """For another region than the list's, as an assumption in words."""
    here = sheet_rates({TYPE: "m5.large", REGION: "us-east-1"}, LISTED)
    assert round(here.cpu_core_hour * 2 + here.memory_gib_hour * 8, 12) == D("0.096")
    assert here.source == "AWS on-demand list price of m5.large, us-east-1, 2026-07-20"
    assert here.provenance is Provenance.ASSUMED
    there = sheet_rates({TYPE: "m5.large", REGION: "eu-west-1"}, LISTED)
    assert "us-east-1, assumed for eu-west-1" in there.source


def test_spot_is_not_priced_at_on_demand_list_prices() -> None:
    """The spot default speaks; the GPUs, of which no spot price is known, keep the list's."""
    gpu = replace(M5, name="g6.xlarge", hourly=D("0.8"), gpus=D(1), gpu_product="l4")
    sheet = replace(BUILT_IN, instances={("g6.xlarge", ""): gpu})
    on_demand, spot = sheet_rates({TYPE: "g6.xlarge"}, sheet), sheet_rates({TYPE: "g6.xlarge", **SPOT}, sheet)
    assert spot.cpu_core_hour == BUILT_IN.spot_cpu_core_hour
    assert spot.gpu_hour == on_demand.gpu_hour != BUILT_IN.gpu_hour


def test_a_machine_priced_by_the_sheet_itself_carries_its_gpus_on_top() -> None:
    """OpenCost's CSV prices a node without its GPUs."""
    sheet = replace(GIVEN, gpus={"a100": D(2)}, machines={("pool", "ml", ""): D(1)})
    owned = node({}, gpus=4, labels={"pool": "ML", "nvidia.com/gpu_type": "a100"})
    rates = sheet_rates(owned.labels, sheet, capacity_of(owned), owned.name)
    assert rates.gpu_hour == 2
    assert round(rates.cpu_core_hour * 4 + rates.memory_gib_hour * 16, 12) == 1
    assert rates.provenance is Provenance.REQUESTED


@pytest.mark.parametrize(
    ("sheet", "source", "trust"),
    [
        (BUILT_IN, "OpenCost's default prices", Provenance.ASSUMED),
        (replace(GIVEN, names_defaults=False), "OpenCost's default prices", Provenance.ASSUMED),
        (GIVEN, "price sheet ours.yaml", Provenance.REQUESTED),
    ],
    ids=["built-in", "sheet-without-defaults", "sheet"],
)
def test_a_default_price_says_whose_default_it_is(sheet: PriceSheet, source: str, trust: Provenance) -> None:
    """What a sheet leaves out is not asked for by its author."""
    rates = sheet_rates({}, sheet)
    assert (rates.source, rates.provenance) == (source, trust)


@given(prices, prices, prices, prices)
def test_demanding_spot_never_costs_more_where_spot_is_cheaper(
    cpu: Decimal, memory: Decimal, spot_cpu: Decimal, spot_memory: Decimal
) -> None:
    """By one and the same sheet."""
    sheet = replace(
        GIVEN,
        cpu_core_hour=max(cpu, spot_cpu), memory_gib_hour=max(memory, spot_memory),
        spot_cpu_core_hour=min(cpu, spot_cpu), spot_memory_gib_hour=min(memory, spot_memory),
    )  # fmt: skip
    spot, default = sheet_rates(SPOT, sheet), sheet_rates({}, sheet)
    assert spot.cpu_core_hour <= default.cpu_core_hour
    assert spot.memory_gib_hour <= default.memory_gib_hour
