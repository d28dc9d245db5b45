"""How many pods a side declares: the fewest that are sure to run, and the most."""

from __future__ import annotations

from decimal import Decimal

import numpy as np

from estimators.change import Side, Simulation
from estimators.workload import PodGroup, Scaling


def only_group(side: Side) -> PodGroup | None:
    """The one group of a replicated workload, None for several groups, jobs and DaemonSets."""
    groups = side.workload.groups
    return groups[0] if side.workload.scaling is Scaling.REPLICAS and len(groups) == 1 else None


def scaled(side: Side) -> bool:
    """Whether an autoscaler owns the count. `replicas: 0` turns it off."""
    return side.autoscaler is not None and not switched_off(side)


def switched_off(side: Side) -> bool:
    """Whether the manifest asks for no pods at all: no replicas, or a job that is suspended."""
    group, job = only_group(side), side.workload.job
    return (group is not None and group.replicas == 0) or (job is not None and job.suspended)


def fewest(side: Side) -> Decimal | None:
    """The pods that are sure to run: the autoscaler's lower bound, else `replicas` (absent: 1)."""
    group = only_group(side)
    if group is None:
        return None
    if side.autoscaler and not switched_off(side):
        idle = side.autoscaler.idle
        return side.autoscaler.least if idle is None else min(idle, side.autoscaler.least)
    return _declared(group) if group.least is None else group.least


def most(side: Side) -> Decimal | None:
    """The most pods that may run: the autoscaler's upper bound, else `replicas` (absent: 1).

    None where it is not bound, as for a Knative Service without a maximum.
    """
    group = only_group(side)
    if group is None:
        return None
    if side.autoscaler and not switched_off(side):
        return side.autoscaler.most
    return _declared(group) if group.least is None else group.most


def fixed(side: Side) -> Decimal | None:
    """The count of a workload that nothing scales, None where something does."""
    group = only_group(side)
    return None if group is None or scaled(side) or group.least is not None else _declared(group)


def _declared(group: PodGroup) -> Decimal:
    return Decimal(1) if group.replicas is None else group.replicas


def replayed(side: Side) -> Simulation | None:
    """The simulation of the side's autoscaler, None where no step could be computed."""
    simulation = side.simulation
    return None if simulation is None or np.isnan(simulation.wanted).all() else simulation
