"""Workloads that may run on spot nodes."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from estimators.finders import FINDERS
from estimators.finders.spot_ready import spot_ready
from estimators.recommend import recommend
from estimators.recommendation import Recommendation
from estimators.recommendation_terms import CRITICAL, PRODUCTION, Profile, Terms
from estimators.report import Verdict
from estimators.usage import Node, Taint
from tests.recommendation_builders import cluster, usage
from tests.usage_builders import node
from tests.yaml_objects import deployment, objects

SPOT = {"karpenter.sh/capacity-type": "spot"}
BUDGET = """
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: api, namespace: payments}
spec: {minAvailable: 3, selector: {matchLabels: {app: api}}}
"""
READY = deployment(cpu="1", memory="1Gi", replicas=4)


def annotated(name: str, value: str) -> str:
    """A ready workload whose pods say something of themselves."""
    return READY.replace("metadata: {labels:", f'metadata: {{annotations: {{{name}: "{value}"}}, labels:')


def spots(count: int, *, taints: Sequence[Taint] = (), cpu: int = 8) -> list[Node]:
    """Spot nodes beside two that are not."""
    marked = [
        node(f"spot-{number}", {"cpu": cpu, "memory": "32Gi"}, labels=SPOT, taints=taints)
        for number in range(count)
    ]
    return [*marked, node("a"), node("b")]


def recommended(text: str, nodes: Sequence[Node], profile: Profile = PRODUCTION) -> list[Recommendation]:
    """What this finder alone recommends."""
    known = cluster(usage(replicas=4), usage(replicas=4, kind="StatefulSet"), nodes=nodes)
    terms = Terms(profile)
    answer = recommend(objects(text), lambda _name: known, lambda _name: terms, finders=(spot_ready,))
    return list(answer.recommendations)


def test_the_finder_is_asked() -> None:
    """It is one of the finders."""
    assert spot_ready in FINDERS


def test_a_ready_workload_gets_a_node_selector() -> None:
    """It is priced by spot nodes alone, no longer by the mean of all five nodes it may land on."""
    [one] = recommended(READY, spots(3))
    [change] = one.changes

    assert change.path == ("spec", "template", "spec", "nodeSelector", "karpenter.sh/capacity-type")
    assert (change.current, change.proposed, change.scalar) == ("", "spot", "spot")
    assert one.allocated < -30
    assert one.verdict is Verdict.SAFE


@pytest.mark.parametrize(
    ("text", "nodes", "profile"),
    [
        (READY, spots(0), PRODUCTION),
        (READY, spots(1), PRODUCTION),
        (READY, spots(3, cpu=1), PRODUCTION),
        (READY, spots(3, taints=[Taint("spot", "true", "NoSchedule")]), PRODUCTION),
        (READY, spots(3), CRITICAL),
        (deployment(cpu="1", memory="1Gi", replicas=1), spots(3), PRODUCTION),
        (deployment(cpu="1", replicas=4, kind="StatefulSet"), spots(3), PRODUCTION),
        (READY + "---" + BUDGET, spots(3), PRODUCTION),
        (READY + "      volumes: [{name: scratch, emptyDir: {}}]", spots(3), PRODUCTION),
        (READY.replace("  selector:", "  strategy: {type: Recreate}\n  selector:"), spots(3), PRODUCTION),
        (READY + f"      nodeSelector: {SPOT}", spots(3), PRODUCTION),
        (READY + "      volumes: [{name: d, persistentVolumeClaim: {claimName: d}}]", spots(3), PRODUCTION),
        (READY + "      priorityClassName: system-cluster-critical", spots(3), PRODUCTION),
        (annotated("cluster-autoscaler.kubernetes.io/safe-to-evict", "false"), spots(3), PRODUCTION),
        (annotated("karpenter.sh/do-not-disrupt", "true"), spots(3), PRODUCTION),
    ],
    ids=[
        "no spot nodes", "one spot node", "too small", "a taint", "critical", "one pod", "StatefulSet",
        "a strict budget", "emptyDir", "no overlap", "there already", "a volume", "the system's",
        "not safe to evict", "not to be disrupted",
    ],
)  # fmt: skip
def test_others_stay_where_they_are(text: str, nodes: Sequence[Node], profile: Profile) -> None:
    """Each for a reason of its own."""
    assert recommended(text, nodes, profile) == []
