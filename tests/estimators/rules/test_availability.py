"""A fixed number of pods that falls."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimators.change import WorkloadChange
from estimators.report import Severity
from estimators.usage import WorkloadUsage
from tests.builders import autoscaler, change, container, fired, side, workload
from tests.usage_builders import container_usage, history

MEBI = 2**20


def scaled_down(
    old: int,
    new: int | None,
    seen: WorkloadUsage | None,
    requests: dict[str, str] | None = None,
    limits: dict[str, str] | None = None,
) -> WorkloadChange:
    """A change of `replicas` alone."""
    before, after = (
        side(workload(container(requests=requests, limits=limits), replicas=count)) for count in (old, new)
    )
    return change(before, after, seen)


@pytest.mark.parametrize(
    ("old", "new", "fires"),
    [(2, 1, True), (3, None, True), (3, 2, False), (1, 1, False), (0, 1, False), (2, 0, False)],
)
def test_one_pod_has_no_second(old: int, new: int | None, fires: bool) -> None:
    """A caution when the count falls to 1; absent replicas are 1."""
    found = fired(scaled_down(old, new, None), "single-replica")

    assert fires == bool(found)
    assert all(
        (item.severity, item.safe_value, item.path) == (Severity.CAUTION, "2", "spec.replicas")
        for item in found
    )


def test_taking_the_autoscaler_away_may_leave_one_pod() -> None:
    """The fewest pods were three."""
    before = side(workload(container(), replicas=None), autoscaler=autoscaler(3))

    assert fired(change(before, side(workload(container(), replicas=None))), "single-replica")


@pytest.mark.parametrize(
    ("cores", "old", "new", "requests", "limits", "safe"),
    [
        pytest.param(2.0, 4, 3, {"cpu": "1"}, {}, None, id="two pods carry two cores"),
        pytest.param(2.001, 4, 3, {"cpu": "1"}, {}, "4", id="two pods cannot carry more"),
        pytest.param(2.001, 3, 3, {"cpu": "1"}, {}, None, id="untouched"),
        pytest.param(2.001, 2, 3, {"cpu": "1"}, {}, None, id="raised, not enough"),
        pytest.param(2.001, 4, 3, {}, {"cpu": "1"}, "4", id="within the limit where nothing is requested"),
        pytest.param(9.0, 4, 3, {}, {}, None, id="nothing to hold it against"),
        pytest.param(0.9, 3, 1, {"cpu": "1"}, {}, None, id="one pod carries the peak"),
        pytest.param(1.1, 3, 1, {"cpu": "1"}, {}, "3", id="one pod cannot carry the peak"),
    ],
)
def test_with_one_pod_gone_the_rest_have_to_carry_the_peak(
    cores: float, old: int, new: int, requests: dict[str, str], limits: dict[str, str], safe: str | None
) -> None:
    """CPU in total, against the requests of the pods that are left."""
    seen = history(container_usage(cpu=cores, memory=0.0))
    found = fired(scaled_down(old, new, seen, requests, limits), "no-failover")

    assert [item.safe_value for item in found] == ([safe] if safe else [])
    assert all(item.severity is Severity.RISKY for item in found)


@pytest.mark.parametrize(("limit", "fires"), [("700Mi", False), ("699Mi", True)])
def test_memory_that_comes_with_load_is_shared_by_fewer_pods(limit: str, fires: bool) -> None:
    """Each of 3 pods holds 100 MiB and up to 200 more under load: one of two alone holds 100 + 600."""
    seen = history(
        container_usage(cpu=0.0, memory=np.array([100.0, 300.0] * 200) * MEBI, steps=400), replicas=3
    )

    assert fires == bool(fired(scaled_down(3, 2, seen, {}, {"memory": limit}), "no-failover"))


def test_without_history_no_failover_is_silent() -> None:
    """The verdict says unknown instead."""
    assert not fired(scaled_down(9, 2, None, {"cpu": "1m"}), "no-failover")


def test_an_autoscaler_that_goes_is_judged_by_its_maximum() -> None:
    """Up to ten pods before, two after."""
    pods = container(requests={"cpu": "1"})
    before = side(workload(pods, replicas=None), autoscaler=autoscaler(2, 10))
    after = side(workload(pods, replicas=2))

    [found] = fired(change(before, after, history(container_usage(cpu=5.0), replicas=5)), "no-failover")

    assert found.message == "with one of 2 pods gone the rest cannot carry the peak of 5 cores"
    assert (found.safe_value, found.evidence["old pods"]) == ("6", "10")


@given(
    cpu=st.floats(0, 50),
    idle=st.floats(1, 500),
    load=st.floats(1, 5),
    old=st.integers(2, 200),
    new=st.integers(1, 200),
    ran=st.integers(1, 20),
)
def test_a_safe_count_fails_over(cpu: float, idle: float, load: float, old: int, new: int, ran: int) -> None:
    """With it the rule is silent."""
    seen = history(
        container_usage(cpu=cpu, memory=np.array([idle, idle * load] * 5) * MEBI, steps=10), replicas=ran
    )
    parts: tuple[dict[str, str], dict[str, str]] = {"cpu": "500m"}, {"memory": "1Gi"}
    found = fired(scaled_down(old, new, seen, *parts), "no-failover")
    for item in (one for one in found if one.safe_value):
        assert not fired(scaled_down(old, int(item.safe_value), seen, *parts), "no-failover")
