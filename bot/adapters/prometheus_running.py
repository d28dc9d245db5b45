"""What pods have now of what is declared for them, in two requests or three for any number of workloads."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import Decimal

import numpy as np

from bot.adapters.prometheus_api import PrometheusApi, RangeSeries, is_kubernetes_name
from bot.adapters.prometheus_discovery import Layout
from bot.adapters.prometheus_facts import by_tag, container_place
from bot.adapters.prometheus_ksm_names import kubernetes_resource
from bot.adapters.prometheus_ksm_samples import exact
from bot.adapters.prometheus_owners import owner_vectors, pod_owners, with_replicasets
from bot.adapters.prometheus_queries import PREFIXES, Scope, any_of, tagged
from estimators.usage import ContainerField, RunningValues, WorkloadKey

_PARTS = {
    "requests": "kube_pod_container_resource_requests",
    "limits": "kube_pod_container_resource_limits",
}
_LATELY = 300
"""Seconds in which a pod's owner was told; Prometheus itself looks back as far for a value."""


def read_running(api: PrometheusApi, *, at: datetime, namespaces: Sequence[str] | None) -> RunningValues:
    """Requests and limits of the containers in `namespaces`, of all where None is given.

    Nothing where no namespace has a valid name, or kube-state-metrics tells nothing. Raises
    PrometheusUnavailable where there is no answer.
    """
    names = [name for name in namespaces or () if is_kubernetes_name(name)]
    if namespaces is not None and not names:
        return {}
    scope, layout = Scope.of(api, names), Layout(state=PREFIXES)
    vectors = [*_vectors(scope), *owner_vectors(scope, layout, _LATELY)]
    samples = api.instant(any_of(vectors), at=at)
    rows = by_tag(RangeSeries(one.labels, np.array([one.value])) for one in samples)
    owners = with_replicasets(api, scope, layout, pod_owners(rows), end=at, seconds=_LATELY)
    found: dict[WorkloadKey, dict[ContainerField, set[Decimal]]] = defaultdict(lambda: defaultdict(set))
    for part in _PARTS:
        for row in rows.get(part, ()):
            namespace, pod, container = container_place(row.labels)
            resource = kubernetes_resource(row.labels.get("resource", ""))
            key = owners.workload(namespace, pod, 0)
            found[key][ContainerField(container, part, resource)].add(exact(float(row.values[0])))
    return {key: {field: frozenset(seen) for field, seen in fields.items()} for key, fields in found.items()}


def _vectors(scope: Scope) -> Iterator[str]:
    for part, metric in _PARTS.items():
        for prefix in PREFIXES:
            labels = ", ".join((f"{prefix}namespace", f"{prefix}pod", f"{prefix}container", "resource"))
            yield tagged(part, f"max by ({labels}) ({scope.series(metric, prefix)})")
