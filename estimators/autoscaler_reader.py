"""HorizontalPodAutoscaler v1 to v2, KEDA ScaledObject and VerticalPodAutoscaler -> one shape."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal

from estimators.objects import Body, ManifestObject, Path, dig, mapping, sequence, text
from estimators.pod_reader import read_count, read_quantity, read_resources
from estimators.workload import (
    Autoscaler,
    MetricType,
    Problem,
    Resources,
    ScalingMetric,
    ScalingPolicy,
    ScalingRules,
    TargetType,
    VerticalAutoscaler,
)

DEFAULT_CPU_TARGET = Decimal(80)
"""Percent; what the HPA controller uses when no metric is given."""
_SCALE_DOWN = ScalingRules(stabilization_seconds=300)
_SCALE_UP = ScalingRules(stabilization_seconds=0)
_RESOURCE_KEYS = {
    MetricType.RESOURCE: "resource",
    MetricType.CONTAINER: "containerResource",
    MetricType.PODS: "pods",
    MetricType.OBJECT: "object",
    MetricType.EXTERNAL: "external",
}
_THRESHOLDS = (
    *("threshold", "thresholdValue", "lagThreshold", "msgBacklogThreshold", "unprocessedEventThreshold"),
    *("queueLength", "targetQueueSize", "queueDepth", "listLength", "messageCount", "pendingEntriesCount"),
    *("targetValue", "targetMetricValue", "targetQueryValue", "queryValue", "value"),
)
"""What KEDA's scalers call the target of one pod in a trigger's metadata (keda.sh, scalers)."""


def read_horizontal(thing: ManifestObject) -> Autoscaler | None:
    """A HorizontalPodAutoscaler of any version, None where it names no target."""
    spec = mapping(thing.body.get("spec"))
    kind, name = _target(spec)
    if not name:
        return None
    problems: list[Problem] = []
    least = read_count(spec.get("minReplicas"), ("spec", "minReplicas"), problems)
    most = read_count(spec.get("maxReplicas"), ("spec", "maxReplicas"), problems)
    least = Decimal(1) if least is None else least
    behavior = mapping(spec.get("behavior"))
    return Autoscaler(
        object=thing,
        target_kind=kind,
        target_name=name,
        least=least,
        most=max(least, Decimal(1)) if most is None else most,
        metrics=tuple(_metrics(spec, problems)),
        up=_rules(behavior.get("scaleUp"), _SCALE_UP),
        down=_rules(behavior.get("scaleDown"), _SCALE_DOWN),
        problems=tuple(problems),
    )


def read_scaled_object(thing: ManifestObject) -> Autoscaler | None:
    """A KEDA ScaledObject. CPU and memory triggers become resource metrics, all others external ones.

    Bounds: minReplicaCount (absent: 0), maxReplicaCount (absent: 100), cooldownPeriod (absent: 300 s).
    A trigger's target is per pod unless `metricType` says otherwise.
    """
    spec = mapping(thing.body.get("spec"))
    kind, name = _target(spec)
    if not name:
        return None
    problems: list[Problem] = []
    least = read_count(spec.get("minReplicaCount"), ("spec", "minReplicaCount"), problems)
    most = read_count(spec.get("maxReplicaCount"), ("spec", "maxReplicaCount"), problems)
    cooldown = read_count(spec.get("cooldownPeriod"), ("spec", "cooldownPeriod"), problems)
    behavior = mapping(dig(spec, "advanced", "horizontalPodAutoscalerConfig", "behavior"))
    return Autoscaler(
        object=thing,
        target_kind=kind or "Deployment",
        target_name=name,
        least=least or Decimal(0),
        most=Decimal(100) if most is None else most,
        metrics=tuple(_triggers(spec, problems)),
        up=_rules(behavior.get("scaleUp"), _SCALE_UP),
        down=_rules(behavior.get("scaleDown"), _SCALE_DOWN),
        event_driven=True,
        idle=read_count(spec.get("idleReplicaCount"), ("spec", "idleReplicaCount"), problems),
        cooldown_seconds=300 if cooldown is None else int(cooldown),
        problems=tuple(problems),
    )


def read_vertical(thing: ManifestObject) -> VerticalAutoscaler | None:
    """A VerticalPodAutoscaler with its mode and, on a live object, its recommendation."""
    spec = mapping(thing.body.get("spec"))
    target = mapping(spec.get("targetRef"))
    if not text(target.get("name")):
        return None
    targets: dict[str, Resources] = {}
    for item in sequence(dig(thing.body, "status", "recommendation", "containerRecommendations")):
        name = text(mapping(item).get("containerName"))
        targets[name] = read_resources(mapping(item).get("target"), ("status",), [])
    mode = text(dig(spec, "updatePolicy", "updateMode"))
    policies = [mapping(item) for item in sequence(dig(spec, "resourcePolicy", "containerPolicies"))]
    return VerticalAutoscaler(
        object=thing,
        target_kind=text(target.get("kind")),
        target_name=text(target.get("name")),
        mode=mode or "Recreate",
        targets=targets,
        requests_only={
            text(item.get("containerName")): item.get("controlledValues") == "RequestsOnly"
            for item in policies
        },
    )


def _target(spec: Body) -> tuple[str, str]:
    target = mapping(spec.get("scaleTargetRef"))
    return text(target.get("kind")), text(target.get("name"))


def _metrics(spec: Body, problems: list[Problem]) -> Iterable[ScalingMetric]:
    legacy = spec.get("targetCPUUtilizationPercentage")
    if legacy is not None:
        percent = read_count(legacy, ("spec", "targetCPUUtilizationPercentage"), problems)
        if percent:
            yield _cpu_target(percent)
        return
    listed = sequence(spec.get("metrics"))
    for index, item in enumerate(listed):
        metric = _metric(mapping(item), ("spec", "metrics", index), problems)
        if metric is not None:
            yield metric
    if not listed:
        yield _cpu_target(DEFAULT_CPU_TARGET)


def _cpu_target(percent: Decimal) -> ScalingMetric:
    return ScalingMetric(MetricType.RESOURCE, "cpu", TargetType.UTILIZATION, percent)


def _metric(item: Body, path: Path, problems: list[Problem]) -> ScalingMetric | None:
    kind = next((known for known in MetricType if known.value == item.get("type")), None)
    if kind is None:
        problems.append(Problem((*path, "type"), f"{str(item.get('type'))[:40]!r} is not a metric type"))
        return None
    key = _RESOURCE_KEYS[kind]
    source = mapping(item.get(key))
    name = text(source.get("name")) or text(dig(source, "metric", "name")) or text(source.get("metricName"))
    at = (*path, key)
    target = mapping(source.get("target")) or _before_v2beta2(source)
    for field_name, target_type in (
        ("averageUtilization", TargetType.UTILIZATION),
        ("averageValue", TargetType.AVERAGE_VALUE),
        ("value", TargetType.VALUE),
    ):
        if target.get(field_name) is not None:
            amount = read_quantity(target[field_name], (*at, "target", field_name), problems)
            if not amount:
                return None
            terms = _terms(
                {"of": source.get("describedObject"), "selector": dig(source, "metric", "selector")}
            )
            return ScalingMetric(kind, name, target_type, amount, text(source.get("container")), terms)
    problems.append(Problem((*at, "target"), "no averageUtilization, averageValue or value"))
    return None


def _before_v2beta2(source: Body) -> Mapping[str, object]:
    """The flat fields of autoscaling/v2beta1."""
    return {
        "averageUtilization": source.get("targetAverageUtilization"),
        "averageValue": source.get("targetAverageValue"),
        "value": source.get("targetValue"),
    }


def _triggers(spec: Body, problems: list[Problem]) -> Iterable[ScalingMetric]:
    for index, item in enumerate(sequence(spec.get("triggers"))):
        trigger = mapping(item)
        kind, metadata = text(trigger.get("type")), mapping(trigger.get("metadata"))
        path: Path = ("spec", "triggers", index)
        if kind in {"cpu", "memory"}:
            written = text(trigger.get("metricType")) or text(metadata.get("type")) or "Utilization"
            amount = read_quantity(metadata.get("value"), (*path, "metadata", "value"), problems)
            if amount:
                target = TargetType.UTILIZATION if written == "Utilization" else TargetType.AVERAGE_VALUE
                container = text(metadata.get("containerName"))
                metric_type = MetricType.CONTAINER if container else MetricType.RESOURCE
                yield ScalingMetric(metric_type, kind, target, amount, container)
        elif kind:
            name = text(trigger.get("name")) or f"s{index}-{kind}"
            yield _external(name, metadata, per_pod=trigger.get("metricType") != "Value")


def _external(name: str, metadata: Body, *, per_pod: bool) -> ScalingMetric:
    """A trigger of a scaler of KEDA's. One whose target cannot be read is compared as a whole."""
    key = next((key for key in _THRESHOLDS if metadata.get(key) is not None), "")
    target = read_quantity(metadata[key], (), []) if key else None
    if not target:
        return ScalingMetric(MetricType.EXTERNAL, name, TargetType.VALUE, Decimal(1), terms=_terms(metadata))
    kind = TargetType.AVERAGE_VALUE if per_pod else TargetType.VALUE
    return ScalingMetric(MetricType.EXTERNAL, name, kind, target, terms=_terms(metadata, key))


def _terms(source: Body, *without: str) -> str:
    """What a metric asks for besides its target, as text to compare; `""` for nothing."""
    asked = sorted((str(key), repr(value)) for key, value in source.items() if value and key not in without)
    return repr(asked) if asked else ""


def _rules(value: object, default: ScalingRules) -> ScalingRules:
    here = mapping(value)
    if not here:
        return default
    window = here.get("stabilizationWindowSeconds")
    tolerance = here.get("tolerance")
    unread: list[Problem] = []
    allowed = read_quantity(tolerance, (), unread) if tolerance is not None else None
    return ScalingRules(
        stabilization_seconds=window
        if isinstance(window, int) and window >= 0
        else default.stabilization_seconds,
        policies=tuple(
            ScalingPolicy(text(item.get("type")), Decimal(item["value"]), int(item["periodSeconds"]))
            for item in map(mapping, sequence(here.get("policies")))
            if isinstance(item.get("value"), int) and isinstance(item.get("periodSeconds"), int)
        ),
        select=text(here.get("selectPolicy")) or "Max",
        tolerance=default.tolerance if allowed is None else allowed,
    )
