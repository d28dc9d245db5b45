"""How clusters' hours are written: an hour with its day's sums, or not at all."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Any

from sqlalchemy import BigInteger, Connection, Table, cast, delete, func, literal, select, update

from bot.adapters.records_allocation_tables import (
    ALL_SUMS,
    NODE_AMOUNTS,
    NODE_MONEY,
    WORKLOAD_AMOUNTS,
    Sums,
    cluster_hours,
    clusters,
    hour_number,
    nodes,
    of_gpus,
    of_namespaces,
    of_nodes,
    of_workloads,
    workloads,
)
from bot.adapters.records_rows import insert
from bot.errors import UserError
from estimators.allocation import NANO, HourCost, NodeCost, WorkloadCost
from estimators.allocation_window import MONEY

MOST = 2**63 // 24
"""The nano-units that an hour may cost, so that a day's sums fit into a database's 64 bits: 384 million."""
AT_ONCE = 10_000
"""Values that one statement names; SQLite takes 32,766."""
Row = dict[str, Any]
_sums_of_workload = attrgetter(*MONEY, *WORKLOAD_AMOUNTS)
_sums_of_node = attrgetter(*NODE_MONEY, *NODE_AMOUNTS)


def locked_cluster(connection: Connection, name: str, currency: str) -> int:
    """The number of a cluster, new or not. Others that write its hours wait until the transaction is over.

    Raises UserError where its hours are in another currency.
    """
    new = insert(connection, clusters).values(name=name, currency=currency)
    connection.execute(new.on_conflict_do_nothing())
    row = connection.execute(select(clusters).where(clusters.c.name == name).with_for_update()).one()
    if row.currency != currency:
        raise UserError(
            f"the cost of cluster {name} is kept in {row.currency} and its prices are in {currency} now: "
            "give the cluster another name in tuppence.yaml, under which its cost is kept anew"
        )
    return int(row.id)


def keep(connection: Connection, cluster: int, hours: Sequence[HourCost], at: datetime) -> None:
    """Write hours in the place of what is there of them, and add up their days. Raises UserError."""
    by_number = {hour_number(hour.hour): hour for hour in hours}
    for hour in hours:
        if hour.bill > MOST:
            raise UserError(
                f"the hour {hour.hour:%Y-%m-%d %H:%M} costs {hour.bill // NANO}: check the prices"
            )
    _write_clusters_own(connection, cluster, by_number, at)
    ids = _workload_ids(connection, cluster, hours)
    node_ids = _node_ids(connection, cluster, hours)
    of_each = [
        (hour, item, ids[_workload(item)]) for hour, all_of in by_number.items() for item in all_of.workloads
    ]
    rows: dict[Sums, list[Row]] = {
        of_workloads: [
            {
                "hour": hour,
                "workload": number,
                **dict(zip(of_workloads.added, _sums_of_workload(item), strict=True)),
            }
            for hour, item, number in of_each
        ],
        of_gpus: [
            {"hour": hour, "workload": number, "model": model, "cost": cost}
            for hour, item, number in of_each
            for model, cost in item.gpu_models.items()
        ],
        of_nodes: [
            {
                "hour": hour,
                "node": node_ids[_node(item)],
                **dict(zip(of_nodes.added, _sums_of_node(item), strict=True)),
            }
            for hour, all_of in by_number.items()
            for item in all_of.nodes
        ],
    }
    days = sorted({hour // 24 for hour in by_number})
    for sums in ALL_SUMS:
        _remove(connection, sums.hours, cluster, by_number)
        if sums in rows:
            _add(connection, sums.hours, [{"cluster": cluster, **row} for row in rows[sums]])
        else:
            _add_namespaces(connection, cluster, by_number)
        for day in days:
            _add_up(connection, sums, cluster, day)


def note_asked(connection: Connection, cluster: int, hours: Collection[datetime], at: datetime) -> None:
    """Count that hours were asked for, and change nothing else of them."""
    which = (cluster_hours.c.cluster == cluster) & cluster_hours.c.hour.in_(map(hour_number, hours))
    again = update(cluster_hours).where(which).values(asks=cluster_hours.c.asks + 1, asked_at=at)
    connection.execute(again)


def purge(connection: Connection, before: datetime) -> int:
    """Remove the days that were over before `before`: how many hours that were."""
    day = int(before.timestamp()) // 86_400
    connection.execute(select(clusters.c.id).with_for_update()).all()
    for sums in ALL_SUMS:
        connection.execute(delete(sums.hours).where(sums.hours.c.hour < day * 24))
        connection.execute(delete(sums.days).where(sums.days.c.day < day))
    for named, column in ((workloads, of_workloads.days.c.workload), (nodes, of_nodes.days.c.node)):
        connection.execute(delete(named).where(named.c.id.not_in(select(column))))
    return connection.execute(delete(cluster_hours).where(cluster_hours.c.hour < day * 24)).rowcount


def _write_clusters_own(
    connection: Connection, cluster: int, hours: Mapping[int, HourCost], at: datetime
) -> None:
    """The hours themselves, which count how often they were asked for."""
    which = (cluster_hours.c.cluster == cluster) & cluster_hours.c.hour.in_(hours)
    before = select(cluster_hours).where(which)
    asks = {row.hour: row.asks for row in connection.execute(before)}
    _remove(connection, cluster_hours, cluster, hours)
    told = [
        {
            "cluster": cluster,
            "hour": number,
            "bill": hour.bill,
            "tenants": hour.tenants,
            "idle": hour.idle,
            "control_plane": hour.control_plane,
            "orphans": hour.orphans,
            "covered": hour.covered,
            "notes": list(hour.notes),
            "asks": asks.get(number, 0) + 1,
            "asked_at": at,
        }
        for number, hour in hours.items()
    ]
    _add(connection, cluster_hours, told)


def _remove(connection: Connection, table: Table, cluster: int, hours: Iterable[int]) -> None:
    connection.execute(delete(table).where(table.c.cluster == cluster, table.c.hour.in_(list(hours))))


def _add(connection: Connection, table: Table, rows: Sequence[Row]) -> None:
    if rows:
        connection.execute(table.insert(), rows)


def _add_namespaces(connection: Connection, cluster: int, hours: Iterable[int]) -> None:
    """The sums of the workloads that are written."""
    of, namespace = of_workloads.hours.c, workloads.c.namespace
    total = (
        select(
            literal(cluster), of.hour, namespace, *(cast(func.sum(of[name]), BigInteger) for name in MONEY)
        )
        .join(workloads, workloads.c.id == of.workload)
        .where(of.cluster == cluster, of.hour.in_(list(hours)))
        .group_by(of.hour, namespace)
    )
    names = ["cluster", "hour", "namespace", *MONEY]
    connection.execute(of_namespaces.hours.insert().from_select(names, total))


def _add_up(connection: Connection, sums: Sums, cluster: int, day: int) -> None:
    """Make the day the sum of its hours. PostgreSQL's sum of integers has another type than they have."""
    hours, days = sums.hours, sums.days
    connection.execute(delete(days).where(days.c.cluster == cluster, days.c.day == day))
    about = [hours.c[name] for name in sums.about]
    added = [cast(func.sum(hours.c[name]), hours.c[name].type) for name in sums.added]
    total = (
        select(literal(cluster), literal(day), *about, *added)
        .where(hours.c.cluster == cluster, hours.c.hour.between(day * 24, day * 24 + 23))
        .group_by(*about)
    )
    connection.execute(days.insert().from_select(["cluster", "day", *sums.about, *sums.added], total))


def _workload(item: WorkloadCost) -> tuple[object, ...]:
    return (*item.workload, tuple(sorted(item.labels.items())))


def _node(item: NodeCost) -> tuple[object, ...]:
    facts = (item.spot, item.gpu_model, item.source, item.provenance.value)
    return (item.node, tuple(sorted(item.labels.items())), *facts)


def _workload_ids(
    connection: Connection, cluster: int, hours: Sequence[HourCost]
) -> dict[tuple[object, ...], int]:
    found = {_workload(item): item for hour in hours for item in hour.workloads}
    rows = {
        identity: {**item.workload._asdict(), "labels": dict(item.labels)} for identity, item in found.items()
    }
    return _ids(connection, workloads, cluster, rows)


def _node_ids(
    connection: Connection, cluster: int, hours: Sequence[HourCost]
) -> dict[tuple[object, ...], int]:
    found = {_node(item): item for hour in hours for item in hour.nodes}
    rows = {
        identity: {
            "node": item.node,
            "labels": dict(item.labels),
            "spot": item.spot,
            "gpu_model": item.gpu_model,
            "source": item.source,
            "provenance": item.provenance.value,
        }
        for identity, item in found.items()
    }
    return _ids(connection, nodes, cluster, rows)


def _ids(
    connection: Connection, table: Table, cluster: int, rows: Mapping[tuple[object, ...], Row]
) -> dict[tuple[object, ...], int]:
    """The number of each identity, those that are new added."""
    digests = {identity: _digest(identity) for identity in rows}
    known = _known(connection, table, cluster, list(digests.values()))
    new = [
        {"cluster": cluster, "digest": digests[identity], **row}
        for identity, row in rows.items()
        if digests[identity] not in known
    ]
    if new:
        _add(connection, table, new)
        known |= _known(connection, table, cluster, [row["digest"] for row in new])
    return {identity: known[digest] for identity, digest in digests.items()}


def _known(connection: Connection, table: Table, cluster: int, digests: Sequence[str]) -> dict[str, int]:
    found: dict[str, int] = {}
    for first in range(0, len(digests), AT_ONCE):
        some = table.c.digest.in_(digests[first : first + AT_ONCE])
        query = select(table.c.id, table.c.digest).where(table.c.cluster == cluster, some)
        found |= {row.digest: row.id for row in connection.execute(query)}
    return found


def _digest(identity: tuple[object, ...]) -> str:
    return hashlib.sha256(json.dumps(identity).encode("ascii")).hexdigest()
