"""What is recommended is judged as a pull request is; what is left alone is counted with the reason."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimators.change import Cluster, Protection
from estimators.comparison import Revision, compare
from estimators.objects import Body
from estimators.proposed_objects import with_changes
from estimators.quantity import parse_quantity
from estimators.recommend import recommend
from estimators.recommendation import Found, Reason, Recommendation
from estimators.recommendation_candidates import candidates
from estimators.recommendation_terms import PROFILES, Terms
from estimators.report import Row, Verdict
from estimators.usage import ContainerField, Series
from tests.recommendation_builders import (
    MIB,
    STEPS,
    cluster,
    found,
    hours,
    identity,
    left,
    only,
    reasons,
    usage,
    values,
    weekly,
)
from tests.usage_builders import STEPS_A_DAY, TODAY, node
from tests.yaml_objects import autoscaler, deployment, objects

LARGE = deployment(cpu="2", memory="2Gi")
POD = "{template: {spec: {containers: [{name: main, image: x, resources: {requests: {cpu: 2}}}]}}}"
JOB = f"""
apiVersion: batch/v1
kind: Job
metadata: {{name: api, namespace: payments}}
spec:
  template: {POD[11:-1]}
"""
CRON = f"""
apiVersion: batch/v1
kind: CronJob
metadata: {{name: nightly, namespace: payments}}
spec: {{schedule: "0 3 * * *", jobTemplate: {{spec: {POD}}}}}
"""
RAY = f"""
apiVersion: ray.io/v1
kind: RayCluster
metadata: {{name: ray, namespace: payments}}
spec: {{headGroupSpec: {POD}, workerGroupSpecs: [{{groupName: gpus, replicas: 2, {POD[1:]}]}}
"""


def row_of(text: str, known: Cluster, recommendation: Recommendation) -> Row:
    """The row of a pull request that makes the recommended changes and no others."""
    before = objects(text)
    after = with_changes(before, recommendation.changes)
    report = compare(Revision("a", before), Revision("b", after), lambda _environment: known)
    [row] = report.rows
    return row


def test_the_saving_is_what_a_pull_request_would_show() -> None:
    """Two pods: 1.8 cores less at 0.031611 and 1,680 MiB less at 0.004237 an hour, for 730 hours."""
    one = only(LARGE, cluster(usage()))

    cpu = 2 * Decimal("1.8") * Decimal("0.031611") * 730
    memory = 2 * Decimal(1680) / 1024 * Decimal("0.004237") * 730
    assert one.allocated == -(cpu + memory)
    assert one.source.line == 15
    assert one.blast_radius == "2 of 2 pods in payments"


def test_a_protected_field_is_left_out_of_a_recommendation() -> None:
    """Memory is protected, CPU is not: the rest is still worth it."""
    protection = Protection("payments/api", "INC-1234: memory", ("memory",))
    known = cluster(usage(), protections=(protection,), today=TODAY)

    answer = found(LARGE, known)

    assert [list(values(item)) for item in answer.recommendations] == [["requests.cpu"]]
    assert left(answer, Reason.PROTECTED).facts["reason"] == "INC-1234: memory"


@pytest.mark.parametrize(
    "text",
    [
        LARGE.replace("labels: {app: api, team: checkout}}\nspec", 'annotations: {tuppence.dev/protect: "INC-7: x"}}\nspec'),
        LARGE + "---\napiVersion: v1\nkind: Namespace\nmetadata: {name: payments, annotations: {tuppence.dev/protect: INC-7}}",
    ],
    ids=["on the object", "on its namespace"],
)  # fmt: skip
def test_a_protected_workload_is_left_alone(text: str) -> None:
    """With the reason that somebody gave."""
    answer = found(text, cluster(usage(), today=TODAY))

    assert answer.recommendations == ()
    assert left(answer, Reason.PROTECTED).facts["reason"].startswith("INC-7")


def test_a_protection_whose_day_has_passed_does_not_protect() -> None:
    """Until yesterday."""
    protection = Protection("payments/api", "INC-1", (), date(2026, 11, 1))

    assert found(LARGE, cluster(usage(), protections=(protection,), today=TODAY)).recommendations


def test_nothing_is_proposed_in_a_freeze() -> None:
    """And each workload is counted with the reason."""
    answer = found(LARGE, cluster(usage()), frozen="end of year")

    assert answer.recommendations == ()
    assert left(answer, Reason.FROZEN).facts == {"why": "end of year"}


def test_a_service_that_burns_its_error_budget_is_left_alone() -> None:
    """Whatever it would save."""
    answer = found(LARGE, cluster(usage(burn=2.5)))

    assert reasons(answer) == [(Reason.SLO_BURNING, "")]


@pytest.mark.parametrize(
    ("status", "generation"),
    [
        ({"observedGeneration": 6}, 7),
        ({"observedGeneration": 7, "updatedReplicas": 1, "replicas": 2}, 7),
        ({"replicas": 3}, None),
    ],
    ids=["not seen by the controller", "old pods left", "a pod more than asked for"],
)
def test_a_rollout_in_flight_is_left_alone(status: Body, generation: int | None) -> None:
    """What runs just now is neither the old nor the new."""
    live = {
        "kind": "Deployment",
        "metadata": {"name": "api", "namespace": "payments", "generation": generation},
        "spec": {"replicas": 2},
        "status": status,
    }

    assert reasons(found(LARGE, cluster(usage(), live=[live]))) == [(Reason.ROLLOUT, "")]


def test_a_paused_rollout_is_left_alone() -> None:
    """No pod would take the new values."""
    answer = found(LARGE.replace("  selector:", "  paused: true\n  selector:"), cluster(usage()))

    assert reasons(answer) == [(Reason.ROLLOUT, "")]


def _from_day(first: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return np.where(hours() < first * 24, np.nan, 0.3)


@pytest.mark.parametrize(
    ("known", "reason"),
    [
        (cluster(), Reason.NOT_SEEN),
        (cluster(usage("other")), Reason.NOT_SEEN),
        (cluster(usage(steps=10 * 288)), Reason.SHORT_HISTORY),
        (cluster(usage(cpu=_from_day(6), memory=_from_day(6), replicas=_from_day(6))), Reason.TOO_YOUNG),
        (cluster(usage(cpu=np.where(hours() % 10 < 5, np.nan, 0.3))), Reason.POOR_HISTORY),
    ],
    ids=["no history", "another's", "10 days", "8 days old", "half the steps"],
)
def test_too_little_history_is_said(known: Cluster, reason: Reason) -> None:
    """Two weekly peaks have to have been seen."""
    answer = found(LARGE, known)

    assert reasons(answer) == [(reason, "")]
    assert answer.recommendations == ()


@pytest.mark.parametrize(
    ("text", "kind", "reason"),
    [
        (deployment(replicas=0), "Deployment", Reason.SWITCHED_OFF),
        (JOB + "  suspend: true\n", "Job", Reason.SWITCHED_OFF),
        (JOB, "Job", Reason.RUNS_TO_COMPLETION),
        (CRON, "CronJob", Reason.RUNS_TO_COMPLETION),
        (RAY, "RayCluster", Reason.SEVERAL_GROUPS),
    ],
    ids=["no replicas", "suspended", "job", "cron job", "groups"],
)
@pytest.mark.parametrize("known", [True, False], ids=["history", "no history"])
def test_what_no_finder_is_for_is_counted(text: str, kind: str, reason: Reason, known: bool) -> None:
    """Whatever its history says, and once: a person who adds up finds every workload."""
    name = objects(text)[0].identity.name
    answer = found(text, cluster(*([usage(name, kind=kind)] if known else [])))

    assert reasons(answer) == [(reason, "")]
    assert answer.recommendations == ()


def test_every_workload_is_looked_at_or_left_with_a_reason() -> None:
    """Looked at and left alone add up to all that is declared."""
    names = ("fine", "resting", "new", "unseen")
    text = "---\n".join(
        [*(deployment(name, replicas=0 if name == "resting" else 2) for name in names), JOB, CRON, RAY]
    )
    young = np.where(hours() < 13 * 24, np.nan, 0.3)
    known = cluster(usage("fine"), usage("new", cpu=young, memory=young))

    [fit, _, alone, inventory] = candidates(objects(text), known, Terms(PROFILES["production"]))

    assert [one.identity.name for one in fit] == ["fine"]
    assert {one.key.name: one.reason for one in alone} == {
        "api": Reason.RUNS_TO_COMPLETION,
        "nightly": Reason.RUNS_TO_COMPLETION,
        "new": Reason.TOO_YOUNG,
        "resting": Reason.SWITCHED_OFF,
        "ray": Reason.SEVERAL_GROUPS,
        "unseen": Reason.NOT_SEEN,
    }
    assert len(fit) + len(alone) == len(inventory.workloads)


def test_a_critical_tier_is_critical_everywhere() -> None:
    """Its label weighs more than the environment."""
    text = LARGE.replace("labels: {app: api, team: checkout}}\nspec", "labels: {tier: critical}}\nspec")

    assert only(text, cluster(usage())).evidence["profile"] == "critical"


def test_a_saving_below_the_least_is_not_worth_a_word() -> None:
    """Cents are not."""
    text = deployment(cpu="20m", memory="64Mi", replicas=1)

    assert found(text, cluster(usage(cpu=0.005, memory=30 * MIB, replicas=1))).recommendations == ()


def test_what_a_node_s_bill_falls_by_is_told_apart() -> None:
    """Four workloads of 2 cores each on two nodes of 4: one cut frees none, all four free one."""
    names = ["a", "b", "c", "d"]
    text = "---".join(deployment(name, cpu="1", memory="1Gi", replicas=2) for name in names)
    nodes = [node(f"n{number}", {"cpu": 4, "memory": "16Gi"}) for number in range(2)]
    known = cluster(
        *(usage(name, cpu=0.7, memory=300 * MIB) for name in names),
        nodes=nodes,
        requested={"cpu": 8, "memory": "8Gi"},
    )
    answer = found(text, known)

    assert [item.realisable.monthly for item in answer.recommendations] == [0, 0, 0, 0]
    assert len(answer.realisable[""].nodes) == 1


@given(
    cpu=st.floats(0.01, 4),
    peak=st.floats(1, 10),
    memory=st.integers(20, 3000),
    growth=st.sampled_from([0.0, 0.5, 3.0]),
    replicas=st.integers(1, 6),
    request=st.sampled_from(["50m", "500m", "2", "8"]),
    cpu_limit=st.sampled_from([None, "8"]),
    memory_limit=st.sampled_from([None, "4Gi", "8Gi"]),
    kills=st.integers(0, 1),
    scaled=st.booleans(),
    profile=st.sampled_from(sorted(PROFILES)),
)
@settings(max_examples=60, deadline=None)
def test_what_is_recommended_is_not_risky_and_never_below_a_peak(
    cpu: float,
    peak: float,
    memory: int,
    growth: float,
    replicas: int,
    request: str,
    cpu_limit: str | None,
    memory_limit: str | None,
    kills: int,
    scaled: bool,
    profile: str,
) -> None:
    """For any workload and history its own row is not risky, and its saving is that row's change.

    And no value is below what was seen, and once applied nothing more is proposed for the field.
    """
    text = deployment(
        cpu=request, memory="4Gi", replicas=replicas, cpu_limit=cpu_limit, memory_limit=memory_limit
    )
    if scaled:
        text += "---" + autoscaler(least=max(replicas, 2), most=max(replicas, 2) + 4)
    cores = weekly(cpu, cpu * peak) * (1 + 0.2 * np.sin(hours() / 24 * 2 * np.pi))
    working_set = (memory * (1 + growth * hours() % 97 / 97)) * MIB
    seen = usage(cpu=cores, memory=working_set, replicas=replicas, oom_kills=kills)
    known = cluster(seen)
    terms = Terms(PROFILES[profile])
    answer = recommend(objects(text), lambda _name: known, lambda _name: terms)

    for item in answer.recommendations:
        row = row_of(text, known, item)
        assert row.verdict not in {Verdict.RISKY, Verdict.UNKNOWN}
        assert item.allocated == row.change.expected
        for change in item.changes:
            if change.path[-1] == "memory":
                assert parse_quantity(change.proposed) >= Decimal(float(working_set.max()))
            if change.path[-1] == "cpu":
                assert float(parse_quantity(change.proposed)) >= float(cores.max()) / replicas - 1e-9
        again = recommend(with_changes(objects(text), item.changes), lambda _name: known, lambda _name: terms)
        proposed = {change.field for other in again.recommendations for change in other.changes}
        assert proposed.isdisjoint(change.field for change in item.changes)


def _essence(answer: Found) -> tuple[list[tuple[str, object, Mapping[str, tuple[str, str]]]], list[object]]:
    return (
        [(item.identity, item.realisable.monthly, values(item)) for item in answer.recommendations],
        [(item.key, item.reason, item.finder) for item in answer.left_alone],
    )


@given(st.randoms(use_true_random=False))
@settings(max_examples=10, deadline=None)
def test_the_order_of_the_objects_does_not_matter(shuffler: random.Random) -> None:
    """Whatever order files are read in."""
    names = ["a", "b", "c", "d", "e"]
    text = "---".join(deployment(name, cpu="2", memory="2Gi") for name in names)
    known = cluster(
        *(usage(name, cpu=0.1 * place, throttled_ratio=0.1) for place, name in enumerate(names, 1)),
        nodes=[node("a"), node("b"), node("c")],
        requested={"cpu": "20", "memory": "20Gi"},
    )
    things = objects(text)
    shuffled = list(things)
    shuffler.shuffle(shuffled)

    first, second = (_essence(recommend(side, lambda _name: known)) for side in (things, shuffled))
    assert first == second


def test_the_identity_changes_with_what_is_proposed() -> None:
    """So that an approval of one proposal is never one of another."""
    one = only(LARGE, cluster(usage()))
    other = only(LARGE, cluster(usage(cpu=1.0)))
    same = only(LARGE, cluster(usage(cpu=0.3)))

    assert one.identity == same.identity
    now_another = replace(one, changes=(replace(one.changes[0], current="3"), *one.changes[1:]))
    told_apart = {one.identity, other.identity, now_another.identity, replace(one, finder="x").identity}
    assert len(told_apart) == 4


def test_an_environment_has_its_own_cluster_and_terms() -> None:
    """The same manifest under two names."""
    things = [*objects(LARGE, "dev"), *objects(LARGE, "production")]
    known = {"dev": cluster(usage()), "production": cluster()}
    answer = recommend(things, known.__getitem__)

    assert [(item.environment, item.evidence["profile"]) for item in answer.recommendations] == [
        ("dev", "development")
    ]
    assert [item.key for item in answer.left_alone] == [identity()._replace(environment="production")]


def test_a_workload_is_old_enough_after_fourteen_days_however_long_the_window_is() -> None:
    """Three weeks are looked at, and it came a week ago, or two."""
    for first, recommended in ((14, 0), (7, 1)):
        known = np.where(np.arange(21 * STEPS_A_DAY) < first * STEPS_A_DAY, np.nan, 0.3)
        one = usage(cpu=known, memory=known * 1000 * MIB, replicas=known * 0 + 2, steps=known.size)
        assert len(found(LARGE, cluster(one)).recommendations) == recommended


def test_a_late_scrape_does_not_make_a_workload_young() -> None:
    """The first half hour is missing."""
    late = np.where(hours() < timedelta(minutes=30) / timedelta(hours=1), np.nan, 0.3)

    assert late.size == STEPS
    assert found(LARGE, cluster(usage(cpu=late, memory=late * 1000 * MIB))).recommendations


@pytest.mark.parametrize(
    ("declared", "ran", "left_alone"),
    [
        (10, 3, True),
        (3, 10, True),
        (2, 0, True),
        (2, np.where(hours() < 10 * 24, 8.0, 2.0), False),
        (2, np.where(hours() % 24 < 12, 2.0, 0.0), False),
        (2, np.where(hours() < 12 * 24, 2.0, 0.0), False),
        (2, np.where(hours() < 10 * 24, 2.0, 0.0), True),
        (30, 28, False),
        (2, np.where(hours() % 24 < 2, 4.0, 2.0), False),
    ],
    ids=["fewer run", "more run", "none runs", "fewer since four days", "off at night", "off at the weekend", "gone since four days", "a node is not scraped", "rollouts"],
)  # fmt: skip
def test_nothing_is_said_to_be_saved_where_other_pods_run_than_are_declared(
    declared: int, ran: float | Series, left_alone: bool
) -> None:
    """Seven of ten pods are not there: what they would ask for is on no bill."""
    cpu = np.where(np.asarray(ran) > 0, 0.3, np.nan) if np.ndim(ran) else 0.3
    known = cluster(usage(cpu=cpu, memory=cpu * 1000 * MIB, replicas=ran))

    answer = found(deployment(cpu="2", memory="2Gi", replicas=declared), known)

    assert (Reason.NOT_AS_DECLARED in {item.reason for item in answer.left_alone}) is left_alone
    assert bool(answer.recommendations) is not left_alone


@pytest.mark.parametrize(("runs", "left_alone"), [("2", False), ("1", True)])
def test_nothing_is_proposed_where_pods_have_other_requests_than_are_declared(
    runs: str, left_alone: bool
) -> None:
    """A change that was not applied, or something that changes pods as they are admitted: a saving is another."""
    one = usage()
    known = cluster(one)
    assert known.usage
    has = {ContainerField("main", "requests", "cpu"): frozenset({Decimal(runs)})}
    answer = found(LARGE, replace(known, usage=replace(known.usage, running={one.key: has})))

    assert bool(answer.recommendations) is not left_alone
    if left_alone:
        assert left(answer, Reason.NOT_AS_DECLARED).facts == {
            "field": "resources.requests.cpu",
            "container": "main",
            "declared": "2",
            "seen": "1",
        }


@pytest.mark.parametrize(("ran", "left_alone"), [(10, False), (8, False), (2, True)])
def test_a_daemon_that_runs_on_few_of_the_nodes_saves_little(ran: int, left_alone: bool) -> None:
    """It is charged for each node that its selectors match, ten of them."""
    nodes = [node(f"n{number}") for number in range(10)]
    known = cluster(usage(kind="DaemonSet", replicas=ran), nodes=nodes)
    answer = found(deployment(kind="DaemonSet", cpu="2", memory="2Gi", replicas=None), known)

    assert bool(answer.recommendations) is not left_alone
    if left_alone:
        assert left(answer, Reason.NOT_AS_DECLARED).facts["declared"] == "10 pods by the nodes that match"


def test_an_autoscaler_that_did_not_do_what_its_replay_does_saves_nothing() -> None:
    """Twelve pods ran; what is declared would have kept two, so that something else is in charge."""
    text = deployment(cpu="1", memory="2Gi", replicas=None) + "---" + autoscaler(least=2, most=20)
    answer = found(text, cluster(usage(cpu=0.4, memory=200 * MIB, replicas=12)))

    assert left(answer, Reason.NOT_AS_DECLARED).facts == {
        "declared": "2 pods on average by its autoscaler",
        "seen": "12 pods",
    }
    assert answer.recommendations == ()
