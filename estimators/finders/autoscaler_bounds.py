"""Bounds and targets of autoscalers: fewer idle pods at night, a target with less air, room at the peak."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal

import numpy as np

from estimators.change import Simulation
from estimators.finders.candidate import Candidate, Proposal, new_value
from estimators.inventory import LIVE
from estimators.objects import Path, dig, mapping, sequence
from estimators.recommendation import FieldChange, LeftAlone, Reason
from estimators.replicas import replay
from estimators.rules.autoscaling import CAUTION_ABOVE, STEPS_TO_BE_SEEN, maximum, minimum
from estimators.rules.disruption import fewest_in_budget
from estimators.rules.memory import memory_room
from estimators.rules.pods import only_group, replayed, scaled
from estimators.rules.words import count_words, percent_words
from estimators.usage import coverage, observed, peak
from estimators.workload import Autoscaler, MetricType, ScalingMetric, TargetType

FINDER = "autoscaler-bounds"
TARGET_STEP = 5
"""Percent; a target is a round number."""
_FULL = 100.0
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True)
class _Scaler:
    """An autoscaler with one CPU utilisation target, and its replay over the history."""

    candidate: Candidate
    autoscaler: Autoscaler
    metric: ScalingMetric
    now: Simulation

    def replayed(self, target: int) -> Simulation:
        """What it would have done with another target and the lowest bound anybody would give it.

        A replay's count is the larger of what it wants and its bound (`estimators.hpa_simulation`), so
        that this one replay tells those of all bounds: see `_bounded`.
        """
        metric = replace(self.metric, target=Decimal(target))
        least = min(Decimal(self.candidate.profile.least_pods), self.autoscaler.least)
        other = replace(self.autoscaler, least=least, metrics=(metric,))
        candidate = self.candidate
        step = candidate.usage.window.step_seconds
        then = replay(other, candidate.pod, candidate.history, self.autoscaler, step)
        return then or self.now

    def holds(self, then: Simulation, target: int) -> bool:
        """Whether the pods of each step, each used to its full request, carry what the next step wants.

        What more than the maximum would have to carry is not held against a minimum or a target. The
        present bounds play no part, so that one change does not make room for the next.
        """
        needed = np.ceil(then.wanted[1:] * (target / _FULL) - _ROUNDING)
        short = (needed > then.pods[:-1]) & (needed <= float(self.autoscaler.most))
        return int(np.count_nonzero(short)) < STEPS_TO_BE_SEEN


def autoscaler_bounds(candidate: Candidate) -> Iterator[Proposal | LeftAlone]:
    """Minimum, maximum and CPU target of an autoscaler that the manifests declare.

    The target rises to the profile's, as far as the pods of each step still carry the next step's
    load within their requests; the minimum falls to what holds in the same sense, with the profile's
    spare pods and never below its least; the maximum rises where the load asked for more, and then
    nothing else changes: what pods do beyond it nobody has seen.
    """
    autoscaler = candidate.side.autoscaler
    if autoscaler is None or not scaled(candidate.side) or only_group(candidate.side) is None:
        return
    if autoscaler.least >= autoscaler.most:  # It has nothing to do, or the API server refuses it.
        return
    now = replayed(candidate.side)
    metric = _cpu_target(autoscaler)
    if now is None or metric is None or autoscaler.problems:
        return
    if why := "; ".join(filter(None, (*now.failed, now.doubt))):
        yield candidate.left(FINDER, Reason.NOT_COVERED, why=why)
        return
    scaler = _Scaler(candidate, autoscaler, metric, now)
    most = _most(scaler)
    target, least, then = (None, None, now) if most else _lowered(scaler)
    if target is None and least is None and most is None:
        return
    if left := _others_decide(candidate, autoscaler):
        yield left
        return
    yield Proposal(
        FINDER,
        candidate,
        tuple(_changes(scaler, target, least, most)),
        _evidence(scaler, then, most),
        risks=tuple(_risks(target, least)),
        undo="Put the values back; pods are added within minutes, none is restarted.",
        needed=most is not None,
    )


def _others_decide(candidate: Candidate, autoscaler: Autoscaler) -> LeftAlone | None:
    """That something resizes the pods in return, or that no manifest says what would have to change."""
    if mode := candidate.resized_by:
        return candidate.left(FINDER, Reason.VERTICAL_AUTOSCALER, mode=mode)
    if autoscaler.object.source == LIVE:
        return candidate.left(FINDER, Reason.AUTOSCALER, autoscaler=autoscaler.object.identity.name)
    return None


def _lowered(scaler: _Scaler) -> tuple[int | None, int | None, Simulation]:
    """The target and the minimum that save, None where the present ones stay, and the replay with them."""
    target, free = _target(scaler)
    least = _least(scaler, free, target or int(scaler.metric.target))
    return target, least, _bounded(free, int(scaler.autoscaler.least) if least is None else least)


def _cpu_target(autoscaler: Autoscaler) -> ScalingMetric | None:
    """The CPU utilisation target, None where there is none or something else decides as well."""
    metrics = autoscaler.metrics
    if autoscaler.event_driven or len(metrics) != 1 or metrics[0].name != "cpu":
        return None
    known = metrics[0].type in {MetricType.RESOURCE, MetricType.CONTAINER}
    return metrics[0] if known and metrics[0].target_type is TargetType.UTILIZATION else None


def _target(scaler: _Scaler) -> tuple[int | None, Simulation]:
    """The highest round target up to the profile's that holds, None where the present one is high enough.

    And the replay with it, or with the present one.
    """
    now = int(scaler.metric.target)
    limit = scaler.candidate.profile.target if _target_path(scaler) else now
    for target in range(limit, now + TARGET_STEP - 1, -TARGET_STEP):
        free = scaler.replayed(target)
        then = _bounded(free, int(scaler.autoscaler.least))
        if scaler.holds(then, target) and _memory_holds(scaler, then):
            return target, free
    return None, scaler.replayed(now)


def _memory_holds(scaler: _Scaler, simulation: Simulation) -> bool:
    """Whether fewer pods, of which each then holds more, have the memory for it."""
    candidate = scaler.candidate
    for name, requests in candidate.side.requests.items():
        history = candidate.container(name)
        if history is None or history.memory_peak is None:
            continue
        limits = candidate.side.limits.get(name, {})
        room, _ = memory_room(requests, limits, history.memory_peak)
        margin = candidate.profile.memory_margin if limits.get("memory") else 1
        if (peak(history.memory_shared_by(simulation.pods)) or 0.0) * float(margin) > float(room):
            return False
    return True


def _least(scaler: _Scaler, free: Simulation, target: int) -> int | None:
    """The lowest minimum that carries every climb, None where that is not below the present one."""
    profile, now = scaler.candidate.profile, int(scaler.autoscaler.least)
    for least in range(profile.least_pods, now - profile.spare_pods):
        if scaler.holds(_bounded(free, least), target):
            kept = fewest_in_budget(scaler.candidate.side, least + profile.spare_pods, now)
            if kept >= now:
                return None
            return kept if _memory_holds(scaler, _bounded(free, kept)) else None
    return None


def _bounded(free: Simulation, least: int) -> Simulation:
    return replace(free, pods=np.maximum(free.pods, least))


def _most(scaler: _Scaler) -> int | None:
    """A maximum that is exceeded for no more than 1 % of the time, None where the present one is that."""
    wanted = observed(scaler.now.wanted)
    above = np.count_nonzero(wanted > float(scaler.autoscaler.most)) / max(wanted.size, 1)
    if above <= CAUTION_ABOVE:
        return None
    return math.ceil(float(np.sort(wanted)[-1 - wanted.size // 100]))


def _changes(
    scaler: _Scaler, target: int | None, least: int | None, most: int | None
) -> Iterator[FieldChange]:
    thing = scaler.autoscaler.object
    path = _target_path(scaler)
    if target is not None and path is not None:
        yield new_value(thing, path, target)
    if least is not None:
        yield new_value(thing, minimum(scaler.autoscaler), least)
    if most is not None:
        yield new_value(thing, maximum(scaler.autoscaler), most)


def _target_path(scaler: _Scaler) -> Path | None:
    """Where the target stands: in `autoscaling/v2`, or as v1 has it. A default stands nowhere."""
    body = scaler.autoscaler.object.body
    if isinstance(dig(body, "spec", "targetCPUUtilizationPercentage"), int):
        return ("spec", "targetCPUUtilizationPercentage")
    for index, item in enumerate(map(mapping, sequence(dig(body, "spec", "metrics")))):
        key = "containerResource" if item.get("type") == MetricType.CONTAINER else "resource"
        if isinstance(dig(item, key, "target", "averageUtilization"), int):
            return ("spec", "metrics", index, key, "target", "averageUtilization")
    return None


def _evidence(scaler: _Scaler, then: Simulation, most: int | None) -> dict[str, str]:
    pods, wanted = observed(scaler.now.pods), observed(scaler.now.wanted)
    at_least = float(np.mean(pods <= float(scaler.autoscaler.least)))
    facts = {
        "now": f"{count_words(float(pods.mean()), 'pod')} on average",
        "then": f"{count_words(float(observed(then.pods).mean()), 'pod')} on average",
        "wanted at the most": count_words(float(wanted.max()), "pod"),
        "at the minimum": f"{percent_words(at_least)} of the time",
        "counted by": "replaying the autoscaler over the history",
        "window": scaler.candidate.window(coverage(scaler.now.wanted)),
        "profile": scaler.candidate.profile.name,
    }
    if most is not None:
        share = float(np.mean(wanted > float(scaler.autoscaler.most)))
        facts["above the maximum"] = f"{percent_words(share)} of the time"
    return facts


def _risks(target: int | None, least: int | None) -> Iterator[str]:
    if target is not None:
        yield "Pods run fuller: a climb steeper than any in the window meets less room."
    if least is not None:
        yield "A burst from rest is carried by fewer pods until new ones have started."
