"""Rules about autoscalers: bounds the load does not fit in, and targets that cannot be computed."""

from __future__ import annotations

import math
from collections.abc import Iterator
from decimal import Decimal

import numpy as np

from estimators.change import Side, WorkloadChange
from estimators.money import ZERO
from estimators.objects import Path
from estimators.report import Finding, Severity
from estimators.rules.containers import asked, effective_name
from estimators.rules.observed import history_of
from estimators.rules.pods import fewest, only_group, replayed, scaled
from estimators.rules.words import (
    ADD_HISTORY,
    core_words,
    count_words,
    cpu_quantity,
    finding,
    memory_quantity,
    percent_words,
    size_words,
    tidy_cores,
    tidy_memory,
    window_words,
)
from estimators.usage import Series, observed
from estimators.workload import Autoscaler, MetricType, TargetType

CAUTION_ABOVE, RISKY_ABOVE = 0.01, 0.05
"""Shares of the window in which more pods are wanted than allowed. One 15-minute spell a day, after
which kubernetes-mixin alerts (KubeHpaMaxedOut), is 1 % of it."""
STEPS_TO_BE_SEEN = 2
"""A climb that was seen once may have been a rollout."""
_ROUNDING = 1e-9
"""So that 110 x 1.1 is 121 pods and not 122."""


def hpa_ceiling(change: WorkloadChange) -> Iterator[Finding]:
    """`hpa-ceiling`: the load asks for more pods than the maximum for over 1 % / 5 % of the window.

    Only where that share grows, or the part of the pods it asks for that it does not get: who stands at
    the maximum all the time is not safe from a lower one. Without a simulation the observed pods stand in
    for the demand.
    """
    after, before = change.after, change.before
    if after is None or after.autoscaler is None or not scaled(after):
        return
    wanted = _wanted(change, after)
    if wanted is None or not wanted.size:
        return
    most = after.autoscaler.most
    share = _share_above(wanted, most)
    if share <= CAUTION_ABOVE or (before is not None and not _worse(change, before, wanted, most)):
        return
    yield finding(
        change,
        "hpa-ceiling",
        Severity.RISKY if share > RISKY_ABOVE else Severity.CAUTION,
        f"it wants more than {count_words(most, 'pod')} for {percent_words(share)} of the time",
        maximum(after.autoscaler),
        thing=after.autoscaler.object,
        evidence={
            "wanted at the most": count_words(float(wanted.max()), "pod"),
            "above the maximum": f"{percent_words(share)} of the time",
            "counted from": "the simulated autoscaler" if replayed(after) else "the pods that ran",
            "window": window_words(change, wanted.size / _steps(change)),
        },
        safe_value=str(max(_safe_most(wanted), int(after.autoscaler.least))),
    )


def _wanted(change: WorkloadChange, side: Side) -> Series | None:
    if simulation := replayed(side):
        return observed(simulation.wanted)
    return observed(change.history.replicas) if change.history else None


def _share_above(wanted: Series, most: Decimal) -> float:
    return float(np.count_nonzero(wanted > float(most))) / wanted.size if wanted.size else 0.0


def _worse(change: WorkloadChange, before: Side, wanted: Series, most: Decimal) -> bool:
    """Whether more is denied than before the change; what nothing scaled never wanted more."""
    old = _wanted(change, before) if before.autoscaler and scaled(before) else None
    if old is None or before.autoscaler is None:
        return True
    was = before.autoscaler.most
    denied = _denied(wanted, most) - _denied(old, was)
    return denied > CAUTION_ABOVE or _share_above(wanted, most) > _share_above(old, was)


def _denied(wanted: Series, most: Decimal) -> float:
    """The share of all the pods asked for that are above the maximum."""
    asked_for = float(wanted.sum())
    return float(np.maximum(wanted - float(most), 0).sum()) / asked_for if asked_for else 0.0


def _safe_most(wanted: Series) -> int:
    """The least maximum that is exceeded for no more than 1 % of the steps."""
    return math.ceil(float(np.sort(wanted)[-1 - wanted.size // 100]))


def _steps(change: WorkloadChange) -> int:
    return max(change.history.replicas.size, 1) if change.history else 1


def hpa_floor(change: WorkloadChange) -> Iterator[Finding]:
    """`hpa-floor`: the fewest pods fall below 2, or below what the load climbs to within a scale-up.

    A scale-up takes metrics, sync and pod start: one step of the history. Until then the pods of
    one step carry the demand of the next, and they can up to 100 % of their requests.
    """
    after, before = change.after, change.before
    if after is None or before is None or after.autoscaler is None or not scaled(after):
        return
    least, old = fewest(after), fewest(before)
    if least is None or old is None or least >= old:
        return
    simulated = replayed(after) is not None
    climb = _floor_that_holds(after, int(least))
    if least >= 2 and (climb is None or climb <= least):
        return
    if least < 2:
        safe = max(2, _floor_that_holds(after, 2) or 2)
        message = f"the fewest pods fall from {old} to {least}: nothing is left when one of them goes"
    else:
        safe = climb or 0
        message = f"a minimum of {count_words(least, 'pod')} cannot carry the climbs seen; {safe} can"
    yield finding(
        change,
        "hpa-floor",
        Severity.RISKY,
        message,
        minimum(after.autoscaler),
        thing=after.autoscaler.object,
        evidence={
            "old minimum": str(old),
            "new minimum": str(least),
            **({"carries every climb": count_words(safe, "pod")} if simulated else {}),
            **({"window": window_words(change)} if simulated else {}),
        },
        safe_value=str(safe) if safe <= after.autoscaler.most else "",
        how_to_know="" if simulated else ADD_HISTORY,
    )


def _floor_that_holds(side: Side, least: int) -> int | None:
    """The first minimum from `least` up that carries what is wanted one step later.

    None where nothing was simulated, or no metric says how much more than its target a pod can do.
    """
    percents = [
        float(item.target) / 100
        for item in (side.autoscaler.metrics if side.autoscaler else ())
        if item.target_type is TargetType.UTILIZATION
    ]
    simulation = replayed(side)
    if simulation is None or not percents:
        return None
    pods = simulation.pods[:-1]
    # At 100 % of its request a pod carries 1 / target of what the target allows it.
    needed = np.ceil(simulation.wanted[1:] * max(percents) - _ROUNDING)
    floors = [least, *np.unique(needed[needed > least])]
    return next(int(floor) for floor in floors if not _overrun(pods, needed, float(floor)))


def _overrun(pods: Series, needed: Series, floor: float) -> bool:
    """Whether pods that stand at the floor meet too much load, more than once."""
    return int(np.count_nonzero((pods <= floor) & (needed > floor))) >= STEPS_TO_BE_SEEN


def hpa_cannot_scale(change: WorkloadChange) -> Iterator[Finding]:
    """`hpa-cannot-scale`: a container lacks the request a utilisation target divides by, or min = max."""
    after = change.after
    if after is None or after.autoscaler is None or not scaled(after):
        return
    before = change.before if change.before and scaled(change.before) else None
    known = set(_lacking(before)) if before else set()
    for (name, resource), path in _lacking(after).items():
        if (name, resource) not in known:
            yield _lacking_request(change, name, resource, path)
    scaler = after.autoscaler
    if scaler.least < scaler.most or (
        before and before.autoscaler and before.autoscaler.least >= before.autoscaler.most
    ):
        return
    yield finding(
        change,
        "hpa-cannot-scale",
        Severity.RISKY,
        f"minimum and maximum are both {scaler.most}: the autoscaler has nothing to do"
        if scaler.least == scaler.most
        else f"minimum {scaler.least} is above maximum {scaler.most}: the API server refuses it",
        maximum(scaler),
        thing=scaler.object,
        evidence={"minimum": str(scaler.least), "maximum": str(scaler.most)},
        safe_value=str(scaler.least + 1),
    )


def _lacking(side: Side) -> dict[tuple[str, str], Path]:
    """(container, resource) without a request that a utilisation target needs -> where it would stand."""
    found: dict[tuple[str, str], Path] = {}
    for metric in side.autoscaler.metrics if side.autoscaler else ():
        if metric.target_type is not TargetType.UTILIZATION:
            continue
        for group in side.workload.groups:
            if metric.type is MetricType.RESOURCE and group.template.pod_level.get(metric.name):
                continue
            for container in group.template.running:
                one = metric.type is not MetricType.CONTAINER or container.name == metric.container
                requests = side.requests.get(effective_name(side, group, container), {})
                if one and not asked(requests, metric.name):
                    path = (*container.path, "resources", "requests", metric.name)
                    found[container.name, metric.name] = path
    return found


def _lacking_request(change: WorkloadChange, name: str, resource: str, path: Path) -> Finding:
    history = history_of(change, name)
    seen, safe = "", ""
    if history and resource == "cpu" and history.cpu_p95 is not None:
        seen, safe = f"p95 {core_words(history.cpu_p95)}", cpu_quantity(tidy_cores(history.cpu_p95))
    elif history and resource == "memory" and history.memory_peak is not None:
        peak = history.memory_peak
        seen, safe = f"peak {size_words(peak)}", memory_quantity(tidy_memory(peak))
    return finding(
        change,
        "hpa-cannot-scale",
        Severity.RISKY,
        f"a container without a {resource} request: the autoscaler cannot compute its target",
        path,
        evidence={"container": name, **({"used": seen, "window": window_words(change)} if seen else {})},
        safe_value=safe,
        how_to_know="" if seen else ADD_HISTORY,
    )


def replicas_with_hpa(change: WorkloadChange) -> Iterator[Finding]:
    """`replicas-with-hpa`: `replicas` set where an autoscaler owns the count, or taken out (once back to 1).

    Kubernetes "Migrating Deployments and StatefulSets to horizontal autoscaling".
    """
    after, before = change.after, change.before
    group = only_group(after) if after else None
    if after is None or group is None or after.autoscaler is None or group.replicas == ZERO:
        return
    old_group = only_group(before) if before else None
    old = old_group.replicas if old_group else None
    if group.replicas is not None:
        if before and before.autoscaler and old == group.replicas:
            return
        message = f"replicas beside an autoscaler: each apply sets the count back to {group.replicas}"
    elif old is not None and before and (before.autoscaler or old > 1):
        message = "taking replicas out sets the count to 1 once, before the autoscaler adds pods"
    else:
        return
    yield finding(
        change,
        "replicas-with-hpa",
        Severity.CAUTION,
        message,
        group.replicas_path,
        evidence={
            "old replicas": "not set" if old is None else str(old),
            "new replicas": "not set" if group.replicas is None else str(group.replicas),
            "autoscaler": str(after.autoscaler.object.identity),
        },
    )


def minimum(scaler: Autoscaler) -> Path:
    """The field of the lower bound."""
    return ("spec", "minReplicaCount" if scaler.event_driven else "minReplicas")


def maximum(scaler: Autoscaler) -> Path:
    """The field of the upper bound."""
    return ("spec", "maxReplicaCount" if scaler.event_driven else "maxReplicas")
