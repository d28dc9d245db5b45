"""What each metric of an autoscaler demanded over the history, for the simulation."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from estimators.hpa_simulation import Demand
from estimators.pod_request import EffectivePod
from estimators.usage import Series, WorkloadUsage
from estimators.workload import Autoscaler, MetricType, ScalingMetric, TargetType

_LOW = {
    "memory": "memory targets are simulated from the largest pod's memory",
    "value": "a Value target does not tell its demand; the observed pod count stands in",
}


_LATELY = 12
"""Steps at the end of the history: an hour of the usual five minutes."""


@dataclass(slots=True)
class Demands:
    """The demands that can be computed, the metrics that cannot and why, and doubts.

    `unseen` is what `estimators.change.Simulation` has under that name.
    """

    known: list[Demand] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)


def demands_of(
    autoscaler: Autoscaler, pod: EffectivePod, history: WorkloadUsage, old: Autoscaler | None
) -> Demands:
    """Each metric's demand under `autoscaler` for pods of this size.

    `old` is the autoscaler that was in charge while the history was recorded: for a metric whose own
    values are not known, observed pods x its old target is what the pods carried.
    """
    found = Demands()
    for metric in autoscaler.metrics:
        if metric.type in {MetricType.RESOURCE, MetricType.CONTAINER}:
            _resource(metric, pod, history, found)
        else:
            before = _same(metric, old)
            if old and _asks_for_less(metric, before, old, autoscaler, history):
                found.unseen.append(metric.name)
            _custom(metric, history, before, found)
    return found


def _resource(metric: ScalingMetric, pod: EffectivePod, history: WorkloadUsage, found: Demands) -> None:
    total = _total(metric, history)
    if total is None:
        found.failed.append(f"{metric.name}: no usage of container {metric.container!r}")
        return
    if metric.name == "memory":
        found.doubts.append(_LOW["memory"])
    if metric.target_type is TargetType.AVERAGE_VALUE:
        found.known.append(Demand(total, float(metric.target)))
        return
    if metric.container:
        request = pod.requests.get(metric.container, {}).get(metric.name)
    else:
        without = [name for name, known in pod.requests.items() if not known.get(metric.name)]
        request = None if without and metric.name not in pod.pod_level else pod.running.get(metric.name)
    if not request:
        found.failed.append(f"{metric.name}: a container has no {metric.name} request")
        return
    if beside := "" if metric.container else _beside(pod, history):
        found.doubts.append(
            f"container {beside} runs beside those that are declared: its request is not known"
        )
    found.known.append(Demand(total, float(request), float(metric.target)))


def _beside(pod: EffectivePod, history: WorkloadUsage) -> str:
    """A container that admission puts into each pod, such as a mesh's proxy: the controller counts it too.

    One that was renamed, or is there no more, is none: then no more run than are declared.
    """
    running = [item.name for item in history.containers if not np.isnan(item.cpu_cores[-_LATELY:]).all()]
    others = [name for name in running if name not in pod.requests]
    return others[0] if others and len(running) > len(pod.requests) else ""


def _total(metric: ScalingMetric, history: WorkloadUsage) -> Series | None:
    """The resource's usage over all pods per step."""
    parts = [item for item in history.containers if metric.container in {"", item.name}]
    if not parts or metric.name not in {"cpu", "memory"}:
        return None
    if metric.name == "cpu":
        return _sum([item.cpu_cores for item in parts])
    return _sum([item.memory_peak_bytes for item in parts]) * history.replicas


def _sum(parts: list[Series]) -> Series:
    """The sum per step of what is known; NaN only where nothing is."""
    stacked = np.vstack(parts)
    added: Series = np.where(np.isnan(stacked).all(axis=0), np.nan, np.nansum(stacked, axis=0))
    return added


def _custom(
    metric: ScalingMetric, history: WorkloadUsage, before: ScalingMetric | None, found: Demands
) -> None:
    """Pods, Object and External metrics: they do not react to requests."""
    if metric.target_type is not TargetType.AVERAGE_VALUE:
        found.doubts.append(_LOW["value"])
        found.known.append(Demand(history.replicas, 1.0))
        return
    values = _known(metric, history)
    if values is not None:
        found.known.append(Demand(values * history.replicas, float(metric.target)))
        return
    found.doubts.append(f"no history of {metric.name}: observed pods x the old target stand in")
    target = before or metric
    found.known.append(Demand(history.replicas * float(target.target), float(metric.target)))


def _known(metric: ScalingMetric, history: WorkloadUsage) -> Series | None:
    """What the metric was per pod while the history was recorded, where that was kept."""
    values = history.autoscaler_metrics.get(metric.name)
    return values if values is not None and values.size == history.replicas.size else None


def _asks_for_less(
    metric: ScalingMetric,
    before: ScalingMetric | None,
    old: Autoscaler,
    new: Autoscaler,
    history: WorkloadUsage,
) -> bool:
    """Whether it may want fewer pods than the old autoscaler did, and no history tells how many."""
    if before is None:  # Beside all that were there it can only want more.
        return any(_same(item, new) is None for item in old.metrics)
    if metric.terms != before.terms:
        return True
    stands_in = metric.target_type is not TargetType.AVERAGE_VALUE or _known(metric, history) is None
    return stands_in and metric.target > before.target


def _same(metric: ScalingMetric, old: Autoscaler | None) -> ScalingMetric | None:
    """The metric of the old autoscaler with the same name and kind of target."""
    metrics = old.metrics if old else ()
    key = (metric.type, metric.name, metric.container, metric.target_type)
    return next(
        (item for item in metrics if (item.type, item.name, item.container, item.target_type) == key), None
    )
