"""What a week's digest tells beside the answer: GPUs that were held and idle, and what nobody owns."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from estimators.ownership import Owners
from estimators.showback import Charge, GroupBy, GroupKind, group_of


class GpuIdle(NamedTuple):
    """Hours of GPUs that workloads held and did not use, and what those cost in nano-units.

    Of the hours whose use was measured; the others are in neither.
    """

    hours: float
    cost: int


def gpu_idle(charged: Iterable[Charge]) -> GpuIdle | None:
    """What of the GPUs was held in vain; None where no use of a GPU was measured."""
    holders = [item.workload for item in charged if item.workload and item.workload.gpu_measured]
    if not holders:
        return None
    idle = [(item, max(item.gpu_measured - item.gpu_busy, 0.0)) for item in holders]
    cost = sum(item.gpu * hours / item.gpus for item, hours in idle if item.gpus)
    return GpuIdle(sum(hours for _, hours in idle), round(cost))


def gpu_measured_share(charged: Iterable[Charge]) -> float | None:
    """The share (0-1) of the GPU-hours held whose use was measured; None where none were held."""
    holders = [item.workload for item in charged if item.workload and item.workload.gpus]
    held = sum(item.gpus for item in holders)
    return sum(item.gpu_measured for item in holders) / held if held else None


def unallocated_share(charged: Iterable[Charge], owners: Owners) -> float | None:
    """The share of the bill (0-1) of workloads without a team; None where there is no bill.

    `charged` are all charges of all clusters.
    """
    team = group_of(GroupBy(GroupKind.TEAM), owners)
    bill = nobodys = 0
    for item in charged:
        cost = sum(item.parts)
        bill += cost
        nobodys += cost if item.workload and not item.group(team) else 0
    return nobodys / bill if bill else None
