"""The same totals from a Prometheus as from the records that were made of it."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.adapters.records import Records
from bot.composition.allocation import PrometheusHours
from bot.composition.cost import CostOptions, tell_cost
from bot.cost_commands import COMMANDS
from bot.errors import UserError
from bot.handlers.allocate_hours import fill, wanted
from bot.server_config import ClusterConfig, PrometheusSource
from bot.settings import from_env
from tests.allocation_past import BEGIN, NodeLife, PodLife, Town
from tests.prometheus_server import backfill, serving

ROOT = Path(__file__).resolve().parents[2]
LENGTH = 5 * 24 * 60
NOW = BEGIN + timedelta(minutes=LENGTH + 20)
DEPLOYED, SET = ("ReplicaSet", "api-1"), ("StatefulSet", "db")
TOWN = Town(
    LENGTH,
    (
        NodeLife("steady", (0, LENGTH)),
        NodeLife("late", (3000, LENGTH), prices=((0, 0.02, 0.002, 0), (5000, 0.04, 0.004, 0))),
    ),
    (
        PodLife("shop", "api-1-a", "steady", (0, LENGTH), DEPLOYED, {"cpu": 1, "memory": 1}, (0.5, 2), labels={"team": "checkout"}),
        PodLife("shop", "api-1-b", "late", (3010, LENGTH), DEPLOYED, {"cpu": 1, "memory": 1}, (0.5, 2), labels={"team": "checkout"}),
        PodLife("data", "db-0", "steady", (0, LENGTH), SET, {"cpu": 0.5, "memory": 4}, (0.7, 3)),
    ),
    above={("ReplicaSet", "shop", "api-1"): ("Deployment", "api")},
    gaps=((1000, 1300),),
    scrape=300,
    management=0.1,
)  # fmt: skip
ASKED = ("namespace", "workload shop/api", "team mtd")


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Five days of a small town."""
    data = tmp_path_factory.mktemp("cost")
    backfill(data, TOWN.series())
    with serving(data, "--query.lookback-delta=330s") as address:
        yield address


@pytest.fixture(scope="module")
def kept(url: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of records that were filled from it, as `tuppence serve` does."""
    address = f"sqlite:///{tmp_path_factory.mktemp('records') / 'tuppence.db'}"
    source = PrometheusHours(from_env(), ClusterConfig("default", PrometheusSource(url)))
    with closing(Records(address)) as records:
        records.prepare()
        for span in wanted("default", costs=records.costs, now=NOW, days=6):
            fill("default", span, source=source, costs=records.costs, now=lambda: NOW)
    return address


def told(capsys: pytest.CaptureFixture[str], words: str, **options: object) -> dict[str, Any]:
    """The JSON of an answer."""
    tell_cost(CostOptions(words=tuple(words.split()), form="json", **options), now=NOW)  # type: ignore[arg-type]  # handed on
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


@pytest.mark.parametrize("words", ASKED)
def test_both_say_the_same(
    words: str, url: str, kept: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """To the last of the smallest unit, but for the name of the cluster."""
    monkeypatch.setenv("TUPPENCE_DATABASE_URL", kept)
    stored, read = told(capsys, words), told(capsys, words, prometheus=url)
    assert stored.pop("clusters") == ["default"]
    assert read.pop("clusters") == [""]
    for found in (*stored["movers"], *read["movers"]):
        del found["cluster"]
    stored.pop("notes"), read.pop("notes")  # of hours in which there was no cluster yet
    assert float(stored["total"]) > 0
    assert stored == read


def test_a_chart_is_written_where_it_was_asked_for(
    kept: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """A PNG beside the answer."""
    monkeypatch.setenv("TUPPENCE_DATABASE_URL", kept)
    file = tmp_path / "days.png"
    told(capsys, "namespace shop", chart=file)
    assert file.read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("words", "options", "reason"),
    [
        (
            "namespace shpo",
            {},
            "No namespace called shpo was measured since .* tuppence cost namespace shop 7d?",
        ),
        (
            "namespace qqqq",
            {},
            "No namespace called qqqq was .* Without a name you are told of each namespace",
        ),
        (
            "namspace shop",
            {},
            "there is no question called namspace; did you mean tuppence cost namespace shop?",
        ),
        ("namespace shop chart", {}, "add --chart FILE"),
        ("help", {"form": "json"}, "help has no JSON"),
        ("gpu", {"output": Path("/nowhere/x")}, "--output /nowhere/x: cannot be written: No such file"),
        ("gpu", {"prices": Path("/nowhere/x")}, "/nowhere/x: no prices"),
    ],
    ids=[
        "a name",
        "a name like none",
        "a command",
        "chart without a file",
        "help as JSON",
        "output",
        "prices",
    ],
)
def test_what_cannot_be_answered_is_one_line_with_a_way_out(
    words: str, options: dict[str, Any], reason: str, kept: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command line prints it and exits with 2."""
    monkeypatch.setenv("TUPPENCE_DATABASE_URL", kept)
    with pytest.raises(UserError, match=reason):
        tell_cost(CostOptions(words=tuple(words.split()), **options), now=NOW)


def test_a_prometheus_without_a_cluster_is_named(url: str) -> None:
    """With what it lacks: nothing ran so long ago."""
    with pytest.raises(UserError, match=f"^{url} knows no node or pod .* kube-state-metrics"):
        tell_cost(CostOptions(words=("namespace",), prometheus=url), now=NOW - timedelta(days=90))


def test_without_any_hours_it_says_where_they_come_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Asking makes no database."""
    file = tmp_path / "none.db"
    monkeypatch.setenv("TUPPENCE_DATABASE_URL", f"sqlite:///{file}")
    monkeypatch.delenv("PROMETHEUS_URL", raising=False)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match="add --prometheus URL"):
        tell_cost(CostOptions(words=("namespace",)), now=NOW)
    assert not file.exists()


def run(*words: str) -> subprocess.CompletedProcess[str]:
    """`tuppence cost` as a process of its own."""
    command = [sys.executable, "-m", "bot", "cost", *words]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_the_help_and_the_answer_without_a_question_name_every_command() -> None:
    """They are made of one table."""
    described, listed = run("--help"), run()
    assert described.returncode == listed.returncode == 0
    for command in COMMANDS[:-1]:
        assert f"{command.name} {command.example}".strip() in described.stdout
        assert command.name in listed.stdout
        assert command.argument in listed.stdout


def test_a_typo_is_one_line_and_status_2() -> None:
    """With what was meant; never a traceback."""
    told = run("namespac", "payments", "--window", "30d")
    assert told.returncode == 2
    assert told.stdout == ""
    assert (
        told.stderr
        == "tuppence: there is no question called namespac; did you mean tuppence cost namespace payments 30d?\n"
    )


def test_options_stand_anywhere_and_mean_what_words_mean(
    kept: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--window 30d --vs-last` is `30d vs last`."""
    monkeypatch.setenv("TUPPENCE_DATABASE_URL", kept)
    assert told(capsys, "team", window="30d", vs_last=True) == told(capsys, "team 30d vs last")
