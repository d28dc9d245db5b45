"""Rules about GPUs."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from estimators.change import Side, WorkloadChange
from estimators.money import ZERO
from estimators.objects import Path
from estimators.report import Finding, Severity
from estimators.rules.containers import containers
from estimators.rules.pods import only_group
from estimators.rules.words import count_words, finding, percent_words, window_words
from estimators.usage import coverage, observed

MOSTLY_IDLE = 0.5
"""Mean busy share. Below it the load would fit on half the GPUs: what "mostly" says in plain words."""


def gpu_increase_while_idle(change: WorkloadChange) -> Iterator[Finding]:
    """`gpu-increase-while-idle`: more GPUs, while those held are busy less than half the time."""
    before, after = change.before, change.after
    gpu = change.history.gpu if change.history else None
    if before is None or after is None or gpu is None:
        return
    old, new = _gpus(before), _gpus(after)
    seen = observed(gpu.busy_ratio)
    if old is None or new is None or not old or new <= old or not seen.size:
        return
    busy = float(seen.mean())
    if busy >= MOSTLY_IDLE:
        return
    path, safe = _where(change, before)
    shared = {"measured": "on the whole GPU, which others share"} if gpu.shared else {}
    noted = {"note": gpu.note} if gpu.note else {}
    yield finding(
        change,
        "gpu-increase-while-idle",
        Severity.CAUTION,
        f"more GPUs, while those it has are busy {percent_words(busy)} of the time",
        path,
        evidence={
            "old": count_words(old, "GPU"),
            "new": count_words(new, "GPU"),
            "busy": f"{percent_words(busy)} on average",
            **shared,
            **noted,
            "window": window_words(change, coverage(gpu.busy_ratio)),
        },
        safe_value=safe,
    )


def _gpus(side: Side) -> Decimal | None:
    """Physical GPUs of all expected pods together, shares as fractions; None where that is unknown."""
    estimate = side.estimate
    return estimate.pod.gpus * estimate.replicas.count.expected if estimate else None


def _where(change: WorkloadChange, before: Side) -> tuple[Path, str]:
    """The field that grew, and what it was: a container's GPUs, else the pod count."""
    for item in containers(change):
        for name, amount in item.limits.items():
            old = item.old_limits.get(name, ZERO)
            if "/" in name and amount > old:
                return item.path("limits", name), f"{old.normalize():f}" if old else ""
    group, earlier = only_group(change.side), only_group(before)
    if group is None:
        return change.side.workload.groups[0].template.path, ""
    old_count = earlier.replicas if earlier else None
    return group.replicas_path, "" if old_count is None else str(old_count)
