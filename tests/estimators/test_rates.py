"""A pod's rates: the nodes it may land on, and who is believed about them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimators.change import Cluster
from estimators.prices import BUILT_IN, Pool, PriceSheet, Provenance, Rates
from estimators.quantity import GIB
from estimators.rates import RateBook, weighted_mean
from estimators.usage import Node, Taint, UsageSnapshot, Window
from estimators.workload import Placement, PodTemplate

D = Decimal
START = datetime(2026, 11, 1, tzinfo=UTC)
SHEET = replace(
    BUILT_IN, source="price sheet ours.yaml", as_of="2026-10-01", names_defaults=True, cpu_core_hour=D("0.05")
)
SPOT = {"karpenter.sh/capacity-type": "spot"}


def node(name: str, labels: Mapping[str, str], cpu_hour: str = "", *, cores: int = 4, gpus: int = 0) -> Node:
    """A node of so many cores, 16 GiB and GPUs, priced by OpenCost where a price is given."""
    size = {"cpu": D(cores), "memory": 16 * GIB, "nvidia.com/gpu": D(gpus)}
    hourly = {"cpu": D(cpu_hour), "memory": D("0.004")} if cpu_hour else {}
    return Node(name, labels, size, size, hourly=hourly)


def cluster(*nodes: Node, prices: PriceSheet = BUILT_IN) -> Cluster:
    """A cluster that is known by its nodes."""
    window = Window(START, START + timedelta(days=1), 300)
    return Cluster(prices, UsageSnapshot(window, 30, {}, nodes, prices_as_of="2026-11-20"))


def template(selector: Mapping[str, str] | None = None, **placement: Any) -> PodTemplate:  # noqa: ANN401 - fields of Placement
    """A pod that demands these labels."""
    return PodTemplate((), {}, {}, (), (), {}, {}, {}, Placement(selector or {}, **placement))


def rates(known: Cluster, pod: PodTemplate, **request: int) -> Rates:
    """What a pod with this request (cpu in cores, gpu in counts) is charged."""
    names = {"gpu": "nvidia.com/gpu"}
    return RateBook(known).rates_for(pod, {names.get(key, key): D(value) for key, value in request.items()})


def test_the_mean_is_weighted_by_capacity() -> None:
    """12 cores at 0.02 and 4 at 0.06 are 16 at 0.03."""
    found = rates(cluster(node("a", {}, "0.02", cores=12), node("b", {}, "0.06")), template())
    assert found.cpu_core_hour == D("0.03")
    assert found.source == "OpenCost node prices (2 nodes)"
    assert (found.as_of, found.provenance) == ("2026-11-20", Provenance.MEASURED)


def test_one_pod_on_each_node_pays_each_node_once() -> None:
    """A DaemonSet's pod is as large on a small node as on a large one: 0.02 and 0.06 are 0.04."""
    known = cluster(node("a", {}, "0.02", cores=12), node("b", {}, "0.06"))
    found = RateBook(known).rates_for(template(), {}, one_a_node=True)
    assert found.cpu_core_hour == D("0.04")


def test_like_nodes_count_as_often_as_there_are() -> None:
    """Three at 0.02 and one at 0.06, however they are kept; by number where none tells its size."""
    alike = [node(name, {}, "0.02") for name in "abc"]
    assert rates(cluster(*alike, node("d", {}, "0.06")), template()).cpu_core_hour == D("0.03")
    unsized = [replace(item, capacity={}, allocatable={}) for item in (*alike, node("d", {}, "0.06"))]
    assert rates(cluster(*unsized), template()).cpu_core_hour == D("0.03")


def test_only_nodes_the_pod_may_land_on_and_fits_on_count() -> None:
    """The selector keeps it off one, its size off another."""
    known = cluster(
        node("a", {"pool": "x"}, "0.02", cores=2),
        node("b", {"pool": "x"}, "0.06"),
        node("c", {"pool": "y"}, "1"),
    )
    assert rates(known, template({"pool": "x"}), cpu=1).cpu_core_hour == D("0.28") / 6
    assert rates(known, template({"pool": "x"}), cpu=3).cpu_core_hour == D("0.06")
    assert rates(known, template({"pool": "y"}), cpu=3).cpu_core_hour == 1


def test_a_pod_with_gpus_is_priced_by_nodes_with_gpus() -> None:
    """Others have no room for it."""
    known = cluster(node("a", {}, "0.02"), node("b", {}, "0.09", gpus=1))
    assert rates(known, template(), cpu=1, gpu=1).cpu_core_hour == D("0.09")


def test_an_explicit_sheet_wins_over_opencost_and_opencost_over_any_other() -> None:
    """The order of trust."""
    known = node("a", {}, "0.02")
    assert rates(cluster(known, prices=SHEET), template()).cpu_core_hour == D("0.02")
    explicit = rates(cluster(known, prices=replace(SHEET, explicit=True)), template())
    assert (explicit.cpu_core_hour, explicit.provenance) == (D("0.05"), Provenance.REQUESTED)


def test_what_a_named_sheet_does_not_price_is_left_to_opencost() -> None:
    """A sheet of GPU models and one pool says nothing of other nodes; of its models it has the last word."""
    model = {"nvidia.com/gpu.product": "Tesla-T4"}
    pools = (Pool("batch", {"pool": "batch"}, D("0.01"), D("0.001")),)
    sheet = replace(
        SHEET, explicit=True, names_defaults=False, gpus={"Tesla-T4": D("0.3")}, gpu_hour=D(9), pools=pools
    )
    plain, gpus = node("a", {}, "0.02"), node("b", model, "0.02", gpus=1)
    gpus = replace(gpus, hourly={**gpus.hourly, "gpu": D("0.7")})
    pooled = node("c", {"pool": "batch"}, "0.02")

    found = rates(cluster(plain, prices=sheet), template())
    assert (found.cpu_core_hour, found.provenance) == (D("0.02"), Provenance.MEASURED)
    found = rates(cluster(gpus, prices=sheet), template(), gpu=1)
    assert (found.cpu_core_hour, found.gpu_hour) == (D("0.02"), D("0.3"))
    found = rates(cluster(plain, pooled, prices=sheet), template())
    assert (found.cpu_core_hour, found.provenance) == (D("0.015"), Provenance.REQUESTED)


def test_nodes_with_measured_prices_speak_for_those_without() -> None:
    """A default is not mixed into what is known."""
    assert rates(cluster(node("a", {}, "0.02"), node("b", {})), template()).cpu_core_hour == D("0.02")


def test_without_measured_prices_the_mean_goes_over_what_the_sheet_says_of_each_node() -> None:
    """One node in a pool, one on spot, one neither; the least trusted part names the provenance."""
    pools = (Pool("batch", {"pool": "batch"}, D("0.01"), D("0.001")),)
    known = cluster(
        node("a", {"pool": "batch"}), node("b", SPOT), node("c", {}), prices=replace(SHEET, pools=pools)
    )
    found = rates(known, template())
    assert found.cpu_core_hour == (D("0.01") + BUILT_IN.spot_cpu_core_hour + D("0.05")) / 3
    assert found.pool == ""
    assert rates(known, template({"pool": "batch"})).pool == "batch"


@pytest.mark.parametrize(
    ("pod", "cpu_hour"),
    [
        (template({"pool": "batch"}), "0.01"),
        (template(SPOT), "0.006655"),
        (template(), "0.05"),
        (
            template(
                affinity=({"matchExpressions": [{"key": "pool", "operator": "In", "values": ["batch"]}]},)
            ),
            "0.01",
        ),
    ],
    ids=["pool", "spot", "default", "pool-by-affinity"],
)
@pytest.mark.parametrize(
    "nodes", [(), (node("small", {"pool": "batch", **SPOT}, cores=1),)], ids=["no-nodes", "none-fits"]
)
def test_without_a_node_to_land_on_the_labels_a_pod_demands_choose_the_price(
    pod: PodTemplate, cpu_hour: str, nodes: tuple[Node, ...]
) -> None:
    """As if a node with just these labels came up."""
    sheet = replace(SHEET, pools=(Pool("batch", {"pool": "batch"}, D("0.01"), D("0.001")),))
    assert rates(cluster(*nodes, prices=sheet), pod, cpu=3).cpu_core_hour == D(cpu_hour)


def test_the_order_in_which_nodes_are_listed_does_not_matter() -> None:
    """Neither for the amount's last digit nor for the words of its source."""
    nodes = [node(f"n{place}", SPOT if place else {}, cores=place + 1) for place in range(3)]
    found = {rates(cluster(*listed), template(), cpu=1) for listed in permutations(nodes)}

    assert len(found) == 1


def test_a_cordon_does_not_change_what_a_pool_costs() -> None:
    """The node is drained today, and priced as before."""
    open_node = node("a", {}, "0.02")
    cordoned = replace(open_node, taints=(Taint("node.kubernetes.io/unschedulable", "", "NoSchedule"),))
    assert rates(cluster(cordoned), template()) == rates(cluster(open_node), template())


def test_the_gpu_share_of_a_pod_follows_the_nodes_it_lands_on() -> None:
    """Shared by four in one pool, whole in the other."""
    book = RateBook(
        cluster(
            node("a", {"pool": "x", "nvidia.com/gpu.replicas": "4"}, gpus=4), node("b", {"pool": "y"}, gpus=4)
        )
    )
    wanted = {"cpu": D(1), "nvidia.com/gpu": D(1)}
    assert book.gpus_for(template({"pool": "x"}), wanted).count == D("0.25")
    assert book.gpus_for(template({"pool": "y"}), wanted).count == 1
    assert book.gpus_for(template(), wanted).count == D("0.625")
    assert book.gpus_for(template(), {"cpu": D(1)}).count == 0
    alike = cluster(node("a", {"nvidia.com/gpu.replicas": "4"}, gpus=1), node("b", {}, gpus=1))
    assert RateBook(alike).gpus_for(template(), wanted).count == D("0.625")
    assert RateBook(cluster()).gpus_for(template({"nvidia.com/gpu.replicas": "2"}), wanted).count == D("0.5")


values = st.decimals("0", "1000", places=9)


@given(st.lists(st.tuples(values, st.decimals("0.001", "1000000", places=3)), min_size=1, max_size=30))
def test_a_weighted_mean_lies_between_the_least_and_the_most(pairs: list[tuple[Decimal, Decimal]]) -> None:
    """Rounding included."""
    mean = weighted_mean(pairs)
    assert mean is not None
    assert min(value for value, _ in pairs) <= mean <= max(value for value, _ in pairs)


def test_a_weighted_mean_of_nothing_is_not_zero() -> None:
    """No weight, no mean."""
    assert weighted_mean([]) is None
    assert weighted_mean([(D(1), D(0))]) is None
