"""What changed on a workload that costs or may break something, in words."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from estimators.autoscaler_changes import autoscaler_changes, vertical_changes
from estimators.change import Side
from estimators.compared_field import Place, changed_field, compared, shown_value, value_at
from estimators.kinds import found_by_shape
from estimators.objects import Path, Source, dig, mapping
from estimators.report import FieldChange
from estimators.uptime import PATH as UPTIME
from estimators.workload import Container, DisruptionBudget, PodGroup

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
    "concurrency": ("spec", "concurrencyPolicy"),
}


def field_changes(before: Side, after: Side) -> tuple[FieldChange, ...]:
    """Every cost- or risk-relevant field that differs, in the order people would list them."""
    return (
        *_group_changes(before, after),
        *autoscaler_changes(before, after),
        *_other_changes(before, after),
    )


def _group_changes(before: Side, after: Side) -> Iterator[FieldChange]:
    old_groups = {group.name: group for group in before.workload.groups}
    new_groups = {group.name: group for group in after.workload.groups}
    names = list(dict.fromkeys([*old_groups, *new_groups]))
    shown = _short(names) if found_by_shape(after.workload) else {}
    for name in names:
        old, new = old_groups.get(name), new_groups.get(name)
        prefix = f"{shown.get(name, name)} " if len(old_groups) + len(new_groups) > 2 and name else ""
        if old is None or new is None:
            yield changed_field(
                f"{prefix}pods", _group_place(before, old), _group_place(after, new), whole=True
            )
            continue
        for label, path, old_path in _replica_fields(old, new):
            yield from compared(f"{prefix}{label}", _at(before, old_path), _at(after, path))
        yield from _container_changes(prefix, (before, old), (after, new))
        yield from _pod_changes(prefix, (before, old), (after, new))
        yield from _affinity_and_pod_resources(prefix, (before, old), (after, new))


def _short(names: Sequence[str]) -> Mapping[str, str]:
    """The last telling step of each path that leads to a group, where it leads to one alone.

    `engine.worker.spec` is `worker`, `pools.0` is `pools 0`.
    """
    short = {}
    for name in names:
        steps = [step for step in name.split(".") if step != "spec"]
        numbers = steps[-1:] if steps and steps[-1].isdecimal() else []
        short[name] = " ".join([*steps[: len(steps) - len(numbers)][-1:], *numbers])
    times = Counter(short.values())
    return {name: found for name, found in short.items() if found and times[found] == 1}


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
            yield changed_field(
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
                    word_for = label + (resource if "/" in resource else f"{resource} {word}")
                    places = _at(old[0], was.path), _at(new[0], now.path)
                    yield _amount_change(word_for, kind, resource, *places)


def _amount_change(label: str, kind: str, resource: str, old: Place, new: Place) -> FieldChange:
    """What one container asks for; Kubernetes takes the limit for a request that is not written."""
    found = changed_field(
        label, *((thing, (*path, "resources", kind, resource)) for thing, path in (old, new))
    )
    if kind == "limits":
        return found
    in_force = []
    for thing, path in (old, new):
        limit = shown_value(value_at((thing, (*path, "resources", "limits", resource))))
        in_force.append(f"{limit} (its limit)" if limit else "")
    return replace(found, old=found.old or in_force[0], new=found.new or in_force[1])


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
        if (was.get(key) or None) != (now.get(key) or None):
            paths = [(*group.template.path, key) for _, group in (old, new)]
            yield from compared(prefix + label, _at(old[0], paths[0]), _at(new[0], paths[1]))


def _affinity_and_pod_resources(
    prefix: str, old: tuple[Side, PodGroup], new: tuple[Side, PodGroup]
) -> Iterator[FieldChange]:
    was, now = old[1].template, new[1].template
    if was.placement.affinity != now.placement.affinity:
        tail = ("affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution")
        yield changed_field(
            f"{prefix}node affinity",
            _at(old[0], (*was.path, *tail)),
            _at(new[0], (*now.path, *tail)),
            whole=True,
        )
    if (was.pod_requests, was.pod_limits) != (now.pod_requests, now.pod_limits):
        for kind, word in (("requests", "request"), ("limits", "limit")):
            for resource in ("cpu", "memory"):
                tail = ("resources", kind, resource)
                yield from compared(
                    f"{prefix}pod {resource} {word}",
                    _at(old[0], (*was.path, *tail)),
                    _at(new[0], (*now.path, *tail)),
                )


def _other_changes(before: Side, after: Side) -> Iterator[FieldChange]:
    yield from vertical_changes(before, after)
    if any(side.estimate and side.estimate.replicas.source == "schedule" for side in (before, after)):
        yield from compared("hours it runs", _at(before, UPTIME), _at(after, UPTIME))
    if before.workload.job and after.workload.job:
        parent: Path = ("spec", "jobTemplate", "spec") if after.workload.job.schedule else ("spec",)
        for label, tail in _OBJECT_FIELDS.items():
            path = (*parent, *tail)
            yield from compared(label, _at(before, path), _at(after, path))
        for label, path in _CRON_FIELDS.items():
            yield from compared(label, _at(before, path), _at(after, path))
    yield from _claim_changes(before, after)
    yield from _budget_changes(before.budgets, after.budgets)


def _claim_changes(before: Side, after: Side) -> Iterator[FieldChange]:
    was = {item.name: item for item in before.workload.claims}
    now = {item.name: item for item in after.workload.claims}
    for name in dict.fromkeys([*was, *now]):
        old, new = was.get(name), now.get(name)
        if (old.size if old else None) != (new.size if new else None):
            yield changed_field(
                f"volume {name}",
                _at(before, old.path) if old else None,
                _at(after, new.path) if new else None,
            )
        elif old and new and old.storage_class != new.storage_class:
            paths = [(*item.path[:-3], "storageClassName") for item in (old, new)]
            yield changed_field(f"volume {name} class", _at(before, paths[0]), _at(after, paths[1]))


def _budget_changes(
    old: Iterable[DisruptionBudget], new: Iterable[DisruptionBudget]
) -> Iterator[FieldChange]:
    was = {item.object.identity.name: item.object for item in old}
    now = {item.object.identity.name: item.object for item in new}
    for name in dict.fromkeys([*was, *now]):
        for label, key in (("PDB min available", "minAvailable"), ("PDB max unavailable", "maxUnavailable")):
            places = [(known[name], ("spec", key)) if name in known else None for known in (was, now)]
            yield from compared(label, *places)


def _group_place(side: Side, group: PodGroup | None) -> Place | None:
    return _at(side, group.template.path) if group else None


def _at(side: Side, path: Path) -> Place:
    return side.workload.object, path


def first_source(changes: Iterable[FieldChange], default: Source) -> Source:
    """Where a reader should look first: the first changed field that stands in a file."""
    return next((item.source for item in changes if item.source.file), default)
