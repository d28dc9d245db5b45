"""Where a pod may land: the scheduler's rules for selectors, affinity, taints and room."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest

from estimators.placement import demanded_labels, fits, matching_nodes, untold_labels
from estimators.usage import Node, Taint
from estimators.workload import Placement

LABELS = {"disk": "ssd", "zone": "a", "cores": "16"}


def lands(
    placement: Placement, *taints: Taint, labels: Mapping[str, str] = LABELS, daemon: bool = False
) -> bool:
    """Whether the one node `n1` takes the pod."""
    node = Node("n1", labels, taints=taints)
    return matching_nodes(placement, [node], tolerate_cordon=daemon) == (node,)


@pytest.mark.parametrize(
    ("placement", "known", "expected"),
    [
        pytest.param(Placement({"disk": "ssd", "os": "linux"}), False, ("os",), id="selector"),
        pytest.param(Placement({"disk": "hdd"}), False, (), id="a label that some node has"),
        pytest.param(
            Placement(
                affinity=({"matchExpressions": [{"key": "os", "operator": "NotIn", "values": ["x"]}]},)
            ),
            False,
            ("os",),
            id="affinity",
        ),
        pytest.param(Placement(), False, (), id="anywhere"),
        pytest.param(Placement({"os": "linux"}), True, (), id="all labels are known"),
        pytest.param(Placement({"my.co/pool": "a"}), True, ("my.co/pool",), id="a name made of it"),
    ],
)
def test_a_label_that_was_not_told_is_not_absent(
    placement: Placement, known: bool, expected: tuple[str, ...]
) -> None:
    """kube-state-metrics exports no labels of nodes unless it is told to, or a few alone."""
    exported = {"my_co_pool": "a"}
    nodes = [Node("n1", LABELS, labels_known=known), Node("n2", exported, labels_known=known)]

    assert untold_labels(placement, nodes) == expected


def expression(key: str, operator: str, *values: str) -> Mapping[str, Any]:
    """A nodeSelectorTerm of one expression."""
    return {"matchExpressions": [{"key": key, "operator": operator, "values": list(values)}]}


@pytest.mark.parametrize(
    ("selector", "expected"),
    [({}, True), ({"disk": "ssd", "zone": "a"}, True), ({"disk": "hdd"}, False), ({"gone": "x"}, False)],
    ids=["none", "all-match", "one-differs", "absent"],
)
def test_every_label_of_a_selector_must_match(selector: Mapping[str, str], expected: bool) -> None:
    """A nodeSelector is a conjunction."""
    assert lands(Placement(selector)) is expected


@pytest.mark.parametrize(
    ("term", "expected"),
    [
        (expression("disk", "In", "ssd", "nvme"), True),
        (expression("disk", "In", "nvme"), False),
        (expression("gone", "In", "ssd"), False),
        (expression("disk", "NotIn", "ssd"), False),
        (expression("gone", "NotIn", "ssd"), True),
        (expression("disk", "Exists"), True),
        (expression("gone", "Exists"), False),
        (expression("disk", "DoesNotExist"), False),
        (expression("gone", "DoesNotExist"), True),
        (expression("cores", "Gt", "8"), True),
        (expression("cores", "Gt", "16"), False),
        (expression("cores", "Lt", "32"), True),
        (expression("disk", "Gt", "8"), False),
        (expression("cores", "Gt", "8", "4"), False),
        (expression("cores", "Gt", "1_0"), False),
        (expression("disk", "Near", "ssd"), False),
        ({"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n1"]}]}, True),
        ({"matchFields": [{"key": "metadata.name", "operator": "NotIn", "values": ["n1"]}]}, False),
        ({}, False),
        ({"matchExpressions": "disk"}, False),
        ({"matchExpressions": [None]}, False),
    ],
    ids=lambda value: (
        str(value) if isinstance(value, bool) else "".join(c for c in str(value) if c.isalnum())[16:60]
    ),
)
def test_each_operator_of_an_affinity_term(term: Mapping[str, Any], expected: bool) -> None:
    """Operators as in NodeSelectorRequirement; what the API server would refuse matches nothing."""
    assert lands(Placement(affinity=(term,))) is expected


def test_affinity_terms_are_alternatives_and_come_on_top_of_the_selector() -> None:
    """Terms are ORed, expressions and the nodeSelector ANDed."""
    other, this = expression("zone", "In", "b"), expression("zone", "In", "a")
    assert lands(Placement({"disk": "ssd"}, (other, this)))
    assert not lands(Placement({"disk": "hdd"}, (other, this)))


SPOT = Taint("spot", "true", "NoSchedule")


@pytest.mark.parametrize(
    ("toleration", "expected"),
    [
        ({"key": "spot", "operator": "Equal", "value": "true", "effect": "NoSchedule"}, True),
        ({"key": "spot", "value": "true"}, True),
        ({"key": "spot", "value": "false"}, False),
        ({"key": "spot", "operator": "Exists"}, True),
        ({"key": "spot", "operator": "Exists", "effect": "NoExecute"}, False),
        ({"key": "other", "operator": "Exists"}, False),
        ({"operator": "Exists"}, True),
        ({"key": "", "operator": "Exists", "effect": ""}, True),
        ({"operator": "Equal", "value": "true"}, False),
        ({"key": "spot", "operator": "Sort of"}, False),
    ],
    ids=["equal", "equal-by-default", "other-value", "exists", "other-effect", "other-key", "everything",
         "everything-empty", "no-key-but-equal", "unknown-operator"],
)  # fmt: skip
def test_a_taint_keeps_out_who_does_not_tolerate_it(toleration: Mapping[str, Any], expected: bool) -> None:
    """Toleration.ToleratesTaint, case by case."""
    assert not lands(Placement(), SPOT)
    assert lands(Placement(tolerations=(toleration,)), SPOT) is expected


def test_a_preference_keeps_nobody_out() -> None:
    """PreferNoSchedule is a wish."""
    assert lands(Placement(), Taint("spot", "true", "PreferNoSchedule"))


@pytest.mark.parametrize(
    "condition",
    ["unschedulable", "not-ready", "unreachable", "disk-pressure", "memory-pressure", "pid-pressure"],
)
def test_daemons_run_on_cordoned_and_ailing_nodes(condition: str) -> None:
    """The DaemonSet controller adds these tolerations; others must write them."""
    taint = Taint(f"node.kubernetes.io/{condition}", "", "NoSchedule")
    assert lands(Placement(), taint, daemon=True)
    assert not lands(Placement(), taint)
    assert not lands(Placement(), SPOT, daemon=True)


def test_a_named_node_passes_the_scheduler_by() -> None:
    """`nodeName` ignores NoSchedule, not NoExecute."""
    assert lands(Placement(node_name="n1"), SPOT)
    assert not lands(Placement(node_name="n2"))
    assert not lands(Placement(node_name="n1"), Taint("gone", "", "NoExecute"))


@pytest.mark.parametrize(
    ("request_", "allocatable", "expected"),
    [
        ({"cpu": 2}, {"cpu": 2}, True),
        ({"cpu": 3}, {"cpu": 2}, False),
        ({"memory": 1}, {"cpu": 2}, True),
        ({"nvidia.com/gpu": 1}, {"cpu": 2}, False),
        ({"nvidia.com/gpu": 0}, {"cpu": 2}, True),
        ({"nvidia.com/gpu": 1}, {}, True),
    ],
    ids=["just", "too-large", "memory-not-told", "no-gpu", "none-wanted", "nothing-told"],
)
def test_a_pod_fits_where_everything_it_asks_for_is_allocatable(
    request_: Mapping[str, int], allocatable: Mapping[str, int], expected: bool
) -> None:
    """What a node does not tell is not held against a pod, except a device beside known resources."""
    node = Node("n1", allocatable={key: Decimal(value) for key, value in allocatable.items()})
    assert fits({key: Decimal(value) for key, value in request_.items()}, node) is expected


def test_demanded_labels_are_those_no_landing_node_can_lack() -> None:
    """The selector, and what every alternative pins to one value."""
    both = {
        "matchExpressions": [
            *expression("zone", "In", "a")["matchExpressions"],
            *expression("disk", "In", "ssd")["matchExpressions"],
        ]
    }
    assert demanded_labels(Placement({"pool": "x"}, (both,))) == {"pool": "x", "zone": "a", "disk": "ssd"}
    assert demanded_labels(Placement({}, (both, expression("zone", "In", "a")))) == {"zone": "a"}
    assert demanded_labels(Placement({}, (expression("zone", "In", "a", "b"),))) == {}
    assert demanded_labels(Placement({}, (expression("zone", "NotIn", "a"),))) == {}
