"""Our branch on a GitHub that loses answers, and to which people push as well."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from bot.adapters.github_right_sizing import GitHubRightSizing
from bot.errors import GitHubRefused, GitHubUnavailable
from bot.signed_marker import Markers
from tests.adapters.right_sizing_places import BRANCH, EDIT, FILES, SECRET, Bench
from tests.github import git_writes
from tests.github.faults import Kind
from tests.github.git_store import Commit
from tests.github.service import github

GIT = "/repos/{owner}/{repo}/git"
OTHER = {"k8s/prod/api.yaml": b"kind: Deployment\nspec:\n  replicas: 1\n"}


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    """The test ends with an error if GitHub would not have taken what we sent, or we forced a branch."""
    with github(tmp_path / "github") as hub:
        yield Bench.on(hub)
    hub.assert_clean()


def test_many_files_are_one_commit_and_keep_their_modes(bench: Bench) -> None:
    """A script stays one; what is not named stays as it is."""
    files = {**EDIT, "README.md": b"\xef\xbb\xbf# Laden\r\n", "k8s/apply.sh": b"#!/bin/sh\nexit\n"}
    before = bench.main
    sha = bench.put(files, message="Right-size shop/api\n\nIt uses less.")
    git = bench.repository.git
    made = git.commit_of(sha)
    assert (bench.tip(), made.parents, bench.changed()) == (sha, (before,), files)
    assert made.author == "tuppence[bot]"
    assert made.message.startswith("Right-size shop/api\n\nIt uses less.\n\nTuppence-Seal: ")
    modes = {entry.path: entry.mode for entry in git.folder(sha, "k8s")}
    assert modes == {"k8s/apply.sh": "100755", "k8s/prod": "040000"}


def test_the_same_again_is_not_written(bench: Bench) -> None:
    """Also once the base has moved elsewhere: the branch still says the same."""
    first = bench.put()
    written = bench.writes()
    assert bench.put(message="Other words") == first
    bench.hub.people.push(bench.repository, {"README.md": "# Shop 2\n"})
    assert bench.put() == first
    assert bench.writes() == written


def test_other_values_follow_on_the_branch(bench: Bench) -> None:
    """On the same base there is one more commit."""
    first = bench.put()
    second = bench.put(OTHER)
    assert bench.repository.git.commit_of(second).parents == (first,)
    assert bench.changed() == OTHER


def test_a_base_that_moved_in_the_file_is_joined(bench: Bench) -> None:
    """The branch then stands on the new base, and changes nothing but the value."""
    first = bench.put()
    name = "k8s/prod/api.yaml"
    bench.hub.people.push(bench.repository, {name: FILES[name] + "  paused: true\n"})
    wanted = {name: EDIT[name] + b"  paused: true\n"}
    second = bench.put(wanted)
    assert bench.repository.git.commit_of(second).parents == (first, bench.main)
    assert bench.changed() == wanted
    assert bench.put(wanted) == second


def test_an_older_base_is_refused_for_now(bench: Bench) -> None:
    """Its files would take back what the base has got since: who asks has to look anew."""
    old = bench.main
    bench.hub.people.push(bench.repository, {"README.md": "# Shop 2\n"})
    sha = bench.put()
    with pytest.raises(GitHubUnavailable, match="stands on a newer base"):
        bench.put(OTHER, base=old)
    assert bench.tip() == sha


def test_a_branch_that_was_merged_begins_anew(bench: Bench) -> None:
    """Nothing on it is lost, so it stands on the base alone, whatever came after it."""
    pull_head = bench.put()
    bench.repository.git.set_ref("refs/heads/main", pull_head)
    later = bench.hub.people.push(bench.repository, {"README.md": "# Shop 2\n"})
    sha = bench.put(OTHER)
    assert bench.repository.git.commit_of(sha).parents == (later,)
    assert bench.changed() == OTHER


def test_work_of_somebody_else_is_never_overwritten(bench: Bench) -> None:
    """Neither by new values, nor by closing; the branch is theirs now."""
    bench.put()
    theirs = bench.hub.people.push(bench.repository, {"notes.txt": "hm\n"}, branch=BRANCH, author="ann")
    with pytest.raises(GitHubRefused, match="somebody else has committed") as refused:
        bench.put(OTHER)
    assert "merge or delete the branch" in str(refused.value)
    assert bench.tip() == theirs


def amended(bench: Bench, made: Commit) -> str:
    """Another content under our words."""
    blob = git_writes.blob(bench.repository.git, b"mine")
    tree = git_writes.tree(bench.repository.git, made.tree, [("100644", blob, "mine.txt")])
    return git_writes.commit(bench.repository.git, tree, list(made.parents), made.message, "tuppence[bot]")


def on_their_work(bench: Bench, made: Commit) -> str:
    """Our content above work that it hides, and that would go with the branch."""
    theirs = bench.hub.people.push(bench.repository, {"mine.txt": "mine"}, branch=BRANCH, author="ann")
    return git_writes.commit(bench.repository.git, made.tree, [theirs], made.message, "tuppence[bot]")


def on_another_base(bench: Bench, made: Commit) -> str:
    """Ours but for the words that say which base it stands on."""
    (base,) = made.parents
    words = made.message.replace(f"Tuppence-Seal: {base}", f"Tuppence-Seal: {made.sha}")
    return git_writes.commit(bench.repository.git, made.tree, [base], words, "tuppence[bot]")


@pytest.mark.parametrize("forged", [amended, on_their_work, on_another_base])
def test_a_copied_seal_does_not_make_a_commit_ours(
    bench: Bench, forged: Callable[[Bench, Commit], str]
) -> None:
    """Neither to write on, nor to delete."""
    git = bench.repository.git
    sha = forged(bench, git.commit_of(bench.put()))
    git.set_ref(f"refs/heads/{BRANCH}", sha)
    with pytest.raises(GitHubRefused, match="somebody else"):
        bench.put(OTHER)
    bench.sealed(BRANCH).delete()
    assert bench.tip() == sha


def test_a_seal_holds_for_its_branch_and_its_repository(bench: Bench) -> None:
    """A commit of ours that somebody has brought to another one is theirs there."""
    sha = bench.put()
    bench.repository.git.set_ref("refs/heads/tuppence/another", sha)
    bench.sealed("tuppence/another").delete()
    assert bench.repository.git.branches()["tuppence/another"] == sha
    renumbered = bench.place._replace(repository=replace(bench.place.repository, id=7))
    elsewhere = replace(bench.sealed(BRANCH), place=renumbered)
    with pytest.raises(GitHubRefused, match="somebody else"):
        elsewhere.put(bench.main, OTHER, "Why")


def test_words_that_look_like_a_seal_are_words(bench: Bench) -> None:
    """The seal is the last of them."""
    sha = bench.put(message=f"Why\n\nTuppence-Seal: {'a' * 40} {'b' * 64}")
    assert bench.put() == sha


def test_an_older_secret_still_makes_a_commit_ours(bench: Bench) -> None:
    """While the webhook secret is changed, both are known."""
    bench.put()
    both = GitHubRightSizing(bench.tokens, Markers(["the new secret", SECRET]))
    assert both.put_branch(bench.place, BRANCH, bench.main, OTHER, "Why") == bench.tip()
    assert bench.changed() == OTHER


@pytest.mark.parametrize("kind", ["502", "reset", "cut", "html"])
@pytest.mark.parametrize("operation", [f"POST {GIT}/refs", f"PATCH {GIT}/refs/{{ref}}"])
def test_an_answer_that_is_lost_after_the_branch_moved_is_read_back(
    bench: Bench, operation: str, kind: Kind
) -> None:
    """There is one commit, and nobody is asked to try again."""
    if operation.startswith("PATCH"):
        bench.put(OTHER)
    fault = bench.hub.fault(operation, kind, after_effect=True)
    sha = bench.put()
    assert (bench.tip(), fault.hits) == (sha, 1)
    assert bench.changed() == EDIT


@pytest.mark.parametrize("kind", ["502", "reset"])
@pytest.mark.parametrize("what", ["blobs", "trees", "commits", "refs"])
def test_a_write_that_fails_leaves_no_branch_and_is_not_repeated(bench: Bench, what: str, kind: Kind) -> None:
    """Done again later, the branch is there."""
    fault = bench.hub.fault(f"POST {GIT}/{what}", kind)
    with pytest.raises(GitHubUnavailable):
        bench.put()
    assert (bench.tip(), fault.hits, fault.seen) == ("", 1, 1)
    assert bench.put() == bench.tip()


def test_two_processes_make_one_branch(bench: Bench) -> None:
    """Whoever comes second finds what the first has written."""
    with ThreadPoolExecutor(8) as pool:
        shas = set(pool.map(lambda _: bench.put(), range(8)))
    assert shas == {bench.tip()}
    assert len(bench.hub.journal.of("branch.moved")) == 1


def test_a_push_between_look_and_write_wins(bench: Bench) -> None:
    """GitHub refuses our move, and then the branch is somebody else's."""
    bench.put()
    hub, create = bench.hub, f"POST {GIT}/commits"
    theirs: list[str] = []

    def pushed() -> None:
        theirs.append(hub.people.push(bench.repository, {"a": "b"}, branch=BRANCH, author="ann"))

    hub.meanwhile(create, pushed)
    with pytest.raises(GitHubRefused, match="somebody else"):
        bench.put(OTHER)
    assert bench.tip() == theirs[0]


@pytest.mark.parametrize(
    ("name", "left"),
    [("k8s/gone.yaml", "gone"), ("k8s/prod", "a folder"), ("no/such/folder.yaml", "in no folder")],
)
def test_what_is_no_file_any_more_is_refused(bench: Bench, name: str, left: str) -> None:
    """Nothing new is made under that name."""
    with pytest.raises(GitHubRefused, match="is no file of acme/shop any more"):
        bench.put({name: left.encode()})
    assert bench.tip() == ""


def test_a_ruleset_that_keeps_us_out_is_said(bench: Bench) -> None:
    """In GitHub's own words; the job does not go on asking."""
    bench.repository.protected = ("tuppence/*",)
    with pytest.raises(GitHubRefused, match="rule violations"):
        bench.put()


def test_without_the_permission_to_write_it_is_said_what_to_grant(bench: Bench) -> None:
    """Installations from before the App asked for it lack it, until somebody accepts."""
    installation = bench.hub.world.installations[bench.place.installation]
    installation.permissions["contents"] = "read"
    with pytest.raises(GitHubRefused, match="Contents: Read and write") as refused:
        bench.put()
    assert "acme/shop" in str(refused.value)


def test_the_token_can_write_files_of_one_repository_and_nothing_else(bench: Bench) -> None:
    """And it needs what it was given."""
    bench.put()
    (use,) = [use for use in bench.hub.scopes() if use.granted.get("contents") == "write"]
    assert use.granted == {"contents": "write", "metadata": "read"}
    assert use.unused == {}
