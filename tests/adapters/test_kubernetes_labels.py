"""Labels that say whose something is, from a Kubernetes API over real HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from bot.adapters.kubernetes_api import open_context
from bot.adapters.kubernetes_labels import read_labels
from bot.errors import ClusterUnavailable, UserError
from estimators.ownership import LabelsNow
from estimators.usage import WorkloadKey
from tests import kubernetes_api
from tests.kubernetes_api import Body, Cluster, kubeconfig
from tests.live_cluster import thing

API = WorkloadKey("shop", "Deployment", "api")
SECRET = "hunter2"


def named(
    kind: str,
    name: str,
    labels: Mapping[str, str] | None = None,
    *,
    owner: tuple[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
) -> Body:
    """An object of the namespace `shop`, with a secret in its spec and in an annotation nobody named."""
    version = {"Pod": "v1", "Job": "batch/v1", "CronJob": "batch/v1", "Rollout": "argoproj.io/v1alpha1"}
    applied = {"kubectl.kubernetes.io/last-applied-configuration": SECRET, "note": SECRET}
    metadata = {"labels": dict(labels or {}), "annotations": {**applied, **(annotations or {})}}
    if owner is not None:
        other = {"kind": "Node", "name": "not-this-one", "controller": False}
        metadata["ownerReferences"] = [other, {"kind": owner[0], "name": owner[1], "controller": True}]  # type: ignore[assignment]  # JSON
    spec = {"password": SECRET}
    return thing(version.get(kind, "apps/v1"), kind, name, "shop", metadata=metadata, spec=spec)


def pod_of_api(name: str, **labels: str) -> Body:
    """A pod of the Deployment `api`."""
    return named("Pod", name, {"pod-template-hash": "5d9c", **labels}, owner=("ReplicaSet", "api-5d9c"))


def namespace(name: str, **metadata: Mapping[str, str]) -> Body:
    """A namespace."""
    return thing("v1", "Namespace", name, metadata=metadata)


def labels_of(
    cluster: Cluster, folder: Path, *annotations: str, within_seconds: float = 10, timeout_seconds: float = 5
) -> LabelsNow:
    """What the adapter makes of the cluster."""
    with kubernetes_api.serving(cluster) as url:
        api = open_context("test", kubeconfig=kubeconfig(folder, url), timeout_seconds=timeout_seconds)
        try:
            return read_labels(api, annotations, within_seconds=within_seconds)
        finally:
            api.close()


def test_labels_have_the_names_that_prometheus_gives_them(tmp_path: Path) -> None:
    """So that each says the same, whoever tells it; what controllers write on every pod is left out."""
    cluster = Cluster(
        [
            namespace("shop", labels={"cost-center": "42", "empty": ""}),
            named("Deployment", "api", {"app.kubernetes.io/part-of": "store"}),
            pod_of_api("api-5d9c-1", team="checkout"),
        ]
    )
    found = labels_of(cluster, tmp_path)

    assert found.namespaces == {"shop": {"cost_center": "42"}}
    assert found.workloads == {API: {"app_kubernetes_io_part_of": "store"}}
    assert found.pods == {API: {"team": "checkout"}}
    assert found.missing == ()


def test_of_annotations_those_that_are_named_are_kept(tmp_path: Path) -> None:
    """Others may hold secrets, and nothing but metadata is ever asked for. A label wins over one of its name."""
    cluster = Cluster(
        [
            namespace("shop", annotations={"backstage.io/owner": "group:default/shop", "note": SECRET}),
            named("Deployment", "api", {"team": "label"}, annotations={"team": "annotation"}),
            named("Pod", "debug", annotations={"team": "debuggers"}),
        ]
    )
    found = labels_of(cluster, tmp_path, "team", "backstage.io/owner")

    assert found.namespaces == {"shop": {"backstage_io_owner": "group:default/shop"}}
    assert found.workloads == {API: {"team": "label"}}
    assert found.pods == {WorkloadKey("shop", "Pod", "debug"): {"team": "debuggers"}}
    assert SECRET not in repr(found)
    assert cluster.requests
    assert cluster.whole == []


@pytest.mark.parametrize(
    ("labels", "owner", "workload"),
    [
        pytest.param({"pod-template-hash": "7f"}, ("ReplicaSet", "api-7f"), ("Deployment", "api"), id="deployment"),
        pytest.param(
            {"rollouts-pod-template-hash": "7f"}, ("ReplicaSet", "api-7f"), ("Rollout", "api"), id="rollout"
        ),
        pytest.param({}, ("ReplicaSet", "api-7f"), ("ReplicaSet", "api-7f"), id="replicaset alone"),
        pytest.param(
            {"pod-template-hash": "aa"}, ("ReplicaSet", "api-7f"), ("ReplicaSet", "api-7f"), id="another hash"
        ),
        pytest.param({}, ("StatefulSet", "db"), ("StatefulSet", "db"), id="statefulset"),
        pytest.param({}, ("Job", "tick-1"), ("CronJob", "tick"), id="cronjob"),
        pytest.param({}, ("Job", "once"), ("Job", "once"), id="job"),
        pytest.param({}, ("Node", "node-a"), ("Pod", "p"), id="static pod"),
        pytest.param({}, None, ("Pod", "p"), id="bare pod"),
    ],
)  # fmt: skip
def test_pods_are_their_workloads(
    labels: Mapping[str, str], owner: tuple[str, str] | None, workload: tuple[str, str], tmp_path: Path
) -> None:
    """By what controls them, as Prometheus tells it too."""
    jobs = [named("Job", "tick-1", {"a": "b"}, owner=("CronJob", "tick")), named("Job", "once")]
    cluster = Cluster([*jobs, named("Pod", "p", {**labels, "team": "ours"}, owner=owner)])

    found = labels_of(cluster, tmp_path)

    assert found.pods == {WorkloadKey("shop", *workload): {"team": "ours"}}
    assert list(found.workloads) == [WorkloadKey("shop", "Job", "once")]


def test_of_several_values_that_of_most_pods_counts(tmp_path: Path) -> None:
    """As in a rollout that has just begun."""
    teams = ["old", "old", "new"]
    cluster = Cluster([pod_of_api(f"p-{number}", team=team) for number, team in enumerate(teams)])
    assert labels_of(cluster, tmp_path).pods == {API: {"team": "old"}}


def test_a_list_that_expires_is_counted_once(tmp_path: Path) -> None:
    """HTTP 410 between two pages: it is read again from its start."""
    teams = ["old", "old", "new", "new", "new"]
    pods = [pod_of_api(f"p-{number}", team=team) for number, team in enumerate(teams)]
    cluster = Cluster(pods, page_size=2, expire={"pods": 1})

    found = labels_of(cluster, tmp_path)

    assert found.pods == {API: {"team": "new"}}
    assert found.missing == ()
    assert sum("/pods?" in request for request in cluster.requests) > 3
    assert all("limit=500" in request for request in cluster.requests)


@pytest.mark.parametrize(
    ("spoilt", "reason"),
    [
        pytest.param({"forbidden": {"pods"}}, "grant the verb list on pods", id="forbidden"),
        pytest.param({"failures": {"pods": [500]}}, "HTTP 500 for pods", id="an error of the server"),
        pytest.param({"served": {"v1": ("namespaces",)}}, "the server has none", id="not served"),
    ],
)
def test_what_one_list_lacks_is_said_and_the_others_are_used(
    spoilt: dict[str, object], reason: str, tmp_path: Path
) -> None:
    """An operator may grant less."""
    cluster = Cluster([namespace("shop", labels={"team": "shop"}), pod_of_api("p", team="checkout")])
    for field, value in spoilt.items():
        setattr(cluster, field, value)

    found = labels_of(cluster, tmp_path)

    assert found.namespaces == {"shop": {"team": "shop"}}
    assert found.pods == {}
    [about_pods] = [line for line in found.missing if line.startswith("labels of pods ")]
    assert reason in about_pods


def test_rollouts_are_read_where_there_are_any(tmp_path: Path) -> None:
    """That a cluster has none is no news."""
    cluster = Cluster([named("Rollout", "api", {"team": "checkout"})])
    assert labels_of(cluster, tmp_path) == LabelsNow()
    cluster.served["argoproj.io/v1alpha1"] = ("rollouts",)
    assert labels_of(cluster, tmp_path).workloads == {
        WorkloadKey("shop", "Rollout", "api"): {"team": "checkout"}
    }


def test_all_lists_together_end_in_time(tmp_path: Path) -> None:
    """Whatever each page of a slow server may take."""
    cluster = Cluster([namespace("shop"), pod_of_api("p")], delay_seconds=0.15)
    with pytest.raises(ClusterUnavailable, match=r"longer than 0\.2 s"):
        labels_of(cluster, tmp_path, within_seconds=0.2)


def test_a_server_that_does_not_answer_or_know_us_gives_nothing(tmp_path: Path) -> None:
    """Half of the labels would charge the wrong team."""
    with pytest.raises(ClusterUnavailable, match=r"no answer within 0\.1 s"):
        labels_of(Cluster(delay_seconds=0.5), tmp_path, timeout_seconds=0.1)
    with pytest.raises(UserError, match="log in again"):
        labels_of(Cluster(token="another"), tmp_path)
