"""The cluster that a policy names, asked for real."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

from bot.composition.clusters import ClustersHistory, known_clusters, read_config, read_sheet
from bot.errors import ClusterUnavailable, OutsideError, UserError
from bot.server_config import ServerConfig, parse
from bot.settings import from_env
from estimators.usage import UsageSnapshot, WorkloadKey
from tests.several_clusters import DAYS, PEAKS, Servers, several_clusters

API = ("shop", "Deployment", "api")


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    """Read only."""
    with several_clusters(tmp_path_factory.mktemp("clusters")) as running:
        yield running


def history(config: ServerConfig, cache: Path, **environment: str) -> ClustersHistory:
    """What the bot would read of three days."""
    settings = from_env({"XDG_CACHE_HOME": str(cache), **environment})
    return ClustersHistory(settings, known_clusters(settings, config), 24 * DAYS)


def config_of(text: str) -> ServerConfig:
    """A file without price sheets."""
    return parse(text, "tuppence.yaml", sheet=partial(read_sheet, Path()))


def peak(snapshot: UsageSnapshot | None) -> float:
    """The most memory that a pod of shop/api ever had."""
    assert snapshot is not None
    [container] = snapshot.workloads[WorkloadKey(*API)].containers
    return float(np.nanmax(container.memory_peak_bytes))


@pytest.mark.parametrize(
    ("named", "environment", "is_really"),
    [
        ("prod-eu", {}, "eu"),
        ("prod-us", {}, "us"),
        ("staging", {}, "staging"),
        ("", {}, "eu"),
        ("", {"PROMETHEUS_URL": "{staging}"}, "staging"),
        ("prod-us", {"PROMETHEUS_URL": "{staging}"}, "us"),
    ],
    ids=[
        "by selector",
        "by another selector",
        "by url",
        "the first",
        "PROMETHEUS_URL",
        "a name wins over it",
    ],
)
def test_each_cluster_has_its_own_usage(
    servers: Servers, tmp_path: Path, named: str, environment: Mapping[str, str], is_really: str
) -> None:
    """Told apart by the selector or the address, twice: the second answer comes from the cache."""
    given = {name: value.format(staging=servers.staging) for name, value in environment.items()}
    clusters = history(config_of(servers.config()), tmp_path, **given)
    for _ in range(2):
        assert peak(clusters.snapshot({API}, {}, named)) == pytest.approx(PEAKS[is_really])


def test_a_policy_cannot_look_into_another_cluster(servers: Servers, tmp_path: Path) -> None:
    """The cluster's selector wins over the repository's."""
    clusters = history(config_of(servers.config()), tmp_path)
    assert peak(clusters.snapshot({API}, {"cluster": "us"}, "prod-eu")) == pytest.approx(PEAKS["eu"])


def test_a_cluster_without_prometheus_has_no_usage(servers: Servers, tmp_path: Path) -> None:
    """Not that of another one."""
    assert history(config_of(servers.config()), tmp_path).snapshot({API}, {}, "bare") is None
    assert history(ServerConfig(), tmp_path).snapshot({API}, {}, "") is None


@pytest.mark.parametrize(
    ("text", "named", "said"),
    [
        pytest.param("", "prod", "the cluster 'prod', which the server does not know: add it", id="unknown"),
        pytest.param(
            "clusters: [{name: prod, kube_context: nowhere}]",
            "prod",
            "the cluster 'prod' cannot",
            id="context",
        ),
        pytest.param(
            "clusters: [{name: prod, prometheus: {url: http://p, selector: {a-b: c}}}]",
            "prod",
            "the cluster 'prod' cannot be asked: 'a-b' is not a Prometheus label",
            id="label",
        ),
    ],
)
def test_what_cannot_be_asked_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, named: str, said: str
) -> None:
    """As a line in the report, whoever's mistake it is."""
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    with pytest.raises(ClusterUnavailable, match=said):
        history(config_of(text), tmp_path, PROMETHEUS_URL="http://127.0.0.1:1").snapshot({API}, {}, named)


class Refusing(BaseHTTPRequestHandler):
    """Notes who asks, and refuses."""

    asked: list[Mapping[str, str]]

    def do_GET(self) -> None:
        self.asked.append({name.lower(): value for name, value in self.headers.items()})
        self.send_response(403)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.do_GET()

    def log_message(self, *_arguments: object) -> None:
        """Nothing is printed."""


@pytest.fixture
def refusing() -> Iterator[tuple[str, list[Mapping[str, str]]]]:
    """Its URL, and the headers of what it was asked."""
    asked: list[Mapping[str, str]] = []
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (Refusing,), {"asked": asked}))
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


BASIC = {"PROMETHEUS_USERNAME": "u", "PROMETHEUS_PASSWORD": "p"}
OF_ALL = {"PROMETHEUS_TOKEN": "of-all", "PROMETHEUS_HEADERS": "x-scope-orgid: all\nX-More: yes"}


@pytest.mark.parametrize(
    ("environment", "authorization", "tenant"),
    [
        pytest.param(OF_ALL, "Bearer of-all", "own", id="the token of all, the tenant of its own"),
        pytest.param({**OF_ALL, "PROMETHEUS_TOKEN_PROD_EU": "its-own"}, "Bearer its-own", "own", id="a token"),
        pytest.param({**BASIC, "PROMETHEUS_TOKEN_PROD_EU": "its-own"}, "Bearer its-own", "own", id="no password"),
        pytest.param({**OF_ALL, "PROMETHEUS_TOKEN_PROD": "another"}, "Bearer of-all", "own", id="another's"),
        pytest.param(BASIC, "Basic dTpw", "own", id="the password of all"),
    ],
)  # fmt: skip
def test_secrets_and_headers_of_its_own_win(
    refusing: tuple[str, list[Mapping[str, str]]],
    tmp_path: Path,
    environment: Mapping[str, str],
    authorization: str,
    tenant: str,
) -> None:
    """What the environment says for all clusters holds for the rest."""
    url, asked = refusing
    text = f"clusters: [{{name: prod-eu, prometheus: {{url: '{url}', headers: {{X-Scope-OrgID: own}}}}}}]"
    with pytest.raises(OutsideError, match="403"):
        history(config_of(text), tmp_path, **environment).snapshot({API}, {}, "prod-eu")

    assert {(one["authorization"], one["x-scope-orgid"]) for one in asked} == {(authorization, tenant)}
    assert {one.get("x-more") for one in asked} == {"yes" if environment.keys() >= OF_ALL.keys() else None}


def test_tenants_of_one_address_never_share_what_is_remembered(servers: Servers, tmp_path: Path) -> None:
    """The address alone does not tell them apart: the file of the cache does."""
    for tenant in ("a", "b"):
        text = f"clusters: [{{name: c, prometheus: {{url: '{servers.staging}', headers: {{X-Scope-OrgID: {tenant}}}}}}}]"
        history(config_of(text), tmp_path).snapshot({API}, {}, "c")
    assert len(list((tmp_path / "tuppence").glob("usage-*.sqlite"))) == 2


def test_the_file_is_looked_for_where_the_bot_is_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It need not be there; one that is named must be. Price sheets are looked for beside it."""
    monkeypatch.chdir(tmp_path)
    assert read_config(None) == ServerConfig()
    with pytest.raises(UserError, match=r"other\.yaml: cannot be read: No such file"):
        read_config(Path("other.yaml"))

    (tmp_path / "tuppence.yaml").write_text("clusters: [{name: a, prices: sheets/a.yaml}]\n")
    with pytest.raises(
        UserError, match=r"tuppence\.yaml:1: clusters\[0\]\.prices: sheets/a\.yaml is not a file"
    ):
        read_config(None)
    (tmp_path / "sheets").mkdir()
    (tmp_path / "sheets" / "a.yaml").write_text("currency: EUR\nas_of: 2026-11-01\n")
    for file in (None, tmp_path / "tuppence.yaml"):
        [cluster] = read_config(file).clusters
        assert cluster.prices is not None
        assert cluster.prices.currency == "EUR"
