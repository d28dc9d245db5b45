"""Git's own data: folders, commits, and the refs that an app may move."""

from __future__ import annotations

import re
from base64 import b64decode
from fnmatch import fnmatchcase

from tests.github import git_writes, pushes, shapes
from tests.github.contract_data import Json
from tests.github.git_store import TreeEntry
from tests.github.model import Repository
from tests.github.routing import Answer, Call, RefusedError, not_found, route

_GIT = "/repos/{owner}/{repo}/git"
_SHA = re.compile(r"[0-9a-f]{40}")


def _must_be(repository: Repository, sha: str, kind: str, status: int, message: str) -> None:
    if not _SHA.fullmatch(sha) or git_writes.kind(repository.git, sha) != kind:
        raise RefusedError(status, message)


def _tree(call: Call, repository: Repository, sha: str) -> Json:
    url = f"{call.world.api_url}/repos/{repository.full_name}/git"
    entries = git_writes.listed(repository.git, sha)
    return {
        "sha": sha,
        "url": f"{url}/trees/{sha}",
        "tree": [_entry(url, entry) for entry in entries],
        "truncated": False,
    }


def _entry(url: str, entry: TreeEntry) -> Json:
    sized = {"size": entry.size} if entry.kind == "blob" else {}
    link = {} if entry.kind == "commit" else {"url": f"{url}/{entry.kind}s/{entry.sha}"}
    return {"path": entry.path, "mode": entry.mode, "type": entry.kind, "sha": entry.sha, **sized, **link}


@route(f"GET {_GIT}/trees/{{tree_sha}}", "contents:read")
def get_tree(call: Call) -> Json:
    """One folder."""
    repository, sha = call.repository, call.path["tree_sha"]
    _must_be(repository, sha, "tree", 404, "Not Found")
    return _tree(call, repository, sha)


@route(f"GET {_GIT}/commits/{{commit_sha}}", "contents:read")
def get_commit(call: Call) -> Json:
    """A commit."""
    repository, sha = call.repository, call.path["commit_sha"]
    _must_be(repository, sha, "commit", 404, "Not Found")
    return shapes.git_commit(call.world, repository, repository.git.commit_of(sha))


@route(f"POST {_GIT}/blobs", "contents:write")
def create_blob(call: Call) -> Json:
    """A file's content."""
    repository, text = call.repository, call.body["content"]
    whole = b64decode(text, validate=True) if call.body.get("encoding") == "base64" else text.encode()
    sha = git_writes.blob(repository.git, whole)
    return {"sha": sha, "url": f"{call.world.api_url}/repos/{repository.full_name}/git/blobs/{sha}"}


@route(f"POST {_GIT}/trees", "contents:write")
def create_tree(call: Call) -> Json:
    """A tree with other files in it."""
    repository, base = call.repository, call.body.get("base_tree")
    if base is not None:
        _must_be(repository, base, "tree", 422, "base_tree is not a valid tree oid")
    entries = []
    for entry in call.body["tree"]:
        _must_be(repository, entry["sha"], "blob", 422, f"tree.sha {entry['sha']} is not a valid blob")
        entries.append((entry["mode"], entry["sha"], entry["path"]))
    return _tree(call, repository, git_writes.tree(repository.git, base, entries))


@route(f"POST {_GIT}/commits", "contents:write")
def create_commit(call: Call) -> Json:
    """A commit that no branch has yet, by the app's bot, signed by GitHub."""
    repository, body = call.repository, call.body
    if {"author", "committer"} & body.keys():
        call.forbid("a commit names its author: GitHub does not sign it then")
    _must_be(repository, body["tree"], "tree", 422, "Tree SHA does not exist")
    for parent in body.get("parents", []):
        _must_be(repository, parent, "commit", 422, "Parent SHA does not exist or is not a commit object")
    bot = call.world.app.bot.login
    sha = git_writes.commit(repository.git, body["tree"], body.get("parents", []), body["message"], bot)
    call.note("commit.created", sha=sha, message=body["message"])
    return shapes.git_commit(call.world, repository, repository.git.commit_of(sha))


@route(f"POST {_GIT}/refs", "contents:write")
def create_ref(call: Call) -> Json:
    """A new branch."""
    repository, ref, sha = call.repository, call.body["ref"], call.body["sha"]
    branch = _branch(repository, ref.removeprefix("refs/"), "create")
    _must_be(repository, sha, "commit", 422, "Object does not exist")
    if branch in repository.git.branches():
        raise RefusedError(422, "Reference already exists")
    return _moved(call, repository, branch, pushes.NO_COMMIT, sha)


@route(f"PATCH {_GIT}/refs/{{ref}}", "contents:write")
def update_ref(call: Call) -> Json:
    """A branch moved. By force is taken for overwriting what somebody has pushed."""
    repository, sha = call.repository, call.body["sha"]
    branch = _branch(repository, call.path["ref"], "update")
    before = _tip(repository, branch)
    _must_be(repository, sha, "commit", 422, "Object does not exist")
    if call.body.get("force"):
        call.forbid(f"the branch {branch} is moved by force")
    elif not git_writes.contains(repository.git, sha, before):
        raise RefusedError(422, "Update is not a fast forward")
    return _moved(call, repository, branch, before, sha)


@route(f"DELETE {_GIT}/refs/{{ref}}", "contents:write")
def delete_ref(call: Call) -> Answer:
    """A branch is gone; its open pull requests are closed."""
    repository = call.repository
    branch = _branch(repository, call.path["ref"], "delete")
    before = _tip(repository, branch)
    git_writes.delete_ref(repository.git, f"refs/heads/{branch}")
    call.note("branch.deleted", branch=branch)
    bot = call.world.app.bot
    pushes.pushed(call.world, call.hooks, repository, branch, before, pushes.NO_COMMIT, bot)
    return Answer(None, 204)


def _branch(repository: Repository, name: str, what: str) -> str:
    """The branch that a ref below `refs/` names, unless a rule keeps it from the app."""
    kind, _, branch = name.partition("/")
    if kind != "heads" or not branch:
        raise not_found()
    if any(fnmatchcase(branch, pattern) for pattern in repository.protected):
        message = f"Repository rule violations found\n\nCannot {what} this branch: it is restricted.\n"
        raise RefusedError(422, message)
    return branch


def _tip(repository: Repository, branch: str) -> str:
    tip = repository.git.branches().get(branch)
    if tip is None:
        raise RefusedError(422, "Reference does not exist")
    return tip


def _moved(call: Call, repository: Repository, branch: str, before: str, sha: str) -> Json:
    repository.git.set_ref(f"refs/heads/{branch}", sha)
    call.note("branch.moved", branch=branch, before=before, after=sha)
    pushes.pushed(call.world, call.hooks, repository, branch, before, sha, call.world.app.bot)
    return shapes.ref(call.world, repository, f"heads/{branch}", sha)
