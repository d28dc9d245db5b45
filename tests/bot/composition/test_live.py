"""What is read of a cluster for a report, for a look for savings and for a file, from a real Prometheus."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from pathlib import Path

import numpy as np
import pytest

from bot.adapters.prometheus_api import PrometheusApi
from bot.composition import live
from bot.composition.live import PrometheusHistory, open_api
from bot.settings import PrometheusSettings, from_env
from estimators.change import Cluster
from estimators.uptime import has_controller
from estimators.usage import UsageSnapshot
from tests.end_to_end.live import history
from tests.prometheus_server import Written, backfill, serving

API = ("shop", "Deployment", "api")
DATA = ("shop", "PersistentVolumeClaim", "data")
FRONT = ("shop", "Service", "front")


def past(*, balancer: bool) -> Iterator[Written]:
    """`shop/api`, a volume that nobody mounts, kube-downscaler in another namespace; a load balancer or none."""
    series = list(history())
    times = series[0].times
    standing = [
        ("kube_persistentvolumeclaim_info", {"namespace": "shop", "persistentvolumeclaim": "data"}),
        ("kube_deployment_spec_replicas", {"namespace": "tools", "deployment": "py-kube-downscaler"}),
        ("kube_deployment_spec_replicas", {"namespace": "tools", "deployment": "coredns"}),
    ]
    if balancer:
        front = {"namespace": "shop", "service": "front", "type": "LoadBalancer"}
        standing.append(("kube_service_spec_type", front))
    yield from series
    for metric, labels in standing:
        yield Written(metric, {**labels, "job": "ksm"}, times, np.ones(times.size))


@pytest.fixture(scope="module", params=[False, True], ids=["volumes", "volumes and a load balancer"])
def cluster(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, int]]:
    """Its URL, and how many questions it takes to know whether what stands there is used."""
    data = tmp_path_factory.mktemp("prometheus")
    backfill(data, past(balancer=request.param))
    with serving(data) as url:
        yield url, 2 if request.param else 1


@pytest.fixture
def read(
    cluster: tuple[str, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., tuple[UsageSnapshot, int]]:
    """Three days, and how many requests they took while nothing was kept of them."""
    opened: list[PrometheusApi] = []

    def opening(settings: PrometheusSettings, url: str, selector: Mapping[str, str]) -> PrometheusApi:
        opened.append(open_api(settings, url, selector))
        return opened[-1]

    monkeypatch.setattr(live, "open_api", opening)

    def snapshot(
        touched: Collection[tuple[str, str, str]] | None, kills_days: int = 0
    ) -> tuple[UsageSnapshot, int]:
        settings = from_env({"XDG_CACHE_HOME": str(tmp_path / str(len(opened)))})
        asked = PrometheusHistory(settings, cluster[0], 72, kills_days=kills_days)
        found = asked.whole(["shop"]) if touched is None else asked.snapshot(touched, {}, "")
        return found, opened[-1].counters.requests

    return snapshot


@pytest.mark.parametrize("touched", [DATA, FRONT, ("shop", "StatefulSet", "db")], ids=lambda one: one[1])
def test_what_stands_is_asked_about_where_a_change_touches_such_a_thing(
    read: Callable[..., tuple[UsageSnapshot, int]], cluster: tuple[str, int], touched: tuple[str, str, str]
) -> None:
    """A change of workloads alone is read without: nothing in its report says so."""
    without, fewer = read({API, ("shop", "ConfigMap", "settings")})
    whole, more = read({API, touched})

    assert (without.claims, without.balancers) == ((), ())
    assert [one.name for one in whole.claims] == ["data"]
    assert len(whole.balancers) == cluster[1] - 1
    assert more - fewer == cluster[1]
    assert without.workloads.keys() == whole.workloads.keys() != set()


def test_a_look_for_savings_and_a_file_have_all_that_stands(
    read: Callable[..., tuple[UsageSnapshot, int]], cluster: tuple[str, int]
) -> None:
    """Whatever the branch declares: an idle namespace costs its volumes, too."""
    for found, _ in (read({API}, kills_days=90), read(None)):
        assert [one.name for one in found.claims] == ["data"]
        assert len(found.balancers) == cluster[1] - 1


def test_whoever_keeps_hours_of_the_namespace_is_known_without_asking_more(
    read: Callable[..., tuple[UsageSnapshot, int]],
) -> None:
    """It runs in another namespace, of which nothing else is read."""
    found, _ = read({API})

    assert has_controller(Cluster(usage=found))
    named = [
        body["metadata"]["name"] for body in found.objects if body["metadata"].get("namespace") == "tools"
    ]
    assert named == ["py-kube-downscaler"]
