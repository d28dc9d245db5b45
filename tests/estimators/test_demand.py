"""What custom metrics ask for after a change, where history tells it and where it does not."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from estimators.change import Cluster
from estimators.comparison import Revision, compare
from estimators.report import Row, Verdict
from tests.usage_builders import container_usage, history, snapshot
from tests.yaml_objects import deployment, objects

STEPS = 4032

EVENTS = """
---
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {name: api, namespace: payments}
spec:
  scaleTargetRef: {name: api}
  minReplicaCount: 1
  maxReplicaCount: 20
  triggers: [TRIGGERS]
"""
CUSTOM = """
---
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {name: api, namespace: payments}
spec:
  scaleTargetRef: {kind: Deployment, name: api}
  maxReplicas: 20
  metrics: [METRIC]
"""


def row(before: str, after: str, *, recorded: float | None = None, seen: bool = True) -> Row:
    """The workload's row; its autoscaler is all that differs. It ran 6 pods, with `rps` as recorded."""
    used = history(container_usage("main", cpu=1.2, memory=2**29), replicas=6)
    if recorded is not None:
        used = replace(used, autoscaler_metrics={"rps": np.full(STEPS, recorded)})
    cluster = Cluster(usage=snapshot(used) if seen else None)
    sides = [Revision(text, objects(deployment(replicas=None) + text)) for text in (before, after)]
    [found] = compare(sides[0], sides[1], lambda _environment: cluster).rows
    return found


def triggers(*written: str) -> str:
    return EVENTS.replace("TRIGGERS", ", ".join(written))


def requests(target: str, selector: str = "{}") -> str:
    metric = f"{{name: rps, selector: {selector}}}"
    return CUSTOM.replace("METRIC", f"{{type: Pods, pods: {{metric: {metric}, target: {target}}}}}")


QUERY = "{type: prometheus, metadata: {query: rps, threshold: '100'}}"
CRON = "{type: cron, metadata: {start: 0 8 * * *, desiredReplicas: '6'}}"


@pytest.mark.parametrize("seen", [True, False], ids=["with history", "without"])
@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(triggers(QUERY), triggers(QUERY.replace("100", "1000")), id="a higher threshold"),
        pytest.param(triggers(QUERY), triggers(QUERY.replace("rps", "slow")), id="another query"),
        pytest.param(triggers(CRON), triggers(CRON.replace("'6'", "'2'")), id="terms nobody here can read"),
        pytest.param(triggers(QUERY), triggers(CRON), id="another trigger"),
        pytest.param(triggers(QUERY, CRON), triggers(CRON), id="a trigger that goes"),
        pytest.param(
            requests("{averageValue: 10}"), requests("{averageValue: 20}"), id="a higher average of an HPA"
        ),
        pytest.param(requests("{value: 10}"), requests("{value: 20}"), id="a higher total of an HPA"),
        pytest.param(
            requests("{averageValue: 10}"),
            requests("{averageValue: 10}", "{matchLabels: {path: /slow}}"),
            id="another selector",
        ),
    ],
)
def test_fewer_pods_by_a_metric_without_history_are_not_safe(before: str, after: str, *, seen: bool) -> None:
    """What it would ask for was never recorded."""
    found = row(before, after, seen=seen)

    assert found.verdict is Verdict.UNKNOWN
    assert found.unknown_because


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(triggers(QUERY), triggers(QUERY.replace("100", "50")), id="a lower threshold"),
        pytest.param(triggers(QUERY), triggers(QUERY, CRON), id="one more trigger"),
        pytest.param(requests("{value: 10}"), requests("{value: 5}"), id="a lower total of an HPA"),
    ],
)
def test_a_metric_that_can_only_ask_for_more_is_safe(before: str, after: str) -> None:
    """It adds capacity."""
    assert row(before, after).verdict is Verdict.SAFE


@pytest.mark.parametrize(
    ("threshold", "pods"),
    [
        pytest.param("50", 12, id="half"),
        pytest.param("200", 3, id="twice"),
        pytest.param("10", 20, id="a tenth"),
    ],
)
def test_pods_follow_the_threshold_of_a_trigger(threshold: str, pods: int) -> None:
    """6 pods at 100 each carried 600: the old threshold stands in for what was not recorded."""
    found = row(triggers(QUERY), triggers(QUERY.replace("100", threshold)))

    assert found.after is not None
    assert round(found.after.replicas.count.expected, 1) == Decimal(pods)


def test_what_a_metric_was_is_believed_before_what_stands_in() -> None:
    """6 pods of 12 each are 72: at 24 a pod 3 do."""
    found = row(requests("{averageValue: 10}"), requests("{averageValue: 24}"), recorded=12)

    assert found.after is not None
    assert round(found.after.replicas.count.expected, 1) == Decimal(3)
    assert found.verdict is Verdict.SAFE
