"""The payloads of the app's events, sent to the installation that covers the repository."""

from __future__ import annotations

from tests.github import shapes, shapes_checks, shapes_pulls
from tests.github.contract_data import Json
from tests.github.hooks import Delivery, Hooks
from tests.github.model import (
    Account,
    CheckRun,
    CheckSuite,
    Comment,
    Installation,
    Pull,
    Repository,
    World,
)


def _emit(
    world: World, hooks: Hooks, it: Repository, sender: Account, event: str, payload: dict[str, Json]
) -> Delivery | None:
    installation = world.installation_of(it)
    if event not in world.app.events or installation is None or installation.suspended:
        return None
    common: dict[str, Json] = {
        "repository": {**shapes.repository(world, it), "custom_properties": {}},
        "sender": shapes.account(world, sender),
        "installation": {"id": installation.id, "node_id": shapes.node_id("I", installation.id)},
    }
    if it.owner.kind == "Organization":
        common["organization"] = _organisation(world, it.owner)
    return hooks.emit(event, {**payload, **common})


def _organisation(world: World, it: Account) -> Json:
    url = f"{world.api_url}/orgs/{it.login}"
    return {
        "login": it.login,
        "id": it.id,
        "node_id": shapes.node_id("O", it.id),
        "url": url,
        "repos_url": f"{url}/repos",
        "events_url": f"{url}/events",
        "hooks_url": f"{url}/hooks",
        "issues_url": f"{url}/issues",
        "members_url": url + "/members{/member}",
        "public_members_url": url + "/public_members{/member}",
        "avatar_url": f"{world.web_url}/avatars/{it.id}",
        "description": None,
    }


def pull_request(
    world: World, hooks: Hooks, it: Repository, pull: Pull, action: str, sender: Account, **more: Json
) -> Delivery | None:
    """`pull_request`; `more` has `before` and `after`, or `changes`."""
    payload = {
        "action": action,
        "number": pull.number,
        "pull_request": shapes_pulls.pull_full(world, it, pull),
        **more,
    }
    return _emit(world, hooks, it, sender, "pull_request", payload)


def issue_comment(
    world: World, hooks: Hooks, it: Repository, one: Comment, action: str, sender: Account, **more: Json
) -> Delivery | None:
    """`issue_comment`; `more` has `changes` for an edit."""
    issue = shapes_pulls.issue(world, it, it.pulls[one.number])
    payload = {"action": action, "issue": issue, "comment": shapes_pulls.comment(world, it, one), **more}
    return _emit(world, hooks, it, sender, "issue_comment", payload)


def check_run(
    world: World, hooks: Hooks, it: Repository, run: CheckRun, action: str, sender: Account, **more: Json
) -> Delivery | None:
    """`check_run`; `more` has `requested_action`."""
    whole = shapes_checks.check_run(world, it, run)
    suite = shapes_checks.check_suite(world, it, it.check_suites[run.suite])
    parts = (
        "id", "node_id", "head_branch", "head_sha", "status", "conclusion", "url", "before", "after",
        "pull_requests", "app", "created_at", "updated_at",
    )  # fmt: skip
    whole["check_suite"] = {part: suite[part] for part in parts}
    return _emit(world, hooks, it, sender, "check_run", {"action": action, "check_run": whole, **more})


def check_suite(
    world: World, hooks: Hooks, it: Repository, suite: CheckSuite, action: str, sender: Account
) -> Delivery | None:
    """`check_suite`."""
    whole = shapes_checks.check_suite(world, it, suite)
    del whole["repository"]
    return _emit(world, hooks, it, sender, "check_suite", {"action": action, "check_suite": whole})


def push(
    world: World, hooks: Hooks, it: Repository, branch: str, before: str, after: str, sender: Account
) -> Delivery | None:
    """`push` to a branch; `forced` when `before` is left behind. All zeros for no commit."""
    created, deleted = (sha.strip("0") == "" for sha in (before, after))
    forced = not (created or deleted) and it.git.merge_base(before, after) != before
    web = f"{world.web_url}/{it.full_name}"
    commits = [] if deleted else [_pushed_commit(it, web, before, after, created=created)]
    payload = {
        "ref": f"refs/heads/{branch}",
        "before": before,
        "after": after,
        "created": created,
        "deleted": deleted,
        "forced": forced,
        "base_ref": None,
        "compare": f"{web}/compare/{before[:12]}...{after[:12]}",
        "commits": commits,
        "head_commit": commits[0] if commits else None,
        "pusher": {"name": sender.login, "email": f"{sender.login}@example.com"},
    }
    return _emit(world, hooks, it, sender, "push", payload)


def _pushed_commit(it: Repository, web: str, before: str, after: str, *, created: bool) -> Json:
    changes = [] if created else it.git.changes(before, after)
    return {
        **shapes_checks.head_commit(it, after),
        "distinct": True,
        "url": f"{web}/commit/{after}",
        "added": [],
        "removed": [],
        "modified": [change.path for change in changes],
    }


def installation(
    world: World, hooks: Hooks, it: Installation, action: str, sender: Account, **more: Json
) -> Delivery:
    """`installation`: created, deleted, suspend, unsuspend."""
    payload = {
        "action": action,
        "installation": shapes.installation(world, it),
        "repositories": _covered(world, it),
        "sender": shapes.account(world, sender),
        **more,
    }
    return hooks.emit("installation", payload)


def installation_repositories(
    world: World,
    hooks: Hooks,
    it: Installation,
    sender: Account,
    *,
    added: tuple[Repository, ...] = (),
    removed: tuple[Repository, ...] = (),
) -> Delivery:
    """`installation_repositories`: added or removed."""
    payload = {
        "action": "added" if added else "removed",
        "installation": shapes.installation(world, it),
        "repository_selection": "all" if it.repositories is None else "selected",
        "repositories_added": [_named(one) for one in added],
        "repositories_removed": [_named(one) for one in removed],
        "requester": None,
        "sender": shapes.account(world, sender),
    }
    return hooks.emit("installation_repositories", payload)


def _covered(world: World, installation: Installation) -> list[Json]:
    return [_named(one) for one in world.repositories.values() if world.covers(installation, one)]


def _named(it: Repository) -> Json:
    return {
        "id": it.id,
        "node_id": shapes.node_id("R", it.id),
        "name": it.name,
        "full_name": it.full_name,
        "private": it.private,
    }
