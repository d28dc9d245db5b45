"""A cluster day by day: what a trend, a projection and a sparkline are made of. Money in nano-units."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from estimators.usage import WorkloadKey


class WorkloadDay(NamedTuple):
    """What a workload, with the labels that it had, cost on a day: by itself, and its part in the idle."""

    workload: WorkloadKey
    labels: Mapping[str, str]
    direct: int
    idle: int


@dataclass(frozen=True, slots=True)
class DayCost:
    """The part of one UTC day that lies in a window, `[start, end)`: tenants + idle + control plane = bill.

    `covered` is the mean over its hours (0-1), an hour that is missing counting 0: below 1 the amounts
    are too low, and they are never stretched.
    """

    start: datetime
    end: datetime
    bill: int
    tenants: int
    idle: int
    control_plane: int
    covered: float
    workloads: tuple[WorkloadDay, ...]


@dataclass(frozen=True, slots=True)
class NodesDay:
    """What nodes cost on the part of one UTC day that lies in a window, `[start, end)`.

    `bill` is all of it, `idle` what nobody claimed, `gpu` what GPUs cost. `covered` is that of `DayCost`.
    """

    start: datetime
    end: datetime
    bill: int
    idle: int
    gpu: int
    covered: float
