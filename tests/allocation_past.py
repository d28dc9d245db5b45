"""Clusters of which everything is known, as what kube-state-metrics, cAdvisor, OpenCost and DCGM export.

Times are minutes after `BEGIN`, at which things happen; a scrape is a few seconds after each minute.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from tests.kube_state_metrics import exported_label
from tests.prometheus_server import Written

BEGIN = datetime(2026, 3, 2, 9, tzinfo=UTC)
LATE = 53
"""Seconds after the full minute at which it is scraped: servers differ on whether a range has both its ends."""
GIB = 2.0**30
KSM = {"job": "kube-state-metrics", "instance": "10.0.0.9:8080"}

Span = tuple[float, float]
"""From and to, in minutes; the end is not part of it."""
Labels = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class NodeLife:
    """A node that lives for `life`. `prices` are (minute, CPU, memory, GPU) from that minute on."""

    name: str
    life: Span
    cores: float = 4.0
    gib: float = 16.0
    prices: tuple[tuple[float, float, float, float], ...] = ((0, 0.04, 0.005, 0.0),)
    labels: Labels = field(default_factory=dict)
    devices: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PodLife:
    """A pod that runs for `runs` on a node and is known to the API for `known` (as long, if not said).

    `used` are cores and GiB of its one container, `requests` cores, GiB and devices by resource name.
    `restarts` are minutes at which its container started anew, `wipes` those at which its counter alone did.
    `sidecar` is the name of a restartable init container that uses and requests a tenth of a core.
    """

    namespace: str
    name: str
    node: str
    runs: Span
    owner: tuple[str, str] = ("", "")
    requests: Mapping[str, float] = field(default_factory=dict)
    used: tuple[float, float] = (0.0, 0.0)
    known: Span | None = None
    uid: str = ""
    restarts: tuple[float, ...] = ()
    wipes: tuple[float, ...] = ()
    claims: tuple[str, ...] = ()
    busy: float | None = None
    sidecar: str = ""
    labels: Labels = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class VolumeLife:
    """A persistent volume, claimed by `claim` (namespace, name) unless that is empty."""

    name: str
    life: Span
    gib: float
    claim: tuple[str, str] = ("", "")
    storage_class: str = "gp3"
    price: float | None = None


@dataclass(frozen=True, slots=True)
class BalancerLife:
    """A Service of type LoadBalancer; without an address while the cloud has not made it."""

    namespace: str
    name: str
    life: Span
    address: bool = True
    price: float | None = None


@dataclass(frozen=True, slots=True)
class Town:
    """A cluster. `above` are owners of ReplicaSets and Jobs: (kind, namespace, name) -> (kind, name).

    `labels` are of namespaces and workloads: (kind, namespace, name). `gaps` are times without a scrape.
    """

    length: float
    nodes: tuple[NodeLife, ...]
    pods: tuple[PodLife, ...]
    volumes: tuple[VolumeLife, ...] = ()
    balancers: tuple[BalancerLife, ...] = ()
    above: Mapping[tuple[str, str, str], tuple[str, str]] = field(default_factory=dict)
    labels: Mapping[tuple[str, str, str], Labels] = field(default_factory=dict)
    gaps: tuple[Span, ...] = ()
    scrape: int = 60
    management: float | None = None
    opencost: bool = True

    def times(self, life: Span) -> NDArray[np.int64]:
        """When something that lived for `life` was scraped; the same array for the same life."""
        return _scrapes(self.length, self.scrape, self.gaps, life)

    def series(self) -> Iterator[Written]:
        """All that was scraped."""
        for namespace in ("default", "kube-system"):
            yield self.flat(
                "kube_namespace_created", {**KSM, "namespace": namespace}, (0, self.length), 1.7e9
            )
        for node in self.nodes:
            yield from self._node(node)
        for pod in self.pods:
            yield from self._pod(pod)
        yield from self._owners()
        for volume in self.volumes:
            yield from self._volume(volume)
        for balancer in self.balancers:
            yield from self._balancer(balancer)
        if self.management is not None:
            labels = {"job": "opencost", "instance": "oc", "provisioner_name": "EKS"}
            yield self.flat("kubecost_cluster_management_cost", labels, (0, self.length), self.management)

    def flat(self, metric: str, labels: Labels, life: Span, value: float) -> Written:
        """A series that never changes."""
        times = self.times(life)
        return Written(metric, labels, times, _steady(times.size, float(value)))

    def _node(self, node: NodeLife) -> Iterator[Written]:
        own = {**KSM, "node": node.name}
        yield self.flat("kube_node_info", {**own, "kernel_version": "6.1"}, node.life, 1)
        labels = {exported_label(key): value for key, value in node.labels.items()}
        yield self.flat("kube_node_labels", own | labels, node.life, 1)
        sizes = {"cpu": node.cores, "memory": node.gib * GIB, "pods": 110.0, **node.devices}
        for resource, amount in sizes.items():
            yield self.flat(
                "kube_node_status_capacity", {**own, "resource": _sanitised(resource)}, node.life, amount
            )
        if not self.opencost:
            return
        for number, (since, *prices) in enumerate(node.prices):
            until = node.prices[number + 1][0] if number + 1 < len(node.prices) else node.life[1]
            span = (max(since, node.life[0]), until)
            own = {"job": "opencost", "instance": node.name, "node": node.name}
            yield from (
                self.flat(f"node_{part}_hourly_cost", own, span, price)
                for part, price in zip(("cpu", "ram", "gpu"), prices, strict=True)
            )

    def _pod(self, pod: PodLife) -> Iterator[Written]:
        known = pod.known or pod.runs
        own = {**KSM, "namespace": pod.namespace, "pod": pod.name, "uid": pod.uid or f"uid-{pod.name}"}
        kind, name = pod.owner
        info = {"node": pod.node, "created_by_kind": kind, "created_by_name": name}
        yield self.flat("kube_pod_info", own | {key: value for key, value in info.items() if value}, known, 1)
        owner = {"owner_kind": kind, "owner_name": name, "owner_is_controller": "true"}
        yield self.flat("kube_pod_owner", own | owner, known, 1)
        container = own | {"container": "app"}
        status = "kube_pod_container_status_running"
        if known == pod.runs:
            yield self.flat(status, container, known, 1)
        else:
            times = self.times(known)
            running = (times >= _at(pod.runs[0])) & (times < _at(pod.runs[1]))
            yield Written(status, container, times, running.astype(np.float64))
        for resource, amount in pod.requests.items():
            labels = {**container, "resource": _sanitised(resource)} | (
                {"node": pod.node} if pod.node else {}
            )
            value = amount * GIB if resource == "memory" else amount
            yield self.flat("kube_pod_container_resource_requests", labels, known, value)
        for claim in pod.claims:
            labels = {**own, "volume": claim, "persistentvolumeclaim": claim}
            yield self.flat("kube_pod_spec_volumes_persistentvolumeclaims_info", labels, known, 1)
        if pod.labels:
            labels = {exported_label(key): value for key, value in pod.labels.items()}
            yield self.flat("kube_pod_labels", own | labels | {"label_pod_template_hash": "5d8f7"}, known, 1)
        yield from self._measured(pod, "app", *pod.used)
        if pod.sidecar:
            labels = {**own, "container": pod.sidecar, "resource": "cpu", "node": pod.node}
            yield self.flat("kube_pod_init_container_resource_requests", labels, known, 0.1)
            yield from self._measured(pod, pod.sidecar, 0.1, 0.0)

    def _measured(self, pod: PodLife, container: str, cores: float, gib: float) -> Iterator[Written]:
        kubelet = {"job": "kubelet", "instance": pod.node, "node": pod.node}
        own = {**kubelet, "namespace": pod.namespace, "pod": pod.name, "container": container}
        lives = [pod.runs[0], *pod.restarts, pod.runs[1]]
        for number, (since, until) in enumerate(pairwise(lives)):
            labels = {**own, "id": f"/kubepods/{pod.uid or pod.name}/{number}", "cpu": "total"}
            times = self.times((since, until))
            used = _counter(self.length, self.scrape, self.gaps, (since, until), pod.wipes, cores)
            yield Written("container_cpu_usage_seconds_total", labels, times, used)
        yield self.flat("container_memory_working_set_bytes", own, pod.runs, gib * GIB)
        if container != "app":
            return
        yield self.flat("container_memory_working_set_bytes", {**own, "container": "POD"}, pod.runs, 1e12)
        if pod.busy is not None:
            labels = {"job": "dcgm", "instance": f"{pod.node}:9400", "UUID": f"GPU-{pod.node}"}
            labels |= {"exported_namespace": pod.namespace, "exported_pod": pod.name}
            labels |= {"namespace": "gpu", "pod": "dcgm-exporter-7", "container": "dcgm-exporter"}
            yield self.flat("DCGM_FI_PROF_GR_ENGINE_ACTIVE", labels, pod.runs, pod.busy)
            yield self.flat("DCGM_FI_DEV_GPU_UTIL", labels, pod.runs, 99)

    def _owners(self) -> Iterator[Written]:
        lives: dict[tuple[str, str, str], list[Span]] = defaultdict(list)
        for pod in self.pods:
            lives[pod.owner[0], pod.namespace, pod.owner[1]].append(pod.known or pod.runs)
        for (kind, namespace, name), (owner_kind, owner_name) in self.above.items():
            held = lives[kind, namespace, name]
            kept = self.length if kind == "ReplicaSet" else max(until for _, until in held)
            life = (min(since for since, _ in held), kept)
            label = {"ReplicaSet": "replicaset", "Job": "job_name"}[kind]
            labels = {**KSM, "namespace": namespace, label: name, "owner_is_controller": "true"}
            labels |= {"owner_kind": owner_kind, "owner_name": owner_name}
            yield self.flat(f"kube_{kind.lower()}_owner", labels, life, 1)
        for (kind, namespace, name), written in self.labels.items():
            own = {**KSM, "namespace": namespace} | ({kind.lower(): name} if name else {})
            exported = {exported_label(key): value for key, value in written.items()}
            yield self.flat(f"kube_{kind.lower()}_labels", own | exported, (0, self.length), 1)

    def _volume(self, volume: VolumeLife) -> Iterator[Written]:
        own = {**KSM, "persistentvolume": volume.name}
        yield self.flat("kube_persistentvolume_capacity_bytes", own, volume.life, volume.gib * GIB)
        labels = {**own, "storageclass": volume.storage_class}
        yield self.flat("kube_persistentvolume_info", labels, volume.life, 1)
        if volume.price is not None:
            labels = {"job": "opencost", "instance": "oc", "persistentvolume": volume.name}
            yield self.flat("pv_hourly_cost", labels, volume.life, volume.price)
        if volume.claim[1]:
            own = {**KSM, "namespace": volume.claim[0], "persistentvolumeclaim": volume.claim[1]}
            labels = {**own, "storageclass": volume.storage_class, "volumename": volume.name}
            yield self.flat("kube_persistentvolumeclaim_info", labels, volume.life, 1)
            metric = "kube_persistentvolumeclaim_resource_requests_storage_bytes"
            yield self.flat(metric, own, volume.life, volume.gib * GIB)

    def _balancer(self, balancer: BalancerLife) -> Iterator[Written]:
        own = {**KSM, "namespace": balancer.namespace, "service": balancer.name}
        yield self.flat("kube_service_spec_type", {**own, "type": "LoadBalancer"}, balancer.life, 1)
        if balancer.address:
            labels = {**own, "hostname": f"{balancer.name}.elb.example"}
            yield self.flat("kube_service_status_load_balancer_ingress", labels, balancer.life, 1)
        if balancer.price is not None:
            labels = {"job": "opencost", "instance": "oc", "ingress_ip": "1.2.3.4"}
            labels |= {"namespace": balancer.namespace, "service_name": balancer.name}
            yield self.flat("kubecost_load_balancer_cost", labels, balancer.life, balancer.price)


def _at(minute: float) -> float:
    return BEGIN.timestamp() + minute * 60


@cache
def _scrapes(length: float, scrape: int, gaps: tuple[Span, ...], life: Span) -> NDArray[np.int64]:
    begin = int(BEGIN.timestamp())
    times = np.arange(begin + LATE, begin + int(length * 60) + LATE, scrape)
    inside = (times >= _at(life[0])) & (times < _at(life[1]))
    for first, last in gaps:
        inside &= (times < _at(first)) | (times >= _at(last))
    return times[inside]


@cache
def _steady(size: int, value: float) -> NDArray[np.float64]:
    return np.full(size, value)


@cache
def _counter(
    length: float, scrape: int, gaps: tuple[Span, ...], life: Span, wipes: tuple[float, ...], cores: float
) -> NDArray[np.float64]:
    """A counter that began with the life, and anew at each of the wipes."""
    times = _scrapes(length, scrape, gaps, life)
    wiped = [_at(moment) for moment in (life[0], *wipes)]
    zero = np.array(wiped)[np.searchsorted(wiped, times, side="right") - 1]
    used: NDArray[np.float64] = np.round(cores * (times - zero), 6)
    return used


def _sanitised(resource: str) -> str:
    return re.sub(r"[^a-zA-Z0-9_]", "_", resource)


def later(series: Iterable[Written], seconds: int) -> Iterator[Written]:
    """The series as if everything had happened so much later; those that shared their times still do."""
    moved: dict[int, tuple[NDArray[np.int64], NDArray[np.int64]]] = {}
    for one in series:
        if id(one.times) not in moved:
            moved[id(one.times)] = (one.times, one.times + seconds)
        yield replace(one, times=moved[id(one.times)][1])


def in_cluster(series: Iterable[Written], name: str) -> Iterator[Written]:
    """The series with a label that tells the cluster."""
    for one in series:
        yield replace(one, labels={**one.labels, "cluster": name})


def renamed(series: Iterable[Written]) -> Iterator[Written]:
    """The series of kube-state-metrics and cAdvisor as a scrape has them in which the target's labels won."""
    clash = {"namespace", "pod", "container"}
    for one in series:
        if one.labels["job"] not in {"kube-state-metrics", "kubelet"}:
            yield one
            continue
        own = {f"exported_{key}" if key in clash else key: value for key, value in one.labels.items()}
        target = {"namespace": "monitoring", "pod": "ksm-0", "container": "ksm"}
        yield replace(one, labels={**own, **target})


def doubled(series: Iterable[Written]) -> Iterator[Written]:
    """The series, and again as another job and as a second instance of the same one scraped them."""
    for one in series:
        yield one
        if one.labels["job"] in {"kube-state-metrics", "kubelet"}:
            yield replace(one, labels={**one.labels, "job": f"{one.labels['job']}-again"})
        if one.labels["job"] == "kube-state-metrics":
            yield replace(one, labels={**one.labels, "instance": "10.0.0.10:8080"})


def restarted(series: Iterable[Written], minute: float) -> Iterator[Written]:
    """The series as they are when every exporter's pod was replaced at that minute.

    kube-state-metrics moved to another address; what OpenCost and dcgm-exporter are scraped for has their pod.
    """
    at = BEGIN.timestamp() + minute * 60
    for one in series:
        job = one.labels["job"]
        if job == "kubelet":
            yield one
            continue
        before = one.times < at
        label = "instance" if job == "kube-state-metrics" else "pod"
        for chosen, target in ((before, "10.0.0.9:8080"), (~before, "10.0.0.77:8080")):
            if chosen.any():
                labels = {**one.labels, label: target}
                yield Written(one.metric, labels, one.times[chosen], one.values[chosen])


def without(series: Iterable[Written], lacks: Collection[str]) -> Iterator[Written]:
    """The series but for metrics that were not exported."""
    return (one for one in series if one.metric not in lacks)
