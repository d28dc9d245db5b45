"""What live history says about what a change touches, in a few words."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from estimators.change import WorkloadChange
from estimators.rules.containers import ContainerChange, containers
from estimators.rules.observed import ContainerHistory, window_of
from estimators.rules.pods import fewest, most, scaled
from estimators.rules.removal import goes_away, total_cpu
from estimators.rules.words import core_words, count_words, percent_words, size_words
from estimators.usage import observed, percentile

_MOST_PARTS = 4


def seen(change: WorkloadChange) -> str:
    """`peak 683 MiB, 2 OOM kills`, `p95 0.81 cores`, `8.2 pods on average, at max 3 % of the time`.

    `""` where there is no history of what changed.
    """
    if change.history is None:
        return ""
    if change.before is not None and goes_away(change):
        parts = list(_of_the_whole(change))
    else:
        parts = [*_of_containers(change), *_of_gpus(change), *_of_pods(change)]
    return ", ".join(parts[:_MOST_PARTS])


def _of_the_whole(change: WorkloadChange) -> Iterator[str]:
    p95 = percentile(total_cpu(change.history), 95) if change.history else None
    if p95 is not None:
        yield f"p95 {core_words(p95)}"
    yield from _pods_on_average(change)


def _of_containers(change: WorkloadChange) -> Iterator[str]:
    touched = [(item, history) for item in containers(change) if item.touched and (history := item.history)]
    for item, history in touched:
        facts = list(_facts(change, item, history))
        if facts and len(touched) > 1:
            facts[0] = f"{item.container.name}: {facts[0]}"
        yield from facts


def _facts(change: WorkloadChange, item: ContainerChange, history: ContainerHistory) -> Iterator[str]:
    if _differs(item, "memory") and history.memory_peak is not None:
        yield f"peak {size_words(history.memory_peak)}"
        if kills := history.kills(window_of(change)):
            yield count_words(kills, "OOM kill")
    if _differs(item, "cpu") and history.cpu_p95 is not None:
        yield f"p95 {core_words(history.cpu_p95)}"
        if history.throttled >= 0.01:
            yield f"throttled {percent_words(history.throttled)}"


def _differs(item: ContainerChange, resource: str) -> bool:
    return item.requests.get(resource) != item.old_requests.get(resource) or item.limits.get(
        resource
    ) != item.old_limits.get(resource)


def _of_gpus(change: WorkloadChange) -> Iterator[str]:
    gpu = change.history.gpu if change.history else None
    window = window_of(change)
    if gpu is None or window is None or not any(_gpu_differs(item) for item in containers(change)):
        return
    busy = observed(gpu.busy_ratio)
    if busy.size:
        yield f"busy {percent_words(float(busy.mean()))} of {count_words(window.days, 'day')}"


def _gpu_differs(item: ContainerChange) -> bool:
    names = {*item.limits, *item.old_limits}
    return any("/" in name and item.limits.get(name) != item.old_limits.get(name) for name in names)


def _of_pods(change: WorkloadChange) -> Iterator[str]:
    before, after = change.before, change.after
    if before is None or after is None:
        return
    same = (fewest(before), most(before)) == (fewest(after), most(after))
    if same and _targets(change, after=False) == _targets(change, after=True):
        return
    yield from _pods_on_average(change)


def _targets(change: WorkloadChange, *, after: bool) -> object:
    side = change.after if after else change.before
    return side.autoscaler.metrics if side and side.autoscaler else ()


def _pods_on_average(change: WorkloadChange) -> Iterator[str]:
    replicas = observed(change.history.replicas) if change.history else np.empty(0)
    if not replicas.size:
        return
    yield f"{count_words(float(replicas.mean()), 'pod')} on average"
    before = change.before
    if before and before.autoscaler and scaled(before):
        at_most = float(np.count_nonzero(replicas >= float(before.autoscaler.most))) / replicas.size
        yield f"at max {percent_words(at_most)} of the time"
