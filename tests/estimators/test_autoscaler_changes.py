"""What a reader is told of an autoscaler that changed."""

from __future__ import annotations

import pytest

from estimators.change import Cluster
from estimators.comparison import Revision, compare
from tests.yaml_objects import deployment, objects

HORIZONTAL = """
apiVersion: autoscaling/VERSION
kind: HorizontalPodAutoscaler
metadata: {name: api, namespace: payments}
spec:
  scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: api}
  maxReplicas: 10
"""
BETA = (
    HORIZONTAL.replace("VERSION", "v2beta1")
    + "  metrics: [{type: Resource, resource: {name: cpu, targetAverageUtilization: 80}}]\n"
)
STABLE = (
    HORIZONTAL.replace("VERSION", "v2")
    + "  metrics: [{type: Resource, resource: {name: cpu, target: {averageUtilization: 80}}}]\n"
)
CALM = HORIZONTAL.replace("VERSION", "v2") + "  behavior: {scaleDown: {stabilizationWindowSeconds: 300}}\n"
PODS = (
    HORIZONTAL.replace("VERSION", "v2")
    + "  metrics: [{type: Pods, pods: {metric: {name: rps, selector: {matchLabels: {path: /}}}, target: {averageValue: 5}}}]\n"
)
EVENTS = """
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {name: api, namespace: payments}
spec:
  scaleTargetRef: {name: api}
  triggers:
    - {type: kafka, metadata: {lagThreshold: '50'}}
    - {type: cron, metadata: {desiredReplicas: '2'}}
"""
VERTICAL = """
apiVersion: autoscaling.k8s.io/v1
kind: VerticalPodAutoscaler
metadata: {name: api, namespace: payments}
spec:
  targetRef: {kind: Deployment, name: api}
  resourcePolicy: {containerPolicies: [{containerName: main, maxAllowed: {memory: 1Gi}}]}
"""


def changes(before: str, after: str) -> list[tuple[str, str, str, int]]:
    """Label, old, new and line of each change; the autoscaler is all that differs."""
    sides = [
        Revision(name, [*objects(deployment()), *objects(text, file="scaling.yaml")])
        for name, text in (("a", before), ("b", after))
    ]
    found = compare(sides[0], sides[1], lambda _environment: Cluster())
    return [
        (item.label, item.old, item.new, item.source.line)
        for row in found.rows
        for item in row.changes
        if item.source.file == "scaling.yaml"
    ]


@pytest.mark.parametrize(
    ("text", "edit", "told"),
    [
        (BETA, ("80", "50"), [("HPA cpu target", "80 %", "50 %", 8)]),
        (STABLE, ("80", "50"), [("HPA cpu target", "80 %", "50 %", 8)]),
        (PODS, ("path: /", "path: /slow"), [("HPA rps selector matchLabels path", "/", "/slow", 8)]),
        (CALM, ("300", "60"), [("HPA behavior scaleDown stabilizationWindowSeconds", "300", "60", 8)]),
        (CALM, (CALM.splitlines()[-1], ""), [("HPA behavior", "present", "", 8)]),
        (EVENTS, ("50", "10"), [("KEDA kafka lagThreshold", "50", "10", 8)]),
        (EVENTS, (EVENTS.splitlines()[-1], ""), [("KEDA cron", "present", "", 9)]),
        (VERTICAL, ("1Gi", "4Gi"), [("VPA main maxAllowed memory", "1Gi", "4Gi", 7)]),
    ],
    ids=[
        "target of v2beta1",
        "target of v2",
        "what a custom metric selects",
        "one rule of the behavior",
        "the whole behavior",
        "one value of a trigger",
        "a whole trigger",
        "bounds of a VPA",
    ],
)
def test_a_change_is_told_with_its_values_and_its_line(
    text: str, edit: tuple[str, str], told: list[tuple[str, str, str, int]]
) -> None:
    """Not that something differs, but what."""
    assert changes(text, text.replace(*edit)) == told


def test_another_version_of_the_same_autoscaler_is_no_change() -> None:
    """Where a version keeps the target is not news."""
    assert changes(BETA, STABLE) == []


def test_metrics_that_are_no_list_are_passed_over() -> None:
    """Strangers write them."""
    broken = HORIZONTAL.replace("VERSION", "v2") + "  metrics: 5\n"
    assert changes(broken, broken.replace("5", "[7, {resource: 8}]")) == []
