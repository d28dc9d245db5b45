"""Bounds and targets of autoscalers, from a load whose course is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from estimators.change import Cluster
from estimators.finders import FINDERS
from estimators.finders.autoscaler_bounds import FINDER, autoscaler_bounds
from estimators.recommend import recommend
from estimators.recommendation import Reason, Recommendation
from estimators.recommendation_terms import CRITICAL, DEVELOPMENT, PRODUCTION, Profile, Terms
from estimators.report import Verdict
from estimators.usage import ContainerUsage
from tests.recommendation_builders import MIB, STEPS, cluster, found, hours, left, usage, values
from tests.yaml_objects import autoscaler, deployment, objects

WORKLOAD = deployment(cpu="1", memory="512Mi", replicas=None)
DAY = 4 + 3 * np.sin(hours() / 24 * 2 * np.pi)
"""Cores: 1 at night, 7 at noon."""


def scaled(text: str, known: Cluster, profile: Profile = PRODUCTION) -> list[Recommendation]:
    """What this finder alone recommends."""
    terms = Terms(profile)
    answer = recommend(objects(text), lambda _name: known, lambda _name: terms, finders=(autoscaler_bounds,))
    return list(answer.recommendations)


def test_the_finder_is_asked() -> None:
    """It is one of the finders."""
    assert autoscaler_bounds in FINDERS


@pytest.mark.parametrize(
    ("profile", "target", "least"),
    [(DEVELOPMENT, "80", "4"), (PRODUCTION, "70", "3"), (CRITICAL, "60", "4")],
    ids=["development", "production", "critical"],
)
def test_a_wave_of_load_needs_no_high_minimum_and_no_air(profile: Profile, target: str, least: str) -> None:
    """1 core at night: 3 pods carry the climb of the morning, 4 where each runs fuller or one is spare."""
    known = cluster(usage(cpu=DAY, memory=300 * MIB, replicas=10))
    [one] = scaled(WORKLOAD + "---" + autoscaler(least=8, most=20, target=50), known, profile)

    assert values(one) == {
        "target.averageUtilization": ("50", target),
        "spec.minReplicas": ("8", least),
    }
    assert one.verdict is Verdict.SAFE
    assert one.allocated < 0
    assert {item.object.kind for item in one.changes} == {"HorizontalPodAutoscaler"}


def test_the_saving_is_that_of_the_replay() -> None:
    """Not replicas x request: the mean of the pods the autoscaler would have kept."""
    known = cluster(usage(cpu=DAY, memory=300 * MIB, replicas=10))
    [one] = scaled(WORKLOAD + "---" + autoscaler(least=8, most=20, target=50), known)

    assert one.evidence["now"] == "9.9 pods on average"
    assert one.evidence["then"] == "6 pods on average"


def test_a_minimum_that_carries_a_sudden_climb_stays() -> None:
    """Every hour on the hour 6 cores for ten minutes: fewer pods would be overrun before others start."""
    bursts = np.where(hours() % 1 < 0.16, 6.0, 0.5)
    known = cluster(usage(cpu=bursts, memory=300 * MIB, replicas=6))

    for one in scaled(WORKLOAD + "---" + autoscaler(least=6, most=20, target=70), known):
        assert "spec.minReplicas" not in values(one)


def test_a_maximum_the_load_ran_into_is_raised() -> None:
    """10 pods were wanted at noon, 8 were allowed; it costs more, and it is said first."""
    known = cluster(usage(cpu=DAY, memory=300 * MIB, replicas=8))
    [one] = scaled(WORKLOAD + "---" + autoscaler(least=2, most=8, target=70), known)

    assert values(one)["spec.maxReplicas"] == ("8", "10")
    assert one.allocated > 0
    assert one.evidence["above the maximum"] == "23 % of the time"


def test_fewer_pods_that_would_outgrow_their_memory_are_not_proposed() -> None:
    """500 of 512 MiB are in use, most of it shared load."""
    text = deployment(cpu="1", memory="512Mi", memory_limit="512Mi", replicas=None)
    memory = np.where(hours() < 1, 100.0, 480.0) * MIB
    known = cluster(usage(cpu=DAY, memory=memory, replicas=10))

    assert scaled(text + "---" + autoscaler(least=8, most=20, target=50), known) == []


def test_an_autoscaler_that_no_manifest_declares_is_left_alone() -> None:
    """There is no file to write the value into."""
    live = objects(autoscaler(least=8, most=20, target=50))[0].body
    answer = found(WORKLOAD, cluster(usage(cpu=DAY, memory=300 * MIB, replicas=10), live=[live]))

    assert (Reason.AUTOSCALER, FINDER) in [(item.reason, item.finder) for item in answer.left_alone]


def test_a_protected_autoscaler_is_left_alone() -> None:
    """Its annotation protects the autoscaling."""
    text = autoscaler(least=8, most=20, target=50).replace(
        "namespace: payments}", "namespace: payments, annotations: {tuppence.dev/protect: INC-9}}"
    )
    known = cluster(usage(cpu=DAY, memory=300 * MIB, replicas=10))
    answer = found(WORKLOAD + "---" + text, known)

    assert FINDER not in {item.finder for item in answer.recommendations}
    assert left(answer, Reason.PROTECTED).facts["reason"] == "INC-9"


def test_once_applied_nothing_more_is_proposed() -> None:
    """The next week's digest is quiet about it."""
    known = cluster(usage(cpu=DAY, memory=300 * MIB, replicas=10))

    assert scaled(WORKLOAD + "---" + autoscaler(least=2, most=20, target=70), known) == []


@pytest.mark.parametrize(
    ("name", "until", "left_alone"),
    [("istio-proxy", 14, True), ("old", 7, False)],
    ids=["of the mesh", "gone for a week"],
)
def test_a_container_that_nobody_declares_leaves_the_replay_in_doubt(
    name: str, until: int, left_alone: bool
) -> None:
    """The controller adds its use and divides by its request, which stands in no manifest."""
    beside = ContainerUsage(name, np.where(hours() < until * 24, DAY / 2, np.nan), np.full(STEPS, 80.0 * MIB))
    own = usage(cpu=DAY, memory=300 * MIB, replicas=10)
    known = cluster(replace(own, containers=(*own.containers, beside)))
    text = WORKLOAD + "---" + autoscaler(least=8, most=20, target=50)
    answer = recommend(objects(text), lambda _name: known, finders=(autoscaler_bounds,))

    if left_alone:
        assert answer.recommendations == ()
        assert left(answer, Reason.NOT_COVERED).facts["why"].startswith("container istio-proxy runs beside")
    else:
        assert Reason.NOT_COVERED not in {item.reason for item in answer.left_alone}


def test_a_minimum_leaves_a_pod_that_may_go() -> None:
    """Of three pods the budget would let none go."""
    budget = """
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: api, namespace: payments}
spec: {minAvailable: 4, selector: {matchLabels: {app: api}}}
"""
    text = WORKLOAD + "---" + autoscaler(least=8, most=20, target=70) + "---" + budget
    [one] = scaled(text, cluster(usage(cpu=DAY, memory=300 * MIB, replicas=10)))

    assert values(one)["spec.minReplicas"] == ("8", "5")
    assert one.verdict is Verdict.SAFE


def test_fewer_pods_have_the_memory_that_they_ask_for() -> None:
    """Without a limit: what ten hold at night, 380 MiB of 400 each, is too much for three that request 512."""
    held = (210 - 190 * np.sin(hours() / 24 * 2 * np.pi)) * MIB
    text = WORKLOAD + "---" + autoscaler(least=8, most=20, target=50)

    for one in scaled(text, cluster(usage(cpu=DAY, memory=held, replicas=10))):
        assert "spec.minReplicas" not in values(one)
