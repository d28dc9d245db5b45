"""Hours of clusters for one answer, held in memory instead of a store.

They are added up as they come, into pieces that begin at midnight and at one more hour of the day: all
windows of a question begin and end there, and a month of thousands of workloads stays small.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import groupby

from bot.cost_ports import KeptHour
from bot.cost_windows import Hours, midnight
from estimators.allocation import Charged, HourCost, WindowCost, sum_of_workloads
from estimators.allocation_days import DayCost, NodesDay, WorkloadDay
from estimators.allocation_window import others_added_up, sum_of_nodes

_HOUR = timedelta(hours=1)
_DAY = timedelta(days=1)


class HoursInMemory:
    """The port `ChargedHours`. Windows may begin and end at midnight, and at the hour of the day of `end`."""

    def __init__(self, end: datetime) -> None:
        self._end = end
        self._kept: dict[str, list[KeptHour]] = {}
        self._pieces: dict[str, list[WindowCost]] = {}
        self._currencies: dict[str, str] = {}

    def add(self, cluster: str, hours: Iterable[HourCost], currency: str) -> None:
        """Take in a cluster's hours, in order; those of which nothing was measured count as missing."""
        self._currencies[cluster] = currency
        kept = self._kept.setdefault(cluster, [])
        pieces = self._pieces.setdefault(cluster, [])
        measured = (hour for hour in hours if hour.covered)
        for piece, some in groupby(measured, lambda hour: self._piece(hour.hour)):
            together = list(some)
            kept += [KeptHour(hour.hour, hour.covered, 1, self._end) for hour in together]
            pieces.append(self._sum(cluster, together, piece))

    def clusters(self) -> Sequence[str]:
        """Those of which anything was measured."""
        return sorted(cluster for cluster, hours in self._kept.items() if hours)

    def kept(self, cluster: str, start: datetime, end: datetime) -> Sequence[KeptHour]:
        """The hours of `[start, end)` that were measured."""
        return [each for each in self._kept.get(cluster, ()) if start <= each.hour < end]

    def window(
        self, cluster: str, start: datetime, end: datetime, namespaces: Collection[str] = ()
    ) -> WindowCost:
        """All hours of `[start, end)` added up. Raises ValueError for bounds within a piece."""
        for bound in (start, end):
            if bound not in {midnight(bound), midnight(bound).replace(hour=self._end.hour)}:
                raise ValueError(f"{bound} is neither midnight nor at {self._end:%H:%M}")
        pieces = [each for each in self._pieces.get(cluster, ()) if start <= each.start and each.end <= end]
        found = self._sum(cluster, pieces, Hours(start, end))
        if not namespaces:
            return found
        return replace(found, workloads=others_added_up(found.workloads, namespaces))

    def days(
        self, cluster: str, start: datetime, end: datetime, namespaces: Collection[str] = ()
    ) -> Sequence[DayCost]:
        """The days of `[start, end)`, with the workloads that `window` has."""
        found = []
        while start < end:
            next_day = min(midnight(start) + _DAY, end)
            day = self.window(cluster, start, next_day, namespaces)
            workloads = tuple(
                WorkloadDay(item.workload, item.labels, item.direct, item.idle) for item in day.workloads
            )
            sums = (day.bill, day.tenants, day.idle, day.control_plane)
            found.append(DayCost(start, next_day, *sums, day.covered, workloads))
            start = next_day
        return found

    def whole_days(self, cluster: str, start: datetime, end: datetime) -> Sequence[DayCost]:
        """The same days without any workload."""
        return [replace(day, workloads=()) for day in self.days(cluster, start, end)]

    def node_days(self, cluster: str, start: datetime, end: datetime, node: str = "") -> Sequence[NodesDay]:
        """What all nodes cost on the days of `[start, end)`, or the one that is named."""
        found = []
        while start < end:
            next_day = min(midnight(start) + _DAY, end)
            day = self.window(cluster, start, next_day)
            nodes = [each for each in day.nodes if not node or each.node == node]
            sums = (sum(each.bill for each in nodes), sum(each.idle for each in nodes))
            found.append(NodesDay(start, next_day, *sums, sum(each.gpu for each in nodes), day.covered))
            start = next_day
        return found

    def _sum(self, cluster: str, parts: Sequence[Charged], hours: Hours) -> WindowCost:
        covered = sum(
            part.covered * ((part.end - part.start) / _HOUR if isinstance(part, WindowCost) else 1.0)
            for part in parts
        )
        return WindowCost(
            start=hours.start,
            end=hours.end,
            cluster=cluster,
            currency=self._currencies.get(cluster, "USD"),
            workloads=sum_of_workloads(item for part in parts for item in part.workloads),
            nodes=sum_of_nodes(node for part in parts for node in part.nodes),
            control_plane=sum(part.control_plane for part in parts),
            orphans=sum(part.orphans for part in parts),
            covered=min(covered / max((hours.end - hours.start) / _HOUR, 1.0), 1.0),
            notes=tuple(dict.fromkeys(note for part in reversed(parts) for note in part.notes)),
        )

    def _piece(self, hour: datetime) -> Hours:
        """The piece that an hour lies in."""
        day = midnight(hour)
        cut = day.replace(hour=self._end.hour)
        return Hours(day, cut) if hour < cut else Hours(cut, day + _DAY)
