"""What nothing uses, from a real Prometheus to what `tuppence digest` and `tuppence cost savings` print."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bot.adapters.records import Records
from bot.composition import unused as composition
from bot.composition.unused import UnusedClusters
from bot.server_config import ClusterConfig, PrometheusSource, ServerConfig
from bot.settings import from_env
from bot.unused import NOT_ASKED
from estimators.allocate import allocate
from estimators.prices import BUILT_IN
from estimators.unused import CLAIM, SERVICE, VOLUME
from tests import week_samples as samples
from tests.cost_samples import cluster_hour
from tests.prometheus_server import Written, backfill, serving

ROOT = Path(__file__).resolve().parents[3]
NOW = datetime.now(UTC).replace(microsecond=0)
DAYS = 16
GIB = 2.0**30
CONFIG = """\
teams:
- {name: checkout, namespaces: [shop]}
clusters:
- {name: prod, prometheus: {url: URL}}
"""
POLICY = "protect:\n- {workload: shop/le*, reason: INC-7}\n"
MANIFEST = """\
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: declared, namespace: shop}
spec: {resources: {requests: {storage: 100Gi}}}
"""


def past() -> Iterator[Written]:
    """Sixteen days until now: a claim in use, two that are left, a released volume and a lost Service."""
    for name in ("used", "declared", "left"):
        place = {"namespace": "shop", "persistentvolumeclaim": name}
        yield always(
            "kube_persistentvolumeclaim_info", 1, **place, volumename=f"pv-{name}", storageclass="gp3"
        )
        yield from _volume(f"pv-{name}", name, bound=1)
    yield from _volume("pv-old", "was", bound=0)
    mount = {"namespace": "shop", "persistentvolumeclaim": "used", "pod": "db-0"}
    yield always("kube_pod_spec_volumes_persistentvolumeclaims_info", 1, **mount)
    for name in ("front", "lost"):
        yield always("kube_service_spec_type", namespace="shop", service=name, type="LoadBalancer")
    yield always("kube_endpoint_address", namespace="shop", endpoint="front", ready="true", ip="10.0.0.1")


def _volume(name: str, claim: str, bound: float) -> Iterator[Written]:
    yield always("kube_persistentvolume_info", persistentvolume=name, storageclass="gp3")
    yield always("kube_persistentvolume_capacity_bytes", 100 * GIB, persistentvolume=name)
    yield always("kube_persistentvolume_claim_ref", persistentvolume=name, name=claim, claim_namespace="shop")
    yield always("kube_persistentvolume_status_phase", bound, persistentvolume=name, phase="Bound")


def always(metric: str, value: float = 1.0, **labels: str) -> Written:
    begin = int((NOW - timedelta(days=DAYS)).timestamp())
    # Some hours more than until now: other tests may come first.
    times = np.arange(begin, int(NOW.timestamp()) + 3 * 3600, 300).astype(np.int64)
    return Written(metric, labels, times, np.full(times.size, value))


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Prometheus with that past."""
    data = tmp_path_factory.mktemp("unused")
    backfill(data, past())
    with serving(data, "--query.lookback-delta=330s") as address:
        yield address


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is no repository, and an environment that names nothing."""
    monkeypatch.delenv("PROMETHEUS_URL", raising=False)
    monkeypatch.setenv("TUPPENCE_DATABASE_URL", f"sqlite:///{tmp_path / 'tuppence.db'}")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*words: str) -> str:
    """What the command prints."""
    command = [sys.executable, "-m", "bot", *words]
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def repository(folder: Path) -> Path:
    """One that declares the claim of that name, and protects another one."""
    folder.mkdir()
    (folder / ".tuppence.yaml").write_text(POLICY)
    (folder / "claim.yaml").write_text(MANIFEST)
    for words in (
        ["init", "-q"],
        ["add", "."],
        ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "x"],
    ):
        subprocess.run(["git", *words], cwd=folder, check=True)
    return folder


def named(told: dict[str, Any]) -> list[tuple[str, str]]:
    return [(thing["kind"], thing["name"]) for thing in told["unused"]["things"]]


def test_tuppence_digest_tells_what_no_manifest_declares(url: str, here: Path) -> None:
    """With its price and since when; what the repository declares or protects is told as that."""
    (here / "tuppence.yaml").write_text(CONFIG.replace("URL", url))
    words = ("digest", "--team", "checkout", "--prometheus", url, "--repo", str(repository(here / "repo")))
    told = json.loads(run(*words, "--format", "json"))
    assert named(told) == [(SERVICE, "lost"), (VOLUME, "pv-old")]
    assert told["unused"]["monthly"] == "22.250"
    assert told["left_alone"] == [
        {
            "workload": "volume claim shop/left in prod",
            "reason": f"protected (INC-7), says the policy of {here.name}/repo",
        }
    ]
    assert {thing["team"] for thing in told["unused"]["things"]} == {"checkout"}
    since = (NOW - timedelta(days=DAYS)).date()
    assert {thing["since"] for thing in told["unused"]["things"]} <= {
        str(since),
        str(since + timedelta(days=1)),
    }
    text = run(*words)
    assert "Used by nothing: $22.25 a month" in text
    assert "kubectl -n shop describe service lost" in text
    assert [item["workload"] for item in told["recommendations"]] == ["shop/declared"]


def test_tuppence_cost_savings_tells_it_beside_what_is_kept(url: str, here: Path) -> None:
    """Recommendations from the records, and what stands unused from the cluster as it is now."""
    (here / "tuppence.yaml").write_text(CONFIG.replace("URL", url))
    with closing(Records(os.environ["TUPPENCE_DATABASE_URL"])) as records:
        records.prepare()
        records.costs.keep("prod", [allocate(cluster_hour(samples.WEEK.start))], currency="USD", at=NOW)
        samples.remember(records, snoozed_until=NOW + timedelta(days=14))
    told = json.loads(run("cost", "savings", "--format", "json"))
    assert told["allocated"] == "-552.70"
    # None of the repositories whose looks are kept declares it.
    assert (CLAIM, "declared") in named(told)
    assert len(named(told)) == 4
    assert "Used by nothing: $" in run("cost", "savings", "shop")
    assert named(json.loads(run("cost", "savings", "payments", "--format", "json"))) == []


def test_without_any_look_savings_tell_what_the_cluster_has(url: str, here: Path) -> None:
    """Nothing is made where no records are; what nobody looked at declares nothing."""
    (here / "tuppence.yaml").write_text(CONFIG.replace("URL", url))
    told = json.loads(run("cost", "savings", "--format", "json"))
    assert named(told) == [(SERVICE, "lost"), (VOLUME, "pv-old"), (CLAIM, "declared"), (CLAIM, "left")]
    assert (told["repositories"], told["looked_at"], told["recommendations"]) == (0, None, [])
    assert not (here / "tuppence.db").exists()


def clusters(url: str, **more: str) -> dict[str, ClusterConfig]:
    named = {"prod": url, **more}
    return {name: ClusterConfig(name, PrometheusSource(at)) for name, at in named.items()}


def test_a_cluster_that_does_not_answer_is_told_and_asked_again(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a while, not for every team; what the others told stands meanwhile."""
    looking = UnusedClusters(from_env(), ServerConfig(), clusters(url, away="http://127.0.0.1:1"))
    found = looking.now()
    assert found.found is not None
    assert len(found.found) == 4
    assert found.away == ("Whether volumes and load balancers in away are used could not be asked.",)
    assert looking.now() is found
    monkeypatch.setattr(composition, "AWAY_SECONDS", -1.0)
    again = UnusedClusters(from_env(), ServerConfig(), clusters(url, away="http://127.0.0.1:1"))
    assert again.now() is not again.now()


def test_what_was_told_is_remembered_for_an_hour(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every team's digest is made of the same answers."""
    looking = UnusedClusters(from_env(), ServerConfig(), clusters(url))
    found = looking.now()
    assert looking.now() is found
    monkeypatch.setattr(composition, "REMEMBERED_SECONDS", -1.0)
    again = UnusedClusters(from_env(), ServerConfig(), clusters(url))
    assert again.now() is not again.now()


def test_clusters_that_take_too_long_are_not_waited_for(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody waits for the answer."""
    monkeypatch.setattr(composition, "LONGEST_SECONDS", -1.0)
    found = UnusedClusters(from_env(), ServerConfig(), clusters(url)).now()
    assert found.found is None
    assert found.away == ("Whether volumes and load balancers are used could not be asked.",)


def test_the_sheet_of_a_cluster_prices_it_and_a_named_one_before_that(url: str) -> None:
    """As it prices its hours; what its class has no price for is at the default."""
    sheets = [
        replace(BUILT_IN, currency=name, storage={"gp3": Decimal(price)})
        for name, price in (("EUR", 1), ("CHF", 2))
    ]
    known = {"prod": replace(clusters(url)["prod"], prices=sheets[0])}
    for named, per_gib in ((None, 1), (sheets[1], 2)):
        found = UnusedClusters(from_env(), ServerConfig(), known, named).now().found or ()
        [left] = [thing for thing in found if thing.name == "left"]
        assert (left.monthly, left.currency) == (Decimal(100 * per_gib), "CHF" if named else "EUR")


def test_a_cluster_of_which_nothing_is_known_has_not_nothing_unused(url: str) -> None:
    """Its metrics tell of no claim and no load balancer."""
    source = PrometheusSource(url, {"cluster": "elsewhere"})
    looking = UnusedClusters(from_env(), ServerConfig(), {"": ClusterConfig("", source)})
    assert looking.now() == NOT_ASKED


def test_without_a_cluster_nothing_is_known() -> None:
    """Which is not that nothing is unused."""
    assert UnusedClusters(from_env(), ServerConfig(), {}).now() == NOT_ASKED
