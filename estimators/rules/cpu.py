"""Rules about CPU: too small a limit throttles, too small a request starves on a busy node."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from estimators.change import WorkloadChange
from estimators.quantity import show_cores
from estimators.report import Finding, Severity
from estimators.rules.containers import ContainerChange, asked, touched_containers
from estimators.rules.observed import ContainerHistory
from estimators.rules.words import (
    core_words,
    cpu_quantity,
    finding,
    percent_words,
    tidy_cores,
    window_words,
)

THROTTLED = 0.25
"""Share of CFS periods; kubernetes-mixin alerts above it (CPUThrottlingHigh)."""
MARGIN = Decimal("1.15")
"""Above the p95 for a limit that is called safe, the margin memory gets too."""


def cpu_limit(change: WorkloadChange) -> Iterator[Finding]:
    """`cpu-limit-throttles`: a limit falls below the p95 (caution) or the median (risky) of one pod's use.

    Risky too where it falls while more than 25 % of the periods are throttled already.
    """
    for item in touched_containers(change):
        history = item.history if item.limit_tightened("cpu") else None
        if history is None:
            continue
        limit, usual, often = item.limits["cpu"], history.cpu_p50, history.cpu_p95
        throttled = history.throttled > THROTTLED and "cpu" in item.old_limits
        if usual is not None and limit < usual:
            message = f"CPU limit {show_cores(limit)} is below its median use of {core_words(usual)}"
            yield _finding(item, history, Severity.RISKY, message)
        elif throttled:
            share = percent_words(history.throttled)
            message = f"throttled in {share} of periods already, and the CPU limit goes down"
            yield _finding(item, history, Severity.RISKY, message)
        elif often is not None and limit < often:
            message = f"CPU limit {show_cores(limit)} is below its p95 of {core_words(often)}: slow at peaks"
            yield _finding(item, history, Severity.CAUTION, message)


def _finding(item: ContainerChange, history: ContainerHistory, severity: Severity, message: str) -> Finding:
    old = item.old_limits.get("cpu")
    # Measured percentiles may come apart by rounding: the p95 is not trusted to be the larger.
    heavy = max((use for use in (history.cpu_p50, history.cpu_p95) if use is not None), default=None)
    safe = tidy_cores(heavy * MARGIN) if heavy is not None else old
    if old is not None and safe is not None and history.throttled > THROTTLED:
        safe = max(safe, old)
    evidence = {
        "container": item.container.name,
        "old limit": "none" if old is None else show_cores(old),
        "new limit": show_cores(item.limits["cpu"]),
        **_use(history),
        **(
            {"throttled": f"{percent_words(history.throttled)} of periods"}
            if history.throttling_known
            else {}
        ),
        "window": window_words(item.change, history.cpu_coverage),
    }
    return finding(
        item.change,
        "cpu-limit-throttles",
        severity,
        message,
        item.path("limits", "cpu"),
        evidence=evidence,
        safe_value=cpu_quantity(safe) if safe is not None else "",
    )


def _use(history: ContainerHistory) -> dict[str, str]:
    found = {"median": history.cpu_p50, "p95": history.cpu_p95}
    return {name: f"{core_words(use)} a pod" for name, use in found.items() if use is not None}


def cpu_request(change: WorkloadChange) -> Iterator[Finding]:
    """`cpu-request-below-usage`: a request that falls below the median use, where no HPA would add pods.

    The safe value is the p95, which is what KRR asks for.
    """
    if change.after is None or change.after.autoscaler:
        return
    for item in touched_containers(change):
        history = item.history if item.request_lowered("cpu") else None
        if history is None or (usual := history.cpu_p50) is None:
            continue
        request = asked(item.requests, "cpu")
        if request >= usual:
            continue
        limit = item.limits.get("cpu")
        safe = tidy_cores(max(usual, history.cpu_p95 or usual))
        if limit is not None and limit >= usual:
            safe = min(safe, limit)
        yield finding(
            change,
            "cpu-request-below-usage",
            Severity.CAUTION,
            f"CPU request {show_cores(request)} is below its median use of {core_words(usual)}",
            item.path("requests", "cpu"),
            evidence={
                "container": item.container.name,
                "old request": show_cores(asked(item.old_requests, "cpu")),
                "new request": show_cores(request),
                **_use(history),
                "window": window_words(change, history.cpu_coverage),
            },
            safe_value=cpu_quantity(safe),
        )
