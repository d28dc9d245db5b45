"""Whose the hours of a cluster are where its kube-state-metrics exports no labels, and the Kubernetes API has them."""

from __future__ import annotations

import json
import multiprocessing
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bot.adapters.records import Records
from bot.composition.allocation import Allocating, PrometheusHours
from bot.handlers.allocate_hours import settled_until
from bot.server_config import ClusterConfig, PrometheusSource, ServerConfig
from bot.settings import Settings, from_env
from estimators.allocate import allocate
from estimators.allocation import HourCost, as_money
from estimators.ownership import Owners
from tests import kubernetes_api
from tests.allocation_past import BEGIN, BalancerLife, NodeLife, PodLife, Town, VolumeLife, in_cluster
from tests.kubernetes_api import Body, Cluster, kubeconfig
from tests.live_cluster import thing
from tests.prometheus_blocks import write_blocks
from tests.prometheus_server import serving

ROOT = Path(__file__).resolve().parents[3]
HOURS = 4
LIFE = (0.0, HOURS * 60.0)
END = settled_until(datetime.now(UTC)) - timedelta(hours=1)
START = END - timedelta(hours=HOURS)
SIZE: dict[str, Any] = {"requests": {"cpu": 0.5, "memory": 2}, "used": (0.1, 1)}
"""Of each pod, all day: 0.5 cores at $0.04 and 2 GiB at $0.005 are 3 cents an hour."""
POD = 3 * HOURS
VOLUME, BALANCER = 0.5 * HOURS, 2 * HOURS
"""What each costs in all hours, in cents."""
SILENT = Town(
    LIFE[1],
    (NodeLife("steady", LIFE),),
    (
        PodLife("shop", "api-7f-a", "steady", LIFE, ("ReplicaSet", "api-7f"), **SIZE),
        PodLife("shop", "api-7f-b", "steady", LIFE, ("ReplicaSet", "api-7f"), **SIZE),
        PodLife("shop", "db-0", "steady", LIFE, ("StatefulSet", "db"), **SIZE),
        PodLife("shop", "gone-0", "steady", LIFE, ("StatefulSet", "gone"), **SIZE),
        PodLife("ops", "tick-1-a", "steady", LIFE, ("Job", "tick-1"), **SIZE),
        PodLife("lab", "debug", "steady", LIFE, **SIZE),
    ),
    volumes=(
        VolumeLife("pv-left", LIFE, 50),
        VolumeLife("pv-kept", LIFE, 5, ("lab", "kept"), price=0.001),
    ),
    balancers=(BalancerLife("lab", "web", LIFE, price=0.02),),
    above={
        ("ReplicaSet", "shop", "api-7f"): ("Deployment", "api"),
        ("Job", "ops", "tick-1"): ("CronJob", "tick"),
    },
)
"""A cluster without label metrics."""
TOLD = replace(
    SILENT,
    pods=tuple(
        replace(pod, labels={"team": "payments"}) if pod.name.startswith("api") else pod
        for pod in SILENT.pods
    ),
    labels={("Namespace", "shop", ""): {"team": "shop"}},
)
"""The same, where Prometheus knew the labels of one Deployment's pods and of one namespace."""
FROM_API = {"checkout": 2 * POD, "storage": POD, "ops": POD, "research": POD + VOLUME + BALANCER, "": POD}
"""What teams cost, in cents, as the Kubernetes API has it; the workload of nobody is gone."""


def objects() -> list[Body]:
    """What is there now: the labels are on pods, on a workload, on a Job's pod and on a namespace."""

    def pod(namespace: str, name: str, owner: tuple[str, str] | None, **labels: str) -> Body:
        references = [{"kind": owner[0], "name": owner[1], "controller": True}] if owner else []
        named = {key.replace("_", "-"): value for key, value in labels.items()}
        metadata = {"labels": named, "ownerReferences": references}
        return thing("v1", "Pod", name, namespace, metadata=metadata, spec={"nodeName": "steady"})

    cron = {"ownerReferences": [{"kind": "CronJob", "name": "tick", "controller": True}]}
    lab = {"annotations": {"backstage.io/owner": "group:default/research"}}
    api = ("ReplicaSet", "api-7f")
    return [
        thing("v1", "Namespace", "lab", metadata=lab),
        thing("v1", "Namespace", "shop"),
        thing("apps/v1", "Deployment", "api", "shop"),
        thing("apps/v1", "StatefulSet", "db", "shop", metadata={"labels": {"team": "storage"}}),
        thing("batch/v1", "Job", "tick-1", "ops", metadata=cron),
        pod("shop", "api-7f-a", api, team="checkout", pod_template_hash="7f"),
        pod("shop", "api-7f-new", api, team="checkout", pod_template_hash="7f"),
        pod("shop", "db-0", ("StatefulSet", "db")),
        pod("ops", "tick-1-a", ("Job", "tick-1"), team="ops"),
        pod("lab", "debug", None),
    ]


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Both clusters, until an hour ago."""
    data: Path = tmp_path_factory.mktemp("labels")
    later = int((START - BEGIN).total_seconds())
    series = [*in_cluster(SILENT.series(), "silent"), *in_cluster(TOLD.series(), "told")]
    write_blocks(data, [replace(one, times=one.times + later) for one in series])
    with serving(data, "--query.lookback-delta=90s") as address:
        yield address


@pytest.fixture(autouse=True)
def own_surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    """A forked process has the environment and the error stream of the first test that forked one."""
    monkeypatch.setattr("bot.composition.processes._FORKS", multiprocessing.get_context("spawn"))


@pytest.fixture
def kubernetes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cluster]:
    """The API server, which the process's kubeconfig leads to under the name `here`."""
    cluster = Cluster(objects())
    with kubernetes_api.serving(cluster) as server:
        path = kubeconfig(tmp_path, server, contexts=("here",))
        monkeypatch.setenv("KUBECONFIG", path)
        # The client looks at the variable when it is imported, which another test may have done.
        monkeypatch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", path)
        yield cluster


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """With a database of its own."""
    database = f"sqlite:///{tmp_path / 'tuppence.db'}"
    return from_env({"TUPPENCE_DATABASE_URL": database, "XDG_CACHE_HOME": "/nowhere"})


def config(url: str, name: str, context: str = "here") -> ClusterConfig:
    """One of the clusters, with its kube context."""
    return ClusterConfig(name, PrometheusSource(url, {"cluster": name}), kube_context=context)


def read(settings: Settings, cluster: ClusterConfig) -> list[HourCost]:
    """Its hours, as they are kept."""
    source = PrometheusHours(settings, cluster, Owners().names())
    return [allocate(hour) for hour in source.read(START, END)]


def by_team(hours: Sequence[HourCost]) -> dict[str, int]:
    """What each team's workloads cost, in nano-units."""
    owners, costs = Owners(), Counter[str]()
    for hour in hours:
        for row in hour.workloads:
            costs[owners.of(row.workload, row.labels).team] += row.direct
    return dict(costs)


def money(hours: Sequence[HourCost]) -> list[Mapping[Any, int]]:
    """All amounts of each hour."""
    return [
        {row.workload: row.direct for row in hour.workloads} | {node.node: node.idle for node in hour.nodes}
        for hour in hours
    ]


def cents(teams: Mapping[str, int]) -> dict[str, float]:
    """Costs that people read."""
    return {team: float(as_money(cost)) * 100 for team, cost in teams.items()}


def test_teams_pay_what_nobody_did(url: str, settings: Settings, kubernetes: Cluster) -> None:
    """And the same money moves: no amount differs from what it was without any label, and all add up."""
    before, after = read(settings, config(url, "silent", "")), read(settings, config(url, "silent"))

    assert list(by_team(before)) == [""]
    assert cents(by_team(after)) == pytest.approx(FROM_API, rel=0.02)
    assert money(after) == money(before)
    assert len(after) == HOURS
    for hour in after:
        assert hour.bill == hour.tenants + hour.idle + hour.control_plane > 0
        assert hour.covered == pytest.approx(1.0, abs=0.02)
        assert hour.notes == before[0].notes
    assert sum("/pods?" in request for request in kubernetes.requests) == 1
    assert kubernetes.whole == []


@pytest.mark.usefixtures("kubernetes")
def test_what_prometheus_knew_of_the_hours_wins(url: str, settings: Settings) -> None:
    """Over today's labels of the same object; but what is nearer to the pods wins over what is farther."""
    teams = {**FROM_API, "payments": 2 * POD, "shop": POD}
    del teams["checkout"], teams[""]
    assert cents(by_team(read(settings, config(url, "told")))) == pytest.approx(teams, rel=0.02)


def test_what_may_not_be_listed_is_said(url: str, settings: Settings, kubernetes: Cluster) -> None:
    """The rest names its teams all the same."""
    kubernetes.forbidden = {"pods"}
    hours = read(settings, config(url, "silent"))
    assert by_team(hours).keys() == {"storage", "research", ""}
    assert all("grant the verb list on pods" in " ".join(hour.notes) for hour in hours)


def test_a_list_that_expires_between_pages_changes_nothing(
    url: str, settings: Settings, kubernetes: Cluster
) -> None:
    """HTTP 410."""
    whole = by_team(read(settings, config(url, "silent")))
    kubernetes.page_size, kubernetes.expire = 2, {"pods": 2}
    assert by_team(read(settings, config(url, "silent"))) == whole


@pytest.mark.usefixtures("kubernetes")
@pytest.mark.parametrize("context", ["here", "nowhere"])
def test_hours_are_kept_without_the_api(
    context: str,
    url: str,
    settings: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    """As Prometheus has them, whole by their money, never asked for again; a line in the log says why."""
    monkeypatch.setenv("KUBECONFIG", kubeconfig(tmp_path, "http://127.0.0.1:9", contexts=("here",)))
    found = fill(settings, config(url, "told", context))

    assert found.covered == pytest.approx(1.0, abs=0.02)
    assert found.bill == found.tenants + found.idle + found.control_plane > 0
    assert {row.labels.get("team") for row in found.workloads} == {"payments", "shop", None}
    assert any(note.startswith("no labels are read from the Kubernetes API: ") for note in found.notes)
    lines = [json.loads(line) for line in capfd.readouterr().err.splitlines() if line.startswith("{")]
    warnings = [line for line in lines if line["level"] == "WARNING"]
    assert {(line["cluster"], "Kubernetes API" in line["message"]) for line in warnings} == {("told", True)}


@pytest.mark.usefixtures("kubernetes")
def test_the_server_keeps_whose_they_are(url: str, settings: Settings) -> None:
    """In its own process, which is told which annotations count."""
    found = fill(settings, config(url, "silent"))
    owners = Owners()
    teams = {row.workload.name: owners.of(row.workload, row.labels).team for row in found.workloads}
    assert {teams.pop("web"), teams.pop("kept")} == {"research"}
    assert teams == {"api": "checkout", "db": "storage", "gone": "", "tick": "ops", "debug": "research"}


def fill(settings: Settings, cluster: ClusterConfig) -> Any:  # noqa: ANN401 - a WindowCost
    """What is kept of the hours after `tuppence serve` filled them; then nothing more is wanted of them."""
    with closing(Records(settings.database_url)) as records:
        records.prepare()
        allocating = Allocating(settings, ServerConfig(clusters=(cluster,)), records.costs, [])
        steps = allocating.workflows.steps
        try:
            for span in steps.wanted(cluster.name)[:2]:
                steps.fill(cluster.name, span)
        finally:
            allocating.stop()
        again = {span["start"] for span in steps.wanted(cluster.name)}
        assert not {(START + timedelta(hours=number)).isoformat() for number in range(HOURS)} & again
        return records.costs.window(cluster.name, START, END)


@pytest.mark.usefixtures("kubernetes")
@pytest.mark.parametrize("up", [True, False], ids=["the API answers", "it does not"])
def test_the_command_line_reads_labels_on_the_spot(up: bool, url: str, tmp_path: Path) -> None:
    """Of the contexts that the file names; without the API the total is the same and a note says so."""
    file = tmp_path / "tuppence.yaml"
    source = f"{{url: '{url}', selector: {{cluster: silent}}}}"
    file.write_text(f"clusters: [{{name: silent, kube_context: here, prometheus: {source}}}]\n")
    variables = {name: value for name, value in os.environ.items() if name != "PROMETHEUS_URL"}
    variables["TUPPENCE_DATABASE_URL"] = f"sqlite:///{tmp_path / 'none.db'}"
    if not up:
        kubeconfig(tmp_path, "http://127.0.0.1:9", contexts=("here",))
    command = [sys.executable, "-m", "bot", "cost", "team", "--config", str(file), "--format", "json"]
    ran = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, check=True)
    told = json.loads(ran.stdout)

    paid = {row["group"] for row in told["rows"] if row["kind"] == "tenant"}
    unread = "no labels are read from the Kubernetes API: context 'here': cannot be reached"
    bill, *parts = (Decimal(told[name]) for name in ("bill", "tenants", "idle", "shared"))
    assert bill == sum(parts) > 0
    assert paid == (FROM_API.keys() - {""} if up else set())
    assert (unread in " ".join(told["notes"])) is not up
