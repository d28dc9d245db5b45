"""The autoscaler, replayed."""

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from math import ceil

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimators.autoscaler_reader import read_horizontal
from estimators.hpa_simulation import Demand, simulate
from estimators.usage import Series
from estimators.workload import Autoscaler, ScalingPolicy, ScalingRules
from tests.yaml_objects import autoscaler, objects

STEP = 300


def scaler(least: int = 2, most: int = 10, target: int = 50) -> Autoscaler:
    found = read_horizontal(objects(autoscaler(least, most, target))[0])
    assert found is not None
    return found


def flat(value: float, steps: int = 288) -> Series:
    return np.full(steps, value)


def mean(
    found: Autoscaler, usage: Series, request: float, observed: Series | None = None, target: float = 50
) -> float:
    demand = Demand(usage, request, target)
    pods = flat(4, usage.size) if observed is None else observed
    return float(np.nanmean(simulate(found, [demand], pods, STEP).pods))


@pytest.mark.parametrize(
    ("usage", "request_cores", "pods"),
    [
        pytest.param(1.0, 0.5, 4, id="in balance it stays"),
        pytest.param(2.0, 0.5, 8, id="twice the load, twice the pods"),
        pytest.param(1.0, 1.0, 2, id="twice the request, half the pods"),
        pytest.param(1.0, 20.0, 2, id="never below the minimum"),
        pytest.param(9.0, 0.5, 10, id="never above the maximum"),
        pytest.param(1.05, 0.5, 4, id="within the tolerance nothing moves"),
    ],
)
def test_pods_follow_load_over_target(usage: float, request_cores: float, pods: int) -> None:
    """In the steady state replicas x request x target is the load."""
    result = simulate(scaler(), [Demand(flat(usage), request_cores, 50)], flat(4), STEP)

    assert pods == result.pods[-1]


@pytest.mark.parametrize(
    ("target", "percent_used", "pods"),
    [
        pytest.param(80, 88, 4, id="88 of 80 is 1.1 times"),
        pytest.param(80, 89, 5, id="89 of 80 is more"),
        pytest.param(70, 77, 4, id="77 of 70"),
        pytest.param(80, 72, 4, id="72 of 80 is 0.9 times"),
        pytest.param(80, 59, 3, id="59 of 80 is less"),
    ],
)
def test_a_tenth_above_or_below_the_target_is_within_the_tolerance(
    target: int, percent_used: int, pods: int
) -> None:
    """`1 - tolerance <= ratio <= 1 + tolerance`, compared as the controller compares them."""
    demand = Demand(flat(4 * percent_used / 100 + 0.001), 1.0, target)

    assert simulate(scaler(1), [demand], flat(4), STEP).pods[-1] == pods


@settings(max_examples=300)
@given(
    milli=st.integers(1, 40_000),
    unit=st.sampled_from([5, 10, 50, 100, 150, 250, 500, 1000]),
    pods=st.integers(1, 30),
    target=st.sampled_from([0, 50, 60, 70, 75, 80, 90]),
)
def test_pods_are_those_of_the_controllers_whole_numbers(
    milli: int, unit: int, pods: int, target: int
) -> None:
    """It counts in millicores; 0.29 cores of 29 pods with 200m are 5 %, though floats say 4.999."""
    if target:  # from here on the controller has floats, too
        share = 100 * milli // (pods * unit) / target
        expected = pods if 0.9 <= share <= 1.1 else ceil(pods * share)
    else:
        ratio = Fraction(milli, pods * unit)
        expected = pods if Fraction(9, 10) <= ratio <= Fraction(11, 10) else ceil(pods * ratio)
    demand = Demand(flat(milli / 1000, 1), unit / 1000, target)

    assert simulate(scaler(1, 100_000), [demand], flat(pods, 1), STEP).wanted[0] == expected


def test_what_cannot_have_been_measured_does_not_stop_it() -> None:
    """A counter that went wrong asks for the maximum."""
    assert simulate(scaler(), [Demand(flat(1e308), 1e-9, 50)], flat(4), STEP).pods[-1] == 10


def test_raising_the_request_twentyfold_does_not_multiply_the_reservation_by_twenty() -> None:
    """Under a utilisation target the count falls as the request rises."""
    load = 2.0 + np.sin(np.arange(4032) / 288 * 2 * np.pi)
    small, large = (mean(scaler(1, 200), load, request) * request for request in (0.1, 2.0))

    assert large < 2 * small


def test_it_goes_down_only_after_the_stabilisation_window() -> None:
    """The highest recommendation of the last 300 s holds."""
    load = np.concatenate([flat(2.0, 10), flat(0.5, 10)])
    result = simulate(scaler(), [Demand(load, 0.5, 50)], flat(8, 20), STEP)

    assert [*result.pods[9:12]] == [8, 8, 2]


def test_several_metrics_take_the_largest() -> None:
    """The controller follows the metric that asks for most."""
    demands = [Demand(flat(1.0), 0.5, 50), Demand(flat(60), 10)]

    assert simulate(scaler(), demands, flat(4), STEP).pods[-1] == 6


def test_a_failed_metric_forbids_going_down() -> None:
    """As in the controller, which only scales up while a metric cannot be read."""
    result = simulate(scaler(), [Demand(flat(0.25), 0.5, 50)], flat(4), STEP, failed=["memory"])

    assert result.pods[-1] == 4


def test_own_policies_limit_the_speed() -> None:
    """One pod in ten minutes: two steps for a pod."""
    slow = replace(scaler(), up=ScalingRules(0, (ScalingPolicy("Pods", Decimal(1), 600),)))
    result = simulate(slow, [Demand(flat(2.0, 6), 0.5, 50)], flat(2, 6), STEP)

    assert [*result.pods] == [3, 3, 4, 4, 5, 5]


def test_a_policy_counts_from_the_pods_at_the_start_of_its_period() -> None:
    """What went within the period may come back at once: the controller adds it to the start."""
    rules = ScalingRules(0, (ScalingPolicy("Pods", Decimal(1), 900),))
    slow_up = replace(scaler(1), up=rules, down=ScalingRules(0))
    load = np.array([2.0, 0.5, 2.0, 2.0, 2.0])
    result = simulate(slow_up, [Demand(load, 0.5, 50)], flat(8, 5), STEP)

    assert [*result.pods] == [8, 2, 8, 8, 8]


def test_pods_that_a_policy_holds_are_what_the_next_ratio_is_of() -> None:
    """Where nothing may go, a load within 10 % of what the held pods carry adds none."""
    held = replace(scaler(1, 30), down=ScalingRules(0, select="Disabled"))
    load = np.array([2.5, 0.5, 2.7, 2.7])
    result = simulate(held, [Demand(load, 0.5, 50)], flat(10, 4), STEP)

    assert [*result.pods] == [10, 10, 10, 10]


def test_a_gap_in_the_history_has_no_result() -> None:
    """Steps without usage are left out, not taken for idle."""
    load = np.where(np.arange(20) % 2, np.nan, 1.0)
    result = simulate(scaler(), [Demand(load, 0.5, 50)], flat(4, 20), STEP)

    assert np.isnan(result.pods).sum() == 10


loads = st.lists(st.floats(0, 50) | st.just(float("nan")), min_size=2, max_size=60).map(np.array)


@settings(max_examples=200, deadline=None)
@given(
    loads, st.integers(1, 8), st.integers(0, 8), st.integers(0, 20), st.floats(0.05, 4), st.integers(5, 120)
)
def test_expected_is_monotone_in_the_minimum_and_within_the_bounds(
    load: Series, least: int, more: int, room: int, request: float, target: int
) -> None:
    """A higher minReplicas never means fewer pods, and the mean lies between min and max."""
    most = least + more + room
    low, high = (
        simulate(scaler(bound, most, target), [Demand(load, request, target)], flat(4, load.size), STEP).pods
        for bound in (least, least + more)
    )
    assert np.array_equal(np.isnan(low), np.isnan(high))
    seen = low[~np.isnan(low)]
    assert not seen.size or (least <= seen.min() and seen.max() <= most)
    assert bool(np.all(np.nan_to_num(high) >= np.nan_to_num(low)))


@settings(max_examples=100, deadline=None)
@given(loads, st.integers(1, 20), st.integers(1, 20), st.integers(30, 900))
def test_policies_keep_it_monotone_too(load: Series, least: int, more: int, period: int) -> None:
    """Rate limits start from where the pods are."""
    rules = ScalingRules(
        0, (ScalingPolicy("Percent", Decimal(50), period), ScalingPolicy("Pods", Decimal(2), period))
    )
    low, high = (
        simulate(
            replace(scaler(bound, 60), up=rules, down=rules),
            [Demand(load, 0.5, 50)],
            flat(4, load.size),
            STEP,
        ).pods
        for bound in (least, least + more)
    )
    assert bool(np.all(np.nan_to_num(high) >= np.nan_to_num(low)))


@settings(max_examples=200, deadline=None)
@given(
    loads,
    st.integers(0, 8),
    st.integers(1, 20),
    st.integers(0, 1800),
    st.integers(0, 1800),
    st.sampled_from([0, 70]),
)
def test_one_metric_without_policies_is_replayed_as_all_others_are(
    load: Series, least: int, more: int, down: int, up: int, percent: int
) -> None:
    """Policies that never bind, and a second metric that asks for the same, take the long way."""
    plain = replace(
        scaler(least, least + more, 50), up=ScalingRules(up), down=ScalingRules(down), least=Decimal(least)
    )
    wide = (ScalingPolicy("Percent", Decimal(10**6), 15), ScalingPolicy("Pods", Decimal(10**6), 15))
    limited = replace(plain, up=ScalingRules(up, wide), down=ScalingRules(down, wide))
    demand = Demand(load, 0.5, percent)
    quick, long, double = (
        simulate(found, demands, flat(4, load.size), STEP)
        for found, demands in ((plain, [demand]), (limited, [demand]), (plain, [demand, demand]))
    )

    for other in (long, double):
        assert np.array_equal(quick.pods, other.pods, equal_nan=True)
        assert np.array_equal(quick.wanted, other.wanted, equal_nan=True)
