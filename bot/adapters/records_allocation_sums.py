"""Clusters' hours added up over a window: whole days from their sums, the rest of it from its hours."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Row,
    Select,
    Subquery,
    Table,
    cast,
    func,
    select,
    true,
    union_all,
)

from bot.adapters.records_allocation_tables import (
    Sums,
    beginning,
    cluster_hours,
    nodes,
    of_gpus,
    of_namespaces,
    of_nodes,
    of_workloads,
    workloads,
)
from estimators.allocation import NodeCost, WorkloadCost
from estimators.allocation_days import DayCost, NodesDay, WorkloadDay
from estimators.allocation_window import whole_namespace
from estimators.prices import Provenance
from estimators.usage import WorkloadKey

MOST_NOTES = 20
Hours = tuple[int, int]
"""The first hour of a window, and the one after its last."""


def cluster_sums(connection: Connection, cluster: int, window: Hours) -> Row[Any]:
    """`covered`, tenants, control plane and orphans, summed over the hours; None where no hour is kept."""
    of = cluster_hours.c
    query = select(
        func.sum(of.covered).label("covered"),
        *(_sum(of[name]).label(name) for name in ("tenants", "control_plane", "orphans")),
    )
    return connection.execute(query.where(of.cluster == cluster, _within(of.hour, window))).one()


def workload_sums(
    connection: Connection, cluster: int, window: Hours, namespaces: Collection[str] = ()
) -> tuple[WorkloadCost, ...]:
    """One row for each workload and set of labels; where namespaces are named, one for each of the others."""
    models: dict[int, dict[str, int]] = defaultdict(dict)
    for row in connection.execute(select(_summed(of_gpus, cluster, window, namespaces))):
        models[row.workload][row.model] = row.cost
    sums = _summed(of_workloads, cluster, window, namespaces)
    who = (workloads.c.id, workloads.c.namespace, workloads.c.kind, workloads.c.name, workloads.c.labels)
    added = [sums.c[name] for name in of_workloads.added]
    query = select(*who, *added).join_from(sums, workloads, workloads.c.id == sums.c.workload)
    found = [
        WorkloadCost(
            WorkloadKey(namespace, kind, name),
            **dict(zip(of_workloads.added, amounts, strict=True)),
            gpu_models=models.get(number, {}),
            labels=labels,
        )
        for number, namespace, kind, name, labels, *amounts in connection.execute(
            query.order_by(*who[1:4], workloads.c.id)
        ).all()
    ]
    others = _other_namespaces(connection, cluster, window, namespaces) if namespaces else ()
    return (*found, *others)


def _other_namespaces(
    connection: Connection, cluster: int, window: Hours, namespaces: Collection[str]
) -> Iterator[WorkloadCost]:
    for name, *amounts in sorted(connection.execute(select(_summed(of_namespaces, cluster, window))).all()):
        if name not in namespaces:
            yield WorkloadCost(whole_namespace(name), **dict(zip(of_namespaces.added, amounts, strict=True)))


def node_sums(connection: Connection, cluster: int, window: Hours) -> tuple[NodeCost, ...]:
    """One row for each node and set of facts about it."""
    sums = _summed(of_nodes, cluster, window)
    facts = [nodes.c[name] for name in ("node", "labels", "spot", "gpu_model", "source", "provenance")]
    added = [sums.c[name] for name in of_nodes.added]
    query = select(*facts, *added).join_from(sums, nodes, nodes.c.id == sums.c.node)
    return tuple(
        NodeCost(
            node,
            **dict(zip(of_nodes.added, amounts, strict=True)),
            labels=labels,
            spot=spot,
            gpu_model=gpu_model,
            source=source,
            provenance=Provenance(provenance),
        )
        for node, labels, spot, gpu_model, source, provenance, *amounts in connection.execute(
            query.order_by(nodes.c.node, nodes.c.id)
        ).all()
    )


def notes(connection: Connection, cluster: int, window: Hours) -> tuple[str, ...]:
    """What was said about the hours, the newest first."""
    of = cluster_hours.c
    newest = func.max(of.hour)
    query = select(of.notes).where(of.cluster == cluster, _within(of.hour, window))
    told = connection.scalars(query.group_by(of.notes).order_by(newest.desc())).all()
    found = tuple(dict.fromkeys(note for some in told for note in some))
    if len(found) <= MOST_NOTES:
        return found
    return (*found[:MOST_NOTES], f"{len(found) - MOST_NOTES} more notes about older hours")


def workload_days(
    connection: Connection, cluster: int, window: Hours, namespaces: Collection[str] = ()
) -> Mapping[int, Sequence[WorkloadDay]]:
    """What `workload_sums` has, by the number of the day."""
    known = select(workloads).where(workloads.c.cluster == cluster)
    if namespaces:
        known = known.where(workloads.c.namespace.in_(namespaces))
    who = {
        row.id: (WorkloadKey(row.namespace, row.kind, row.name), row.labels)
        for row in connection.execute(known).all()
    }
    found: dict[int, list[WorkloadDay]] = defaultdict(list)
    for day, about, direct, idle in _by_day(connection, of_workloads, cluster, window, namespaces):
        found[day].append(WorkloadDay(*who[about], direct, idle))
    if namespaces:
        for day, name, direct, idle in _by_day(connection, of_namespaces, cluster, window):
            if name not in namespaces:
                found[day].append(WorkloadDay(whole_namespace(name), {}, direct, idle))
    return found


def days(
    connection: Connection, cluster: int, window: Hours, its_workloads: Mapping[int, Sequence[WorkloadDay]]
) -> tuple[DayCost, ...]:
    """Every day of the window in order, those without an hour too."""
    its_own = _cluster_days(connection, cluster, window)
    found = []
    for number, first, last in _days_of(window):
        covered, bill, tenants, idle, control_plane = its_own.get(number, (0.0, 0, 0, 0, 0))
        found.append(
            DayCost(
                beginning(first),
                beginning(last),
                bill=bill,
                tenants=tenants,
                idle=idle,
                control_plane=control_plane,
                covered=covered / (last - first),
                workloads=tuple(its_workloads.get(number, ())),
            )
        )
    return tuple(found)


def node_days(connection: Connection, cluster: int, window: Hours, node: str) -> tuple[NodesDay, ...]:
    """The same days of nodes: of all, or of the one that is named."""
    covered = {day: sums[0] for day, sums in _cluster_days(connection, cluster, window).items()}
    parts = []
    for table, day, which in _parts(of_nodes, cluster, window):
        of = table.c
        bill, idle = of.cpu + of.memory + of.gpu, of.idle_cpu + of.idle_memory + of.idle_gpu
        parts.append(select(day.label("day"), of.node, bill, idle, of.gpu).where(which))
    rows = union_all(*parts).subquery()
    number, about, *amounts = rows.c
    query = select(number, *map(_sum, amounts)).group_by(number)
    if node:
        named = select(nodes.c.id).where(nodes.c.cluster == cluster, nodes.c.node == node)
        query = query.where(about.in_(named))
    cost = {day: rest for day, *rest in connection.execute(query)}
    found = []
    for on, first, last in _days_of(window):
        its_bill, its_idle, its_gpu = cost.get(on, (0, 0, 0))
        share = covered.get(on, 0.0) / (last - first)
        found.append(NodesDay(beginning(first), beginning(last), its_bill, its_idle, its_gpu, share))
    return tuple(found)


def _days_of(window: Hours) -> Iterator[tuple[int, int, int]]:
    """The number of each day, and the first hour and the one after the last that lie in the window."""
    for number in range(window[0] // 24, -(-window[1] // 24)):
        yield number, max(window[0], number * 24), min(window[1], number * 24 + 24)


def _cluster_days(connection: Connection, cluster: int, window: Hours) -> Mapping[int, Sequence[Any]]:
    """`covered` (summed over hours), bill, tenants, idle and control plane of each day that has an hour."""
    of = cluster_hours.c
    day = of.hour // 24
    sums = [_sum(column) for column in (of.bill, of.tenants, of.idle, of.control_plane)]
    query = select(day, func.sum(of.covered), *sums).where(of.cluster == cluster, _within(of.hour, window))
    return {number: rest for number, *rest in connection.execute(query.group_by(day))}


def _by_day(
    connection: Connection, sums: Sums, cluster: int, window: Hours, namespaces: Collection[str] = ()
) -> Iterator[Sequence[Any]]:
    """Day, about whom, what that cost itself and its part in the idle: in the order of the first two."""
    for table, day, which in _parts(sums, cluster, window):
        of, about = table.c, table.c[sums.about[0]]
        direct = of.cpu + of.memory + of.gpu + of.storage + of.load_balancer
        idle = of.idle_cpu + of.idle_memory + of.idle_gpu
        query = select(day, about, direct, idle)
        if table is sums.hours:
            query = select(day, about, _sum(direct), _sum(idle)).group_by(day, about)
        query = query.where(which, *_in(namespaces, cluster, table)).order_by(day, about)
        yield from connection.execute(query).all()


def _summed(sums: Sums, cluster: int, window: Hours, namespaces: Collection[str] = ()) -> Subquery:
    """One row for each that the sums are about, of the workloads of some namespaces where any are named."""
    names = (*sums.about, *sums.added)
    parts: list[Select[Any]] = [
        select(*(table.c[name] for name in names)).where(which, *_in(namespaces, cluster, table))
        for table, _, which in _parts(sums, cluster, window)
    ]
    rows = union_all(*parts).subquery()
    about = [rows.c[name] for name in sums.about]
    added = [cast(func.sum(rows.c[name]), rows.c[name].type).label(name) for name in sums.added]
    return select(*about, *added).group_by(*about).subquery()


def _parts(
    sums: Sums, cluster: int, window: Hours
) -> list[tuple[Table, ColumnElement[int], ColumnElement[bool]]]:
    """The tables that make up a window: which, the day that a row is of, and which rows."""
    hours, days = sums.hours, sums.days
    first_day, end_day = -(-window[0] // 24), window[1] // 24
    around = [(window[0], first_day * 24), (end_day * 24, window[1])]
    edges = around if first_day < end_day else [window]
    found: list[tuple[Table, ColumnElement[int], ColumnElement[bool]]] = [
        (hours, hours.c.hour // 24, (hours.c.cluster == cluster) & _within(hours.c.hour, edge))
        for edge in edges
        if edge[0] < edge[1] or edge == window
    ]
    if first_day < end_day:
        whole = (days.c.cluster == cluster) & _within(days.c.day, (first_day, end_day))
        found.append((days, days.c.day, whole))
    return found


def _in(namespaces: Collection[str], cluster: int, table: Table) -> Iterator[ColumnElement[bool]]:
    """Where namespaces are named: which rows of workloads are of them."""
    if namespaces:
        of = workloads.c
        named = select(of.id).where(of.cluster == cluster, of.namespace.in_(namespaces))
        # As a value, PostgreSQL looks the names up once; as a condition it may do so again for each row.
        yield table.c.workload.in_(named).is_(true())


def _within(column: ColumnElement[int], window: Hours) -> ColumnElement[bool]:
    return column.between(window[0], window[1] - 1)


def _sum(column: ColumnElement[int]) -> ColumnElement[int]:
    """PostgreSQL's sum of integers has another type than they have."""
    return cast(func.sum(column), BigInteger)
