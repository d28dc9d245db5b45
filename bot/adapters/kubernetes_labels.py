"""Labels of namespaces, workloads and pods that may say whose they are, out of a cluster's Kubernetes API.

kube-state-metrics exports none unless it is told to. Only the metadata of objects is asked for; of
annotations, which may hold anything, only those are kept that somebody named.
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping

from bot.adapters.kubernetes_api import A, KubernetesApi, NotAllowed, NotServed, Refused, Resource
from bot.errors import ClusterUnavailable
from estimators.objects import Body, dig, mapping, sequence, string_map, text
from estimators.ownership import Labels, LabelsNow, label_as_exported, may_name_an_owner
from estimators.usage import WorkloadKey

WITHIN_SECONDS = 60.0
"""For all lists together; 30,000 pods are 60 pages. Hours of cost do not wait longer for labels."""
NAMESPACES = Resource("namespaces", core="namespace", namespaced=False)
PODS = Resource("pods", core="pod")
WORKLOADS = {
    "Deployment": Resource("deployments", "apps"),
    "StatefulSet": Resource("statefulsets", "apps"),
    "DaemonSet": Resource("daemonsets", "apps"),
    "CronJob": Resource("cronjobs", "batch"),
    "Job": Resource("jobs", "batch"),
    "Rollout": Resource("rollouts", "argoproj.io", "v1alpha1"),
}
_HASHES = {"pod-template-hash": "Deployment", "rollouts-pod-template-hash": "Rollout"}
"""Labels of pods with what their ReplicaSet's name ends in, after the name of what owns it (Kubernetes,
Deployments, pod-template-hash label). It saves a list of all ReplicaSets, ten of each Deployment."""
_NO_OWNER = ("", "Node")
"""A node owns its static pods."""

_ByWorkload = dict[WorkloadKey, Labels]
_Sets = defaultdict[WorkloadKey, Counter[tuple[tuple[str, str], ...]]]
"""The sets of labels of a workload's pods, with how many have each."""


def read_labels(
    api: KubernetesApi, annotations: Collection[str] = (), *, within_seconds: float = WITHIN_SECONDS
) -> LabelsNow:
    """The labels of this moment, and of annotations those that are named.

    Kinds that the credentials may not list are named in `missing`. Raises ClusterUnavailable where
    the server does not answer in time, and UserError where it refuses the credentials.
    """
    lists = _Lists(api, {label_as_exported(name) for name in annotations}, within_seconds)
    namespaces = lists.read(NAMESPACES, _no_namespaces, lists.add_namespace)
    workloads = _no_workloads()
    for kind, resource in WORKLOADS.items():
        found = lists.read(resource, _no_workloads, lists.adder_of(kind))
        workloads.update(found)
    pods = lists.read(PODS, _no_pods, lists.add_pod)
    return LabelsNow(
        namespaces,
        workloads,
        {workload: _of_most(sets) for workload, sets in pods.items()},
        tuple(lists.missing),
    )


class _Lists:
    """Lists of one cluster, read one after the other until the time is over."""

    def __init__(self, api: KubernetesApi, annotations: Collection[str], within_seconds: float) -> None:
        self.missing: list[str] = []
        self._api = api
        self._annotations = annotations
        self._within = within_seconds
        self._end = time.monotonic() + within_seconds
        self._jobs: dict[WorkloadKey, WorkloadKey] = {}

    def read(self, resource: Resource, fresh: Callable[[], A], add: Callable[[A, Body], None]) -> A:
        """What `add` makes of a list; as `fresh` gives it where the list may not be read."""

        def in_time(found: A, body: Body) -> None:
            if time.monotonic() > self._end:
                raise ClusterUnavailable(f"the lists took longer than {self._within:g} s, at {resource}")
            add(found, body)

        try:
            return self._api.fold(resource, fresh, in_time, metadata_alone=True)
        except NotServed:
            if resource is not WORKLOADS["Rollout"]:  # few clusters have those
                self._miss(resource, "the server has none")
        except NotAllowed:
            self._miss(resource, f"grant the verb list on {resource}")
        except Refused as error:
            self._miss(resource, str(error))
        return fresh()

    def add_namespace(self, found: dict[str, Labels], body: Body) -> None:
        """A namespace, by its name."""
        found[text(dig(body, "metadata", "name"))] = self._labels(body)

    def adder_of(self, kind: str) -> Callable[[_ByWorkload, Body], None]:
        """What adds a workload of a kind, and remembers whose a Job is."""

        def add(found: _ByWorkload, body: Body) -> None:
            name, namespace = (text(dig(body, "metadata", part)) for part in ("name", "namespace"))
            key = WorkloadKey(namespace, kind, name)
            owner = _controller(body)
            if kind == "Job" and owner[0] == "CronJob":  # all of it is the CronJob's, as its pods are
                self._jobs[key] = WorkloadKey(namespace, *owner)
            else:
                found[key] = self._labels(body)

        return add

    def add_pod(self, found: _Sets, body: Body) -> None:
        """A pod, to those of its workload."""
        labels = self._labels(body)
        if labels:
            found[self._workload(body)][tuple(sorted(labels.items()))] += 1

    def _workload(self, pod: Body) -> WorkloadKey:
        """By its owner references; the pod itself where nothing owns it."""
        name, namespace = (text(dig(pod, "metadata", part)) for part in ("name", "namespace"))
        owner, owner_name = _controller(pod)
        if owner in _NO_OWNER:
            return WorkloadKey(namespace, "Pod", name)
        if owner == "ReplicaSet":
            for label, kind in _HASHES.items():
                suffix = f"-{text(dig(pod, 'metadata', 'labels', label))}"
                if len(suffix) > 1 and owner_name.endswith(suffix):
                    return WorkloadKey(namespace, kind, owner_name.removesuffix(suffix))
        key = WorkloadKey(namespace, owner, owner_name)
        return self._jobs.get(key, key)

    def _labels(self, body: Body) -> dict[str, str]:
        """As Prometheus would have them; a label wins over an annotation of its name."""
        kept = {
            label_as_exported(name): value
            for name, value in string_map(dig(body, "metadata", "annotations")).items()
        }
        named = {name: value for name, value in kept.items() if name in self._annotations}
        for name, value in string_map(dig(body, "metadata", "labels")).items():
            named[label_as_exported(name)] = value
        return {name: value for name, value in named.items() if value and may_name_an_owner(name)}

    def _miss(self, resource: Resource, reason: str) -> None:
        self.missing.append(f"labels of {resource} are not read from the Kubernetes API: {reason}")


def _no_namespaces() -> dict[str, Labels]:
    return {}


def _no_workloads() -> _ByWorkload:
    return {}


def _no_pods() -> _Sets:
    return defaultdict(Counter)


def _controller(body: Body) -> tuple[str, str]:
    """Kind and name of what controls an object; empty where nothing does."""
    for owner in map(mapping, sequence(dig(body, "metadata", "ownerReferences"))):
        if owner.get("controller") is True:
            return text(owner.get("kind")), text(owner.get("name"))
    return "", ""


def _of_most(sets: Mapping[tuple[tuple[str, str], ...], int]) -> Labels:
    """Of several values of a label the one that most pods have, then the later in order."""
    merged: dict[str, str] = {}
    for labels, _ in sorted(sets.items(), key=lambda item: (item[1], item[0])):
        merged.update(labels)
    return merged
