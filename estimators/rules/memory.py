"""Rules about memory: too small a limit kills a container, too small a request gets its pod evicted."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from estimators.change import WorkloadChange
from estimators.quantity import MIB, show_bytes
from estimators.report import Finding, Severity
from estimators.rules.containers import ContainerChange, asked, containers, touched_containers
from estimators.rules.observed import ContainerHistory, window_of
from estimators.rules.words import (
    count_words,
    finding,
    memory_quantity,
    percent_words,
    size_words,
    tidy_memory,
    window_words,
)
from estimators.workload import Resources

MARGIN = Decimal("1.15")
"""Above the observed peak; KRR's and Crane's memory margin."""
OOM_FACTOR, OOM_EXTRA = Decimal("1.2"), 100 * MIB
"""After an OOM kill: the larger of 1.2 x and +100 MiB, as the VerticalPodAutoscaler bumps up."""


def memory_limit(change: WorkloadChange) -> Iterator[Finding]:
    """`memory-limit-below-peak` and `memory-limit-tight`: a new limit against the highest working set."""
    for item in touched_containers(change):
        limit, old = item.limits.get("memory"), item.old_limits.get("memory")
        history = item.history if limit is not None and limit != old else None
        if limit is None or history is None or (peak := history.memory_peak) is None:
            continue
        kills = history.kills(window_of(change))
        # A limit that rises is never tighter than it was, but after a kill it has to rise enough.
        judged = kills or item.limit_tightened("memory")
        if limit < peak:
            message = f"memory limit {show_bytes(limit)} is below the {size_words(peak)} it peaked at"
            yield _finding(item, history, "memory-limit-below-peak", Severity.RISKY, message)
        elif judged and limit < _least_safe(item, peak, kills):
            room = percent_words(float(limit / peak) - 1) if peak else "nothing"
            message = f"memory limit {show_bytes(limit)} is only {room} above the peak of {size_words(peak)}"
            if kills and limit >= peak * MARGIN:
                message = f"OOM-killed before; memory limit {show_bytes(limit)} gives it too little more"
            yield _finding(item, history, "memory-limit-tight", Severity.CAUTION, message)


def _least_safe(item: ContainerChange, peak: Decimal, kills: int) -> Decimal:
    """The margin over the peak; after an OOM kill also what VPA would give over peak and old request."""
    least = peak * MARGIN
    if not kills:
        return least
    return max(least, _bumped(max(peak, asked(item.old_requests, "memory"))))


def _bumped(size: Decimal) -> Decimal:
    return max(size * OOM_FACTOR, size + OOM_EXTRA)


def safe_limit(item: ContainerChange, history: ContainerHistory) -> Decimal | None:
    """The least memory limit no rule here objects to, tidy; None without a peak.

    What was OOM-killed is not given less than it had, and more where its pods get more load.
    """
    if (peak := history.memory_peak) is None:
        return None
    kills = history.kills(window_of(item.change))
    safe = tidy_memory(_least_safe(item, peak, kills))
    old = item.old_limits.get("memory") if kills else None
    if old is None:
        return safe
    return max(safe, tidy_memory(_bumped(old)) if _fewer_pods(item.change) else old)


def memory_room(requests: Resources, limits: Resources, peak: Decimal) -> tuple[Decimal, str]:
    """What a container may hold, and in words: its limit, else its request, else a little over its peak.

    Beyond that one without a limit takes the memory of its neighbours, and is evicted among the first.
    """
    if limit := limits.get("memory"):
        return limit, f"the limit is {size_words(limit)}"
    request = asked(requests, "memory")
    if request >= peak * MARGIN:
        return request, f"the request is {size_words(request)}"
    return peak * MARGIN, f"no limit, and a peak of {size_words(peak)}"


def _finding(
    item: ContainerChange, history: ContainerHistory, rule: str, severity: Severity, message: str
) -> Finding:
    safe = safe_limit(item, history)
    return finding(
        item.change,
        rule,
        severity,
        message,
        item.path("limits", "memory"),
        evidence=_evidence(item, history),
        safe_value=memory_quantity(safe) if safe is not None else "",
    )


def _evidence(item: ContainerChange, history: ContainerHistory) -> dict[str, str]:
    old, new = item.old_limits.get("memory"), item.limits.get("memory")
    evidence = {
        "container": item.container.name,
        "old limit": "none" if old is None else show_bytes(old),
        "new limit": "none" if new is None else show_bytes(new),
    }
    if history.memory_peak is not None:
        evidence["peak"] = size_words(history.memory_peak)
    if kills := history.kills(window_of(item.change)):
        evidence["OOM kills"] = str(kills)
    return {**evidence, "window": window_words(item.change, history.memory_coverage)}


def memory_request(change: WorkloadChange) -> Iterator[Finding]:
    """`memory-request-below-usage`: a request that falls below the p95 of the working set.

    Under memory pressure the kubelet evicts pods whose usage exceeds their request first
    (Kubernetes "Node-pressure Eviction").
    """
    for item in touched_containers(change):
        history = item.history if item.request_lowered("memory") else None
        if history is None or (usual := history.memory_p95) is None or (peak := history.memory_peak) is None:
            continue
        request = asked(item.requests, "memory")
        if request >= usual:
            continue
        limit = item.limits.get("memory")
        safe = tidy_memory(peak)
        if limit is not None and limit >= peak:
            safe = min(safe, limit)
        yield finding(
            change,
            "memory-request-below-usage",
            Severity.CAUTION,
            f"memory request {show_bytes(request)} is below its p95 of {size_words(usual)}: evicted first",
            item.path("requests", "memory"),
            evidence={
                "container": item.container.name,
                "old request": show_bytes(asked(item.old_requests, "memory")),
                "new request": show_bytes(request),
                "p95": size_words(usual),
                "peak": size_words(peak),
                "window": window_words(change, history.memory_coverage),
            },
            safe_value=memory_quantity(safe),
        )


def oom_history(change: WorkloadChange) -> Iterator[Finding]:
    """`oom-history`: OOM-killed in the window; the limit falls, or stays while each pod gets more load."""
    if change.history is None or change.before is None or change.after is None:
        return
    fewer = _fewer_pods(change)
    for item in containers(change):
        limit, old = item.limits.get("memory"), item.old_limits.get("memory")
        if limit is None or old is None or not (limit < old or (limit == old and fewer)):
            continue
        history = item.history
        kills = history.kills(window_of(change)) if history else 0
        if history is None or not kills:
            continue
        what = "the memory limit goes down" if limit < old else "fewer pods carry more load each"
        message = f"{count_words(kills, 'OOM kill')} in the window, and {what}"
        yield _finding(item, history, "oom-history", Severity.RISKY, message)


def _fewer_pods(change: WorkloadChange) -> bool:
    """Whether the same load meets fewer pods, expected or at the most."""
    before, after = change.before, change.after
    if before is None or after is None or before.estimate is None or after.estimate is None:
        return False
    old, new = before.estimate.replicas.count, after.estimate.replicas.count
    return new.expected < old.expected or new.ceiling < old.ceiling
