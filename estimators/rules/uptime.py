"""Rules about hours at which nothing is to run."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from estimators.change import WorkloadChange
from estimators.report import Finding, Severity
from estimators.rules.removal import IDLE_CORES, total_cpu
from estimators.rules.words import core_words, count_words, finding
from estimators.uptime import PATH, WEEK_MINUTES, Uptime, uptime_of
from estimators.usage import Window, WorkloadUsage, peak

REST = 0.05
"""Share of the highest CPU use up to which a workload rests: probes, its runtime, connections kept."""


def rest_cores(history: WorkloadUsage) -> float:
    """The CPU over all pods, in cores, up to which it rests."""
    return max(REST * (peak(total_cpu(history)) or 0.0), IDLE_CORES)


def works(history: WorkloadUsage) -> NDArray[np.bool_]:
    """By step, whether it did more than rest. A step that nobody saw, once it was seen, counts as work."""
    cores = total_cpu(history)
    seen = ~np.isnan(cores)
    unborn = np.arange(cores.size) < int(np.argmax(seen)) if seen.any() else np.zeros(cores.size, dtype=bool)
    resting = cores <= rest_cores(history)
    if history.gpu is not None:
        resting &= history.gpu.busy_ratio == 0
    away = (history.replicas == 0) & np.isnan(cores)
    working: NDArray[np.bool_] = ~(resting | away | unborn)
    return working


def minute_of_week(window: Window) -> NDArray[np.int64]:
    """The minute of the UTC week, from Monday, at which each step begins."""
    start = window.start
    first = start.weekday() * 1440 + start.hour * 60 + start.minute
    return (first + np.arange(window.steps) * window.step_seconds // 60) % WEEK_MINUTES


def off_hours_in_use(change: WorkloadChange) -> Iterator[Finding]:
    """`off-hours-in-use`: hours at which it is to be switched off, and works as its history shows."""
    before, after, history, usage = change.before, change.after, change.history, change.cluster.usage
    if before is None or after is None or history is None or usage is None:
        return
    new = uptime_of(after.workload, after.namespace_body, change.cluster)
    old = uptime_of(before.workload, before.namespace_body, change.cluster)
    if new is None or (old is not None and bool(np.all(new.minutes >= old.minutes))):
        return
    if new.zone not in {"UTC", "GMT"}:
        message = f"hours in {new.zone} are not held against its history, which is in UTC"
        yield finding(change, "off-hours-in-use", Severity.CAUTION, message, PATH)
        return
    lost = works(history) & ~_up(new, usage.window)
    if not lost.any():
        return
    cores = total_cpu(history)
    highest = peak(np.where(lost, cores, np.nan))
    hours = count_words(float(np.count_nonzero(lost)) * usage.window.step_seconds / 3600, "hour")
    yield finding(
        change,
        "off-hours-in-use",
        Severity.RISKY,
        f"switched off at hours at which it worked: {hours} of {usage.window.days:.3g} days",
        PATH,
        evidence={
            "worked": hours,
            "CPU then": "not known" if highest is None else f"up to {core_words(highest)}",
            "rests up to": core_words(rest_cores(history)),
        },
    )


def _up(uptime: Uptime, window: Window) -> NDArray[np.bool_]:
    """By step, whether pods may run from its first minute to its last."""
    minutes = minute_of_week(window)
    length = max(window.step_seconds // 60, 1)
    up: NDArray[np.bool_] = np.all(
        [uptime.minutes[(minutes + ahead) % WEEK_MINUTES] for ahead in range(length)], axis=0
    )
    return up
