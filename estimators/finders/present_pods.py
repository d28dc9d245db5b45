"""What one pod would have used had the pods that are declared now carried the load of the whole window.

A workload whose replicas were cut last week was seen mostly with more pods, each with less to do.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from estimators.finders.candidate import Candidate
from estimators.rules.observed import ContainerHistory
from estimators.rules.pods import fixed
from estimators.usage import Series, peak, percentile

SURGE_HOURS = 2
"""More pods for less than this are a rollout's."""


@dataclass(frozen=True, slots=True)
class PodUse:
    """One container of one pod, as it was measured and, where fewer pods run now, as it would have been."""

    seen: ContainerHistory
    lasting: ContainerHistory
    """The same without the surges of rollouts: old pods beside new ones are no load that is shared."""
    pods: float
    """How many share the load now, infinity where an autoscaler or the nodes decide."""

    def cpu(self, percent: int) -> Decimal | None:
        """What its CPU use stays under for `percent` % of the time, in cores."""
        shared = percentile(self.seen.cpu_shared_by(self.pods), percent)
        return _larger(self.seen.cpu_of_a_pod(percent), shared)

    @property
    def cpu_peak(self) -> Decimal | None:
        """The most it used in a step, in cores."""
        return _larger(self.seen.cpu_pod_peak, peak(self.seen.cpu_shared_by(self.pods)))

    @property
    def cpu_with_one_gone(self) -> Decimal | None:
        """What each of the rest would have used at the highest load with one pod gone, in cores.

        None where one pod is all there is, or nobody declares how many there are.
        """
        total = self.seen.cpu_total_peak
        known = 2 <= self.pods < np.inf and total is not None
        return total / (Decimal(self.pods) - 1) if known and total is not None else None

    @property
    def more_ran(self) -> float | None:
        """How many pods shared the load at the most, None where those of now did."""
        most = peak(self.lasting.replicas)
        return most if most is not None and most > self.pods else None

    @property
    def memory_peak(self) -> Decimal | None:
        """Its highest working set, in bytes."""
        return _larger(self.seen.memory_peak, peak(self.lasting.memory_shared_by(self.pods)))


def pod_use(candidate: Candidate, container: str) -> PodUse | None:
    """The use of one container, None where nothing is known of it."""
    usage, now = candidate.history.container(container), fixed(candidate.side)
    if usage is None:
        return None
    ran = candidate.history.replicas
    steady = lasting(ran, candidate.usage.window.step_seconds)
    return PodUse(
        ContainerHistory(usage, ran), ContainerHistory(usage, steady), float(now) if now else np.inf
    )


def lasting(replicas: Series, step_seconds: int) -> Series:
    """The pod counts without what rises above them for a short time."""
    steps = max(SURGE_HOURS * 3600 // step_seconds, 1)
    if replicas.size < 2 * steps or np.nanmax(replicas, initial=0.0) == np.nanmin(replicas, initial=np.inf):
        return replicas
    known = np.where(np.isnan(replicas), np.inf, replicas)
    least = np.lib.stride_tricks.sliding_window_view(known, steps).min(axis=1)
    ends = np.pad(least, steps - 1, constant_values=-np.inf)
    most = np.lib.stride_tricks.sliding_window_view(ends, steps).max(axis=1)
    return np.where(np.isnan(replicas), np.nan, np.minimum(most, replicas))


def _larger(measured: Decimal | None, shared: float | None) -> Decimal | None:
    if measured is None or shared is None or Decimal(shared) <= measured:
        return measured
    return Decimal(shared).quantize(Decimal("1e-9")) if shared < 1e15 else Decimal(shared)
