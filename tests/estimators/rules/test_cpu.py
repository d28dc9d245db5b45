"""CPU limits and requests against what one pod uses."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimators.change import WorkloadChange
from estimators.quantity import parse_quantity
from estimators.report import Severity
from estimators.rules.words import cpu_quantity, tidy_cores
from estimators.usage import WorkloadUsage
from tests.builders import autoscaler, change, container, fired, side, workload
from tests.usage_builders import container_usage, history

CAUTION, RISKY = Severity.CAUTION, Severity.RISKY


def of(
    part: str, old: str | None, new: str | None, seen: WorkloadUsage | None, *, scaled: bool = False
) -> WorkloadChange:
    """A change of the CPU limit or request alone."""
    before, after = (
        side(
            workload(container(**{part: {"cpu": amount} if amount else {}})),  # type: ignore[arg-type]
            autoscaler=autoscaler() if scaled else None,
        )
        for amount in (old, new)
    )
    return change(before, after, seen)


def used(throttled: float | None = None) -> WorkloadUsage:
    """Two pods; each uses 0.4 cores in 90 % of the steps and 0.8 in 10 %: p50 0.4, p95 0.8."""
    cores = np.full(1000, 0.8)
    cores[:100] = 1.6
    return history(container_usage(cpu=cores, steps=1000, throttled_ratio=throttled), replicas=2)


@pytest.mark.parametrize(
    ("old", "new", "throttled", "severity"),
    [
        pytest.param("2", "800m", None, None, id="at the p95"),
        pytest.param("2", "799m", None, CAUTION, id="just below the p95"),
        pytest.param("2", "400m", None, CAUTION, id="at the median"),
        pytest.param("2", "399m", None, RISKY, id="just below the median"),
        pytest.param(None, "399m", None, RISKY, id="a limit where there was none"),
        pytest.param("2", "1900m", 0.25, None, id="throttled in 25 % of periods"),
        pytest.param("2", "1900m", 0.26, RISKY, id="throttled in 26 % of periods, lowered"),
        pytest.param("2", "3", 0.26, None, id="throttled, raised"),
        pytest.param("300m", "399m", None, None, id="raised, still below"),
        pytest.param("399m", "399m", 0.9, None, id="untouched"),
        pytest.param("399m", None, 0.9, None, id="the limit goes"),
    ],
)
def test_a_lower_limit_is_held_against_the_use_of_one_pod(
    old: str | None, new: str | None, throttled: float | None, severity: Severity | None
) -> None:
    """Below the p95 it slows peaks, below the median it slows half of the time."""
    found = fired(of("limits", old, new, used(throttled)), "cpu-limit-throttles")

    assert [item.severity for item in found] == ([severity] if severity else [])
    told = [item.evidence.get("throttled", "") for item in found]
    assert told == ([f"{throttled * 100:.0f} % of periods" if throttled else ""] if severity else [])


@pytest.mark.parametrize(
    ("old", "new", "scaled", "fires"),
    [
        pytest.param("1", "400m", False, False, id="at the median"),
        pytest.param("1", "399m", False, True, id="just below the median"),
        pytest.param("1", None, False, True, id="the request goes"),
        pytest.param("1", "399m", True, False, id="an autoscaler adds pods"),
        pytest.param("200m", "300m", False, False, id="raised, still below"),
        pytest.param("300m", "300m", False, False, id="untouched"),
    ],
)
def test_a_lower_request_is_held_against_the_median(
    old: str | None, new: str | None, scaled: bool, fires: bool
) -> None:
    """Unless an autoscaler would add pods."""
    assert fires == bool(fired(of("requests", old, new, used(), scaled=scaled), "cpu-request-below-usage"))


@pytest.mark.parametrize(
    ("part", "rule"), [("limits", "cpu-limit-throttles"), ("requests", "cpu-request-below-usage")]
)
def test_without_history_the_rules_are_silent(part: str, rule: str) -> None:
    """The verdict says unknown instead."""
    assert not fired(of(part, "2", "1m", None), rule)


def test_percentiles_that_were_measured_pod_by_pod_win_over_the_mean_pod() -> None:
    """One hot pod of ten: the mean pod uses 0.1 cores, the hot one 1."""
    seen = history(container_usage(cpu=1.0, cpu_pod_percentiles={50: 0.0, 95: 1.0}), replicas=10)

    [found] = fired(of("limits", "2", "900m", seen), "cpu-limit-throttles")

    assert found.severity is CAUTION
    assert found.safe_value == "1200m"
    assert found.evidence["p95"] == "1 core a pod"


def test_steps_without_pods_do_not_count() -> None:
    """Usage over no pods is no usage of a pod."""
    seen = history(container_usage(cpu=[0.0, 1.0], steps=2), replicas=[0, 1])

    [found] = fired(of("limits", "2", "999m", seen), "cpu-limit-throttles")

    assert found.evidence["median"] == "1 core a pod"


@given(
    calm=st.floats(0.001, 50),
    burst=st.floats(1, 10),
    throttled=st.sampled_from([None, 0.1, 0.9]),
    old=st.integers(1, 10**5),
    new=st.integers(1, 10**5),
    part=st.sampled_from([("limits", "cpu-limit-throttles"), ("requests", "cpu-request-below-usage")]),
)
def test_a_safe_value_does_not_break_its_own_rule(
    calm: float, burst: float, throttled: float | None, old: int, new: int, part: tuple[str, str]
) -> None:
    """Nor is it below the p95."""
    cores = np.array([calm * burst] * 10 + [calm] * 90)
    seen = history(container_usage(cpu=cores, steps=100, throttled_ratio=throttled), replicas=1)
    found = fired(of(part[0], f"{old}m", f"{new}m", seen), part[1])
    for item in found:
        assert parse_quantity(item.safe_value) >= round(Decimal(calm * burst), 9)
        assert not fired(of(part[0], f"{old}m", item.safe_value, seen), part[1])


@given(st.floats(0.0001, 1000))
def test_a_tidy_value_is_never_less(cores: float) -> None:
    """And the text says all of it."""
    tidy = tidy_cores(cores)

    assert Decimal(cores) <= tidy <= Decimal(cores) * Decimal("1.51") + Decimal("0.01")
    assert parse_quantity(cpu_quantity(tidy)) == tidy


def test_a_safe_request_is_not_above_the_limit() -> None:
    """The p95 of 800m would round up to 850m; the limit is 800m."""
    before, after = (
        side(workload(container(requests={"cpu": request}, limits={"cpu": "800m"})))
        for request in ("800m", "1m")
    )
    [found] = fired(change(before, after, used()), "cpu-request-below-usage")

    assert found.safe_value == "800m"
