"""The part of a snapshot in which its cluster was watched."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from estimators.usage import UsageSnapshot, WorkloadUsage, last_hours

_HOURS_A_DAY = 24


def known_stretch(snapshot: UsageSnapshot, least_days: int) -> UsageSnapshot:
    """The snapshot without what is older than the last whole day of silence, but `least_days` at least.

    A day is silent where nothing was measured of any workload. Whoever asks for more days than a
    Prometheus keeps gets those it has: the window then says what was seen, and a workload that was there
    all the time is as old as the window. OOM kills stay, however old they are: what ran out of memory once
    may do so again.
    """
    step = snapshot.window.step_seconds
    a_day = _HOURS_A_DAY * 3600 // step
    days = snapshot.window.steps // a_day
    seen = np.zeros(days * a_day, dtype=bool)
    for workload in snapshot.workloads.values():
        for item in workload.containers:
            for series in (item.cpu_cores, item.memory_peak_bytes):
                seen |= ~np.isnan(series[series.size - seen.size :])
    silent = np.flatnonzero(~seen.reshape(days, a_day).any(axis=1))
    watched = days - 1 - int(silent[-1]) if silent.size else days
    if watched == days:
        return snapshot
    first = (days - watched) * a_day
    # The day in which the watch began may be silent in part.
    begun = first + (int(np.argmax(seen[first:])) if watched else 0)
    hours = max((days * a_day - begun) * step // 3600, least_days * _HOURS_A_DAY)
    cut = last_hours(snapshot, hours)
    workloads = {key: _with_kills(one, snapshot.workloads[key]) for key, one in cut.workloads.items()}
    return replace(cut, workloads=workloads)


def _with_kills(cut: WorkloadUsage, whole: WorkloadUsage) -> WorkloadUsage:
    pairs = zip(cut.containers, whole.containers, strict=True)
    containers = (replace(one, oom_kills=known.oom_kills, oom_times=known.oom_times) for one, known in pairs)
    return replace(cut, containers=tuple(containers))
