"""A snapshot is cut to the days in which its cluster was watched."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import numpy as np
import pytest

from estimators.known_stretch import known_stretch
from estimators.usage import Series, UsageSnapshot, WorkloadUsage
from tests.recommendation_builders import usage
from tests.usage_builders import END, STEPS_A_DAY, snapshot

DAYS = 35
LEAST = 14


def watched(*spans: tuple[float, float]) -> UsageSnapshot:
    """35 days of one workload each, which was measured in the spans of days from the window's start."""
    return snapshot(*(_measured(span, f"w{at}") for at, span in enumerate(spans)), steps=DAYS * STEPS_A_DAY)


def _measured(span: tuple[float, float], name: str) -> WorkloadUsage:
    values: Series = np.full(DAYS * STEPS_A_DAY, np.nan)
    values[int(span[0] * STEPS_A_DAY) : int(span[1] * STEPS_A_DAY)] = 0.3
    return usage(name, cpu=values, memory=values, replicas=values, steps=DAYS * STEPS_A_DAY)


@pytest.mark.parametrize(
    ("spans", "days"),
    [
        ([(0, 35)], 35),
        ([(20, 35)], 15),
        ([(19.5, 35)], 15.5),
        ([(30, 35)], 14),
        ([(20, 35), (5, 35)], 30),
        ([(0, 8), (16, 35)], 19),
        ([(0, 8), (8.5, 35)], 35),
        ([(0, 35), (0, 0)], 35),
        ([(0, 0)], 14),
        ([], 14),
    ],
    ids=[
        "all of it",
        "Prometheus keeps 15 days",
        "from noon on",
        "never less than asked for",
        "the workload that was there longest counts",
        "after a week without a scrape",
        "an outage of half a day",
        "a workload without data does not count",
        "nothing was measured",
        "no workload",
    ],
)
def test_the_window_begins_where_watching_began(spans: list[tuple[float, float]], days: float) -> None:
    """And every series is as long as the window."""
    cut = known_stretch(watched(*spans), LEAST)

    assert cut.window.end == END
    assert cut.window.days == days
    assert {one.replicas.size for one in cut.workloads.values()} <= {cut.window.steps}


def test_a_snapshot_that_is_shorter_stays_as_it_is() -> None:
    """Of a week, or of half a day."""
    for steps in (7 * STEPS_A_DAY, STEPS_A_DAY // 2):
        short = snapshot(usage(steps=steps), steps=steps)
        assert known_stretch(short, LEAST) is short


def test_the_end_of_a_window_that_is_not_whole_days_is_what_counts() -> None:
    """The odd hours at its start are kept with the rest."""
    steps = 20 * STEPS_A_DAY + 6
    whole = snapshot(usage(steps=steps), steps=steps)
    assert known_stretch(whole, LEAST) is whole

    values = np.full(steps, 0.3)
    values[: 6 + STEPS_A_DAY] = np.nan
    late = snapshot(usage(cpu=values, memory=values, replicas=values, steps=steps), steps=steps)
    assert known_stretch(late, LEAST).window.end - known_stretch(late, LEAST).window.start == timedelta(
        days=19
    )


def test_an_out_of_memory_kill_from_before_is_not_forgotten() -> None:
    """It was known, though nothing else was of that day."""
    whole = watched((20, 35))
    [(key, workload)] = whole.workloads.items()
    [container] = workload.containers
    killed = replace(container, oom_kills=2, oom_times=(END - timedelta(days=40), END - timedelta(days=1)))
    whole = replace(whole, workloads={key: replace(workload, containers=(killed,))})

    [cut] = known_stretch(whole, LEAST).workloads[key].containers
    assert (cut.oom_kills, cut.oom_times) == (killed.oom_kills, killed.oom_times)
    assert cut.cpu_cores.size == 15 * STEPS_A_DAY
