"""Ranges: their grid, their gaps, and how those that are too large are asked in parts."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from bot.adapters.prometheus_api import PrometheusApi
from bot.errors import PrometheusUnavailable
from tests.http_peer import Asked, Reply, error, peer

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def matrix(asked: Asked) -> Reply:
    """A series whose value is the time, present at every step that was asked but noon."""
    start, end, step = (int(asked.form[name][0]) for name in ("start", "end", "step"))
    noon = int(NOON.timestamp())
    values = [[moment, str(moment)] for moment in range(start, end + 1, step) if moment != noon]
    result = [{"metric": {"pod": "a"}, "values": values}]
    return Reply(json.dumps({"status": "success", "data": {"result": result}}).encode())


def test_a_range_lies_on_its_grid_with_nan_for_gaps() -> None:
    """Whatever is missing in the answer is missing in the series, and nothing moves."""
    start = NOON - timedelta(minutes=10)
    with peer(matrix) as (url, _):
        api = PrometheusApi(url)
        [series] = api.range("x", start=start, end=NOON + timedelta(minutes=14), step_seconds=300)
        api.close()
    expected = start.timestamp() + 300.0 * np.arange(5)
    expected[2] = np.nan
    np.testing.assert_array_equal(series.values, expected)


@pytest.mark.parametrize(
    "refusal",
    [
        error(422, "query processing would load too many samples into memory in query execution"),
        error(400, "exceeded maximum resolution of 11,000 points per timeseries"),
        Reply(b"{" + b" " * 300_000),
    ],
    ids=["samples", "points", "bytes"],
)
def test_a_range_that_is_too_large_is_asked_in_parts(refusal: Reply) -> None:
    """The parts together are what the whole would have been."""

    def script(asked: Asked) -> Reply:
        span = int(asked.form["end"][0]) - int(asked.form["start"][0])
        return refusal if span > 86_400 else matrix(asked)

    with peer(script) as (url, asked):
        api = PrometheusApi(url, max_bytes=200_000)
        [series] = api.range("x", start=NOON, end=NOON + timedelta(days=3), step_seconds=300)
        api.close()
    expected = NOON.timestamp() + 300.0 * np.arange(865)
    expected[0] = np.nan
    np.testing.assert_array_equal(series.values, expected)
    assert len(asked) == 7


def test_more_points_than_a_server_gives_are_never_asked_at_once() -> None:
    """11,000 a series is every server's limit; 60 days of 5 minutes are 17,281."""
    with peer(matrix) as (url, asked):
        api = PrometheusApi(url)
        [series] = api.range("x", start=NOON, end=NOON + timedelta(days=60), step_seconds=300)
        api.close()
    assert len(asked) == 2
    assert series.values.size == 17_281
    assert np.isnan(series.values).sum() == 1


def test_a_range_that_never_fits_gives_up() -> None:
    """Halving ends."""
    with (
        peer(lambda _: error(422, "too many samples")) as (url, asked),
        pytest.raises(PrometheusUnavailable, match="too many samples"),
    ):
        PrometheusApi(url).range("x", start=NOON, end=NOON + timedelta(days=1), step_seconds=300)
    assert len(asked) < 12
