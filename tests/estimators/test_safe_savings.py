"""What a safe value would still save."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from estimators.change import Side, WorkloadChange
from estimators.money import Range
from estimators.report import CostLine, Finding, Severity
from estimators.rules import judge
from estimators.safe_savings import SAVES, with_savings
from estimators.workload import Container
from tests.builders import RATES, autoscaler, change, container, side, workload
from tests.usage_builders import Quantities, container_usage, history

MEBI = 2**20


def priced(*containers: Container, pods: Range | int = 3, **fields: Any) -> Side:  # noqa: ANN401 - passed on
    """A side with the lines that its pods' cores and memory are charged by."""
    scaler = fields.pop("autoscaler", None)
    built = side(workload(*containers, **fields), pods=pods, autoscaler=scaler)
    assert built.estimate is not None
    pod, count = built.estimate.pod, built.estimate.replicas.count
    lines = tuple(
        CostLine(
            label, each, unit, count * each, price, f"{unit}-hour", count * (each * price * 730), "a test"
        )
        for label, each, unit, price in (
            ("cpu", pod.cpu_cores, "core", RATES.cpu_core_hour),
            ("memory", pod.memory_gib, "GiB", RATES.memory_gib_hour),
        )
        if each
    )
    return replace(built, estimate=replace(built.estimate, lines=lines))


def saved(judged: WorkloadChange, rule: str) -> str | None:
    """What the finding of that rule says its safe value saves."""
    found = {item.rule: item for item in with_savings(judged, judge(judged))}
    assert found[rule].safe_value
    return found[rule].evidence.get(SAVES)


def memory(
    old: tuple[Quantities, Quantities],
    new: tuple[Quantities, Quantities],
    **fields: Any,  # noqa: ANN401 - passed on
) -> WorkloadChange:
    """Requests and limits before and after, of a container that peaked at 682 MiB."""
    before, after = (priced(container(requests=asked, limits=most), **fields) for asked, most in (old, new))
    return change(before, after, history(container_usage(memory=682 * MEBI)))


def test_a_limit_that_stands_in_for_the_request_saves_what_its_safe_value_leaves() -> None:
    """(1024 - 832) Mi x 3 pods x 730 h x $0.004 a GiB-hour."""
    judged = memory(({}, {"memory": "1Gi"}), ({}, {"memory": "512Mi"}))

    assert saved(judged, "memory-limit-below-peak") == "1.64 USD"


def test_a_limit_beside_a_request_costs_nothing_and_saves_nothing() -> None:
    """Only requests are charged."""
    request: Quantities = {"memory": "400Mi"}
    judged = memory((request, {"memory": "1Gi"}), (request, {"memory": "512Mi"}))

    assert saved(judged, "memory-limit-below-peak") is None


def test_a_request_saves_over_the_expected_pods() -> None:
    """(1024 - 704) Mi x 4 of 2 to 9 pods x 730 h x $0.004 a GiB-hour."""
    pods = Range(Decimal(2), Decimal(4), Decimal(9))
    judged = memory(({"memory": "1Gi"}, {}), ({"memory": "256Mi"}, {}), pods=pods)

    assert saved(judged, "memory-request-below-usage") == "3.65 USD"


def test_a_safe_value_above_what_was_asked_for_saves_nothing() -> None:
    """It costs more than before: that is no reason to take it."""
    judged = memory(({"memory": "512Mi"}, {}), ({"memory": "256Mi"}, {}))

    assert saved(judged, "memory-request-below-usage") is None


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"pod_requests": {"memory": Decimal(2**31)}}, id="pod-level requests decide"),
        pytest.param(
            {"init_containers": (container("migrate", {"memory": "4Gi"}),)},
            id="an init container asks for more",
        ),
        pytest.param({"autoscaler": autoscaler(metric="memory")}, id="an autoscaler answers with more pods"),
    ],
)
def test_nothing_is_claimed_where_the_container_does_not_decide_the_cost(fields: dict[str, Any]) -> None:
    """The pod costs as much as before, or its count depends on the request."""
    judged = memory(({"memory": "1Gi"}, {}), ({"memory": "256Mi"}, {}), **fields)

    assert saved(judged, "memory-request-below-usage") is None


def test_other_findings_stay_as_they_are() -> None:
    """A finding about something else, and one without a safe value."""
    judged = memory(({"memory": "1Gi"}, {}), ({"memory": "256Mi"}, {}))
    path = "spec.template.spec.containers[0].resources.requests.memory"
    source = judged.side.workload.object.source
    others = (
        Finding("single-replica", Severity.CAUTION, "one replica", "spec.replicas", source, safe_value="2"),
        Finding("best-effort", Severity.INFO, "no request", path, source),
    )

    assert with_savings(judged, others) == others
