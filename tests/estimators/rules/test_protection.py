"""Fields that somebody protected with a reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from estimators.change import Protection, Side
from estimators.report import Severity
from estimators.workload import Autoscaler
from tests.builders import autoscaler, change, container, fired, manifest, side, workload
from tests.usage_builders import TODAY

PROTECT = "tuppence.dev/protect"
WHY = {PROTECT: "INC-1234: died of memory in March"}
REQUESTS, LIMITS = {"cpu": "1", "memory": "1Gi"}, {"memory": "2Gi"}


def of(
    annotations: Mapping[str, str],
    *,
    replicas: int = 3,
    limits: Mapping[str, str] | None = None,
    requests: Mapping[str, str] | None = None,
    **fields: Any,  # noqa: ANN401 - passed on
) -> Side:
    """A workload with those annotations."""
    return side(
        workload(
            container(requests=requests or REQUESTS, limits=limits or LIMITS),
            thing=manifest(annotations=annotations),
            replicas=replicas,
        ),
        **fields,
    )


@pytest.mark.parametrize(
    ("after", "path"),
    [
        pytest.param({"limits": {"memory": "1Gi"}}, "spec.template.spec.containers[0].resources.limits.memory", id="limit"),
        pytest.param({"limits": {"memory": "4Gi"}}, "spec.template.spec.containers[0].resources.limits.memory", id="raised"),
        pytest.param({"requests": {"cpu": "2", "memory": "1Gi"}}, "spec.template.spec.containers[0].resources.requests.cpu", id="request"),
        pytest.param({"replicas": 2}, "spec.replicas", id="replicas"),
        pytest.param({"autoscaler": autoscaler()}, "spec", id="autoscaling"),
    ],
)  # fmt: skip
def test_a_protected_workload_is_not_changed(after: dict[str, Any], path: str) -> None:
    """Requests, limits, replicas and autoscaling, up or down."""
    [found] = fired(change(of(WHY), of(WHY, **after)), "protected")

    assert (found.severity, found.path) == (Severity.RISKY, path)
    assert found.message == "changes a protected field: INC-1234: died of memory in March"


@pytest.mark.parametrize(
    ("after", "message"),
    [
        pytest.param({"autoscaler": (WHY, 9)}, "changes a protected field", id="its bounds change"),
        pytest.param({}, "changes a protected field", id="it goes"),
        pytest.param({"autoscaler": ({}, 10)}, "takes the protection away", id="its annotation goes"),
        pytest.param({"autoscaler": (WHY, 10), "limits": {"memory": "1Gi"}}, "", id="something else changes"),
    ],
)
def test_an_autoscaler_may_carry_the_protection_of_the_autoscaling(
    after: dict[str, Any], message: str
) -> None:
    """Where somebody fixed the bounds, they say so on the autoscaler."""

    def scaler(notes: Mapping[str, str], most: int) -> Autoscaler:
        return replace(autoscaler(most=most), object=manifest("HorizontalPodAutoscaler", annotations=notes))

    now = {**after, "autoscaler": scaler(*after["autoscaler"])} if "autoscaler" in after else after
    found = fired(change(of({}, autoscaler=scaler(WHY, 10)), of({}, **now)), "protected")

    assert [item.message for item in found] == ([f"{message}: {WHY[PROTECT]}"] if message else [])


def test_everything_else_may_change() -> None:
    """Nor is a workload protected by an annotation that only comes with the change."""
    assert not fired(change(of(WHY), of({**WHY, "note": "new"})), "protected")
    assert not fired(change(of({}), of(WHY, replicas=1)), "protected")


def test_removing_a_protected_workload_is_found() -> None:
    """It takes every protected field with it."""
    assert fired(change(of(WHY), None), "protected")


@pytest.mark.parametrize(
    ("fields", "fires"),
    [
        pytest.param("memory", True, id="memory"),
        pytest.param("limits", True, id="limits"),
        pytest.param("limits.memory", True, id="memory limits"),
        pytest.param("resources.limits.memory", True, id="as in the manifest"),
        pytest.param("replicas, Memory", True, id="one of several"),
        pytest.param("cpu", False, id="cpu"),
        pytest.param("requests.memory", False, id="memory requests"),
        pytest.param("replicas autoscaling", False, id="counts"),
        pytest.param("memroy", True, id="a typing error protects everything"),
        pytest.param("", True, id="nothing named"),
    ],
)
def test_protect_fields_narrows_it(fields: str, fires: bool) -> None:
    """Only the memory limit changes."""
    notes = {**WHY, "tuppence.dev/protect-fields": fields}

    assert fires == bool(fired(change(of(notes), of(notes, limits={"memory": "1Gi"})), "protected"))


@pytest.mark.parametrize(
    ("until", "fires"),
    [
        pytest.param(TODAY.isoformat(), True, id="its last day"),
        pytest.param((TODAY - timedelta(days=1)).isoformat(), False, id="yesterday"),
        pytest.param("next spring", True, id="unreadable"),
    ],
)
def test_protect_until_ends_it(until: str, fires: bool) -> None:
    """A day that cannot be read protects for good."""
    notes = {**WHY, "tuppence.dev/protect-until": until}

    assert fires == bool(fired(change(of(notes), of(notes, replicas=2)), "protected"))
    assert fires == bool(fired(change(of(notes), of({})), "protected"))


@pytest.mark.parametrize(
    "after",
    [
        pytest.param({}, id="taken away"),
        pytest.param({**WHY, "tuppence.dev/protect-fields": "cpu"}, id="narrowed"),
        pytest.param({**WHY, "tuppence.dev/protect-until": "2026-01-01"}, id="ended"),
    ],
)
def test_weakening_a_protection_is_found(after: dict[str, str]) -> None:
    """Else it could be taken away first and the field changed next."""
    [found] = fired(change(of(WHY), of(after)), "protected")

    assert found.path == "metadata.annotations.tuppence.dev/protect"
    assert "INC-1234" in found.message


def test_a_namespace_protects_what_is_in_it() -> None:
    """By the same annotation."""
    namespace = {"metadata": {"annotations": WHY}}

    [found] = fired(change(of({}, namespace_body=namespace), of({}, replicas=2)), "protected")

    assert found.evidence["protected by"] == "its namespace"


@pytest.mark.parametrize(
    ("protection", "fires"),
    [
        pytest.param(Protection("payments/*", "money"), True, id="by glob"),
        pytest.param(Protection("payments/api", "money", ("replicas",)), True, id="its field"),
        pytest.param(Protection("payments/api", "money", ("memory",)), False, id="another field"),
        pytest.param(Protection("search/*", "money"), False, id="another namespace"),
        pytest.param(Protection("payments/*", "money", until=date(2026, 11, 15)), False, id="ended"),
    ],
)
def test_the_policy_protects_too(protection: Protection, fires: bool) -> None:
    """A glob over `namespace/name`."""
    judged = change(of({}), of({}, replicas=2), protections=[protection])

    assert fires == bool(fired(judged, "protected"))


def test_a_long_reason_is_cut_in_the_message_only() -> None:
    """Ninety characters carry the start; the evidence carries all."""
    reason = "because " * 30
    [found] = fired(change(of({"tuppence.dev/protect": reason}), of(WHY, replicas=2)), "protected")

    assert len(found.message) <= 90
    assert found.evidence["reason"] == reason.strip()


@pytest.mark.parametrize(
    ("before", "after", "path"),
    [
        pytest.param({"autoscaler": autoscaler()}, {}, "spec.replicas", id="the autoscaler goes"),
        pytest.param({}, {"limits": {"memory": "2Gi", "nvidia.com/gpu": "1"}}, "spec.template.spec.containers[0].resources.limits.nvidia.com/gpu", id="a GPU comes"),
    ],
)  # fmt: skip
def test_what_comes_and_goes_is_a_change(before: dict[str, Any], after: dict[str, Any], path: str) -> None:
    """Not only other values."""
    [found] = fired(change(of(WHY, **before), of(WHY, **after)), "protected")

    assert found.path == path


def test_a_container_that_goes_takes_its_protected_resources() -> None:
    """One that comes was never protected."""
    thing = manifest(annotations=WHY)
    one, two = (
        side(workload(*(container(name, requests=REQUESTS) for name in names), thing=thing))
        for names in (("api",), ("api", "proxy"))
    )
    assert fired(change(two, one), "protected")
    assert not fired(change(one, two), "protected")
