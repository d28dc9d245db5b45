"""Live facts from kube-state-metrics and OpenCost: prices, gaps, stale series and what is said of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import pytest

from bot.adapters.prometheus_api import PrometheusApi
from bot.adapters.prometheus_live import read_controllers, read_live
from bot.errors import PrometheusUnavailable
from estimators.usage import LiveFacts
from tests import live_past, prometheus_server


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Prometheus that has scraped several clusters."""
    data = tmp_path_factory.mktemp("prometheus")
    prometheus_server.backfill(data, live_past.past())
    with prometheus_server.serving(data) as url:
        yield url


def facts_of(server: str, cluster: str, *namespaces: str) -> LiveFacts:
    """What is known of one cluster."""
    api = PrometheusApi(server, selector={"cluster": cluster})
    facts = read_live(api, at=live_past.AT, namespaces=namespaces)
    api.close()
    return facts


@pytest.mark.parametrize("cluster", live_past.CLUSTERS)
def test_prices_of_opencost_are_unit_prices_of_each_node(server: str, cluster: str) -> None:
    """Per core-hour, GiB-hour, GPU-hour and node; 0 for the GPU of a node without one is no price."""
    facts = facts_of(server, cluster)

    assert {node.name: node.hourly for node in facts.nodes} == {
        "node-a": {"cpu": Decimal("0.0335"), "memory": Decimal("0.0045"), "total": Decimal("0.206")},
        "node-b": {
            "cpu": Decimal("0.04"),
            "memory": Decimal("0.005"),
            "gpu": Decimal("2.5"),
            "total": Decimal("29.3"),
        },
    }
    assert facts.prices_as_of == "2026-11-02"


def test_a_storage_class_costs_the_mean_of_its_volumes(server: str) -> None:
    """Two volumes at 0.0001 and 0.0002 a GiB-hour."""
    assert facts_of(server, "plain").storage_gib_hour == {"gp3": Decimal("0.00015")}


@pytest.mark.parametrize("cluster", [*live_past.CLUSTERS, "bare", "no-such-cluster"])
def test_the_number_of_requests_does_not_depend_on_the_cluster(server: str, cluster: str) -> None:
    """At most six, warm or cold, whatever there is."""
    api = PrometheusApi(server, selector={"cluster": cluster})
    read_live(api, at=live_past.AT)
    assert api.counters.requests <= 6
    api.close()


def test_what_is_gone_is_not_kept_alive(server: str) -> None:
    """A node that left seven minutes ago is gone, though a silent exporter is forgiven for ten."""
    assert [node.name for node in facts_of(server, "changing").nodes] == ["node-b"]
    assert [node.name for node in facts_of(server, "restarting").nodes] == ["node-a", "node-b"]


def test_a_complete_cluster_leaves_one_thing_to_say(server: str) -> None:
    """Selectors of PodDisruptionBudgets are in no metric."""
    (remark,) = facts_of(server, "plain").partial
    assert "PodDisruptionBudgets" in remark
    assert "--kube-context" in remark


def test_what_is_missing_is_said_with_the_way_to_have_it(server: str) -> None:
    """Node labels, HPA targets and prices that are not exported are named with flags and metrics."""
    facts = facts_of(server, "bare")

    remarks = "\n".join(facts.partial)
    assert "--metric-labels-allowlist=nodes=[*]" in remarks
    assert "kube_horizontalpodautoscaler_info needs kube-state-metrics 2.3" in remarks
    assert "scrape kube_horizontalpodautoscaler_spec_target_metric" in remarks
    assert "--prices" in remarks
    assert facts.prices_as_of == ""
    assert facts.storage_gib_hour == {}
    assert all(not node.hourly for node in facts.nodes)


def test_without_kube_state_metrics_there_are_no_facts_but_a_reason(server: str) -> None:
    """Nothing is known, which is not the same as an empty cluster."""
    facts = facts_of(server, "no-such-cluster")
    assert (facts.nodes, facts.objects, facts.requested) == ((), (), {})
    assert any("kube-state-metrics is not in this Prometheus" in remark for remark in facts.partial)


def test_a_label_that_cannot_be_known_is_doubted_aloud(server: str) -> None:
    """A name without underscores is certain, one with them is not."""
    facts = facts_of(server, "odd")
    assert facts.nodes[0].labels == {"my_company_com_pool": "big", "pool": "big"}
    (remark,) = [remark for remark in facts.partial if "nodeSelector" in remark]
    assert "my_company_com_pool" in remark


def test_whether_all_labels_of_nodes_are_known_is_known(server: str) -> None:
    """Every node has a hostname: where that is not exported, others may not be either."""
    assert {node.labels_known for node in facts_of(server, "plain").nodes} == {True}
    assert {node.labels_known for node in facts_of(server, "bare").nodes} == {False}


def test_a_node_for_nothing_has_no_known_price(server: str) -> None:
    """OpenCost writes 0 where it found no price: that is unknown, not free."""
    facts = facts_of(server, "odd")
    assert facts.nodes[0].hourly == {}
    assert any("a price of 0 for 1 nodes (node-a)" in remark for remark in facts.partial)


def test_opencost_tells_labels_that_kube_state_metrics_does_not(server: str) -> None:
    """Instance type, region and architecture come with the price."""
    api = PrometheusApi(server, selector={"cluster": "unlabelled"})
    (node,) = read_live(api, at=live_past.AT).nodes
    assert node.labels == {
        "node.kubernetes.io/instance-type": "m5.large",
        "topology.kubernetes.io/region": "us-east-1",
        "kubernetes.io/arch": "amd64",
    }
    assert node.hourly == {"total": Decimal("0.096")}
    api.close()


def test_clusters_that_are_mixed_are_noticed(server: str) -> None:
    """Without a selector the nodes of all clusters come together, and the report says so."""
    api = PrometheusApi(server)
    (remark,) = [line for line in read_live(api, at=live_past.AT).partial if "mixed" in line]
    assert "prometheus_selector" in remark
    api.close()


def test_a_namespace_that_is_no_name_reaches_no_query(server: str) -> None:
    """A manifest's namespace may be PromQL; it is left out, and not replaced by every namespace."""
    facts = facts_of(server, "plain", "a'} or vector(1) #\"")
    assert {body["kind"] for body in facts.objects} == {"StorageClass"}
    assert "1 namespaces have no valid name" in facts.partial[0]


def test_the_scrapers_own_namespace_is_not_that_of_the_objects(server: str) -> None:
    """Where the target's labels won, all series carry its namespace; it holds none of the objects."""
    facts = facts_of(server, "renamed", live_past.TARGET["namespace"])
    assert {body["kind"] for body in facts.objects} == {"StorageClass"}


@pytest.mark.parametrize("cluster", ["hours", "renamed hours"])
def test_a_kube_downscaler_is_found_wherever_it_runs(server: str, cluster: str) -> None:
    """In a namespace that nobody asked about, with how many pods it has; by itself in one request."""
    facts = facts_of(server, cluster, "shop")
    api = PrometheusApi(server, selector={"cluster": cluster})
    alone = read_controllers(api, at=live_past.AT)
    api.close()

    assert [(body["metadata"], body["spec"]) for body in alone] == [
        ({"namespace": "tools", "name": "kube-downscaler-old"}, {"replicas": 0}),
        ({"namespace": "tools", "name": "py-kube-downscaler"}, {"replicas": 1}),
    ]
    assert facts.objects == alone
    assert api.counters.requests == 1


def test_another_time_has_other_facts(server: str) -> None:
    """Facts are those of the time that was asked for."""
    api = PrometheusApi(server, selector={"cluster": "plain"})
    assert read_live(api, at=live_past.AT - timedelta(days=1)).nodes == ()
    api.close()


def test_an_absent_server_is_an_outside_error() -> None:
    """It has nothing to do with the cluster."""
    with pytest.raises(PrometheusUnavailable):
        read_live(PrometheusApi("http://127.0.0.1:9", timeout_seconds=2), at=live_past.AT)
