"""`tuppence demo`: the whole story, without a network."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.end_to_end.commands import Ran, at_most, process, tuppence

NO_NETWORK = ("unshare", "--map-root-user", "--net")
"""A network namespace of its own, in which not even loopback is up."""

FACTS = [
    "Risky · +$2,44",
    "memory limit 512Mi is below the 682 MiB it peaked at; 832Mi is safe and saves $6.73 a month",
    "overlays/production/api-resources.yaml:12",
    "nvidia.com/gpu 1 → 2",
    "HPA max 10 → 30",
    "search/indexer StatefulSet",
    "charts/search/values-production.yaml:5",
    "Not priced: 1",
    "HelmRelease platform/message-queue",
    "Guardrail crossed: production",
    "usage: recorded Prometheus",
    "Worth approving (a month)",
    "search/indexer: CPU request 2 → 950m, memory request 2Gi → 1728Mi",
    "All teams spent $1,810 in week 46 (9 to 15 November), +$27.65 (+1.6 %) on the week before.",
    "Going over budget: checkout by",
    "GPUs that nobody held: $571",
    "+$29.75 payments/load-test new",
    "tuppence diff main",
    "tuppence digest --prometheus",
    "tuppence init",
]


def offline() -> tuple[str, ...]:
    """The words before a command that take its network away; none where the system lets nobody do so."""
    tried = subprocess.run([*NO_NETWORK, "true"], capture_output=True, check=False)
    return NO_NETWORK if tried.returncode == 0 else ()


@pytest.fixture(scope="module")
def story(tmp_path_factory: pytest.TempPathFactory) -> Ran:
    """What a person reads, offline, in a folder that is no repository."""
    return process("demo", cwd=tmp_path_factory.mktemp("somewhere"), before=offline())


def test_the_demo_tells_its_story_offline(story: Ran) -> None:
    """A dangerous saving, a safe one, a GPU, an autoscaler, and how to go on."""
    assert (story.status, story.err) == (0, "")
    told = " ".join(story.out.split())
    assert [fact for fact in FACTS if fact not in told] == []


def test_the_demo_is_over_soon(story: Ran) -> None:
    """Nobody waits for a first impression."""
    assert story.seconds < at_most(10)


def test_a_recording_alone_tells_first_what_it_can_save(tmp_path: Path) -> None:
    """Its digest has no costs, and says so after what there is to approve."""
    tuppence("demo", "--keep", tmp_path / "kept")
    told = tuppence(
        *("digest", "--week", "2026-W46", "--usage", tmp_path / "kept/recorded-usage.json"),
        *("--repo", tmp_path / "kept/shop"),
        cwd=tmp_path,
    )
    first = " ".join(told.out.split()).replace("\N{NO-BREAK SPACE}", " ")

    assert told.status == 0
    assert first.startswith("All teams: 2 changes are worth approving, −$138 a month. What was spent")
    assert first.endswith(
        "A snapshot has utilisation, but no costs: add --prometheus URL for what was spent."
    )


def test_the_kept_sample_can_be_played_with(tmp_path: Path) -> None:
    """The command it suggests runs as it is written, and says the same."""
    told = tuppence("demo", "--keep", tmp_path / "kept")
    suggested = told.out.split("Try: tuppence ")[1].split()
    played = tuppence(*suggested)

    assert played.status == 1
    assert "--format markdown" in told.out
    assert "Risky · +$2,44" in played.out.replace("\N{NO-BREAK SPACE}", " ")
