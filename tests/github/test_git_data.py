"""Git's own data as an app may write it: what the fake refuses, what it writes down, and what follows."""

from __future__ import annotations

import pytest

from tests.github.client import Shop
from tests.github.contract_data import Json
from tests.github.model import Permissions
from tests.github.service import GitHub

REPO = "/repos/acme/shop"
REFS = f"{REPO}/git/refs"
WRITE: Permissions = {"contents": "write"}
PROPOSE: Permissions = {"contents": "read", "pull_requests": "write"}


@pytest.fixture
def shop(hub: GitHub) -> Shop:
    """A repository with the app on it and one pull request of a person's."""
    return Shop(hub)


def write(shop: Shop, method: str, path: str, body: Json = None) -> tuple[int, Json]:
    """Status and answer of a write with a token that may write files."""
    answer = shop.ask(method, path, body, token=shop.token(WRITE))
    return answer.status_code, answer.json() if answer.content else None


def commit(shop: Shop, content: str = "a", parent: str = "") -> str:
    """A commit of the app's that no branch has yet."""
    git = shop.repository.git
    parent = parent or git.sha("main")
    tree = git.commit_of(parent).tree
    blob = write(shop, "POST", f"{REPO}/git/blobs", {"content": content, "encoding": "utf-8"})[1]["sha"]
    entry = {"path": "k8s/run.sh", "mode": "100755", "type": "blob", "sha": blob}
    made = write(shop, "POST", f"{REPO}/git/trees", {"base_tree": tree, "tree": [entry]})[1]
    body = {"message": "m", "tree": made["sha"], "parents": [parent]}
    sha: str = write(shop, "POST", f"{REPO}/git/commits", body)[1]["sha"]
    return sha


def branch(shop: Shop, sha: str, name: str = "t/new") -> tuple[int, Json]:
    """A new branch."""
    return write(shop, "POST", REFS, {"ref": f"refs/heads/{name}", "sha": sha})


def test_objects_are_real_git(shop: Shop) -> None:
    """With their modes, by the app's bot, below the other files."""
    sha = commit(shop)
    git = shop.repository.git
    assert {entry.path: entry.mode for entry in git.folder(sha, "k8s")} == {"k8s/run.sh": "100755"}
    assert git.commit_of(sha).author == "tuppence[bot]"
    assert git.folder(sha, "README.md")


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("git/trees", {"base_tree": "0" * 40, "tree": []}, 422),
        (
            "git/trees",
            {"tree": [{"path": "a", "mode": "100644", "type": "blob", "sha": "0" * 40}]},
            422,
        ),
        ("git/commits", {"message": "m", "tree": "0" * 40, "parents": []}, 422),
        ("git/refs", {"ref": "refs/heads/x", "sha": "0" * 40}, 422),
        ("git/refs", {"ref": "refs/tags/x", "sha": "0" * 40}, 404),
    ],
)
def test_what_is_not_there_cannot_be_pointed_to(shop: Shop, path: str, body: Json, status: int) -> None:
    """Neither by a tree, nor by a commit, nor by a branch."""
    assert write(shop, "POST", f"{REPO}/{path}", body)[0] == status


def test_a_branch_is_made_once_and_goes_forward(shop: Shop) -> None:
    """A commit that leaves the old one behind is refused."""
    first = commit(shop)
    assert branch(shop, first)[0] == 201
    status, said = branch(shop, first)
    assert (status, said["message"]) == (422, "Reference already exists")
    aside = {"sha": commit(shop, "b"), "force": False}
    status, said = write(shop, "PATCH", f"{REFS}/heads/t/new", aside)
    assert (status, said["message"]) == (422, "Update is not a fast forward")
    onward = {"sha": commit(shop, "b", first), "force": False}
    assert write(shop, "PATCH", f"{REFS}/heads/t/new", onward)[0] == 200
    assert write(shop, "PATCH", f"{REFS}/heads/t/none", onward)[0] == 422
    assert write(shop, "DELETE", f"{REFS}/heads/t/new")[0] == 204
    assert write(shop, "DELETE", f"{REFS}/heads/t/new")[0] == 422


def test_force_and_a_forged_author_are_written_down(shop: Shop) -> None:
    """GitHub lets both pass."""
    sha = commit(shop)
    branch(shop, sha)
    write(shop, "PATCH", f"{REFS}/heads/t/new", {"sha": commit(shop, "b"), "force": True})
    tree = shop.repository.git.commit_of(sha).tree
    author = {"name": "Ann", "email": "ann@example.com"}
    write(shop, "POST", f"{REPO}/git/commits", {"message": "m", "tree": tree, "author": author})
    by_force, forged = shop.hub.journal.violations
    assert "moved by force" in by_force
    assert "names its author" in forged
    shop.hub.journal.violations.clear()


def test_a_ruleset_keeps_the_app_from_a_branch(shop: Shop) -> None:
    """In GitHub's words."""
    shop.repository.protected = ("t/*",)
    status, said = branch(shop, commit(shop))
    assert status == 422
    assert "rule violations" in said["message"]
    assert branch(shop, commit(shop), "u/new")[0] == 201


@pytest.mark.parametrize("permissions", [{"contents": "read"}, {"pull_requests": "write"}])
def test_files_are_written_with_the_permission_alone(shop: Shop, permissions: Permissions) -> None:
    """Reading is not enough, nor is another right."""
    answer = shop.ask("POST", REFS, {"ref": "refs/heads/x", "sha": "0" * 40}, token=shop.token(permissions))
    assert answer.status_code == 403


@pytest.mark.parametrize(
    ("changed", "permissions", "said"),
    [
        ({"head": "t/none"}, PROPOSE, "head"),
        ({"base": "none"}, PROPOSE, "base"),
        ({"head": "main"}, PROPOSE, "No commits between main and main"),
        ({"title": " "}, PROPOSE, "blank"),
        ({"body": "x" * 65_537}, PROPOSE, "too long"),
        ({}, {"pull_requests": "write"}, "not all refs are readable"),
        ({"head": "acme:change-1"}, PROPOSE, "A pull request already exists for acme:change-1."),
    ],
)
def test_a_pull_request_that_cannot_be_is_422(
    shop: Shop, changed: Json, permissions: Permissions, said: str
) -> None:
    """With what is wrong."""
    branch(shop, commit(shop))
    body = {"title": "t", "head": "t/new", "base": "main", **changed}
    answer = shop.ask("POST", f"{REPO}/pulls", body, token=shop.token(permissions))
    assert answer.status_code == 422
    assert said in answer.text


def test_somebody_elses_pull_request_is_not_the_apps_to_change(shop: Shop) -> None:
    """GitHub would let it."""
    answer = shop.ask("PATCH", f"{REPO}/pulls/1", {"state": "closed"}, token=shop.token(PROPOSE))
    assert (answer.status_code, shop.pull.state) == (403, "open")
    assert len(shop.hub.journal.violations) == 1
    shop.hub.journal.violations.clear()


def test_an_open_pull_request_is_closed_with_its_branch(shop: Shop) -> None:
    """And the app is told."""
    branch(shop, commit(shop))
    shop.ask(
        "POST", f"{REPO}/pulls", {"title": "t", "head": "t/new", "base": "main"}, token=shop.token(PROPOSE)
    )
    write(shop, "DELETE", f"{REFS}/heads/t/new")
    assert shop.repository.pulls[2].state == "closed"
    told = [it.payload["action"] for it in shop.hub.hooks.deliveries.values() if it.event == "pull_request"]
    assert told == ["opened", "opened", "closed"]
