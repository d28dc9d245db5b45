"""The gaps in which a workload's GPUs do nothing, and how often work came back after one as long."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from estimators.usage import Series

BUSY = 0.01
"""A share of a step from which on a GPU works; what DCGM counts below is its own polling."""


@dataclass(frozen=True, slots=True)
class Gaps:
    """Idle spells of one workload, in hours.

    `closed` ended with work; `open` is the one that still lasts, 0 where it works just now.
    """

    closed: tuple[float, ...]
    open: float

    @property
    def longest(self) -> float:
        """The longest gap after which work came back, 0 where there was none."""
        return max(self.closed, default=0.0)

    def comes_back(self) -> float | None:
        """The chance that work comes back to a gap that has lasted this long, None where nothing tells.

        It is at most the share of gaps as long as this one, itself counted: were it one of those that
        end with work, it would be this rare among them. Without any gap before nothing can be said.
        """
        if not self.closed:
            return None
        as_long = sum(gap >= self.open for gap in self.closed)
        return (as_long + 1) / (len(self.closed) + 1)


def gaps(busy: Series, step_seconds: int) -> Gaps:
    """The gaps of a series of busy ratios. Steps without data end no gap and begin none."""
    known = busy[~np.isnan(busy)]
    if not known.size:
        return Gaps((), 0.0)
    working = np.flatnonzero(known > BUSY)
    hours = step_seconds / 3600
    if not working.size:
        return Gaps((), known.size * hours)
    between = np.diff(working) - 1
    return Gaps(
        closed=tuple(float(gap) * hours for gap in between[between > 0]),
        open=float(known.size - 1 - working[-1]) * hours,
    )
