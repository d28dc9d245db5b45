"""Which two states `tuppence diff` compares."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.end_to_end.commands import Ran, process, tuppence
from tests.end_to_end.repositories import Repository, deployment, write


def replicas(ran: Ran) -> tuple[str, str]:
    """The pods of the one workload, before and after."""
    assert ran.status == 0, ran.err
    [row] = ran.json["workloads"]
    return row["before"]["replicas"]["expected"], row["after"]["replicas"]["expected"]


@pytest.mark.parametrize(
    ("revisions", "expected"),
    [
        pytest.param([], ("4", "5"), id="HEAD against the working tree"),
        pytest.param(["main"], ("2", "5"), id="the merge base with main against the working tree"),
        pytest.param(["v1", "v2"], ("2", "4"), id="exactly two tags"),
        pytest.param(["main", "HEAD"], ("1", "4"), id="exactly two branches"),
        pytest.param(["HEAD", "HEAD~1"], ("4", "2"), id="backwards"),
    ],
)
def test_arguments_choose_the_two_sides(
    shop: Repository, revisions: list[str], expected: tuple[str, str]
) -> None:
    """From within the repository, as people run it."""
    ran = tuppence("diff", *revisions, "--format", "json", cwd=shop.folder)

    assert replicas(ran) == expected


def test_a_process_says_the_same_from_a_folder_within(shop: Repository) -> None:
    """`--repo` is wherever one stands, in a repository or below."""
    ran = process("diff", "v1", "v2", "--format", "json", cwd=shop.folder / "apps")

    assert replicas(ran) == ("2", "4")
    assert (ran.json["base"], ran.json["head"]) == (
        shop.git("rev-parse", "v1"),
        shop.git("rev-parse", "v2"),
    )
    assert ran.err == ""


def test_a_bare_repository_compares_two_revisions(shop: Repository) -> None:
    """And says what it lacks for one."""
    bare = shop.folder.parent / "bare.git"

    assert replicas(tuppence("diff", "v1", "v2", "--repo", bare, "--format", "json")) == ("2", "4")
    assert "name two revisions" in tuppence("diff", "v1", "--repo", bare).complaint


def test_two_folders_need_no_git(tmp_path: Path) -> None:
    """Such as two unpacked archives."""
    write(tmp_path / "a", {"api.yaml": deployment(replicas=1)})
    write(tmp_path / "b", {"api.yaml": deployment(replicas=3)})
    ran = tuppence(
        "diff", "--base-dir", tmp_path / "a", "--head-dir", tmp_path / "b", "--format", "json", cwd=tmp_path
    )

    assert replicas(ran) == ("1", "3")
    assert (ran.json["base"], ran.json["head"]) == (str(tmp_path / "a"), str(tmp_path / "b"))


def test_nothing_is_left_in_the_repository(shop: Repository) -> None:
    """No checkout, no lock, no worktree, no change of the index."""
    before = shop.git("status", "--porcelain"), sorted(path.name for path in (shop.folder / ".git").iterdir())
    tuppence("diff", "main", cwd=shop.folder)

    assert before == (
        shop.git("status", "--porcelain"),
        sorted(path.name for path in (shop.folder / ".git").iterdir()),
    )
