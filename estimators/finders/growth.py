"""Whether memory grows for as long as a pod runs: a peak that was seen is then no bound for the next one."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from estimators.usage import Series

SHORTEST_DAYS = 2
"""A rise within less than this is a working day, or a cache that fills."""
UNDER_WAVES_DAYS = 7
"""Days whose peaks rise steadily for as long are a leak under the wave of each day."""
RESTART = 0.2
"""A fall by this share from one hour to the next is taken for pods that were started again."""
LEAST_GROWTH = 0.1
"""A rise over a run by less than this share of where it began is noise."""
STRAIGHT = 0.9
"""Correlation with time from which on a rise is called steady; a daily wave stays far below it."""


def growth_a_day(memory: Series, step_seconds: int) -> float | None:
    """Bytes a day by which the working set grows between restarts; None where it does not.

    Hourly peaks are cut into runs where they fall by a fifth. The run that rises fastest counts, of
    those that are two days long at least and rise steadily. So do the peaks of whole days over a week:
    where each day has a wave of its own, its hours rise and fall.
    """
    hours = peaks(memory, 3600 // step_seconds)
    slopes = [*_slopes(hours, 24, SHORTEST_DAYS), *_slopes(peaks(hours, 24), 1, UNDER_WAVES_DAYS)]
    return max(slopes, default=None)


def _slopes(values: Series, a_day: int, least_days: int) -> Iterator[float]:
    """Bytes a day of each run that is long enough and rises steadily; so many values are a day."""
    known = np.flatnonzero(~np.isnan(values))
    if known.size < least_days * a_day:
        return
    there = values[known]
    falls = np.flatnonzero(there[1:] < there[:-1] * (1 - RESTART)) + 1
    for start, end in pairwise([0, *falls.tolist(), there.size]):
        days = known[start:end] / a_day
        if days[-1] - days[0] >= least_days - 1 / a_day and (slope := _slope(days, there[start:end])):
            yield slope


def _slope(at: Series, values: Series) -> float | None:
    """Bytes a day of one run, None where it is flat or not steady; `at` is in days."""
    if np.ptp(values) == 0:
        return None
    days = float(at[-1] - at[0])
    straight = float(np.corrcoef(at, values)[0, 1])
    slope = float(np.polyfit(at, values, 1)[0])
    grown = slope * days / max(float(values[0]), 1.0)
    return slope if straight >= STRAIGHT and grown >= LEAST_GROWTH else None


def peaks(series: Series, steps: int) -> Series:
    """The highest of each so many values, NaN where none is known."""
    steps = max(steps, 1)
    whole = series[: series.size // steps * steps].reshape(-1, steps)
    seen = ~np.isnan(whole)
    highest: Series = np.where(seen, whole, -np.inf).max(axis=1, initial=-np.inf)
    return np.where(seen.any(axis=1), highest, np.nan)
