"""How much history stands behind a row."""

from __future__ import annotations

import numpy as np
import pytest

from estimators.confidence import confidence
from estimators.report import Confidence
from estimators.usage import Series
from tests.usage_builders import STEPS_A_DAY, container_usage, history, window

HIGH, MEDIUM, LOW, NONE = Confidence.HIGH, Confidence.MEDIUM, Confidence.LOW, Confidence.NONE
NAN = float("nan")


def with_gaps(days: float, missing: float, *, late: float = 0) -> Series:
    """Data for so many days, a share of it missing here and there; the first sample `late` days in."""
    steps = round(days * STEPS_A_DAY)
    values = np.ones(steps)
    values[1 : int(steps * missing) * 2 : 2] = NAN
    values[: round(late * STEPS_A_DAY)] = NAN
    return values


@pytest.mark.parametrize(
    ("days", "missing", "expected"),
    [
        pytest.param(14, 0, HIGH, id="two weeks"),
        pytest.param(14, 0.05, HIGH, id="two weeks, 95 %"),
        pytest.param(14, 0.051, MEDIUM, id="two weeks, less"),
        pytest.param(13.9, 0, MEDIUM, id="just under two weeks"),
        pytest.param(7, 0.2, MEDIUM, id="a week, 80 %"),
        pytest.param(7, 0.201, LOW, id="a week, less"),
        pytest.param(6.9, 0, LOW, id="just under a week"),
        pytest.param(30, 0.3, LOW, id="a month, 70 %"),
    ],
)
def test_it_grows_with_length_and_coverage(days: float, missing: float, expected: Confidence) -> None:
    """14 days and 95 %, 7 days and 80 %."""
    values = with_gaps(days, missing)

    assert (
        confidence(history(container_usage(cpu=values, memory=values, steps=values.size)), window(days))
        is expected
    )


@pytest.mark.parametrize(
    ("late", "expected"),
    [
        pytest.param(1 / 24, HIGH, id="an hour late"),
        pytest.param(2 / 24, MEDIUM, id="two hours late"),
        pytest.param(7, MEDIUM, id="a week old"),
        pytest.param(8, LOW, id="six days old"),
    ],
)
def test_a_young_workload_counts_from_its_first_sample(late: float, expected: Confidence) -> None:
    """It covers all of its life, which is shorter than the window."""
    values = with_gaps(14, 0, late=late)

    assert confidence(history(container_usage(cpu=values, memory=values)), window()) is expected


def test_steps_without_pods_are_no_gaps() -> None:
    """A workload that is off at night has nothing to measure; one of unknown count has."""
    values = np.ones(14 * STEPS_A_DAY)
    values[1::2] = NAN
    used = container_usage(cpu=values, memory=values)

    assert confidence(history(used, replicas=np.where(np.isnan(values), 0.0, 1.0)), window()) is HIGH
    assert confidence(history(used, replicas=np.where(np.isnan(values), NAN, 1.0)), window()) is LOW


def test_the_container_with_the_least_data_decides() -> None:
    """So does the resource."""
    full, half = np.ones(14 * STEPS_A_DAY), with_gaps(14, 0.5)

    assert confidence(history(container_usage(), container_usage("b", memory=half)), window()) is LOW
    assert confidence(history(container_usage(cpu=full)), window()) is HIGH


@pytest.mark.parametrize(
    "steps", [pytest.param(0, id="an empty window"), pytest.param(10, id="a window without data")]
)
def test_without_usage_there_is_none(steps: int) -> None:
    """Not even low."""
    empty = np.full(steps, NAN)
    unseen = history(container_usage(cpu=empty, memory=empty, steps=steps), replicas=empty)

    assert confidence(unseen, window(1)) is NONE
    assert confidence(None, window()) is NONE
    assert confidence(history(), None) is NONE


def test_zeros_without_a_pod_are_no_history() -> None:
    """What never ran was never seen; where it ran half of the time, that half counts."""
    steps = 14 * STEPS_A_DAY
    off = np.zeros(steps)
    half = np.tile([0.0, 1.0], steps // 2)
    used = container_usage(cpu=half * 0.3, memory=half * 2**28)

    assert confidence(history(container_usage(cpu=0, memory=0), replicas=off), window()) is NONE
    assert confidence(history(used, replicas=half), window()) is HIGH
