"""Autoscalers: bounds the load does not fit in, and targets that cannot be computed."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimators.change import Side, Simulation, WorkloadChange
from estimators.report import Severity
from estimators.usage import Series
from estimators.workload import Autoscaler, MetricType, ScalingMetric, TargetType
from tests.builders import autoscaler, change, container, fired, side, workload
from tests.usage_builders import container_usage, history

CAUTION, RISKY = Severity.CAUTION, Severity.RISKY


def wanting(wanted: Series, scaler: Autoscaler) -> Side:
    """A workload that would have kept the wanted count within its bounds."""
    pods = np.clip(wanted, float(scaler.least), float(scaler.most))
    return side(
        workload(container(requests={"cpu": "500m"}), replicas=None),
        autoscaler=scaler,
        simulation=Simulation(pods=pods, wanted=wanted),
    )


def rescaled(old: Autoscaler, new: Autoscaler, wanted: Series) -> WorkloadChange:
    """The same demand under other bounds."""
    seen = history(container_usage(steps=wanted.size), replicas=3)
    return change(wanting(wanted, old), wanting(wanted, new), seen)


def demand(steps: int, high: int, much: float, little: float = 2) -> Series:
    """`little` pods but for `high` of the steps, scattered evenly."""
    wanted = np.full(steps, float(little))
    wanted[np.linspace(0, steps - 1, high).astype(int)] = much
    return wanted


@pytest.mark.parametrize(
    ("high", "old", "new", "severity"),
    [
        pytest.param(10, 20, 10, None, id="1 % of the window"),
        pytest.param(11, 20, 10, CAUTION, id="more than 1 %"),
        pytest.param(50, 20, 10, CAUTION, id="5 %"),
        pytest.param(51, 20, 10, RISKY, id="more than 5 %"),
        pytest.param(51, 20, 15, None, id="what is wanted is allowed"),
        pytest.param(51, 10, 10, None, id="untouched"),
        pytest.param(51, 8, 10, None, id="raised, not enough"),
        pytest.param(1000, 12, 8, RISKY, id="lowered where it stood at it all the time"),
        pytest.param(1000, 12, 12, None, id="untouched where it stands at it all the time"),
    ],
)
def test_a_maximum_below_the_demand_is_found(
    high: int, old: int, new: int, severity: Severity | None
) -> None:
    """1,000 steps of which `high` want 15 pods."""
    judged = rescaled(autoscaler(2, old), autoscaler(2, new), demand(1000, high, 15))

    assert [item.severity for item in fired(judged, "hpa-ceiling")] == ([severity] if severity else [])


def test_the_safe_maximum_and_the_evidence_are_named() -> None:
    """On the autoscaler's own line."""
    [found] = fired(rescaled(autoscaler(2, 20), autoscaler(2, 10), demand(1000, 51, 15)), "hpa-ceiling")

    assert (found.path, found.source.file, found.safe_value) == ("spec.maxReplicas", "scaler.yaml", "15")
    assert found.message == "it wants more than 10 pods for 5.1 % of the time"
    assert found.evidence["wanted at the most"] == "15 pods"


def test_a_lower_target_may_reach_the_maximum() -> None:
    """Nothing but the demand changed."""
    scaler = autoscaler(2, 10)
    seen = history(container_usage(steps=1000), replicas=3)
    judged = change(wanting(demand(1000, 100, 9), scaler), wanting(demand(1000, 100, 14), scaler), seen)

    assert fired(judged, "hpa-ceiling")


def test_without_a_simulation_the_pods_that_ran_stand_in() -> None:
    """A maximum below what already ran is too low, whatever the metric."""
    old, new = (
        side(workload(container(), replicas=None), autoscaler=autoscaler(2, most)) for most in (20, 10)
    )
    [found] = fired(change(old, new, history(replicas=15)), "hpa-ceiling")

    assert found.evidence["counted from"] == "the pods that ran"


@given(st.lists(st.integers(1, 40), min_size=1, max_size=300), st.integers(1, 40))
def test_a_safe_maximum_is_enough(wanted: list[int], most: int) -> None:
    """It is exceeded for no more than 1 % of the steps."""
    series = np.array(wanted, dtype=float)
    found = fired(rescaled(autoscaler(1, 50), autoscaler(1, most), series), "hpa-ceiling")
    for item in found:
        assert not fired(
            rescaled(autoscaler(1, 50), autoscaler(1, int(item.safe_value)), series), "hpa-ceiling"
        )


@pytest.mark.parametrize(
    ("old", "new", "fires"),
    [
        pytest.param(2, 1, True, id="to 1"),
        pytest.param(1, 0, True, id="to 0"),
        pytest.param(3, 2, False, id="to 2"),
        pytest.param(1, 1, False, id="untouched"),
        pytest.param(1, 2, False, id="raised"),
    ],
)
def test_a_minimum_below_two_is_risky(old: int, new: int, fires: bool) -> None:
    """It needs no history to know that one pod has no second."""
    before, after = (
        side(workload(container(requests={"cpu": "1"}), replicas=None), autoscaler=autoscaler(least))
        for least in (old, new)
    )
    found = fired(change(before, after), "hpa-floor")

    assert fires == bool(found)
    assert all(item.safe_value == "2" and item.how_to_know for item in found)


def test_an_autoscaler_in_place_of_three_replicas_may_go_to_one() -> None:
    """The fewest pods fall from 3 to 1 though no minimum was lowered."""
    before = side(workload(container(requests={"cpu": "1"}), replicas=3))
    after = side(workload(container(requests={"cpu": "1"}), replicas=None), autoscaler=autoscaler(1))

    assert fired(change(before, after), "hpa-floor")
    assert not fired(change(None, after), "hpa-floor")


@pytest.mark.parametrize(
    ("climbs", "to", "fires"),
    [
        pytest.param(2, 6, True, id="twice beyond 100 % of the requests"),
        pytest.param(1, 6, False, id="once"),
        pytest.param(2, 5, False, id="to 100 % of the requests"),
    ],
)
def test_a_minimum_has_to_carry_the_climbs_until_new_pods_are_there(
    climbs: int, to: int, fires: bool
) -> None:
    """Two pods at a target of 40 % carry what five would at their target: 5 x 0.4 = 2."""
    wanted = np.full(100, 2.0)
    wanted[[10, 60][:climbs]] = to
    found = fired(rescaled(autoscaler(4, target=40), autoscaler(2, target=40), wanted), "hpa-floor")

    assert [item.safe_value for item in found] == (["3"] if fires else [])


@given(st.lists(st.integers(1, 12), min_size=2, max_size=60), st.integers(1, 9), st.integers(20, 150))
def test_a_safe_minimum_carries_the_climbs(wanted: list[int], least: int, target: int) -> None:
    """With it the rule is silent."""
    series = np.array(wanted, dtype=float)
    old = autoscaler(10, 20, target=target)
    found = fired(rescaled(old, autoscaler(least, 20, target=target), series), "hpa-floor")
    for item in found:
        again = autoscaler(int(item.safe_value), 20, target=target)
        assert not fired(rescaled(old, again, series), "hpa-floor")


def sidecar_request(old: str | None, new: str | None, scaler: Autoscaler) -> WorkloadChange:
    """A second container whose CPU request changes."""
    sides = [
        side(
            workload(
                container(requests={"cpu": "1"}),
                container("proxy", {"cpu": amount} if amount else {}),
                replicas=None,
            ),
            autoscaler=scaler,
        )
        for amount in (old, new)
    ]
    return change(sides[0], sides[1])


ONE_CONTAINER = autoscaler(
    metrics=(ScalingMetric(MetricType.CONTAINER, "cpu", TargetType.UTILIZATION, Decimal(70), "api"),)
)
AVERAGE = autoscaler(
    metrics=(ScalingMetric(MetricType.RESOURCE, "cpu", TargetType.AVERAGE_VALUE, Decimal(1)),)
)


@pytest.mark.parametrize(
    ("old", "new", "scaler", "fires"),
    [
        pytest.param("100m", None, autoscaler(), True, id="taken away"),
        pytest.param("100m", "0", autoscaler(), True, id="zero"),
        pytest.param("100m", "1m", autoscaler(), False, id="there"),
        pytest.param(None, None, autoscaler(), False, id="untouched"),
        pytest.param("100m", None, ONE_CONTAINER, False, id="a metric of the other container"),
        pytest.param("100m", None, AVERAGE, False, id="an average value needs no request"),
        pytest.param("100m", None, autoscaler(metric="memory"), False, id="lacking before already"),
    ],
)
def test_a_utilisation_target_needs_every_request(
    old: str | None, new: str | None, scaler: Autoscaler, fires: bool
) -> None:
    """Sidecars too."""
    found = fired(sidecar_request(old, new, scaler), "hpa-cannot-scale")

    assert fires == bool(found)
    assert all("containers[1].resources.requests.cpu" in item.path for item in found)


def test_the_safe_request_is_what_was_used() -> None:
    """The p95 for CPU, the peak for memory."""
    seen = history(container_usage(cpu=1.2, memory=300 * 2**20))
    before = side(
        workload(container(requests={"cpu": "1", "memory": "1Gi"}), replicas=None), autoscaler=autoscaler()
    )
    metrics = (*autoscaler().metrics, *autoscaler(metric="memory").metrics)
    after = side(workload(container(), replicas=None), autoscaler=autoscaler(metrics=metrics))

    found = fired(change(before, after, seen), "hpa-cannot-scale")

    assert [item.safe_value for item in found] == ["400m", "304Mi"]


@pytest.mark.parametrize(
    ("old", "new", "fires"),
    [
        pytest.param((2, 10), (5, 5), True, id="min = max"),
        pytest.param((2, 10), (5, 4), True, id="min > max"),
        pytest.param((2, 10), (5, 6), False, id="room for one"),
        pytest.param((5, 5), (5, 5), False, id="untouched"),
        pytest.param(None, (5, 5), True, id="new"),
    ],
)
def test_equal_bounds_leave_nothing_to_scale(
    old: tuple[int, int] | None, new: tuple[int, int], fires: bool
) -> None:
    """And a minimum above the maximum is refused by the API server."""
    pods = workload(container(requests={"cpu": "1"}), replicas=None)
    before = side(pods, autoscaler=autoscaler(*old)) if old else None
    found = fired(change(before, side(pods, autoscaler=autoscaler(*new))), "hpa-cannot-scale")

    assert [item.safe_value for item in found] == (["6"] if fires else [])


SCALER = autoscaler()


@pytest.mark.parametrize(
    ("old", "new", "fires"),
    [
        pytest.param((3, SCALER), (5, SCALER), True, id="the count changes"),
        pytest.param((None, SCALER), (3, SCALER), True, id="the count comes"),
        pytest.param((3, None), (3, SCALER), True, id="the autoscaler comes"),
        pytest.param((3, SCALER), (3, SCALER), False, id="untouched"),
        pytest.param((3, SCALER), (0, SCALER), False, id="switched off"),
        pytest.param((3, SCALER), (None, SCALER), True, id="the count goes"),
        pytest.param((3, None), (None, SCALER), True, id="handed over"),
        pytest.param((1, None), (None, SCALER), False, id="handed over from one"),
        pytest.param((3, SCALER), (3, None), False, id="the autoscaler goes"),
    ],
)
def test_replicas_and_an_autoscaler_do_not_go_together(
    old: tuple[int | None, Autoscaler | None], new: tuple[int | None, Autoscaler | None], fires: bool
) -> None:
    """Each apply resets the count, and taking it out resets it once."""
    before, after = (
        side(workload(container(requests={"cpu": "1"}), replicas=count), autoscaler=scaler)
        for count, scaler in (old, new)
    )
    assert fires == bool(fired(change(before, after), "replicas-with-hpa"))


def test_keda_has_field_names_of_its_own() -> None:
    """A finding names the field that is there."""
    scaler = replace(autoscaler(4, 4), event_driven=True)
    pods = workload(container(requests={"cpu": "1"}), replicas=None)

    [found] = fired(change(None, side(pods, autoscaler=scaler)), "hpa-cannot-scale")

    assert found.path == "spec.maxReplicaCount"


def test_an_autoscaler_that_is_switched_off_is_not_judged() -> None:
    """`replicas: 0` is exact."""
    off = side(workload(container(), replicas=0), autoscaler=autoscaler(5, 5))

    assert not any(
        fired(change(None, off), rule)
        for rule in ("hpa-cannot-scale", "hpa-floor", "hpa-ceiling", "replicas-with-hpa")
    )


def test_a_request_of_the_pod_is_enough_for_a_target() -> None:
    """Pod-level requests stand in for those of the containers."""
    requests = container(requests={"cpu": "1"}).requests
    after = side(workload(container(), replicas=None, pod_requests=requests), autoscaler=autoscaler())

    assert not fired(change(None, after), "hpa-cannot-scale")
