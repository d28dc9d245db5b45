"""Every route that the fake serves answers as GitHub describes it."""

from __future__ import annotations

import pytest

from tests.github.client import Shop, web_token
from tests.github.contract_data import Json
from tests.github.model import Permissions
from tests.github.routing import ROUTES
from tests.github.service import GitHub

REPO = "/repos/acme/shop"
PERMISSIONS: Permissions = {
    "checks": "write", "contents": "write", "issues": "write", "members": "read", "metadata": "read",
    "pull_requests": "write", "statuses": "write",
}  # fmt: skip
OUTPUT = {"title": "t", "summary": "s", "text": "x"}
REQUESTS: dict[str, tuple[str, Json]] = {
    "GET /app": ("/app", None),
    "GET /app/installations": ("/app/installations", None),
    "GET /app/installations/{installation_id}": ("/app/installations/{installation}", None),
    "GET /repos/{owner}/{repo}/installation": (f"{REPO}/installation", None),
    "GET /orgs/{org}/installation": ("/orgs/acme/installation", None),
    "GET /users/{username}/installation": ("/users/solo/installation", None),
    "POST /app/installations/{installation_id}/access_tokens": (
        "/app/installations/{installation}/access_tokens",
        {"repositories": ["shop"], "permissions": {"checks": "write"}},
    ),
    "GET /app/hook/deliveries": ("/app/hook/deliveries", None),
    "GET /app/hook/deliveries/{delivery_id}": ("/app/hook/deliveries/{delivery}", None),
    "POST /app/hook/deliveries/{delivery_id}/attempts": ("/app/hook/deliveries/{delivery}/attempts", None),
    "GET /installation/repositories": ("/installation/repositories", None),
    "GET /rate_limit": ("/rate_limit", None),
    "GET /repos/{owner}/{repo}": (REPO, None),
    "GET /repos/{owner}/{repo}/contents/{path}": (f"{REPO}/contents/apps/api.yaml?ref=main", None),
    "GET /repos/{owner}/{repo}/commits/{ref}": (f"{REPO}/commits/main", None),
    "GET /repos/{owner}/{repo}/git/ref/{ref}": (f"{REPO}/git/ref/heads/main", None),
    "GET /repos/{owner}/{repo}/branches/{branch}": (f"{REPO}/branches/main", None),
    "GET /repos/{owner}/{repo}/compare/{basehead}": (f"{REPO}/compare/main...{{sha}}", None),
    "GET /repos/{owner}/{repo}/collaborators/{username}/permission": (
        f"{REPO}/collaborators/ann/permission",
        None,
    ),
    "GET /users/{username}": ("/users/ann", None),
    "GET /orgs/{org}/members/{username}": ("/orgs/acme/members/ann", None),
    "GET /orgs/{org}/teams/{team_slug}": ("/orgs/acme/teams/sre", None),
    "GET /orgs/{org}/teams/{team_slug}/members": ("/orgs/acme/teams/sre/members", None),
    "GET /orgs/{org}/teams/{team_slug}/memberships/{username}": (
        "/orgs/acme/teams/sre/memberships/ann",
        None,
    ),
    "GET /repos/{owner}/{repo}/git/trees/{tree_sha}": (f"{REPO}/git/trees/{{tree}}", None),
    "GET /repos/{owner}/{repo}/git/commits/{commit_sha}": (f"{REPO}/git/commits/{{sha}}", None),
    "POST /repos/{owner}/{repo}/git/blobs": (f"{REPO}/git/blobs", {"content": "YQ==", "encoding": "base64"}),
    "POST /repos/{owner}/{repo}/git/trees": (
        f"{REPO}/git/trees",
        {"base_tree": "{tree}", "tree": [{"path": "b", "mode": "100755", "type": "blob", "sha": "{blob}"}]},
    ),
    "POST /repos/{owner}/{repo}/git/commits": (
        f"{REPO}/git/commits",
        {"message": "m", "tree": "{tree}", "parents": ["{sha}"]},
    ),
    "POST /repos/{owner}/{repo}/git/refs": (f"{REPO}/git/refs", {"ref": "refs/heads/t/new", "sha": "{sha}"}),
    "PATCH /repos/{owner}/{repo}/git/refs/{ref}": (
        f"{REPO}/git/refs/heads/t/new",
        {"sha": "{sha}", "force": False},
    ),
    "POST /repos/{owner}/{repo}/pulls": (
        f"{REPO}/pulls",
        {"title": "t", "head": "t/new", "base": "main", "body": "b", "maintainer_can_modify": True},
    ),
    "PATCH /repos/{owner}/{repo}/pulls/{pull_number}": (
        f"{REPO}/pulls/2",
        {"title": "u", "body": "c", "state": "closed"},
    ),
    "DELETE /repos/{owner}/{repo}/git/refs/{ref}": (f"{REPO}/git/refs/heads/t/new", None),
    "GET /repos/{owner}/{repo}/pulls": (f"{REPO}/pulls?sort=updated&base=main&head=acme:change-1", None),
    "GET /repos/{owner}/{repo}/pulls/{pull_number}": (f"{REPO}/pulls/1", None),
    "GET /repos/{owner}/{repo}/pulls/{pull_number}/files": (f"{REPO}/pulls/1/files", None),
    "GET /repos/{owner}/{repo}/pulls/{pull_number}/commits": (f"{REPO}/pulls/1/commits", None),
    "GET /repos/{owner}/{repo}/issues/{issue_number}": (f"{REPO}/issues/1", None),
    "POST /repos/{owner}/{repo}/issues/{issue_number}/labels": (
        f"{REPO}/issues/1/labels",
        {"labels": ["a b"]},
    ),
    "GET /repos/{owner}/{repo}/issues/{issue_number}/labels": (f"{REPO}/issues/1/labels", None),
    "DELETE /repos/{owner}/{repo}/issues/{issue_number}/labels/{name}": (
        f"{REPO}/issues/1/labels/a%20b",
        None,
    ),
    "GET /repos/{owner}/{repo}/issues/{issue_number}/comments": (
        f"{REPO}/issues/1/comments?since=2026-01-01T00:00:00Z",
        None,
    ),
    "POST /repos/{owner}/{repo}/issues/{issue_number}/comments": (f"{REPO}/issues/1/comments", {"body": "b"}),
    "GET /repos/{owner}/{repo}/issues/comments/{comment_id}": (f"{REPO}/issues/comments/{{comment}}", None),
    "PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}": (
        f"{REPO}/issues/comments/{{comment}}",
        {"body": "c"},
    ),
    "DELETE /repos/{owner}/{repo}/issues/comments/{comment_id}": (
        f"{REPO}/issues/comments/{{comment}}",
        None,
    ),
    "POST /repos/{owner}/{repo}/pulls/{pull_number}/reviews": (
        f"{REPO}/pulls/1/reviews",
        {"event": "COMMENT", "body": "r", "comments": [{"path": "apps/api.yaml", "line": 3, "body": "b"}]},
    ),
    "GET /repos/{owner}/{repo}/pulls/{pull_number}/reviews": (f"{REPO}/pulls/1/reviews", None),
    "POST /repos/{owner}/{repo}/pulls/{pull_number}/comments": (
        f"{REPO}/pulls/1/comments",
        {
            "body": "b",
            "commit_id": "{sha}",
            "path": "apps/api.yaml",
            "line": 3,
            "start_line": 2,
            "side": "RIGHT",
        },
    ),
    "GET /repos/{owner}/{repo}/pulls/{pull_number}/comments": (f"{REPO}/pulls/1/comments", None),
    "POST /repos/{owner}/{repo}/pulls/{pull_number}/comments/{comment_id}/replies": (
        f"{REPO}/pulls/1/comments/{{review_comment}}/replies",
        {"body": "r"},
    ),
    "GET /repos/{owner}/{repo}/pulls/comments/{comment_id}": (
        f"{REPO}/pulls/comments/{{review_comment}}",
        None,
    ),
    "PATCH /repos/{owner}/{repo}/pulls/comments/{comment_id}": (
        f"{REPO}/pulls/comments/{{review_comment}}",
        {"body": "c"},
    ),
    "DELETE /repos/{owner}/{repo}/pulls/comments/{comment_id}": (
        f"{REPO}/pulls/comments/{{review_comment}}",
        None,
    ),
    "POST /repos/{owner}/{repo}/check-runs": (
        f"{REPO}/check-runs",
        {"name": "cost", "head_sha": "{sha}", "status": "in_progress", "output": OUTPUT},
    ),
    "GET /repos/{owner}/{repo}/check-runs/{check_run_id}": (f"{REPO}/check-runs/{{run}}", None),
    "PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}": (
        f"{REPO}/check-runs/{{run}}",
        {"status": "completed", "conclusion": "neutral", "completed_at": "2026-11-21T10:00:00Z"},
    ),
    "GET /repos/{owner}/{repo}/check-runs/{check_run_id}/annotations": (
        f"{REPO}/check-runs/{{run}}/annotations",
        None,
    ),
    "POST /repos/{owner}/{repo}/check-runs/{check_run_id}/rerequest": (
        f"{REPO}/check-runs/{{run}}/rerequest",
        None,
    ),
    "GET /repos/{owner}/{repo}/commits/{ref}/check-runs": (
        f"{REPO}/commits/{{sha}}/check-runs?check_name=cost&filter=all",
        None,
    ),
    "GET /repos/{owner}/{repo}/check-suites/{check_suite_id}": (f"{REPO}/check-suites/{{suite}}", None),
    "GET /repos/{owner}/{repo}/check-suites/{check_suite_id}/check-runs": (
        f"{REPO}/check-suites/{{suite}}/check-runs",
        None,
    ),
    "GET /repos/{owner}/{repo}/commits/{ref}/check-suites": (f"{REPO}/commits/{{sha}}/check-suites", None),
    "POST /repos/{owner}/{repo}/statuses/{sha}": (f"{REPO}/statuses/{{sha}}", {"state": "success"}),
    "GET /repos/{owner}/{repo}/commits/{ref}/statuses": (f"{REPO}/commits/{{sha}}/statuses", None),
    "DELETE /installation/token": ("/installation/token", None),
}


@pytest.fixture
def known(hub: GitHub) -> tuple[Shop, dict[str, str], str]:
    """A repository with one of everything, their ids, and a token that may all that the routes need."""
    hub.world.app.permissions = hub.world.job_needs = dict(PERMISSIONS)
    shop = Shop(hub)
    hub.people.install(hub.people.person("solo"))
    hub.people.team("acme", "sre", "ann")
    token = shop.token(PERMISSIONS)

    def made(path: str, body: Json) -> str:
        answer = shop.ask("POST", REPO + path, body, token=token)
        return str(answer.json()["id"])

    sha = shop.pull.head_sha
    shop.ask("POST", f"{REPO}/issues/1/labels", {"labels": ["a b"]}, token=token)
    line = {
        "path": "apps/api.yaml",
        "start_line": 1,
        "end_line": 1,
        "annotation_level": "notice",
        "message": "m",
    }
    ids = {
        "installation": str(shop.installation.id),
        "delivery": str(next(iter(hub.hooks.deliveries))),
        "comment": made("/issues/1/comments", {"body": "b"}),
        "review_comment": made(
            "/pulls/1/comments", {"body": "b", "commit_id": sha, "path": "apps/api.yaml", "line": 3}
        ),
        "run": made(
            "/check-runs", {"name": "cost", "head_sha": sha, "output": {**OUTPUT, "annotations": [line]}}
        ),
        "suite": str(next(iter(shop.repository.check_suites))),
        "sha": sha,
        "tree": shop.repository.git.commit_of(sha).tree,
        "blob": shop.repository.git.folder(sha, "README.md")[0].sha,
    }
    made(f"/statuses/{sha}", {"state": "pending"})
    return shop, ids, token


def test_every_route_answers_as_github_describes_it(known: tuple[Shop, dict[str, str], str]) -> None:
    """One good request each; the fixture fails if an answer is not as described."""
    shop, ids, token = known
    for key, (path, body) in REQUESTS.items():
        filled = _filled(body or {}, ids)
        who = web_token(shop.hub) if ROUTES[key].who == "app" else token
        answer = shop.ask(key.split(" ")[0], path.format(**ids), filled or None, token=who)
        assert answer.ok, (key, answer.text)


def _filled(body: Json, ids: dict[str, str]) -> Json:
    if isinstance(body, dict):
        return {name: _filled(value, ids) for name, value in body.items()}
    if isinstance(body, list):
        return [_filled(value, ids) for value in body]
    named = isinstance(body, str) and body.startswith("{")
    return ids[body.strip("{}")] if named else body


def test_every_route_is_asked() -> None:
    """So that none is left out above."""
    assert set(REQUESTS) == set(ROUTES)
