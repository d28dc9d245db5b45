"""The verdict: worst finding, else unknown, safe or none."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimators.change import Side, Simulation, WorkloadChange
from estimators.money import NOTHING, Range
from estimators.objects import Source
from estimators.report import Confidence, FieldChange, Finding, Row, Severity, Verdict
from estimators.rules import judge
from estimators.rules.losses import losses
from estimators.usage import GpuUsage, RunHistory, WorkloadUsage
from estimators.verdict import report_verdict, row_verdict, unknown_because
from estimators.workload import (
    Autoscaler,
    JobTerms,
    Placement,
    Scaling,
    ScalingRules,
    VolumeClaim,
)
from tests.builders import (
    STEPS_A_DAY,
    autoscaler,
    change,
    container,
    container_usage,
    history,
    manifest,
    node,
    resources,
    side,
    snapshot,
    template,
    workload,
    workload_of_groups,
)

MEBI = 2**20
WORST_FIRST = tuple(Verdict)
FIELD = FieldChange("memory limit", "1Gi", "2Gi", "spec", Source("api.yaml", 1))


def verdict(judged: WorkloadChange) -> Verdict:
    """With all rules."""
    return row_verdict(judged, judge(judged))


def pod(limit: str | None = "2Gi", cpu: str = "500m", memory: str = "64Mi", replicas: int | None = 3) -> Side:
    """One container, with a memory limit and requests."""
    limits = {"memory": limit} if limit else {}
    return side(
        workload(container(requests={"cpu": cpu, "memory": memory}, limits=limits), replicas=replicas)
    )


SEEN = history(container_usage(cpu=0.6, memory=60 * MEBI))


@pytest.mark.parametrize(
    ("limit", "seen", "expected"),
    [
        pytest.param("512Mi", 683, Verdict.RISKY, id="below the peak"),
        pytest.param("700Mi", 683, Verdict.CAUTION, id="hardly above the peak"),
        pytest.param("2049Mi", 683, Verdict.SAFE, id="three times the peak"),
        pytest.param("512Mi", None, Verdict.UNKNOWN, id="no history, low"),
        pytest.param("2049Mi", None, Verdict.UNKNOWN, id="no history, high"),
    ],
)
def test_a_lower_memory_limit(limit: str, seen: int | None, expected: Verdict) -> None:
    """Risky, caution, safe or unknown."""
    usage = history(container_usage(memory=seen * MEBI)) if seen else None

    assert verdict(change(pod("3Gi"), pod(limit), usage)) is expected


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param(None, pod(), Verdict.SAFE, id="new"),
        pytest.param(pod("1Gi"), pod("2Gi"), Verdict.SAFE, id="a higher limit"),
        pytest.param(pod(), pod(None), Verdict.SAFE, id="no limit any more"),
        pytest.param(pod(), pod(cpu="2"), Verdict.SAFE, id="a higher request"),
        pytest.param(pod(), pod(replicas=4), Verdict.SAFE, id="more pods"),
        pytest.param(pod(), pod(), Verdict.NONE, id="nothing"),
        pytest.param(pod(), pod(cpu="100m"), Verdict.UNKNOWN, id="a lower request"),
        pytest.param(pod(None), pod("9Gi"), Verdict.UNKNOWN, id="a limit where there was none"),
        pytest.param(pod(), pod(replicas=2), Verdict.UNKNOWN, id="fewer pods"),
        pytest.param(pod(), None, Verdict.UNKNOWN, id="removed"),
        pytest.param(pod(), replace(pod(), estimate=None), Verdict.UNKNOWN, id="a cost that is not known"),
        pytest.param(pod(), pod(replicas=1), Verdict.CAUTION, id="a caution wins over unknown"),
    ],
)
def test_without_history_only_what_adds_is_safe(
    before: Side | None, after: Side | None, expected: Verdict
) -> None:
    """What takes away is unknown, and says what would tell."""
    judged = change(before, after)

    assert verdict(judged) is expected
    if expected is Verdict.UNKNOWN:
        assert "--usage FILE" in unknown_because(judged)


def test_a_change_of_nothing_that_costs_or_risks_is_none() -> None:
    """A listed field makes it safe."""
    assert verdict(change(pod(), pod(), changes=[FIELD])) is Verdict.SAFE
    assert verdict(change(pod(), replace(pod(), estimate=pod(cpu="1").estimate))) is Verdict.SAFE


def test_information_never_counts() -> None:
    """A finding of caution or worse decides."""
    judged = change(pod("1Gi"), pod("2Gi"))
    found = {item: Finding("x", item, "", "", Source("api.yaml", 1)) for item in Severity}

    assert row_verdict(judged, [found[Severity.INFO]]) is Verdict.SAFE
    assert row_verdict(judged, [found[Severity.INFO], found[Severity.CAUTION]]) is Verdict.CAUTION
    assert row_verdict(judged, list(found.values())) is Verdict.RISKY


@pytest.mark.parametrize(
    ("steps", "expected"), [(STEPS_A_DAY, Verdict.SAFE), (STEPS_A_DAY - 1, Verdict.UNKNOWN)]
)
@pytest.mark.parametrize(
    "after", [pod("1Gi"), pod(cpu="400m"), pod(memory="62Mi"), pod(replicas=2, cpu="900m")], ids=["limit", "CPU", "memory", "pods"]
)  # fmt: skip
def test_usable_history_is_a_day(steps: int, expected: Verdict, after: Side) -> None:
    """Of observed steps, of the container and the resource that are touched."""
    memory, cores = np.full(4032, np.nan), np.full(4032, np.nan)
    memory[:steps], cores[:steps] = 60 * MEBI, 0.6
    judged = change(pod(), after, history(container_usage(cpu=cores, memory=memory)))

    assert verdict(judged) is expected
    assert ("23.9 hours of history" in unknown_because(judged)) == (expected is Verdict.UNKNOWN)


def test_history_of_another_container_covers_nothing() -> None:
    """Nor does history of another workload."""
    other = history(container_usage("proxy"))

    assert verdict(change(pod(), pod("1Gi"), other)) is Verdict.UNKNOWN
    assert "container api" in unknown_because(change(pod(), pod("1Gi"), other))
    elsewhere = change(pod(), pod("1Gi"), usage=snapshot(other))
    assert "not in the usage history" in unknown_because(elsewhere)


AUTOSCALED = {"cpu": "500m", "memory": "64Mi"}


def scaled(scaler: Autoscaler, cpu: str = "500m", pods: float | None = None) -> Side:
    """A workload under an autoscaler, simulated where `pods` is given."""
    kept = None if pods is None else np.full(4032, pods)
    simulation = None if kept is None else Simulation(kept, kept)
    expected = Decimal(str(scaler.least if pods is None else pods))
    return side(
        workload(container(requests={**AUTOSCALED, "cpu": cpu}), replicas=None),
        autoscaler=scaler,
        pods=Range(scaler.least, expected, scaler.most),
        simulation=simulation,
    )


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(
            scaled(autoscaler()), scaled(autoscaler(), "2"), id="a higher request under a utilisation target"
        ),
        pytest.param(scaled(autoscaler()), scaled(autoscaler(target=90)), id="a higher target"),
        pytest.param(scaled(autoscaler()), scaled(autoscaler(metric="memory")), id="another metric"),
        pytest.param(scaled(autoscaler()), scaled(autoscaler(most=9)), id="a lower maximum"),
        pytest.param(scaled(autoscaler(4)), scaled(autoscaler(3)), id="a lower minimum"),
        pytest.param(scaled(autoscaler()), scaled(autoscaler(up=ScalingRules(600))), id="other behaviour"),
        pytest.param(pod(replicas=4), scaled(autoscaler(3)), id="an autoscaler below the old count"),
        pytest.param(scaled(autoscaler()), pod(replicas=9), id="a count below the old maximum"),
    ],
)
def test_what_takes_replicas_away_is_not_safe_without_history(before: Side, after: Side) -> None:
    """Though no request, limit or count of the workload falls."""
    assert verdict(change(before, after)) in {Verdict.UNKNOWN, Verdict.RISKY, Verdict.CAUTION}


@pytest.mark.parametrize(
    "after",
    [
        pytest.param(scaled(autoscaler(target=50)), id="a lower target"),
        pytest.param(scaled(autoscaler(3, 12)), id="wider bounds"),
        pytest.param(scaled(autoscaler(), "500m"), id="another object"),
    ],
)
def test_what_adds_replicas_is_safe_without_history(after: Side) -> None:
    """It only adds capacity."""
    judged = change(scaled(autoscaler()), after, changes=[FIELD])

    assert row_verdict(judged, ()) is Verdict.SAFE


def test_simulated_steps_decide_where_there_are_any() -> None:
    """A higher request that leaves the count as it is takes nothing away."""
    same = change(scaled(autoscaler(), pods=4), scaled(autoscaler(), "600m", pods=4), SEEN)
    fewer = change(scaled(autoscaler(), pods=4), scaled(autoscaler(), "600m", pods=3), SEEN)

    assert losses(same) == ()
    assert [item.resource for item in losses(fewer)] == ["pods"]
    assert verdict(fewer) is Verdict.SAFE


def test_fewer_pods_of_an_autoscaler_that_cannot_be_replayed_are_unknown() -> None:
    """Its metric is not in the history."""
    judged = change(scaled(autoscaler()), scaled(autoscaler(target=90)), SEEN)

    assert verdict(judged) is Verdict.UNKNOWN
    assert "could not be replayed" in unknown_because(judged)


def test_fewer_pods_without_requests_are_unknown() -> None:
    """Nothing tells what one pod can carry."""
    before, after = (side(workload(container(), replicas=count)) for count in (9, 8))
    judged = change(before, after, SEEN)

    assert verdict(judged) is Verdict.UNKNOWN
    assert "no CPU request or limit" in unknown_because(judged)


def job(parallelism: int = 2, deadline: int | None = 600, *, suspended: bool = False) -> Side:
    """A Job's side."""
    terms = JobTerms(
        Decimal(2), Decimal(parallelism), None if deadline is None else Decimal(deadline), suspended=suspended
    )
    return side(
        workload(container(requests=AUTOSCALED), thing=manifest("Job"), scaling=Scaling.JOB, job=terms)
    )


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        pytest.param(job(1), Verdict.UNKNOWN, id="less at once"),
        pytest.param(job(2, 60), Verdict.UNKNOWN, id="a shorter deadline"),
        pytest.param(job(suspended=True), Verdict.UNKNOWN, id="suspended"),
        pytest.param(job(3, None), Verdict.SAFE, id="more"),
    ],
)
def test_a_job_may_be_given_less_room(after: Side, expected: Verdict) -> None:
    """Only runs that were seen tell whether it is enough."""
    assert verdict(change(job(), after, changes=[FIELD])) is expected
    ran = history(container_usage(), runs=RunHistory(2, 1, 60.0))
    assert verdict(change(job(), after, ran, changes=[FIELD])) is Verdict.SAFE


PINNED = Placement(node_selector={"zone": "a"})


def test_fewer_nodes_to_land_on_need_known_nodes() -> None:
    """History of usage says nothing of nodes."""
    before = side(workload(container(requests=AUTOSCALED)))
    after = side(workload(container(requests=AUTOSCALED), placement=PINNED))
    known = snapshot(SEEN, nodes=[node("a", labels={"zone": "a"})])

    assert verdict(change(before, after, SEEN)) is Verdict.UNKNOWN
    assert "--kube-context" in unknown_because(change(before, after, SEEN))
    assert verdict(change(before, after, SEEN, usage=known)) is Verdict.SAFE


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        pytest.param({"pod_requests": resources({"cpu": "1"})}, "cpu", id="a request of the pod"),
        pytest.param({"pod_limits": resources({"memory": "1Gi"})}, "memory", id="a limit of the pod"),
    ],
)
def test_requests_of_the_pod_are_taken_away_too(fields: dict[str, object], kind: str) -> None:
    """Pod-level resources (Kubernetes 1.34)."""
    old = {key: {name: amount * 2 for name, amount in value.items()} for key, value in fields.items() if isinstance(value, dict)}  # fmt: skip
    before, after = (side(workload(container(), **part)) for part in (old, fields))

    assert kind in [item.resource for item in losses(change(before, after))]


def test_storage_that_shrinks_is_unknown() -> None:
    """No history tells how full it is."""
    before, after = (
        side(workload(container(), claims=[VolumeClaim("data", ("spec",), None, Decimal(size))]))
        for size in (2, 1)
    )
    assert "how full it is" in unknown_because(change(before, after, SEEN))


def test_fewer_gpus_need_a_history_of_gpus() -> None:
    """Busy or not."""
    before, after = (side(workload(container(limits={"nvidia.com/gpu": count}))) for count in (2, 1))
    busy = np.full(4032, 0.1)

    assert verdict(change(before, after, SEEN)) is not Verdict.SAFE
    assert not unknown_because(change(before, after, replace(SEEN, gpu=GpuUsage(busy, busy))))


def test_a_container_that_goes_needs_its_history() -> None:
    """A sidecar that was removed."""
    before = side(workload(container(requests=AUTOSCALED), container("proxy", requests=AUTOSCALED)))
    both = history(container_usage(), container_usage("proxy"))

    assert verdict(change(before, pod(None), SEEN)) is Verdict.UNKNOWN
    assert verdict(change(before, pod(None), both)) is Verdict.SAFE


AMOUNTS = st.one_of(st.none(), st.integers(1, 64))
ASKED = st.fixed_dictionaries({"cpu": AMOUNTS, "memory": AMOUNTS})
SHORT = history(container_usage(steps=STEPS_A_DAY - 1))


def _declared(requests: dict[str, int | None], limits: dict[str, int | None], replicas: int) -> Side:
    parts = ({"cpu": f"{part['cpu']}00m"} if part["cpu"] else {} for part in (requests, limits))
    cpu = tuple(parts)
    memory = tuple({"memory": f"{part['memory']}Gi"} if part["memory"] else {} for part in (requests, limits))
    return side(
        workload(
            container(requests={**cpu[0], **memory[0]}, limits={**cpu[1], **memory[1]}), replicas=replicas
        )
    )


@given(ASKED, ASKED, ASKED, ASKED, st.integers(1, 5), st.integers(1, 5), st.sampled_from([None, SHORT]))
def test_nothing_taken_away_is_safe_without_usable_history(
    requests: dict[str, int | None],
    limits: dict[str, int | None],
    new_requests: dict[str, int | None],
    new_limits: dict[str, int | None],
    pods: int,
    new_pods: int,
    seen: WorkloadUsage | None,
) -> None:
    """Whatever is lowered, and however little history there is."""
    before, after = _declared(requests, limits, pods), _declared(new_requests, new_limits, new_pods)
    old_request, request = before.requests["api"], after.requests["api"]
    old_limit, limit = before.limits["api"], after.limits["api"]
    taken = new_pods < pods or any(
        request.get(name, 0) < old_request.get(name, 0) or limit.get(name, 2**70) < old_limit.get(name, 2**70)
        for name in ("cpu", "memory")
    )
    found = verdict(change(before, after, seen))

    assert not taken or found not in {Verdict.SAFE, Verdict.NONE}


@given(
    peak=st.floats(1, 2000),
    old=st.integers(1, 4000),
    lower=st.integers(1, 4000),
    higher=st.integers(1, 4000),
    kills=st.integers(0, 1),
    resource=st.sampled_from(["cpu", "memory"]),
)
def test_a_limit_that_is_lowered_further_is_no_better(
    peak: float, old: int, lower: int, higher: int, kills: int, resource: str
) -> None:
    """Risky stays risky."""
    lower, higher, old = sorted((lower, higher, old + 8000))
    cores = np.array([peak / 1000] * 20 + [peak / 2000] * 280)
    seen = history(container_usage(cpu=cores, memory=peak * MEBI, steps=300, oom_kills=kills), replicas=1)
    unit = "m" if resource == "cpu" else "Mi"
    sides = [
        side(workload(container(limits={resource: f"{amount}{unit}"}))) for amount in (old, higher, lower)
    ]
    less, least = (WORST_FIRST.index(verdict(change(sides[0], after, seen))) for after in sides[1:])

    assert least <= less


def test_the_report_is_as_bad_as_its_worst_row() -> None:
    """And none without rows."""
    rows = {
        item: Row(manifest().identity, "changed", Source("a", 1), item, Confidence.NONE, None, None, NOTHING)
        for item in Verdict
    }
    assert report_verdict([]) is Verdict.NONE
    for index, worst in enumerate(WORST_FIRST):
        assert report_verdict([rows[item] for item in reversed(WORST_FIRST[index:])]) is worst


@pytest.mark.parametrize(
    ("unpriced", "way_out"),
    [
        pytest.param(workload(scaling=Scaling.PER_NODE), "--kube-context", id="DaemonSet"),
        pytest.param(workload(scaling=Scaling.CRON), "activeDeadlineSeconds", id="CronJob"),
        pytest.param(workload(), "--prometheus", id="Deployment"),
    ],
)  # fmt: skip
def test_a_cost_that_is_not_known_says_what_would_tell(unpriced: object, way_out: str) -> None:
    """The flag or the field to add."""
    new = replace(side(workload(container())), workload=unpriced, estimate=None)  # type: ignore[arg-type]

    assert way_out in unknown_because(change(None, new))


def test_keda_from_zero_asks_for_history_or_a_minimum() -> None:
    """Its events decide."""
    scaler = replace(autoscaler(0), event_driven=True)
    new = side(workload(container(), replicas=None), autoscaler=scaler, known=False)

    assert "minReplicaCount" in unknown_because(change(None, new))


def test_a_template_without_change_is_not_touched() -> None:
    """The builder's template and the rules agree on what a container is."""
    assert template(container()).running[0].path == ("spec", "template", "spec", "containers", 0)


@pytest.mark.parametrize(
    ("head", "workers", "expected"),
    [
        pytest.param(1, 4, Verdict.SAFE, id="more workers"),
        pytest.param(2, 2, Verdict.UNKNOWN, id="fewer workers, more heads"),
        pytest.param(1, None, Verdict.UNKNOWN, id="no workers"),
    ],
)
def test_each_group_of_pods_is_judged_by_itself(head: int, workers: int | None, expected: Verdict) -> None:
    """One that grows does not make up for another."""
    before = side(workload_of_groups(head=1, workers=3), pods=4)
    after = side(
        workload_of_groups(**{"head": head} | ({} if workers is None else {"workers": workers})), pods=4
    )

    assert row_verdict(change(before, after, changes=[FIELD]), ()) is expected


def test_what_no_history_is_kept_of_is_unknown() -> None:
    """Ephemeral storage, say."""
    before, after = (
        side(workload(container(requests={"ephemeral-storage": size}))) for size in ("2Gi", "1Gi")
    )
    assert unknown_because(change(before, after, SEEN)) == "no history of ephemeral-storage is kept"


@pytest.mark.parametrize(
    ("name", "limit", "expected"),
    [
        pytest.param("api", "1Gi", Verdict.SAFE, id="history under the old name"),
        pytest.param("web", "1Gi", Verdict.SAFE, id="history under the new name"),
        pytest.param("api", "32Mi", Verdict.RISKY, id="judged by it"),
        pytest.param("other", "1Gi", Verdict.UNKNOWN, id="no history"),
    ],
)
def test_a_sole_container_may_be_renamed(name: str, limit: str, expected: Verdict) -> None:
    """It is the same one: a rename neither loses a container nor its history."""
    parts = (
        container(one, requests={"memory": "16Mi"}, limits={"memory": most})
        for one, most in (("api", "2Gi"), ("web", limit))
    )
    before, after = (side(workload(part)) for part in parts)

    assert verdict(change(before, after, history(container_usage(name, memory=60 * MEBI)))) is expected


def test_a_rename_alone_takes_nothing_away() -> None:
    """Of the only container; one of several may as well be another."""
    before, after = (side(workload(container(name, requests=AUTOSCALED))) for name in ("api", "web"))
    proxy = container("proxy", requests=AUTOSCALED)
    two, other = (side(workload(container(name, requests=AUTOSCALED), proxy)) for name in ("api", "web"))

    assert losses(change(before, after)) == ()
    assert [item.container for item in losses(change(two, other))] == ["api"]
