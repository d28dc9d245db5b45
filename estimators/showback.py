"""Who pays what over a window: workloads with their idle and their share of what everybody shares.

Charges of all kinds add up to the bill of their cluster exactly. Rows group them by whatever is asked.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import StrEnum
from typing import NamedTuple

from estimators.allocation import WindowCost, WorkloadCost, as_money
from estimators.money import HOURS_PER_MONTH
from estimators.ownership import Dimension, Labels, Owners, label_value
from estimators.showback_shared import SharedRule, Tenant, share_out
from estimators.usage import WorkloadKey


class Kind(StrEnum):
    """Whose a charge or a row is.

    `idle` is what no tenant is answerable for: nodes without tenants, volumes nobody claims. `central`
    is what is shared and stays where it is.
    """

    TENANT = "tenant"
    UNALLOCATED = "unallocated"
    IDLE = "idle"
    CENTRAL = "central"


class GroupKind(StrEnum):
    """What rows can be of."""

    NAMESPACE = "namespace"
    TEAM = "team"
    APPLICATION = "application"
    ENVIRONMENT = "environment"
    BUSINESS_UNIT = "business unit"
    WORKLOAD = "workload"
    CLUSTER = "cluster"
    LABEL = "label"
    NODE = "node"
    GPU_MODEL = "gpu model"


class GroupBy(NamedTuple):
    """What rows are of; `label` is which label for `GroupKind.LABEL`."""

    kind: GroupKind
    label: str = ""


class Parts(NamedTuple):
    """Where money goes, in nano-units. The parts add up to the cost."""

    cpu: int = 0
    memory: int = 0
    gpu: int = 0
    storage: int = 0
    network: int = 0
    idle_share: int = 0
    shared_share: int = 0

    @property
    def direct(self) -> int:
        """Without idle and what is shared."""
        return self.cpu + self.memory + self.gpu + self.storage + self.network


class Charge(NamedTuple):
    """What one workload of one cluster owes, or what is left to nobody (`workload` is None then)."""

    kind: Kind
    cluster: str
    workload: WorkloadCost | None
    parts: Parts

    def group(self, of: Callable[[str, WorkloadKey, Labels], str]) -> str:
        """Its group, by what `group_of` gave; `""` for none."""
        return of(self.cluster, self.workload.workload, self.workload.labels) if self.workload else ""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of an answer. `group` is `""` where it is no tenant's, `kind` says why.

    `used_cost` is what the used part of CPU, memory and GPU cost and `measured_cost` what the claims
    cost whose use was measured, in nano-units. `previous` is the cost in the window before, None where
    nothing was measured then.
    """

    group: str
    kind: Kind
    parts: Parts
    used_cost: float = 0.0
    measured_cost: float = 0.0
    replica_hours: float = 0.0
    previous: int | None = None

    @property
    def cost(self) -> int:
        """All of it, in nano-units."""
        return sum(self.parts)

    @property
    def efficiency(self) -> float | None:
        """Used / max(requested, used), weighted by cost (0-1); None where nothing was measured."""
        return min(self.used_cost / self.measured_cost, 1.0) if self.measured_cost else None

    @property
    def monthly_per_replica(self) -> Decimal | None:
        """What one replica that runs the whole month costs; None where no pod ran."""
        if not self.replica_hours:
            return None
        return as_money(self.cost) / Decimal(self.replica_hours) * HOURS_PER_MONTH


def charges(window: WindowCost, rule: SharedRule) -> tuple[Charge, ...]:
    """Who pays for a window of one cluster. All parts of all charges are its bill, exactly."""
    workloads = window.workloads
    tenants = [Tenant(item.workload.namespace, item.direct, item.idle) for item in workloads]
    shares = share_out(tenants, window.control_plane, rule)
    found = [
        Charge(Kind.TENANT, window.cluster, item, _parts(item, shares.idle[index], shares.shared[index]))
        for index, item in enumerate(workloads)
        if index not in shares.moved
    ]
    nobodys = window.idle - sum(item.idle for item in workloads) + shares.central_idle
    found.append(Charge(Kind.IDLE, window.cluster, None, Parts(idle_share=nobodys)))
    found.append(Charge(Kind.CENTRAL, window.cluster, None, Parts(shared_share=shares.central_shared)))
    return tuple(charge for charge in found if charge.workload or any(charge.parts))


def _parts(cost: WorkloadCost, idle: int, shared: int) -> Parts:
    return Parts(cost.cpu, cost.memory, cost.gpu, cost.storage, cost.load_balancer, cost.idle + idle, shared)


def only_nodes(window: WindowCost) -> WindowCost:
    """What nodes cost, without volumes, load balancers and the control plane."""
    workloads = tuple(replace(item, storage=0, load_balancer=0) for item in window.workloads)
    return replace(window, workloads=workloads, control_plane=0, orphans=0)


def only_gpus(window: WindowCost) -> WindowCost:
    """What GPUs cost, and nothing else."""
    workloads = tuple(
        replace(item, cpu=0, memory=0, storage=0, load_balancer=0, idle_cpu=0, idle_memory=0)
        for item in window.workloads
        if item.gpu or item.gpus
    )
    nodes = tuple(
        replace(node, cpu=0, memory=0, idle_cpu=0, idle_memory=0) for node in window.nodes if node.gpu
    )
    return replace(window, workloads=workloads, nodes=nodes, control_plane=0, orphans=0)


def group_of(by: GroupBy, owners: Owners) -> Callable[[str, WorkloadKey, Labels], str]:
    """Which group a workload of a cluster with these labels belongs to; `""` for none.

    A workload is a name in a namespace: the load balancer and the claim of that name count to it.
    Raises ValueError for nodes and GPU models, which workloads do not belong to.
    """
    if by.kind is GroupKind.NAMESPACE:
        return lambda _, workload, __: workload.namespace
    if by.kind is GroupKind.WORKLOAD:
        return lambda _, workload, __: f"{workload.namespace}/{workload.name}"
    if by.kind is GroupKind.CLUSTER:
        return lambda cluster, _, __: cluster
    if by.kind is GroupKind.LABEL:
        return lambda _, __, labels: label_value(labels, by.label)
    dimension = Dimension(by.kind.value)
    return lambda _, workload, labels: owners.of(workload, labels).of(dimension)
