"""Workloads whose future is known, in a real Prometheus: what it scraped of them, and their manifests."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from bot.composition.live import PrometheusHistory
from bot.settings import from_env
from estimators.change import Cluster
from estimators.finders import FINDERS
from estimators.finders.candidate import Finder
from estimators.quantity import parse_quantity
from estimators.recommend import recommend
from estimators.recommendation import Found
from tests.benchmarks.known_loads import GIB, PODS, STEPS, Load
from tests.prometheus_blocks import write_blocks
from tests.prometheus_server import Written, serving
from tests.usage_builders import STEP_SECONDS
from tests.yaml_objects import autoscaler, deployment, objects

SCRAPE = 75
DAY = 86_400
KILLS_DAYS = 35
"""How far back the product looks for what was OOM-killed."""
KILLED_DAYS_AGO = 30
WORTH = 0.9
CURRENT = {"cpu": 2.0, "memory": 2 * GIB}
"""What every workload asks for."""
Gpu = tuple[str, NDArray[np.float64]]
"""The name of a workload of one pod, and how busy its GPU was."""


@contextmanager
def known_cluster(loads: Sequence[Load], gpus: Sequence[Gpu] = ()) -> Iterator[str]:
    """The URL of a Prometheus that has scraped a fortnight of them, up to now."""
    end = int(time.time()) // STEP_SECONDS * STEP_SECONDS
    with TemporaryDirectory(prefix="tuppence-known-") as folder:
        data = Path(folder)
        write_blocks(data, _past(loads, gpus, end))
        with serving(data) as url:
            yield url


def cluster_in(url: str) -> Cluster:
    """What the product reads there."""
    history = PrometheusHistory(from_env(), url, 14 * 24, kills_days=KILLS_DAYS)
    return Cluster(usage=history.whole([]))


def manifests(loads: Sequence[Load], gpus: Sequence[Gpu] = ()) -> str:
    """What deploys them: requests far above their use, so that there is something to propose."""
    texts = []
    for item in loads:
        text = deployment(item.name, cpu="2", memory="2Gi", memory_limit="2Gi", replicas=PODS)
        texts.append(
            text + ("---" + autoscaler(least=PODS, most=PODS + 5, name=item.name) if item.scaled else "")
        )
    for name, _ in gpus:
        text = deployment(name, cpu="4", memory="16Gi", replicas=1)
        texts.append(text.replace("limits: {}", 'limits: {nvidia.com/gpu: "1"}'))
    return "---".join(texts)


def found_in(url: str, text: str, finders: Sequence[Finder] = FINDERS) -> Found:
    """What is recommended for these manifests by what Prometheus knows."""
    cluster = cluster_in(url)
    return recommend(objects(text), lambda _name: cluster, finders=finders)


def proposals(found: Found) -> Mapping[str, Mapping[str, float]]:
    """The requests that are proposed, by workload: cores and bytes."""
    values: dict[str, dict[str, float]] = {}
    for one in found.recommendations:
        for change in one.changes:
            if change.path[-1] in CURRENT:
                proposed = float(parse_quantity(change.proposed))
                values.setdefault(one.key.name, {})[str(change.path[-1])] = proposed
    return values


def judged(load: Load, resource: str, proposed: float | None) -> str:
    """`right`, `missed` or `harmful`.

    Harmful is what the next fortnight does not fit in, and a CPU request that an autoscaler divides by.
    """
    needed = load.needed_cores if resource == "cpu" else load.needed_bytes
    current = CURRENT[resource]
    changes = proposed is not None and proposed < current * WORTH
    if load.scaled and resource == "cpu":
        return "harmful" if changes else "right"
    if changes:
        return "harmful" if proposed is not None and proposed < needed else "right"
    return "missed" if needed < current * WORTH else "right"


def seen_peak(load: Load, resource: str) -> float:
    """The highest value of any step and any pod: cores, or bytes."""
    return float((load.cpu if resource == "cpu" else load.memory).max())


def _past(loads: Sequence[Load], gpus: Sequence[Gpu], end: int) -> Iterator[Written]:
    begin = end - STEPS * STEP_SECONDS
    times = np.arange(begin, end + DAY // 8, SCRAPE)  # some hours more: the tests take a while
    step = np.clip((times - begin) // STEP_SECONDS, 0, STEPS - 1)
    ones = np.ones(times.size)
    yield Written("kube_node_info", {"node": "n1", "job": "ksm"}, times, ones)
    for item in loads:
        yield from _state(item.name, PODS, times, ones)
        for number in range(PODS):
            pod = _pod(item.name, number)
            yield from _used(pod, item.cpu[number], item.memory[number], times, step)
        if item.oom_times:
            yield from _killed(item.name, end - KILLED_DAYS_AGO * DAY)
    for name, busy in gpus:
        yield from _state(name, 1, times, ones)
        pod = _pod(name, 0)
        yield from _used(pod, np.where(busy > 0, 3.8, 0.2), np.full(STEPS, 14 * GIB), times, step)
        device = {**pod, "container": "main", "UUID": f"GPU-{name}", "gpu": "0", "job": "dcgm"}
        yield Written("DCGM_FI_PROF_GR_ENGINE_ACTIVE", device, times, busy[step])
        yield Written("DCGM_FI_DEV_FB_USED", device, times, np.full(times.size, 10_240.0))


def _pod(workload: str, number: int, generation: int = 1) -> Mapping[str, str]:
    return {"namespace": "payments", "pod": f"{workload}-{generation}-{number}"}


def _state(
    workload: str, pods: int, times: NDArray[np.int64], ones: NDArray[np.float64], generation: int = 1
) -> Iterator[Written]:
    """What kube-state-metrics says of a Deployment's pods and of their ReplicaSet."""
    owner = {"owner_kind": "ReplicaSet", "owner_name": f"{workload}-{generation}"}
    for number in range(pods):
        pod = {**_pod(workload, number, generation), "job": "ksm"}
        yield Written("kube_pod_owner", {**pod, **owner, "owner_is_controller": "true"}, times, ones)
        yield Written("kube_pod_status_phase", {**pod, "phase": "Running"}, times, ones)
    replicaset = {"namespace": "payments", "replicaset": f"{workload}-{generation}", "job": "ksm"}
    above = {"owner_kind": "Deployment", "owner_name": workload, "owner_is_controller": "true"}
    yield Written("kube_replicaset_owner", {**replicaset, **above}, times, ones)


def _used(
    pod: Mapping[str, str],
    cpu: NDArray[np.float64],
    memory: NDArray[np.float64],
    times: NDArray[np.int64],
    step: NDArray[np.int64],
) -> Iterator[Written]:
    """The counter rises by what the steps before used; the gauge stands at its step's value."""
    container = {**pod, "container": "main", "job": "kubelet"}
    rises = np.concatenate(([0.0], cpu[step[:-1]] * SCRAPE))
    yield Written("container_cpu_usage_seconds_total", container, times, np.cumsum(rises))
    yield Written("container_memory_working_set_bytes", container, times, memory[step])


def _killed(workload: str, at: int) -> Iterator[Written]:
    """The pod was replaced two days later, and its ReplicaSet with it."""
    times = np.arange(at - DAY, at + 2 * DAY, 300)
    yield from _state(workload, 1, times, np.ones(times.size), generation=0)
    after = times[times >= at]
    container = {**_pod(workload, 0, generation=0), "container": "main", "job": "ksm"}
    last = "kube_pod_container_status_last_terminated"
    yield Written(f"{last}_reason", {**container, "reason": "OOMKilled"}, after, np.ones(after.size))
    yield Written(f"{last}_timestamp", container, after, np.full(after.size, float(at)))
