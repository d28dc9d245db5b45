"""Whether an autoscaler may want fewer pods after a change, where it could not be replayed."""

from __future__ import annotations

from estimators.change import Side
from estimators.rules.containers import asked
from estimators.workload import Autoscaler, MetricType, ScalingMetric, TargetType


def may_want_fewer(before: Side, after: Side) -> bool:
    """Whether a target, a metric, the behaviour or a request changed such that it could."""
    if before.autoscaler is None or after.autoscaler is None:
        return False
    return _harder_to_scale(before.autoscaler, after.autoscaler) or _larger_divisor(before, after)


def _harder_to_scale(before: Autoscaler, after: Autoscaler) -> bool:
    """Whether a target rises, a metric goes or asks for something else, or the behaviour is another."""
    new = {_named(item): item for item in after.metrics}
    for old in before.metrics:
        now = new.get(_named(old))
        if now is None or now.target > old.target or now.terms != old.terms:
            return True
    return (before.up, before.down, before.cooldown_seconds) != (after.up, after.down, after.cooldown_seconds)


def _named(metric: ScalingMetric) -> tuple[str, ...]:
    return metric.type, metric.name, metric.container, metric.target_type


def _larger_divisor(before: Side, after: Side) -> bool:
    """Whether a request rises that a utilisation target divides by: the same load then wants fewer pods."""
    for metric in after.autoscaler.metrics if after.autoscaler else ():
        if metric.target_type is not TargetType.UTILIZATION:
            continue
        names = (metric.container,) if metric.type is MetricType.CONTAINER else after.requests
        old = sum(asked(before.requests.get(name, {}), metric.name) for name in names)
        new = sum(asked(after.requests.get(name, {}), metric.name) for name in names)
        pod_level = [
            sum(asked(group.template.pod_level, metric.name) for group in side.workload.groups)
            for side in (before, after)
        ]
        if new > old or pod_level[1] > pod_level[0]:
            return True
    return False
