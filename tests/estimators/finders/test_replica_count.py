"""Fewer replicas, of which one may still fail."""

from __future__ import annotations

import numpy as np
import pytest

from estimators.finders import FINDERS
from estimators.finders.replica_count import FINDER, replica_count
from estimators.recommend import recommend
from estimators.recommendation import Reason, Recommendation
from estimators.recommendation_terms import CRITICAL, DEVELOPMENT, PRODUCTION, Profile, Terms
from estimators.report import Verdict
from tests.recommendation_builders import MIB, cluster, hours, left, usage, values, weekly
from tests.usage_builders import Values
from tests.yaml_objects import autoscaler, deployment, objects


def recommended(
    text: str, cpu: Values, memory: Values = 300 * MIB, pods: int = 10, profile: Profile = PRODUCTION
) -> list[Recommendation]:
    """What this finder alone recommends for a workload with that load."""
    known = cluster(usage(cpu=cpu, memory=memory, replicas=pods))
    terms = Terms(profile)
    answer = recommend(objects(text), lambda _name: known, lambda _name: terms, finders=(replica_count,))
    return list(answer.recommendations)


def test_the_finder_is_asked() -> None:
    """It is one of the finders."""
    assert replica_count in FINDERS


@pytest.mark.parametrize(
    ("profile", "replicas"),
    [(DEVELOPMENT, "5"), (PRODUCTION, "6"), (CRITICAL, "7")],
    ids=["development", "production", "critical"],
)
def test_the_rest_carries_the_peak_with_one_gone(profile: Profile, replicas: str) -> None:
    """A peak of 3.7 cores in pods of 1: 4, 5 and 5 carry it with the margin, one may fail, one is spare."""
    [one] = recommended(deployment(cpu="1", memory="512Mi", replicas=10), weekly(1.0, 3.7), profile=profile)

    assert values(one) == {"spec.replicas": ("10", replicas)}
    assert one.changes[0].scalar == int(replicas)
    assert one.verdict is Verdict.SAFE
    assert one.evidence["CPU peak"] == "3.7 cores over all pods"


@pytest.mark.parametrize(("mode", "left_alone"), [("Recreate", True), ("Initial", True), ("Off", False)])
def test_pods_that_grow_as_they_become_fewer_save_nothing(mode: str, left_alone: bool) -> None:
    """A VerticalPodAutoscaler gives each what it uses: half as many ask for twice as much."""
    vertical = f"""
apiVersion: autoscaling.k8s.io/v1
kind: VerticalPodAutoscaler
metadata: {{name: api, namespace: payments}}
spec:
  targetRef: {{apiVersion: apps/v1, kind: Deployment, name: api}}
  updatePolicy: {{updateMode: "{mode}"}}
"""
    text = deployment(cpu="1", memory="512Mi", replicas=10) + "---" + vertical
    known = cluster(usage(cpu=0.5, replicas=10))
    answer = recommend(objects(text), lambda _name: known, finders=(replica_count,))

    assert bool(answer.recommendations) is not left_alone
    if left_alone:
        assert left(answer, Reason.VERTICAL_AUTOSCALER).finder == FINDER


def test_a_spread_over_zones_is_said_to_be_at_risk() -> None:
    """One pod may be gone, a zone has more of them."""
    spread = "      topologySpreadConstraints: [{topologyKey: topology.kubernetes.io/zone, maxSkew: 1}]"
    plain, over_zones = (
        deployment(cpu="1", memory="512Mi", replicas=10, extra=more) for more in ("", spread)
    )

    assert len(recommended(plain, 3.7)[0].risks) == 1
    assert recommended(over_zones, 3.7)[0].risks[-1].startswith("It is spread over zones")


def test_two_pods_are_left_at_least() -> None:
    """However idle."""
    [one] = recommended(deployment(cpu="1", memory="512Mi", replicas=10), 0.1)

    assert values(one) == {"spec.replicas": ("10", "2")}


def test_memory_that_the_load_brings_is_shared_by_those_that_stay() -> None:
    """300 of 400 MiB are load; 512 MiB hold 1.3 times of it and not more."""
    text = deployment(cpu="1", memory="512Mi", memory_limit="512Mi", replicas=10)
    memory = (250 + 150 * np.sin(hours() / 24 * 2 * np.pi)) * MIB
    [one] = recommended(text, 0.1, memory)

    assert values(one) == {"spec.replicas": ("10", "9")}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (deployment(cpu="1", memory="512Mi", replicas=3, kind="StatefulSet"), "members hold data"),
        (deployment(cpu=None, memory="512Mi", replicas=10), "nothing says what a pod carries"),
        (deployment(replicas=None) + "---" + autoscaler(), "an autoscaler is in charge"),
        (deployment(cpu="1", replicas=2), "there are two"),
    ],
    ids=lambda value: value if not value.startswith("\n") else "",
)
def test_other_workloads_are_left_out(text: str, why: str) -> None:
    """Members hold data, an autoscaler is in charge, or nothing tells what a pod can carry."""
    known = cluster(usage(), usage(kind="StatefulSet"))
    answer = recommend(objects(text), lambda _name: known, finders=(replica_count,))

    assert answer.recommendations == (), why
    assert FINDER not in {item.finder for item in answer.left_alone}


@pytest.mark.parametrize(
    ("bound", "replicas"),
    [
        ("minAvailable: 5", "6"),
        ('minAvailable: "80%"', "5"),
        ("maxUnavailable: 1", "2"),
        ("minAvailable: 9", ""),
    ],
    ids=["five stay", "four fifths stay", "one may go", "nine stay"],
)
def test_a_budget_lets_a_pod_go_of_what_is_left(bound: str, replicas: str) -> None:
    """Else no node could be drained any more."""
    text = deployment(cpu="1", memory="512Mi", replicas=10)
    budget = f"""
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {{name: api, namespace: payments}}
spec: {{{bound}, selector: {{matchLabels: {{app: api}}}}}}
"""

    found = recommended(text + "---" + budget, 0.1)

    assert [values(one)["spec.replicas"][1] for one in found] == ([replicas] if replicas else [])
    assert {one.verdict for one in found} <= {Verdict.SAFE}


@pytest.mark.parametrize(
    ("request_", "replicas"),
    [("1Gi", []), ("3Gi", ["4"]), ("64Mi", [])],
    ids=["requested", "requested generously", "requested far too little"],
)
def test_memory_without_a_limit_is_shared_within_what_pods_ask_for(
    request_: str, replicas: list[str]
) -> None:
    """Ten pods hold up to 900 MiB, 800 of them load: two would hold 8 GiB each, and nodes have no room."""
    memory = (500 + 400 * np.sin(hours() / 24 * 2 * np.pi)) * MIB
    found = recommended(deployment(cpu="2", memory=request_, replicas=10), 1.0, memory)

    assert [values(one)["spec.replicas"][1] for one in found] == replicas
