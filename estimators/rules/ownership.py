"""Rules about who pays."""

from __future__ import annotations

from collections.abc import Iterator

from estimators.change import Side, WorkloadChange
from estimators.objects import dig, string_map
from estimators.report import Finding, Severity
from estimators.rules.words import finding

OWNER_LABELS = frozenset(
    {
        "team",
        "owner",
        "app",
        "k8s-app",
        "environment",
        "env",
        "department",
        "product",
        "app.kubernetes.io/name",
        "app.kubernetes.io/instance",
        "app.kubernetes.io/part-of",
    }
)
"""Labels costs are allocated by: OpenCost's and Kubecost's defaults, and Kubernetes' recommended ones."""


def unowned(change: WorkloadChange) -> Iterator[Finding]:
    """`unowned`: no label says whose it is, neither on the workload, its pods nor its namespace."""
    after = change.after
    if after is None or _owned(after) or (change.before and not _owned(change.before)):
        return
    yield finding(
        change,
        "unowned",
        Severity.INFO,
        'no team, app or environment label: its cost lands in "unallocated"',
        ("metadata", "labels"),
    )


def _owned(side: Side) -> bool:
    thing = side.workload.object
    return (
        not OWNER_LABELS.isdisjoint(thing.labels)
        or any(not OWNER_LABELS.isdisjoint(group.template.labels) for group in side.workload.groups)
        or not OWNER_LABELS.isdisjoint(string_map(dig(side.namespace_body, "metadata", "labels")))
    )
