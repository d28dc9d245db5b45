"""Labels and annotations that may say who owns a workload: of its pods, itself and its namespace.

They have the names that kube-state-metrics makes of them (`app_kubernetes_io_name`), since those
cannot be undone. It exports only what `--metric-labels-allowlist` and `--metric-annotations-allowlist`
name; what it leaves out, the labels of now may fill in. One value an hour is asked for: one sample for
each object and hour.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import timedelta

import numpy as np

from bot.adapters.prometheus_allocation_queries import HOUR_SECONDS, Hours
from bot.adapters.prometheus_api import PrometheusApi
from bot.adapters.prometheus_discovery import Layout
from bot.adapters.prometheus_facts import Tagged, by_tag
from bot.adapters.prometheus_queries import Scope, any_of, own_labels, tagged
from estimators.ownership import LabelsNow, may_name_an_owner
from estimators.usage import Series, WorkloadKey

_KINDS = {
    "deployment": "Deployment",
    "statefulset": "StatefulSet",
    "daemonset": "DaemonSet",
    "cronjob": "CronJob",
    "job": "Job",
}
_NAME_LABELS = {"job": "job_name"}
Labels = Mapping[str, str]
_Rows = dict[tuple[str, str, str], list[tuple[Labels, Series]]]
"""Labels and the hours in which they were seen, by kind, namespace and name."""


def ask_labels(api: PrometheusApi, scope: Scope, layout: Layout, hours: Hours) -> Tagged:
    """What is exported of pods, workloads and namespaces in the middle of each hour."""
    vectors = [
        tagged(metric, scope.series(metric, prefix))
        for prefix in layout.state
        for owner in ("namespace", "pod", *_KINDS)
        for metric in (f"kube_{owner}_annotations", f"kube_{owner}_labels")
    ]
    if not vectors:
        return {}
    middle = timedelta(seconds=HOUR_SECONDS / 2)
    first, last = hours.start + middle, hours.end - middle
    return by_tag(api.range(any_of(vectors), start=first, end=last, step_seconds=HOUR_SECONDS))


class OwnershipLabels:
    """The labels of workloads in each of some hours, the nearest winning: pod, workload, namespace.

    Of each of the three, what was measured in the hours wins over what is there now.
    """

    def __init__(
        self, rows: Tagged, workload_of: Callable[[str, str], WorkloadKey | None], now: LabelsNow
    ) -> None:
        """`workload_of` tells the workload of a pod by its namespace and name."""
        self._now = now
        self._namespaces: _Rows = _rows(rows, "namespace", lambda own: ("", own.get("namespace", ""), ""))
        self._workloads: _Rows = {}
        for owner, kind in _KINDS.items():
            label = _NAME_LABELS.get(owner, owner)
            self._workloads |= _rows(rows, owner, _place_of(kind, label))

        def pod_of(own: Labels) -> tuple[str, str, str] | None:
            workload = workload_of(own.get("namespace", ""), own.get("pod", ""))
            return None if workload is None else (workload.kind, workload.namespace, workload.name)

        self._pods: _Rows = _rows(rows, "pod", pod_of)

    def hour(self, number: int, workloads: Collection[WorkloadKey]) -> dict[WorkloadKey, dict[str, str]]:
        """The labels of each of the workloads in one hour; those of another hour where it has none then."""
        namespaces: dict[str, dict[str, str]] = {}
        found = {}
        for key in workloads:
            if key.namespace not in namespaces:
                namespaces[key.namespace] = {
                    **self._now.namespaces.get(key.namespace, {}),
                    **_at(self._namespaces, ("", key.namespace, ""), number),
                }
            place = (key.kind, key.namespace, key.name)
            labels = {
                **namespaces[key.namespace],
                **self._now.workloads.get(key, {}),
                **_at(self._workloads, place, number),
                **self._now.pods.get(key, {}),
                **_at(self._pods, place, number),
            }
            if labels:
                found[key] = labels
        return found


def _place_of(kind: str, label: str) -> Callable[[Labels], tuple[str, str, str]]:
    return lambda own: (kind, own.get("namespace", ""), own.get(label, ""))


def _rows(rows: Tagged, owner: str, place_of: Callable[[Labels], tuple[str, str, str] | None]) -> _Rows:
    found: _Rows = defaultdict(list)
    for what in ("annotation", "label"):
        for row in rows.get(f"kube_{owner}_{what}s", ()):
            own = own_labels(row.labels)
            place = place_of(own)
            labels = dict(_owning(own, f"{what}_"))
            if place is not None and labels:
                found[place].append((labels, row.values))
    return {place: _counted(some) for place, some in found.items()}


def _owning(own: Labels, prefix: str) -> Iterator[tuple[str, str]]:
    for name, value in own.items():
        label = name.removeprefix(prefix)
        if name.startswith(prefix) and value and may_name_an_owner(label):
            yield label, value


def _counted(some: Iterable[tuple[Labels, Series]]) -> list[tuple[Labels, Series]]:
    """Equal sets of labels as one, with how often each was seen in an hour."""
    counts: dict[tuple[tuple[str, str], ...], Series] = {}
    for labels, values in some:
        key = tuple(sorted(labels.items()))
        seen = (~np.isnan(values)).astype(np.float64)
        counts[key] = counts[key] + seen if key in counts else seen
    return [(dict(key), seen) for key, seen in counts.items()]


def _at(rows: _Rows, place: tuple[str, str, str], number: int) -> dict[str, str]:
    """The labels of an hour: of several values the one that most objects have, then the later in order."""
    known = rows.get(place, ())
    if len(known) == 1:
        return dict(known[0][0])
    there = [(labels, seen[number]) for labels, seen in known if seen[number]]
    chosen = there or [(labels, seen.sum()) for labels, seen in known]
    merged: dict[str, str] = {}
    for labels, _ in sorted(chosen, key=lambda item: (item[1], sorted(item[0].items()))):
        merged.update(labels)
    return merged
