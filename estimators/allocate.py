"""Who pays for an hour of a cluster: what containers claimed of each node, and what nobody did.

A container claims max(requested, used) of a resource over the time it lived; GPUs, what it holds.
With P the node's price for its whole capacity C of that resource in that hour, a claim c costs

    P c / max(C, sum of all claims on the node)

which is claim x unit price while claims fit, and the node shared out in proportion where they do not.
Idle is the rest of P, never negative. (OpenCost's specification, per hour instead of per window; it
does not scale claims, so that its tenants may cost more than the node: docs/allocation.md.)
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from estimators.allocation import (
    ClusterHour,
    ContainerHour,
    HourCost,
    NodeCost,
    NodeHour,
    VolumeHour,
    WorkloadCost,
    as_nano,
)
from estimators.money import apportioned
from estimators.usage import WorkloadKey

_FINE = 10**9
"""Claims are weighed in whole billionths of a core-hour, GiB-hour or GPU-hour."""
_QUANTITIES = (
    *("cpu_requested", "cpu_used", "cpu_claimed", "cpu_measured"),
    *("memory_requested", "memory_used", "memory_claimed", "memory_measured"),
    *("gpus", "gpu_busy", "gpu_measured", "replica_hours"),
)
_CLAIMED = [_QUANTITIES.index(name) for name in ("cpu_claimed", "memory_claimed", "gpus")]
_MOST_NAMED = 3


class _Tenants(NamedTuple):
    """Workloads by node, in the order of their names, and what each did there: a row of `_QUANTITIES`."""

    nodes: list[str]
    workloads: list[WorkloadKey]
    quantities: NDArray[np.float64]


@dataclass(slots=True)
class _Account:
    """What one workload owes, being added up: three resources each, in nano-units."""

    claimed: list[int] = field(default_factory=lambda: [0, 0, 0])
    idle: list[int] = field(default_factory=lambda: [0, 0, 0])
    gpu_models: Counter[str] = field(default_factory=Counter)
    storage: int = 0
    load_balancer: int = 0


def allocate(measured: ClusterHour) -> HourCost:
    """Charge one hour: tenants + idle + control plane are its bill exactly, and nothing is negative.

    The order of what was measured does not matter. Containers on a node whose price or size is not
    known are charged nothing, and a note says so. Numbers must be finite and not negative.
    """
    tenants = _tenants(measured.containers)
    accounts: defaultdict[WorkloadKey, _Account] = defaultdict(_Account)
    on_node = {
        node: list(indices) for node, indices in groupby(range(len(tenants.nodes)), tenants.nodes.__getitem__)
    }
    nodes = []
    by_name = attrgetter("node")
    for name, lives in groupby(sorted(measured.nodes, key=by_name), by_name):
        nodes.append(_charge_node(list(lives), tenants, on_node.pop(name, []), accounts))
    orphans = _charge_volumes(measured.volumes, accounts)
    for balancer in measured.balancers:
        key = WorkloadKey(balancer.namespace, "Service", balancer.service)
        accounts[key].load_balancer += _price_of(balancer.hours, balancer.hourly)
    return HourCost(
        hour=measured.hour,
        workloads=_workload_costs(accounts, tenants, measured.labels),
        nodes=tuple(nodes),
        control_plane=as_nano(measured.control_plane),
        orphans=orphans,
        covered=measured.covered,
        notes=(*measured.notes, *_unpriced(on_node, nodes, tenants)),
    )


def _tenants(containers: Sequence[ContainerHour]) -> _Tenants:
    """Containers added up by node and workload."""
    ordered = sorted(containers, key=attrgetter("node", "workload", "pod", "container"))
    keys = [(item.node, item.workload) for item in ordered]
    starts = [i for i, key in enumerate(keys) if not i or key != keys[i - 1]]
    if not starts:
        return _Tenants([], [], np.zeros((0, len(_QUANTITIES))))
    sums = np.add.reduceat(_quantities(ordered), starts)
    return _Tenants([keys[i][0] for i in starts], [keys[i][1] for i in starts], sums)


def _quantities(ordered: Sequence[ContainerHour]) -> NDArray[np.float64]:
    """One row of `_QUANTITIES` a container. A pod's life, its longest container's, stands at its first."""
    fields = attrgetter(
        "cpu_requested", "cpu_used", "memory_requested", "memory_used", "gpus", "gpu_busy", "hours"
    )
    table = np.array([fields(item) for item in ordered], dtype=np.float64).T  # None becomes NaN
    cpu, cpu_used, memory, memory_used, gpus, gpu_busy, hours = table
    columns = []
    for requested, used in ((cpu, cpu_used), (memory, memory_used)):
        claimed = np.fmax(requested, used)
        columns += [requested, np.nan_to_num(used), claimed, np.where(np.isnan(used), 0.0, claimed)]
    known = np.where(np.isnan(gpu_busy), 0.0, gpus)
    columns += [gpus, np.fmin(np.nan_to_num(gpu_busy), known), known]
    pods = [(item.node, item.workload, item.pod) for item in ordered]
    first = [i for i, pod in enumerate(pods) if not i or pod != pods[i - 1]]
    lives = np.zeros(len(ordered))
    lives[first] = np.maximum.reduceat(hours, first)
    return np.column_stack([*columns, lives])


def _charge_node(
    lives: Sequence[NodeHour],
    tenants: _Tenants,
    here: Sequence[int],
    accounts: defaultdict[WorkloadKey, _Account],
) -> NodeCost:
    """Share out one node; `lives` are more than one where a node of that name went and came again."""
    bill, left = [0, 0, 0], [0, 0, 0]
    model = next((life.gpu_model for life in lives if life.gpu_model), "")
    owing = [accounts[tenants.workloads[index]] for index in here]
    claims = tenants.quantities[list(here)] if here else np.zeros((0, len(_QUANTITIES)))
    for resource in range(3):
        sizes = [_sizes(life)[resource] for life in lives]
        bill[resource] = sum(_price_of(size, price) for size, price in sizes)
        capacity = sum(round(size * _FINE) for size, _ in sizes)
        weights = [round(claim * _FINE) for claim in claims[:, _CLAIMED[resource]].tolist()]
        free = capacity - sum(weights)
        nobody = 1 if not capacity and not any(weights) else 0
        *costs, left[resource] = apportioned(bill[resource], [*weights, max(free, nobody)])
        idle_shares = apportioned(left[resource], costs)
        for account, cost, idle in zip(owing, costs, idle_shares, strict=True):
            account.claimed[resource] += cost
            account.idle[resource] += idle
            if resource == 2 and cost:
                account.gpu_models[model] += cost
    last = lives[-1]
    return NodeCost(
        node=last.node,
        cpu=bill[0],
        memory=bill[1],
        gpu=bill[2],
        idle_cpu=left[0],
        idle_memory=left[1],
        idle_gpu=left[2],
        hours=sum(life.hours for life in lives),
        labels=last.labels,
        spot=last.spot,
        gpu_model=model,
        source=last.source,
        provenance=last.provenance,
    )


def _sizes(life: NodeHour) -> tuple[tuple[float, Decimal], ...]:
    """What a node offered of CPU, memory and GPUs in the time it lived, and at what price."""
    return (
        (life.cores * life.hours, life.cpu_core_hour),
        (life.memory_gib * life.hours, life.memory_gib_hour),
        (life.gpus * life.hours, life.gpu_hour),
    )


def _charge_volumes(volumes: Iterable[VolumeHour], accounts: defaultdict[WorkloadKey, _Account]) -> int:
    """Charge volumes to who mounts them, else to their claim; what orphans cost."""
    orphans = 0
    for volume in volumes:
        cost = _price_of(volume.gib * volume.hours, volume.gib_hour)
        if not volume.claim:
            orphans += cost
            continue
        claim = WorkloadKey(volume.namespace, "PersistentVolumeClaim", volume.claim)
        accounts[volume.workload or claim].storage += cost
    return orphans


def _price_of(quantity: float, price: Decimal) -> int:
    return as_nano(Decimal(quantity) * price)


def _workload_costs(
    accounts: defaultdict[WorkloadKey, _Account],
    tenants: _Tenants,
    labels: Mapping[WorkloadKey, Mapping[str, str]],
) -> tuple[WorkloadCost, ...]:
    keys = sorted({*accounts, *tenants.workloads})
    place = {key: index for index, key in enumerate(keys)}
    quantities = np.zeros((len(keys), len(_QUANTITIES)))
    np.add.at(quantities, [place[key] for key in tenants.workloads], tenants.quantities)
    costs = []
    for key, row in zip(keys, quantities.tolist(), strict=True):
        account = accounts[key]
        sums: dict[str, Any] = dict(zip(_QUANTITIES, row, strict=True))
        costs.append(
            WorkloadCost(
                workload=key,
                cpu=account.claimed[0],
                memory=account.claimed[1],
                gpu=account.claimed[2],
                storage=account.storage,
                load_balancer=account.load_balancer,
                idle_cpu=account.idle[0],
                idle_memory=account.idle[1],
                idle_gpu=account.idle[2],
                gpu_models=dict(account.gpu_models),
                labels=labels.get(key, {}),
                **sums,
            )
        )
    return tuple(costs)


def _unpriced(elsewhere: Iterable[str], nodes: Iterable[NodeCost], tenants: _Tenants) -> tuple[str, ...]:
    """A note on the nodes that tenants ran on and that nothing could be charged for."""
    free = {node.node for node in nodes if not node.cpu + node.memory}
    names = sorted({*elsewhere, *(free & set(tenants.nodes))})
    if not names:
        return ()
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    return (
        f"no price or size is known of {', '.join(names[:_MOST_NAMED])}{more}: what ran there is not charged",
    )
