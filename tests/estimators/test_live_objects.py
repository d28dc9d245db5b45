"""What the cluster holds besides what a repository declares: it fills in, and goes when the manifest goes."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from estimators.change import Cluster
from estimators.comparison import Revision, compare
from estimators.objects import Body
from estimators.prices import BUILT_IN
from estimators.report import Row, Verdict
from tests.usage_builders import container_usage, history, snapshot
from tests.yaml_objects import autoscaler, deployment, objects

VPA = """
---
apiVersion: autoscaling.k8s.io/v1
kind: VerticalPodAutoscaler
metadata: {name: api, namespace: payments}
spec: {targetRef: {apiVersion: apps/v1, kind: Deployment, name: api}, updatePolicy: {updateMode: MODE}}
"""
ON, OFF = VPA.replace("MODE", "Recreate"), VPA.replace("MODE", "'Off'")
RECOMMENDATION = {
    "recommendation": {"containerRecommendations": [{"containerName": "main", "target": {"cpu": "2"}}]}
}
SCALER = "\n---" + autoscaler(2, 10)


def live(text: str, **more: object) -> Body:
    """The live object of a manifest."""
    [thing] = objects(text)
    return {**thing.body, **more}


def only_row(before: str, after: str, *known: Body) -> Row:
    """The one row of a change in a cluster with these live objects, at 1 a core and month."""
    prices = replace(BUILT_IN, cpu_core_hour=Decimal(1) / 730, memory_gib_hour=Decimal(0), explicit=True)
    used = history(container_usage("main", cpu=3.0), replicas=8)
    cluster = Cluster(prices, replace(snapshot(used), objects=known))
    found = compare(
        Revision("a", objects(before)), Revision("b", objects(after)), lambda _environment: cluster
    )
    [row] = found.rows
    return row


def test_an_autoscaler_that_is_removed_no_longer_scales_although_it_still_lives() -> None:
    """From about twelve pods' worth of load to the two that the manifest asks for."""
    row = only_row(deployment() + SCALER, deployment(), live(SCALER))

    assert row.after is not None
    assert row.after.replicas.source == "manifest"
    assert row.after.replicas.count.expected == 2
    assert row.verdict is Verdict.RISKY


def test_an_autoscaler_that_no_manifest_declares_stays() -> None:
    """Somebody else looks after it."""
    row = only_row(deployment(replicas=None), deployment(replicas=None, cpu="1"), live(SCALER))

    assert row.after is not None
    assert row.after.replicas.source == "hpa-simulated"


@pytest.mark.parametrize(
    ("before", "after", "costs"),
    [
        pytest.param(ON, ON, (Decimal(4), Decimal(4)), id="stays"),
        pytest.param("", ON, (Decimal(1), Decimal(4)), id="comes"),
        pytest.param(OFF, ON, (Decimal(1), Decimal(4)), id="is turned on"),
        pytest.param(ON, OFF, (Decimal(4), Decimal(2)), id="is turned off"),
        pytest.param(ON, "", (Decimal(4), Decimal(2)), id="goes"),
    ],
)
def test_a_declared_vpa_is_priced_by_what_it_recommends_live(
    before: str, after: str, costs: tuple[Decimal, Decimal]
) -> None:
    """Two pods of 2 cores each while it acts, else of what the manifest asks for: 500m, then 1."""
    known = live(before or OFF, status=RECOMMENDATION)
    row = only_row(deployment() + before, deployment(cpu="1") + after, known)

    assert row.before is not None
    assert row.after is not None
    assert costs == (round(row.before.monthly.expected, 9), round(row.after.monthly.expected, 9))


@pytest.mark.parametrize(
    ("before", "after"),
    [(OFF, ON), ("", ON), (ON, OFF), (ON, "")],
    ids=["is turned on", "comes", "is turned off", "goes"],
)
def test_a_vpa_of_unknown_recommendation_that_comes_or_goes_has_an_unknown_cost(
    before: str, after: str
) -> None:
    """What its pods ask for stands nowhere: not $0, and not safe."""
    row = only_row(deployment() + before, deployment() + after)

    assert (row.after, row.verdict) == (None, Verdict.UNKNOWN)
    assert "--kube-context" in row.unknown_because
