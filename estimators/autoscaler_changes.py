"""What changed about a workload's autoscaler, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from estimators.change import Side
from estimators.compared_field import compared, shown_value
from estimators.objects import Body, ManifestObject, Path, dig, dotted, mapping
from estimators.report import FieldChange

_SCALED_OBJECT_FIELDS: Mapping[str, Path] = {
    "KEDA min": ("spec", "minReplicaCount"),
    "KEDA max": ("spec", "maxReplicaCount"),
    "KEDA idle": ("spec", "idleReplicaCount"),
    "KEDA cooldown": ("spec", "cooldownPeriod"),
    "KEDA triggers": ("spec", "triggers"),
}
_HPA_FIELDS: Mapping[str, Path] = {
    "HPA min": ("spec", "minReplicas"),
    "HPA max": ("spec", "maxReplicas"),
    "HPA CPU target": ("spec", "targetCPUUtilizationPercentage"),
    "HPA behavior": ("spec", "behavior"),
}


def autoscaler_changes(before: Side, after: Side) -> Iterator[FieldChange]:
    """Bounds, targets, triggers and behaviour; an autoscaler that comes or goes is one change."""
    old, new = before.autoscaler, after.autoscaler
    if old is None and new is None:
        return
    if old is None or new is None or old.event_driven != new.event_driven:
        label = "KEDA ScaledObject" if (new or old).event_driven else "HPA"  # type: ignore[union-attr]
        yield FieldChange(
            label,
            _bounds(old.object.body) if old else "",
            _bounds(new.object.body) if new else "",
            "spec",
            (new or old).object.source,  # type: ignore[union-attr]
        )
        return
    fields = _SCALED_OBJECT_FIELDS if new.event_driven else _HPA_FIELDS
    for label, path in fields.items():
        yield from compared(label, (old.object, path), (new.object, path))
    if not new.event_driven and old.metrics != new.metrics:
        yield from _metric_changes(old.object, new.object)


def _metric_changes(old: ManifestObject, new: ManifestObject) -> Iterator[FieldChange]:
    path: Path = ("spec", "metrics")
    was, now = _metrics_in_words(old.body), _metrics_in_words(new.body)
    for name in dict.fromkeys([*was, *now]):
        if was.get(name) != now.get(name):
            yield FieldChange(
                f"HPA {name} target", was.get(name, ""), now.get(name, ""), dotted(path), new.locate(path)
            )


def _metrics_in_words(body: Body) -> Mapping[str, str]:
    """Metric name -> target, as text such as `70 %` or `500`."""
    found = {}
    for item in dig(body, "spec", "metrics") or ():
        for key, source in mapping(item).items():
            target = mapping(dig(source, "target"))
            name = dig(source, "name") or dig(source, "metric", "name")
            if key != "type" and target and isinstance(name, str):
                percent = target.get("averageUtilization")
                value = target.get("averageValue", target.get("value"))
                found[name] = f"{percent} %" if percent is not None else shown_value(value)
    return found


def _bounds(body: Body) -> str:
    spec = mapping(body.get("spec"))
    least = spec.get("minReplicas", spec.get("minReplicaCount"))
    most = spec.get("maxReplicas", spec.get("maxReplicaCount"))
    return f"{shown_value(least) or 'default'} to {shown_value(most) or 'default'}"
