"""The sockets: HTTP/1.1 on loopback, faults included, and git's smart HTTP beside the API."""

from __future__ import annotations

import time
from collections.abc import Callable

from tests import loopback
from tests.github import faults, git_http, limits
from tests.github.api import GRAPHQL, Api, Asked, json_reply
from tests.github.faults import Fault
from tests.github.routing import RefusedError
from tests.loopback import Reply

_STATUS_TEXTS = {
    "500": "Server Error",
    "502": "Server Error",
    "503": "Service Unavailable",
    "404": "Not Found",
    "422": "Validation Failed",
    "429": "Too Many Requests",
}
_BROKEN_ON_THE_WIRE = frozenset(("hang", "reset", "cut", "drip"))


class GitHubServer(loopback.Server):
    """`faults` may change while it runs.

    `meanwhile` says what somebody does, once, just before an operation is carried out.
    """

    def __init__(self) -> None:
        super().__init__(_Handler)
        self.api: Api
        self.faults: list[Fault] = []
        self.meanwhile: dict[str, Callable[[], object]] = {}


class _Handler(loopback.Handler):
    server: GitHubServer

    def _serve(self) -> None:
        asked = Asked(self.command, self.path, self.lower_headers(), self.read_body())
        key = self._key(asked)
        with self.server.api.world.lock:
            account = self._account(asked)
            self.server.api.journal.calls[key] += 1
            self.server.api.journal.asked.append((account, key))
            fault = faults.first(self.server.faults, key, account)
            meanwhile = self.server.meanwhile.pop(key, None)
        if meanwhile is not None:
            meanwhile()
        if fault is None:
            self.send(self._carry_out(asked))
            return
        reply = self._carry_out(asked) if fault.after_effect or fault.kind in ("cut", "drip") else None
        if fault.kind in _BROKEN_ON_THE_WIRE:
            self.spoil(fault.kind, fault.seconds, reply)
        else:
            self.send(_spoiled(fault))

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = do_HEAD = _serve  # noqa: N815 - http.server's names

    def _key(self, asked: Asked) -> str:
        """How faults and counts name a request."""
        api = self.server.api
        if place := git_http.place(asked):
            return place.key
        if api.is_graphql(asked):
            return GRAPHQL
        found = api.operation(asked)
        return found[0].key if found else f"{asked.method} {asked.path}"

    def _account(self, asked: Asked) -> str:
        """The login of the account that a request is about."""
        api = self.server.api
        if place := git_http.place(asked):
            return place.name.partition("/")[0]
        found = api.operation(asked)
        path = found[1] if found else {}
        installation = api.world.installations.get(int(path.get("installation_id", "0")))
        return installation.account.login if installation else path.get("owner", path.get("org", ""))

    def _carry_out(self, asked: Asked) -> Reply:
        api = self.server.api
        if place := git_http.place(asked):
            return git_http.reply(api, asked, place)
        return api.reply(asked)


def _spoiled(fault: Fault) -> Reply:
    """The answer that stands in for the right one."""
    if fault.kind == "html":
        page = b"<!DOCTYPE html><html><body><h1>Unicorn!</h1></body></html>"
        return Reply(200, page, {"Content-Type": "text/html; charset=utf-8"})
    if fault.kind == "202":
        return json_reply(202, {})
    if fault.kind == "secondary":
        return _refused(limits.secondary(fault.retry_after))
    if fault.kind == "primary":
        reset = {"X-RateLimit-Limit": "5000", "X-RateLimit-Reset": str(int(time.time()) + 1)}
        return _refused(limits.primary(0), {**reset, "X-RateLimit-Remaining": "0"})
    headers = {"Retry-After": str(fault.retry_after)} if fault.retry_after else {}
    return _refused(RefusedError(int(fault.kind), _STATUS_TEXTS[fault.kind]), headers)


def _refused(refusal: RefusedError, headers: dict[str, str] | None = None) -> Reply:
    return json_reply(refusal.status, refusal.body, {**refusal.headers, **(headers or {})})
