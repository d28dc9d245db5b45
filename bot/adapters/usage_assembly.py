"""Sketches of days, put together into the history of each workload."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta

import numpy as np

from bot.adapters.sketch_store import Place
from bot.adapters.usage_sketches import (
    ContainerDay,
    DaySketch,
    Steps,
    WorkloadDay,
    histogram_percentiles,
)
from estimators.usage import (
    ContainerUsage,
    GpuUsage,
    RunHistory,
    Series,
    Window,
    WorkloadKey,
    WorkloadUsage,
)

PERCENTILES = (50, 95, 99, 100)
"""The last is the peak of any one pod: a batch that runs on one of many is in no other, nor in their mean."""
SHARED_NOTE = "other pods share its GPUs, and each of them may show what all of them use"


def days_of(window: Window) -> list[date]:
    """The UTC days of which the window has a step."""
    last = (window.end - timedelta(seconds=window.step_seconds)).astimezone(UTC).date()
    first = window.start.astimezone(UTC).date()
    return [first + timedelta(days=count) for count in range((last - first).days + 1)]


def assemble(sketches: Mapping[Place, DaySketch], window: Window) -> dict[WorkloadKey, WorkloadUsage]:
    """The histories within the window, of all workloads in the sketches.

    Before a workload is first seen everything is unknown; after that it has 0 replicas where it
    has no pod and Prometheus was scraping. Containers are unknown wherever there is no pod.
    Histograms and throttling are whole days', also of a day that the window cuts.
    """
    days = days_of(window)
    found: dict[WorkloadKey, dict[date, WorkloadDay]] = {}
    for place, sketch in sketches.items():
        for key, workload in sketch.workloads.items():
            found.setdefault(key, {})[place.day] = workload
    known = {place: sketch.known for place, sketch in sketches.items()}
    return {
        key: _History(window, days, known, key.namespace, by_day).usage(key) for key, by_day in found.items()
    }


class _History:
    """One workload's days on the way to one history."""

    def __init__(
        self,
        window: Window,
        days: Sequence[date],
        known: Mapping[Place, Steps],
        namespace: str,
        by_day: Mapping[date, WorkloadDay],
    ) -> None:
        self._window = window
        self._days = days
        self._by_day = by_day
        self._known = {day: known[Place(namespace, day)] for day in days if Place(namespace, day) in known}

    def usage(self, key: WorkloadKey) -> WorkloadUsage:
        """Everything that is known of it."""
        names = sorted({name for day in self._by_day.values() for name in day.containers})
        metrics = sorted({name for day in self._by_day.values() for name in day.metrics})
        return WorkloadUsage(
            key=key,
            replicas=self._replicas(),
            containers=tuple(self._container(name) for name in names),
            gpu=self._gpu(),
            runs=self._runs(),
            autoscaler_metrics={
                name: self._joined({day: one.metrics.get(name) for day, one in self._by_day.items()})
                for name in metrics
            },
        )

    def _joined(self, parts: Mapping[date, Steps | None]) -> Series:
        """The days side by side, cut to the window."""
        a_day = 86_400 // self._window.step_seconds
        whole = np.full(len(self._days) * a_day, np.nan)
        for index, day in enumerate(self._days):
            if (part := parts.get(day)) is not None:
                whole[index * a_day : (index + 1) * a_day] = part
        start = self._window.start.astimezone(UTC)
        first = (start.hour * 3600 + start.minute * 60 + start.second) // self._window.step_seconds
        return whole[first : first + self._window.steps]

    def _replicas(self) -> Series:
        counted = self._joined({day: one.replicas for day, one in self._by_day.items()})
        known = self._joined(dict(self._known))
        replicas = np.where(np.isnan(counted) & (known > 0), 0.0, counted)
        replicas[: int(np.argmax(counted > 0)) if (counted > 0).any() else replicas.size] = np.nan
        return replicas

    def _container(self, name: str) -> ContainerUsage:
        parts = {day: one.containers[name] for day, one in self._by_day.items() if name in one.containers}
        times = tuple(self._within(time for part in parts.values() for time in part.oom_times))
        periods = sum(part.periods for part in parts.values())
        throttled = sum(part.throttled for part in parts.values())
        return ContainerUsage(
            name=name,
            cpu_cores=self._joined({day: part.cpu for day, part in parts.items()}),
            memory_peak_bytes=self._joined({day: part.memory for day, part in parts.items()}),
            oom_kills=max(len(times), self._events(parts.values())),
            throttled_ratio=min(1.0, throttled / periods) if periods else None,
            oom_times=times,
            cpu_pod_percentiles=histogram_percentiles(
                (part.cpu_histogram for part in parts.values()), PERCENTILES
            ),
        )

    @staticmethod
    def _events(parts: Iterable[ContainerDay]) -> int:
        return sum(part.oom_events for part in parts)

    def _within(self, times: Iterable[int]) -> list[datetime]:
        moments = sorted(datetime.fromtimestamp(time, UTC) for time in times)
        return [moment for moment in moments if self._window.start <= moment < self._window.end]

    def _gpu(self) -> GpuUsage | None:
        parts = {day: one.gpu for day, one in self._by_day.items() if one.gpu is not None}
        if not parts:
            return None
        shared = any(part.shared for part in parts.values())
        return GpuUsage(
            busy_ratio=self._joined({day: part.busy for day, part in parts.items()}),
            memory_peak_bytes=self._joined({day: part.memory for day, part in parts.items()}),
            shared=shared,
            note=SHARED_NOTE if shared else "",
        )

    def _runs(self) -> RunHistory | None:
        runs = [run for one in self._by_day.values() for run in one.runs if self._within([run.end])]
        if not runs:
            return None
        return RunHistory(len(runs), len({run.job for run in runs}), sum(run.seconds for run in runs))
