"""What changed on a workload that costs or may break something, in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from estimators.change import Side
from estimators.objects import Body, ManifestObject, Path, Source, dig, dotted, mapping
from estimators.quantity import InvalidQuantityError, parse_quantity
from estimators.report import FieldChange
from estimators.workload import Container, DisruptionBudget, PodGroup

Place = tuple[ManifestObject, Path]
"""A field of an object."""

_POD_FIELDS = {
    "nodeSelector": "node selector",
    "tolerations": "tolerations",
    "nodeName": "node",
    "runtimeClassName": "runtime class",
    "priorityClassName": "priority class",
    "resourceClaims": "resource claims",
    "overhead": "pod overhead",
}
_OBJECT_FIELDS: Mapping[str, Path] = {
    "parallelism": ("parallelism",),
    "completions": ("completions",),
    "deadline": ("activeDeadlineSeconds",),
}
_CRON_FIELDS: Mapping[str, Path] = {
    "schedule": ("spec", "schedule"),
    "time zone": ("spec", "timeZone"),
    "suspend": ("spec", "suspend"),
}
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
_LONGEST = 60
"""Characters of a value that are worth showing in a table."""


def field_changes(before: Side, after: Side) -> tuple[FieldChange, ...]:
    """Every cost- or risk-relevant field that differs, in the order people would list them."""
    return (
        *_group_changes(before, after),
        *_autoscaler_changes(before, after),
        *_other_changes(before, after),
    )


def _group_changes(before: Side, after: Side) -> Iterator[FieldChange]:
    old_groups = {group.name: group for group in before.workload.groups}
    new_groups = {group.name: group for group in after.workload.groups}
    for name in dict.fromkeys([*old_groups, *new_groups]):
        old, new = old_groups.get(name), new_groups.get(name)
        prefix = f"{name} " if len(old_groups) + len(new_groups) > 2 and name else ""
        if old is None or new is None:
            yield _change(f"{prefix}pods", _group_place(before, old), _group_place(after, new), whole=True)
            continue
        for label, path, old_path in _replica_fields(old, new):
            yield from _compared(f"{prefix}{label}", _at(before, old_path), _at(after, path))
        yield from _container_changes(prefix, (before, old), (after, new))
        yield from _pod_changes(prefix, (before, old), (after, new))
        yield from _affinity_and_pod_resources(prefix, (before, old), (after, new))


def _replica_fields(old: PodGroup, new: PodGroup) -> Iterator[tuple[str, Path, Path]]:
    for label, key in (
        ("replicas", "replicas"),
        ("min replicas", "minReplicas"),
        ("max replicas", "maxReplicas"),
        ("hosts", "numOfHosts"),
    ):
        yield label, (*new.replicas_path[:-1], key), (*old.replicas_path[:-1], key)


def _container_changes(
    prefix: str, old: tuple[Side, PodGroup], new: tuple[Side, PodGroup]
) -> Iterator[FieldChange]:
    old_named, new_named = _containers(old[1]), _containers(new[1])
    several = len(new_named) > 1
    for name in dict.fromkeys([*old_named, *new_named]):
        was, now = old_named.get(name), new_named.get(name)
        if was is None or now is None:
            yield _change(
                f"{prefix}container {name}",
                (old[0].workload.object, was.path) if was else None,
                (new[0].workload.object, now.path) if now else None,
                whole=True,
            )
            continue
        if (was.requests, was.limits) == (now.requests, now.limits):
            continue
        label = f"{prefix}{name} " if several else prefix
        for kind, word, earlier, later in (
            ("requests", "request", was.requests, now.requests),
            ("limits", "limit", was.limits, now.limits),
        ):
            for resource in dict.fromkeys([*earlier, *later]):
                if earlier.get(resource) != later.get(resource) and not _stands_twice(kind, resource, now):
                    paths = [(*item.path, "resources", kind, resource) for item in (was, now)]
                    word_for = resource if "/" in resource else f"{resource} {word}"
                    yield _change(f"{label}{word_for}", _at(old[0], paths[0]), _at(new[0], paths[1]))


def _stands_twice(kind: str, resource: str, now: Container) -> bool:
    """A GPU's request must equal its limit; saying it once is enough."""
    return kind == "requests" and "/" in resource and resource in now.limits


def _containers(group: PodGroup) -> Mapping[str, Container]:
    return {item.name: item for item in (*group.template.containers, *group.template.init_containers)}


def _pod_changes(
    prefix: str, old: tuple[Side, PodGroup], new: tuple[Side, PodGroup]
) -> Iterator[FieldChange]:
    was, now = (mapping(dig(side.workload.object.body, *group.template.path)) for side, group in (old, new))
    for key, label in _POD_FIELDS.items():
        if was.get(key) != now.get(key):
            paths = [(*group.template.path, key) for _, group in (old, new)]
            yield from _compared(prefix + label, _at(old[0], paths[0]), _at(new[0], paths[1]))


def _affinity_and_pod_resources(
    prefix: str, old: tuple[Side, PodGroup], new: tuple[Side, PodGroup]
) -> Iterator[FieldChange]:
    was, now = old[1].template, new[1].template
    if was.placement.affinity != now.placement.affinity:
        tail = ("affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution")
        yield _change(
            f"{prefix}node affinity",
            _at(old[0], (*was.path, *tail)),
            _at(new[0], (*now.path, *tail)),
            whole=True,
        )
    if (was.pod_requests, was.pod_limits) != (now.pod_requests, now.pod_limits):
        for kind, word in (("requests", "request"), ("limits", "limit")):
            for resource in ("cpu", "memory"):
                tail = ("resources", kind, resource)
                yield from _compared(
                    f"{prefix}pod {resource} {word}",
                    _at(old[0], (*was.path, *tail)),
                    _at(new[0], (*now.path, *tail)),
                )


def _autoscaler_changes(before: Side, after: Side) -> Iterator[FieldChange]:
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
        yield from _compared(label, (old.object, path), (new.object, path))
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
                found[name] = f"{percent} %" if percent is not None else _text(value)
    return found


def _bounds(body: Body) -> str:
    spec = mapping(body.get("spec"))
    least = spec.get("minReplicas", spec.get("minReplicaCount"))
    most = spec.get("maxReplicas", spec.get("maxReplicaCount"))
    return f"{_text(least) or 'default'} to {_text(most) or 'default'}"


def _other_changes(before: Side, after: Side) -> Iterator[FieldChange]:
    if before.vertical or after.vertical:
        old, new = before.vertical, after.vertical
        if (old.mode if old else "") != (new.mode if new else ""):
            thing = (new or old).object  # type: ignore[union-attr]
            path: Path = ("spec", "updatePolicy", "updateMode")
            yield FieldChange(
                "VPA mode", old.mode if old else "", new.mode if new else "", dotted(path), thing.locate(path)
            )
    if before.workload.job and after.workload.job:
        parent: Path = ("spec", "jobTemplate", "spec") if after.workload.job.schedule else ("spec",)
        for label, tail in _OBJECT_FIELDS.items():
            path = (*parent, *tail)
            yield from _compared(label, _at(before, path), _at(after, path))
        for label, path in _CRON_FIELDS.items():
            yield from _compared(label, _at(before, path), _at(after, path))
    yield from _claim_changes(before, after)
    yield from _budget_changes(before.budgets, after.budgets)


def _claim_changes(before: Side, after: Side) -> Iterator[FieldChange]:
    was = {item.name: item for item in before.workload.claims}
    now = {item.name: item for item in after.workload.claims}
    for name in dict.fromkeys([*was, *now]):
        old, new = was.get(name), now.get(name)
        if (old.size if old else None) != (new.size if new else None):
            yield _change(
                f"volume {name}",
                _at(before, old.path) if old else None,
                _at(after, new.path) if new else None,
            )
        elif old and new and old.storage_class != new.storage_class:
            paths = [(*item.path[:-3], "storageClassName") for item in (old, new)]
            yield _change(f"volume {name} class", _at(before, paths[0]), _at(after, paths[1]))


def _budget_changes(
    old: Iterable[DisruptionBudget], new: Iterable[DisruptionBudget]
) -> Iterator[FieldChange]:
    was = {item.object.identity.name: item.object for item in old}
    now = {item.object.identity.name: item.object for item in new}
    for name in dict.fromkeys([*was, *now]):
        for label, key in (("PDB min available", "minAvailable"), ("PDB max unavailable", "maxUnavailable")):
            places = [(known[name], ("spec", key)) if name in known else None for known in (was, now)]
            yield from _compared(label, *places)


def _group_place(side: Side, group: PodGroup | None) -> Place | None:
    return _at(side, group.template.path) if group else None


def _at(side: Side, path: Path) -> Place:
    return side.workload.object, path


def _compared(label: str, old: Place | None, new: Place | None) -> Iterator[FieldChange]:
    """One change where the two values differ in meaning."""
    was, now = _value(old), _value(new)
    if was != now and not _same_quantity(was, now):
        yield _change(label, old, new)


def _value(place: Place | None) -> Any:  # noqa: ANN401 - YAML holds anything
    return dig(place[0].body, *place[1]) if place else None


def _same_quantity(was: object, now: object) -> bool:
    try:
        return parse_quantity(was) == parse_quantity(now)
    except InvalidQuantityError:
        return False


def _change(label: str, old: Place | None, new: Place | None, *, whole: bool = False) -> FieldChange:
    """The change of a field, or with `whole` of a part that is only said to be there."""
    place = new if new is not None and (_value(new) is not None or old is None) else old or new
    if place is None:
        raise ValueError(f"{label}: a change needs one side at least")
    was, now = (_present(old), _present(new)) if whole else (_text(_value(old)), _text(_value(new)))
    return FieldChange(label, was, now, dotted(place[1]), place[0].locate(place[1]))


def _present(place: Place | None) -> str:
    return "present" if place is not None and _value(place) is not None else ""


def _text(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, Mapping):
        value = ", ".join(
            f"{key}={item}" for key, item in value.items() if not isinstance(item, Mapping | list)
        )
    elif isinstance(value, list):
        value = f"{len(value)} entries"
    shown = str(value).lower() if isinstance(value, bool) else str(value)
    return shown if len(shown) <= _LONGEST else shown[: _LONGEST - 1] + "…"


def first_source(changes: Iterable[FieldChange], default: Source) -> Source:
    """Where a reader should look first: the first changed field that stands in a file."""
    return next((item.source for item in changes if item.source.file), default)
