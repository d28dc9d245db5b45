"""Which savings open their pull request without a click."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.automation import covering, covers, said
from bot.server_config import Automation
from estimators.objects import Identity, Path
from estimators.recommendation import FieldChange, Recommendation
from estimators.report import Confidence, Verdict
from tests.kept_recommendations import about

API = Identity("development", "shop", "Deployment", "api")
SCALER = API._replace(kind="HorizontalPodAutoscaler")
RESOURCES: Path = ("spec", "template", "spec", "containers", 0, "resources")
CPU, MEMORY, LIMIT = (
    (*RESOURCES, "requests", "cpu"),
    (*RESOURCES, "requests", "memory"),
    (*RESOURCES, "limits", "cpu"),
)
REPLICAS: Path = ("spec", "replicas")
LEAST: Path = ("spec", "minReplicas")
TARGET: Path = ("spec", "metrics", 0, "resource", "target", "averageUtilization")
SPOT: Path = ("spec", "template", "spec", "nodeSelector", "spot")
RULE = Automation(("dev*",), ("cpu-request",), Decimal(30), Confidence.HIGH)
ALL = ("cpu-request", "memory-request", "replicas", "autoscaling")


def change(path: Path, current: str, proposed: str) -> FieldChange:
    """A new value for a field of the workload, or of its autoscaler."""
    thing = SCALER if path in (LEAST, TARGET) else API
    return FieldChange(thing, path, "", current, proposed)


def saving(*changes: FieldChange, **fields: object) -> Recommendation:
    """A recommendation of high confidence for development that is safe."""
    found = replace(about(*changes, key=API), environment="development", allocated=Decimal(-10))
    return replace(found, **fields)  # type: ignore[arg-type]


CUT = change(CPU, "1", "700m")


@pytest.mark.parametrize(
    ("recommendation", "covered"),
    [
        (saving(CUT), True),
        (saving(change(CPU, "1", "699m")), False),
        (saving(change(CPU, "1", "1")), False),
        (saving(change(CPU, "500m", "0.6")), False),
        (saving(change(CPU, "", "100m")), False),
        (saving(change(CPU, "0", "0")), False),
        (saving(change(CPU, "${CPU}", "100m")), False),
        (saving(change((), "", "")), False),
        (saving(), False),
        (saving(CUT, change(MEMORY, "1Gi", "900Mi")), False),
        (saving(change(LIMIT, "1", "900m")), False),
        (saving(change(SPOT, "", "true")), False),
        (saving(CUT, environment="production"), False),
        (saving(CUT, environment=""), False),
        (saving(CUT, confidence=Confidence.MEDIUM), False),
        (saving(CUT, verdict=Verdict.CAUTION), False),
        (saving(CUT, verdict=Verdict.UNKNOWN), False),
        (saving(CUT, verdict=Verdict.NONE), False),
        (saving(CUT, allocated=Decimal(0)), False),
        (saving(CUT, allocated=Decimal(1)), False),
    ],
    ids=[
        "30 % less CPU",
        "a little more than that",
        "no cut",
        "more CPU, spelt otherwise",
        "a request where there was none",
        "nothing of nothing",
        "no number",
        "an object that is to go",
        "no change",
        "memory too, which is not named",
        "a limit",
        "a node selector",
        "another environment",
        "no environment",
        "less confidence",
        "caution",
        "unknown",
        "nothing to judge",
        "saves nothing",
        "costs more",
    ],
)
def test_a_rule_covers_what_it_names_and_nothing_else(recommendation: Recommendation, covered: bool) -> None:
    """Development, CPU requests down by at most 30 %, confidence high."""
    assert covers(RULE, recommendation) is covered


@pytest.mark.parametrize(
    ("changed", "name", "percent"),
    [
        (change(MEMORY, "2Gi", "1536Mi"), "memory-request", 25),
        (change(REPLICAS, "4", "3"), "replicas", 25),
        (change(REPLICAS, "3", "0"), "replicas", 100),
        (change(LEAST, "10", "6"), "autoscaling", 40),
        (change(TARGET, "50", "80"), "autoscaling", Decimal("37.5")),
    ],
    ids=["memory", "replicas", "to zero", "minimum", "target"],
)
def test_each_class_of_change_is_measured_by_what_is_asked_for_less(
    changed: FieldChange, name: str, percent: Decimal
) -> None:
    """A target that rises from 50 to 80 keeps five pods of eight."""
    rule = Automation(("*",), (name,), Decimal(percent))

    assert covers(rule, saving(changed))
    assert covers(replace(rule, max_percent=None), saving(changed))
    assert not covers(replace(rule, max_percent=Decimal(percent) - Decimal("0.1")), saving(changed))
    assert not covers(replace(rule, changes=tuple(set(ALL) - {name})), saving(changed))


def test_a_target_that_falls_is_an_increase() -> None:
    """More pods are never automatic."""
    assert not covers(Automation(("*",), ("autoscaling",)), saving(change(TARGET, "80", "50")))


def test_the_first_rule_that_covers_it_is_the_one_that_is_named() -> None:
    """In words, which the audit trail and the pull request repeat."""
    wide = Automation(("*",), ALL, None, Confidence.LOW)

    assert covering([RULE, wide], saving(CUT)) is RULE
    assert covering([RULE, wide], saving(CUT, environment="production")) is wide
    assert covering([RULE], saving(CUT, environment="production")) is None
    assert said(RULE) == (
        "automation in tuppence.yaml: cuts of cpu-request by at most 30 % in dev*, confidence high or better"
    )
    assert "%" not in said(wide)


AMOUNTS = st.integers(0, 20).map(str)
CHANGES = st.lists(
    st.builds(change, st.sampled_from([CPU, MEMORY, LIMIT, REPLICAS, LEAST, TARGET]), AMOUNTS, AMOUNTS),
    max_size=3,
)
RECOMMENDATIONS = st.builds(
    lambda changes, environment, confidence, verdict: saving(
        *changes, environment=environment, confidence=confidence, verdict=verdict
    ),
    CHANGES,
    st.sampled_from(["development", "staging"]),
    st.sampled_from(Confidence),
    st.sampled_from([Verdict.SAFE, Verdict.SAFE, Verdict.CAUTION]),
)
RULES = st.builds(
    Automation,
    st.lists(st.sampled_from(["dev*", "staging", "*"]), max_size=2).map(tuple),
    st.lists(st.sampled_from(ALL), max_size=4).map(tuple),
    st.none() | st.integers(0, 100).map(Decimal),
    st.sampled_from([Confidence.LOW, Confidence.MEDIUM, Confidence.HIGH]),
)


@given(RULES, RULES, RECOMMENDATIONS)
def test_a_looser_rule_covers_no_less(one: Automation, other: Automation, found: Recommendation) -> None:
    """With more environments and classes, the larger percent and the lower confidence of two."""
    percents = [one.max_percent, other.max_percent]
    order = tuple(Confidence)
    looser = Automation(
        one.environments + other.environments,
        one.changes + other.changes,
        None if None in percents else max(filter(None, percents), default=Decimal(0)),
        min(one.min_confidence, other.min_confidence, key=order.index),
    )
    if covers(one, found) or covers(other, found):
        assert covers(looser, found)


@given(RULES, RECOMMENDATIONS)
def test_nothing_is_covered_that_asks_for_more_or_is_not_safe(
    rule: Automation, found: Recommendation
) -> None:
    """Whatever the rule says."""
    if covers(rule, found):
        assert found.verdict is Verdict.SAFE
        for one in found.changes:
            rises = Decimal(one.proposed) > Decimal(one.current)
            assert rises is (one.path == TARGET)
