"""Fields that somebody protected with a reason: on the object, on its namespace, or in the policy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from fnmatch import fnmatchcase
from typing import NamedTuple

from estimators.change import Cluster, Protection, Side, WorkloadChange
from estimators.objects import Body, Identity, ManifestObject, Path, dig, dotted, string_map
from estimators.report import Finding, Severity
from estimators.rules.words import finding
from estimators.workload import Autoscaler, Container, Resources

PROTECT = "tuppence.dev/protect"
FIELDS = f"{PROTECT}-fields"
UNTIL = f"{PROTECT}-until"

_KNOWN = frozenset({"requests", "limits", "replicas", "autoscaling", "cpu", "memory", "gpu"})


class _Touched(NamedTuple):
    """A changed field and the words that protect it."""

    path: Path
    tags: frozenset[str]
    autoscaler: Autoscaler | None = None
    """The object the path is in, where it is not the workload."""


def protected(change: WorkloadChange) -> Iterator[Finding]:
    """`protected`: changes requests, limits, replicas or autoscaling that are protected at the base.

    An annotation on the object, on its namespace or on its autoscaler (the autoscaling, where it names
    no fields), or the policy, protects. A protection whose
    day has passed does not; a day or a field that cannot be read protects all, for good. Taking an
    annotation away, or changing its fields or its day, is reported too.
    """
    before = change.before
    if before is None:
        return
    protections = [*_by_annotation(before), *_in_policy(before.workload.identity, change.cluster)]
    if not protections:
        return
    touched = list(_touched(change, before))
    for protection in protections:
        if protection.until is not None and change.cluster.today > protection.until:
            continue
        hit = [item for item in touched if _covers(protection.fields, item.tags)]
        if hit:
            yield _finding(change, protection, hit)
    if change.after is not None:
        yield from _weakened(change, before, change.after)


def in_force(thing: ManifestObject, namespace: Body, cluster: Cluster) -> Iterator[Protection]:
    """What protects an object that is no workload, whatever fields it names: the object is to be or to go."""
    for protection in (*_on_object(thing, namespace), *_in_policy(thing.identity, cluster)):
        if protection.until is None or cluster.today <= protection.until:
            yield protection


def _by_annotation(side: Side) -> Iterator[Protection]:
    yield from _on_object(side.workload.object, side.namespace_body)
    scaler = side.autoscaler.object.annotations if side.autoscaler else {}
    if PROTECT in scaler:
        fields = _fields(scaler) or ("autoscaling",)
        yield Protection(
            str(side.workload.identity),
            scaler[PROTECT],
            fields,
            _until(scaler),
            "its autoscaler's annotation",
        )


def _on_object(thing: ManifestObject, namespace: Body) -> Iterator[Protection]:
    above = string_map(dig(namespace, "metadata", "annotations"))
    for notes, source in ((thing.annotations, "its annotation"), (above, "its namespace")):
        if PROTECT in notes:
            yield Protection(str(thing.identity), notes[PROTECT], _fields(notes), _until(notes), source)


def _fields(notes: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(word for word in notes.get(FIELDS, "").replace(",", " ").split())


def _until(notes: Mapping[str, str]) -> date | None:
    try:
        return date.fromisoformat(notes.get(UNTIL, "").strip())
    except ValueError:
        return None


def _in_policy(identity: Identity, cluster: Cluster) -> Iterator[Protection]:
    name = f"{identity.namespace}/{identity.name}"
    for protection in cluster.protections:
        if fnmatchcase(name, protection.workload):
            yield protection


def _covers(fields: tuple[str, ...], tags: frozenset[str]) -> bool:
    """Whether one of the words protects a field. `limits.memory` needs both words to fit.

    A word nobody knows protects everything: a typing error must not open the door.
    """
    if not fields:
        return True
    for field in fields:
        words = set(field.casefold().removeprefix("resources.").split("."))
        if not words <= _KNOWN or words <= tags:
            return True
    return False


def _touched(change: WorkloadChange, before: Side) -> Iterator[_Touched]:
    """The declared fields that a protection may cover and that are not what they were."""
    after = change.after
    if after is None:
        yield _Touched(("metadata", "name"), _KNOWN)
        return
    old = _containers(before)
    for key, container in _containers(after).items():
        yield from _in_container(old.pop(key, None), container)
    for container in old.values():
        yield _Touched(container.path, _KNOWN - {"replicas", "autoscaling"})
    counts = {group.name: (group.replicas, group.least, group.most) for group in before.workload.groups}
    for group in after.workload.groups:
        if counts.get(group.name) != (group.replicas, group.least, group.most):
            yield _Touched(group.replicas_path, frozenset({"replicas"}))
        earlier = next((item.template for item in before.workload.groups if item.name == group.name), None)
        if earlier:
            now = group.template
            yield from _in_resources(earlier.pod_requests, now.pod_requests, now.path, "requests")
            yield from _in_resources(earlier.pod_limits, now.pod_limits, now.path, "limits")
    if _scaling(before.autoscaler) != _scaling(after.autoscaler):
        path = ("spec",) if after.autoscaler else _count_path(after)
        yield _Touched(path, frozenset({"autoscaling", "replicas"}), after.autoscaler)


def _containers(side: Side) -> dict[tuple[str, str], Container]:
    return {
        (group.name, item.name): item
        for group in side.workload.groups
        for item in (*group.template.containers, *group.template.init_containers)
    }


def _in_container(old: Container | None, new: Container) -> Iterator[_Touched]:
    if old is None:
        return
    yield from _in_resources(old.requests, new.requests, new.path, "requests")
    yield from _in_resources(old.limits, new.limits, new.path, "limits")


def _in_resources(old: Resources, new: Resources, path: Path, part: str) -> Iterator[_Touched]:
    if old == new:
        return
    for name in sorted({*old, *new}):
        if old.get(name) != new.get(name):
            resource = "gpu" if "/" in name else name
            yield _Touched((*path, "resources", part, name), frozenset({part, resource}))


def _scaling(scaler: Autoscaler | None) -> object:
    """All that decides the count."""
    if scaler is None:
        return None
    bounds = scaler.least, scaler.most, scaler.idle
    return bounds, scaler.cooldown_seconds, scaler.metrics, scaler.up, scaler.down


def _count_path(side: Side) -> Path:
    return side.workload.groups[0].replicas_path


def _finding(change: WorkloadChange, protection: Protection, hit: list[_Touched]) -> Finding:
    first = hit[0]
    reason = " ".join(protection.reason.split()) or "no reason given"
    what = "removes a protected workload" if change.after is None else "changes a protected field"
    return finding(
        change,
        "protected",
        Severity.RISKY,
        f"{what}: {reason}",
        first.path,
        thing=first.autoscaler.object if first.autoscaler else None,
        evidence={
            "reason": reason,
            "protected by": protection.source or "the policy",
            "fields": ", ".join(dotted(item.path) for item in hit),
            **({"until": protection.until.isoformat()} if protection.until else {}),
        },
    )


def _weakened(change: WorkloadChange, before: Side, after: Side) -> Iterator[Finding]:
    """An object's own protection taken away, or its fields or day changed."""
    pairs = [(before.workload.object, after.workload.object, "its annotation")]
    if before.autoscaler and after.autoscaler:  # One that goes is a change of what is protected.
        pairs.append((before.autoscaler.object, after.autoscaler.object, "its autoscaler's annotation"))
    for thing, left, source in pairs:
        old, new = thing.annotations, left.annotations
        until = _until(old)
        if PROTECT not in old or (until is not None and change.cluster.today > until):
            continue
        gone = PROTECT not in new
        if not gone and all(old.get(key) == new.get(key) for key in (FIELDS, UNTIL)):
            continue
        reason = " ".join(old[PROTECT].split()) or "no reason given"
        yield finding(
            change,
            "protected",
            Severity.RISKY,
            f"{'takes the protection away' if gone else 'changes what is protected'}: {reason}",
            ("metadata", "annotations", PROTECT),
            thing=left,
            evidence={"reason": reason, "protected by": source},
        )
