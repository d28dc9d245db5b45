"""Volumes and load balancers by the day, as a real Prometheus tells them of a past that is known."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from bot.adapters.prometheus_api import PrometheusApi
from bot.adapters.prometheus_standing import Standing, read_standing
from estimators.usage import Window
from tests import prometheus_server
from tests.prometheus_server import Written
from tests.standing_past import DAYS, END, GIB, WINDOW, written

NAN = float("nan")


def past() -> Iterator[Written]:
    """The same past in two clusters, and one in which nothing tells of mounts or endpoints."""
    for cluster in ("plain", "renamed", "silent"):
        yield from _claims(cluster)
        yield from _balancers(cluster)
    only = {"namespace": "shop", "endpointslice": "front-a1b2c", "ready": "true", "address": "10.0.0.1"}
    yield written("kube_endpointslice_endpoints", 1, (2.5, 2.6), cluster="slices", **only)
    other = {**only, "endpointslice": "kubernetes-x", "namespace": "default"}
    yield written("kube_endpointslice_endpoints", cluster="slices", **other)
    yield from _balancers("slices", endpoints=False)


def _claims(cluster: str) -> Iterator[Written]:
    def claim(name: str, between: tuple[float, float] = (0, DAYS)) -> Written:
        labels = {"namespace": "shop", "persistentvolumeclaim": name}
        return written("kube_persistentvolumeclaim_info", 1, between, cluster=cluster, **labels)

    yield from (claim("data"), claim("orphan"), claim("weekly"), claim("young", (2.5, DAYS)))
    yield from (claim("gap", (0, 1.5)), claim("gap", (2, DAYS)))
    if cluster != "silent":
        for name, pod, between in (("data", "db-0", (0.0, DAYS)), ("weekly", "run-1", (1.4, 1.41))):
            labels = {"namespace": "shop", "persistentvolumeclaim": name, "pod": pod, "volume": "v"}
            metric = "kube_pod_spec_volumes_persistentvolumeclaims_info"
            yield written(metric, 1, between, cluster=cluster, **labels)
    labels = {"namespace": "shop", "persistentvolumeclaim": "data"}
    yield written("kubelet_volume_stats_capacity_bytes", 98 * GIB, cluster=cluster, **labels)
    for value, between in ((2 * GIB, (0.0, 1.5)), (9 * GIB, (1.5, 1.6)), (3 * GIB, (1.6, DAYS))):
        yield written("kubelet_volume_stats_used_bytes", value, between, cluster=cluster, **labels)


def _balancers(cluster: str, *, endpoints: bool = True) -> Iterator[Written]:
    for name in ("front", "left", "front-two"):
        labels = {"namespace": "shop", "service": name, "type": "LoadBalancer"}
        yield written("kube_service_spec_type", cluster=cluster, **labels)
    plain = {"namespace": "shop", "service": "inside", "type": "ClusterIP"}
    yield written("kube_service_spec_type", cluster=cluster, **plain)
    if endpoints and cluster != "silent":
        for name, ready, between in (
            ("front", "true", (0.0, 0.3)),
            ("left", "false", (0.0, DAYS)),
            ("inside", "true", (0.0, DAYS)),
        ):
            labels = {"namespace": "shop", "endpoint": name, "ready": ready, "ip": "10.0.0.1"}
            yield written("kube_endpoint_address", 1, between, cluster=cluster, **labels)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Prometheus with that past."""
    data = tmp_path_factory.mktemp("prometheus")
    prometheus_server.backfill(data, past())
    with prometheus_server.serving(data) as url:
        yield url


def read(server: str, cluster: str, *namespaces: str, window: Window = WINDOW) -> tuple[Standing, int]:
    """What is known of one cluster, and how many requests it took."""
    api = PrometheusApi(server, selector={"cluster": cluster})
    found = read_standing(api, window=window, namespaces=namespaces or None)
    api.close()
    return found, api.counters.requests


def mounted(found: Standing) -> dict[str, list[float]]:
    """By claim."""
    return {item.name: item.mounted.tolist() for item in found.claims}


def ready(found: Standing) -> dict[str, list[float]]:
    """By load balancer."""
    return {item.name: item.ready.tolist() for item in found.balancers}


@pytest.mark.parametrize("cluster", ["plain", "renamed"])
def test_a_claim_is_mounted_on_the_days_on_which_a_pod_had_it(server: str, cluster: str) -> None:
    """A quarter of an hour in four days counts; a day that was seen in part says nothing."""
    found, requests = read(server, cluster)

    np.testing.assert_equal(
        mounted(found),
        {
            "data": [1, 1, 1, 1],
            "gap": [0, NAN, 0, 0],
            "orphan": [0, 0, 0, 0],
            "weekly": [0, 1, 0, 0],
            "young": [NAN, NAN, NAN, 0],
        },
    )
    assert requests == 2


@pytest.mark.parametrize("cluster", ["plain", "renamed"])
def test_the_peak_of_each_day_is_kept(server: str, cluster: str) -> None:
    """Two hours of 9 GiB are a day's peak; a claim that no kubelet reported has none."""
    data, *others = read(server, cluster, "shop")[0].claims

    np.testing.assert_array_equal(data.used_peak_bytes / GIB, [2, 9, 3, 3])
    assert data.capacity_bytes == 98 * GIB
    assert all(np.isnan(item.used_peak_bytes).all() and item.capacity_bytes is None for item in others)


@pytest.mark.parametrize("cluster", ["plain", "renamed"])
def test_a_load_balancer_is_ready_on_the_days_it_had_an_endpoint(server: str, cluster: str) -> None:
    """One that is not ready is none; other Services are not looked at."""
    np.testing.assert_equal(
        ready(read(server, cluster)[0]),
        {"front": [1, 0, 0, 0], "front-two": [0, 0, 0, 0], "left": [0, 0, 0, 0]},
    )


def test_endpoints_in_slices_count_as_well(server: str) -> None:
    """The slice is named after its Service."""
    np.testing.assert_equal(
        ready(read(server, "slices")[0]),
        {"front": [0, 0, 1, 0], "front-two": [0, 0, 0, 0], "left": [0, 0, 0, 0]},
    )


def test_what_nobody_exports_is_not_taken_for_nothing(server: str) -> None:
    """Without any mount or endpoint in the whole cluster none of them is known to be missing."""
    found, _ = read(server, "silent")

    assert all(np.isnan(days).all() for days in mounted(found).values())
    assert all(np.isnan(days).all() for days in ready(found).values())


def test_other_namespaces_and_short_windows_have_nothing(server: str) -> None:
    """No request at all where there is no whole day."""
    hours = Window(END - timedelta(hours=5), END, 300)

    elsewhere, _ = read(server, "plain", "elsewhere")
    assert (elsewhere.claims, elsewhere.balancers) == ((), ())
    assert read(server, "plain", window=hours) == (Standing(), 0)


def test_an_answer_that_is_not_whole_says_nothing(server: str) -> None:
    """A limit cut the series: the mount that was cut off would look like none."""
    api = PrometheusApi(server, selector={"cluster": "plain"}, max_series=3)
    found = read_standing(api, window=WINDOW)
    api.close()

    assert api.warnings
    assert (found.claims, found.balancers) == ((), ())


def test_a_server_that_allows_no_such_question_is_told(tmp_path: Path) -> None:
    """All else that is known of the cluster stands."""
    prometheus_server.backfill(tmp_path, past())
    with prometheus_server.serving(tmp_path, "--query.max-samples=100") as url:
        api = PrometheusApi(url, selector={"cluster": "plain"})
        found = read_standing(api, window=WINDOW)
        api.close()

    assert found == Standing(partial=found.partial)
    assert found.partial[0].startswith("whether volumes and load balancers are used is not known: http")
