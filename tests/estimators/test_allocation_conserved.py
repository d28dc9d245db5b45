"""What holds of every hour of a cluster: conservation, per node and resource, hour and window."""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimators.allocate import allocate
from estimators.allocation import ClusterHour, as_money, as_nano
from estimators.allocation_window import window_of
from estimators.usage import WorkloadKey
from tests.allocation_builders import HOUR, by_name, cluster_hours, container, deployment, hour, node

RESOURCES = ("cpu", "memory", "gpu")


@given(cluster_hours)
def test_every_resource_of_every_node_is_conserved(measured: ClusterHour) -> None:
    """Charged one node at a time: tenants + idle are exactly what the node costs, and nothing is negative."""
    whole = allocate(measured)
    sums: defaultdict[tuple[WorkloadKey, str], int] = defaultdict(int)
    for charged_node in whole.nodes:
        lives = tuple(item for item in measured.nodes if item.node == charged_node.node)
        alone = allocate(replace(measured, nodes=lives, volumes=(), balancers=(), control_plane=Decimal(0)))
        assert alone.nodes == (charged_node,)
        for resource in RESOURCES:
            part, idle = (getattr(charged_node, name) for name in (resource, f"idle_{resource}"))
            costs = [getattr(item, resource) for item in alone.workloads]
            shares = [getattr(item, f"idle_{resource}") for item in alone.workloads]
            assert sum(costs) + idle == part
            assert min([idle, part, *costs, *shares]) >= 0 if costs else idle == part
            assert sum(shares) == (idle if any(costs) else 0)
            for item in alone.workloads:
                sums[item.workload, resource] += getattr(item, resource)
    assert all(
        sums[item.workload, resource] == getattr(item, resource)
        for item in whole.workloads
        for resource in RESOURCES
    )


@given(cluster_hours)
def test_an_hour_is_conserved(measured: ClusterHour) -> None:
    """Tenants + idle + control plane = what nodes, volumes and load balancers cost, and models split GPUs."""
    cost = allocate(measured)
    nodes = sum(
        as_nano(Decimal(size * life.hours) * price)
        for life in measured.nodes
        for size, price in (
            (life.cores, life.cpu_core_hour),
            (life.memory_gib, life.memory_gib_hour),
            (life.gpus, life.gpu_hour),
        )
    )
    volumes = sum(as_nano(Decimal(item.gib * item.hours) * item.gib_hour) for item in measured.volumes)
    balancers = sum(as_nano(Decimal(item.hours) * item.hourly) for item in measured.balancers)
    assert cost.bill == nodes + volumes + balancers + as_nano(measured.control_plane)
    assert cost.tenants + cost.idle + cost.control_plane == cost.bill
    assert all(sum(item.gpu_models.values()) == item.gpu for item in cost.workloads)
    assert sum(item.idle for item in cost.workloads) <= cost.idle


@given(cluster_hours, st.randoms(use_true_random=False))
def test_the_order_of_what_was_measured_does_not_matter(measured: ClusterHour, dice: random.Random) -> None:
    """The same hour read in another order is the same money."""
    nodes, containers = list(measured.nodes), list(measured.containers)
    dice.shuffle(nodes)
    dice.shuffle(containers)
    shuffled = allocate(replace(measured, nodes=tuple(nodes), containers=tuple(containers)))
    first = allocate(measured)
    assert shuffled.bill == first.bill
    for one, other in zip(shuffled.workloads, first.workloads, strict=True):
        assert one.workload == other.workload
        assert abs(one.direct - other.direct) <= 1
        assert one.replica_hours == pytest.approx(other.replica_hours)


@given(cluster_hours)
def test_a_full_node_scales_all_claims_alike(measured: ClusterHour) -> None:
    """On an over-full node twice the claim costs twice as much, and all of it is charged."""
    used = [replace(item, cpu_requested=item.cpu_requested + 65, node="n1") for item in measured.containers]
    full = replace(measured, nodes=(node("n1", cores=64, cpu="1"),), containers=tuple(used))
    cost = allocate(full)
    if used:
        assert cost.nodes[0].idle_cpu == 0
        claimed = sum(item.cpu_claimed for item in cost.workloads)
        for item in cost.workloads:
            assert float(as_money(item.cpu)) == pytest.approx(64 * item.cpu_claimed / claimed, abs=1e-6)


@given(st.lists(cluster_hours, max_size=4), st.randoms(use_true_random=False))
def test_a_window_is_conserved(measured: list[ClusterHour], dice: random.Random) -> None:
    """Its bill is that of its hours, in any order; tenants + idle + control plane are all of it."""
    hours = [allocate(item) for item in measured]
    window = window_of(hours, HOUR, HOUR + timedelta(hours=4))
    assert window.bill == sum(item.bill for item in hours)
    assert window.tenants == sum(item.tenants for item in hours)
    assert window.tenants + window.idle + window.control_plane == window.bill
    assert sum(item.idle for item in window.workloads) <= window.idle
    assert len({item.workload for item in window.workloads}) == len(window.workloads)
    dice.shuffle(hours)
    assert window_of(hours, HOUR, HOUR + timedelta(hours=4)).bill == window.bill


def test_a_missing_hour_is_seen_in_what_a_window_covers() -> None:
    """Three hours of four, one of them half measured: 2.5 / 4."""
    hours = [replace(allocate(hour(node(), container("a", cpu=1))), covered=part) for part in (1.0, 0.5, 1.0)]
    window = window_of(hours, HOUR, HOUR + timedelta(hours=4), "prod")
    assert window.covered == pytest.approx(0.625)
    assert by_name(window.workloads)["a"].replica_hours == 3
    assert (window.nodes[0].hours, window.cluster) == (3, "prod")


def test_a_workload_whose_labels_change_has_a_row_for_each_set() -> None:
    """Who owned it in an hour pays for that hour."""
    measured = hour(node(), container("a", cpu=1))
    hours = [allocate(replace(measured, labels={deployment("a"): {"team": team}})) for team in "xyx"]
    window = window_of(hours, HOUR, HOUR + timedelta(hours=3))
    assert [(item.labels, item.replica_hours) for item in window.workloads] == [
        ({"team": "x"}, 2),
        ({"team": "y"}, 1),
    ]
