"""What each kind of webhook says, as one of our events. `READERS` lists the kinds that ask for something."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Literal

from bot.entrypoints.github_payload import BadDelivery, Payload
from bot.github_events import (
    BaseMoved,
    CheckAsked,
    CommandWritten,
    Event,
    Ignored,
    InstallationChanged,
    PullRequestChanged,
    PullRequestClosed,
    PullRequestRef,
    Repository,
)

COMMAND = "/tuppence"
_ACTION = re.compile(r"[a-z_]{1,64}")
_SHA = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_FULL_NAME = re.compile(r"([A-Za-z0-9_-]{1,100})/(?!\.{1,2}\Z)([A-Za-z0-9._-]{1,100})")
_BRANCH = re.compile(r"[^\x00-\x20\x7f~^:?*\[\\]{1,1024}")
_ADDRESS = re.compile(r"https?://[^\s\x00-\x1f@]{1,2000}")
_SERVER = re.compile(r"(https?://[A-Za-z0-9.:\[\]-]{1,255})/\S{0,1000}")
_LOGIN = re.compile(r"[A-Za-z0-9_\[\]-]{1,100}")
_MOMENT = re.compile(r"[0-9]{4}(-[0-9]{2}){2}T[0-9]{2}(:[0-9]{2}){2}Z")
_WORD = re.compile(r"[A-Z_]{1,40}")
_Asked = Literal["recheck", "explain"]
_MOST_COMMITS = 2048
"""GitHub lists no more of a push.
https://docs.github.com/en/webhooks/webhook-events-and-payloads#push"""
_MOST_FILES = 1_000
"""More of a push need not be known one by one: something that matters is among them."""
_BUTTONS: dict[str, _Asked] = {"recheck": "recheck", "explain": "explain"}


def _pull_request(payload: Payload) -> Event:
    action = payload.text("action", _ACTION)
    changed = {"opened", "synchronize", "reopened", "ready_for_review"}
    if action == "edited" and payload.has("changes", "base"):
        changed.add("edited")
    if action not in {*changed, "closed"}:
        return Ignored(f"pull_request {action}")
    if not payload.has("installation"):
        return _NOT_THE_APP
    pull_request = payload.object("pull_request")
    ref = PullRequestRef(_installation(payload), _repository(payload), pull_request.number("number"))
    head_sha = pull_request.object("head").text("sha", _SHA)
    if action != "closed":
        base_ref = pull_request.object("base").text("ref", _BRANCH)
        return PullRequestChanged(ref, head_sha, base_ref, action)
    merged = pull_request.flag("merged")
    merge_commit = pull_request.text("merge_commit_sha", _SHA) if merged else None
    merged_at = pull_request.text("merged_at", _MOMENT) if pull_request.has("merged_at") else ""
    return PullRequestClosed(ref, head_sha, merged, merge_commit, merged_at)


def _issue_comment(payload: Payload) -> Event:
    action = payload.text("action", _ACTION)
    if action != "created":
        return Ignored(f"issue_comment {action}")
    issue, comment = payload.object("issue"), payload.object("comment")
    text = comment.prose("body")
    if not issue.has("pull_request") or COMMAND not in text.lower():
        return Ignored("no command on a pull request")
    if not comment.has("user") or comment.object("user").prose("type") == "Bot":
        return Ignored("no person wrote the comment")  # our own comments name the commands, too
    if not payload.has("installation"):
        return _NOT_THE_APP
    user = comment.object("user")
    return CommandWritten(
        ref=PullRequestRef(_installation(payload), _repository(payload), issue.number("number")),
        comment_id=comment.number("id"),
        author=user.text("login", _LOGIN),
        author_id=user.number("id"),
        author_association=comment.text("author_association", _WORD),
        text=text,
    )


def _check_run(payload: Payload) -> Event:
    action = payload.text("action", _ACTION)
    if action == "rerequested":
        return _check_asked(payload, payload.object("check_run"), "recheck")
    if action == "requested_action":
        what = _BUTTONS.get(payload.object("requested_action").prose("identifier"))
        if what:
            return _check_asked(payload, payload.object("check_run"), what)
    return Ignored(f"check_run {action}")


def _check_suite(payload: Payload) -> Event:
    action = payload.text("action", _ACTION)
    if action != "rerequested":
        return Ignored(f"check_suite {action}")
    return _check_asked(payload, payload.object("check_suite"), "recheck")


def _check_asked(payload: Payload, check: Payload, what: _Asked) -> Event:
    if not payload.has("installation"):
        return _NOT_THE_APP
    installation, repository = _installation(payload), _repository(payload)
    # The list also names pull requests of forks that have the commit, each against its own base.
    numbers = [
        pull_request.number("number")
        for pull_request in check.objects("pull_requests")
        if pull_request.object("base").object("repo").number("id") == repository.id
    ]
    return CheckAsked(
        installation=installation,
        repository=repository,
        head_sha=check.text("head_sha", _SHA),
        ref=PullRequestRef(installation, repository, numbers[0]) if len(numbers) == 1 else None,
        check_run_id=check.number("id") if payload.has("check_run") else None,
        what=what,
        asked_by=payload.object("sender").text("login", _LOGIN),
    )


def _push(payload: Payload) -> Event:
    branch = payload.prose("ref").removeprefix("refs/heads/")
    if branch == payload.prose("ref") or payload.flag("deleted"):
        return Ignored("push to no branch")
    if not payload.has("installation"):
        return _NOT_THE_APP
    if not _BRANCH.fullmatch(branch):
        raise BadDelivery("ref is not a branch")
    before = payload.text("before", _SHA)
    return BaseMoved(
        _installation(payload),
        _repository(payload),
        branch,
        before if before.strip("0") else None,
        payload.text("after", _SHA),
        _files(payload),
    )


def _files(payload: Payload) -> tuple[str, ...] | None:
    """The paths that a push touched; None where the list is not whole."""
    commits = list(payload.objects("commits")) if payload.has("commits") else []
    if payload.flag("forced") or not 0 < len(commits) < _MOST_COMMITS:
        return None
    kinds = ("added", "modified", "removed")
    files = {path for commit in commits for kind in kinds for path in commit.texts(kind)}
    return tuple(sorted(files)) if len(files) <= _MOST_FILES else None


def _installation_changed(payload: Payload) -> Event:
    action = payload.text("action", _ACTION)
    if action not in {"created", "deleted", "suspend", "unsuspend"}:
        return Ignored(f"installation {action}")
    return InstallationChanged(_installation(payload), _listed(payload, "repositories"), action)


def _installation_repositories(payload: Payload) -> Event:
    action = payload.text("action", _ACTION)
    if action not in {"added", "removed"}:
        return Ignored(f"installation_repositories {action}")
    return InstallationChanged(_installation(payload), _listed(payload, f"repositories_{action}"), action)


def _listed(payload: Payload, key: str) -> tuple[Repository, ...]:
    """Repositories as installations list them: without the address, which is that of the account's server."""
    account = payload.object("installation").object("account")
    [server] = account.groups("html_url", _SERVER)
    listed = []
    for each in payload.objects(key):
        owner, name = each.groups("full_name", _FULL_NAME)
        listed.append(Repository(each.number("id"), owner, name, f"{server}/{owner}/{name}.git", ""))
    return tuple(listed)


def _installation(payload: Payload) -> int:
    return payload.object("installation").number("id")


def _repository(payload: Payload) -> Repository:
    repository = payload.object("repository")
    owner, name = repository.groups("full_name", _FULL_NAME)
    return Repository(
        id=repository.number("id"),
        owner=owner,
        name=name,
        clone_url=repository.text("clone_url", _ADDRESS),
        default_branch=repository.text("default_branch", _BRANCH),
    )


_NOT_THE_APP = Ignored("no installation: a webhook that is not the GitHub App's")

READERS: dict[str, Callable[[Payload], Event]] = {
    "pull_request": _pull_request,
    "issue_comment": _issue_comment,
    "check_run": _check_run,
    "check_suite": _check_suite,
    "push": _push,
    "installation": _installation_changed,
    "installation_repositories": _installation_repositories,
}
