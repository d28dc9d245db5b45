"""Pods on nodes, as arrays: how many of each workload on each node, and what they ask for there."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Amounts = NDArray[np.float64]
"""Cores, GiB, GPUs and pods along the last axis, or numbers of pods by node."""


@dataclass(slots=True)
class Packing:
    """Pods on nodes: `counts` by workload and node, `sizes` of one pod by workload, `used` by node.

    `daemons` is what DaemonSets ask for on each node: it goes with the node.
    """

    counts: Amounts
    sizes: Amounts
    used: Amounts
    daemons: Amounts
    alive: NDArray[np.bool_]

    def copy(self) -> Packing:
        """One that may be changed without this one."""
        return Packing(
            self.counts.copy(),
            self.sizes.copy(),
            self.used.copy(),
            self.daemons.copy(),
            self.alive.copy(),
        )

    def add(self, index: int, pods: Amounts) -> None:
        """Put pods of one workload on nodes, or take them away."""
        self.counts[index] += pods
        self.used += pods[:, None] * self.sizes[index]

    def resize(self, index: int, size: tuple[float, float, float, float]) -> None:
        """Make the pods of one workload larger or smaller where they are."""
        self.used += self.counts[index][:, None] * (np.array(size) - self.sizes[index])
        self.sizes[index] = size
