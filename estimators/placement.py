"""Where the scheduler may put a pod: selector, required affinity, taints, and room for its request.

Semantics of `k8s.io/component-helpers/scheduling/corev1` and of `Toleration.ToleratesTaint`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from estimators.objects import Body, mapping, sequence, string_map, text
from estimators.ownership import label_as_exported
from estimators.usage import Node, Taint
from estimators.workload import Placement, Resources

_INTEGER = re.compile(r"[+-]?[0-9]{1,19}")
_REPELLING = frozenset({"NoSchedule", "NoExecute"})
_DAEMONS_TOLERATE = frozenset(
    f"node.kubernetes.io/{condition}"
    for condition in (
        "unschedulable",
        "not-ready",
        "unreachable",
        "disk-pressure",
        "memory-pressure",
        "pid-pressure",
    )
)
"""The DaemonSet controller adds these to its pods. `unschedulable` is what a cordon sets."""


def matching_nodes(placement: Placement, nodes: Iterable[Node], *, tolerate_cordon: bool) -> tuple[Node, ...]:
    """The nodes a pod may land on, in their order, whatever room they have left.

    `tolerate_cordon` is for DaemonSet pods, which run on cordoned and ailing nodes too.
    """
    return tuple(node for node in nodes if _matches(placement, node, tolerate_cordon=tolerate_cordon))


def untold_labels(placement: Placement, nodes: Sequence[Node]) -> tuple[str, ...]:
    """Labels that the pod asks its nodes about, and of which nothing tells whether a node has them.

    Those that no node has where not all labels are known, or where only a name is that was made of theirs
    (`my_pool` of `my-pool`): that none matches then says nothing.
    """
    told = {key for node in nodes for key in node.labels}
    known = all(node.labels_known for node in nodes)
    terms = [mapping(item) for term in placement.affinity for item in sequence(term.get("matchExpressions"))]
    asked = [*placement.node_selector, *(text(term.get("key")) for term in terms)]
    unseen = (key for key in dict.fromkeys(asked) if key not in told)
    return tuple(key for key in unseen if not known or label_as_exported(key) in told)


def fits(pod_request: Resources, node: Node) -> bool:
    """Whether an empty `node` has the pod's request allocatable.

    A node that does not say how much CPU or memory it has is not held against the pod; an
    extended resource (`nvidia.com/gpu`) missing beside known ones is not there.
    """
    return all(
        amount <= node.allocatable[name]
        if name in node.allocatable
        else not ("/" in name and node.allocatable and amount > 0)
        for name, amount in pod_request.items()
    )


def demanded_labels(placement: Placement) -> Mapping[str, str]:
    """Labels every node of the pod must have: its selector, and what each affinity term pins to one value."""
    terms = [_pinned(term) for term in placement.affinity]
    common = {
        key: value
        for key, value in (terms[0].items() if terms else ())
        if all(term.get(key) == value for term in terms)
    }
    return {**common, **placement.node_selector}


def _pinned(term: Body) -> Mapping[str, str]:
    pairs = [
        (text(expression.get("key")), sequence(expression.get("values")))
        for expression in map(mapping, sequence(term.get("matchExpressions")))
        if expression.get("operator") == "In"
    ]
    return {key: values[0] for key, values in pairs if len(values) == 1 and isinstance(values[0], str)}


def _matches(placement: Placement, node: Node, *, tolerate_cordon: bool) -> bool:
    if placement.node_name and placement.node_name != node.name:
        return False
    if any(node.labels.get(key) != value for key, value in placement.node_selector.items()):
        return False
    if placement.affinity and not any(_term_matches(term, node) for term in placement.affinity):
        return False
    return all(
        _tolerated(taint, placement, tolerate_cordon=tolerate_cordon)
        for taint in node.taints
        if taint.effect in _REPELLING
    )


def _term_matches(term: Body, node: Node) -> bool:
    """All expressions of one `nodeSelectorTerm`; an empty term matches no node."""
    expressions = sequence(term.get("matchExpressions"))
    fields = sequence(term.get("matchFields"))
    if not expressions and not fields:
        return False
    return all(_expression_matches(mapping(item), node.labels) for item in expressions) and all(
        _expression_matches(mapping(item), {"metadata.name": node.name}) for item in fields
    )


def _expression_matches(expression: Body, labels: Mapping[str, str]) -> bool:
    value = labels.get(text(expression.get("key")))
    values = sequence(expression.get("values"))
    match expression.get("operator"):
        case "In":
            return value is not None and value in values
        case "NotIn":
            return value is None or value not in values
        case "Exists":
            return value is not None
        case "DoesNotExist":
            return value is None
        case "Gt" | "Lt" as operator:
            return _compares(value, operator, values[0] if len(values) == 1 else None)
        case _:
            return False


def _compares(value: str | None, operator: str, bound: object) -> bool:
    if (
        value is None
        or not isinstance(bound, str)
        or not (_INTEGER.fullmatch(value) and _INTEGER.fullmatch(bound))
    ):
        return False
    return int(value) > int(bound) if operator == "Gt" else int(value) < int(bound)


def _tolerated(taint: Taint, placement: Placement, *, tolerate_cordon: bool) -> bool:
    if tolerate_cordon and taint.key in _DAEMONS_TOLERATE:
        return True
    # A pod that names its node passes the scheduler by: only NoExecute still drives it away.
    if placement.node_name and taint.effect == "NoSchedule":
        return True
    return any(_tolerates(string_map(toleration), taint) for toleration in placement.tolerations)


def _tolerates(toleration: Mapping[str, str], taint: Taint) -> bool:
    if toleration.get("effect", "") not in {"", taint.effect}:
        return False
    if toleration.get("key", "") not in {"", taint.key}:
        return False
    match toleration.get("operator", ""):
        case "Exists":
            return True
        case "" | "Equal":
            return bool(toleration.get("key")) and toleration.get("value", "") == taint.value
        case _:
            return False
