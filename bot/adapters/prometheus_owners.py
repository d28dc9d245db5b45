"""Which workload a pod belonged to: by its owner references, never by the look of its name."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from bot.adapters.prometheus_api import PrometheusApi, RangeSeries, Sample, is_kubernetes_name, matcher
from bot.adapters.prometheus_discovery import Layout
from bot.adapters.prometheus_queries import Scope, any_of, own_labels, tagged
from estimators.usage import WorkloadKey

POD_OWNERS, JOB_OWNERS, REPLICASET_OWNERS = "kube_pod_owner", "kube_job_owner", "kube_replicaset_owner"
CONTROLS = 'owner_is_controller!="false"'
MOST_NAMES = 300
"""More ReplicaSets than this are not named one by one in a query."""

_NO_OWNER = ("", "<none>", "Node")
"""kube-state-metrics before 2.8 writes `<none>`; a node owns its static pods."""

Named = tuple[str, str]
"""A namespace and a name, or a kind and a name."""


@dataclass(frozen=True, slots=True)
class Owners:
    """Owners of the pods of some days.

    `pods` has, per pod, each owner (kind, name) it had and on which of the days; `above` has the
    owner of a ReplicaSet or Job, keyed by kind, namespace and name.
    """

    pods: Mapping[Named, Sequence[tuple[NDArray[np.bool_], Named]]]
    above: Mapping[tuple[str, str, str], Named] = field(default_factory=dict)

    def direct(self, namespace: str, pod: str, day: int) -> Named:
        """Kind and name of what owned a pod itself on one of the days; empty where that is not known."""
        known = self.pods.get((namespace, pod), ())
        return next((owner for days, owner in known if days[day]), known[-1][1] if known else ("", ""))

    def workload(self, namespace: str, pod: str, day: int) -> WorkloadKey:
        """The workload of a pod on one of the days; the pod itself where nothing owns it."""
        return self.topmost(namespace, pod, self.direct(namespace, pod, day))

    def topmost(self, namespace: str, pod: str, owner: Named) -> WorkloadKey:
        """The workload of a pod whose own owner (kind, name) is known: a Deployment, not its ReplicaSet."""
        kind, name = self.above.get((owner[0], namespace, owner[1]), owner)
        if kind in _NO_OWNER:
            return WorkloadKey(namespace, "Pod", pod)
        return WorkloadKey(namespace, kind, name)


def owner_vectors(scope: Scope, layout: Layout, seconds: int) -> Iterable[str]:
    """Tagged vectors of the owners of all pods and Jobs that lived within the last `seconds`."""
    for prefix in layout.state:
        for metric, owned in ((POD_OWNERS, f"{prefix}pod"), (JOB_OWNERS, "job_name")):
            selector = scope.series(metric, prefix, CONTROLS)
            labels = ", ".join((f"{prefix}namespace", owned, "owner_kind", "owner_name"))
            yield tagged(metric, f"group by ({labels}) (last_over_time({selector}[{seconds}s]))")


def pod_owners(rows: Mapping[str, Sequence[RangeSeries]]) -> Owners:
    """The owners out of the answers to `owner_vectors`, by tag, a value a day, and of ReplicaSets."""
    pods = defaultdict(list)
    for row in rows.get(POD_OWNERS, ()):
        own = own_labels(row.labels)
        owner = (own.get("owner_kind", ""), own.get("owner_name", ""))
        pods[own.get("namespace", ""), own.get("pod", "")].append((~np.isnan(row.values), owner))
    above: dict[tuple[str, str, str], Named] = {}
    for row in rows.get(JOB_OWNERS, ()):
        _learn(above, own_labels(row.labels), "Job", "job_name")
    for row in rows.get(REPLICASET_OWNERS, ()):
        _learn(above, own_labels(row.labels), "ReplicaSet", "replicaset")
    return Owners(dict(pods), above)


def with_replicasets(
    api: PrometheusApi, scope: Scope, layout: Layout, owners: Owners, *, end: datetime, seconds: int
) -> Owners:
    """The owners with what owns their ReplicaSets.

    Most ReplicaSets are still there (a Deployment keeps ten old ones), and one moment is cheap to
    ask for. The last `seconds` are read of the others alone.
    """
    above = dict(owners.above)
    held = _held(owners, "ReplicaSet") - above.keys()
    if not held:
        return owners
    now = [scope.series(REPLICASET_OWNERS, prefix, CONTROLS) for prefix in layout.state]
    _learn_replicasets(above, api.instant(any_of(now), at=end))
    gone = sorted({name for _, _, name in held - above.keys() if is_kubernetes_name(name)})
    if gone:
        named = (matcher("replicaset", *gone),) if len(gone) <= MOST_NAMES else ()
        past = [scope.series(REPLICASET_OWNERS, prefix, CONTROLS, *named) for prefix in layout.state]
        query = any_of([f"last_over_time({selector}[{seconds}s])" for selector in past])
        _learn_replicasets(above, api.instant(query, at=end))
    return Owners(owners.pods, above)


def with_jobs(
    api: PrometheusApi, scope: Scope, layout: Layout, owners: Owners, *, end: datetime, seconds: int
) -> Owners:
    """The owners with what owns those Jobs that are not known yet: they may have been deleted at once."""
    gone = sorted(
        {name for _, _, name in _held(owners, "Job") - owners.above.keys() if is_kubernetes_name(name)}
    )
    if not gone:
        return owners
    above = dict(owners.above)
    named = (matcher("job_name", *gone),) if len(gone) <= MOST_NAMES else ()
    past = [scope.series(JOB_OWNERS, prefix, CONTROLS, *named) for prefix in layout.state]
    for sample in api.instant(any_of([f"last_over_time({one}[{seconds}s])" for one in past]), at=end):
        _learn(above, own_labels(sample.labels), "Job", "job_name")
    return Owners(owners.pods, above)


def _held(owners: Owners, kind: str) -> set[tuple[str, str, str]]:
    """The objects of a kind that own pods."""
    return {
        (kind, namespace, name)
        for (namespace, _), known in owners.pods.items()
        for _, (owner, name) in known
        if owner == kind
    }


def _learn_replicasets(above: dict[tuple[str, str, str], Named], samples: Iterable[Sample]) -> None:
    for sample in samples:
        _learn(above, own_labels(sample.labels), "ReplicaSet", "replicaset")


def _learn(
    above: dict[tuple[str, str, str], Named], labels: Mapping[str, str], kind: str, label: str
) -> None:
    name = labels.get(label, "")
    owner = (labels.get("owner_kind", ""), labels.get("owner_name", ""))
    above[kind, labels.get("namespace", ""), name] = (kind, name) if owner[0] in _NO_OWNER else owner
