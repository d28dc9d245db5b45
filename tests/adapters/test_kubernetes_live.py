"""Live facts from a Kubernetes API over real HTTP: pages, refusals, slow and broken servers, kubeconfigs."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bot.adapters.kubernetes_api import open_context
from bot.adapters.kubernetes_live import read_live
from bot.errors import ClusterUnavailable, UserError
from estimators.objects import Body
from estimators.usage import LiveFacts
from tests import kubernetes_api, live_cluster
from tests.kubernetes_api import Cluster, kubeconfig
from tests.live_cluster import pod, thing


@pytest.fixture
def cluster() -> Cluster:
    """The small cluster; a test may change it."""
    return Cluster([*live_cluster.nodes(), *live_cluster.objects(), *live_cluster.pods()])


@contextmanager
def connected(cluster: Cluster, folder: Path, **options: Any) -> Iterator[Any]:  # noqa: ANN401 - handed on
    """The adapter, connected to the cluster through a kubeconfig."""
    with kubernetes_api.serving(cluster) as url:
        api = open_context("test", kubeconfig=kubeconfig(folder, url), **options)
        yield api
        api.close()


def facts_of(cluster: Cluster, folder: Path, *namespaces: str, timeout_seconds: float = 10) -> LiveFacts:
    """What the adapter makes of the cluster."""
    with connected(cluster, folder, timeout_seconds=timeout_seconds) as api:
        return read_live(api, namespaces=namespaces)


def kinds(facts: LiveFacts) -> set[str]:
    """The kinds of the objects."""
    return {body["kind"] for body in facts.objects}


def many_pods(count: int, **padding: Body) -> list[Body]:
    """Pods of 1 core and 1 GiB."""
    return [
        {**pod(f"p-{number}", "batch", "Running", cpu="1", memory="1Gi"), **padding}
        for number in range(count)
    ]


def test_a_complete_cluster_leaves_nothing_to_say(cluster: Cluster, tmp_path: Path) -> None:
    """Absent optional APIs (VPA, Rollouts, device classes) are no news."""
    facts = facts_of(cluster, tmp_path)
    assert facts.partial == ()
    assert facts.prices_as_of == ""


def test_long_lists_come_in_pages(cluster: Cluster, tmp_path: Path) -> None:
    """1,203 pods are three requests and every one counts once."""
    cluster.objects = many_pods(1203)
    assert facts_of(cluster, tmp_path).requested["cpu"] == 1203
    assert sum("/pods?" in request for request in cluster.requests) == 3


def test_a_list_that_expires_is_read_again_from_its_start(cluster: Cluster, tmp_path: Path) -> None:
    """HTTP 410 between two pages: nothing is lost and nothing counted twice."""
    cluster.objects, cluster.page_size, cluster.expire = many_pods(5), 2, {"pods": 1}
    assert facts_of(cluster, tmp_path).requested == {"cpu": Decimal(5), "memory": Decimal(5 * 2**30)}


def test_a_list_that_always_expires_is_given_up(cluster: Cluster, tmp_path: Path) -> None:
    """A cluster that changes faster than it can be read is no endless loop."""
    cluster.objects, cluster.page_size, cluster.expire = many_pods(5), 2, {"pods": 99}
    with pytest.raises(ClusterUnavailable, match="the list of pods expired 3 times"):
        facts_of(cluster, tmp_path)


def test_one_page_of_pods_is_in_memory_at_a_time(cluster: Cluster, tmp_path: Path) -> None:
    """Four times as many pods take hardly more memory."""
    filler = {"annotations": {"filler": "x" * 6000}}
    peaks = []
    with connected(cluster, tmp_path) as api:
        read_live(api)  # the client's own modules are loaded now
        for count in (1000, 4000):
            cluster.objects = many_pods(count, filler=filler)
            tracemalloc.start()
            assert read_live(api).requested["cpu"] == count
            peaks.append(tracemalloc.get_traced_memory()[1])
            tracemalloc.stop()
    assert peaks[1] < 1.5 * peaks[0], peaks


def test_requests_are_what_the_scheduler_reserves(cluster: Cluster, tmp_path: Path) -> None:
    """Sidecars add up, a larger init container counts instead, overhead comes on top."""
    requests = {
        name: {"requests": {"cpu": cpu}} for name, cpu in (("main", "1"), ("sidecar", "2"), ("init", "4"))
    }
    spec = {
        "initContainers": [
            {"name": "sidecar", "restartPolicy": "Always", "resources": requests["sidecar"]},
            {"name": "init", "resources": requests["init"]},
        ],
        "containers": [{"name": "main", "resources": requests["main"]}],
        "overhead": {"cpu": "250m"},
    }
    cluster.objects = [thing("v1", "Pod", "p", "batch", spec=spec, status={"phase": "Running"})]
    assert facts_of(cluster, tmp_path).requested == {"cpu": Decimal("6.25")}


def test_a_kind_that_may_not_be_read_is_named_with_the_grant(cluster: Cluster, tmp_path: Path) -> None:
    """The other kinds stand."""
    cluster.forbidden = {"horizontalpodautoscalers"}
    facts = facts_of(cluster, tmp_path)
    (remark,) = facts.partial
    assert "grant the verb list on horizontalpodautoscalers.autoscaling" in remark
    assert "HorizontalPodAutoscaler" not in kinds(facts)
    assert {"Deployment", "LimitRange"} <= kinds(facts)


def test_without_nodes_and_pods_the_objects_stand(cluster: Cluster, tmp_path: Path) -> None:
    """Whoever may read their namespace only gets that, and reads what to ask for."""
    cluster.forbidden = {"nodes", "pods"}
    facts = facts_of(cluster, tmp_path)
    assert (facts.nodes, facts.requested) == ((), {})
    assert "grant the verb list on nodes" in facts.partial[0]
    assert "grant the verb list on pods" in facts.partial[1]
    assert "Deployment" in kinds(facts)


def test_rights_in_a_namespace_are_enough_for_its_objects(cluster: Cluster, tmp_path: Path) -> None:
    """Where the whole cluster may not be listed, the namespaces of the change are."""
    cluster.forbidden = {"deployments", "services", "search/services"}
    facts = facts_of(cluster, tmp_path, "payments", "search", "a/../b")
    assert {"Deployment", "Service"} <= kinds(facts)
    (remark,) = facts.partial
    assert "services" in remark
    assert "namespace search" in remark
    assert not any(".." in request for request in cluster.requests)


def test_refused_credentials_are_one_line_with_the_way_out(cluster: Cluster, tmp_path: Path) -> None:
    """HTTP 401 is for the person to mend, and the token is not repeated."""
    cluster.token = "another"
    with pytest.raises(
        UserError, match=r"^context 'test': the credentials .*HTTP 401.*log in again"
    ) as refusal:
        facts_of(cluster, tmp_path)
    assert kubernetes_api.TOKEN not in str(refusal.value)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize(
    ("drip", "told"),
    [
        pytest.param(False, "gave no answer within 0.3 s", id="silent"),
        pytest.param(True, "did not finish its answer within 0.3 s", id="dripping"),
    ],
)
def test_a_slow_server_is_given_up_in_time(
    cluster: Cluster, tmp_path: Path, *, drip: bool, told: str
) -> None:
    """Whether it says nothing or one byte at a time."""
    cluster.drip, cluster.delay_seconds = drip, 0.0 if drip else 1.5
    start = time.monotonic()
    with pytest.raises(ClusterUnavailable, match=re.escape(told)):
        facts_of(cluster, tmp_path, timeout_seconds=0.3)
    assert time.monotonic() - start < 5


def test_a_list_that_does_not_get_on_is_given_up(cluster: Cluster, tmp_path: Path) -> None:
    """A proxy answers each page with the first one."""
    cluster.objects, cluster.page_size = many_pods(5), 0
    with pytest.raises(ClusterUnavailable, match="does not get on"):
        facts_of(cluster, tmp_path)


def test_a_page_without_end_is_given_up(
    cluster: Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody's memory is that large."""
    monkeypatch.setattr("bot.adapters.kubernetes_api._MOST_BYTES", 2**20)
    cluster.objects = many_pods(100, padding={"x": "y" * 20_000})
    with pytest.raises(ClusterUnavailable, match="more than 1 MiB"):
        facts_of(cluster, tmp_path)


def test_a_busy_server_is_asked_again(cluster: Cluster, tmp_path: Path) -> None:
    """HTTP 429 and 503 say when to come back."""
    cluster.failures = {"deployments": [429, 503]}
    facts = facts_of(cluster, tmp_path)
    assert "Deployment" in kinds(facts)
    assert facts.partial == ()


def test_one_broken_kind_does_not_take_the_others_with_it(cluster: Cluster, tmp_path: Path) -> None:
    """HTTP 500 for one list is a line in the report."""
    cluster.failures = {"ingresses": [500]}
    facts = facts_of(cluster, tmp_path)
    assert "HTTP 500 for ingresses.networking.k8s.io" in facts.partial[0]
    assert "Deployment" in kinds(facts)


@pytest.mark.parametrize(
    ("body", "words"),
    [
        pytest.param(b"<html>sign in</html>", "no JSON; is it a proxy or sign-in page", id="a page"),
        pytest.param(b"[" * 100_000, "no JSON", id="deep"),
        pytest.param(b'{"kind": "Status"}', "no list", id="no list"),
        pytest.param(b'{"items": {"a": 1}}', "no list", id="an object of items"),
    ],
)
def test_an_answer_that_is_no_list_is_an_outside_error(
    cluster: Cluster, tmp_path: Path, body: bytes, words: str
) -> None:
    """One line, never a traceback."""
    cluster.replaces_body = body
    with pytest.raises(ClusterUnavailable, match=words):
        facts_of(cluster, tmp_path)


def test_items_of_any_shape_do_no_harm(cluster: Cluster, tmp_path: Path) -> None:
    """A server, or a custom resource, may put anything anywhere."""
    items = [
        None,
        7,
        {},
        {"metadata": None, "spec": [1], "status": "x"},
        {"metadata": {"name": 7, "labels": [1]}},
    ]
    cluster.replaces_body = json.dumps({"items": items}).encode()
    assert facts_of(cluster, tmp_path).requested == {}


def test_device_classes_are_read_in_the_version_there_is(cluster: Cluster, tmp_path: Path) -> None:
    """`resource.k8s.io` v1beta1 where v1 is not served yet; opaque driver parameters are not kept."""
    cluster.served["resource.k8s.io/v1beta1"] = ("deviceclasses", "resourceclaimtemplates")
    devices = {
        "requests": [{"name": "gpu", "deviceClassName": "gpu.nvidia.com"}],
        "config": [{"opaque": "hunter2"}],
    }
    claim = {"spec": {"devices": devices}}
    cluster.objects = [
        thing("resource.k8s.io/v1beta1", "DeviceClass", "gpu.nvidia.com", spec={"selectors": []}),
        thing("resource.k8s.io/v1beta1", "ResourceClaimTemplate", "one", "search", spec=claim),
    ]
    device_class, template = facts_of(cluster, tmp_path).objects
    assert device_class["apiVersion"] == template["apiVersion"] == "resource.k8s.io/v1beta1"
    assert template["spec"]["spec"]["devices"] == {"requests": devices["requests"]}


def test_rollouts_and_vertical_autoscalers_are_read_where_they_are(cluster: Cluster, tmp_path: Path) -> None:
    """Custom resources that change what a workload costs."""
    cluster.served |= {
        "argoproj.io/v1alpha1": ("rollouts",),
        "autoscaling.k8s.io/v1": ("verticalpodautoscalers",),
    }
    vertical = {"updatePolicy": {"updateMode": "Off"}, "targetRef": {"kind": "Rollout", "name": "web"}}
    cluster.objects = [
        thing(
            "argoproj.io/v1alpha1", "Rollout", "web", "search", spec={"replicas": 3}, status={"replicas": 2}
        ),
        thing("autoscaling.k8s.io/v1", "VerticalPodAutoscaler", "web", "search", spec=vertical),
    ]
    rollout, autoscaler = facts_of(cluster, tmp_path).objects
    assert (rollout["spec"], rollout["status"]) == ({"replicas": 3}, {"replicas": 2})
    assert autoscaler["spec"] == vertical


def test_a_rollout_in_flight_can_be_told(cluster: Cluster, tmp_path: Path) -> None:
    """Which generation there is, which one its controller has seen, and how many pods are of it."""
    status = {"replicas": 4, "updatedReplicas": 1, "observedGeneration": 7, "readyReplicas": 3}
    body = thing("apps/v1", "Deployment", "api", "payments", spec={"replicas": 3}, status=status)
    cluster.objects = [{**body, "metadata": {**body["metadata"], "generation": 7}}]
    [deployment] = facts_of(cluster, tmp_path).objects

    assert deployment["metadata"]["generation"] == 7
    assert deployment["status"] == {"replicas": 4, "updatedReplicas": 1, "observedGeneration": 7}


def test_an_unreachable_cluster_is_an_outside_error(tmp_path: Path) -> None:
    """The address is not repeated, the context is."""
    api = open_context("test", kubeconfig=kubeconfig(tmp_path, "http://127.0.0.1:9"), timeout_seconds=2)
    with pytest.raises(ClusterUnavailable, match=r"^context 'test': cannot be reached"):
        read_live(api)


def test_the_modules_load_without_the_client() -> None:
    """It is slow to import, and most commands never ask a cluster."""
    program = "import sys, bot.adapters.kubernetes_live; sys.exit('kubernetes' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
