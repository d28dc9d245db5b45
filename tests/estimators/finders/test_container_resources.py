"""Requests and limits from a history whose truth is known."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import numpy as np
import pytest

from estimators.quantity import parse_quantity
from estimators.recommendation import Reason
from estimators.recommendation_terms import CRITICAL, DEVELOPMENT, PRODUCTION, Profile
from estimators.report import Verdict
from tests.recommendation_builders import (
    MIB,
    STEPS,
    cluster,
    found,
    hours,
    left,
    only,
    usage,
    values,
    weekly,
)
from tests.usage_builders import END
from tests.yaml_objects import autoscaler, deployment

LARGE = deployment(cpu="2", memory="2Gi")
FINDER = "container-resources"


@pytest.mark.parametrize(
    ("profile", "cpu", "memory"),
    [(DEVELOPMENT, "550m", "352Mi"), (PRODUCTION, "600m", "368Mi"), (CRITICAL, "650m", "432Mi")],
    ids=["development", "production", "critical"],
)
def test_requests_follow_use_with_the_margin_of_the_profile(profile: Profile, cpu: str, memory: str) -> None:
    """0.5 cores x 1.05, 1.15 or 1.3 and 300 MiB x 1.15, 1.2 or 1.4, rounded up."""
    known = cluster(usage(cpu=1.0, memory=300 * MIB, replicas=2))

    assert values(only(LARGE, known, profile=profile)) == {
        "requests.cpu": ("2", cpu),
        "requests.memory": ("2Gi", memory),
    }


def test_a_weekly_batch_is_kept_in_full() -> None:
    """Two hours a week are 1.2 % of the time: no percentile below 99 sees them."""
    known = cluster(usage(cpu=weekly(0.2, 2.4), memory=weekly(300 * MIB, 1200 * MIB)))
    asked = values(only(LARGE, known))

    assert parse_quantity(asked["requests.cpu"][1]) == Decimal("1.2")
    assert asked["requests.memory"] == ("2Gi", "1472Mi")


def test_a_single_start_up_spike_is_kept_in_full() -> None:
    """One step of five minutes, once in two weeks, after a start."""
    memory = np.full(STEPS, 300.0 * MIB)
    memory[700] = 900 * MIB

    assert values(only(LARGE, cluster(usage(memory=memory))))["requests.memory"] == ("2Gi", "1088Mi")


def test_memory_that_grows_until_the_next_start_is_left_alone() -> None:
    """The peak of a leak is where the last run ended, not where the next will."""
    leaking = (200 + hours() % 96 * 3) * MIB
    answer = found(LARGE, cluster(usage(memory=leaking)))

    assert left(answer, Reason.MEMORY_GROWS).facts == {"container": "main", "a_day": "72 MiB"}
    assert "requests.memory" not in values(answer.recommendations[0])


@pytest.mark.parametrize(("a_day", "leaks"), [(30, True), (3, False)], ids=["a leak", "next to nothing"])
def test_a_leak_under_a_daily_wave_is_seen_by_the_peaks_of_the_days(a_day: int, leaks: bool) -> None:
    """30 MiB a day under a wave of 400: in a month the peak is what was proposed from a fortnight's."""
    memory = (1000 + a_day * hours() / 24 + 400 * np.sin(hours() / 24 * 2 * np.pi)) * MIB
    answer = found(deployment(cpu=None, memory="8Gi", memory_limit="8Gi"), cluster(usage(memory=memory)))

    assert bool(answer.recommendations) is not leaks
    if leaks:
        assert left(answer, Reason.MEMORY_GROWS).facts == {"container": "main", "a_day": "30 MiB"}


def test_a_daily_wave_is_not_a_leak() -> None:
    """Memory that follows the day rises for twelve hours and falls again."""
    wave = (400 + 150 * np.sin(hours() / 24 * 2 * np.pi)) * MIB

    assert "requests.memory" in values(only(LARGE, cluster(usage(memory=wave))))


def test_memory_is_not_lowered_after_an_oom_kill_a_month_ago() -> None:
    """What was killed once at this size may be killed again; 35 days of history still know it."""
    steps = 35 * 288
    known = cluster(
        usage(steps=steps, memory=300 * MIB, oom_kills=1, oom_times=(END - timedelta(days=30),)),
    )
    answer = found(deployment(cpu="2", memory="1Gi", memory_limit="1Gi"), known)

    assert left(answer, Reason.OOM_KILLED).facts == {"container": "main", "kills": "1 OOM kill"}
    assert list(values(answer.recommendations[0])) == ["requests.cpu"]


def test_an_oom_kill_counts_even_when_it_lies_before_the_window() -> None:
    """The metric that names the last kill outlives it; so does what it teaches."""
    answer = found(
        deployment(cpu=None, memory="1Gi", memory_limit="1Gi"),
        cluster(usage(memory=300 * MIB, oom_kills=1, oom_times=(END - timedelta(days=20),))),
    )

    assert left(answer, Reason.OOM_KILLED)
    assert answer.recommendations == ()


def test_a_limit_that_the_peak_ran_into_is_raised_after_a_kill() -> None:
    """1 GiB was not enough: 1.2 times of it, as the VerticalPodAutoscaler bumps up, whatever it costs."""
    text = deployment(cpu=None, memory="1Gi", memory_limit="1Gi")
    known = cluster(usage(memory=1000 * MIB, oom_kills=2, oom_times=(END - timedelta(days=2),) * 2))
    raised = only(text, known)

    assert values(raised) == {"limits.memory": ("1Gi", "1280Mi"), "requests.memory": ("1Gi", "1280Mi")}
    assert raised.allocated > 0
    assert not any("smaller" in risk for risk in raised.risks)
    assert raised.verdict is Verdict.SAFE
    assert raised.evidence["OOM kills"] == "2"


def test_a_limit_that_was_raised_after_the_kill_is_not_raised_again() -> None:
    """The kill is still in the window; 1,280 MiB are enough above the peak of 1,000."""
    known = cluster(usage(memory=1000 * MIB, oom_kills=2, oom_times=(END - timedelta(days=2),) * 2))

    assert found(deployment(cpu=None, memory="1280Mi", memory_limit="1280Mi"), known).recommendations == ()


def test_a_limit_above_its_request_stays() -> None:
    """It costs nothing, and what it leaves room for was allowed on purpose."""
    text = deployment(cpu="2", memory="2Gi", cpu_limit="4", memory_limit="4Gi")

    assert list(values(only(text, cluster(usage())))) == ["requests.cpu", "requests.memory"]


def test_a_limit_that_equals_its_request_follows_it() -> None:
    """The pods stay Guaranteed. Each of two uses 0.15 cores, and 0.3 when it is alone."""
    text = deployment(cpu="2", memory="2Gi", cpu_limit="2", memory_limit="2Gi")

    assert values(only(text, cluster(usage()))) == {
        "requests.cpu": ("2", "300m"),
        "limits.cpu": ("2", "300m"),
        "requests.memory": ("2Gi", "368Mi"),
        "limits.memory": ("2Gi", "368Mi"),
    }


def test_a_limit_that_stands_in_for_a_request_is_what_changes() -> None:
    """Without a request the limit is what is charged."""
    text = deployment(cpu=None, memory=None, cpu_limit="2", memory_limit="2Gi")

    assert values(only(text, cluster(usage()))) == {
        "limits.cpu": ("2", "300m"),
        "limits.memory": ("2Gi", "368Mi"),
    }


def test_a_request_that_an_autoscaler_divides_by_is_left_alone() -> None:
    """Half the request would be twice the pods; memory is not the autoscaler's matter."""
    answer = found(LARGE + "---" + autoscaler(), cluster(usage(cpu=1.0)))

    assert left(answer, Reason.AUTOSCALER).facts == {"resource": "cpu", "container": "main"}
    assert [list(values(item)) for item in answer.recommendations if item.finder == FINDER] == [
        ["requests.memory"]
    ]


def test_throttled_cpu_is_left_alone() -> None:
    """A limit that binds hides what would be used without it."""
    text = deployment(cpu="2", memory=None, cpu_limit="2")
    answer = found(text, cluster(usage(throttled_ratio=0.3)))

    assert left(answer, Reason.THROTTLED).facts == {"container": "main", "periods": "30 %"}


def test_what_a_vertical_autoscaler_sets_is_left_alone() -> None:
    """The manifest's request is not what new pods get."""
    vpa = """
apiVersion: autoscaling.k8s.io/v1
kind: VerticalPodAutoscaler
metadata: {name: api, namespace: payments}
spec:
  targetRef: {apiVersion: apps/v1, kind: Deployment, name: api}
"""
    answer = found(LARGE + "---" + vpa, cluster(usage()))

    assert left(answer, Reason.VERTICAL_AUTOSCALER).facts == {"mode": "Recreate"}
    assert answer.recommendations == ()


def test_a_request_within_a_tenth_of_what_is_needed_stays() -> None:
    """A rollout has a price too."""
    assert found(deployment(cpu="210m", memory="400Mi"), cluster(usage())).recommendations == ()


def test_pods_that_were_measured_apart_count_by_their_own() -> None:
    """The p99 of the busiest pod is above what total / replicas tells."""
    known = cluster(usage(cpu=0.3, cpu_pod_percentiles={50: 0.1, 95: 0.4, 99: 0.9}))

    assert values(only(LARGE, known))["requests.cpu"] == ("2", "900m")


def test_the_evidence_tells_when_the_peak_was() -> None:
    """A person can look what happened then."""
    evidence = only(LARGE, cluster(usage(cpu=weekly(0.2, 2.4)))).evidence

    assert evidence["CPU p95"] == "0.1 cores a pod"
    assert evidence["CPU peak"] == "1.2 cores a pod, Wed 2026-11-04 02:00 UTC"
    assert evidence["CPU window"] == "14 days to 2026-11-16, 100 % measured"


def test_a_job_is_left_out() -> None:
    """Its runs are too different from each other."""
    job = LARGE.replace("kind: Deployment", "kind: Job").replace("apps/v1", "batch/v1")

    assert found(job, cluster(usage(kind="Job"))).recommendations == ()


def test_fewer_pods_than_ran_are_given_what_each_of_them_now_carries() -> None:
    """The weekly batch met ten pods, four are declared since yesterday: 6 cores are 1.5 of each, not 0.6.

    So is memory: 100 MiB stay with each pod, of the 400 MiB on top ten pods' are shared by four.
    """
    ran = np.where(hours() < 13 * 24, 10.0, 4.0)
    memory = np.where(ran == 10, weekly(100 * MIB, 500 * MIB), 300 * MIB)
    known = cluster(usage(cpu=weekly(0.5, 6.0), memory=memory, replicas=ran))

    one = only(deployment(cpu="4", memory="4Gi", replicas=4), known)

    assert {name: new for name, (_, new) in values(one).items()} == {
        "requests.cpu": "1500m",
        "requests.memory": "1344Mi",
    }
    assert one.evidence["pods"] == "counted as if 4 had shared what up to 10 carried"


@pytest.mark.parametrize(
    ("lasts", "memory"), [(1.5, "640Mi"), (6.0, "1216Mi")], ids=["a rollout", "a morning"]
)
def test_the_surge_of_a_rollout_is_not_a_load_that_is_shared(lasts: float, memory: str) -> None:
    """Old and new pods stand side by side for an hour and a half; for six hours they carry the load."""
    known = cluster(
        usage(cpu=0.3, memory=weekly(1, 500 * MIB, lasts=lasts), replicas=weekly(2, 4, lasts=lasts))
    )

    one = only(deployment(cpu="2", memory="4Gi", replicas=2), known)

    assert values(one)["requests.memory"][1] == memory


@pytest.mark.parametrize(
    ("kind", "field", "said"),
    [("DaemonSet", "updateStrategy: {type: OnDelete}", True), ("Deployment", "minReadySeconds: 5", False)],
    ids=["on deletion", "as usual"],
)
def test_pods_that_nobody_replaces_save_nothing_yet(kind: str, field: str, said: bool) -> None:
    """Of a DaemonSet or StatefulSet whose pods somebody has to delete."""
    text = deployment(kind=kind, cpu="2").replace("  selector:", f"  {field}\n  selector:", 1)
    one = only(text, cluster(usage(kind=kind)))

    assert any("somebody deletes them" in risk for risk in one.risks) is said


@pytest.mark.parametrize(
    ("pods", "limit"), [(1, "750m"), (2, "1300m"), (10, "750m")], ids=["alone", "one of two", "one of ten"]
)
def test_a_cpu_limit_that_falls_leaves_room_over_the_peak_and_for_a_pod_that_is_gone(
    pods: int, limit: str
) -> None:
    """0.65 cores at the weekly peak: the margin on top, or what the rest carry; a request needs neither."""
    known = cluster(usage(cpu=weekly(0.2 * pods, 0.65 * pods), memory=300 * MIB, replicas=pods))
    falls = only(deployment(cpu="2", memory="360Mi", cpu_limit="2", replicas=pods), known)
    stays = only(deployment(cpu="2", memory="360Mi", cpu_limit="4", replicas=pods), known)

    assert values(falls)["limits.cpu"] == values(falls)["requests.cpu"] == ("2", limit)
    assert any("whole cores" in risk for risk in falls.risks)
    assert not any("whole cores" in risk for risk in stays.risks)
    assert values(stays) == {"requests.cpu": ("2", "650m")}


@pytest.mark.parametrize(
    ("cpu_limit", "falls"), [("2", False), ("4", True)], ids=["its limit would fall", "its limit stays"]
)
def test_a_limit_that_bursts_run_into_does_not_fall(cpu_limit: str, falls: bool) -> None:
    """0.15 cores on average over five minutes, and 2 are not enough at some moments of them."""
    text = deployment(cpu="2", memory="360Mi", cpu_limit=cpu_limit)
    answer = found(text, cluster(usage(throttled_ratio=0.05)))

    assert bool(answer.recommendations) is falls
    if not falls:
        assert left(answer, Reason.THROTTLED).facts == {"container": "main", "periods": "5 %"}


def _with(field: str) -> str:
    resources = "          resources:"
    return deployment(cpu=None, memory="4Gi", memory_limit="4Gi").replace(
        resources, f"          {field}\n{resources}"
    )


@pytest.mark.parametrize(
    ("field", "memory"),
    [
        ("args: [-jar, app.jar, -Xmx2g]", "2496Mi"),
        ('env: [{name: JAVA_TOOL_OPTIONS, value: "-Xms1g -Xmx2048m"}]', "2496Mi"),
        ("command: [node, --max-old-space-size=2048, server.js]", "2496Mi"),
        ("env: [{name: GOMEMLIMIT, value: 2GiB}]", "2496Mi"),
        ("args: [-Xmx256m]", "1088Mi"),
        ("args: [-XX:MaxRAMPercentage=75.0]", ""),
        ('env: [{name: JAVA_OPTS, value: "-Dfile.encoding=UTF-8"}]', ""),
        ("args: [--verbose]", "1088Mi"),
    ],
    ids=["Java", "Java's environment", "Node", "Go", "a small heap", "a share", "a quarter", "nothing said"],
)
def test_a_limit_stays_above_the_heap_that_is_declared(field: str, memory: str) -> None:
    """It peaked at 900 MiB; but what may take 2 GiB will, and a heap that is a share of the limit shrinks."""
    answer = found(_with(field), cluster(usage(memory=900 * MIB)))

    assert [values(one)["limits.memory"] for one in answer.recommendations] == (
        [("4Gi", memory)] if memory else []
    )
    if not memory:
        assert left(answer, Reason.RISKY).facts["why"].startswith("its Java heap is a share of its limit")


def test_a_small_container_keeps_room_for_a_shell() -> None:
    """A fifth of 9 MiB is less than a probe's process takes."""
    one = only(deployment(cpu=None, memory="512Mi", memory_limit="512Mi"), cluster(usage(memory=9 * MIB)))

    assert values(one)["limits.memory"] == ("512Mi", "48Mi")
