"""What changed about a workload's autoscaler, in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from estimators.change import Side
from estimators.compared_field import compared, compared_leaves, shown_value
from estimators.objects import Body, ManifestObject, Path, dig, dotted, mapping, sequence, text
from estimators.report import FieldChange

_SCALED_OBJECT_FIELDS: Mapping[str, Path] = {
    "KEDA min": ("spec", "minReplicaCount"),
    "KEDA max": ("spec", "maxReplicaCount"),
    "KEDA idle": ("spec", "idleReplicaCount"),
    "KEDA cooldown": ("spec", "cooldownPeriod"),
}
_HPA_FIELDS: Mapping[str, Path] = {
    "HPA min": ("spec", "minReplicas"),
    "HPA max": ("spec", "maxReplicas"),
    "HPA CPU target": ("spec", "targetCPUUtilizationPercentage"),
}
_TARGETS: Mapping[Path, str] = {
    ("target", "averageUtilization"): " %",
    ("target", "averageValue"): "",
    ("target", "value"): "",
    ("targetAverageUtilization",): " %",
    ("targetAverageValue",): "",
    ("targetValue",): "",
}
"""Where the versions of the HPA have a metric's target, and its unit."""
_TERMS: Mapping[str, Path] = {"selector": ("metric", "selector"), "object": ("describedObject",)}
"""What else makes it another metric, below `spec.metrics[].<type>`."""


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
    if new.event_driven:
        yield from _trigger_changes(old.object, new.object)
        return
    yield from _metric_changes(old.object, new.object)
    yield from compared_leaves(
        "HPA behavior", (old.object, ("spec", "behavior")), (new.object, ("spec", "behavior"))
    )


def vertical_changes(before: Side, after: Side) -> Iterator[FieldChange]:
    """A VPA's mode, and the bounds it keeps the requests of a container in."""
    old, new = before.vertical, after.vertical
    if (old.mode if old else "") != (new.mode if new else ""):
        thing = (new or old).object  # type: ignore[union-attr]
        path: Path = ("spec", "updatePolicy", "updateMode")
        yield FieldChange(
            "VPA mode", old.mode if old else "", new.mode if new else "", dotted(path), thing.locate(path)
        )
    if old and new:
        was, now = _policies(old.object.body), _policies(new.object.body)
        for name in dict.fromkeys([*was, *now]):
            label = "VPA" if name == "*" else f"VPA {name}"
            yield from compared_leaves(
                label,
                (old.object, was[name]) if name in was else None,
                (new.object, now[name]) if name in now else None,
            )


def _policies(body: Body) -> Mapping[str, Path]:
    """Container name -> where its policy stands."""
    path: Path = ("spec", "resourcePolicy", "containerPolicies")
    listed = enumerate(sequence(dig(body, *path)))
    return {text(dig(item, "containerName")): (*path, index) for index, item in listed}


def _trigger_changes(old: ManifestObject, new: ManifestObject) -> Iterator[FieldChange]:
    was, now = _triggers(old.body), _triggers(new.body)
    for name in dict.fromkeys([*was, *now]):
        places = [
            (thing, found[name]) if name in found else None for thing, found in ((old, was), (new, now))
        ]
        yield from compared_leaves(f"KEDA {name}", *places)


def _triggers(body: Body) -> Mapping[str, Path]:
    """The name or type of each trigger -> where what it asks for stands."""
    found: dict[str, Path] = {}
    for index, item in enumerate(sequence(dig(body, "spec", "triggers"))):
        name = text(dig(item, "name")) or text(dig(item, "type"))
        found[f"{name} {index}" if name in found else name] = ("spec", "triggers", index, "metadata")
    return found


def _metric_changes(old: ManifestObject, new: ManifestObject) -> Iterator[FieldChange]:
    was, now = _metric_targets(old.body), _metric_targets(new.body)
    for name in dict.fromkeys([*was, *now]):
        words = [found[name][0] if name in found else "" for found in (was, now)]
        if words[0] != words[1]:
            thing, path = (new, now[name][1]) if name in now else (old, was[name][1])
            yield FieldChange(f"HPA {name} target", words[0], words[1], dotted(path), thing.locate(path))
        for label, tail in _TERMS.items() if name in was and name in now else ():
            places = [(item, (*found[name][1][:4], *tail)) for item, found in ((old, was), (new, now))]
            yield from compared_leaves(f"HPA {name} {label}", *places)


def _metric_targets(body: Body) -> Mapping[str, tuple[str, Path]]:
    """Metric name -> its target as text such as `70 %` or `500`, and where it stands."""
    found: dict[str, tuple[str, Path]] = {}
    for index, item in enumerate(sequence(dig(body, "spec", "metrics"))):
        for key, source in mapping(item).items():
            names = (dig(source, "name"), dig(source, "metric", "name"), dig(source, "metricName"))
            name = next(filter(None, map(text, names)), "")
            for tail, unit in _TARGETS.items():
                value = dig(source, *tail)
                if name and value is not None and name not in found:
                    path = ("spec", "metrics", index, str(key), *tail)
                    found[name] = (f"{shown_value(value)}{unit}", path)
    return found


def _bounds(body: Body) -> str:
    spec = mapping(body.get("spec"))
    least = spec.get("minReplicas", spec.get("minReplicaCount"))
    most = spec.get("maxReplicas", spec.get("maxReplicaCount"))
    return f"{shown_value(least) or 'default'} to {shown_value(most) or 'default'}"
