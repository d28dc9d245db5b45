"""Whom it would hit: pods, their share of the namespace, what sends them traffic, their tier."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from functools import lru_cache

from estimators.change import WorkloadChange
from estimators.objects import dig, string_map
from estimators.rules.observed import Same
from estimators.rules.words import count_words
from estimators.usage import Series, UsageSnapshot, observed

TIER_LABELS = ("tier", "app.kubernetes.io/tier", "criticality", "priority")
_MOST_NAMED = 3


def blast_radius(change: WorkloadChange) -> str:
    """`4 of 31 pods in payments, behind Service api and Ingress shop, tier critical`.

    Pods are those last seen running, else those the manifest expects; parts nobody knows are left out.
    """
    parts = [_pods(change), _traffic(change), _tier(change)]
    return ", ".join(part for part in parts if part)


def _pods(change: WorkloadChange) -> str:
    # A manifest may leave the namespace to whoever applies it; the history knows where that was.
    namespace = change.side.workload.identity.namespace or (
        change.history.key.namespace if change.history else ""
    )
    where = f" in {namespace}" if namespace else ""
    running = _latest(change.history.replicas) if change.history else None
    if running is not None and change.cluster.usage:
        everything = _pods_by_namespace(Same(change.cluster.usage)).get(namespace, running)
        return f"{running:.0f} of {count_words(round(everything), 'pod')}{where}"
    side = change.before or change.after
    if side is None or side.estimate is None:
        return ""
    return f"{count_words(side.estimate.replicas.count.expected, 'pod')}{where}"


def _traffic(change: WorkloadChange) -> str:
    names = change.side.services
    if not names:
        return ""
    more = len(names) - _MOST_NAMED
    shown = (*names[:_MOST_NAMED], f"{more} more") if more > 0 else names
    return f"behind {' and '.join(filter(None, (', '.join(shown[:-1]), shown[-1])))}"


def _tier(change: WorkloadChange) -> str:
    side = change.side
    for labels in (
        side.workload.object.labels,
        *(group.template.labels for group in side.workload.groups),
        string_map(dig(side.namespace_body, "metadata", "labels")),
    ):
        for name in TIER_LABELS:
            if labels.get(name):
                return f"{name.rpartition('/')[2]} {labels[name]}"
    return ""


def _latest(replicas: Series) -> float | None:
    seen = observed(replicas)
    return float(seen[-1]) if seen.size else None


@lru_cache(maxsize=2)  # Every row of a cluster asks for the same sums.
def _pods_by_namespace(snapshot: Same[UsageSnapshot]) -> Mapping[str, float]:
    pods: dict[str, float] = defaultdict(float)
    for key, usage in snapshot.it.workloads.items():
        pods[key.namespace] += _latest(usage.replicas) or 0.0
    return pods
