"""Fourteen days of utilisation of the sample cluster, made by arithmetic alone: the same at every run.

Each workload has a truth that the story is about: `api` peaks on Wednesdays, `web` follows the day
under its autoscaler, `indexer` is over-provisioned, `trainer` leaves its GPU idle most of the time.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np

from estimators.quantity import GIB, MIB
from estimators.usage import (
    ContainerUsage,
    GpuUsage,
    Node,
    RunHistory,
    Series,
    Taint,
    UsageSnapshot,
    Window,
    WorkloadKey,
    WorkloadUsage,
)

END = datetime(2026, 11, 16, tzinfo=UTC)
"""A Monday, so that both weeks are whole."""
STEP_SECONDS = 300
STEPS = 14 * 24 * 12
_GENERAL_NODES, _GPU_NODES = 5, 1
GPU_MODEL = "NVIDIA-A100-SXM4-80GB"


def recording() -> UsageSnapshot:
    """The snapshot, as `tuppence usage export` would have written it."""
    used = [_api(), _web(), _reports(), _indexer(), _log_shipper(), _trainer()]
    nodes = (*map(general_node, range(_GENERAL_NODES)), *map(_gpu_node, range(_GPU_NODES)))
    return UsageSnapshot(
        window=Window(END - timedelta(days=14), END, STEP_SECONDS),
        scrape_interval_seconds=30,
        workloads={item.key: item for item in used},
        nodes=nodes,
        requested={"cpu": Decimal(42), "memory": 158 * GIB},
        storage_gib_hour={"gp3": Decimal("0.08") / 730},
        prices_as_of="2026-11-15",
        source="recorded Prometheus",
    )


def _hours() -> Series:
    return np.arange(STEPS) / 12


def _day() -> Series:
    """The share of the daily peak: least at 4 in the morning, most at 4 in the afternoon, calmer weekends."""
    hours = _hours()
    weekend = np.isin(hours // 24 % 7, (5, 6))
    swing: Series = 0.5 - 0.5 * np.cos((hours - 4) / 24 * 2 * np.pi)
    return swing * np.where(weekend, 0.6, 1.0)


def _ripple(scale: float) -> Series:
    """Small unevenness without randomness."""
    steps = np.arange(STEPS)
    ripple: Series = scale * np.sin(steps * 1.7) * np.sin(steps * 0.37)
    return ripple


def _flat(value: float) -> Series:
    return np.full(STEPS, float(value))


def _api() -> WorkloadUsage:
    """A few cores over twelve pods; memory swells with the settlement run on Wednesdays."""
    cores = 3 * (0.7 + 0.9 * _day() + _ripple(0.05))
    hours = _hours()
    settlement = (hours // 24 % 7 == 2) & (hours % 24 >= 14) & (hours % 24 < 16)
    mebibytes = 420 + 60 * _day() + _ripple(8) + np.where(settlement, 195.0, 0.0)
    used = ContainerUsage("api", cores, mebibytes * float(MIB), throttled_ratio=0.0)
    return WorkloadUsage(WorkloadKey("payments", "Deployment", "api"), _flat(12), (used,))


def _web() -> WorkloadUsage:
    """Load that asks for four to ten pods at 70 % of 500m; the maximum is ten."""
    cores = 1.3 + 2.0 * _day() + _ripple(0.05)
    pods: Series = np.clip(np.ceil(cores / 0.35), 4, 10)
    used = ContainerUsage("web", cores, (390 + 40 * _day()) * float(MIB), throttled_ratio=0.0)
    return WorkloadUsage(WorkloadKey("payments", "Deployment", "web"), pods, (used,))


def _reports() -> WorkloadUsage:
    """Every hour four minutes."""
    running: Series = (np.arange(STEPS) % 12 == 3).astype(np.float64)
    busy: Series = np.where(running > 0, 0.8, np.nan)
    memory: Series = np.where(running > 0, 610.0 * float(MIB), np.nan)
    key = WorkloadKey("payments", "CronJob", "reports")
    used = ContainerUsage("reports", busy, memory)
    return WorkloadUsage(key, running, (used,), runs=RunHistory(pods=336, runs=336, pod_seconds=336 * 240))


def _indexer() -> WorkloadUsage:
    """Three pods that hardly ever use 0.8 of their two cores."""
    cores = 3 * (0.35 + 0.46 * _day() + _ripple(0.02))
    used = ContainerUsage("indexer", cores, (1350 + 90 * _day()) * float(MIB), throttled_ratio=0.0)
    return WorkloadUsage(WorkloadKey("search", "StatefulSet", "indexer"), _flat(3), (used,))


def _log_shipper() -> WorkloadUsage:
    """One pod a node, close to its memory request at the busiest hour."""
    pods = _GENERAL_NODES + _GPU_NODES
    used = ContainerUsage("shipper", pods * (0.02 + 0.02 * _day()), (96 + 28 * _day()) * float(MIB))
    return WorkloadUsage(WorkloadKey("payments", "DaemonSet", "log-shipper"), _flat(pods), (used,))


def _trainer() -> WorkloadUsage:
    """Trains for five hours a night and leaves its GPU idle for the rest of the day."""
    night = _hours() % 24 < 5
    busy: Series = np.where(night, 0.93, 0.03) + _ripple(0.02)
    used = ContainerUsage("trainer", np.where(night, 6.1, 0.4), np.where(night, 41.0, 22.0) * float(GIB))
    gpu = GpuUsage(busy, np.where(night, 61.0, 18.0) * float(GIB))
    return WorkloadUsage(WorkloadKey("ml", "Deployment", "trainer"), _flat(1), (used,), gpu=gpu)


def general_node(index: int) -> Node:
    """One of the nodes without a GPU."""
    size = {"cpu": Decimal(8), "memory": 32 * GIB, "pods": Decimal(58)}
    return Node(
        name=f"general-{index + 1}",
        labels={"node.kubernetes.io/instance-type": "m6i.2xlarge", "pool": "general"},
        allocatable={**size, "cpu": Decimal("7.91"), "memory": 30 * GIB},
        capacity=size,
        hourly={"cpu": Decimal("0.0316"), "memory": Decimal("0.0041"), "total": Decimal("0.384")},
    )


def _gpu_node(index: int) -> Node:
    size = {"cpu": Decimal(24), "memory": 220 * GIB, "nvidia.com/gpu": Decimal(2), "pods": Decimal(58)}
    return Node(
        name=f"gpu-{index + 1}",
        labels={
            "nvidia.com/gpu.product": GPU_MODEL,
            "nvidia.com/gpu.count": "2",
            "pool": "gpu",
        },
        allocatable={**size, "cpu": Decimal("23.8")},
        capacity=size,
        taints=(Taint("nvidia.com/gpu", "present", "PreferNoSchedule"),),
        hourly={"cpu": Decimal("0.0316"), "memory": Decimal("0.0041"), "gpu": Decimal("3.40")},
    )
