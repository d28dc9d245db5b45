"""How many pods an event-driven autoscaler keeps, and how many a schedule makes on average."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from bot.adapters.cron_runs import runs_per_month
from estimators.autoscaler_reader import read_scaled_object
from estimators.change import Cluster
from estimators.comparison import Revision, compare
from estimators.money import Range
from estimators.pod_request import EffectivePod
from estimators.replicas import replay
from estimators.report import ReplicaCount, Verdict
from estimators.usage import RunHistory, WorkloadKey
from tests.usage_builders import container_usage, history, node, snapshot
from tests.yaml_objects import objects

STEPS = 288


@pytest.mark.parametrize(
    ("bounds", "at_rest", "at_work"),
    [
        pytest.param("minReplicaCount: 0", 0, 6, id="to zero"),
        pytest.param("minReplicaCount: 2, idleReplicaCount: 0", 0, 6, id="idle below the minimum"),
        pytest.param("minReplicaCount: 2", 2, 6, id="a minimum where it used to rest at zero"),
        pytest.param("minReplicaCount: 8, idleReplicaCount: 0", 0, 8, id="at work no fewer than the minimum"),
    ],
)
def test_keda_rests_where_there_is_no_work(bounds: str, at_rest: float, at_work: float) -> None:
    """At its idle count, else at its minimum: the steps without a pod tell when."""
    [thing] = objects(f"""
apiVersion: keda.sh/v1alpha1
kind: ScaledObject
metadata: {{name: worker, namespace: payments}}
spec: {{scaleTargetRef: {{name: api}}, {bounds}, triggers: [{{type: cpu, metadata: {{value: "50"}}}}]}}
""")
    ran = np.tile([0.0, 6.0], STEPS // 2)
    used = container_usage(cpu=np.where(ran > 0, 3.0, np.nan), steps=STEPS)
    pod = EffectivePod({"api": {"cpu": Decimal(1)}}, {}, {}, frozenset(), {"cpu": Decimal(1)})
    found = replay(read_scaled_object(thing), pod, history(used, replicas=ran), None, 300)

    assert found is not None
    assert [*found.pods[-2:]] == [at_rest, at_work]


DAEMON = """
apiVersion: apps/v1
kind: DaemonSet
metadata: {name: api, namespace: payments}
spec:
  template:
    spec: {nodeSelector: {kubernetes.io/os: linux}, containers: [{name: main, resources: {requests: {cpu: 1}}}]}
"""


@pytest.mark.parametrize(
    ("labels", "ran", "pods"),
    [
        pytest.param({"kubernetes.io/os": "linux"}, None, Decimal(2), id="labels that are known"),
        pytest.param({}, 5.0, Decimal(5), id="what ran stands in for labels"),
        pytest.param({}, None, None, id="neither is known"),
    ],
)
def test_a_daemon_whose_nodes_labels_are_not_known_is_not_free(
    labels: dict[str, str], ran: float | None, pods: Decimal | None
) -> None:
    """kube-state-metrics exports no labels of nodes unless it is told to."""
    nodes = [replace(node(name, labels=labels), labels_known=False) for name in ("n1", "n2")]
    used = replace(history(replicas=ran or 0), key=WorkloadKey("payments", "DaemonSet", "api"))
    cluster = Cluster(usage=snapshot(*([used] if ran else []), nodes=nodes))
    found = compare(Revision("a", []), Revision("b", objects(DAEMON)), lambda _environment: cluster)
    [row] = found.rows

    assert (row.after.replicas.count.expected if row.after else None) == pods
    assert row.verdict is (Verdict.SAFE if pods else Verdict.UNKNOWN)
    assert [item.kind for item in found.unpriced] == ([] if pods else ["DaemonSet"])


CRON = """
apiVersion: batch/v1
kind: CronJob
metadata: {name: api, namespace: payments}
spec:
  schedule: "SCHEDULE"
  concurrencyPolicy: POLICY
  jobTemplate: {spec: {TERMS template: {spec: {containers: [{name: main, resources: {requests: {cpu: 1}}}]}}}}
"""
HOURLY, EVERY_MINUTE = "0 * * * *", "* * * * *"


def pods_of_a_cron_job(
    runs: RunHistory | None, schedule: str, policy: str, *terms: str, hours: int = 730
) -> list[ReplicaCount | None]:
    """Its mean pods before and after, by terms that may change from the first to the last."""
    texts = [
        CRON.replace("SCHEDULE", schedule).replace("POLICY", policy).replace("TERMS", part)
        for part in (terms[0], terms[-1])
    ]
    key = WorkloadKey("payments", "CronJob", "api")
    usage = snapshot(replace(history(container_usage("main"), runs=runs), key=key)) if runs else None
    cluster = Cluster(usage=usage, runs_per_month=runs_per_month, hours_per_month=Decimal(hours))
    base = Revision("a", objects(texts[0]) if len(terms) > 1 else [])
    [row] = compare(base, Revision("b", objects(texts[1])), lambda _environment: cluster).rows
    return [side.replicas if side else None for side in (row.before, row.after)]


@pytest.mark.parametrize(
    ("policy", "expected"), [("Allow", 5), ("Forbid", 1), ("Replace", 1)], ids=["allow", "forbid", "replace"]
)
def test_runs_that_may_not_overlap_are_never_more_than_one(policy: str, expected: int) -> None:
    """Every minute for five minutes each: five at a time, or one."""
    ran = RunHistory(pods=4032, runs=4032, pod_seconds=4032 * 300.0)
    [_, found] = pods_of_a_cron_job(ran, EVERY_MINUTE, policy, "")

    assert found is not None
    assert found.count == Range.exactly(Decimal(expected))


@pytest.mark.parametrize(("policy", "most"), [("Allow", 120), ("Forbid", 2)], ids=["allow", "forbid"])
def test_a_deadline_bounds_one_run_at_a_time(policy: str, most: int) -> None:
    """Two pods for an hour at most, every minute."""
    terms = "activeDeadlineSeconds: 3600, parallelism: 2,"
    [_, found] = pods_of_a_cron_job(None, EVERY_MINUTE, policy, terms)

    assert found is not None
    assert found.count == Range(Decimal(0), Decimal(most), Decimal(most))


@pytest.mark.parametrize(
    ("pods", "terms", "expected"),
    [
        pytest.param(336, ["", ""], "0.01", id="one pod a run"),
        pytest.param(3 * 336, ["", ""], "0.03", id="two that fail before one that does not"),
        pytest.param(336, ["", "completions: 4,"], "0.04", id="four completions from now on"),
        pytest.param(4 * 336, ["completions: 4,", ""], "0.01", id="one from now on"),
        pytest.param(8 * 336, ["completions: 4,", ""], "0.02", id="one, each after one that fails"),
        pytest.param(2 * 336, ["parallelism: 2,", "parallelism: 2,"], "0.02", id="a queue for two pods"),
    ],
)
def test_failed_pods_are_part_of_what_a_completion_takes(pods: int, terms: list[str], expected: str) -> None:
    """Every hour, 36 s a pod: a hundredth of a pod for each."""
    ran = RunHistory(pods=pods, runs=336, pod_seconds=pods * 36.0)
    [_, found] = pods_of_a_cron_job(ran, HOURLY, "Allow", terms[0], terms[1] + "activeDeadlineSeconds: 90,")

    assert found is not None
    assert found.count.expected == Decimal(expected)


def test_the_hours_of_a_month_do_not_change_how_much_runs() -> None:
    """A mean of pods is one, however long a month is said to be."""
    ran = RunHistory(pods=336, runs=336, pod_seconds=336 * 36.0)
    counts = [pods_of_a_cron_job(ran, HOURLY, "Allow", "", hours=hours)[1] for hours in (720, 730)]

    assert counts[0] == counts[1]


def test_runs_that_may_no_longer_overlap_are_fewer_pods() -> None:
    """Told as a change, and not safe without a history of runs."""
    before, after = (
        CRON.replace("SCHEDULE", EVERY_MINUTE)
        .replace("TERMS", "activeDeadlineSeconds: 90,")
        .replace("POLICY", policy)
        for policy in ("Allow", "Forbid")
    )
    cluster = Cluster(runs_per_month=runs_per_month)
    [row] = compare(
        Revision("a", objects(before)), Revision("b", objects(after)), lambda _environment: cluster
    ).rows

    assert [(item.label, item.old, item.new) for item in row.changes] == [("concurrency", "Allow", "Forbid")]
    assert row.change.ceiling < 0
    assert row.verdict is Verdict.UNKNOWN
