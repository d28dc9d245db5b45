"""What one day of one namespace comes down to: small enough to keep, enough for every question.

Per workload and container the totals a step, and a histogram of the CPU of single pods whose
buckets grow by 5 %, as those of the VPA recommender do (kubernetes/autoscaler,
vertical-pod-autoscaler/pkg/recommender/model), but from a millicore: the first of its own is 10m
wide, so that 11m would be told as 21m. Series are 32-bit: a memory peak of 1 GiB is kept to 64 bytes.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from estimators.usage import Series, WorkloadKey

Steps = NDArray[np.float32]

FIRST_BUCKET_CORES = 0.001
GROWTH = 1.05
_BOUNDS: Series = np.cumsum(FIRST_BUCKET_CORES * GROWTH ** np.arange(245, dtype=np.float64))
"""Upper ends of the buckets, in cores: 0.001, 0.00205, 0.0031525, ... up to over 3,000."""


@dataclass(frozen=True, slots=True)
class ContainerDay:
    """A day of one container name of a workload; units as in `estimators.usage.ContainerUsage`.

    `cpu_histogram` counts the steps of single pods per bucket. `throttled` and `periods` are CFS
    periods of the day, `oom_times` Unix seconds, `oom_events` kills that cAdvisor counted.
    """

    cpu: Steps
    memory: Steps
    cpu_histogram: Mapping[int, int]
    throttled: float = 0.0
    periods: float = 0.0
    oom_times: tuple[int, ...] = ()
    oom_events: int = 0


@dataclass(frozen=True, slots=True)
class GpuDay:
    """A day of a workload's GPUs; units as in `estimators.usage.GpuUsage`."""

    busy: Steps
    memory: Steps
    shared: bool


@dataclass(frozen=True, slots=True)
class Run:
    """A finished pod of a Job: `end` in Unix seconds."""

    job: str
    end: int
    seconds: float


@dataclass(frozen=True, slots=True)
class WorkloadDay:
    """A day of one workload."""

    replicas: Steps
    containers: Mapping[str, ContainerDay] = field(default_factory=dict)
    metrics: Mapping[str, Steps] = field(default_factory=dict)
    gpu: GpuDay | None = None
    runs: tuple[Run, ...] = ()


@dataclass(frozen=True, slots=True)
class DaySketch:
    """A day of one namespace. `known` is 1 at the steps in which Prometheus was scraping, else 0."""

    known: Steps
    workloads: Mapping[WorkloadKey, WorkloadDay]


def histogram(values: Series) -> dict[int, int]:
    """How many of `values` (cores, NaN left out) fall into each bucket."""
    seen = values[~np.isnan(values)]
    buckets, counts = np.unique(np.searchsorted(_BOUNDS, seen), return_counts=True)
    return dict(zip(buckets.tolist(), counts.tolist(), strict=True))


def histogram_percentiles(
    histograms: Iterable[Mapping[int, int]], percents: Iterable[int]
) -> dict[int, float]:
    """Cores at each percentile of all `histograms` together: the upper end of its bucket, as in VPA."""
    counts = np.zeros(_BOUNDS.size + 1)
    for one in histograms:
        counts[list(one)] += list(one.values())
    reached = np.cumsum(counts)
    if not reached[-1]:
        return {}
    places = {percent: np.searchsorted(reached, reached[-1] * percent / 100) for percent in percents}
    return {percent: float(_BOUNDS[min(place, _BOUNDS.size - 1)]) for percent, place in places.items()}


def encode(sketch: DaySketch) -> bytes:
    """The sketch as bytes: JSON that points into one matrix of series, compressed."""
    rows: list[Steps] = [sketch.known]

    def place(series: Steps) -> int:
        rows.append(series)
        return len(rows) - 1

    workloads = [
        {
            "key": list(key),
            "replicas": place(day.replicas),
            "containers": [
                {
                    "name": name,
                    "cpu": place(container.cpu),
                    "memory": place(container.memory),
                    "histogram": list(container.cpu_histogram.items()),
                    "throttled": container.throttled,
                    "periods": container.periods,
                    "oom_times": container.oom_times,
                    "oom_events": container.oom_events,
                }
                for name, container in day.containers.items()
            ],
            "metrics": {name: place(series) for name, series in day.metrics.items()},
            "gpu": day.gpu and [place(day.gpu.busy), place(day.gpu.memory), day.gpu.shared],
            "runs": [[run.job, run.end, run.seconds] for run in day.runs],
        }
        for key, day in sketch.workloads.items()
    ]
    matrix = np.asarray(rows, dtype="<f4")
    head = json.dumps({"steps": matrix.shape[1], "workloads": workloads}).encode()
    return zlib.compress(len(head).to_bytes(4, "little") + head + matrix.tobytes(), level=1)


def decode(payload: bytes) -> DaySketch:
    """The sketch that `encode` wrote. Raises ValueError for anything else."""
    try:
        raw = zlib.decompress(payload)
        size = int.from_bytes(raw[:4], "little")
        head = json.loads(raw[4 : 4 + size])
        matrix = np.frombuffer(raw, dtype="<f4", offset=4 + size).reshape(-1, head["steps"])
        workloads = {WorkloadKey(*row["key"]): _workload(row, matrix) for row in head["workloads"]}
        return DaySketch(matrix[0], workloads)
    except (zlib.error, TypeError, LookupError) as error:
        raise ValueError("not a sketch of a day") from error


def _workload(row: Mapping[str, Any], matrix: NDArray[np.float32]) -> WorkloadDay:
    gpu = row["gpu"]
    return WorkloadDay(
        replicas=matrix[row["replicas"]],
        containers={
            one["name"]: ContainerDay(
                cpu=matrix[one["cpu"]],
                memory=matrix[one["memory"]],
                cpu_histogram=dict(one["histogram"]),
                throttled=one["throttled"],
                periods=one["periods"],
                oom_times=tuple(one["oom_times"]),
                oom_events=one["oom_events"],
            )
            for one in row["containers"]
        },
        metrics={name: matrix[place] for name, place in row["metrics"].items()},
        gpu=gpu and GpuDay(matrix[gpu[0]], matrix[gpu[1]], gpu[2]),
        runs=tuple(Run(*run) for run in row["runs"]),
    )
