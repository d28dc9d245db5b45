"""Pull requests: lists, one, its files, commits and labels."""

from __future__ import annotations

from tests.github import events, pushes, shapes, shapes_pulls
from tests.github.contract_data import Json
from tests.github.git_store import Commit, FileChange, MergeConflictError
from tests.github.model import Pull, Repository, at_least, now
from tests.github.rest_comments import LONGEST_BODY
from tests.github.routing import Call, Page, RefusedError, invalid, not_found, route

LISTED_FILES = 3000
"""GitHub ends the list of files here, and does not say so."""
LISTED_COMMITS = 250
LONGEST_TITLE = 256
_NO_COMMIT = "0" * 40


def settle_merge(repository: Repository, pull: Pull) -> None:
    """What GitHub does some time after head or base moved: the merge ref, and whether it merges.

    Until `unknown_reads` reads have happened, `mergeable` is null and the merge ref is the old one.
    """
    tip = repository.git.branches().get(pull.base_ref, _NO_COMMIT)
    if pull.state != "open" or pull.merged_base == f"{tip} {pull.head_sha}":
        return
    if pull.unknown_reads > 0:
        pull.unknown_reads -= 1
        pull.mergeable = None
        return
    pull.merged_base = f"{tip} {pull.head_sha}"
    try:
        message = f"Merge {pull.head_sha} into {tip}"
        pull.merge_sha = repository.git.merge(tip, pull.head_sha, message)
    except MergeConflictError:
        pull.mergeable = False
        return
    pull.mergeable = True
    repository.git.set_ref(f"refs/pull/{pull.number}/merge", pull.merge_sha)


@route("GET /repos/{owner}/{repo}/pulls", "pull_requests:read")
def list_pulls(call: Call) -> Page[Pull]:
    """Open ones unless `state` says otherwise, newest first."""
    repository, query = call.repository, call.query
    state, base, head = query.get("state", "open"), query.get("base"), query.get("head")
    found = [
        pull
        for pull in repository.pulls.values()
        if state in ("all", pull.state)
        and base in (None, pull.base_ref)
        and head in (None, f"{(pull.head_repository or repository).owner.login}:{pull.head_ref}")
    ]
    oldest_first = query.get("direction", "asc" if "sort" in query else "desc") == "asc"
    if query.get("sort") == "updated":
        found.sort(key=lambda pull: pull.updated)
    if not oldest_first:
        found.reverse()
    return Page(found, lambda pull: shapes_pulls.pull_simple(call.world, repository, pull))


@route("GET /repos/{owner}/{repo}/pulls/{pull_number}", "pull_requests:read")
def get_pull(call: Call) -> Json:
    """One pull request; asking is what makes GitHub compute the merge."""
    settle_merge(call.repository, call.pull)
    return shapes_pulls.pull_full(call.world, call.repository, call.pull)


@route("POST /repos/{owner}/{repo}/pulls", "pull_requests:write")
def create_pull(call: Call) -> Json:
    """A pull request by the app's bot, from a branch of the same repository."""
    world, repository, body = call.world, call.repository, call.body
    head, base, moment = body["head"].partition(":")[2] or body["head"], body["base"], now()
    if not at_least(call.token.permissions, "contents", "read"):
        raise invalid("PullRequest", "base", "not all refs are readable")
    call.token.note_use("contents", "read")
    _check_words(body)
    branches = repository.git.branches()
    for field, name in (("head", head), ("base", base)):
        if name not in branches:
            problem = {"resource": "PullRequest", "field": field, "code": "invalid"}
            raise RefusedError(422, "Validation Failed", errors=[problem])
    if any((it.state, it.head_ref, it.base_ref) == ("open", head, base) for it in repository.pulls.values()):
        said = f"A pull request already exists for {repository.owner.login}:{head}."
        raise invalid("PullRequest", "head", said)
    if not repository.git.commits(branches[base], branches[head]):
        raise invalid("PullRequest", "head", f"No commits between {base} and {head}")
    pull = Pull(
        next(world.ids), len(repository.pulls) + 1, world.app.bot, body["title"], body.get("body"), repository,
        head, branches[head], base, branches[base], moment, moment, unknown_reads=world.unknown_reads,
    )  # fmt: skip
    next(world.ids)  # of the issue that a pull request also is
    pushes.opened(world, call.hooks, repository, pull)
    call.note("pull.created", number=pull.number, branch=head, title=pull.title)
    return shapes_pulls.pull_full(world, repository, pull)


@route("PATCH /repos/{owner}/{repo}/pulls/{pull_number}", "pull_requests:write")
def update_pull(call: Call) -> Json:
    """Other words for a pull request, or its end."""
    world, repository, pull, body = call.world, call.repository, call.pull, call.body
    if pull.author is not world.app.bot:
        call.forbid(f"pull request {pull.number} is {pull.author.login}'s")
        raise RefusedError(403, "Resource not accessible by integration")
    _check_words(body)
    changes = {
        name: {"from": getattr(pull, name)}
        for name in ("title", "body")
        if name in body and body[name] != getattr(pull, name)
    }
    pull.title, pull.body = body.get("title", pull.title), body.get("body", pull.body)
    pull.updated = now()
    bot = world.app.bot
    if changes:
        events.pull_request(world, call.hooks, repository, pull, "edited", bot, changes=changes)
    if body.get("state", pull.state) != pull.state:
        pull.state = body["state"]
        pull.closed_at = now() if pull.state == "closed" else None
        action = "closed" if pull.state == "closed" else "reopened"
        events.pull_request(world, call.hooks, repository, pull, action, bot)
    call.note("pull.updated", number=pull.number, state=pull.state, title=pull.title)
    return shapes_pulls.pull_full(world, repository, pull)


def _check_words(body: dict[str, Json]) -> None:
    title = body.get("title", "a title")
    if not title.strip() or len(title) > LONGEST_TITLE:
        raise invalid("PullRequest", "title", f"title is blank or too long (maximum is {LONGEST_TITLE})")
    if len(body.get("body") or "") > LONGEST_BODY:
        raise invalid("PullRequest", "body", f"body is too long (maximum is {LONGEST_BODY} characters)")


@route("GET /repos/{owner}/{repo}/pulls/{pull_number}/files", "pull_requests:read")
def list_files(call: Call) -> Page[FileChange]:
    """What it changes, up to 3,000 files."""
    repository, pull = call.repository, call.pull
    changes = repository.git.changes(pull.base_sha, pull.head_sha)[:LISTED_FILES]
    return Page(changes, lambda change: shapes_pulls.file(call.world, repository, pull.head_sha, change))


@route("GET /repos/{owner}/{repo}/pulls/{pull_number}/commits", "pull_requests:read")
def list_commits(call: Call) -> Page[Commit]:
    """Its commits, up to 250."""
    repository, pull = call.repository, call.pull
    commits = repository.git.commits(pull.base_sha, pull.head_sha)[:LISTED_COMMITS]
    return Page(commits, lambda commit: shapes.commit(call.world, repository, commit))


@route("GET /repos/{owner}/{repo}/issues/{issue_number}", "issues:read", "pull_requests:read")
def get_issue(call: Call) -> Json:
    """The pull request as an issue."""
    return shapes_pulls.issue(call.world, call.repository, call.pull)


def _labels(call: Call, names: list[str]) -> list[Json]:
    return [shapes_pulls.label(call.world, call.repository, name) for name in names]


@route("GET /repos/{owner}/{repo}/issues/{issue_number}/labels", "issues:read", "pull_requests:read")
def list_labels(call: Call) -> Page[str]:
    """Its labels."""
    repository = call.repository
    return Page(call.pull.labels, lambda name: shapes_pulls.label(call.world, repository, name))


@route(
    "POST /repos/{owner}/{repo}/issues/{issue_number}/labels",
    "issues:write",
    "pull_requests:write",
    status=200,
)
def add_labels(call: Call) -> Json:
    """Add labels; those that are there stay."""
    pull = call.pull
    for name in call.body.get("labels", []):
        if name not in pull.labels:
            pull.labels.append(name)
            call.note("label.added", number=pull.number, name=name)
    return _labels(call, pull.labels)


@route(
    "DELETE /repos/{owner}/{repo}/issues/{issue_number}/labels/{name}",
    "issues:write",
    "pull_requests:write",
    status=200,
)
def remove_label(call: Call) -> Json:
    """Take one label off."""
    pull, name = call.pull, call.path["name"]
    if name not in pull.labels:
        raise not_found()
    pull.labels.remove(name)
    call.note("label.removed", number=pull.number, name=name)
    return _labels(call, pull.labels)
