"""What containers run with, against what is declared: a saving begins at the values that pods really have.

They differ where a change was not applied yet, somebody changed the cluster by hand, or something
changes pods as they are admitted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from estimators.objects import Body, Identity, dig, mapping
from estimators.quantity import quantity_or_none
from estimators.recommendation import FieldChange
from estimators.usage import ContainerField, RunningValues, WorkloadKey
from estimators.workload import Container, Workload

_SAME = Decimal("0.01")
"""Kubernetes rounds CPU up to thousandths of a core, and Prometheus keeps floating-point numbers."""
_LEAST = Decimal("0.001")
_COUNTS = frozenset({("spec", "replicas"), ("spec", "minReplicas"), ("spec", "maxReplicas")})
_BY_RUNS = frozenset({"Job", "CronJob"})
"""Their pods are those of the last run, however the next will be."""


@dataclass(frozen=True, slots=True)
class RunningNow:
    """Values of containers, and live objects that say how many pods there are to be, in manifest shape."""

    values: RunningValues = field(default_factory=dict)
    objects: tuple[Body, ...] = ()


def other_than_declared(
    workload: Workload, key: WorkloadKey, running: RunningValues
) -> tuple[ContainerField, Decimal, Decimal] | None:
    """The first field that no pod has as declared, with what is declared and the highest that runs.

    None where every declared value runs somewhere, or what runs is not known.
    """
    found = running.get(key)
    if not found or key.kind in _BY_RUNS:
        return None
    for group in workload.groups:
        for container in group.template.containers:
            for of, declared in _declared(container):
                seen = found.get(of)
                if seen and _none_is(declared, seen):
                    return of, declared, max(seen)
    return None


def changed_since(changes: Iterable[FieldChange], now: RunningNow) -> Iterator[tuple[FieldChange, Decimal]]:
    """The changes whose current value is not what runs any more, each with what does.

    A value that was not there, or is not a number, is not judged, nor what is not known to run.
    """
    for change in changes:
        current, seen = quantity_or_none(change.current), _seen(change, now)
        if current is not None and seen and _none_is(current, seen):
            yield change, max(seen)


def _declared(container: Container) -> Iterator[tuple[ContainerField, Decimal]]:
    for part, values in (("requests", container.requests), ("limits", container.limits)):
        for resource, amount in values.items():
            yield ContainerField(container.name, part, resource), amount


def _seen(change: FieldChange, now: RunningNow) -> frozenset[Decimal]:
    if (of := _field_of(change)) is not None:
        return now.values.get(_key_of(change.object), {}).get(of, frozenset())
    if change.path not in _COUNTS:
        return frozenset()
    counts = [quantity_or_none(dig(body, *change.path)) for body in now.objects if _is(body, change.object)]
    return frozenset(count for count in counts if count is not None)


def _field_of(change: FieldChange) -> ContainerField | None:
    path = change.path
    if len(path) < 3 or path[-3] != "resources" or not change.container:
        return None
    return ContainerField(change.container, str(path[-2]), str(path[-1]))


def _key_of(identity: Identity) -> WorkloadKey:
    return WorkloadKey(identity.namespace, identity.kind, identity.name)


def _is(body: Body, identity: Identity) -> bool:
    metadata = mapping(body.get("metadata"))
    return (metadata.get("namespace"), body.get("kind"), metadata.get("name")) == identity[1:]


def _none_is(wanted: Decimal, seen: frozenset[Decimal]) -> bool:
    return all(abs(one - wanted) > max(wanted * _SAME, _LEAST) for one in seen)
