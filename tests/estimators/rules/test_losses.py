"""What a change takes away, and whether history covers it."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from estimators.change import Side, Simulation, WorkloadChange
from estimators.money import Range
from estimators.objects import Source
from estimators.report import FieldChange, Verdict
from estimators.rules import judge
from estimators.rules.losses import losses
from estimators.usage import GpuUsage, RunHistory
from estimators.verdict import row_verdict, unknown_because
from estimators.workload import (
    Autoscaler,
    JobTerms,
    Placement,
    Scaling,
    ScalingRules,
    VolumeClaim,
)
from tests.builders import autoscaler, change, container, manifest, side, workload, workload_of_groups
from tests.usage_builders import container_usage, history, node, resources, snapshot

MEBI = 2**20
FIELD = FieldChange("memory limit", "1Gi", "2Gi", "spec", Source("api.yaml", 1))
AUTOSCALED = {"cpu": "500m", "memory": "64Mi"}
SEEN = history(container_usage(cpu=0.6, memory=60 * MEBI))


def verdict(judged: WorkloadChange) -> Verdict:
    """With all rules."""
    return row_verdict(judged, judge(judged))


def pod(limit: str | None = None, replicas: int | None = 3) -> Side:
    """One container with requests, and a memory limit where one is given."""
    asked = container(requests=AUTOSCALED, limits={"memory": limit} if limit else {})
    return side(workload(asked, replicas=replicas))


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


def job(parallelism: int = 2, deadline: int | None = 600) -> Side:
    """A Job's side."""
    terms = JobTerms(Decimal(2), Decimal(parallelism), None if deadline is None else Decimal(deadline))
    return side(
        workload(container(requests=AUTOSCALED), thing=manifest("Job"), scaling=Scaling.JOB, job=terms)
    )


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        pytest.param(job(1), Verdict.UNKNOWN, id="less at once"),
        pytest.param(job(2, 60), Verdict.UNKNOWN, id="a shorter deadline"),
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


@pytest.mark.parametrize("kept", [True, False], ids=["kept", "deleted"])
def test_a_scale_down_that_deletes_volumes_is_not_safe(kept: bool) -> None:
    """`whenScaled: Delete` takes what is on them away, and no history tells whether it is needed."""
    claim = VolumeClaim("data", ("spec",), None, Decimal(2**30), kept_on_scale_down=kept)
    before, after = (
        side(workload(container(requests=AUTOSCALED), replicas=replicas, claims=[claim]))
        for replicas in (9, 8)
    )

    assert verdict(change(before, after, SEEN)) is (Verdict.SAFE if kept else Verdict.UNKNOWN)


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
