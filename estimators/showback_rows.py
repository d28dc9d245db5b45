"""The rows of an answer: charges by namespace, team, label, node and so on. They add up to the bill."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import NamedTuple

from estimators.allocation import NodeCost, WindowCost, WorkloadCost
from estimators.ownership import Owners
from estimators.showback import Charge, GroupBy, Kind, Parts, Row, group_of

_LAST = (Kind.TENANT, Kind.UNALLOCATED, Kind.IDLE, Kind.CENTRAL)


class Unowned(NamedTuple):
    """A cause of the unallocated row: workloads of a namespace that nothing gives a group to."""

    namespace: str
    workloads: int
    cost: int


def rows_of(charged: Iterable[Charge], by: GroupBy, owners: Owners) -> tuple[Row, ...]:
    """Charges by group, the dearest first; what is unallocated, idle and central last.

    Not for nodes and GPU models, whose rows are `node_rows` and `gpu_rows`.
    """
    group = group_of(by, owners)
    alike: dict[tuple[str, Kind], list[Charge]] = {}
    for charge in charged:
        name = charge.group(group)
        kind = Kind.UNALLOCATED if charge.kind is Kind.TENANT and not name else charge.kind
        alike.setdefault((name, kind), []).append(charge)
    return _ordered(
        [
            _row(name, kind, [item.parts for item in some], [item.workload for item in some if item.workload])
            for (name, kind), some in alike.items()
        ]
    )


def node_rows(windows: Sequence[WindowCost], only: str = "") -> tuple[Row, ...]:
    """Nodes with what was claimed of them and what was idle; of several clusters, as `cluster/node`.

    One row for all lives of a node. `only` is the name of one that alone is asked about.
    """
    several = len(windows) > 1
    lives: dict[str, list[Parts]] = {}
    for window in windows:
        for node in window.nodes:
            if not only or node.node == only:
                name = f"{window.cluster}/{node.node}" if several else node.node
                lives.setdefault(name, []).append(_of_node(node))
    return _ordered([_row(name, Kind.TENANT, parts, []) for name, parts in lives.items()])


def _of_node(node: NodeCost) -> Parts:
    return Parts(
        node.cpu - node.idle_cpu,
        node.memory - node.idle_memory,
        node.gpu - node.idle_gpu,
        idle_share=node.idle,
    )


def gpu_rows(windows: Sequence[WindowCost]) -> tuple[Row, ...]:
    """GPU models with what was held of them and what was idle; a model that nothing names is unallocated.

    The efficiency of a workload that held several models counts for each of them.
    """
    parts: dict[str, list[Parts]] = {}
    holders: dict[str, list[WorkloadCost]] = {}
    for window in windows:
        for node in window.nodes:
            if node.gpu:
                held = Parts(gpu=node.gpu - node.idle_gpu, idle_share=node.idle_gpu)
                parts.setdefault(node.gpu_model, []).append(held)
        for item in window.workloads:
            for model, cost in item.gpu_models.items():
                share = cost / item.gpu if item.gpu else 0.0
                alone = WorkloadCost(
                    item.workload,
                    gpu=cost,
                    gpus=item.gpus * share,
                    gpu_busy=item.gpu_busy * share,
                    gpu_measured=item.gpu_measured * share,
                    replica_hours=item.replica_hours * share,
                )
                holders.setdefault(model, []).append(alone)
    return _ordered(
        [
            _row(model, Kind.TENANT if model else Kind.UNALLOCATED, some, holders.get(model, []))
            for model, some in parts.items()
        ]
    )


def with_previous(rows: Sequence[Row], before: Sequence[Row]) -> tuple[Row, ...]:
    """The rows with what they cost before. One that is gone stays, with nothing but that."""
    cost = {(row.group, row.kind): row.cost for row in before}
    now = {(row.group, row.kind) for row in rows}
    compared = [replace(row, previous=cost.get((row.group, row.kind), 0)) for row in rows]
    gone = [
        Row(group, kind, Parts(), previous=previous)
        for (group, kind), previous in cost.items()
        if (group, kind) not in now
    ]
    return _ordered([*compared, *gone])


def unowned(charged: Iterable[Charge], by: GroupBy, owners: Owners) -> tuple[Unowned, ...]:
    """What the unallocated row is made of, the dearest namespace first."""
    group = group_of(by, owners)
    found: dict[str, list[Charge]] = {}
    for charge in charged:
        if charge.workload and not charge.group(group):
            found.setdefault(charge.workload.workload.namespace, []).append(charge)
    causes = [
        Unowned(
            namespace,
            len({item.workload.workload for item in some if item.workload}),
            sum(sum(item.parts) for item in some),
        )
        for namespace, some in found.items()
    ]
    return tuple(sorted(causes, key=lambda cause: (-cause.cost, cause.namespace)))


def total_of(group: str, charged: Iterable[Charge], costs: Iterable[WorkloadCost]) -> Row:
    """Charges as one row; `costs` are the workloads that its efficiency and replicas are of."""
    return _row(group, Kind.TENANT, [Parts(), *(charge.parts for charge in charged)], list(costs))


def sum_of_rows(group: str, rows: Iterable[Row]) -> Row:
    """Rows of nodes as one row."""
    return _row(group, Kind.TENANT, [Parts(), *(row.parts for row in rows)], [])


def _row(group: str, kind: Kind, parts: Sequence[Parts], costs: Sequence[WorkloadCost]) -> Row:
    used, measured = _worth(costs)
    return Row(
        group,
        kind,
        Parts(*map(sum, zip(*parts, strict=True))),
        used,
        measured,
        sum(item.replica_hours for item in costs),
    )


def _worth(costs: Iterable[WorkloadCost]) -> tuple[float, float]:
    """What the used part of the claims cost, and what the claims cost whose use was measured."""
    used_cost = measured_cost = 0.0
    for item in costs:
        for cost, used, claimed, measured in (
            (item.cpu, item.cpu_used, item.cpu_claimed, item.cpu_measured),
            (item.memory, item.memory_used, item.memory_claimed, item.memory_measured),
            (item.gpu, item.gpu_busy, item.gpus, item.gpu_measured),
        ):
            if claimed:
                used_cost += cost * used / claimed
                measured_cost += cost * measured / claimed
    return used_cost, measured_cost


def _ordered(rows: Iterable[Row]) -> tuple[Row, ...]:
    return tuple(sorted(rows, key=lambda row: (_LAST.index(row.kind), -row.cost, row.group)))
