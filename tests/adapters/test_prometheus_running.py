"""What pods have now, as a real Prometheus tells it of a past that is known."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest

from bot.adapters.prometheus_api import PrometheusApi
from bot.adapters.prometheus_live import read_counts
from bot.adapters.prometheus_running import read_running
from estimators.usage import ContainerField, RunningValues, WorkloadKey
from tests import prometheus_server
from tests.prometheus_server import Written

NOW = datetime(2026, 11, 16, 12, tzinfo=UTC)
MINUTE = 60
SCRAPER = {"namespace": "monitoring", "pod": "ksm-0", "container": "ksm"}
CPU, MEMORY = ContainerField("main", "requests", "cpu"), ContainerField("main", "requests", "memory")
API = WorkloadKey("shop", "Deployment", "api")


def written(
    metric: str, labels: Mapping[str, str], value: float, minutes: tuple[int, int], cluster: str
) -> Written:
    """One series between two minutes before now; in the cluster `renamed` the target's labels won."""
    if cluster == "renamed":
        labels = {**SCRAPER, **{f"exported_{k}" if k in SCRAPER else k: v for k, v in labels.items()}}
    begin, end = (int((NOW - timedelta(minutes=one)).timestamp()) for one in minutes)
    times = np.arange(begin, end, MINUTE, dtype=np.int64)
    return Written(metric, {**labels, "cluster": cluster}, times, np.full(times.size, value))


def pods() -> Iterator[tuple[str, str, str, tuple[int, int], Mapping[tuple[str, str], float]]]:
    """Namespace, pod, its owner, when it was there, and what its container has."""
    now = (30, 0)
    old, new = {("requests", "cpu"): 2.0}, {("requests", "cpu"): 0.5, ("requests", "memory"): 2.0**30}
    yield "shop", "api-1-a", "ReplicaSet/api-1", now, old
    yield "shop", "api-2-a", "ReplicaSet/api-2", now, new
    yield "shop", "api-0-a", "ReplicaSet/api-0", (30, 10), {("requests", "cpu"): 8.0}
    yield "shop", "db-0", "StatefulSet/db", now, {("limits", "nvidia_com_gpu"): 1.0}
    yield "shop", "alone", "", now, old
    yield "other", "api-1-a", "ReplicaSet/api-1", now, {("requests", "cpu"): 4.0}


def past(cluster: str) -> Iterator[Written]:
    """Two ReplicaSets of a Deployment in the middle of a rollout, the pods of a third are gone."""
    for namespace, pod, owner, when, has in pods():
        kind, _, name = owner.partition("/")
        owned = {"namespace": namespace, "pod": pod, "owner_kind": kind, "owner_name": name}
        controller = {"owner_is_controller": "true" if owner else ""}
        yield written("kube_pod_owner", owned | controller, 1, when, cluster)
        for (part, resource), value in has.items():
            labels = {"namespace": namespace, "pod": pod, "container": "main", "resource": resource}
            yield written(f"kube_pod_container_resource_{part}", labels, value, when, cluster)
        if kind == "ReplicaSet":
            labels = {"namespace": namespace, "replicaset": name, "owner_kind": "Deployment"}
            above = labels | {"owner_name": "api", "owner_is_controller": "true"}
            yield written("kube_replicaset_owner", above, 1, when, cluster)
    counts = {
        "kube_deployment_spec_replicas": ("deployment", 3.0),
        "kube_statefulset_replicas": ("statefulset", 1.0),
    }
    scaler = "horizontalpodautoscaler"
    counts |= {
        f"kube_{scaler}_spec_{which}_replicas": (scaler, size) for which, size in (("min", 2.0), ("max", 9.0))
    }
    for metric, (label, value) in counts.items():
        for namespace, more in (("shop", 0.0), ("other", 5.0)):
            labels = {"namespace": namespace, label: "api"}
            yield written(metric, labels, value + more, (30, 0), cluster)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Prometheus of two clusters."""
    folder = tmp_path_factory.mktemp("running")
    prometheus_server.backfill(folder, [one for name in ("plain", "renamed") for one in past(name)])
    with prometheus_server.serving(folder) as address:
        yield address


@pytest.fixture(params=["plain", "renamed"])
def api(url: str, request: pytest.FixtureRequest) -> Iterator[PrometheusApi]:
    """One of the clusters, however its labels are called."""
    with closing(PrometheusApi(url, selector={"cluster": request.param})) as opened:
        yield opened


def running(api: PrometheusApi, namespaces: Sequence[str] | None) -> RunningValues:
    """What runs a moment after the last scrape."""
    return read_running(api, at=NOW - timedelta(seconds=30), namespaces=namespaces)


def test_pods_of_all_replicasets_count_while_they_are_there(api: PrometheusApi) -> None:
    """A rollout has two values at once; pods that ended minutes ago have none."""
    found = running(api, ["shop"])

    assert found == {
        API: {CPU: {Decimal(2), Decimal("0.5")}, MEMORY: {Decimal(2**30)}},
        WorkloadKey("shop", "StatefulSet", "db"): {
            ContainerField("main", "limits", "nvidia.com/gpu"): {Decimal(1)}
        },
        WorkloadKey("shop", "Pod", "alone"): {CPU: {Decimal(2)}},
    }
    assert api.counters.requests == 2


def test_the_whole_cluster_is_one_question(api: PrometheusApi) -> None:
    """Workloads of one name in two namespaces are two."""
    found = running(api, None)

    assert found[API._replace(namespace="other")] == {CPU: {Decimal(4)}}
    assert found.keys() == running(api, ["shop", "other"]).keys()


@pytest.mark.parametrize("namespaces", [[], ["no such_name"], ["empty"]])
def test_nothing_is_known_of_namespaces_without_pods(api: PrometheusApi, namespaces: list[str]) -> None:
    """A name that Kubernetes would not take is not asked about."""
    assert running(api, namespaces) == {}


def test_how_many_pods_there_are_to_be_is_told_by_live_objects(api: PrometheusApi) -> None:
    """Deployments, StatefulSets and autoscalers of the namespace alone, in one request."""
    found = read_counts(api, at=NOW - timedelta(seconds=30), namespaces=["shop"])

    assert {(one["kind"], one["metadata"]["namespace"]): one["spec"] for one in found} == {
        ("Deployment", "shop"): {"replicas": 3},
        ("StatefulSet", "shop"): {"replicas": 1},
        ("HorizontalPodAutoscaler", "shop"): {"minReplicas": 2, "maxReplicas": 9},
    }
    assert api.counters.requests == 1
    assert read_counts(api, at=NOW, namespaces=["no such_name"]) == ()
