"""What a VerticalPodAutoscaler makes of a manifest: its own requests, and limits in proportion to them."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from estimators.change import Cluster
from estimators.comparison import Revision, compare
from estimators.report import Row, Verdict
from tests.usage_builders import container_usage, history, snapshot
from tests.yaml_objects import deployment, objects

MEBI = 2**20
VPA = """
---
apiVersion: autoscaling.k8s.io/v1
kind: VerticalPodAutoscaler
metadata: {name: api, namespace: payments}
spec:
  targetRef: {apiVersion: apps/v1, kind: Deployment, name: api}
  updatePolicy: {updateMode: Recreate}
  resourcePolicy: {containerPolicies: [{containerName: NAME, controlledValues: VALUES}]}
"""
PROPORTIONAL = VPA.replace("NAME", "'*'").replace("VALUES", "RequestsAndLimits")
REQUESTS_ONLY = PROPORTIONAL.replace("RequestsAndLimits", "RequestsOnly")
ONE_OTHER = VPA.replace("NAME", "proxy").replace("VALUES", "RequestsOnly")


def row(
    before: tuple[str, str], after: tuple[str, str], *, vpa: str = PROPORTIONAL, target: str | None = "400Mi"
) -> Row:
    """From one memory request and limit to another; the VPA recommends `target`, the peak was 700 MiB."""
    [live] = objects(vpa)
    recommended = {"containerName": "main", "target": {"memory": target}}
    status = {"recommendation": {"containerRecommendations": [recommended] if target else []}}
    used = history(container_usage("main", cpu=0.3, memory=700 * MEBI))
    known = replace(snapshot(used), objects=({**live.body, "status": status},))
    sides = [
        Revision(name, objects(deployment(memory=request, memory_limit=limit) + vpa))
        for name, (request, limit) in (("a", before), ("b", after))
    ]
    [found] = compare(sides[0], sides[1], lambda _environment: Cluster(usage=known)).rows
    return found


@pytest.mark.parametrize(
    ("before", "after", "verdict"),
    [
        pytest.param(("1Gi", "4Gi"), ("1Gi", "2Gi"), Verdict.CAUTION, id="800 MiB, hardly above the peak"),
        pytest.param(("1Gi", "4Gi"), ("1Gi", "1536Mi"), Verdict.RISKY, id="600 MiB, below it"),
        pytest.param(("512Mi", "1Gi"), ("1Gi", "1Gi"), Verdict.RISKY, id="a higher request: 400 MiB"),
        pytest.param(("1Gi", "4Gi"), ("512Mi", "2Gi"), Verdict.SAFE, id="half of both is the same"),
        pytest.param(("1Gi", "8Gi"), ("1Gi", "4Gi"), Verdict.SAFE, id="1600 MiB is enough"),
    ],
)
def test_a_limit_is_judged_as_new_pods_get_it(
    before: tuple[str, str], after: tuple[str, str], verdict: Verdict
) -> None:
    """400 MiB x limit / request, and no value is named that would not mean in the manifest what it says."""
    found = row(before, after)

    assert found.verdict is verdict
    assert {item.safe_value for item in found.findings} <= {""}


@pytest.mark.parametrize("vpa", [REQUESTS_ONLY, ONE_OTHER], ids=["of all", "of another container"])
def test_limits_that_it_leaves_alone_are_those_of_the_manifest(vpa: str) -> None:
    """`controlledValues: RequestsOnly`, for this container or for all that have no policy of their own."""
    found = row(("1Gi", "4Gi"), ("1Gi", "1536Mi"), vpa=vpa)

    assert found.verdict is (Verdict.SAFE if vpa is REQUESTS_ONLY else Verdict.RISKY)


def test_a_recommendation_above_the_limit_contradicts_nothing() -> None:
    """The limit rises with it."""
    found = row(("1Gi", "1Gi"), ("1Gi", "1100Mi"), target="3Gi")

    assert [item.rule for item in found.findings] == []
    assert found.after is not None
    assert found.after.pod.memory_gib == Decimal(3)


@pytest.mark.parametrize(
    ("before", "after"),
    [(("1Gi", "4Gi"), ("1Gi", "3Gi")), (("512Mi", "2Gi"), ("1Gi", "2Gi"))],
    ids=["a lower limit", "a higher request"],
)
def test_what_a_limit_becomes_is_not_known_without_its_recommendation(
    before: tuple[str, str], after: tuple[str, str]
) -> None:
    """However far above the peak the manifest's own is."""
    found = row(before, after, target=None)

    assert found.verdict is Verdict.UNKNOWN
    assert "--kube-context" in found.unknown_because
