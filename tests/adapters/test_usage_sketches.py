"""Days as sketches: what goes in comes out, and percentiles are those of the values."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from bot.adapters.usage_sketches import (
    ContainerDay,
    DaySketch,
    GpuDay,
    Run,
    WorkloadDay,
    decode,
    encode,
    histogram,
    histogram_percentiles,
)
from estimators.usage import WorkloadKey

series = arrays.arrays(
    np.float32, 6, elements=st.one_of(st.floats(0, 2.0**60, width=32), st.just(float("nan")))
)
counts = st.dictionaries(st.integers(0, 245), st.integers(1, 10**6), max_size=5)
containers = st.builds(
    ContainerDay,
    series,
    series,
    counts,
    st.floats(0, 1e9),
    st.floats(0, 1e9),
    st.lists(st.integers(0, 2**40), max_size=3).map(tuple),
    st.integers(0, 9),
)
workloads = st.builds(
    WorkloadDay,
    series,
    st.dictionaries(st.text(max_size=8), containers, max_size=3),
    st.dictionaries(st.text(max_size=8), series, max_size=2),
    st.none() | st.builds(GpuDay, series, series, st.booleans()),
    st.lists(st.builds(Run, st.text(max_size=5), st.integers(0, 2**40), st.floats(0, 1e6)), max_size=2).map(
        tuple
    ),
)
keys = st.builds(WorkloadKey, st.text(max_size=5), st.text(max_size=5), st.text(max_size=5))
sketches = st.builds(DaySketch, series, st.dictionaries(keys, workloads, max_size=3))


def plain(value: object) -> object:
    """The same as something that compares, NaN and all."""
    if isinstance(value, np.ndarray):
        return value.tobytes()
    if hasattr(value, "__slots__") and not isinstance(value, tuple):
        return {name: plain(getattr(value, name)) for name in value.__slots__}
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, tuple):
        return [plain(item) for item in value]
    return value


@given(sketches)
def test_a_sketch_survives_being_stored(sketch: DaySketch) -> None:
    """Whatever the names, gaps and numbers."""
    assert plain(decode(encode(sketch))) == plain(sketch)


@given(st.binary(max_size=200))
def test_other_bytes_are_no_sketch(payload: bytes) -> None:
    """One error, whatever is wrong."""
    with pytest.raises(ValueError, match=r"."):
        decode(payload)


def test_a_truncated_sketch_is_refused() -> None:
    """As after a full disk."""
    payload = encode(DaySketch(np.zeros(6, np.float32), {}))
    with pytest.raises(ValueError, match=r"."):
        decode(payload[:-3])


@given(arrays.arrays(np.float64, st.integers(1, 300), elements=st.floats(0, 900)), st.integers(1, 100))
def test_a_percentile_is_within_its_bucket(values: np.ndarray, percent: int) -> None:
    """Never below the value of that rank, and above it by 5 % and a millicore at most."""
    exact = np.percentile(values, percent, method="inverted_cdf")
    found = histogram_percentiles([histogram(values)], [percent])[percent]
    assert exact <= found * (1 + 1e-9)
    assert found <= exact * 1.05 + 0.001001


@pytest.mark.parametrize("cores", [0.002, 0.005, 0.011, 0.02])
def test_a_small_container_is_not_told_to_be_twice_as_large(cores: float) -> None:
    """Most are: a limit of 20m is none too little for a use of 11m."""
    [found] = histogram_percentiles([histogram(np.full(100, cores))], [50]).values()
    assert cores <= found <= cores * 1.05 + 0.001


def test_histograms_add_up() -> None:
    """Days apart are as good as days together; gaps count nowhere, and nothing has no percentile."""
    first, second = np.array([0.1, np.nan, 0.2]), np.array([0.4, 0.8])
    apart = histogram_percentiles([histogram(first), histogram(second)], (50, 99))
    assert apart == histogram_percentiles([histogram(np.concatenate([first, second]))], (50, 99))
    assert histogram_percentiles([histogram(np.array([np.nan]))], (50,)) == {}
