"""Workloads and GPUs that do nothing, and those that only seem to."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimators.finders import FINDERS
from estimators.finders.gpu_gaps import gaps
from estimators.finders.idle_gpu import idle_gpu
from estimators.finders.idle_workload import idle_workload
from estimators.recommend import recommend
from estimators.recommendation import Found, Reason
from estimators.report import Verdict
from estimators.usage import GpuUsage, Series, WorkloadUsage
from tests.recommendation_builders import (
    STEPS,
    balancer_usage,
    claim_usage,
    cluster,
    hours,
    left,
    usage,
    values,
)
from tests.yaml_objects import autoscaler, deployment, objects

TRAINER = deployment(cpu="4", memory="16Gi", replicas=1).replace(
    "limits: {}", 'limits: {nvidia.com/gpu: "2"}'
)
FINDERS_OF_REST = (idle_workload, idle_gpu)
SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: front, namespace: payments}
spec: {selector: {app: api}}
"""


def resting(text: str, known: WorkloadUsage) -> Found:
    """What the two finders say of one workload."""
    return recommend(objects(text), lambda _name: cluster(known), finders=FINDERS_OF_REST)


def gpu(busy: Series, **fields: object) -> WorkloadUsage:
    """A trainer whose processor is never quite idle, with GPUs that are busy as told."""
    return usage(cpu=0.2, replicas=1, gpu=GpuUsage(busy, np.full(STEPS, 2.0**34), **fields))  # type: ignore[arg-type]


def test_both_finders_are_asked() -> None:
    """They are among the finders."""
    assert set(FINDERS_OF_REST) <= set(FINDERS)


def test_a_workload_that_never_did_anything_is_scaled_to_nothing() -> None:
    """Not one step above 1m in two weeks; the Service in front of it is named."""
    [one] = resting(deployment() + "---" + SERVICE, usage(cpu=0.0004)).recommendations

    assert values(one) == {"spec.replicas": ("2", "0")}
    assert one.verdict is Verdict.CAUTION
    assert one.risks[0] == "scaled to 0 while Service front sends to it; how much is not known"
    [alone] = resting(deployment(), usage(cpu=0.0004)).recommendations
    assert alone.verdict is Verdict.SAFE
    assert one.risks[-1] == "Service front sends traffic to it and will find nobody."
    assert one.undo == "Put replicas back to 2; its pods start as they would on any node."


def test_a_whole_namespace_that_is_idle_is_said() -> None:
    """Three workloads, none of which did anything; one in another namespace did."""
    names = ["a", "b", "c"]
    text = "---".join(deployment(name) for name in names)
    known = cluster(*(usage(name, cpu=0.0) for name in names), usage("d", namespace="shop"))
    answer = recommend(objects(text), lambda _name: known, finders=FINDERS_OF_REST)

    assert {item.evidence["namespace"] for item in answer.recommendations} == {
        "all 3 workloads of payments are idle"
    }


def test_an_idle_namespace_names_what_else_costs_there() -> None:
    """Volumes and load balancers stay where replicas go; those of other namespaces are not counted."""
    claims = [claim_usage("one"), claim_usage("two"), replace(claim_usage(), namespace="shop")]
    idle = (usage(name, cpu=0.0) for name in "ab")
    known = cluster(*idle, claims=claims, balancers=[balancer_usage()])
    answer = recommend(objects(deployment("a")), lambda _name: known, finders=FINDERS_OF_REST)

    assert answer.recommendations[0].evidence["namespace"] == (
        "all 2 workloads of payments are idle; it also has 2 volumes and 1 load balancer"
    )


@pytest.mark.parametrize(
    ("text", "seen"),
    [
        (deployment(), usage(cpu=np.where(hours() == 100, 0.5, 0.0))),
        (deployment(), usage(cpu=0.002)),
        (deployment() + "---" + autoscaler(), usage(cpu=0.0)),
        (deployment(replicas=0), usage(cpu=0.0, replicas=0)),
    ],
    ids=["worked for one step", "its probes", "an autoscaler", "off already"],
)
def test_what_works_a_little_is_not_idle(text: str, seen: WorkloadUsage) -> None:
    """A p95 of nothing is not nothing."""
    assert resting(text, seen).recommendations == ()


@pytest.mark.parametrize(
    ("image", "kept"),
    [
        ("registry.k8s.io/pause:3.9", True),
        ("mirror.example:5000/k8s/pause-amd64@sha256:1f", True),
        ("registry.example/pauses-worker:1", False),
    ],
    ids=["pause", "a mirror", "another"],
)
def test_room_that_is_kept_for_others_is_not_idle(image: str, kept: bool) -> None:
    """Pods that only pause are evicted when others need their place: their requests are the point."""
    text = deployment(cpu="4", memory="8Gi").replace("registry.example/api:1", image)
    answer = recommend(objects(text), lambda _name: cluster(usage(cpu=0.0)))

    assert bool(answer.recommendations) is not kept
    if kept:
        assert left(answer, Reason.RISKY).facts == {"why": "it does nothing but keep room free for others"}


def test_a_gpu_that_resumes_every_night_is_left_alone() -> None:
    """Twenty idle hours are nothing new for it."""
    nightly = np.where(hours() % 24 < 4, 0.9, 0.0)
    answer = resting(TRAINER, gpu(nightly))

    assert answer.recommendations == ()
    assert left(answer, Reason.COMES_BACK).facts == {
        "idle for": "20 hours",
        "longest gap before": "20 hours",
        "gaps before": "13",
        "chance that it comes back": "at most 100 %",
    }


def test_a_gpu_that_stopped_for_good_is_given_back() -> None:
    """Seven nights of work, then a week of nothing."""
    stopped = np.where((hours() % 24 < 4) & (hours() < 7 * 24), 0.9, 0.0)
    [one] = resting(TRAINER, gpu(stopped)).recommendations

    assert values(one) == {"spec.replicas": ("1", "0")}
    assert one.evidence["longest gap before"] == "20 hours"
    assert one.evidence["chance that it comes back"] == "at most 14 %"
    assert one.allocated < -1000


@pytest.mark.parametrize(
    ("rests", "given_back"),
    [(3.6, False), (0.9, True), (0.3, True)],
    ids=["works on", "half as much less", "polls"],
)
@pytest.mark.parametrize("worked", [True, False], ids=["its GPU worked once", "its GPU never did"])
def test_what_works_without_its_gpu_is_not_switched_off(rests: float, given_back: bool, worked: bool) -> None:
    """A model that runs on processors: the GPU is not needed, the pods are."""
    busy = np.where((hours() % 24 < 4) & (hours() < 7 * 24), 0.9, 0.0) if worked else np.zeros(STEPS)
    seen = replace(gpu(busy), containers=usage(cpu=np.where(busy > 0, 3.8, rests)).containers)

    answer = resting(TRAINER, seen)

    assert bool(answer.recommendations) is given_back
    if not given_back:
        assert left(answer, Reason.RISKY).facts["why"] == "its processors go on working: 3.6 cores on average"


def test_gpus_that_are_watched_since_ten_days_may_have_a_weekly_run() -> None:
    """The pods are known for a fortnight, their GPUs are not."""
    busy = np.where(hours() < 4 * 24, np.nan, 0.0)

    assert left(resting(TRAINER, gpu(busy)), Reason.POOR_HISTORY).facts == {"window": "10 days of its GPUs"}


def test_half_an_hour_of_nothing_says_nothing() -> None:
    """The rule that others use would fire here."""
    pause = np.where(hours() > hours()[-1] - 0.5, 0.0, 0.9)

    assert resting(TRAINER, gpu(pause)).recommendations == ()


def test_a_gpu_that_others_share_is_not_judged() -> None:
    """Under time-slicing its figure is that of all of them."""
    answer = resting(TRAINER, gpu(np.zeros(STEPS), shared=True))

    assert left(answer, Reason.RISKY).facts["why"] == "others share its GPU"


@given(st.lists(st.sampled_from([0.0, 0.5, float("nan")]), min_size=1, max_size=200))
def test_gaps_add_up_to_the_idle_steps(busy: list[float]) -> None:
    """Every idle step between the first and the last is in one gap; those before any work are in none."""
    found = gaps(np.array(busy), 3600)
    known = [value for value in busy if not math.isnan(value)]
    first = next((index for index, value in enumerate(known) if value), 0)

    assert sum(found.closed) + found.open == known[first:].count(0.0)
