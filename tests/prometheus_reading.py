"""Reading the known past as the product does, and seeing what was asked."""

from __future__ import annotations

from datetime import datetime

import numpy as np

from bot.adapters.prometheus_api import MAX_POINTS, PrometheusApi, RangeSeries, Sample
from bot.adapters.prometheus_usage import UsageHistory, read_usage
from bot.adapters.sketch_store import SketchStore
from estimators.usage import Window, WorkloadKey
from tests import prometheus_past as truth

WHOLE = Window(truth.BEGIN, truth.END, truth.STEP)
API = WorkloadKey("shop", "Deployment", "api")


class Recorder(PrometheusApi):
    """Remembers what it asked, and from when."""

    def __init__(self, url: str, **settings: object) -> None:
        super().__init__(url, **settings)  # type: ignore[arg-type]  # handed on
        self.asked: list[tuple[str, datetime]] = []

    def instant(self, query: str, *, at: datetime) -> list[Sample]:
        """As asked."""
        self.asked.append((query, at))
        return super().instant(query, at=at)

    def range(
        self, query: str, *, start: datetime, end: datetime, step_seconds: int, most_points: int = MAX_POINTS
    ) -> list[RangeSeries]:
        """As asked."""
        self.asked.append((query, start))
        return super().range(query, start=start, end=end, step_seconds=step_seconds, most_points=most_points)


def read(
    url: str,
    *namespaces: str,
    window: Window = WHOLE,
    store: SketchStore | None = None,
    kills_since: datetime | None = None,
    **settings: object,
) -> UsageHistory:
    """Read it as the product does."""
    api = Recorder(url, **settings)
    try:
        return read_usage(
            api, namespaces=namespaces or None, window=window, store=store, kills_since=kills_since
        )
    finally:
        api.close()


def same(one: UsageHistory, other: UsageHistory) -> None:
    """Both histories hold the same."""
    assert one.workloads.keys() == other.workloads.keys()
    for key, usage in one.workloads.items():
        np.testing.assert_array_equal(usage.replicas, other.workloads[key].replicas)
        for mine, its in zip(usage.containers, other.workloads[key].containers, strict=True):
            np.testing.assert_array_equal(mine.cpu_cores, its.cpu_cores)
            np.testing.assert_array_equal(mine.memory_peak_bytes, its.memory_peak_bytes)
            assert mine.oom_times == its.oom_times
            assert mine.cpu_pod_percentiles == its.cpu_pod_percentiles
        assert usage.runs == other.workloads[key].runs
