"""Four weeks of the sample cluster's hours: its nodes, what the recording saw on them, and neighbours.

Arithmetic alone, as the recording is. Its two weeks are taken twice; a backfill in the third week, and a
load test with a node of its own in the fourth, are what moved.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from decimal import Decimal
from math import ceil
from typing import NamedTuple

import numpy as np

from bot.demo.recording import END, GPU_MODEL, STEPS, general_node, recording
from estimators.allocation import ClusterHour, ContainerHour, NodeHour, VolumeHour
from estimators.quantity import GIB
from estimators.usage import Node, Series, UsageSnapshot, WorkloadKey, WorkloadUsage

_HOURS = 28 * 24
_HOURS_RECORDED = STEPS // 12
_EVERY_DAY, _BACKFILL, _LOAD_TEST = range(28), range(14, 21), range(22, 25)
_EVERY = "every"
"""Instead of a pool: a pod on each node."""
_EXTRA_NODE = general_node(5)
"""Came for the load test and went with it."""
_VOLUMES = {"search/indexer": 3 * 200.0, "data/clickhouse": 3 * 500.0}
"""GiB of gp3."""


class _Asks(NamedTuple):
    """What each pod requests in cores and GiB, its label `team`, and the nodes that it runs on."""

    cores: float
    gib: float
    team: str
    pool: str = "general"


class _Neighbour(NamedTuple):
    """A workload that the sample's manifests do not declare; it uses `busy` of what it requests."""

    kind: str
    pods: int
    busy: float
    days: range = _EVERY_DAY


_ASKS = {
    "data/clickhouse": _Asks(3, 12, "data"),
    "data/backfill": _Asks(3, 10, "data"),
    "monitoring/prometheus": _Asks(3, 24, "platform"),
    "search/indexer": _Asks(2, 2, "search"),
    "payments/reports": _Asks(1, 1, "payments"),
    "payments/load-test": _Asks(0.9, 1.5, "checkout"),
    "payments/api": _Asks(0.5, 1, "payments"),
    "payments/web": _Asks(0.5, 0.5, "checkout"),
    "platform/message-queue": _Asks(0.5, 1, "platform"),
    "kube-system/coredns": _Asks(0.25, 0.2, ""),
    "payments/log-shipper": _Asks(0.05, 0.125, "platform", _EVERY),
    "ml/trainer": _Asks(8, 64, "ml", "gpu"),
    "ml/notebooks": _Asks(4, 8, "ml", "gpu"),
}
_NEIGHBOURS = {
    "data/clickhouse": _Neighbour("StatefulSet", 3, 0.55),
    "monitoring/prometheus": _Neighbour("StatefulSet", 1, 0.7),
    "payments/load-test": _Neighbour("Deployment", 8, 0.8, _LOAD_TEST),
    "platform/message-queue": _Neighbour("StatefulSet", 3, 0.4),
    "kube-system/coredns": _Neighbour("Deployment", 2, 0.2),
    "ml/notebooks": _Neighbour("StatefulSet", 1, 0.1),
    "data/backfill": _Neighbour("Job", 1, 0.9, _BACKFILL),
}


class _Load(NamedTuple):
    """A workload within an hour: its pods on average, what each used of cores and GiB, and of its GPU."""

    key: WorkloadKey
    pods: float
    cores: float
    gib: float
    gpu_busy: float | None = None


def hours() -> Iterator[ClusterHour]:
    """The four weeks that end with the recording, hour by hour."""
    recorded = recording()
    seen = [_by_hour(used) for used in recorded.workloads.values()]
    for number in range(_HOURS):
        day = number // 24
        loads = [load for each in seen if (load := each[number % _HOURS_RECORDED]).pods]
        loads += _neighbours(day)
        nodes = [*recorded.nodes, *([_EXTRA_NODE] if day in _LOAD_TEST else ())]
        yield ClusterHour(
            hour=END - timedelta(hours=_HOURS - number),
            nodes=tuple(map(_node_hour, nodes)),
            containers=tuple(_containers(loads, nodes)),
            volumes=tuple(_volumes(loads, recorded)),
            labels={load.key: {"team": team} for load in loads if (team := _ASKS[_name(load.key)].team)},
        )


def _by_hour(used: WorkloadUsage) -> list[_Load]:
    """The hours of the recording. A pod uses its part of what all use, and the memory of the fullest."""
    [container] = used.containers
    pods = _hourly(used.replicas)
    cores = _hourly(container.cpu_cores) / np.maximum(pods, 1 / 12)
    gib = _hourly(container.memory_peak_bytes) / float(GIB)
    busy = [None] * pods.size if used.gpu is None else _hourly(used.gpu.busy_ratio).tolist()
    return [
        _Load(used.key, *each) for each in zip(pods.tolist(), cores.tolist(), gib.tolist(), busy, strict=True)
    ]


def _hourly(series: Series) -> Series:
    """Means of hours; where there was no pod, nothing was used."""
    means: Series = np.nan_to_num(series).reshape(-1, 12).mean(axis=1)
    return means


def _neighbours(day: int) -> Iterator[_Load]:
    for name, each in _NEIGHBOURS.items():
        if day in each.days:
            namespace, _, bare = name.partition("/")
            asks = _ASKS[name]
            key = WorkloadKey(namespace, each.kind, bare)
            yield _Load(key, each.pods, each.busy * asks.cores, each.busy * asks.gib)


def _containers(loads: Sequence[_Load], nodes: Sequence[Node]) -> Iterator[ContainerHour]:
    """Pods on nodes of their pool, the largest first, each where most cores are free."""
    pools = {node.name: node.labels["pool"] for node in nodes}
    claimed = dict.fromkeys(pools, 0.0)
    order = list(_ASKS)
    for load in sorted(loads, key=lambda load: order.index(_name(load.key))):
        asks = _ASKS[_name(load.key)]
        places = [name for name, pool in pools.items() if asks.pool in {pool, _EVERY}]
        pods = len(places) if asks.pool == _EVERY else ceil(load.pods)
        lived = 1.0 if asks.pool == _EVERY else load.pods / pods
        for number in range(pods):
            node = min(places, key=claimed.__getitem__) if asks.pool != _EVERY else places[number]
            claimed[node] += max(asks.cores, load.cores) * lived
            yield ContainerHour(
                node=node,
                workload=load.key,
                pod=f"{load.key.name}-{number}",
                container=load.key.name,
                hours=lived,
                cpu_requested=asks.cores * lived,
                cpu_used=load.cores * lived,
                memory_requested=asks.gib * lived,
                memory_used=load.gib * lived,
                gpus=0.0 if load.gpu_busy is None else 1.0,
                gpu_busy=load.gpu_busy,
            )


def _node_hour(node: Node) -> NodeHour:
    size, price = node.capacity, node.hourly
    gpus = float(size.get("nvidia.com/gpu", 0))
    return NodeHour(
        node=node.name,
        hours=1.0,
        cores=float(size["cpu"]),
        memory_gib=float(size["memory"] / GIB),
        gpus=gpus,
        cpu_core_hour=price["cpu"],
        memory_gib_hour=price["memory"],
        gpu_hour=price.get("gpu", Decimal(0)),
        labels=node.labels,
        gpu_model=GPU_MODEL if gpus else "",
        source="OpenCost node prices",
    )


def _volumes(loads: Sequence[_Load], recorded: UsageSnapshot) -> Iterator[VolumeHour]:
    for load in loads:
        if gib := _VOLUMES.get(_name(load.key)):
            yield VolumeHour(
                load.key.namespace,
                f"data-{load.key.name}",
                load.key,
                "gp3",
                gib,
                1.0,
                recorded.storage_gib_hour["gp3"],
            )


def _name(key: WorkloadKey) -> str:
    return f"{key.namespace}/{key.name}"
