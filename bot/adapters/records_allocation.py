"""Clusters' hours, charged, and their days."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import Connection, select

from bot.adapters import records_allocation_sums as sums
from bot.adapters.records_allocation_tables import beginning, cluster_hours, clusters, hour_number
from bot.adapters.records_allocation_writes import keep, locked_cluster, note_asked
from bot.adapters.records_database import Database
from bot.cost_ports import KeptHour
from estimators.allocation import HourCost, WindowCost, WorkloadCost
from estimators.allocation_days import DayCost, NodesDay, WorkloadDay


class StoredCostHours:
    """The port `CostHours`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep(self, cluster: str, hours: Sequence[HourCost], *, currency: str, at: datetime) -> None:
        """Remember hours in the place of what is kept of them, all or none."""
        with self._database.writing() as connection:
            keep(connection, locked_cluster(connection, cluster, currency), hours, at)

    def asked(self, cluster: str, hours: Collection[datetime], at: datetime) -> None:
        """Remember that hours were asked for in vain."""
        with self._database.writing() as connection:
            number, _ = _known(connection, cluster)
            note_asked(connection, number, hours, at)

    def kept(self, cluster: str, start: datetime, end: datetime) -> Sequence[KeptHour]:
        """The hours of `[start, end)` that are kept."""
        of = cluster_hours.c
        query = select(of.hour, of.covered, of.asks, of.asked_at)
        window = of.hour.between(hour_number(start), hour_number(end) - 1)
        with self._database.reading() as connection:
            number, _ = _known(connection, cluster)
            found = connection.execute(query.where(of.cluster == number, window).order_by(of.hour))
            return [
                KeptHour(beginning(hour), covered, asks, asked_at) for hour, covered, asks, asked_at in found
            ]

    def window(
        self, cluster: str, start: datetime, end: datetime, namespaces: Collection[str] = ()
    ) -> WindowCost:
        """All hours of `[start, end)` added up."""
        hours = hour_number(start), hour_number(end)
        with self._database.reading() as connection:
            number, currency = _known(connection, cluster)
            own = sums.cluster_sums(connection, number, hours)
            workloads = sums.workload_sums(connection, number, hours, namespaces)
            if not _complete(workloads, own.tenants or 0):
                workloads = sums.workload_sums(connection, number, hours)
            return WindowCost(
                start=start,
                end=end,
                workloads=workloads,
                nodes=sums.node_sums(connection, number, hours),
                control_plane=own.control_plane or 0,
                orphans=own.orphans or 0,
                covered=(own.covered or 0.0) / max(hours[1] - hours[0], 1),
                notes=sums.notes(connection, number, hours),
                cluster=cluster,
                currency=currency,
            )

    def days(
        self, cluster: str, start: datetime, end: datetime, namespaces: Collection[str] = ()
    ) -> Sequence[DayCost]:
        """The days of `[start, end)`, with the workloads that `window` has."""
        hours = hour_number(start), hour_number(end)
        with self._database.reading() as connection:
            number, _ = _known(connection, cluster)
            found = sums.days(
                connection, number, hours, sums.workload_days(connection, number, hours, namespaces)
            )
            if all(_complete(day.workloads, day.tenants) for day in found):
                return found
            return sums.days(connection, number, hours, sums.workload_days(connection, number, hours))

    def whole_days(self, cluster: str, start: datetime, end: datetime) -> Sequence[DayCost]:
        """The same days without any workload."""
        with self._database.reading() as connection:
            number, _ = _known(connection, cluster)
            return sums.days(connection, number, (hour_number(start), hour_number(end)), {})

    def node_days(self, cluster: str, start: datetime, end: datetime, node: str = "") -> Sequence[NodesDay]:
        """What all nodes cost on the days of `[start, end)`, or the one that is named."""
        with self._database.reading() as connection:
            number, _ = _known(connection, cluster)
            return sums.node_days(connection, number, (hour_number(start), hour_number(end)), node)

    def clusters(self) -> Sequence[str]:
        """The clusters of which anything is kept; none in a database that was never prepared."""
        if not self._database.has_tables():
            return []
        with self._database.reading() as connection:
            return connection.scalars(select(clusters.c.name).order_by(clusters.c.name)).all()


def _complete(workloads: Sequence[WorkloadCost | WorkloadDay], tenants: int) -> bool:
    """Whether these are all tenants: hours that an older version of ours wrote have no sums of namespaces."""
    return sum(item.direct for item in workloads) == tenants


def _known(connection: Connection, cluster: str) -> tuple[int, str]:
    """The number and currency of a cluster; a number that none has where nothing is kept of it."""
    row = connection.execute(select(clusters).where(clusters.c.name == cluster)).first()
    return (row.id, row.currency) if row is not None else (0, "USD")
