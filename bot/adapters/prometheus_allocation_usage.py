"""CPU, memory and GPU use of containers, hour by hour, out of few samples."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

import numpy as np
from numpy.typing import NDArray

from bot.adapters.prometheus_allocation_queries import (
    COARSE_AN_HOUR,
    FINE_AN_HOUR,
    HOUR_SECONDS,
    NAMESPACES,
)
from bot.adapters.prometheus_api import RangeSeries
from bot.adapters.prometheus_discovery import GPU_METRICS
from bot.adapters.prometheus_facts import ContainerPlace, Tagged, container_place
from bot.adapters.prometheus_ksm_samples import exact
from bot.adapters.prometheus_pods import CHANGED_BY_RESTART, merged
from bot.adapters.prometheus_queries import TAG, own_labels
from estimators.usage import Series

WHOLE = 0.999
"""A share of an hour from here on is the whole hour."""
_BUSY = {"DCGM_FI_PROF_GR_ENGINE_ACTIVE": 1.0, "DCGM_FI_DEV_GPU_UTIL": 100.0}
"""What each metric says of a GPU that is busy all the time."""

_CHANGED_BY_A_NEW_LIFE = CHANGED_BY_RESTART | {"node", "instance"}
"""Labels in which lives of containers of one name differ: a StatefulSet's pod may come back elsewhere."""


def memory_bytes(rows: Iterable[RangeSeries], named: Iterable[RangeSeries]) -> dict[ContainerPlace, Series]:
    """The mean working set of each hour, of the samples in the middle of every 5 minutes.

    `named` have means of hours, for those that lived between two of the samples.
    """
    means = {place: mean_an_hour(values, FINE_AN_HOUR) for place, values in merged(rows).items()}
    for place, values in merged(named).items():
        means[place] = np.where(np.isnan(means[place]), values, means[place]) if place in means else values
    return means


def mean_an_hour(values: Series, steps: int) -> Series:
    """The mean of each hour over the steps of it that have data, NaN where none has."""
    table = values.reshape(-1, steps)
    seen = ~np.isnan(table)
    counts = seen.sum(axis=1)
    means = np.full(len(table), np.nan)
    np.divide(np.where(seen, table, 0.0).sum(axis=1), counts, out=means, where=counts > 0)
    return means


def exact_mean(value: float) -> Decimal:
    """A mean of samples as a decimal, without the noise that adding them up leaves in the last digits."""
    return exact(float(f"{value:.12g}"))


def steps_seen(values: Series) -> Series:
    """How many of the 5-minute steps of each hour have data."""
    counted: Series = (~np.isnan(values)).reshape(-1, FINE_AN_HOUR).sum(axis=1).astype(np.float64)
    return counted


def scraped_steps(fine: Tagged, hours: int) -> Series:
    """How many of the 5-minute steps of each hour had a scrape; all of them where nothing tells."""
    rows = fine.get(NAMESPACES, ())
    if not rows:
        return np.full(hours, float(FINE_AN_HOUR))
    return steps_seen(np.fmax.reduce([row.values for row in rows]))


def cpu_core_hours(
    rows: Sequence[RangeSeries], named: Iterable[RangeSeries], lived: Mapping[ContainerPlace, Series]
) -> dict[ContainerPlace, Series]:
    """Core-hours used in each hour by each container, NaN where they were not measured.

    `rows` are counters at every quarter of an hour, `named` their last values within each hour, of
    those that ended. `lived` is the share of each hour in which a container ran.
    """
    counters: dict[frozenset[tuple[str, str]], tuple[Mapping[str, str], Series]] = {}
    for row in rows:
        counters[_key(row)] = (row.labels, row.values)
    for row in named:
        key = _key(row)
        points = np.full(row.values.size * COARSE_AN_HOUR + 1, np.nan)
        labels, known = counters.get(key, (row.labels, points))
        ends = known[COARSE_AN_HOUR::COARSE_AN_HOUR]
        filled = known.copy()
        filled[COARSE_AN_HOUR::COARSE_AN_HOUR] = np.where(np.isnan(ends), row.values, ends)
        counters[key] = (labels, filled)
    first_seen: dict[ContainerPlace, int] = {}
    found = []
    for labels, points in counters.values():
        seen = np.flatnonzero(~np.isnan(points))
        if seen.size:
            place = container_place(labels)
            first_seen[place] = min(first_seen.get(place, points.size), int(seen[0]))
            found.append((place, labels, points, seen))
    used = [
        RangeSeries(
            labels,
            _core_hours(
                points,
                seen,
                new=_is_new(int(seen[0]), first_seen[place], lived.get(place)),
                lived=lived.get(place),
            ),
        )
        for place, labels, points, seen in found
    ]
    return dict(merged(used, parts=_CHANGED_BY_A_NEW_LIFE))


def _key(row: RangeSeries) -> frozenset[tuple[str, str]]:
    return frozenset(item for item in row.labels.items() if item[0] != TAG)


def _is_new(first: int, first_of_container: int, lived: Series | None) -> bool:
    """Whether a counter that is first seen at a step began just before it, from 0.

    It did where the container ran earlier (this is after a restart), and where it did not run for the
    whole of that hour. Otherwise its scrapes had failed, and it may be weeks old.
    """
    if first == 0:
        return False
    return first > first_of_container or lived is None or lived[(first - 1) // COARSE_AN_HOUR] < WHOLE


def _core_hours(points: Series, seen: NDArray[np.intp], *, new: bool, lived: Series | None) -> Series:
    """The use of each hour out of a counter at every quarter; what was used in a gap is spread over it."""
    values = points[seen]
    steps = np.diff(values)
    steps = np.where(steps < 0, values[1:], steps)  # it was reset: counted from 0, as Prometheus does
    at, total = seen.astype(np.float64), np.concatenate(([0.0], np.cumsum(steps)))
    if new:
        at, total = np.concatenate(([at[0] - 1], at)), np.concatenate(([0.0], total + values[0]))
    if lived is not None and (end := _end_of_life(int(seen[-1]), lived)) > at[-1] and at.size > 1:
        rate = (total[-1] - total[-2]) / (at[-1] - at[-2])
        at, total = np.append(at, end), np.append(total, total[-1] + rate * (end - at[-1]))
    hours = np.arange(0, points.size, COARSE_AN_HOUR)
    used: Series = np.diff(np.interp(hours, at, total)) / HOUR_SECONDS
    return np.where((hours[1:] > at[0]) & (hours[:-1] < at[-1]), used, np.nan)


def _end_of_life(last: int, lived: Series) -> float:
    """The step at which a container that ran for the whole hour before ended, after the last that saw it.

    It is `last` where that is not known.
    """
    hour = last // COARSE_AN_HOUR
    if hour >= lived.size or not 0 < lived[hour] < WHOLE or (hour and lived[hour - 1] < WHOLE):
        return last
    end = (hour + lived[hour]) * COARSE_AN_HOUR
    return float(end) if last < end < last + 1 else last


def gpu_busy(rows: Tagged) -> dict[tuple[str, str], Series]:
    """How busy the GPUs of each pod (namespace, name) were in each hour (0-1), the mean over its GPUs.

    `GPU_UTIL` is used where the profiling metric is missing, but never of a MIG slice, for which it is
    not reported, or 0.
    """
    devices: dict[tuple[str, str], dict[str, Series]] = defaultdict(dict)
    for metric in reversed(GPU_METRICS):
        for row in rows.get(metric, ()):
            own = own_labels(row.labels)
            if metric != GPU_METRICS[0] and own.get("GPU_I_ID"):
                continue
            device = f"{own.get('UUID', own.get('gpu', ''))}/{own.get('GPU_I_ID', '')}"
            busy = np.minimum(1.0, row.values / _BUSY[metric])
            known = devices[own.get("namespace", ""), own.get("pod", "")]
            known[device] = np.where(np.isnan(busy), known[device], busy) if device in known else busy
    found = {}
    for pod, series in devices.items():
        table = np.array(list(series.values()))
        found[pod] = mean_an_hour(table.T.ravel(), len(table))
    return found
