"""Rules about workloads that go."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from estimators.change import WorkloadChange
from estimators.objects import Path
from estimators.report import Finding, Severity
from estimators.rules.pods import only_group, switched_off
from estimators.rules.words import core_words, count_words, finding, percent_words, window_words
from estimators.usage import Series, WorkloadUsage, coverage, observed, percentile

IDLE_CORES = 0.001
"""A workload whose p95 CPU, over all pods, is not above 1m is idle: 1m is the least that Kubernetes lets
a container ask for ("Resource Management for Pods and Containers"). Anything above may serve somebody."""


def goes_away(change: WorkloadChange) -> bool:
    """Whether the workload is removed, or switched off by `replicas: 0` or `suspend: true`."""
    if change.after is None:
        return True
    return change.before is not None and switched_off(change.after) and not switched_off(change.before)


def removed_in_use(change: WorkloadChange) -> Iterator[Finding]:
    """`removed-in-use`: a workload is removed, scaled to 0 or suspended while its history shows use.

    Or scaled to 0 while a Service or an Ingress sends to it: nobody measures how much, and one request a
    second takes less processor than the least that counts as use.
    """
    history = change.history
    if history is None or change.before is None or not goes_away(change):
        return
    what, path = _how(change)
    use = _use(history)
    senders = change.after.services if change.after else ()
    if not use and not senders:
        return
    why = f"in use: {next(iter(use.values()))}" if use else f"{senders[0]} sends to it; how much is not known"
    yield finding(
        change,
        "removed-in-use",
        Severity.CAUTION,
        f"{what} while {why}",
        path,
        evidence={
            **use,
            **({"sent to by": ", ".join(senders)} if senders else {}),
            "window": window_words(change, coverage(history.replicas)),
        },
    )


def _how(change: WorkloadChange) -> tuple[str, Path]:
    """How it goes away, and where that stands."""
    group = only_group(change.side)
    if change.after is None:
        return "removed", ("metadata", "name")
    return ("suspended", ("spec", "suspend")) if group is None else ("scaled to 0", group.replicas_path)


def _use(history: WorkloadUsage) -> dict[str, str]:
    """What shows that it is used, in words; nothing for an idle workload."""
    cores = total_cpu(history)
    p95 = percentile(cores, 95)
    if p95 is not None and p95 > IDLE_CORES:
        mean = float(observed(cores).mean())
        return {"CPU": f"{core_words(mean)} on average", "CPU p95": core_words(p95)}
    if history.gpu and (busy := percentile(history.gpu.busy_ratio, 95)):
        return {"GPU": f"busy {percent_words(busy)} at the p95"}
    if history.runs and history.runs.runs:
        return {"runs": f"{count_words(history.runs.runs, 'run')} in the window"}
    return {}


def total_cpu(history: WorkloadUsage) -> Series:
    """CPU over all containers per step, in cores; NaN where none has data."""
    if not history.containers:
        return np.empty(0)
    cores = np.vstack([item.cpu_cores for item in history.containers])
    return np.where(np.isnan(cores).all(axis=0), np.nan, np.nansum(cores, axis=0))
