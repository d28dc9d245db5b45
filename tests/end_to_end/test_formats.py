"""The same report in three formats, on standard output or in a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.end_to_end.commands import process, tuppence
from tests.end_to_end.repositories import Repository, deployment, write

FORMATS = ("text", "markdown", "json")
STAGES = {
    f"overlays/{name}/{file}": text
    for name in ("staging", "production")
    for file, text in {
        "kustomization.yaml": "resources: [api.yaml]\n",
        "api.yaml": deployment(replicas=2),
    }.items()
}


@pytest.mark.parametrize("form", FORMATS)
def test_a_file_holds_what_standard_output_would_show(shop: Repository, tmp_path: Path, form: str) -> None:
    """And nothing is shown then."""
    arguments = ("diff", "v1", "v2", "--repo", shop.folder, "--format", form)
    shown = tuppence(*arguments)
    kept = tuppence(*arguments, "--output", tmp_path / "report")

    assert (kept.status, kept.out, kept.err) == (0, "", "")
    lines = [line.rstrip() for line in (tmp_path / "report").read_text("utf-8").splitlines()]
    assert lines == [line.rstrip() for line in shown.out.splitlines()]


@pytest.mark.parametrize(
    ("form", "facts"),
    [
        ("text", ["shop/api", "+$29.26", "replicas 2 → 4", "apps/api.yaml:7"]),
        ("markdown", ["`shop/api`", "+$29.26", "replicas 2 → 4"]),
        ("json", ['"name": "api"', '"expected": "29.26205', '"new": "4"', '"file": "apps/api.yaml"']),
    ],
)
def test_every_format_tells_the_facts(shop: Repository, form: str, facts: list[str]) -> None:
    """Which workload, what it costs more, how many pods; the place where the format has room for it."""
    told = process("diff", "v1", "v2", "--repo", shop.folder, "--format", form)

    assert (told.status, told.err) == (0, "")
    plain = told.out.replace("\N{NO-BREAK SPACE}", " ").replace("&nbsp;", " ")
    assert [fact for fact in facts if fact not in plain] == []


def test_a_pipe_gets_no_colours_and_no_links(shop: Repository) -> None:
    """Escape codes would stand in a log for ever."""
    assert "\x1b" not in process("diff", "v1", "v2", "--repo", shop.folder).out


@pytest.mark.parametrize("form", FORMATS)
def test_the_same_change_gives_the_same_bytes(shop: Repository, form: str) -> None:
    """A comment that did not change is not written again."""
    arguments = ("diff", "v1", "v2", "--repo", shop.folder, "--format", form)

    assert tuppence(*arguments).out == process(*arguments).out


def test_an_environment_narrows_the_report(tmp_path: Path) -> None:
    """`--env` shows one of those that the repository has; both without it."""
    repository = Repository(tmp_path / "r")
    repository.commit(STAGES)
    repository.write({path: text.replace("replicas: 2", "replicas: 3") for path, text in STAGES.items()})

    def environments(*options: str) -> list[str]:
        told = tuppence("diff", "--format", "json", *options, cwd=repository.folder).json
        return sorted(row["environment"] for row in told["workloads"])

    assert environments() == ["production", "staging"]
    assert environments("--env", "production") == ["production"]


def test_a_misspelt_environment_is_not_taken_for_no_impact(tmp_path: Path) -> None:
    """Silence would pass a check."""
    write(tmp_path / "a", STAGES)
    write(tmp_path / "b", {path: text.replace("replicas: 2", "replicas: 3") for path, text in STAGES.items()})
    folders = ("diff", "--base-dir", tmp_path / "a", "--head-dir", tmp_path / "b", "--env", "prodcution")

    assert tuppence(*folders, "--format", "json").json["partial"] == [
        "nothing that changed is in the environment 'prodcution': check its name"
    ]
    for form in FORMATS:
        assert "prodcution" in tuppence(*folders, "--format", form).out


def test_prices_of_a_sheet_are_used(shop: Repository, tmp_path: Path) -> None:
    """Two more pods of half a core, at a dollar a core hour and nothing for memory."""
    sheet = "currency: EUR\nas_of: 2026-11-01\ndefault: {cpu_core_hour: 1, memory_gib_hour: 0}\n"
    arguments = ("diff", "v1", "v2", "--repo", shop.folder)
    told = tuppence(
        *arguments, "--prices", write(tmp_path, {"eur.yaml": sheet}) / "eur.yaml", "--format", "json"
    ).json

    assert told["currency"] == "EUR"
    assert float(told["monthly"]["change"]["expected"]) == 730


def test_the_starter_policy_is_a_sound_one(tmp_path: Path) -> None:
    """`init`, then `check-config`, then `diff` with it; a second `init` overwrites nothing."""
    repository = Repository(tmp_path / "r")
    repository.commit(STAGES)
    written = tuppence("init", cwd=repository.folder)
    file = repository.folder / ".tuppence.yaml"
    text = file.read_text("utf-8")
    checked = tuppence("check-config", ".tuppence.yaml", cwd=repository.folder)

    assert (written.status, checked.status) == (0, 0)
    assert "2 environments" in written.out
    assert "2 environments" in checked.out
    assert "exists already" in tuppence("init", cwd=repository.folder).complaint
    assert file.read_text("utf-8") == text
    assert tuppence("init", "--force", cwd=repository.folder).status == 0
    assert tuppence("diff", cwd=repository.folder).status == 0


def test_a_terminal_that_knows_few_signs_shows_every_amount(shop: Repository) -> None:
    """A saving keeps its minus, as on one of Latin-1."""
    few = ("env", "PYTHONIOENCODING=ascii:strict")
    ran = process("diff", "v2", "v1", "--repo", shop.folder, before=few)

    assert (ran.status, ran.err) == (0, "")
    assert "-$29.26" in ran.out
    assert "replicas 4 -> 2" in ran.out
