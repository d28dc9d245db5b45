"""Everything that stands in a cluster, as a real Prometheus tells it of a past that is known."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from bot.adapters.prometheus_api import PrometheusApi
from bot.adapters.prometheus_unused import read_unused
from estimators.unused import CLAIM, SERVICE, VOLUME, StandingCluster, StandingThing
from tests import prometheus_server
from tests.prometheus_server import Written
from tests.standing_past import DAYS, GIB, WINDOW, written


def past() -> Iterator[Written]:
    """The same past in two clusters, one in which nobody tells of volumes, mounts or addresses, and an empty one."""
    for cluster in ("plain", "renamed"):
        yield from _claims(cluster)
        yield from _volumes(cluster)
        yield from _balancers(cluster)
        yield from _namespaces(cluster)
    yield from _claims("poor", mounts=False)
    yield from _balancers("poor", addresses=False, endpoints=False)


def _claims(cluster: str, *, mounts: bool = True) -> Iterator[Written]:
    for name, volume, gone in (
        ("used", "pv-1", 0),
        ("left", "pv-2", 0),
        ("waits", "", 0),
        ("gone", "pv-9", 1.5),
        ("kept", "pv-3", 0),
        ("golden", "pv-4", 0),
        ("disk", "pv-5", 0),
    ):
        place = {"namespace": "shop", "persistentvolumeclaim": name}
        info = {**place, "volumename": volume, "storageclass": "gp3"}
        yield written("kube_persistentvolumeclaim_info", 1, (0, DAYS - gone), cluster=cluster, **info)
        yield written(
            "kube_persistentvolumeclaim_resource_requests_storage_bytes",
            5 * GIB,
            (0, DAYS - gone),
            cluster=cluster,
            **place,
        )
    if mounts:
        busy = {"namespace": "bank", "persistentvolumeclaim": "ledger", "pod": "ledger-0", "volume": "v"}
        metric = "kube_pod_spec_volumes_persistentvolumeclaims_info"
        yield written(metric, 1, (0, DAYS), cluster=cluster, **busy)
        mount = {"namespace": "shop", "persistentvolumeclaim": "used", "pod": "db-0", "volume": "v"}
        yield written(metric, 1, (1.2, 1.3), cluster=cluster, **mount)
    image = {"namespace": "shop", "persistentvolumeclaim": "golden"}
    labels = {"label_cdi_kubevirt_io_data_import_cron": "fedora", **image}
    yield written("kube_persistentvolumeclaim_labels", cluster=cluster, **labels)
    yield written(
        "kube_persistentvolumeclaim_labels", cluster=cluster, **{**image, "persistentvolumeclaim": "left"}
    )
    disk = {"namespace": "shop", "persistentvolumeclaim": "disk", "name": "db", "device": "root"}
    yield written("kubevirt_vm_disk_allocated_size_bytes", 5 * GIB, cluster=cluster, **disk)
    kept = {"annotation_tuppence_dev_protect": "INC-7", "annotation_tuppence_dev_protect_until": "2027-01-31"}
    place = {"namespace": "shop", "persistentvolumeclaim": "kept"}
    yield written("kube_persistentvolumeclaim_annotations", 1, (0, DAYS), cluster=cluster, **place, **kept)
    yield written(
        "kube_persistentvolumeclaim_annotations",
        cluster=cluster,
        namespace="shop",
        persistentvolumeclaim="used",
    )


def _volumes(cluster: str) -> Iterator[Written]:
    for name, claim, bound in (
        ("pv-1", "used", 4.0),
        ("pv-2", "left", 4.0),
        ("pv-3", "kept", 4.0),
        ("pv-4", "golden", 4.0),
        ("pv-5", "disk", 4.0),
        ("pv-8", "was", 1.4),
        ("pv-7", "", 0.0),
    ):
        yield written(
            "kube_persistentvolume_info",
            cluster=cluster,
            persistentvolume=name,
            storageclass="gp3" if claim else "",
        )
        yield written("kube_persistentvolume_capacity_bytes", 8 * GIB, cluster=cluster, persistentvolume=name)
        if claim:
            yield written(
                "kube_persistentvolume_claim_ref",
                cluster=cluster,
                persistentvolume=name,
                name=claim,
                claim_namespace="shop",
            )
        for value, between in ((1.0, (0.0, bound)), (0.0, (bound, DAYS))):
            if between[0] < between[1]:
                yield _phase("Bound", value, between, name, cluster)
        yield _phase("Failed", 0, (0, DAYS), name, cluster)
    yield written("pv_hourly_cost", 0.0001, cluster=cluster, persistentvolume="pv-1")


def _phase(phase: str, value: float, between: tuple[float, float], name: str, cluster: str) -> Written:
    labels = {"persistentvolume": name, "phase": phase}
    return written("kube_persistentvolume_status_phase", value, between, cluster=cluster, **labels)


def _balancers(cluster: str, *, addresses: bool = True, endpoints: bool = True) -> Iterator[Written]:
    for name in ("front", "left", "pending"):
        yield written(
            "kube_service_spec_type", cluster=cluster, namespace="shop", service=name, type="LoadBalancer"
        )
        if addresses and name != "pending":
            yield written(
                "kube_service_status_load_balancer_ingress",
                cluster=cluster,
                namespace="shop",
                service=name,
                ip="10.0.0.9",
            )
    yield written(
        "kube_service_spec_type", cluster=cluster, namespace="shop", service="inside", type="ClusterIP"
    )
    if endpoints:
        yield written(
            "kube_endpoint_address",
            cluster=cluster,
            namespace="shop",
            endpoint="front",
            ready="true",
            ip="10.1.0.1",
        )


def _namespaces(cluster: str) -> Iterator[Written]:
    yield written("kube_namespace_labels", cluster=cluster, namespace="shop", label_team="checkout")
    yield written(
        "kube_namespace_annotations",
        cluster=cluster,
        namespace="shop",
        annotation_backstage_io_owner="group:default/shop",
    )
    yield written(
        "kube_namespace_annotations",
        cluster=cluster,
        namespace="bank",
        annotation_tuppence_dev_protect="audit",
    )


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Prometheus with that past."""
    data = tmp_path_factory.mktemp("prometheus")
    prometheus_server.backfill(data, past())
    with prometheus_server.serving(data, "--query.lookback-delta=330s") as url:
        yield url


def read(server: str, cluster: str, **settings: int) -> tuple[StandingCluster, int]:
    """What stands in one cluster, and how many requests it took."""
    api = PrometheusApi(server, selector={"cluster": cluster}, **settings)  # type: ignore[arg-type]  # a limit
    found = read_unused(api, window=WINDOW)
    api.close()
    return found, api.counters.requests


def by_name(found: StandingCluster) -> dict[tuple[str, str], StandingThing]:
    return {(thing.kind, thing.name): thing for thing in found.things}


@pytest.mark.parametrize("cluster", ["plain", "renamed"])
def test_claims_volumes_and_load_balancers_are_told_by_the_day(server: str, cluster: str) -> None:
    """A claim with a volume, a volume without a claim, a load balancer with an address; in four requests."""
    found, requests = read(server, cluster)
    np.testing.assert_equal(
        {key: thing.used.tolist() for key, thing in by_name(found).items()},
        {
            (CLAIM, "disk"): [0, 0, 0, 0],
            (CLAIM, "golden"): [0, 0, 0, 0],
            (CLAIM, "kept"): [0, 0, 0, 0],
            (CLAIM, "left"): [0, 0, 0, 0],
            (CLAIM, "used"): [0, 1, 0, 0],
            (VOLUME, "pv-7"): [0, 0, 0, 0],
            (VOLUME, "pv-8"): [1, 1, 0, 0],
            (SERVICE, "front"): [1, 1, 1, 1],
            (SERVICE, "left"): [0, 0, 0, 0],
        },
    )
    assert requests == 4


@pytest.mark.parametrize("cluster", ["plain", "renamed"])
def test_each_has_its_size_and_class_and_whom_it_was_for(server: str, cluster: str) -> None:
    """A claim is as large as its volume; without a class that is not known."""
    things = by_name(read(server, cluster)[0])
    left, released, fresh = things[CLAIM, "left"], things[VOLUME, "pv-8"], things[VOLUME, "pv-7"]
    assert (left.namespace, left.gib, left.storage_class) == ("shop", Decimal(8), "gp3")
    assert (released.namespace, released.claim, released.gib) == ("shop", "was", Decimal(8))
    assert released.storage_class == "gp3"
    assert (fresh.namespace, fresh.claim, fresh.storage_class) == ("", "", None)
    assert things[SERVICE, "left"].gib is None


@pytest.mark.parametrize("cluster", ["plain", "renamed"])
def test_what_is_protected_and_whose_a_namespace_is_are_told(server: str, cluster: str) -> None:
    """By annotations and labels, where kube-state-metrics exports them."""
    found, _ = read(server, cluster)
    assert by_name(found)[CLAIM, "kept"].annotations == {
        "tuppence.dev/protect": "INC-7",
        "tuppence.dev/protect-until": "2027-01-31",
    }
    assert by_name(found)[CLAIM, "left"].annotations == {}
    assert found.annotations == {"bank": {"tuppence.dev/protect": "audit"}}
    assert found.labels["shop"] == {"team": "checkout", "backstage_io_owner": "group:default/shop"}
    assert found.storage_gib_hour == {"gp3": Decimal("0.0001")}


@pytest.mark.parametrize("cluster", ["plain", "renamed"])
def test_what_has_a_claim_without_a_pod_is_told(server: str, cluster: str) -> None:
    """CDI's golden images, where kube-state-metrics exports their label, and disks of machines that are stopped."""
    things = read(server, cluster)[0].things
    assert {thing.name: thing.kept_by for thing in things if thing.kept_by} == {
        "golden": "DataImportCron fedora",
        "disk": "VirtualMachine db",
    }


def test_what_nobody_exports_is_not_taken_for_nothing(server: str) -> None:
    """Without mounts and endpoints nothing is known; claims have the size that they ask for."""
    found, _ = read(server, "poor")
    assert all(np.isnan(thing.used).all() for thing in found.things)
    assert not found.is_known
    assert by_name(found)[CLAIM, "left"].gib == 5
    assert {name for kind, name in by_name(found) if kind == SERVICE} == {"front", "left", "pending"}
    assert read(server, "nobody's")[0] == StandingCluster(WINDOW)


def test_of_several_clusters_together_nothing_is_said(server: str) -> None:
    """Namesakes would be taken for one: a selector tells which is meant."""
    api = PrometheusApi(server)
    found = read_unused(api, window=WINDOW)
    api.close()
    assert found == StandingCluster(WINDOW)


@pytest.mark.parametrize("most", [3, 20], ids=["days", "now"])
def test_an_answer_that_is_not_whole_says_nothing(server: str, most: int) -> None:
    """A limit cut the series: the mount, or the claim of a volume, that was cut off would look like none."""
    assert read(server, "plain", max_series=most)[0] == StandingCluster(WINDOW)


def test_a_server_that_allows_no_such_question_says_nothing(tmp_path: Path) -> None:
    """Unknown, not unused."""
    prometheus_server.backfill(tmp_path, past())
    with prometheus_server.serving(tmp_path, "--query.max-samples=100") as url:
        assert read(url, "plain")[0] == StandingCluster(WINDOW)
