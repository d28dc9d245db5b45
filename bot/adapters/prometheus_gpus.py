"""How busy GPUs were, as NVIDIA's dcgm-exporter tells it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bot.adapters.prometheus_api import RangeSeries
from bot.adapters.prometheus_discovery import GPU_METRICS
from bot.adapters.prometheus_queries import PREFIXES, Scope, own_labels, tagged
from estimators.usage import Series

_MEMORY = "DCGM_FI_DEV_FB_USED"
_SLICE = "GPU_I_ID"
"""The label that only slices have."""
_MIB = 1024 * 1024
_PERCENT = {"DCGM_FI_PROF_GR_ENGINE_ACTIVE": 1.0, "DCGM_FI_DEV_GPU_UTIL": 100.0}
"""What each metric says of a GPU that is busy all the time."""

Place = tuple[str, str, str]
"""A namespace, a pod and a device."""


@dataclass(frozen=True, slots=True)
class GpuSeries:
    """One GPU or slice that a pod held: `busy` from 0 to 1 and `memory` in bytes, per step."""

    namespace: str
    pod: str
    device: str
    busy: Series
    memory: Series


def gpu_vectors(scope: Scope, step_seconds: int) -> Iterator[str]:
    """Tagged vectors of the GPUs of pods. A pod label that is the exporter's own is left out."""
    for prefix in PREFIXES:
        pod = f'{prefix}pod!=""'
        foreign = () if prefix else ('container!~".*exporter.*"',)
        for metric in (*GPU_METRICS, _MEMORY):
            function = "max_over_time" if metric == _MEMORY else "avg_over_time"
            yield tagged(
                metric, f"{function}({scope.series(metric, prefix, pod, *foreign)}[{step_seconds}s])"
            )


def gpu_series(rows: Mapping[str, Sequence[RangeSeries]]) -> list[GpuSeries]:
    """The GPUs out of rows that begin a step early, one of each (pod, device).

    The share of time the graphics engine was busy is taken at every step that has it, else `GPU_UTIL`;
    but never of a MIG slice, for which that is not reported, or 0.
    """
    busy: dict[Place, Series] = {}
    for metric in reversed(GPU_METRICS):
        told = [row for row in rows.get(metric, ()) if metric == GPU_METRICS[0] or not row.labels.get(_SLICE)]
        for place, values in _by_place(told).items():
            share = values / _PERCENT[metric]
            busy[place] = np.where(np.isnan(share), busy[place], share) if place in busy else share
    memory = {place: values * _MIB for place, values in _by_place(rows.get(_MEMORY, ())).items()}
    return [
        GpuSeries(*place, values, memory.get(place, np.full(values.size, np.nan)))
        for place, values in busy.items()
    ]


def _by_place(rows: Iterable[RangeSeries]) -> dict[Place, Series]:
    """One series of each: an exporter that is replaced tells the rest of it as a new one."""
    found: dict[Place, Series] = {}
    for row in rows:
        place, values = _place(row), row.values[1:]
        found[place] = np.fmax(found[place], values) if place in found else values
    return found


def _place(row: RangeSeries) -> Place:
    own = own_labels(row.labels)
    device = f"{own.get('UUID', own.get('gpu', ''))}/{own.get(_SLICE, '')}"
    return own.get("namespace", ""), own.get("pod", ""), device
