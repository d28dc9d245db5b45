"""Hours of cost from a real Prometheus into the store, as `tuppence serve` fills them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.adapters.records import Records
from bot.composition import allocation
from bot.composition.allocation import Allocating, PrometheusHours, kept_as, priced_clusters
from bot.errors import OutsideError
from bot.handlers.allocate_hours import settled_until
from bot.server_config import ClusterConfig, PrometheusSource, ServerConfig
from bot.settings import Settings, from_env
from estimators.allocate import allocate
from estimators.usage import WorkloadKey
from tests.allocation_past import BEGIN, NodeLife, PodLife, Town, VolumeLife, in_cluster
from tests.prometheus_blocks import write_blocks
from tests.prometheus_server import serving

HOURS = 4
LIFE = (0.0, HOURS * 60.0)
END = settled_until(datetime.now(UTC)) - timedelta(hours=1)
START = END - timedelta(hours=HOURS)
DEPLOYED = ("ReplicaSet", "api-1")


def town(pods: int) -> Town:
    """A node, some pods of one workload, and a volume that nobody claims."""
    return Town(
        LIFE[1],
        (NodeLife("steady", LIFE),),
        tuple(
            PodLife("shop", f"api-1-{index}", "steady", LIFE, DEPLOYED, {"cpu": 1, "memory": 1}, (0.5, 2))
            for index in range(pods)
        ),
        volumes=(VolumeLife("pv-left", LIFE, 50),),
        above={("ReplicaSet", "shop", "api-1"): ("Deployment", "api")},
        labels={("Namespace", "shop", ""): {"team": "checkout"}},
    )


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Two clusters that lived until an hour ago."""
    data: Path = tmp_path_factory.mktemp("allocation")
    later = int((START - BEGIN).total_seconds())
    series = [*in_cluster(town(1).series(), "prod"), *in_cluster(town(3).series(), "lab")]
    write_blocks(data, [replace(one, times=one.times + later) for one in series])
    with serving(data, "--query.lookback-delta=90s") as address:
        yield address


@pytest.fixture
def settings(url: str, tmp_path: Path) -> Settings:
    """With a database of its own."""
    database = f"sqlite:///{tmp_path / 'tuppence.db'}"
    return from_env({"PROMETHEUS_URL": url, "TUPPENCE_DATABASE_URL": database, "XDG_CACHE_HOME": "/nowhere"})


@pytest.fixture
def records(settings: Settings) -> Iterator[Records]:
    """Nothing is kept yet."""
    with closing(Records(settings.database_url)) as store:
        store.prepare()
        yield store


def both(url: str) -> ServerConfig:
    """Both clusters, told apart by a label."""
    return ServerConfig(
        clusters=tuple(
            ClusterConfig(name, PrometheusSource(url, {"cluster": name})) for name in ("prod", "lab")
        )
    )


def test_each_cluster_is_filled_with_what_it_cost(url: str, settings: Settings, records: Records) -> None:
    """In another process, and to the nano-unit what reading and charging the hours gives here."""
    allocating = Allocating(settings, both(url), records.costs, [])
    steps = allocating.workflows.steps
    try:
        for name in ("prod", "lab"):
            for span in steps.wanted(name)[:2]:
                assert steps.fill(name, span)["hour"] >= (END + timedelta(hours=1)).isoformat()
    finally:
        allocating.stop()
    for cluster in both(url).clusters:
        charged = [allocate(hour) for hour in PrometheusHours(settings, cluster).read(START, END)]
        found = records.costs.window(cluster.name, START, END)
        assert found.bill == sum(hour.bill for hour in charged) > 0
        assert found.bill == found.tenants + found.idle + found.control_plane
        assert found.covered == pytest.approx(1.0, abs=0.02)
        [row] = found.workloads
        assert row.workload == WorkloadKey("shop", "Deployment", "api")
        assert row.labels["team"] == "checkout"
    pods = [records.costs.window(name, START, END).workloads[0].replica_hours for name in ("prod", "lab")]
    assert pods == pytest.approx([HOURS, 3 * HOURS], rel=0.02)
    assert records.costs.window("prod", END, END + timedelta(hours=1)).covered == 0.0


def test_without_a_file_prometheus_url_is_the_only_cluster(url: str, settings: Settings) -> None:
    """Where tuppence.yaml names clusters, it is one of those or none of our business."""
    assert list(priced_clusters(settings, ServerConfig())) == ["default"]
    assert list(priced_clusters(settings, both(url))) == ["prod", "lab"]
    bare = ServerConfig(clusters=(ClusterConfig("bare"),))
    assert list(priced_clusters(settings, bare)) == ["default"]
    assert priced_clusters(from_env({"XDG_CACHE_HOME": "/nowhere"}), bare) == {}


@pytest.mark.parametrize(
    ("files", "with_url", "names"),
    [
        ([], True, {"": "default", "prod": None}),
        ([], False, {"": None, "prod": None}),
        (
            [("prod", "http://a", {}), ("lab", "http://b", {})],
            False,
            {"": "prod", "lab": "lab", "moon": None},
        ),
        ([("prod", "http://a", {}), ("lab", "", {})], True, {"": None, "prod": "prod", "lab": None}),
        ([("lab", "http://b", {}), ("prod", "http://url", {})], True, {"": "prod"}),
        ([("prod", "http://url", {"cluster": "prod"})], True, {"": None}),
        ([("lab", "", {})], True, {"": "default", "lab": None}),
    ],
    ids=["only the address", "nothing", "a file", "both", "the same", "a part of it", "a file without any"],
)
def test_under_which_name_a_policys_cluster_is_kept(
    files: list[tuple[str, str, dict[str, str]]], with_url: bool, names: dict[str, str | None]
) -> None:
    """An environment that names no cluster is on the one that its utilisation is read from."""
    settings = from_env(
        {"XDG_CACHE_HOME": "/nowhere"} | ({"PROMETHEUS_URL": "http://url"} if with_url else {})
    )
    config = ServerConfig(
        clusters=tuple(
            ClusterConfig(name, PrometheusSource(url, selector) if url else None)
            for name, url, selector in files
        )
    )

    assert {name: kept_as(settings, config, name) for name in names} == names


def test_a_short_retention_is_not_looked_behind(url: str, settings: Settings, records: Records) -> None:
    """What was purged is not asked for again."""
    allocating = Allocating(settings, replace(both(url), retention_days=8), records.costs, [])
    assert len(allocating.workflows.steps.wanted("prod")) in {7, 8}


def test_a_server_that_is_away_is_an_outage(settings: Settings, records: Records) -> None:
    """To be tried again; nothing is kept of it."""
    config = ServerConfig(clusters=(ClusterConfig("gone", PrometheusSource("http://127.0.0.1:1")),))
    allocating = Allocating(settings, config, records.costs, [])
    steps = allocating.workflows.steps
    try:
        with pytest.raises(OutsideError):
            steps.fill("gone", steps.wanted("gone")[0])
    finally:
        allocating.stop()
    assert records.costs.clusters() == []


def test_a_cluster_that_was_taken_out_is_left_alone(url: str, settings: Settings, records: Records) -> None:
    """Its work may have waited since before the restart."""
    allocating = Allocating(settings, both(url), records.costs, [])
    span = allocating.workflows.steps.wanted("prod")[0]
    assert allocating.workflows.steps.fill("old", span)["kept"] == 0
    assert allocation.ONLY not in records.costs.clusters()
