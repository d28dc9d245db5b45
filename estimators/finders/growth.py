"""Whether memory grows for as long as a pod runs: a peak that was seen is then no bound for the next one."""

from __future__ import annotations

from itertools import pairwise

import numpy as np

from estimators.usage import Series

SHORTEST_DAYS = 2
"""A rise within less than this is a working day, or a cache that fills."""
RESTART = 0.2
"""A fall by this share from one hour to the next is taken for pods that were started again."""
LEAST_GROWTH = 0.1
"""A rise over a run by less than this share of where it began is noise."""
STRAIGHT = 0.9
"""Correlation with time from which on a rise is called steady; a daily wave stays far below it."""


def growth_a_day(memory: Series, step_seconds: int) -> float | None:
    """Bytes a day by which the working set grows between restarts; None where it does not.

    Hourly peaks are cut into runs where they fall by a fifth. The run that rises fastest counts, of
    those that are two days long at least and rise steadily.
    """
    hours = hourly_peaks(memory, step_seconds)
    known = np.flatnonzero(~np.isnan(hours))
    if known.size < SHORTEST_DAYS * 24:
        return None
    values = hours[known]
    falls = np.flatnonzero(values[1:] < values[:-1] * (1 - RESTART)) + 1
    slopes = [
        slope
        for start, end in pairwise([0, *falls.tolist(), values.size])
        if (slope := _slope(known[start:end], values[start:end])) is not None
    ]
    return max(slopes, default=None)


def _slope(hours: np.ndarray[tuple[int], np.dtype[np.int64]], values: Series) -> float | None:
    """Bytes a day of one run, None where it is short, flat or not steady."""
    days = (hours[-1] - hours[0]) / 24
    if days < SHORTEST_DAYS - 1 / 24 or np.ptp(values) == 0:
        return None
    straight = float(np.corrcoef(hours, values)[0, 1])
    slope = float(np.polyfit(hours, values, 1)[0]) * 24
    grown = slope * days / max(float(values[0]), 1.0)
    return slope if straight >= STRAIGHT and grown >= LEAST_GROWTH else None


def hourly_peaks(series: Series, step_seconds: int) -> Series:
    """The highest value of each whole hour, NaN for an hour without data."""
    steps = max(3600 // step_seconds, 1)
    whole = series[: series.size // steps * steps].reshape(-1, steps)
    seen = ~np.isnan(whole)
    highest: Series = np.where(seen, whole, -np.inf).max(axis=1, initial=-np.inf)
    return np.where(seen.any(axis=1), highest, np.nan)
