"""Hours of a cluster added up over a window. Integers of money, so that the sum is exact as well."""

from __future__ import annotations

from collections.abc import Container, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any

from estimators.allocation import HourCost, NodeCost, WindowCost, WorkloadCost, sum_of_workloads
from estimators.usage import WorkloadKey

MONEY = tuple("cpu memory gpu storage load_balancer idle_cpu idle_memory idle_gpu".split())
"""The amounts of money of a `WorkloadCost`."""
_money = attrgetter(*MONEY)


def window_of(hours: Iterable[HourCost], start: datetime, end: datetime, cluster: str = "") -> WindowCost:
    """The window `[start, end)` of one cluster from its hours, each there at most once, in any order.

    An hour that is missing adds nothing and counts 0 in `covered`. Hours are folded one by one, so
    that a long window takes no more memory than its workloads and nodes.
    """
    workloads: tuple[WorkloadCost, ...] = ()
    nodes: tuple[NodeCost, ...] = ()
    notes: dict[str, None] = {}
    control_plane, orphans, covered = 0, 0, 0.0
    for hour in hours:
        workloads = sum_of_workloads((*workloads, *hour.workloads))
        nodes = sum_of_nodes((*nodes, *hour.nodes))
        control_plane += hour.control_plane
        orphans += hour.orphans
        covered += hour.covered
        notes.update(dict.fromkeys(hour.notes))
    wanted = (end - start) / timedelta(hours=1)
    return WindowCost(
        start=start,
        end=end,
        cluster=cluster,
        workloads=workloads,
        nodes=nodes,
        control_plane=control_plane,
        orphans=orphans,
        covered=min(covered / wanted, 1.0) if wanted else 0.0,
        notes=tuple(notes),
    )


def others_added_up(workloads: Iterable[WorkloadCost], named: Container[str]) -> tuple[WorkloadCost, ...]:
    """The workloads of the namespaces that are named, then what each other namespace cost as one row.

    Such a row is of `whole_namespace`, and has neither labels nor quantities.
    """
    own: list[WorkloadCost] = []
    others: dict[str, list[WorkloadCost]] = {}
    for item in workloads:
        namespace = item.workload.namespace
        (own if namespace in named else others.setdefault(namespace, [])).append(item)
    return (*own, *(_as_one(whole_namespace(name), others[name]) for name in sorted(others)))


def _as_one(key: WorkloadKey, workloads: Iterable[WorkloadCost]) -> WorkloadCost:
    sums: Iterable[Any] = map(sum, zip(*map(_money, workloads), strict=True))
    return WorkloadCost(key, **dict(zip(MONEY, sums, strict=True)))


def whole_namespace(name: str) -> WorkloadKey:
    """Stands for all workloads of a namespace."""
    return WorkloadKey(name, "Namespace", name)


def sum_of_nodes(parts: Iterable[NodeCost]) -> tuple[NodeCost, ...]:
    """One row a node, by name: its parts added up. What it was last (labels, prices) it is on the whole."""
    sums: dict[str, NodeCost] = {}
    for part in parts:
        known = sums.get(part.node)
        sums[part.node] = part if known is None else _joined(known, part)
    return tuple(sums[name] for name in sorted(sums))


def _joined(first: NodeCost, second: NodeCost) -> NodeCost:
    return replace(
        second,
        cpu=first.cpu + second.cpu,
        memory=first.memory + second.memory,
        gpu=first.gpu + second.gpu,
        idle_cpu=first.idle_cpu + second.idle_cpu,
        idle_memory=first.idle_memory + second.idle_memory,
        idle_gpu=first.idle_gpu + second.idle_gpu,
        hours=first.hours + second.hours,
    )
