"""Answers one API request: who asks, may they, is it as described, what comes of it, is the answer right."""

from __future__ import annotations

import json
import re
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from http import HTTPStatus
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from tests.github import (
    auth,
    contract,
    graph,
    rest_apps,
    rest_checks,
    rest_comments,
    rest_git,
    rest_pulls,
    rest_repositories,
    rest_reviews,
)
from tests.github.contract import Operation
from tests.github.contract_data import Json
from tests.github.hooks import Hooks
from tests.github.journal import Journal
from tests.github.limits import Limits
from tests.github.model import App, Token, World
from tests.github.routing import (
    ROUTES,
    Answer,
    Call,
    Page,
    RefusedError,
    check_permission,
)
from tests.loopback import Reply, Request

# Importing these declares their routes.
ROUTE_MODULES = (rest_apps, rest_checks, rest_comments, rest_git, rest_pulls, rest_repositories, rest_reviews)
_VERSIONS = frozenset(("2022-11-28", "2026-03-10"))
_PER_PAGE, _MOST_PER_PAGE = 30, 100
GRAPHQL = "POST /graphql"


@dataclass(frozen=True, slots=True)
class Asked(Request):
    """One request."""

    @property
    def query(self) -> dict[str, str]:
        """Its parameters."""
        return dict(parse_qsl(urlsplit(self.target).query, keep_blank_values=True))


def json_reply(status: int, body: Json, headers: Mapping[str, str] | None = None) -> Reply:
    """An answer in JSON; None is an empty one."""
    text = b"" if body is None else json.dumps(body).encode()
    return Reply(status, text, {"Content-Type": "application/json; charset=utf-8", **(headers or {})})


@dataclass(slots=True)
class Api:
    """GitHub's REST and GraphQL over one world."""

    world: World
    journal: Journal
    hooks: Hooks
    limits: Limits
    prefix: str

    def operation(self, asked: Asked) -> tuple[Operation, dict[str, str]] | None:
        """What a request asks for, with the unquoted parameters of its path."""
        path = re.sub(r"^/repositories/(\d+)", self._by_name, asked.path.removeprefix(self.prefix))
        found = contract.find(asked.method, path) if asked.path.startswith(self.prefix + "/") else None
        return (found[0], {name: unquote(value) for name, value in found[1].items()}) if found else None

    def _by_name(self, numbered: re.Match[str]) -> str:
        found = self.world.repositories.get(int(numbered[1]))
        return f"/repos/{found.full_name}" if found else numbered[0]

    def is_graphql(self, asked: Asked) -> bool:
        """GitHub Enterprise Server has it beside the REST API."""
        return asked.path == self.prefix.removesuffix("/v3") + "/graphql" and asked.method == "POST"

    def reply(self, asked: Asked) -> Reply:
        """The answer; a request that no client should send gets a 5xx and is written down."""
        try:
            if self.is_graphql(asked):
                return self._graphql(asked)
            found = self.operation(asked)
            if found is None:
                return self._violation(501, f"{asked.method} {asked.target}: there is no such operation")
            return self._rest(asked, *found)
        except RefusedError as refusal:
            return json_reply(refusal.status, refusal.body, refusal.headers)
        except Exception:  # noqa: BLE001 - a fault of the fake must fail the test that found it
            return self._violation(500, f"{asked.method} {asked.target}: {traceback.format_exc()}")

    def _violation(self, status: int, problem: str) -> Reply:
        self.journal.violations.append(problem)
        return json_reply(status, {"message": f"not as GitHub describes it: {problem}"})

    def _rest(self, asked: Asked, operation: Operation, path: dict[str, str]) -> Reply:
        route = ROUTES.get(operation.key)
        if route is None:
            return self._violation(501, f"{operation.key}: the fake does not serve it")
        actor = self._actor(asked, route.who)
        limits: dict[str, str] = {}
        try:
            body = _body(asked)
            problems = list(contract.request_problems(operation, asked.query, body))
            if int(asked.query.get("per_page", "1")) > _MOST_PER_PAGE:
                problems.append("per_page is above 100, and GitHub would cut it silently")
            if problems:
                return self._violation(500, f"{operation.key}: {'; '.join(problems)}")
            with self.world.lock:
                if isinstance(actor, Token):
                    number = actor.installation.id
                    if operation.key != "GET /rate_limit":
                        self.limits.spend(number, write=asked.method != "GET")
                    limits = self.limits.headers(number)
                    check_permission(route, actor)
                query = asked.query
                rest = _rest(asked.target.removeprefix(self.prefix))
                call = Call(
                    self.world, self.journal, self.hooks, self.limits, actor, path, query, body or {}, rest
                )
                answer = self._paged(asked, route.handler(call), route.status)
        except RefusedError as refusal:
            if refusal.status == HTTPStatus.MOVED_PERMANENTLY and asked.method != "GET":
                refusal.status = HTTPStatus.TEMPORARY_REDIRECT
            if isinstance(actor, Token):
                limits = self.limits.headers(actor.installation.id)
            return json_reply(refusal.status, refusal.body, {**limits, **refusal.headers})
        wrong = list(contract.answer_problems(operation, answer.status, answer.body))
        if wrong:
            return self._violation(500, f"the fake's answer to {operation.key}: {'; '.join(wrong[:5])}")
        return self._tagged(
            asked, json_reply(answer.status, answer.body, {**limits, **answer.headers}), actor
        )

    def _actor(self, asked: Asked, who: str) -> App | Token:
        if not asked.headers.get("user-agent"):
            raise RefusedError(403, "Request forbidden by administrative rules: no User-Agent header")
        if asked.headers.get("x-github-api-version", "2022-11-28") not in _VERSIONS:
            raise RefusedError(400, "The API version is not supported")
        actor = auth.actor(self.world, asked.headers.get("authorization"))
        if who == "app" and not isinstance(actor, App):
            raise RefusedError(401, "A JSON web token could not be decoded")
        if who == "token" and not isinstance(actor, Token):
            raise RefusedError(403, "Resource not accessible by integration")
        return actor

    def _paged(self, asked: Asked, result: object, status: int) -> Answer:
        """A route's result as a whole answer: one page of a list, with its Link header."""
        if isinstance(result, Answer):
            return result
        if not isinstance(result, Page):
            return Answer(result, status)
        size = int(asked.query.get("per_page", _PER_PAGE))
        page = int(asked.query.get("page", "1"))
        shown = [result.shape(item) for item in result.items[(page - 1) * size : page * size]]
        last = max(1, -(-len(result.items) // size))
        links = self._links(asked, page, last)
        headers = {"Link": links} if links else {}
        if result.key is None:
            return Answer(shown, status, headers)
        counted = {"total_count": len(result.items), **result.extra, result.key: shown}
        return Answer(counted, status, headers)

    def _links(self, asked: Asked, page: int, last: int) -> str:
        base = self.world.api_url + asked.path.removeprefix(self.prefix)
        wanted = {"prev": page - 1, "next": page + 1, "last": last, "first": 1}
        if page >= last:
            del wanted["next"], wanted["last"]
        if page <= 1:
            del wanted["prev"], wanted["first"]
        return ", ".join(
            f'<{base}?{urlencode({**asked.query, "page": number})}>; rel="{relation}"'
            for relation, number in wanted.items()
        )

    def _tagged(self, asked: Asked, reply: Reply, actor: App | Token) -> Reply:
        """An ETag for a read; the same content again is a 304 and costs nothing."""
        if asked.method != "GET" or reply.status != 200:
            return reply
        reply.headers["ETag"] = f'W/"{sha256(reply.body).hexdigest()}"'
        if asked.headers.get("if-none-match") == reply.headers["ETag"]:
            if isinstance(actor, Token):
                self.limits.refund(actor.installation.id)
            return Reply(304, b"", reply.headers)
        return reply

    def _graphql(self, asked: Asked) -> Reply:
        actor = self._actor(asked, "token")
        assert isinstance(actor, Token)
        body = _body(asked)
        if body is None or not isinstance(body.get("query"), str):
            return self._violation(500, f"{GRAPHQL}: there is no query")
        with self.world.lock:
            self.limits.spend(actor.installation.id, write=body["query"].lstrip().startswith("mutation"))
            call = Call(self.world, self.journal, self.hooks, self.limits, actor, {}, {}, body)
            answer, problems = graph.answer(call)
        self.journal.violations.extend(problems)
        return json_reply(200, answer, self.limits.headers(actor.installation.id))


def _rest(target: str) -> str:
    """What follows `/repos/owner/name`."""
    parts = re.fullmatch(r"/repos/[^/]+/[^/?]+(.*)", target)
    return parts[1] if parts else ""


def _body(asked: Asked) -> dict[str, Json] | None:
    if not asked.body:
        return None
    try:
        body = json.loads(asked.body)
    except ValueError:
        raise RefusedError(400, "Problems parsing JSON") from None
    if not isinstance(body, dict):
        raise RefusedError(400, "Body should be a JSON object")
    return body
