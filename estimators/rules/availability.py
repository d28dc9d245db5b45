"""Rules about a fixed number of pods that falls."""

from __future__ import annotations

import math
from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

from estimators.change import WorkloadChange
from estimators.report import Finding, Severity
from estimators.rules.containers import ContainerChange, containers
from estimators.rules.memory import memory_room
from estimators.rules.observed import ContainerHistory
from estimators.rules.pods import fewest, fixed, most, only_group
from estimators.rules.words import core_words, finding, size_words, window_words
from estimators.usage import peak


class _Shortage(NamedTuple):
    """One container's resource that the remaining pods cannot carry, in words."""

    container: str
    needed: str
    available: str
    safe: int | None
    """Pods of which one may fail; None where no count would do."""
    coverage: float


def single_replica(change: WorkloadChange) -> Iterator[Finding]:
    """`single-replica`: a workload that nothing scales falls to one pod."""
    before, after = change.before, change.after
    if before is None or after is None or fixed(after) != 1:
        return
    old, group = fewest(before), only_group(after)
    if old is None or old <= 1 or group is None:
        return
    yield finding(
        change,
        "single-replica",
        Severity.CAUTION,
        f"from {old} pods to one: every restart and node drain is now an outage",
        group.replicas_path,
        evidence={"old pods": str(old), "new pods": "1"},
        safe_value="2",
    )


def no_failover(change: WorkloadChange) -> Iterator[Finding]:
    """`no-failover`: replicas fall so far that with one pod gone the rest cannot carry the observed peak.

    CPU: the highest total use against the requests (the limits, where nothing is requested).
    Memory: against the limits (the requests, where there are none, or a little more than a pod ever
    held); what a pod never went below stays with each pod, the rest is shared.
    A single pod has no failover at all, which `single-replica` says; here it has to carry the peak.
    """
    before, after = change.before, change.after
    if before is None or after is None or change.history is None:
        return
    count, old, group = fixed(after), most(before), only_group(after)
    if not count or group is None or (old is not None and count >= old):
        return
    carriers = max(int(count) - 1, 1)
    shortages = [
        shortage
        for item in containers(change)
        if (history := item.history)
        for shortage in _shortages(item, history, carriers)
    ]
    if not shortages:
        return
    worst = shortages[0]
    whom = "one pod cannot" if count == 1 else f"with one of {count} pods gone the rest cannot"
    yield finding(
        change,
        "no-failover",
        Severity.RISKY,
        f"{whom} carry the peak of {worst.needed}",
        group.replicas_path,
        evidence={
            "old pods": "no maximum" if old is None else str(old),
            "new pods": str(count),
            **{f"{item.container} needs": f"{item.needed}; {item.available}" for item in shortages},
            "window": window_words(change, min(item.coverage for item in shortages)),
        },
        safe_value=""
        if any(item.safe is None for item in shortages)
        else str(max(item.safe or 0 for item in shortages)),
    )


def _shortages(item: ContainerChange, history: ContainerHistory, carriers: int) -> Iterator[_Shortage]:
    name = item.container.name
    used, each = history.cpu_total_peak, item.requests.get("cpu") or item.limits.get("cpu")
    if used is not None and each and used > carriers * each:
        yield _Shortage(
            name,
            core_words(used),
            f"{carriers} x {core_words(each)} are left",
            max(math.ceil(used / each), 1) + 1,
            history.cpu_coverage,
        )
    yield from _memory_shortage(item, history, carriers)


def _memory_shortage(item: ContainerChange, history: ContainerHistory, carriers: int) -> Iterator[_Shortage]:
    usage = item.change.history
    highest, least = history.memory_peak, history.memory_least
    pods = peak(usage.replicas) if usage else None
    if highest is None or least is None or not pods:
        return
    room, available = memory_room(item.requests, item.limits, highest)
    shared = (highest - least) * Decimal(pods)
    each = least + shared / carriers
    # With as many pods as ran it holds what was seen: a limit below that is the memory rules' matter.
    if carriers < pods and each > room:
        spare = room - least
        safe = max(math.ceil(shared / spare), 1) + 1 if spare > 0 else None
        yield _Shortage(
            item.container.name,
            f"{size_words(each)} a pod",
            available,
            safe,
            history.memory_coverage,
        )
