"""Requests and limits of containers that ask for more than they ever used, or for too little memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from estimators.finders.candidate import Candidate, Proposal, new_value
from estimators.finders.declared_heap import Heap, declared_heap
from estimators.finders.growth import growth_a_day
from estimators.finders.present_pods import PodUse, pod_use
from estimators.money import ZERO
from estimators.objects import Body, dig, mapping
from estimators.quantity import MIB, parse_quantity
from estimators.recommendation import FieldChange, LeftAlone, Reason
from estimators.rules.cpu import THROTTLED
from estimators.rules.memory import OOM_EXTRA, OOM_FACTOR
from estimators.rules.observed import ContainerHistory
from estimators.rules.words import (
    core_words,
    count_words,
    cpu_quantity,
    memory_quantity,
    percent_words,
    size_words,
    tidy_cores,
    tidy_memory,
)
from estimators.usage import observed
from estimators.workload import Container, MetricType

FINDER = "container-resources"
WORTH = Decimal("0.9")
"""A value above this share of the current one is left: a change has a price of its own (a rollout)."""
LEAST_ROOM = 32 * MIB
"""Over the peak of a small container: a probe's process, a shell or a burst of logs is no share of it."""
LEAST_CPU = Decimal("0.01")
"""10m, the smallest request KRR and Kubecost propose."""
BURSTS = 0.01
"""Share of periods throttled from which on bursts within the steps are known to run into a CPU limit."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """One container: what it asks for and what its history says."""

    candidate: Candidate
    container: Container
    use: PodUse

    @property
    def history(self) -> ContainerHistory:
        """As it was measured."""
        return self.use.seen

    @property
    def body(self) -> Body:
        """The container as the manifest has it."""
        return mapping(dig(self.candidate.workload.object.body, *self.container.path))

    def asked(self, resource: str) -> Decimal | None:
        """The request in force: an absent one is filled from the limit."""
        return self.container.requests.get(resource, self.container.limits.get(resource))

    def change(self, part: str, resource: str, proposed: Decimal) -> FieldChange:
        path = (*self.container.path, "resources", part, resource)
        words = _QUANTITY[resource](proposed)
        return new_value(self.candidate.workload.object, path, words, container=self.container.name)

    def limit_falls(self, resource: str) -> bool:
        """Whether a lower request takes a limit with it that equals it, or that stands in for it."""
        request, limit = self.container.requests.get(resource), self.container.limits.get(resource)
        return limit is not None and (request is None or limit == request)

    def allowed(self, resource: str, needed: Decimal) -> Decimal:
        """The least from what is needed up that the namespace's LimitRange takes."""
        bounds = self.candidate.side.limit_range
        limit = self.candidate.side.limits.get(self.container.name, {}).get(resource)
        ratio = bounds.most_ratio.get(resource)
        apart = limit / ratio if limit and ratio and not self.limit_falls(resource) else ZERO
        return max(needed, bounds.least.get(resource, ZERO), apart)

    def lowered(self, resource: str, needed: Decimal) -> Iterator[FieldChange]:
        """The request, and a limit that goes with it: pods stay as sure of what they get."""
        if resource in self.container.requests:
            yield self.change("requests", resource, needed)
        if self.limit_falls(resource):
            yield self.change("limits", resource, needed)


_Answer = tuple[list[FieldChange], dict[str, str], LeftAlone | None, bool]
"""Changes, evidence, what is left alone instead, and whether reliability needs them."""
_QUANTITY: dict[str, Callable[[Decimal], str]] = {"cpu": cpu_quantity, "memory": memory_quantity}


def container_resources(candidate: Candidate) -> Iterator[Proposal | LeftAlone]:
    """CPU and memory of every container that runs for its pod's whole life.

    CPU follows a percentile of one pod's use and memory its peak, both with the profile's margin and
    never below what was seen at any time of the window, so that weekly peaks and start-ups count in
    full. Memory is not lowered after an OOM kill or while it grows, CPU not while it is throttled or
    an autoscaler divides by it.
    """
    workload = candidate.workload
    if workload.problems:
        return
    template = workload.groups[0].template
    changes: list[FieldChange] = []
    evidence: dict[str, str] = {}
    needed = False
    for container in template.running:
        use = pod_use(candidate, container.name)
        if use is None:
            continue
        seen = _Seen(candidate, container, use)
        prefix = f"{container.name} " if len(template.running) > 1 else ""
        for resource, judge in (("cpu", _cpu), ("memory", _memory)):
            if resource in template.pod_requests or resource in template.pod_limits:
                continue
            found, facts, left, must = judge(seen)
            if left:
                yield left
            if found:
                changes += found
                evidence |= {prefix + key: value for key, value in facts.items()}
                needed = needed or must
    if changes and (mode := candidate.resized_by):
        yield candidate.left(FINDER, Reason.VERTICAL_AUTOSCALER, mode=mode)
    elif changes:
        yield Proposal(
            FINDER,
            candidate,
            tuple(changes),
            {**evidence, "profile": candidate.profile.name},
            risks=tuple(_risks(candidate, changes)),
            undo="Put the values back; the pods are replaced once more.",
            needed=needed,
        )


def _cpu(seen: _Seen) -> _Answer:
    asked, history, profile = seen.asked("cpu"), seen.history, seen.candidate.profile
    usual, peak = seen.use.cpu(profile.cpu_percentile), seen.use.cpu_peak
    if asked is None or usual is None or peak is None:
        return [], {}, None, False
    needed = max(usual * profile.cpu_margin, peak, LEAST_CPU)
    if seen.limit_falls("cpu"):
        # Nothing gets more than its limit: not in a burst within a step, not when another pod is gone.
        needed = max(needed, peak * profile.cpu_margin, seen.use.cpu_with_one_gone or ZERO)
    needed = seen.allowed("cpu", tidy_cores(needed))
    if needed > asked * WORTH:
        return [], {}, None, False
    if left := _cpu_left_alone(seen):
        return [], {}, left, False
    facts = {
        f"CPU p{profile.cpu_percentile}": f"{core_words(usual)} a pod",
        "CPU peak": f"{core_words(peak)} a pod, {seen.candidate.moment(history.cpu_series)}",
        "CPU window": seen.candidate.window(history.cpu_coverage),
        **_as_if(seen),
    }
    return list(seen.lowered("cpu", needed)), facts, None, False


def _as_if(seen: _Seen) -> dict[str, str]:
    """That fewer pods carry the load now than did."""
    more = seen.use.more_ran
    if more is None:
        return {}
    return {"pods": f"counted as if {seen.use.pods:g} had shared what up to {more:g} carried"}


def _cpu_left_alone(seen: _Seen) -> LeftAlone | None:
    name = seen.container.name
    if _divides("cpu", seen.candidate):
        return seen.candidate.left(FINDER, Reason.AUTOSCALER, resource="cpu", container=name)
    if seen.history.throttled > (BURSTS if seen.limit_falls("cpu") else THROTTLED):
        share = percent_words(seen.history.throttled)
        return seen.candidate.left(FINDER, Reason.THROTTLED, container=name, periods=share)
    return None


def _divides(resource: str, candidate: Candidate) -> bool:
    """Whether an autoscaler acts on the use of the resource: replicas x request then follows the load."""
    scaler = candidate.side.autoscaler
    types = {MetricType.RESOURCE, MetricType.CONTAINER}
    metrics = scaler.metrics if scaler else ()
    return any(item.type in types and item.name == resource for item in metrics)


def _memory(seen: _Seen) -> _Answer:
    asked, history, candidate = seen.asked("memory"), seen.history, seen.candidate
    peak = seen.use.memory_peak
    if asked is None or peak is None:
        return [], {}, None, False
    facts = {
        "memory peak": f"{size_words(peak)}, {candidate.moment(history.memory_series)}",
        "memory window": candidate.window(history.memory_coverage),
        **_as_if(seen),
    }
    kills = history.kills(None)
    if kills:
        facts["OOM kills"] = str(kills)
        if raised := list(_raised(seen, peak)):
            return raised, facts, None, True
    margin, heap = candidate.profile.memory_margin, declared_heap(seen.body)
    needed = max(peak * margin, peak + LEAST_ROOM)
    if seen.limit_falls("memory"):
        needed = max(needed, (heap.size or ZERO) * margin)
    needed = seen.allowed("memory", tidy_memory(needed))
    if needed > asked * WORTH:
        return [], {}, None, False
    if left := _memory_left_alone(seen, kills, heap):
        return [], {}, left, False
    return list(seen.lowered("memory", needed)), facts, None, False


def _memory_left_alone(seen: _Seen, kills: int, heap: Heap) -> LeftAlone | None:
    candidate, name = seen.candidate, seen.container.name
    if _divides("memory", candidate):
        return candidate.left(FINDER, Reason.AUTOSCALER, resource="memory", container=name)
    if kills:
        words = count_words(kills, "OOM kill")
        return candidate.left(FINDER, Reason.OOM_KILLED, container=name, kills=words)
    if heap.follows and seen.limit_falls("memory"):
        why = "its Java heap is a share of its limit: less of one is less of the other"
        return candidate.left(FINDER, Reason.RISKY, container=name, why=why)
    growth = growth_a_day(seen.history.memory_series, candidate.usage.window.step_seconds)
    if growth is not None:
        return candidate.left(FINDER, Reason.MEMORY_GROWS, container=name, a_day=size_words(growth))
    return None


def _raised(seen: _Seen, peak: Decimal) -> Iterator[FieldChange]:
    """More memory after an OOM kill in the window, as the VerticalPodAutoscaler bumps it up.

    Only where the limit is what the peak ran into: one that leaves this much room already was raised
    after the kill.
    """
    limit, request = seen.container.limits.get("memory"), seen.container.requests.get("memory")
    recent = seen.history.kills(seen.candidate.usage.window)
    if limit is None or not recent or _bumped(peak) <= limit or _divides("memory", seen.candidate):
        return
    raised = tidy_memory(_bumped(max(peak, limit)))
    yield seen.change("limits", "memory", raised)
    if request == limit:
        yield seen.change("requests", "memory", raised)


def _bumped(size: Decimal) -> Decimal:
    return max(size * OOM_FACTOR, size + OOM_EXTRA)


def _limit_is_lower(change: FieldChange) -> bool:
    is_limit = change.path[-2] == "limits" and change.current
    return bool(is_limit) and parse_quantity(change.proposed) < parse_quantity(change.current)


def _loses_whole_cores(change: FieldChange) -> bool:
    """Whether a limit of whole cores becomes one that is not."""
    whole = _limit_is_lower(change) and change.path[-1] == "cpu" and parse_quantity(change.current) % 1 == 0
    return whole and parse_quantity(change.proposed) % 1 != 0


def _risks(candidate: Candidate, changes: list[FieldChange]) -> Iterator[str]:
    """What no number here rules out."""
    replicas = observed(candidate.history.replicas)
    if not np.any(np.diff(replicas) > 0):
        yield "No pod was seen to be added in the window: a start may need more than was measured."
    resources = {str(item.path[-1]) for item in changes}
    if "memory" in resources:
        yield "A load larger than any in the window may be OOM-killed or evicted."
    body = candidate.workload.object.body
    if any(dig(body, "spec", name, "type") == "OnDelete" for name in ("updateStrategy", "strategy")):
        yield "Its pods are replaced only when somebody deletes them: until then nothing is saved."
    if any(map(_loses_whole_cores, changes)):
        yield "Where the kubelet gives whole cores to it alone (static policy), it then shares them."
    if any(map(_limit_is_lower, changes)):
        yield "What sizes its heap or its threads by the limit (JVM, Go, .NET) makes them smaller."
    if "cpu" in resources:
        yield "On a busy node a pod gets no more CPU than it requests."
