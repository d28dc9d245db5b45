"""Small builders of live history: windows, series, workloads, nodes and snapshots."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from estimators.quantity import parse_quantity
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
from estimators.workload import (
    Resources,
)

END = datetime(2026, 11, 16, tzinfo=UTC)
TODAY = END.date()
STEP_SECONDS = 300
STEPS_A_DAY = 24 * 3600 // STEP_SECONDS
Quantities = Mapping[str, str | int]
Values = float | Sequence[float] | Series
"""One value for every step, or a value a step."""


def window(days: float = 14, step_seconds: int = STEP_SECONDS) -> Window:
    """A window that ends on 2026-11-16."""
    return Window(END - timedelta(days=days), END, step_seconds)


def series(values: Values, steps: int) -> Series:
    """The value for every step, or the values themselves."""
    if isinstance(values, int | float):
        return np.full(steps, float(values))
    return np.asarray(values, dtype=np.float64)


def container_usage(
    name: str = "api",
    *,
    cpu: Values = 0.3,
    memory: Values = 2**28,
    steps: int = 14 * STEPS_A_DAY,
    **fields: Any,  # noqa: ANN401 - passed on
) -> ContainerUsage:
    """History of one container: total cores and peak bytes; `fields` are those of `ContainerUsage`."""
    return ContainerUsage(name, series(cpu, steps), series(memory, steps), **fields)


def history(
    *containers: ContainerUsage,
    replicas: Values = 3,
    gpu: GpuUsage | None = None,
    runs: RunHistory | None = None,
    burn: float | None = None,
) -> WorkloadUsage:
    """History of `payments/api`."""
    used = containers or (container_usage(),)
    key = WorkloadKey("payments", "Deployment", "api")
    running = series(replicas, used[0].cpu_cores.size)
    return WorkloadUsage(key, running, used, gpu, runs, error_budget_burn=burn)


def node(
    name: str,
    allocatable: Quantities | None = None,
    *,
    labels: Mapping[str, str] | None = None,
    taints: Sequence[Taint] = (),
) -> Node:
    """A node with room for a pod of 8 cores and 32 GiB, unless told otherwise."""
    room = resources({"cpu": 8, "memory": "32Gi"} if allocatable is None else allocatable)
    return Node(name, labels or {}, room, room, tuple(taints))


def snapshot(
    *workloads: WorkloadUsage,
    steps: int = 14 * STEPS_A_DAY,
    nodes: Sequence[Node] = (),
    requested: Quantities | None = None,
) -> UsageSnapshot:
    """A snapshot of `steps` steps that ends on 2026-11-16."""
    return UsageSnapshot(
        window=window(steps * STEP_SECONDS / 86400),
        scrape_interval_seconds=30,
        workloads={item.key: item for item in workloads},
        nodes=tuple(nodes),
        requested=resources(requested),
    )


def resources(quantities: Quantities | None) -> Resources:
    """`{"cpu": "250m"}` in base units."""
    return {name: parse_quantity(value) for name, value in (quantities or {}).items()}
