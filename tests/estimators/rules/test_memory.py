"""Memory limits and requests against the working set that was seen."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimators.change import WorkloadChange
from estimators.money import Range
from estimators.quantity import MIB, parse_quantity
from estimators.report import Severity
from estimators.rules.memory import MARGIN
from estimators.rules.words import memory_quantity, tidy_memory
from estimators.usage import WorkloadUsage
from tests.builders import change, container, fired, side, workload
from tests.usage_builders import END, container_usage, history

MEBI = 2**20
RULES = ("memory-limit-below-peak", "memory-limit-tight", "memory-request-below-usage", "oom-history")


def limits(
    old: str | None,
    new: str | None,
    seen: WorkloadUsage | None,
    request: str = "100Mi",
    pods: tuple[int, int] = (3, 3),
) -> WorkloadChange:
    """A change of the memory limit alone, and of the pod count where asked."""
    before, after = (
        side(
            workload(
                container(requests={"memory": request}, limits={"memory": limit} if limit else {}),
                replicas=count,
            )
        )
        for limit, count in zip((old, new), pods, strict=True)
    )
    return change(before, after, seen)


def requests(old: str | None, new: str | None, seen: WorkloadUsage | None) -> WorkloadChange:
    """A change of the memory request alone."""
    before, after = (
        side(workload(container(requests={"memory": request} if request else {}))) for request in (old, new)
    )
    return change(before, after, seen)


def peaked(mib: float, kills: int = 0) -> WorkloadUsage:
    """A working set that stood at `mib` all the time."""
    return history(container_usage(memory=mib * MEBI, oom_kills=kills))


@pytest.mark.parametrize(
    ("old", "new", "seen", "rule"),
    [
        pytest.param("1Gi", "599Mi", peaked(600), "memory-limit-below-peak", id="just below the peak"),
        pytest.param("1Gi", "600Mi", peaked(600), "memory-limit-tight", id="at the peak"),
        pytest.param("1Gi", "689Mi", peaked(600), "memory-limit-tight", id="just under 1.15 x the peak"),
        pytest.param("1Gi", "690Mi", peaked(600), None, id="1.15 x the peak"),
        pytest.param(None, "599Mi", peaked(600), "memory-limit-below-peak", id="a limit where there was none"),
        pytest.param("512Mi", "599Mi", peaked(600), "memory-limit-below-peak", id="raised, not enough"),
        pytest.param("512Mi", "689Mi", peaked(600), None, id="raised above the peak"),
        pytest.param("599Mi", "599Mi", peaked(600), None, id="untouched"),
        pytest.param("599Mi", None, peaked(600), None, id="the limit goes"),
        pytest.param("1Gi", "599Mi", None, None, id="no history"),
    ],
)  # fmt: skip
def test_a_new_limit_is_held_against_the_peak(
    old: str | None, new: str | None, seen: WorkloadUsage | None, rule: str | None
) -> None:
    """Below the peak it is risky, below 1.15 x it is a caution."""
    found = [
        item.rule
        for item in (*fired(limits(old, new, seen), RULES[0]), *fired(limits(old, new, seen), RULES[1]))
    ]

    assert found == ([rule] if rule else [])


@pytest.mark.parametrize(
    ("new", "tight"),
    [
        pytest.param("719Mi", True, id="just under 1.2 x"),
        pytest.param("720Mi", False, id="1.2 x the peak"),
    ],
)
def test_after_an_oom_kill_a_limit_has_to_rise_enough(new: str, tight: bool) -> None:
    """VPA's bump: 1.2 x the peak of 600 MiB, which is more than 100 MiB above it."""
    assert tight == bool(fired(limits("512Mi", new, peaked(600, kills=1)), "memory-limit-tight"))


@pytest.mark.parametrize(("new", "tight"), [("199Mi", True), ("200Mi", False)])
def test_after_an_oom_kill_a_small_container_gets_100_mib_more(new: str, tight: bool) -> None:
    """100 MiB is more than a fifth of 100 MiB."""
    assert tight == bool(fired(limits("110Mi", new, peaked(100, kills=1)), "memory-limit-tight"))


@pytest.mark.parametrize(
    ("old", "new", "fires"),
    [
        pytest.param("1Gi", "399Mi", True, id="just below the p95"),
        pytest.param("1Gi", "400Mi", False, id="at the p95"),
        pytest.param("300Mi", "350Mi", False, id="raised, still below"),
        pytest.param("300Mi", "300Mi", False, id="untouched"),
        pytest.param("1Gi", None, True, id="the request goes"),
    ],
)
def test_a_lower_request_is_held_against_the_p95(old: str | None, new: str | None, fires: bool) -> None:
    """96 % of the steps use 400 MiB, the rest 800 MiB: the p95 is 400 MiB."""
    used = np.full(1000, 400.0 * MEBI)
    used[:40] = 800.0 * MEBI

    assert fires == bool(
        fired(
            requests(old, new, history(container_usage(memory=used, steps=1000))),
            "memory-request-below-usage",
        )
    )


@pytest.mark.parametrize(
    ("old", "new", "kills", "pods", "fires"),
    [
        pytest.param("2Gi", "1Gi", 1, (3, 3), True, id="lowered"),
        pytest.param("2Gi", "2Gi", 1, (3, 2), True, id="kept, fewer pods"),
        pytest.param("2Gi", "2Gi", 1, (3, 3), False, id="kept, as many pods"),
        pytest.param("2Gi", "3Gi", 1, (3, 2), False, id="raised"),
        pytest.param("2Gi", "1Gi", 0, (3, 3), False, id="never killed"),
    ],
)
def test_what_was_oom_killed_gets_no_less(
    old: str, new: str, kills: int, pods: tuple[int, int], fires: bool
) -> None:
    """Neither a lower limit nor, at the same limit, more load a pod."""
    found = fired(limits(old, new, peaked(300, kills), pods=pods), "oom-history")

    assert fires == bool(found)
    assert all(item.severity is Severity.RISKY for item in found)


def test_an_oom_kill_before_the_window_does_not_count() -> None:
    """The metric that names the last kill outlives it; its timestamp tells."""
    before, within = END - timedelta(days=14, seconds=1), END - timedelta(days=14)
    old, new = (
        history(container_usage(memory=300.0 * MEBI, oom_kills=1, oom_times=(time,)))
        for time in (before, within)
    )
    assert not fired(limits("2Gi", "1Gi", old), "oom-history")
    assert fired(limits("2Gi", "1Gi", new), "oom-history")


def test_the_finding_says_what_was_seen_and_what_would_be_safe() -> None:
    """683 MiB x 1.15 is 786 MiB: 832Mi is the next round value."""
    [found] = fired(limits("1Gi", "512Mi", peaked(683)), "memory-limit-below-peak")

    assert found.path == "spec.template.spec.containers[0].resources.limits.memory"
    assert (found.source.file, found.source.line) == ("api.yaml", 9)
    assert found.message == "memory limit 512Mi is below the 683 MiB it peaked at"
    assert found.safe_value == "832Mi"
    assert found.evidence == {
        "container": "api",
        "old limit": "1Gi",
        "new limit": "512Mi",
        "peak": "683 MiB",
        "window": "14 days to 2026-11-16, 100 % measured",
    }


@given(
    peak=st.floats(1, 2**15),
    old=st.integers(1, 2**16),
    new=st.integers(1, 2**16),
    kills=st.integers(0, 3),
    pods=st.sampled_from([(3, 3), (3, 2)]),
)
def test_a_safe_limit_breaks_no_memory_rule(
    peak: float, old: int, new: int, kills: int, pods: tuple[int, int]
) -> None:
    """Whichever rule names it, and it is never below the peak."""
    seen = peaked(peak, kills)
    found = [
        item for rule in RULES for item in fired(limits(f"{old}Mi", f"{new}Mi", seen, "1Mi", pods), rule)
    ]
    for item in found:
        assert parse_quantity(item.safe_value) >= round(Decimal(peak * MEBI), 9)
        again = limits(f"{old}Mi", item.safe_value, seen, "1Mi", pods)
        assert not any(fired(again, rule) for rule in RULES)


@given(
    peak=st.floats(1, 2**15), spare=st.floats(0.1, 1), old=st.integers(1, 2**16), new=st.integers(1, 2**16)
)
def test_a_safe_request_is_not_below_usage(peak: float, spare: float, old: int, new: int) -> None:
    """It covers the peak, so it covers the p95."""
    seen = history(container_usage(memory=np.array([peak * MEBI] + [peak * spare * MEBI] * 99), steps=100))
    found = fired(requests(f"{old}Mi", f"{new}Mi", seen), "memory-request-below-usage")
    for item in found:
        assert parse_quantity(item.safe_value) >= round(Decimal(peak * MEBI), 9)
        assert not fired(requests(f"{old}Mi", item.safe_value, seen), "memory-request-below-usage")


@given(st.floats(1, 2**50))
def test_a_tidy_value_is_never_less_and_hardly_more(size: float) -> None:
    """At most 16 MiB or an eighth more, and the text says all of it."""
    tidy = tidy_memory(size)

    assert Decimal(size) <= tidy <= Decimal(size) * Decimal("1.126") + 16 * MIB
    assert parse_quantity(memory_quantity(tidy)) == tidy


def test_the_margin_is_the_one_in_the_documentation() -> None:
    """KRR's and Crane's."""
    assert Decimal("1.15") == MARGIN


def test_an_estimate_that_is_not_known_is_not_taken_for_fewer_pods() -> None:
    """Unknown is neither more nor less."""
    limited = workload(container(limits={"memory": "2Gi"}))
    judged = change(
        side(limited, pods=Range.exactly(Decimal(3))), side(limited, known=False), peaked(300, kills=1)
    )
    assert not fired(judged, "oom-history")


def test_a_safe_request_is_not_above_the_limit() -> None:
    """590 MiB at the peak would round up to 592Mi; the limit of 591Mi covers it."""
    before, after = (
        side(workload(container(requests={"memory": request}, limits={"memory": "591Mi"})))
        for request in ("591Mi", "1Mi")
    )
    [found] = fired(change(before, after, peaked(590)), "memory-request-below-usage")

    assert found.safe_value == "591Mi"


def test_kills_without_a_working_set_name_no_safe_value() -> None:
    """What was never measured cannot be sized."""
    unmeasured = history(container_usage(memory=float("nan"), oom_kills=1))
    [found] = fired(limits("2Gi", "1Gi", unmeasured), "oom-history")

    assert found.safe_value == ""
