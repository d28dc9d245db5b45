"""Workloads that are ready to lose a node and may run on the spot nodes a cluster has."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from estimators.change import Side, WorkloadChange
from estimators.finders.candidate import Candidate, Proposal, new_value
from estimators.money import ZERO
from estimators.node_price import is_spot
from estimators.objects import dig, mapping, text
from estimators.placement import fits, matching_nodes
from estimators.recommendation import LeftAlone
from estimators.recommendation_terms import CRITICAL
from estimators.rules.pods import most, only_group
from estimators.rules.scheduling import SPOT_LABELS, spot_unready
from estimators.rules.words import count_words
from estimators.usage import Node
from estimators.workload import PodGroup, PodTemplate

FINDER = "spot-ready"
LEAST_NODES = 2
"""One spot node that is taken away takes all pods with it."""
_UNDISRUPTED = {
    "cluster-autoscaler.kubernetes.io/safe-to-evict": "false",
    "karpenter.sh/do-not-disrupt": "true",
    "karpenter.sh/do-not-evict": "true",
}
_READY = frozenset({"Deployment", "ReplicaSet", "Rollout"})


def spot_ready(candidate: Candidate) -> Iterator[Proposal | LeftAlone]:
    """A node selector for spot nodes, where the pods fit on those that run and nothing stands against it.

    Ready is what Kubecost's checklist calls so (the rule `spot-unready`): more than one pod, no
    StatefulSet, no emptyDir data, no budget that keeps more than half of them. A critical profile,
    GPUs, volumes (most are bound to one zone), taints that the pods do not tolerate, and whoever says
    that they are not to be disrupted leave them where they are.
    """
    group, at_most = only_group(candidate.side), most(candidate.side)
    if group is None or not at_most or candidate.identity.kind not in _READY:
        return
    template = group.template
    pinned = is_spot(template.placement.node_selector) or template.placement.affinity
    if template.mounted_claims or _not_to_be_disrupted(candidate, template):
        return
    if candidate.profile is CRITICAL or pinned or any("/" in name for name in candidate.pod.pod):
        return
    found = _spot_nodes(candidate, group)
    if found is None:
        return
    label, value, nodes = found
    if not _room_for(candidate, nodes, int(at_most)) or _unready(candidate, group, {label: value}):
        return
    path = (*template.path, "nodeSelector", label)
    yield Proposal(
        FINDER,
        candidate,
        (new_value(candidate.workload.object, path, value),),
        {
            "spot nodes it fits on": str(len(nodes)),
            "pods": f"{count_words(at_most, 'pod')} at the most",
            "profile": candidate.profile.name,
        },
        risks=(
            "All spot nodes of a zone may be taken away at once, with two minutes' notice or less.",
            "While there are too few spot nodes its pods wait.",
        ),
        undo="Take the node selector out; the pods are replaced once more.",
    )


def _not_to_be_disrupted(candidate: Candidate, template: PodTemplate) -> bool:
    """Whether an annotation or a system priority says so, to autoscalers of nodes and to the scheduler."""
    said = any(template.annotations.get(name, "").casefold() == value for name, value in _UNDISRUPTED.items())
    priority = dig(candidate.workload.object.body, *template.path, "priorityClassName")
    return said or text(priority).startswith("system-")


def _spot_nodes(candidate: Candidate, group: PodGroup) -> tuple[str, str, Sequence[Node]] | None:
    """The label most spot nodes carry, and those nodes of it that the pods may land on and fit on."""
    best: tuple[str, str, Sequence[Node]] | None = None
    for label, value in SPOT_LABELS.items():
        marked = [node for node in candidate.cluster.nodes if node.labels.get(label) == value]
        matching = matching_nodes(group.template.placement, marked, tolerate_cordon=False)
        nodes = [node for node in matching if fits(candidate.pod.pod, node)]
        if len(nodes) >= LEAST_NODES and (best is None or len(nodes) > len(best[2])):
            best = label, value, nodes
    return best


def _room_for(candidate: Candidate, nodes: Sequence[Node], pods: int) -> bool:
    """Whether the nodes, empty and less one of them, are large enough for all pods."""
    left = sorted(nodes, key=lambda node: node.allocatable.get("cpu", ZERO))[:-1]
    return all(
        amount * pods <= sum((node.allocatable.get(name, ZERO) for node in left), ZERO)
        for name, amount in candidate.pod.pod.items()
        if name in {"cpu", "memory"}
    )


def _unready(candidate: Candidate, group: PodGroup, label: Mapping[str, str]) -> bool:
    """Whether the rule objects, or pods cannot overlap: then a node that goes is an outage each time."""
    placement = group.template.placement
    moved = replace(placement, node_selector={**placement.node_selector, **label})
    side = candidate.side
    changed = replace(group, template=replace(group.template, placement=moved))
    after: Side = replace(side, workload=replace(side.workload, groups=(changed,)))
    change: WorkloadChange = replace(candidate.unchanged, after=after)
    strategy = mapping(dig(candidate.workload.object.body, "spec", "strategy"))
    recreated = strategy.get("type") == "Recreate"
    return recreated or any(spot_unready(change))
