"""Numbers out of the JSON of Prometheus, which writes them as `[time, "value"]` pairs."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from operator import itemgetter
from typing import Any

import numpy as np

from estimators.usage import Series

NOT_AN_ANSWER = "answered JSON that is not a Prometheus answer"
MALFORMED = (TypeError, ValueError, IndexError, KeyError, AttributeError)
"""What reading JSON of another shape raises."""


@contextmanager
def without_cycle_collector() -> Iterator[None]:
    """Millions of small lists, none of them in a cycle: looking for cycles would take half the time."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def usable(value: float) -> bool:
    """Whether it is a finite number from zero up: nothing we ask for can be negative."""
    return 0 <= value < np.inf


def on_grid(
    pairs: Sequence[tuple[float, str]], *, first: float, step: int, points: int
) -> tuple[Series, int]:
    """The pairs laid on a grid of `points` steps that begins at `first`; and how many were unusable."""
    seen = np.fromiter(map(float, map(itemgetter(1), pairs)), np.float64, len(pairs))
    unusable = ~((seen >= 0) & (seen < np.inf))
    seen[unusable] = np.nan
    dropped = int(unusable.sum())
    if seen.size == points:
        return seen, dropped
    times = np.fromiter(map(itemgetter(0), pairs), np.float64, len(pairs))
    place = np.rint((times - first) / step).astype(np.int64)
    inside = (place >= 0) & (place < points)
    values = np.full(points, np.nan)
    values[place[inside]] = seen[inside]
    return values, dropped


def side_by_side(
    parts: Iterable[tuple[int, Iterable[tuple[Mapping[str, str], Series]]]], points: int
) -> list[tuple[Mapping[str, str], Series]]:
    """One series of `points` steps for each set of labels, out of parts that begin at some step."""
    whole: dict[frozenset[tuple[str, str]], tuple[Mapping[str, str], Series]] = {}
    for first, rows in parts:
        for labels, values in rows:
            key = frozenset(labels.items())
            if key not in whole:
                whole[key] = (labels, np.full(points, np.nan))
            whole[key][1][first : first + values.size] = values
    return list(whole.values())


def samples_of(body: Mapping[str, Any]) -> tuple[int, int]:
    """How many samples the server processed for an answer and held at once; 0 where it does not say."""
    data = body.get("data")
    stats = data.get("stats") if isinstance(data, dict) else None
    samples = stats.get("samples") if isinstance(stats, dict) else None
    if not isinstance(samples, dict):
        return 0, 0
    processed, peak = samples.get("totalQueryableSamples"), samples.get("peakSamples")
    return processed if isinstance(processed, int) else 0, peak if isinstance(peak, int) else 0
