"""Rules about GPUs."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import numpy as np

from estimators.change import Side, WorkloadChange
from estimators.gpu_shares import GpuPart, gpu_memory, is_part, part_on
from estimators.money import ZERO
from estimators.objects import Path
from estimators.placement import matching_nodes
from estimators.report import Finding, Severity
from estimators.rules.containers import containers
from estimators.rules.pods import fixed, only_group
from estimators.rules.removal import goes_away
from estimators.rules.words import count_words, finding, percent_words, size_words, window_words
from estimators.usage import Series, WorkloadUsage, coverage, observed, peak, percentile

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


def gpu_below_usage(change: WorkloadChange) -> Iterator[Finding]:
    """`gpu-below-usage`: fewer GPUs than the work took, half of the time (risky) or at its peaks (caution).

    Or whose memory does not hold what was held on more of them.
    """
    before, after = change.before, change.after
    history = change.history
    if before is None or after is None or history is None or history.gpu is None or goes_away(change):
        return
    old, new = (side.estimate.pod.gpus if side.estimate else None for side in (before, after))
    if old is None or new is None or not old or only_group(after) is None or _asks_for_part(change):
        return
    count = fixed(after)
    left = float(new) * (history.replicas if count is None else np.full(history.replicas.size, float(count)))
    held = float(old) * history.replicas
    if not np.any(left < held):
        return
    used = history.gpu.busy_ratio * held
    half, most = (percentile(used - left, percent) for percent in (50, 95))
    evidence = {
        "GPUs held": f"{_plain(old)} a pod",
        "GPUs left": f"{_plain(new)} a pod" + ("" if count is None else f", {count_words(count, 'pod')}"),
        "busy": f"{percent_words(float(observed(history.gpu.busy_ratio).mean()))} on average"
        if observed(history.gpu.busy_ratio).size
        else "not known",
        "window": window_words(change, coverage(history.gpu.busy_ratio)),
    }
    path, safe = _where_fewer(change)
    if most is not None and most > 0:
        severity = (
            Severity.RISKY if half is not None and half > 0 and not history.gpu.shared else Severity.CAUTION
        )
        message = f"its work took more than the GPUs that are left, up to {_plain(_most(used))} at once"
        yield finding(change, "gpu-below-usage", severity, message, path, evidence=evidence, safe_value=safe)
    elif new and new < old and (words := _memory_of_fewer(change, after, float(old), float(new))):
        severity, message = words
        yield finding(change, "gpu-below-usage", severity, message, path, evidence=evidence, safe_value=safe)


def _asks_for_part(change: WorkloadChange) -> bool:
    """Whether `gpu-part-too-small` judges it."""
    return any(
        is_part(name) and amount for item in containers(change) for name, amount in item.limits.items()
    )


def _most(used: Series) -> Decimal:
    return Decimal(str(round(peak(used) or 0.0, 1)))


def _plain(amount: Decimal) -> str:
    return f"{amount.normalize():f}"


def _where_fewer(change: WorkloadChange) -> tuple[Path, str]:
    """The field that fell, and what it was."""
    for item in containers(change):
        for name, old in item.old_limits.items():
            if "/" in name and item.limits.get(name, ZERO) < old:
                return item.path("limits", name), f"{old.normalize():f}"
    group = only_group(change.side)
    earlier = only_group(change.before) if change.before else None
    old_count = earlier.replicas if earlier else None
    path = group.replicas_path if group else change.side.workload.groups[0].template.path
    return path, "" if old_count is None else str(old_count)


def _memory_of_fewer(
    change: WorkloadChange, after: Side, old: float, new: float
) -> tuple[Severity, str] | None:
    """Why fewer GPUs a pod may not hold what it held; nothing where they do."""
    gpu = change.history.gpu if change.history else None
    placement = after.workload.groups[0].template.placement
    size = gpu_memory(matching_nodes(placement, change.cluster.nodes, tolerate_cordon=False))
    each = peak(gpu.memory_peak_bytes) if gpu else None
    if size is None or each is None:
        return Severity.CAUTION, "whether what it holds in GPU memory fits into fewer GPUs is not known"
    if each * old <= float(size) * new:
        return None
    return (
        Severity.RISKY,
        f"held up to {size_words(each * old)} of GPU memory, {size_words(float(size) * new)} are left",
    )


def gpu_part_too_small(change: WorkloadChange) -> Iterator[Finding]:
    """`gpu-part-too-small`: a part of a GPU in place of more, with less memory or time than was used."""
    before, after = change.before, change.after
    history = change.history
    if before is None or after is None or history is None or history.gpu is None:
        return
    old, new = (side.estimate.pod.gpus if side.estimate else None for side in (before, after))
    if old is None or new is None or new >= old:
        return
    placement = after.workload.groups[0].template.placement
    nodes = matching_nodes(placement, change.cluster.nodes, tolerate_cordon=False)
    for item in containers(change):
        for name, amount in item.limits.items():
            part = part_on(name, nodes) if is_part(name) and amount == 1 else None
            if part is not None and (words := _too_small(part, history)):
                severity, message, evidence = words
                path = item.path("limits", name)
                yield finding(change, "gpu-part-too-small", severity, message, path, evidence=evidence)


def busiest(history: WorkloadUsage) -> float | None:
    """The most of one GPU's time that any pod may have used in a step.

    Only the mean over the GPUs is known: at worst one of them did all the work.
    """
    return peak(history.gpu.busy_ratio * np.fmax(history.replicas, 1.0)) if history.gpu else None


def _too_small(part: GpuPart, history: WorkloadUsage) -> tuple[Severity, str, dict[str, str]] | None:
    """Why a part would not do, the worst reason first; nothing where it does."""
    memory = peak(history.gpu.memory_peak_bytes) if history.gpu else None
    busy = busiest(history)
    if memory is None or part.memory_bytes is None or busy is None:
        message = f"whether what it does fits into one {part.resource} is not known"
        return Severity.CAUTION, message, {}
    evidence = {
        "memory at the most": size_words(memory),
        "memory of the part": size_words(part.memory_bytes),
        "busy at the most": percent_words(busy),
        "share of the part": percent_words(float(part.share)),
    }
    if memory > part.memory_bytes:
        message = f"held {size_words(memory)} of GPU memory, the part has {size_words(part.memory_bytes)}"
        return Severity.RISKY, message, evidence
    if busy > float(part.share):
        message = f"used {percent_words(busy)} of a GPU, the part is {percent_words(float(part.share))}"
        return Severity.RISKY, message, evidence
    return None
