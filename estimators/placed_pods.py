"""What packing has to know of one workload: how large a pod is, how many there are, and where they may be."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from estimators.change import Side
from estimators.gpu import gpus_of_node
from estimators.inventory import selects
from estimators.objects import dig, mapping, sequence, text
from estimators.placement import matching_nodes
from estimators.quantity import GIB
from estimators.report import Estimate
from estimators.usage import Node, observed

ROOMS = 4
"""Cores, GiB, GPUs and pods: what a node has room for."""
_NO_BOUND = 1e6
_HOSTNAME = "kubernetes.io/hostname"
_ZONES = ("topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone")
_CONTROL_PLANE = frozenset({"node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master"})
Room = tuple[float, float, float, float]


def room_of(node: Node) -> Room:
    """What its pods may ask for; how many they may be is not known of every node."""
    room = node.allocatable
    pods = float(room["pods"]) if "pods" in room else _NO_BOUND
    return float(room["cpu"]), float(room["memory"] / GIB), float(gpus_of_node(node)), pods


def is_kept(node: Node) -> bool:
    """Whether it runs the cluster itself: it does not go, however few pods it has."""
    return not _CONTROL_PLANE.isdisjoint(node.labels)


def size_of(estimate: Estimate | None) -> Room:
    """What one pod asks for."""
    if estimate is None:
        return 0.0, 0.0, 0.0, 0.0
    return float(estimate.pod.cpu_cores), float(estimate.pod.memory_gib), float(estimate.pod.gpus), 1.0


def pods_of(estimate: Estimate | None) -> int:
    """How many run on average."""
    return math.ceil(estimate.replicas.count.expected) if estimate else 0


def most_pods_of(side: Side) -> int:
    """How many run at the busiest time: nodes have to be there for them."""
    seen = observed(side.simulation.pods) if side.simulation else np.empty(0)
    return max(pods_of(side.estimate), math.ceil(seen.max()) if seen.size else 0)


def allowed_on(side: Side, nodes: Sequence[Node]) -> list[bool]:
    """The nodes its selectors, affinity and tolerations allow."""
    placement = side.workload.groups[0].template.placement
    names = {node.name for node in matching_nodes(placement, nodes, tolerate_cordon=True)}
    return [node.name in names for node in nodes]


def most_on_a_node(side: Side, nodes: int) -> float:
    """One where its pods must not be beside each other, or each takes a port of its node; else any number.

    Pods that have to be spread over `nodes` are as evenly on them as that demands: with fewer nodes more
    would be allowed on each, so that this holds back nodes rather than promising them.
    """
    template = side.workload.groups[0].template
    spec = mapping(dig(side.workload.object.body, *template.path))
    for container in map(mapping, sequence(spec.get("containers"))):
        if any(mapping(port).get("hostPort") for port in sequence(container.get("ports"))):
            return 1.0
    rules = dig(spec, "affinity", "podAntiAffinity", "requiredDuringSchedulingIgnoredDuringExecution")
    for rule in map(mapping, sequence(rules)):
        selector = rule.get("labelSelector")
        if rule.get("topologyKey") == _HOSTNAME and selects(mapping(selector), template.labels):
            return 1.0
    pods, nodes = most_pods_of(side), max(nodes, 1)
    # The fullest node has `skew` more than each of the others at the most.
    most = ((pods + (nodes - 1) * skew) // nodes for key, skew in _spread_over(side) if key == _HOSTNAME)
    return min(most, default=math.inf)


def is_bound_to_zone(side: Side) -> bool:
    """Whether its pods cannot go to any zone: most volumes are in one, or they have to be spread over all."""
    template = side.workload.groups[0].template
    spread = any(key in _ZONES for key, _ in _spread_over(side))
    return bool(side.workload.claims or template.mounted_claims) or spread


def zone_of(node: Node) -> str:
    """Its zone, `""` where that is not known."""
    return next((node.labels[key] for key in _ZONES if key in node.labels), "")


def _spread_over(side: Side) -> Iterator[tuple[str, int]]:
    """What its pods have to be spread over (`DoNotSchedule`, the default), and how unevenly they may be."""
    template = side.workload.groups[0].template
    rules = dig(side.workload.object.body, *template.path, "topologySpreadConstraints")
    for rule in map(mapping, sequence(rules)):
        firm = rule.get("whenUnsatisfiable", "DoNotSchedule") == "DoNotSchedule"
        skew = rule.get("maxSkew")
        if firm and isinstance(skew, int) and selects(mapping(rule.get("labelSelector")), template.labels):
            yield text(rule.get("topologyKey")), skew
