"""The hours of a cluster, as they were measured and as they are charged.

The unit is one full hour (UTC) of one cluster. Money is an integer of nano-units of the currency, so
that sums are exact wherever they are made; `as_money` turns it into `Decimal` at the edge. Quantities
are hours of a resource: core-hours, GiB-hours, hours of a physical GPU.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from operator import attrgetter

from estimators.prices import Provenance
from estimators.usage import WorkloadKey

NANO = 10**9
"""How many of the smallest unit make one unit of the currency. 64 bits hold 9.2e9 units."""


def as_nano(amount: Decimal) -> int:
    """An amount of the currency in nano-units, rounded half to even."""
    return int((amount * NANO).to_integral_value(ROUND_HALF_EVEN))


def as_money(nano: int) -> Decimal:
    """Nano-units as an amount of the currency, exactly."""
    return Decimal(nano).scaleb(-9)


@dataclass(frozen=True, slots=True)
class NodeHour:
    """A node within the hour: `hours` it lived (0-1), its capacity and its mean unit prices meanwhile.

    `cores`, `memory_gib` and `gpus` (physical) are what the node has, not hours of it. `source` names
    whose prices they are.
    """

    node: str
    hours: float
    cores: float
    memory_gib: float
    gpus: float
    cpu_core_hour: Decimal
    memory_gib_hour: Decimal
    gpu_hour: Decimal
    labels: Mapping[str, str] = field(default_factory=dict)
    gpu_model: str = ""
    spot: bool = False
    source: str = ""
    provenance: Provenance = Provenance.MEASURED


@dataclass(frozen=True, slots=True)
class ContainerHour:
    """A container of a pod on a node, within the hour.

    `hours` it lived (0-1). Requested and used are core-hours and GiB-hours over that time, used None
    where nothing measured it. `gpus` are hours of physical GPUs it held (a share counts as its
    fraction), `gpu_busy` how many of those they were busy, None where nothing measured it.
    """

    node: str
    workload: WorkloadKey
    pod: str
    container: str
    hours: float
    cpu_requested: float
    cpu_used: float | None
    memory_requested: float
    memory_used: float | None
    gpus: float = 0.0
    gpu_busy: float | None = None


@dataclass(frozen=True, slots=True)
class VolumeHour:
    """A persistent volume within the hour. An empty `claim` is an orphan: paid for, claimed by nobody.

    `workload` is who mounts it; a claim that no workload is known to mount is charged to the claim itself.
    """

    namespace: str
    claim: str
    workload: WorkloadKey | None
    storage_class: str
    gib: float
    hours: float
    gib_hour: Decimal


@dataclass(frozen=True, slots=True)
class BalancerHour:
    """A Service of type LoadBalancer within the hour, at its price per hour."""

    namespace: str
    service: str
    hours: float
    hourly: Decimal


@dataclass(frozen=True, slots=True)
class ClusterHour:
    """All that was measured of a cluster in the hour that begins at `hour`.

    `control_plane` is its price for this hour, 0 where it is free or not known. `covered` is the share
    of the hour's samples that were there (0-1). Numbers are finite and not negative. `labels` are those
    (and annotations) that may say who owns a workload: of its pods, itself and its namespace, the nearest
    winning where two have the same key.
    """

    hour: datetime
    nodes: tuple[NodeHour, ...]
    containers: tuple[ContainerHour, ...]
    volumes: tuple[VolumeHour, ...] = ()
    balancers: tuple[BalancerHour, ...] = ()
    control_plane: Decimal = Decimal(0)
    covered: float = 1.0
    notes: tuple[str, ...] = ()
    labels: Mapping[WorkloadKey, Mapping[str, str]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class WorkloadCost:
    """What one workload cost over an hour or a longer window; money in nano-units.

    `idle_*` is its part in the idle of the nodes it ran on, which is *not* within `cpu`, `memory` and
    `gpu`. `*_claimed` sums max(requested, used) per container and hour; `*_measured` is the part of it
    whose use was measured, and `*_used` is of that part, so that used / measured is an efficiency.
    `gpus` is both requested and claimed. `replica_hours` sums the lives of its pods. `gpu_models` splits
    `gpu` by model.

    A claim that nobody mounts has kind `PersistentVolumeClaim`, a load balancer kind `Service`. `labels`
    are those of `ClusterHour`; over a window, a workload has a row for each set of labels that it had.
    """

    workload: WorkloadKey
    cpu: int = 0
    memory: int = 0
    gpu: int = 0
    storage: int = 0
    load_balancer: int = 0
    idle_cpu: int = 0
    idle_memory: int = 0
    idle_gpu: int = 0
    cpu_requested: float = 0.0
    cpu_used: float = 0.0
    cpu_claimed: float = 0.0
    cpu_measured: float = 0.0
    memory_requested: float = 0.0
    memory_used: float = 0.0
    memory_claimed: float = 0.0
    memory_measured: float = 0.0
    gpus: float = 0.0
    gpu_busy: float = 0.0
    gpu_measured: float = 0.0
    replica_hours: float = 0.0
    gpu_models: Mapping[str, int] = field(default_factory=dict)
    labels: Mapping[str, str] = field(default_factory=dict)

    @property
    def direct(self) -> int:
        """What it claimed itself, without idle."""
        return self.cpu + self.memory + self.gpu + self.storage + self.load_balancer

    @property
    def idle(self) -> int:
        """Its part in the idle of its nodes."""
        return self.idle_cpu + self.idle_memory + self.idle_gpu


@dataclass(frozen=True, slots=True)
class NodeCost:
    """What one node cost over an hour or a longer window, and how much of that nobody claimed (nano-units).

    `hours` is how long it lived.
    """

    node: str
    cpu: int
    memory: int
    gpu: int
    idle_cpu: int
    idle_memory: int
    idle_gpu: int
    hours: float
    labels: Mapping[str, str] = field(default_factory=dict)
    spot: bool = False
    gpu_model: str = ""
    source: str = ""
    provenance: Provenance = Provenance.MEASURED

    @property
    def bill(self) -> int:
        """What the node cost as a whole."""
        return self.cpu + self.memory + self.gpu

    @property
    def idle(self) -> int:
        """What of it nobody claimed."""
        return self.idle_cpu + self.idle_memory + self.idle_gpu


@dataclass(frozen=True, slots=True, kw_only=True)
class Charged:
    """A cluster's cost over some time: tenants + idle + control plane = bill, exactly (nano-units).

    `orphans` is the cost of volumes nobody claims; it counts as idle. `covered` is the share of the
    samples that were there (0-1), over a window the mean of its hours, one that is missing counting 0.
    """

    workloads: tuple[WorkloadCost, ...]
    nodes: tuple[NodeCost, ...]
    control_plane: int = 0
    orphans: int = 0
    covered: float = 1.0
    notes: tuple[str, ...] = ()

    @property
    def bill(self) -> int:
        """What nodes, volumes, load balancers and the control plane cost."""
        attached = sum(item.storage + item.load_balancer for item in self.workloads)
        return sum(node.bill for node in self.nodes) + attached + self.orphans + self.control_plane

    @property
    def tenants(self) -> int:
        """What workloads claimed."""
        return sum(item.direct for item in self.workloads)

    @property
    def idle(self) -> int:
        """What nobody claimed: the idle of the nodes, and orphaned volumes."""
        return sum(node.idle for node in self.nodes) + self.orphans


@dataclass(frozen=True, slots=True, kw_only=True)
class HourCost(Charged):
    """The hour that begins at `hour`, charged."""

    hour: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WindowCost(Charged):
    """Hours of one cluster added up over `[start, end)`; its money is in nano-units of `currency`.

    One row for each workload and set of labels, and for each node and set of facts about it.
    """

    start: datetime
    end: datetime
    cluster: str = ""
    currency: str = "USD"


def sum_of_workloads(parts: Iterable[WorkloadCost]) -> tuple[WorkloadCost, ...]:
    """One row a workload and set of labels, by name: its parts added up."""
    alike: dict[tuple[WorkloadKey, tuple[tuple[str, str], ...]], list[WorkloadCost]] = {}
    for part in parts:
        alike.setdefault((part.workload, tuple(sorted(part.labels.items()))), []).append(part)
    return tuple(_added(some) for _, some in sorted(alike.items()))


def _added(parts: list[WorkloadCost]) -> WorkloadCost:
    first = parts[0]
    if len(parts) == 1:
        return first
    models: Counter[str] = Counter()
    for part in parts:
        models.update(part.gpu_models)
    sums = map(sum, zip(*map(_numbers, parts), strict=True))
    return WorkloadCost(
        first.workload,
        **dict(zip(ADDED_UP, sums, strict=True)),
        gpu_models=dict(models),
        labels=first.labels,
    )


ADDED_UP = tuple(
    item.name for item in fields(WorkloadCost) if item.name not in {"workload", "gpu_models", "labels"}
)
"""The fields of `WorkloadCost` that are plain numbers, in their order: sums over hours are their sums."""
_numbers = attrgetter(*ADDED_UP)
