"""How busy GPUs were, as NVIDIA's dcgm-exporter tells it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from bot.adapters.prometheus_api import RangeSeries
from bot.adapters.prometheus_discovery import GPU_METRICS
from bot.adapters.prometheus_queries import PREFIXES, Scope, own_labels, tagged
from estimators.usage import Series

_MEMORY = "DCGM_FI_DEV_FB_USED"
_MIB = 1024 * 1024
_PERCENT = {"DCGM_FI_PROF_GR_ENGINE_ACTIVE": 1.0, "DCGM_FI_DEV_GPU_UTIL": 100.0}
"""What each metric says of a GPU that is busy all the time."""


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

    The share of time the graphics engine was busy is taken where it is; `GPU_UTIL` is not
    reported, or 0, on MIG slices.
    """
    busy: dict[tuple[str, str, str], Series] = {}
    memory: dict[tuple[str, str, str], Series] = {}
    for metric in reversed(GPU_METRICS):
        for row in rows.get(metric, ()):
            busy[_place(row)] = row.values[1:] / _PERCENT[metric]
    for row in rows.get(_MEMORY, ()):
        memory[_place(row)] = row.values[1:] * _MIB
    return [
        GpuSeries(*place, values, memory.get(place, np.full(values.size, np.nan)))
        for place, values in busy.items()
    ]


def _place(row: RangeSeries) -> tuple[str, str, str]:
    own = own_labels(row.labels)
    device = f"{own.get('UUID', own.get('gpu', ''))}/{own.get('GPU_I_ID', '')}"
    return own.get("namespace", ""), own.get("pod", ""), device
