"""`tuppence digest`: the same week from a Prometheus as from the records, savings of a repository, ways out."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bot.adapters.records import Records
from bot.composition.allocation import PrometheusHours
from bot.composition.digest_cli import DigestOptions, tell_digest
from bot.errors import UserError
from bot.handlers.allocate_hours import fill, wanted
from bot.server_config import ClusterConfig, PrometheusSource
from bot.settings import from_env
from tests.allocation_past import BEGIN, NodeLife, PodLife, Town
from tests.prometheus_server import backfill, serving

ROOT = Path(__file__).resolve().parents[2]
LENGTH = 3 * 24 * 60
NOW = datetime(2026, 3, 9, 10, tzinfo=UTC)
TOWN = Town(
    LENGTH,
    (NodeLife("steady", (0, LENGTH)),),
    (
        PodLife("shop", "api-1-a", "steady", (0, LENGTH), ("ReplicaSet", "api-1"), {"cpu": 1, "memory": 1}, (0.1, 0.5), labels={"team": "checkout"}),
        PodLife("data", "db-0", "steady", (0, LENGTH), ("StatefulSet", "db"), {"cpu": 0.5, "memory": 4}, (0.1, 1)),
    ),
    above={("ReplicaSet", "shop", "api-1"): ("Deployment", "api")},
    scrape=300,
)  # fmt: skip
MANIFEST = """\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}, namespace: shop}}
spec:
  replicas: 1
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}, team: checkout}}}}
    spec:
      containers: [{{name: main, image: x, resources: {{requests: {{cpu: "1", memory: 1Gi}}}}}}]
"""
CONFIG = "teams:\n- {name: checkout, namespaces: [shop], budget_monthly: 500}\n"


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Three days of a small town, at the beginning of week 10."""
    data = tmp_path_factory.mktemp("digest")
    backfill(data, TOWN.series())
    with serving(data, "--query.lookback-delta=330s") as address:
        yield address


@pytest.fixture(scope="module")
def kept(url: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of records that were filled from it, as `tuppence serve` does."""
    address = f"sqlite:///{tmp_path_factory.mktemp('records') / 'tuppence.db'}"
    until = BEGIN + timedelta(minutes=LENGTH + 20)
    source = PrometheusHours(from_env(), ClusterConfig("default", PrometheusSource(url)))
    with closing(Records(address)) as records:
        records.prepare()
        for span in wanted("default", costs=records.costs, now=until, days=5):
            fill("default", span, source=source, costs=records.costs, now=lambda: until)
    return address


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that is no repository, and an environment that names nothing."""
    for name in ("PROMETHEUS_URL", "SLACK_BOT_TOKEN", "SLACK_SIGNING_SECRET"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TUPPENCE_DATABASE_URL", f"sqlite:///{tmp_path / 'none.db'}")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def told(capsys: pytest.CaptureFixture[str], **options: object) -> dict[str, Any]:
    """The JSON of a digest."""
    tell_digest(DigestOptions(form="json", **options), now=NOW)  # type: ignore[arg-type]  # handed on
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


@pytest.mark.parametrize("team", [None, "checkout"])
def test_both_say_the_same(
    team: str | None, url: str, kept: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """To the last digit, whether hours were kept or are read now."""
    measured = told(capsys, team=team, prometheus=url)
    monkeypatch.setenv("TUPPENCE_DATABASE_URL", kept)
    assert told(capsys, team=team) == measured
    assert measured["week"] == "2026-W10"
    assert Decimal(measured["total"]) > 0
    assert measured["previous"] is None
    assert 0.3 < float(measured["coverage"]) < 0.5


def test_finances_file_adds_up(url: str, alone: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """To the total that is told."""
    found = told(capsys, prometheus=url, focus=alone / "week.csv")
    with (alone / "week.csv").open() as file:
        assert sum(Decimal(row["BilledCost"]) for row in csv.DictReader(file)) == Decimal(found["total"])


def repository(folder: Path, *manifests: str) -> Path:
    """A git repository with these files."""
    folder.mkdir()
    (folder / "all.yaml").write_text("---\n".join(manifests))
    for command in (
        ["init", "-q"],
        ["add", "."],
        ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "x"],
    ):
        subprocess.run(["git", *command], cwd=folder, check=True)
    return folder


def test_savings_are_looked_for_in_the_repository(
    url: str, alone: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """What is left as it is is counted, whether the repository is named or is the one here."""
    repo = repository(alone / "repo", *(MANIFEST.format(name=name) for name in ("web", "worker")))
    named = told(capsys, team="checkout", prometheus=url, repo=repo)
    assert named["left_counts"] == {"not-in-the-history": 2}
    assert "No repository was looked at for savings yet." not in named["notes"]
    assert "No repository was looked at for savings yet." in told(capsys, prometheus=url)["notes"]
    with pytest.MonkeyPatch.context() as there:
        there.chdir(repo)
        assert told(capsys, team="checkout", prometheus=url) == named


def test_a_repository_of_something_else_has_no_savings_to_tell(
    url: str, alone: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Which is not the same as that nothing is to be approved."""
    repo = repository(alone / "repo", "just: text\n")
    with pytest.raises(UserError, match="declares no Kubernetes object"):
        told(capsys, prometheus=url, repo=repo)
    with pytest.MonkeyPatch.context() as there:
        there.chdir(repo)
        assert "No repository was looked at for savings yet." in told(capsys, prometheus=url)["notes"]


@pytest.mark.parametrize(
    ("options", "way_out"),
    [
        ({"week": "2026-W54"}, "2026-W01 to 2026-W53"),
        ({"week": "2026-W11"}, "has not ended yet: the newest that has is 2026-W10"),
        ({}, "add --prometheus URL"),
        ({"post": True, "repo": Path()}, "leave out --repo"),
        ({"usage": Path("a"), "prometheus": "http://x"}, "name one of them"),
        ({"team": "a", "focus": Path("a")}, "leave out --team"),
        ({"config": Path("nowhere.yaml")}, "nowhere.yaml"),
    ],
    ids=[
        "no week",
        "a week that goes on",
        "no hours",
        "post and look",
        "two sources",
        "focus of one",
        "no file",
    ],
)
def test_what_cannot_be_done_is_told_with_the_way_out(options: dict[str, Any], way_out: str) -> None:
    """In one line."""
    with pytest.raises(UserError, match=way_out) as refused:
        tell_digest(DigestOptions(**options), now=NOW)
    assert "\n" not in str(refused.value)


def test_a_team_that_nobody_knows_is_told_who_was_meant(url: str, alone: Path) -> None:
    """As an option to type."""
    (alone / "tuppence.yaml").write_text(CONFIG)
    with pytest.raises(UserError, match="Did you mean --team checkout"):
        tell_digest(DigestOptions(team="chekout", prometheus=url), now=NOW)


def test_a_repository_without_numbers_is_refused(
    kept: str, alone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only where it was named: one that happens to be here is left alone."""
    repo = repository(alone / "repo", "kind: List\n")
    monkeypatch.setenv("TUPPENCE_DATABASE_URL", kept)
    with pytest.raises(UserError, match="--prometheus URL or --usage FILE"):
        tell_digest(DigestOptions(repo=repo), now=NOW)
    monkeypatch.chdir(repo)
    tell_digest(DigestOptions(), now=NOW)


@pytest.mark.parametrize(
    ("options", "way_out"),
    [
        ({"repo": Path("nowhere")}, "^--repo: nowhere is not a folder$"),
        ({"repo": Path()}, "^--repo: . is not in a git repository$"),
        ({"usage": Path("usage.json")}, "none is here: add --repo DIR"),
    ],
    ids=["no folder", "no repository", "a snapshot for nothing"],
)
def test_savings_that_cannot_be_looked_for_are_refused(
    options: dict[str, Any], way_out: str, kept: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where a person asked for them, the records do not stand in."""
    monkeypatch.setenv("TUPPENCE_DATABASE_URL", kept)
    with pytest.raises(UserError, match=way_out):
        tell_digest(DigestOptions(**options), now=NOW)


@pytest.mark.parametrize(
    ("slack", "config", "way_out"),
    [
        (False, CONFIG, "set SLACK_BOT_TOKEN and SLACK_SIGNING_SECRET"),
        (True, CONFIG, "channel of team checkout"),
    ],
    ids=["no Slack", "no channel"],
)
def test_a_digest_that_cannot_be_posted_is_told_and_says_why(
    slack: bool, config: str, way_out: str, kept: str, alone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After it was shown."""
    (alone / "tuppence.yaml").write_text(config)
    monkeypatch.setenv("TUPPENCE_DATABASE_URL", kept)
    if slack:
        monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-1")
        monkeypatch.setenv("SLACK_SIGNING_SECRET", "s")
    with pytest.raises(UserError, match=way_out):
        tell_digest(DigestOptions(team="checkout", post=True), now=NOW)


def test_mistakes_end_with_two_and_no_traceback() -> None:
    """As a process."""
    for arguments in (["--week", "nonsense"], ["--team"], ["--form", "x"]):
        done = subprocess.run(
            [sys.executable, "-m", "bot", "digest", *arguments],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 2
        assert done.stderr.startswith("tuppence: ")
        assert "Traceback" not in done.stderr
