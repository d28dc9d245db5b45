"""Rules about nodes: pods that fit nowhere, clusters that cannot lose a node, moves to spot."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal

from estimators.change import Side, WorkloadChange
from estimators.money import ZERO
from estimators.objects import Path
from estimators.placement import demanded_labels, fits, matching_nodes, untold_labels
from estimators.quantity import GIB, show_cores
from estimators.report import Estimate, Finding, Severity
from estimators.rules.autoscaling import maximum
from estimators.rules.disruption import pods_kept
from estimators.rules.pods import fewest, only_group, scaled
from estimators.rules.words import core_words, count_words, finding, size_words
from estimators.usage import Node
from estimators.workload import Placement, PodGroup, Scaling

SPOT_LABELS = {
    "karpenter.sh/capacity-type": "spot",
    "eks.amazonaws.com/capacityType": "SPOT",
    "cloud.google.com/gke-spot": "true",
    "cloud.google.com/gke-preemptible": "true",
    "cloud.google.com/gke-provisioning": "spot",
    "kubernetes.azure.com/scalesetpriority": "spot",
    "node.kubernetes.io/lifecycle": "spot",
}
"""How Karpenter, EKS, GKE, AKS and kops mark nodes that may be taken away."""
_PDB_SHARE = Decimal("0.5")
"""Of the pods a budget keeps up; above it Kubecost's checklist calls a workload not ready for spot."""


def unschedulable(change: WorkloadChange) -> Iterator[Finding]:
    """`unschedulable`: no known node matches the pod, or none that matches has room for it when empty.

    Only where some node took the pod before. Pools that scale up from zero have no node to be seen, and
    where the labels that it asks for are not known of any node, none is held against it.
    """
    nodes, after = change.cluster.nodes, change.after
    if not nodes or after is None:
        return
    old = {group.name: group for group in change.before.workload.groups} if change.before else {}
    for group in after.workload.groups:
        matching = _matching(after, group, nodes)
        request = after.pod_request.get(group.name, {})
        if any(fits(request, node) for node in matching) or untold_labels(group.template.placement, nodes):
            continue
        earlier = old.get(group.name)
        if earlier and change.before:
            taken = change.before.pod_request.get(group.name, {})
            if not any(fits(taken, node) for node in _matching(change.before, earlier, nodes)):
                continue
        yield _too_large(change, group, matching) if matching else _no_match(change, group)


def _matching(side: Side, group: PodGroup, nodes: Sequence[Node]) -> tuple[Node, ...]:
    on_every_node = side.workload.scaling is Scaling.PER_NODE
    return matching_nodes(group.template.placement, nodes, tolerate_cordon=on_every_node)


def _no_match(change: WorkloadChange, group: PodGroup) -> Finding:
    placement = group.template.placement
    field: Path = (
        ("nodeName",)
        if placement.node_name
        else ("nodeSelector",)
        if placement.node_selector
        else ("affinity", "nodeAffinity")
        if placement.affinity
        else ("tolerations",)
    )
    return finding(
        change,
        "unschedulable",
        Severity.RISKY,
        f"none of the {count_words(len(change.cluster.nodes), 'known node')} matches its {field[-1]}",
        (*group.template.path, *field),
        evidence={"nodes known": str(len(change.cluster.nodes)), "nodes that match": "0"},
    )


def _too_large(change: WorkloadChange, group: PodGroup, matching: Sequence[Node]) -> Finding:
    """No node has enough of everything; named are the resources no single node has enough of."""
    request = change.side.pod_request.get(group.name, {})
    largest = {
        name: max((node.allocatable.get(name, ZERO) for node in matching), default=ZERO) for name in request
    }
    short = [name for name, amount in request.items() if amount > largest[name]] or list(request)
    first = short[0]
    containers = group.template.running
    path: Path = (*group.template.path, "containers")
    if len(containers) == 1:
        path = (*containers[0].path, "resources", "requests", first)
    alone = len(containers) == 1 and len(short) == 1 and not group.template.overhead
    return finding(
        change,
        "unschedulable",
        Severity.RISKY,
        f"no node fits this pod: it asks for {_words(first, request[first])}, "
        f"the largest has {_words(first, largest[first])}",
        path,
        evidence={
            name: f"{_words(name, request[name])} asked for, at most {_words(name, largest[name])} on a node"
            for name in short
        }
        | {"nodes that match": str(len(matching))},
        safe_value=_rounded_down(first, largest[first]) if alone and largest[first] else "",
    )


def _words(resource: str, amount: Decimal) -> str:
    if resource == "cpu":
        return core_words(amount)
    return size_words(amount) if resource == "memory" else f"{amount.normalize():f} {resource}"


def _rounded_down(resource: str, amount: Decimal) -> str:
    if resource == "memory":
        return f"{math.floor(amount / 2**20)}Mi"
    return show_cores(Decimal(math.floor(amount * 1000)) / 1000) if resource == "cpu" else str(int(amount))


def node_headroom(change: WorkloadChange) -> Iterator[Finding]:
    """`node-headroom`: at its most pods, all requests no longer fit once the largest node is lost.

    kubernetes-mixin's KubeCPUOvercommit and KubeMemoryOvercommit: requests above the sum of
    allocatable minus its largest node. Where that was so before, only outgrowing all nodes is new.
    """
    usage, after = change.cluster.usage, change.after
    if usage is None or after is None or not usage.requested or not usage.nodes:
        return
    for resource in ("cpu", "memory"):
        requested = usage.requested.get(resource)
        sizes = [node.allocatable[resource] for node in usage.nodes if resource in node.allocatable]
        if requested is None or len(sizes) < len(usage.nodes):
            continue
        now = _asked_for(change.before, resource, at_most=False)
        old = requested - now + _asked_for(change.before, resource, at_most=True)
        new = requested - now + _asked_for(after, resource, at_most=True)
        all_nodes = sum(sizes, ZERO)
        line = next((room for room in (all_nodes - max(sizes), all_nodes) if old <= room < new), None)
        if line is not None:
            yield _shortage(change, after, resource, line, requested - now)


def _asked_for(side: Side | None, resource: str, *, at_most: bool) -> Decimal:
    """What the pods of a side request together: as expected, or at the most."""
    if side is None or side.estimate is None:
        return ZERO
    count = side.estimate.replicas.count
    return _each(side.estimate, resource) * (count.ceiling if at_most else count.expected)


def _each(estimate: Estimate, resource: str) -> Decimal:
    """What one pod requests, the mean pod where a workload has several groups."""
    return estimate.pod.cpu_cores if resource == "cpu" else estimate.pod.memory_gib * GIB


def _shortage(change: WorkloadChange, after: Side, resource: str, line: Decimal, others: Decimal) -> Finding:
    each = _each(after.estimate, resource) if after.estimate else ZERO
    pods = after.estimate.replicas.count.ceiling if after.estimate else ZERO
    room = max(math.floor((line - others) / each), 0) if each else 0
    show = core_words if resource == "cpu" else size_words
    total = sum((node.allocatable[resource] for node in change.cluster.nodes), ZERO)
    lost = "" if line == total else "with one node down "
    group = only_group(after)
    path: Path = group.replicas_path if group else after.workload.groups[0].template.path
    thing = None
    if after.autoscaler and scaled(after):
        path, thing = maximum(after.autoscaler), after.autoscaler.object
    message = f"{lost}the nodes have {resource} for {room} of its {count_words(pods, 'pod')}".strip()
    return finding(
        change,
        "node-headroom",
        Severity.CAUTION,
        message,
        path,
        evidence={
            "allocatable": f"{show(total)} on {count_words(len(change.cluster.nodes), 'node')}",
            "room": f"{show(line)} {'on all nodes' if line == total else 'without the largest node'}",
            "requested by others": show(others),
            "requested by this at the most": show(each * pods),
        },
        safe_value=str(room) if group and room else "",
        thing=thing,
    )


def spot_unready(change: WorkloadChange) -> Iterator[Finding]:
    """`spot-unready`: moves to spot nodes without being ready to lose one (Kubecost's spot checklist).

    Not ready are one replica, a StatefulSet, emptyDir data, and a PodDisruptionBudget that keeps
    more than half of the pods.
    """
    after = change.after
    if after is None:
        return
    for group in after.workload.groups:
        label = _spot_label(group.template.placement)
        if label and not _was_on_spot(change.before, group.name):
            reasons = list(_spot_reasons(after, group))
            if reasons:
                yield finding(
                    change,
                    "spot-unready",
                    Severity.CAUTION,
                    f"moves to spot nodes with {' and '.join(reasons)}",
                    (*group.template.path, *_where_pinned(group.template.placement, label)),
                    evidence={
                        "demands": f"{label}={SPOT_LABELS[label]}",
                        "not ready for spot": ", ".join(reasons),
                    },
                )


def _spot_label(placement: Placement) -> str:
    if not placement.node_selector and not placement.affinity:
        return ""
    labels: Mapping[str, str] = demanded_labels(placement)
    return next((key for key, value in SPOT_LABELS.items() if labels.get(key) == value), "")


def _where_pinned(placement: Placement, label: str) -> Path:
    return ("nodeSelector", label) if label in placement.node_selector else ("affinity", "nodeAffinity")


def _was_on_spot(before: Side | None, name: str) -> bool:
    groups = before.workload.groups if before else ()
    return any(group.name == name and _spot_label(group.template.placement) for group in groups)


def _spot_reasons(side: Side, group: PodGroup) -> Iterator[str]:
    pods = fewest(side)
    if pods == 1:
        yield "one replica"
    if side.workload.identity.kind == "StatefulSet":
        yield "a StatefulSet"
    if group.template.has_empty_dir:
        yield "emptyDir data"
    if pods and any((pods_kept(budget, pods) or 0) > pods * _PDB_SHARE for budget in side.budgets):
        yield "a strict PodDisruptionBudget"
