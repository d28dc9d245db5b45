"""Live numbers through the command line, from a real Prometheus and from servers that do not work."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.commands import Ran, at_most, process, tuppence
from tests.end_to_end.contract import checked
from tests.end_to_end.live import CORE_HOUR, answering, bytes_answered, history, same_window
from tests.end_to_end.repositories import Repository, deployment
from tests.prometheus_server import backfill, serving

CUTS = {"unsafe": "512Mi", "tight": "800Mi", "roomy": "1536Mi"}
"""New memory limits of a Deployment that had 2 GiB and peaks at 700 MiB."""


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Its URL."""
    data = tmp_path_factory.mktemp("prometheus")
    backfill(data, history())
    with serving(data) as url:
        yield url


@pytest.fixture(scope="module")
def cuts(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """Read only: `main` as it runs, and a branch for each cut."""
    repository = Repository(tmp_path_factory.mktemp("cuts") / "cuts")
    repository.commit({"api.yaml": deployment(replicas=3, memory="512Mi", limit="2Gi")})
    for name, limit in CUTS.items():
        repository.git("switch", "--quiet", "--create", name, "main")
        repository.commit({"api.yaml": deployment(replicas=3, memory="512Mi", limit=limit)})
    return repository


def diff(cuts: Repository, head: str, *options: object) -> Any:  # noqa: ANN401 - JSON
    """The JSON, checked."""
    ran = tuppence("diff", "main", head, "--repo", cuts.folder, "--format", "json", *options)
    assert (ran.status, ran.err) == (0, "")
    return checked(ran.json)


@pytest.mark.parametrize(
    ("head", "verdict", "rule"),
    [
        ("unsafe", "risky", "memory-limit-below-peak"),
        ("tight", "caution", "memory-limit-tight"),
        ("roomy", "safe", None),
    ],
)
def test_live_history_decides(
    prometheus: str, cuts: Repository, head: str, verdict: str, rule: str | None
) -> None:
    """Below the peak, close above it, and far above it."""
    told = diff(cuts, head, "--prometheus", prometheus, "--window", "2d")
    [row] = told["workloads"]

    assert (told["verdict"], told["partial"]) == (verdict, [])
    assert [finding["rule"] for finding in row["findings"]] == ([rule] if rule else [])
    assert "peak 700 MiB" in row["seen"]
    assert row["after"]["rates"]["provenance"] == "measured"
    assert float(row["after"]["rates"]["cpu_core_hour"]) == pytest.approx(CORE_HOUR)


def test_prices_that_a_person_names_win_over_prometheus(
    prometheus: str, cuts: Repository, tmp_path: Path
) -> None:
    """They know their discounts."""
    sheet = tmp_path / "prices.yaml"
    sheet.write_text("currency: USD\nas_of: 2026-11-01\ndefault: {cpu_core_hour: 1, memory_gib_hour: 0}\n")
    told = diff(cuts, "roomy", "--prometheus", prometheus, "--window", "2d", "--prices", sheet)

    assert told["workloads"][0]["after"]["rates"]["cpu_core_hour"] == "1"
    assert float(told["monthly"]["after"]["expected"]) == 3 * 0.5 * 730


def test_without_history_a_cut_is_unknown_and_says_how_to_know(cuts: Repository) -> None:
    """Never safe."""
    told = diff(cuts, "roomy")

    assert (told["verdict"], told["confidence"]) == ("unknown", "none")
    assert "--prometheus" in told["workloads"][0]["unknown_because"]


def test_the_environment_names_prometheus_too(
    prometheus: str, cuts: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As docs/settings.md says."""
    monkeypatch.setenv("PROMETHEUS_URL", prometheus)

    assert diff(cuts, "unsafe", "--window", "2d")["verdict"] == "risky"


def test_a_snapshot_says_the_same_as_its_prometheus(
    prometheus: str, cuts: Repository, tmp_path: Path
) -> None:
    """Every number, over the same window; only where they come from differs."""
    same_window()
    file = tmp_path / "usage.json"
    exported = process("usage", "export", "--prometheus", prometheus, "--window", "2d", "--output", file)
    assert (exported.status, exported.err) == (0, "")
    assert "1 workload, 1 node." in exported.out

    for head in CUTS:
        live = diff(cuts, head, "--prometheus", prometheus, "--window", "2d")
        recorded = diff(cuts, head, "--usage", file, "--window", "2d")
        live.pop("usage"), recorded.pop("usage")
        assert recorded == live


def test_a_window_counts_back_from_the_end_of_the_snapshot(
    prometheus: str, cuts: Repository, tmp_path: Path
) -> None:
    """Hours without the noon peak see less than days with it."""
    file = tmp_path / "usage.json"
    arguments = ("usage", "export", "--prometheus", prometheus, "--output", file)
    tuppence(*arguments, "--window", "2d", "--namespace", "shop")
    window = json.loads(file.read_text())["window"]
    seen = {
        hours: diff(cuts, "roomy", "--usage", file, "--window", f"{hours}h")["usage"] for hours in (48, 24)
    }

    assert window["end"][:10] in seen[48]
    assert window["start"][:10] in seen[48]
    assert seen[48] != seen[24]


def test_the_second_run_asks_for_what_is_new(
    prometheus: str, cuts: Repository, own_surroundings: Path
) -> None:
    """Past days come from the cache, and say the same."""
    same_window()
    asked = [bytes_answered(prometheus)]
    told = []
    for _ in range(2):
        told.append(diff(cuts, "unsafe", "--prometheus", prometheus, "--window", "3d"))
        asked.append(bytes_answered(prometheus))
    first, second = asked[1] - asked[0], asked[2] - asked[1]

    assert told[0] == told[1]
    assert list(own_surroundings.glob("usage-*.sqlite"))
    assert 0 < second < first


@pytest.mark.parametrize(
    ("status", "body", "content_type", "named"),
    [
        pytest.param(503, b"upstream is gone", "text/plain", "503", id="unavailable"),
        pytest.param(
            200, b"<html><h1>Sign in</h1></html>", "text/html", "a web page", id="a page to sign in"
        ),
        pytest.param(401, b"no", "text/plain", "401", id="not allowed"),
        pytest.param(
            200,
            b'{"status": "success", "data": 3}',
            "application/json",
            "not a Prometheus answer",
            id="no Prometheus",
        ),
        pytest.param(200, b'{"status": "success", "da', "application/json", "JSON", id="cut short"),
    ],
)
def test_a_server_that_does_not_work_hides_nothing(
    cuts: Repository, status: int, body: bytes, content_type: str, named: str
) -> None:
    """The report of the manifests comes, with a line that says what is missing; a saving is unknown then."""
    with answering(status, body, content_type) as url:
        told = diff(cuts, "roomy", "--prometheus", url)
        [line] = told["partial"]

        assert url.removeprefix("http://") in line
        assert named in line
        assert told["verdict"] == "unknown"


def test_a_server_that_is_down_hides_nothing(cuts: Repository) -> None:
    """Said in text for people, too; and nothing fails for our outage."""
    down = ("--prometheus", "http://127.0.0.1:1")
    ran: Ran = process("diff", "main", "unsafe", "--repo", cuts.folder, "--fail-on", "caution", *down)

    assert (ran.status, ran.err) == (0, "")
    assert "no live numbers: http://127.0.0.1:1" in " ".join(ran.out.split())
    assert ran.seconds < at_most(10)
