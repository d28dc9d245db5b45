"""What the fake refuses, and what it writes down for the fixture to find."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.github.client import SECONDS, Shop, web_token
from tests.github.contract_data import Json
from tests.github.model import Permissions
from tests.github.service import JOB_NEEDS, github

CHECK = {"name": "cost", "head_sha": "0" * 40}


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """A repository with the app on it, whose test looks at what was written down."""
    with github(tmp_path) as hub:
        yield Shop(hub)


@pytest.mark.parametrize(
    ("method", "path", "body", "problem"),
    [
        pytest.param("GET", "/repos/acme/shop/nothing", None, "no such operation", id="unknown path"),
        pytest.param("GET", "/repos/acme/shop/traffic/views", None, "does not serve", id="unserved path"),
        pytest.param(
            "POST", "/repos/acme/shop/check-runs", {**CHECK, "x": 1}, "$.x: there is no", id="field"
        ),
        pytest.param("POST", "/repos/acme/shop/check-runs", {**CHECK, "name": 1}, "$.name: 1 is", id="type"),
        pytest.param("POST", "/repos/acme/shop/check-runs", {"name": "cost"}, "'head_sha' is", id="missing"),
        pytest.param(
            "POST",
            "/repos/acme/shop/check-runs",
            {**CHECK, "output": {"title": "t", "summary": "s" * 65_536}},
            "$.output.summary",
            id="summary too long",
        ),
        pytest.param(
            "POST",
            "/repos/acme/shop/check-runs",
            {**CHECK, "actions": [{"label": "a", "description": "d", "identifier": "i"}] * 4},
            "$.actions",
            id="four buttons",
        ),
        pytest.param("POST", "/repos/acme/shop/issues/1/comments", None, "has no body", id="no body"),
        pytest.param(
            "GET", "/repos/acme/shop/pulls?sate=open", None, "parameter sate", id="unknown parameter"
        ),
        pytest.param("GET", "/repos/acme/shop/pulls?state=opened", None, "parameter state", id="parameter"),
        pytest.param("GET", "/repos/acme/shop/pulls?per_page=101", None, "above 100", id="page too long"),
    ],
)
def test_a_request_that_github_does_not_describe_is_a_5xx_and_is_written_down(
    shop: Shop, method: str, path: str, body: Json, problem: str
) -> None:
    """GitHub would ignore most of these silently."""
    assert shop.ask(method, path, body).status_code >= 500
    (found,) = shop.hub.journal.violations
    assert problem in found
    with pytest.raises(AssertionError):
        shop.hub.assert_clean()


def test_an_annotation_of_a_line_that_is_not_there_is_written_down(shop: Shop) -> None:
    """GitHub takes it and shows it nowhere."""
    line: dict[str, Json] = {"start_line": 4, "end_line": 4, "annotation_level": "notice", "message": "m"}
    annotations = [{**line, "path": "apps/api.yaml"}, {**line, "path": "none.yaml"}]
    output = {"title": "t", "summary": "s", "annotations": annotations}
    body = {"name": "cost", "head_sha": shop.pull.head_sha, "output": output}
    assert shop.ask("POST", "/repos/acme/shop/check-runs", body).status_code == 201
    assert len(shop.hub.journal.violations) == 2


def test_what_others_wrote_is_not_the_apps_to_change(shop: Shop) -> None:
    """GitHub would let it."""
    theirs = shop.hub.people.comment(shop.repository, shop.pull, "mine", author="ann")
    path = f"/repos/acme/shop/issues/comments/{theirs.id}"
    assert shop.ask("PATCH", path, {"body": "ours"}).status_code == 403
    assert shop.ask("DELETE", path).status_code == 403
    assert theirs.body == "mine"
    assert len(shop.hub.journal.violations) == 2


def test_a_query_with_a_field_that_github_lacks_is_written_down(shop: Shop) -> None:
    """GraphQL answers 200 all the same."""
    answer = shop.ask("POST", "/graphql", {"query": "query { viewr { login } }"})
    assert (answer.status_code, len(shop.hub.journal.violations)) == (200, 1)


@pytest.mark.parametrize(
    ("permissions", "method", "path", "status"),
    [
        pytest.param({"checks": "write"}, "GET", "/repos/acme/shop/pulls/1", 403, id="no permission"),
        pytest.param(
            {"pull_requests": "read"}, "POST", "/repos/acme/shop/issues/1/comments", 403, id="level too low"
        ),
        pytest.param(
            {"pull_requests": "write"}, "POST", "/repos/acme/shop/issues/1/comments", 201, id="either will do"
        ),
        pytest.param({}, "GET", "/repos/acme/shop", 200, id="metadata is always there"),
        pytest.param(JOB_NEEDS, "GET", "/repos/acme/other", 404, id="another repository"),
        pytest.param(JOB_NEEDS, "GET", "/app", 401, id="of the app alone"),
    ],
)
def test_a_token_may_what_it_was_given(
    shop: Shop, permissions: Permissions, method: str, path: str, status: int
) -> None:
    """Anything else is Resource not accessible by integration, or not there."""
    shop.hub.people.repository("acme/other", {"a": "b"})
    body = {"body": "words"} if method == "POST" else None
    answer = shop.ask(method, path, body, token=shop.token(permissions))
    assert answer.status_code == status
    if status == 403:
        assert answer.json()["message"] == "Resource not accessible by integration"
        assert "pull_requests=" in answer.headers["X-Accepted-GitHub-Permissions"]


@pytest.mark.parametrize(
    ("body", "excess"),
    [
        pytest.param({}, 1, id="whole installation"),
        pytest.param({"repositories": ["shop", "other"]}, 1, id="two repositories"),
        pytest.param({"repositories": ["shop"]}, 0, id="what the app has, where that is what a job needs"),
        pytest.param(
            {"repositories": ["shop"], "permissions": {"contents": "write"}}, 0, id="to write files"
        ),
        pytest.param({"permissions": {"contents": "write"}}, 2, id="to write files anywhere"),
        pytest.param(
            {"repositories": ["shop"], "permissions": {"contents": "write", "checks": "write"}},
            1,
            id="to write files and more",
        ),
        pytest.param({"permissions": {"metadata": "read"}}, 0, id="to list repositories"),
    ],
)
def test_a_token_of_too_much_scope_is_written_down(shop: Shop, body: Json, excess: int) -> None:
    """One repository and what a job needs is enough."""
    shop.hub.people.repository("acme/other", {"a": "b"})
    shop.installation.permissions["contents"] = "write"
    if "permissions" not in body:
        shop.installation.permissions["contents"] = "read"
    path = f"/app/installations/{shop.installation.id}/access_tokens"
    answer = shop.ask("POST", path, body, token=web_token(shop.hub))
    assert answer.status_code == 201
    assert len(shop.hub.journal.too_much_scope) == excess


def test_the_least_permissions_that_would_do_are_told(shop: Shop) -> None:
    """Of two tokens with the same permissions, together."""
    wide: Permissions = {"checks": "write", "pull_requests": "write", "contents": "read"}
    shop.ask("GET", "/repos/acme/shop/pulls/1", token=shop.token(wide))
    shop.ask("POST", "/repos/acme/shop/issues/1/labels", {"labels": ["cost"]}, token=shop.token(wide))
    (use,) = shop.hub.scopes()
    assert use.tokens == 2
    assert use.used["pull_requests"] == "write"
    assert use.unused == {"checks": "write", "contents": "read"}


def test_more_than_the_installation_has_is_refused(shop: Shop) -> None:
    """A permission or a repository that the installation lacks."""
    path = f"/app/installations/{shop.installation.id}/access_tokens"
    for body in ({"permissions": {"administration": "read"}}, {"repository_ids": [1]}):
        assert shop.ask("POST", path, body, token=web_token(shop.hub)).status_code == 422


@pytest.mark.parametrize(
    "claims",
    [
        pytest.param({"exp": -1}, id="expired"),
        pytest.param({"exp": 700}, id="good for too long"),
        pytest.param({"iat": 60}, id="issued in the future"),
        pytest.param({"iss": "1"}, id="another app"),
    ],
)
def test_a_bad_web_token_is_401(shop: Shop, claims: dict[str, Json]) -> None:
    """GitHub takes ten minutes at most."""
    assert shop.ask("GET", "/app", token=web_token(shop.hub)).status_code == 200
    assert shop.ask("GET", "/app", token=web_token(shop.hub, **claims)).status_code == 401
    assert shop.ask("GET", "/app", token="no.web.token").status_code == 401


def test_a_token_that_is_over_revoked_or_suspended_is_refused(shop: Shop) -> None:
    """401 for the first two, 403 while the installation is suspended."""
    token = shop.token()
    shop.installation.suspended = shop.installation.created
    assert shop.ask("GET", "/repos/acme/shop", token=token).status_code == 403
    shop.installation.suspended = None
    assert shop.ask("DELETE", "/installation/token", token=token).status_code == 204
    assert shop.ask("GET", "/repos/acme/shop", token=token).status_code == 401
    token = shop.token()
    shop.hub.expire_tokens()
    assert shop.ask("GET", "/repos/acme/shop", token=token).status_code == 401


def test_nobody_asks_without_a_name(shop: Shop) -> None:
    """GitHub wants a User-Agent, and credentials for a private repository."""
    url, token = f"{shop.hub.api_url}/repos/acme/shop", shop.token()
    bare = {"Authorization": f"Bearer {token}", "User-Agent": ""}
    assert requests.get(url, headers=bare, timeout=SECONDS).status_code == 403
    assert requests.get(url, timeout=SECONDS).status_code == 401


def test_a_comment_that_is_too_long_is_422(shop: Shop) -> None:
    """65,536 characters are taken, one more is not."""
    path = "/repos/acme/shop/issues/1/comments"
    assert shop.ask("POST", path, {"body": "ä" * 65_536}).status_code == 201
    assert shop.ask("POST", path, {"body": "ä" * 65_537}).status_code == 422
    assert shop.ask("POST", path, {"body": " "}).status_code == 422
    shop.hub.assert_clean()


@pytest.mark.parametrize(
    ("changed", "status", "problem"),
    [
        pytest.param({}, 201, "", id="a line that was added"),
        pytest.param({"line": 2}, 201, "", id="a line beside it in the hunk"),
        pytest.param({"line": 4}, 422, "", id="past the end"),
        pytest.param({"line": 0}, 422, "", id="before the beginning"),
        pytest.param({"path": "README.md"}, 422, "", id="a file that did not change"),
        pytest.param({"commit_id": "0" * 40}, 422, "", id="a commit of nobody's"),
        pytest.param({"start_line": 3}, 422, "", id="a beginning that is the end"),
        pytest.param({"body": "x" * 65_537}, 422, "", id="too long"),
        pytest.param({"side": "LEFT"}, 201, "side of the old file", id="a suggestion for the old file"),
        pytest.param({"body": "```suggestion\nx"}, 201, "not closed", id="an open fence"),
        pytest.param({"body": "```suggestion\n```\nx\n```"}, 201, "ends before", id="a fence that ends early"),
    ],
)  # fmt: skip
def test_a_suggestion_stands_on_a_line_of_the_diff(
    shop: Shop, changed: dict[str, Json], status: int, problem: str
) -> None:
    """Line 3 of three was changed. What GitHub takes and nobody wants is written down."""
    suggestion = {
        "body": "```suggestion\n  replicas: 3\n```", "commit_id": shop.pull.head_sha, "path": "apps/api.yaml",
        "line": 3, "side": "RIGHT",
    }  # fmt: skip
    path = "/repos/acme/shop/pulls/1/comments"
    assert shop.ask("POST", path, {**suggestion, **changed}).status_code == status
    assert [problem in str(it) for it in shop.hub.journal.violations] == ([True] if problem else [])


def test_a_review_comment_needs_the_right_to_write(shop: Shop) -> None:
    """To read pull requests is not enough, nor is the right to write something else."""
    body = {"body": "b", "commit_id": shop.pull.head_sha, "path": "apps/api.yaml", "line": 3}
    rights: list[Permissions] = [{"pull_requests": "read"}, {"checks": "write"}]
    for permissions in rights:
        token = shop.token(permissions)
        answer = shop.ask("POST", "/repos/acme/shop/pulls/1/comments", body, token=token)
        assert answer.status_code == 403


def test_the_hour_and_the_minute_have_limits(shop: Shop) -> None:
    """Both are a 403: the first with nothing remaining, the second with Retry-After."""
    token, path = shop.token(), "/repos/acme/shop/issues/1/comments"
    shop.hub.limits.writes_a_minute = 2
    answers = [shop.ask("POST", path, {"body": "b"}, token=token) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [201, 201, 403]
    assert answers[-1].headers["Retry-After"] == "60"
    shop.hub.limits.exhaust(shop.installation.id)
    spent = shop.ask("GET", "/repos/acme/shop", token=token)
    assert (spent.status_code, spent.headers["X-RateLimit-Remaining"]) == (403, "0")
    assert shop.hub.limits.refused == 2
