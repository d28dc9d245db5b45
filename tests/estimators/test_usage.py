"""Series, windows and their ends."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from estimators.usage import (
    ContainerUsage,
    UsageSnapshot,
    Window,
    WorkloadKey,
    WorkloadUsage,
    coverage,
    last_hours,
    peak,
    percentile,
)

END = datetime(2026, 11, 16, tzinfo=UTC)
KEY = WorkloadKey("payments", "Deployment", "api")


def snapshot(steps: int = 288) -> UsageSnapshot:
    used = ContainerUsage(
        "main",
        np.arange(steps, dtype=float),
        np.arange(steps, dtype=float),
        oom_kills=2,
        oom_times=(END - timedelta(hours=20), END - timedelta(hours=1)),
    )
    window = Window(END - timedelta(seconds=300 * steps), END, 300)
    return UsageSnapshot(window, 30, {KEY: WorkloadUsage(KEY, np.full(steps, 3.0), (used,))})


def test_a_window_counts_back_from_the_end() -> None:
    """Two hours are the last 24 steps, and only kills within them count."""
    kept = last_hours(snapshot(), 2)
    [used] = kept.workloads[KEY].containers

    assert (kept.window.steps, used.cpu_cores.size, used.cpu_cores[0], used.oom_kills) == (24, 24, 264.0, 1)
    assert END - timedelta(hours=2) == kept.window.start


def test_a_shorter_snapshot_stays_as_it_is() -> None:
    """Asking for more than there is gives what there is."""
    whole = snapshot()

    assert last_hours(whole, 9999) is whole


@pytest.mark.parametrize(
    ("values", "share", "top"), [([1, 2, np.nan, 4], 0.75, 4.0), ([np.nan] * 3, 0.0, None), ([], 0.0, None)]
)
def test_gaps_are_not_values(values: list[float], share: float, top: float | None) -> None:
    """Coverage counts steps with data; a peak needs at least one."""
    series = np.array(values, dtype=float)

    assert (share, top) == (coverage(series), peak(series))
    assert (percentile(series, 50) is None) == (top is None)


def test_kills_without_times_are_kept_whole() -> None:
    """A count whose times are not known is never made smaller."""
    whole = snapshot()
    [used] = whole.workloads[KEY].containers
    untimed = replace(whole.workloads[KEY], containers=(replace(used, oom_times=()),))

    assert last_hours(replace(whole, workloads={KEY: untimed}), 2).workloads[KEY].containers[0].oom_kills == 2
