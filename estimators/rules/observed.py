"""What rules ask of one container's history. Every answer is computed when first asked for, and once."""

from __future__ import annotations

from decimal import Decimal
from functools import cached_property, lru_cache
from typing import Generic, TypeVar

import numpy as np

from estimators.change import WorkloadChange
from estimators.usage import (
    ContainerUsage,
    Series,
    Window,
    WorkloadUsage,
    coverage,
    observed,
    peak,
    percentile,
    while_running,
)


class ContainerHistory:
    """Peaks and percentiles of one container: bytes for memory, cores of one pod for CPU."""

    def __init__(self, usage: ContainerUsage, replicas: Series) -> None:
        self._usage = usage
        self._replicas = replicas
        self._memory = while_running(usage.memory_peak_bytes, replicas)
        self._cpu = while_running(usage.cpu_cores, replicas)

    @cached_property
    def memory_peak(self) -> Decimal | None:
        """The highest working set of any pod."""
        return _exact(peak(self._memory))

    @cached_property
    def memory_least(self) -> Decimal | None:
        """The lowest the working set ever was: what a pod holds without load."""
        seen = observed(self._memory)
        return _exact(float(seen.min())) if seen.size else None

    @cached_property
    def memory_p95(self) -> Decimal | None:
        """What the working set stays under for 95 % of the steps."""
        return _exact(percentile(self._memory, 95))

    @cached_property
    def memory_coverage(self) -> float:
        """The share of steps with memory data."""
        return coverage(self._memory)

    @cached_property
    def memory_steps(self) -> int:
        """How many steps have memory data."""
        return int(np.count_nonzero(~np.isnan(self._memory)))

    @cached_property
    def cpu_total_peak(self) -> Decimal | None:
        """The highest CPU use of all pods together."""
        return _exact(peak(self._cpu))

    @cached_property
    def cpu_coverage(self) -> float:
        """The share of steps with CPU data."""
        return coverage(self._cpu)

    @cached_property
    def cpu_steps(self) -> int:
        """How many steps have CPU data."""
        return int(np.count_nonzero(~np.isnan(self._cpu)))

    @cached_property
    def cpu_p50(self) -> Decimal | None:
        """The median CPU use of one pod."""
        return self.cpu_of_a_pod(50)

    @cached_property
    def cpu_p95(self) -> Decimal | None:
        """What one pod's CPU use stays under for 95 % of the time."""
        return self.cpu_of_a_pod(95)

    @cached_property
    def cpu_pod_peak(self) -> Decimal | None:
        """The most one pod used in a step; pods that were measured apart may have used more."""
        seen = [peak(self._cpu_per_pod), *self._usage.cpu_pod_percentiles.values()]
        return _exact(max((value for value in seen if value is not None), default=None))

    @property
    def replicas(self) -> Series:
        """The pods that ran, per step."""
        return self._replicas

    @property
    def memory_series(self) -> Series:
        """The highest working set of any pod per step, in bytes; NaN where no pod ran."""
        return self._memory

    @property
    def cpu_series(self) -> Series:
        """The CPU use of one pod per step, in cores; NaN where no pod ran."""
        return self._cpu_per_pod

    def cpu_shared_by(self, pods: float | Series) -> Series:
        """The CPU use of one pod per step had no more than `pods` shared the load, in cores."""
        return self._cpu / np.minimum(np.where(self._replicas > 0, self._replicas, np.nan), pods)

    def memory_shared_by(self, pods: float | Series) -> Series:
        """The working set of each pod per step had no more than `pods` shared the load, in bytes.

        What a pod never went below stays with each of them, the rest is shared.
        """
        least = float(self.memory_least or 0)
        with np.errstate(invalid="ignore", divide="ignore"):
            each = least + (self._memory - least) * np.fmax(self._replicas / pods, 1.0)
        return np.where(np.isfinite(each), each, np.nan)

    @property
    def throttled(self) -> float:
        """Throttled periods over all periods, 0 where nothing was said of them."""
        return self._usage.throttled_ratio or 0.0

    @property
    def throttling_known(self) -> bool:
        """Whether anything was said of throttling: the kubelet counts it of containers with a CPU limit."""
        return self._usage.throttled_ratio is not None

    def kills(self, window: Window | None) -> int:
        """OOM kills within the window.

        The metric that names the last kill outlives it, so a kill whose known time lies outside
        is not counted.
        """
        times = self._usage.oom_times
        outside = sum(not window.start <= time < window.end for time in times) if window else 0
        return max(self._usage.oom_kills, len(times)) - outside

    def cpu_of_a_pod(self, percent: int) -> Decimal | None:
        """What one pod's CPU use stays under for `percent` % of the time.

        As the source measured pods apart, else of total / replicas per step.
        """
        measured = self._usage.cpu_pod_percentiles.get(percent)
        return _exact(percentile(self._cpu_per_pod, percent) if measured is None else measured)

    @cached_property
    def _cpu_per_pod(self) -> Series:
        running = np.where(self._replicas > 0, self._replicas, np.nan)
        return self._cpu / running


_NANO = Decimal("1e-9")
_LARGE = 1e15
"""From here on floats have no billionths, and `quantize` too few digits."""


def _exact(value: float | None) -> Decimal | None:
    """To a billionth, the resolution of a quantity: 0.4 cores are then 400m and not a trifle more."""
    if value is None:
        return None
    return Decimal(value).quantize(_NANO) if value < _LARGE else Decimal(value)


_It = TypeVar("_It")


class Same(Generic[_It]):
    """A cache key equal to itself alone: usage holds arrays, which have no hash and no plain equality."""

    __slots__ = ("it",)

    def __init__(self, it: _It) -> None:
        self.it = it

    def __hash__(self) -> int:
        return id(self.it)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Same) and self.it is other.it


def history_of(change: WorkloadChange, container: str) -> ContainerHistory | None:
    """The history of the workload's container of that name, None where there is none."""
    return _history(Same(change.history), container) if change.history else None


@lru_cache(maxsize=32)  # The rules judge one workload after the other; more would only hold memory.
def _history(workload: Same[WorkloadUsage], container: str) -> ContainerHistory | None:
    usage = workload.it.container(container)
    return ContainerHistory(usage, workload.it.replicas) if usage else None


def window_of(change: WorkloadChange) -> Window | None:
    """The window that was asked for, None without live facts."""
    return change.cluster.usage.window if change.cluster.usage else None
