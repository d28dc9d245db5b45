"""The facts of a cluster are the same, whichever of the two sources tells them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

import pytest

from bot.adapters import kubernetes_live, prometheus_live
from bot.adapters.kubernetes_api import open_context
from bot.adapters.prometheus_api import PrometheusApi
from estimators.inventory import take_inventory
from estimators.objects import Body, dig
from estimators.quantity import InvalidQuantityError, parse_quantity
from estimators.usage import LiveFacts, Taint
from estimators.workload import MetricType
from tests import kubernetes_api, live_cluster, live_past, prometheus_server

Read = Callable[[Sequence[str]], LiveFacts]
ALWAYS_TOLD: Mapping[str, Sequence[tuple[str | int, ...]]] = {
    "Deployment": [("spec", "replicas"), ("status", "replicas")],
    "StatefulSet": [("spec", "replicas"), ("status", "replicas")],
    "DaemonSet": [("status", "desiredNumberScheduled"), ("status", "currentNumberScheduled")],
    "HorizontalPodAutoscaler": [
        ("spec", "scaleTargetRef", "name"),
        ("spec", "minReplicas"),
        ("spec", "maxReplicas"),
        ("spec", "metrics", 2),
        ("status", "currentReplicas"),
        ("status", "desiredReplicas"),
        ("status", "currentMetrics", 0),
    ],
    "PodDisruptionBudget": [("status", "disruptionsAllowed"), ("status", "expectedPods")],
    "LimitRange": [("spec", "limits", 0, "defaultRequest", "cpu")],
    "ResourceQuota": [("status", "hard", "requests.cpu"), ("status", "used", "requests.cpu")],
    "Service": [("spec", "type"), ("metadata", "labels", "app.kubernetes.io/name")],
    "StorageClass": [("provisioner",), ("reclaimPolicy",), ("volumeBindingMode",)],
    "Namespace": [("metadata", "labels", "kubernetes.io/metadata.name")],
}


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Read]]:
    """Every source, by name: Prometheus under several ways of scraping, and the API server."""
    folder = tmp_path_factory.mktemp("live")
    prometheus_server.backfill(folder / "prometheus", live_past.past())
    cluster = kubernetes_api.Cluster([*live_cluster.nodes(), *live_cluster.objects(), *live_cluster.pods()])
    with prometheus_server.serving(folder / "prometheus") as url, kubernetes_api.serving(cluster) as server:
        api = open_context("test", kubeconfig=kubernetes_api.kubeconfig(folder, server))

        def from_prometheus(name: str) -> Read:
            prometheus = PrometheusApi(url, selector={"cluster": name})
            return lambda namespaces: prometheus_live.read_live(
                prometheus, at=live_past.AT, namespaces=namespaces
            )

        yield {
            **{name: from_prometheus(name) for name in live_past.CLUSTERS},
            "kubernetes": lambda namespaces: kubernetes_live.read_live(api, namespaces=namespaces),
        }
        api.close()


@pytest.fixture(params=[*live_past.CLUSTERS, "kubernetes"])
def read(request: pytest.FixtureRequest, sources: Mapping[str, Read]) -> Read:
    """One source after the other."""
    return sources[request.param]


def agrees(told: Any, truth: Any) -> bool:  # noqa: ANN401 - JSON
    """Whether everything that was told is true; quantities may be spelt differently."""
    if isinstance(told, dict) and isinstance(truth, dict):
        return all(key in truth and agrees(value, truth[key]) for key, value in told.items())
    if isinstance(told, list) and isinstance(truth, list):
        return len(told) == len(truth) and all(map(agrees, told, truth))
    try:
        return bool(told == truth) or parse_quantity(told) == parse_quantity(truth)
    except InvalidQuantityError:
        return False


def identity(body: Body) -> tuple[str, str, str]:
    """Kind, namespace and name."""
    return body["kind"], body["metadata"].get("namespace", ""), body["metadata"]["name"]


def test_nodes_are_as_they_are(read: Read) -> None:
    """Labels, taints and sizes, in base units."""
    nodes = {node.name: node for node in read(()).nodes}
    truth = {node["metadata"]["name"]: node for node in live_cluster.nodes()}

    assert list(nodes) == ["node-a", "node-b"]
    for name, node in nodes.items():
        assert node.labels == truth[name]["metadata"]["labels"]
        for part in ("allocatable", "capacity"):
            amounts = truth[name]["status"][part].items()
            assert getattr(node, part) == {key: parse_quantity(value) for key, value in amounts}
    assert nodes["node-a"].taints == ()
    assert nodes["node-b"].taints == (Taint("nvidia.com/gpu", "present", "NoSchedule"),)


def test_finished_pods_reserve_nothing(read: Read) -> None:
    """The sum of requests counts each running or waiting pod once, and its sidecar with it."""
    assert read(()).requested == {
        "cpu": Decimal("5.75"),
        "memory": Decimal(512 * 2**20 + 10 * 2**30),
        "nvidia.com/gpu": Decimal(1),
    }


def test_every_object_is_told_and_nothing_false_about_it(read: Read) -> None:
    """All identities are there with the fields a report needs, and each field told is true."""
    truth = {identity(body): body for body in live_cluster.objects()}
    told = {identity(body): body for body in read(()).objects}

    assert told.keys() == truth.keys()
    for key, body in told.items():
        compared = {
            name: part for name, part in body.items() if (key[0], name) != ("PodDisruptionBudget", "spec")
        }
        assert agrees(compared, truth[key]), key
        missing = [path for path in ALWAYS_TOLD[key[0]] if dig(body, *path) is None]
        assert not missing, (key, missing)


def test_namespaces_narrow_objects_but_not_the_cluster(read: Read) -> None:
    """Objects of other namespaces are left out; nodes and the sum of requests are whole."""
    narrow, whole = read(("search",)), read(())

    namespaced = {identity(body)[:2] for body in narrow.objects if "namespace" in body["metadata"]}
    assert namespaced == {("DaemonSet", "search")}
    assert ("Namespace", "", "search") in map(identity, narrow.objects)
    assert ("Namespace", "", "payments") not in map(identity, narrow.objects)
    assert (narrow.nodes, narrow.requested) == (whole.nodes, whole.requested)


def test_estimators_read_the_objects(read: Read) -> None:
    """An HPA's bounds and targets and a LimitRange's defaults arrive where they are used."""
    inventory = take_inventory((), read(()).objects)

    autoscaler = inventory.autoscalers["", "payments", "Deployment", "api"]
    assert (autoscaler.least, autoscaler.most) == (Decimal(2), Decimal(10))
    assert [(metric.type, metric.name, metric.target) for metric in autoscaler.metrics] == [
        (MetricType.RESOURCE, "cpu", Decimal(70)),
        (MetricType.CONTAINER, "memory", Decimal(512 * 2**20)),
        (MetricType.EXTERNAL, "queue_depth", Decimal(30)),
    ]
    [limits] = inventory.defaults["", "payments"].values()
    assert limits.requests["cpu"] == Decimal("0.1")


def test_no_secret_is_kept(read: Read) -> None:
    """Environment variables and last-applied annotations of a cluster never leave it."""
    assert "hunter2" not in repr(read(()))


def test_a_budget_without_a_known_selector_protects_nothing(read: Read) -> None:
    """It must not be taken for the empty selector, which would protect every pod."""
    (budget,) = take_inventory((), read(()).objects).budgets["", "payments"].values()
    assert budget.selector != {}
