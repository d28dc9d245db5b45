"""Live utilisation of a cluster over a window: what Prometheus or a snapshot file said.

Series are numpy float arrays, one value a step, NaN for a step without data. All series of a
snapshot have the same length, `window.steps`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from estimators.objects import Body

Series = NDArray[np.float64]


class WorkloadKey(NamedTuple):
    """A running workload within one cluster."""

    namespace: str
    kind: str
    name: str


class ContainerField(NamedTuple):
    """A resource among a container's `requests` or `limits`."""

    container: str
    part: str
    resource: str


RunningValues = Mapping[WorkloadKey, Mapping[ContainerField, frozenset[Decimal]]]
"""What the pods of workloads have now, in base units: several values while they are being replaced."""


@dataclass(frozen=True, slots=True)
class Window:
    """The time that was asked for: `[start, end)` in steps of `step_seconds`; both are UTC."""

    start: datetime
    end: datetime
    step_seconds: int

    @property
    def steps(self) -> int:
        """How many steps the window has."""
        return int((self.end - self.start).total_seconds()) // self.step_seconds

    @property
    def days(self) -> float:
        """Its length in days."""
        return (self.end - self.start) / timedelta(days=1)

    @property
    def whole_days(self) -> int:
        """How many spans of 24 hours it has, the last of which ends with it."""
        return (self.end - self.start) // timedelta(days=1)


@dataclass(frozen=True, slots=True)
class ContainerUsage:
    """One container name of a workload, over all its pods.

    `cpu_cores` is the total over pods per step, in cores; `memory_peak_bytes` the highest working
    set of any pod per step, in bytes. `oom_times` are the OOM kills whose time is known and
    `oom_kills` counts all of them. `throttled_ratio` is throttled periods over all periods (0-1),
    None where cAdvisor gave none. `cpu_pod_percentiles` (50, 95, 99, 100 -> cores of one pod) is
    there when the source measured pods apart; else per-pod figures are total / replicas per step.
    """

    name: str
    cpu_cores: Series
    memory_peak_bytes: Series
    oom_kills: int = 0
    throttled_ratio: float | None = None
    oom_times: tuple[datetime, ...] = ()
    cpu_pod_percentiles: Mapping[int, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class GpuUsage:
    """GPUs a workload held: `busy_ratio` is the mean over its GPUs per step, from 0 to 1."""

    busy_ratio: Series
    memory_peak_bytes: Series
    shared: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class RunHistory:
    """Finished pods of a Job's or CronJob's runs within the window."""

    pods: int
    runs: int
    pod_seconds: float
    """Run time summed over the pods, in seconds."""


@dataclass(frozen=True, slots=True)
class WorkloadUsage:
    """One workload's history. `replicas` counts running pods per step.

    `autoscaler_metrics` holds the observed current value of Pods, Object and External metrics per
    step, by metric name, as `kube_horizontalpodautoscaler_status_target_metric` gave them.
    """

    key: WorkloadKey
    replicas: Series
    containers: tuple[ContainerUsage, ...]
    gpu: GpuUsage | None = None
    runs: RunHistory | None = None
    autoscaler_metrics: Mapping[str, Series] = field(default_factory=dict)
    error_budget_burn: float | None = None
    """The service's current burn rate: above 1 its error budget is being used up."""

    def container(self, name: str) -> ContainerUsage | None:
        """The history of one container, by name."""
        return next((item for item in self.containers if item.name == name), None)


@dataclass(frozen=True, slots=True)
class ClaimUsage:
    """A PersistentVolumeClaim: one value for each whole day of the window, NaN where nobody knows.

    `mounted` is 1 for a day on which a pod had it among its volumes, 0 for one on which none had it at
    any time. `used_peak_bytes` is the most that was on it, `capacity_bytes` the size of its file system.
    """

    namespace: str
    name: str
    mounted: Series
    used_peak_bytes: Series
    capacity_bytes: float | None = None


@dataclass(frozen=True, slots=True)
class BalancerUsage:
    """A Service of type LoadBalancer: one value for each whole day of the window, NaN where nobody knows.

    `ready` is 1 for a day on which an endpoint of it was ready, 0 for one on which none was at any time.
    """

    namespace: str
    name: str
    ready: Series


@dataclass(frozen=True, slots=True)
class Taint:
    """A node taint."""

    key: str
    value: str
    effect: str


@dataclass(frozen=True, slots=True)
class Node:
    """A node: labels, taints, resources by name (cores, bytes, counts) and what it costs if known.

    `hourly` are unit prices of this node: `cpu` per core-hour, `memory` per GiB-hour, `gpu` per
    GPU-hour and `total` for the whole node; a key is absent when nothing said it. `labels_known` is
    False where it may have labels that nothing told.
    """

    name: str
    labels: Mapping[str, str] = field(default_factory=dict)
    allocatable: Mapping[str, Decimal] = field(default_factory=dict)
    capacity: Mapping[str, Decimal] = field(default_factory=dict)
    taints: tuple[Taint, ...] = ()
    hourly: Mapping[str, Decimal] = field(default_factory=dict)
    labels_known: bool = True


@dataclass(frozen=True, slots=True)
class LiveFacts:
    """What a cluster holds at one moment; each field means what it means in `UsageSnapshot`."""

    nodes: tuple[Node, ...] = ()
    objects: tuple[Body, ...] = ()
    requested: Mapping[str, Decimal] = field(default_factory=dict)
    storage_gib_hour: Mapping[str, Decimal] = field(default_factory=dict)
    prices_as_of: str = ""
    partial: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class UsageSnapshot:
    """All that was learnt of one cluster.

    `objects` are live objects in manifest shape (HPA with status, PDB, LimitRange, ResourceQuota,
    Service, StorageClass, Deployment with its current replicas), however they were learnt.
    `partial` lists, for people, what is missing or doubtful; `storage_gib_hour` are prices of
    volumes by StorageClass where OpenCost exports them; `requested` is the sum of the requests of
    all pods per node pool resource (`cpu` cores, `memory` bytes), for headroom. A claim or load balancer
    that is not among `claims` and `balancers`, or workload not in `running`, is one nobody asked about.
    """

    window: Window
    scrape_interval_seconds: int
    workloads: Mapping[WorkloadKey, WorkloadUsage]
    nodes: tuple[Node, ...] = ()
    objects: tuple[Body, ...] = ()
    requested: Mapping[str, Decimal] = field(default_factory=dict)
    storage_gib_hour: Mapping[str, Decimal] = field(default_factory=dict)
    prices_as_of: str = ""
    source: str = ""
    partial: tuple[str, ...] = ()
    claims: tuple[ClaimUsage, ...] = ()
    balancers: tuple[BalancerUsage, ...] = ()
    running: RunningValues = field(default_factory=dict)


def observed(series: Series) -> Series:
    """The steps that have data."""
    return series[~np.isnan(series)]


def while_running(series: Series, replicas: Series) -> Series:
    """The series without the zeros of steps in which no pod ran: they measured nothing."""
    nothing = (replicas == 0) & (series == 0)
    return np.where(nothing, np.nan, series) if nothing.any() else series


def coverage(series: Series) -> float:
    """The share of steps that have data, from 0 to 1; 0 for an empty series."""
    return float(np.count_nonzero(~np.isnan(series))) / series.size if series.size else 0.0


def percentile(series: Series, percent: float) -> float | None:
    """A percentile of the steps that have data, linear between ranks; None without data."""
    seen = observed(series)
    return float(np.percentile(seen, percent)) if seen.size else None


def peak(series: Series) -> float | None:
    """The highest value, None without data."""
    seen = observed(series)
    return float(seen.max()) if seen.size else None


def last_hours(snapshot: UsageSnapshot, hours: int) -> UsageSnapshot:
    """The end of a snapshot: at most `hours` before its end. A shorter snapshot stays as it is."""
    window = snapshot.window
    keep = hours * 3600 // window.step_seconds
    if keep >= window.steps:
        return snapshot
    start = window.end - timedelta(seconds=keep * window.step_seconds)
    workloads = {key: _last(item, keep, start) for key, item in snapshot.workloads.items()}
    shorter = replace(window, start=start)
    first = window.whole_days - shorter.whole_days
    claims = tuple(
        replace(item, mounted=item.mounted[first:], used_peak_bytes=item.used_peak_bytes[first:])
        for item in snapshot.claims
    )
    balancers = tuple(replace(item, ready=item.ready[first:]) for item in snapshot.balancers)
    return replace(snapshot, window=shorter, workloads=workloads, claims=claims, balancers=balancers)


def _last(workload: WorkloadUsage, keep: int, start: datetime) -> WorkloadUsage:
    """One workload's last steps. Kills without times stay those of the whole; runs are taken as even."""
    containers = tuple(
        replace(
            item,
            cpu_cores=item.cpu_cores[-keep:],
            memory_peak_bytes=item.memory_peak_bytes[-keep:],
            oom_kills=sum(time >= start for time in item.oom_times) if item.oom_times else item.oom_kills,
            oom_times=tuple(time for time in item.oom_times if time >= start),
        )
        for item in workload.containers
    )
    gpu = workload.gpu and replace(
        workload.gpu,
        busy_ratio=workload.gpu.busy_ratio[-keep:],
        memory_peak_bytes=workload.gpu.memory_peak_bytes[-keep:],
    )
    metrics = {name: series[-keep:] for name, series in workload.autoscaler_metrics.items()}
    share = keep / workload.replicas.size
    runs = workload.runs and RunHistory(
        pods=round(workload.runs.pods * share),
        runs=round(workload.runs.runs * share),
        pod_seconds=workload.runs.pod_seconds * share,
    )
    return replace(
        workload,
        runs=runs,
        replicas=workload.replicas[-keep:],
        containers=containers,
        gpu=gpu,
        autoscaler_metrics=metrics,
    )
