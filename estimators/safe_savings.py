"""What the safe value of a finding would still save a month, against what the pods ask for now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from decimal import Decimal

from estimators.change import WorkloadChange
from estimators.money import CENT, ZERO, to_cents
from estimators.objects import dotted
from estimators.quantity import GIB, parse_quantity
from estimators.report import CostLine, Finding
from estimators.rules.containers import ContainerChange, asked, containers

SAVES = "saves"
"""The key of a finding's evidence that holds the amount, such as `13.92 USD`."""

_UNITS = {"cpu": Decimal(1), "memory": GIB}
"""What `estimators.cost` prices by the hour, and the quantity that one unit of its lines is."""


def with_savings(change: WorkloadChange, findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """The findings, with `saves` in the evidence of those whose safe value is below the old request.

    It is (old request - safe value) x expected pods x hours x rate, for a request and for a limit
    that stands in for one. Nothing is claimed where the pod's request does not follow the
    container's (pod-level resources, a larger init container), or where an autoscaler would answer
    a smaller request with more pods.
    """
    places = {dotted(item.path(part, resource)): (item, resource) for item, part, resource in _priced(change)}
    return tuple(_with_saving(change, found, *places.get(found.path, (None, ""))) for found in findings)


def _priced(change: WorkloadChange) -> Iterator[tuple[ContainerChange, str, str]]:
    """Container, `requests` or `limits`, and resource of the fields that decide what is charged."""
    if change.before is None:
        return
    for item in containers(change):
        for resource in _UNITS:
            if _follows(change, item, resource):
                stands_in = resource not in item.container.requests and resource in item.container.limits
                yield item, "limits" if stands_in else "requests", resource


def _follows(change: WorkloadChange, item: ContainerChange, resource: str) -> bool:
    """Whether a smaller request of the container makes the pod cheaper by as much."""
    before, after = change.before, change.after
    if before is None or after is None:
        return False
    if after.autoscaler and any(metric.name == resource for metric in after.autoscaler.metrics):
        return False
    group = item.group.name
    old, new = before.pod_request.get(group), after.pod_request.get(group)
    if old is None or new is None:
        return False
    alike = [other for other in containers(change) if other.group is item.group]
    moved = sum(
        (asked(other.requests, resource) - asked(other.old_requests, resource) for other in alike), ZERO
    )
    return moved != 0 and moved == asked(new, resource) - asked(old, resource)


def _with_saving(
    change: WorkloadChange, found: Finding, item: ContainerChange | None, resource: str
) -> Finding:
    line = _line(change, item, resource) if item and found.safe_value else None
    if item is None or line is None or not line.per_pod:
        return found
    less = (asked(item.old_requests, resource) - parse_quantity(found.safe_value)) / _UNITS[resource]
    pods = line.quantity.expected / line.per_pod
    saved = to_cents(less * pods * change.cluster.hours_per_month * line.price)
    if saved < CENT:
        return found
    return replace(found, evidence={**found.evidence, SAVES: f"{saved} {change.cluster.prices.currency}"})


def _line(change: WorkloadChange, item: ContainerChange, resource: str) -> CostLine | None:
    """The line of the arithmetic that charges the container's group for the resource."""
    estimate = change.after.estimate if change.after else None
    lines = estimate.lines if estimate else ()
    return next((line for line in lines if (line.group, line.label) == (item.group.name, resource)), None)
