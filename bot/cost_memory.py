"""Hours of one cluster for one answer, held in memory instead of a store.

They are added up as they come, into pieces that begin at midnight and at one more hour of the day: all
windows of a question begin and end there, and a month of thousands of workloads stays small.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime, timedelta

from bot.cost_ports import KeptHour
from bot.cost_windows import Hours, midnight
from estimators.allocation import Charged, HourCost, WindowCost, sum_of_workloads
from estimators.allocation_days import DayCost, WorkloadDay
from estimators.allocation_window import sum_of_nodes

_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)


class HoursInMemory:
    """The port `ChargedHours`, of one cluster. Bounds that are asked for are midnights or at `end`'s hour."""

    def __init__(self, hours: Iterable[HourCost], *, end: datetime, cluster: str, currency: str) -> None:
        self._cluster, self._currency = cluster, currency
        self._kept: list[KeptHour] = []
        self._pieces: list[WindowCost] = []
        some: list[HourCost] = []
        for hour in hours:
            if not hour.covered:
                continue
            if some and _piece(hour.hour, end) != _piece(some[0].hour, end):
                self._take(some, end)
                some = []
            some.append(hour)
            self._kept.append(KeptHour(hour.hour, hour.covered, 1, end))
        if some:
            self._take(some, end)

    def clusters(self) -> Sequence[str]:
        """The one, where anything was measured of it."""
        return [self._cluster] if self._kept else []

    def kept(self, cluster: str, start: datetime, end: datetime) -> Sequence[KeptHour]:
        """The hours of `[start, end)` that were measured."""
        return [each for each in self._kept if cluster == self._cluster and start <= each.hour < end]

    def window(self, cluster: str, start: datetime, end: datetime) -> WindowCost:
        """All hours of `[start, end)` added up."""
        return self._sum(list(self._within(cluster, start, end)), Hours(start, end))

    def days(
        self, cluster: str, start: datetime, end: datetime, namespaces: Collection[str] = ()
    ) -> Sequence[DayCost]:
        """The days of `[start, end)`, with the workloads of some namespaces where any are named."""
        found = []
        while start < end:
            next_day = min(midnight(start) + _DAY, end)
            day = self.window(cluster, start, next_day)
            workloads = tuple(
                WorkloadDay(item.workload, item.labels, item.direct, item.idle)
                for item in day.workloads
                if not namespaces or item.workload.namespace in namespaces
            )
            sums = (day.bill, day.tenants, day.idle, day.control_plane)
            found.append(DayCost(start, next_day, *sums, day.covered, workloads))
            start = next_day
        return found

    def _within(self, cluster: str, start: datetime, end: datetime) -> Iterator[WindowCost]:
        for piece in self._pieces:
            if cluster == self._cluster and start <= piece.start and piece.end <= end:
                yield piece

    def _take(self, hours: Sequence[HourCost], end: datetime) -> None:
        self._pieces.append(self._sum(hours, _piece(hours[0].hour, end)))

    def _sum(self, parts: Sequence[Charged], hours: Hours) -> WindowCost:
        covered = sum(
            part.covered * (((part.end - part.start) / _HOUR) if isinstance(part, WindowCost) else 1.0)
            for part in parts
        )
        return WindowCost(
            start=hours.start,
            end=hours.end,
            cluster=self._cluster,
            currency=self._currency,
            workloads=sum_of_workloads(item for part in parts for item in part.workloads),
            nodes=sum_of_nodes(node for part in parts for node in part.nodes),
            control_plane=sum(part.control_plane for part in parts),
            orphans=sum(part.orphans for part in parts),
            covered=min(covered / max((hours.end - hours.start) / _HOUR, 1.0), 1.0),
            notes=tuple(dict.fromkeys(note for part in parts for note in part.notes)),
        )


def _piece(hour: datetime, end: datetime) -> Hours:
    """The piece that an hour lies in."""
    day = midnight(hour)
    cut = day.replace(hour=end.hour)
    return Hours(day, cut) if hour < cut else Hours(cut, day + _DAY)
