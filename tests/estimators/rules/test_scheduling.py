"""Nodes: pods that fit nowhere, clusters that cannot lose a node, moves to spot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from estimators.change import Side, WorkloadChange
from estimators.money import Range
from estimators.usage import Node, Taint
from estimators.verdict import unknown_because
from estimators.workload import Placement, Scaling
from tests.builders import autoscaler, budget, change, container, fired, manifest, side, workload
from tests.usage_builders import node, snapshot

SMALL, LARGE = node("small", {"cpu": 4, "memory": "8Gi"}), node("large", {"cpu": 16, "memory": "64Gi"})
SPOT = Placement(node_selector={"karpenter.sh/capacity-type": "spot"})


def asking(cpu: str, replicas: int = 1, **fields: Any) -> Side:  # noqa: ANN401 - passed on
    """Pods that ask for that much CPU."""
    return side(workload(container(requests={"cpu": cpu}), replicas=replicas, **fields))


def on(
    nodes: Sequence[Node], before: Side | None, after: Side, requested: str | None = None
) -> WorkloadChange:
    """The change on a cluster of those nodes, with so much CPU requested by all pods now."""
    return change(
        before, after, usage=snapshot(nodes=nodes, requested={"cpu": requested} if requested else {})
    )


@pytest.mark.parametrize(
    ("before", "after", "nodes", "fires"),
    [
        pytest.param("1", "16", [SMALL, LARGE], False, id="fits the largest exactly"),
        pytest.param("1", "16001m", [SMALL, LARGE], True, id="just too large"),
        pytest.param("17", "18", [SMALL, LARGE], False, id="too large before"),
        pytest.param(None, "17", [SMALL, LARGE], True, id="new"),
        pytest.param("1", "99", [], False, id="no nodes known"),
        pytest.param("1", "99", [node("mute", {})], False, id="a node that does not say what it has"),
    ],
)
def test_a_pod_has_to_fit_some_node(
    before: str | None, after: str, nodes: Sequence[Node], fires: bool
) -> None:
    """Even an empty one."""
    found = fired(on(nodes, asking(before) if before else None, asking(after)), "unschedulable")

    assert fires == bool(found)
    assert all(item.safe_value == "16" and "16 cores" in item.message for item in found)


@pytest.mark.parametrize(
    ("placement", "field"),
    [
        pytest.param(Placement(node_selector={"gpu": "yes"}), "nodeSelector", id="selector"),
        pytest.param(
            Placement(affinity=({"matchExpressions": [{"key": "gpu", "operator": "Exists"}]},)),
            "affinity.nodeAffinity",
            id="affinity",
        ),
        pytest.param(Placement(node_name="gone"), "nodeName", id="name"),
    ],
)
def test_a_pod_has_to_match_some_node(placement: Placement, field: str) -> None:
    """The field that matches none is named."""
    [found] = fired(on([SMALL], asking("1"), asking("1", placement=placement)), "unschedulable")

    assert found.path == f"spec.template.spec.{field}"


@pytest.mark.parametrize("scaling", [Scaling.REPLICAS, Scaling.PER_NODE])
def test_labels_that_are_not_known_hold_nothing_against_a_pod(scaling: Scaling) -> None:
    """Nor is it known that it lands anywhere, where it moves."""
    mute = replace(LARGE, labels_known=False)
    linux = asking("1", placement=Placement(node_selector={"kubernetes.io/os": "linux"}), scaling=scaling)
    moved = on([mute], asking("1", scaling=scaling), linux)

    assert fired(on([mute], None, linux), "unschedulable") == []
    assert fired(moved, "unschedulable") == []
    assert "kubernetes.io/os" in unknown_because(moved)
    assert fired(on([LARGE], None, linux), "unschedulable")


def test_a_cordoned_node_still_takes_daemons() -> None:
    """The DaemonSet controller tolerates it."""
    cordoned = node("cordoned", taints=[Taint("node.kubernetes.io/unschedulable", "", "NoSchedule")])

    assert fired(on([cordoned], None, asking("1")), "unschedulable")
    assert not fired(on([cordoned], None, asking("1", scaling=Scaling.PER_NODE)), "unschedulable")


def test_memory_and_gpus_have_to_fit_too() -> None:
    """A safe value is rounded down."""
    memory = side(workload(container(requests={"memory": "9Gi"}), replicas=1))
    gpu = side(workload(container(limits={"nvidia.com/gpu": 1}), replicas=1))
    machine = node("odd", {"cpu": 4, "memory": "8400000Ki"})

    [large] = fired(on([machine], None, memory), "unschedulable")
    [absent] = fired(on([machine], None, gpu), "unschedulable")

    assert (large.path, large.safe_value) == (
        "spec.template.spec.containers[0].resources.requests.memory",
        "8203Mi",
    )
    assert (absent.message, absent.safe_value) == (
        "no node fits this pod: it asks for 1 nvidia.com/gpu, the largest has 0 nvidia.com/gpu",
        "",
    )


@pytest.mark.parametrize(
    ("requested", "before", "after", "fires"),
    [
        pytest.param("3", 1, 2, False, id="up to what is left without the largest node"),
        pytest.param("3001m", 1, 2, True, id="beyond it"),
        pytest.param("5", 1, 2, False, id="beyond it before"),
        pytest.param("19500m", 1, 2, True, id="beyond all nodes"),
        pytest.param("20500m", 1, 2, False, id="beyond all nodes before"),
        pytest.param("4", 2, 1, False, id="falls"),
        pytest.param(None, 1, 90, False, id="requests not known"),
    ],
)
def test_a_cluster_has_to_survive_the_loss_of_its_largest_node(
    requested: str | None, before: int, after: int, fires: bool
) -> None:
    """4 of 20 cores are left without it."""
    judged = on([SMALL, LARGE], asking("1", before), asking("1", after), requested)

    assert fires == bool(fired(judged, "node-headroom"))


def test_an_autoscaler_counts_at_its_maximum() -> None:
    """Expected are 3 pods of up to 9; without the largest node there is room for 4."""
    pods = workload(container(requests={"cpu": "1"}), replicas=None)
    before, after = (
        side(pods, autoscaler=autoscaler(2, most), pods=Range(Decimal(2), Decimal(3), Decimal(most)))
        for most in (4, 9)
    )
    [found] = fired(on([SMALL, LARGE], before, after, "3"), "node-headroom")

    assert found.message == "with one node down the nodes have cpu for 4 of its 9 pods"
    assert (found.path, found.source.file, found.safe_value) == ("spec.maxReplicas", "scaler.yaml", "4")
    assert not fired(
        on([SMALL, LARGE], before, side(pods, autoscaler=autoscaler(2, 4)), "3"), "node-headroom"
    )


@pytest.mark.parametrize(
    ("after", "reason"),
    [
        pytest.param(asking("1", 1, placement=SPOT), "one replica", id="one replica"),
        pytest.param(asking("1", 2, placement=SPOT, has_empty_dir=True), "emptyDir data", id="emptyDir"),
        pytest.param(asking("1", 2, placement=SPOT, thing=manifest("StatefulSet")), "a StatefulSet", id="StatefulSet"),
        pytest.param(
            side(workload(container(), replicas=4, placement=SPOT), budgets=[budget(3)]),
            "a strict PodDisruptionBudget",
            id="a budget that keeps 3 of 4",
        ),
        pytest.param(
            side(workload(container(), replicas=4, placement=SPOT), budgets=[budget(2)]), None, id="a budget that keeps half"
        ),
        pytest.param(asking("1", 2, placement=SPOT), None, id="ready"),
        pytest.param(asking("1", 1), None, id="not on spot"),
        pytest.param(
            asking("1", 1, placement=Placement(tolerations=({"key": "kubernetes.azure.com/scalesetpriority"},))),
            None,
            id="tolerated, not demanded",
        ),
    ],
)  # fmt: skip
def test_a_move_to_spot_needs_a_workload_that_may_lose_a_node(after: Side, reason: str | None) -> None:
    """Kubecost's checklist."""
    found = fired(change(asking("1", 2), after), "spot-unready")

    assert [item.message for item in found] == ([f"moves to spot nodes with {reason}"] if reason else [])


def test_what_ran_on_spot_before_is_no_news() -> None:
    """Another replica count on the same nodes is judged by other rules."""
    assert not fired(change(asking("1", 2, placement=SPOT), asking("1", 1, placement=SPOT)), "spot-unready")
