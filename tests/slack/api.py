"""Answers one request of the app: which token, which scopes, which arguments, how often, and what comes of it."""

from __future__ import annotations

import json
import traceback
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.loopback import Reply, Request
from tests.slack import response_urls, web_chat, web_files, web_history, web_people, web_views
from tests.slack.journal import Called, Journal
from tests.slack.limits import Limits
from tests.slack.model import Json, World
from tests.slack.routing import METHODS, Call, Method, RefusedError, invalid, missing_scope

# Importing these declares their methods.
METHOD_MODULES = (web_chat, web_files, web_history, web_people, web_views)
_JSON_ARGUMENTS = ("blocks", "attachments", "view", "files", "metadata")
"""Those that a form carries as JSON in a string."""


@dataclass(frozen=True, slots=True)
class Asked(Request):
    """One request."""

    @property
    def key(self) -> str:
        """How faults and counts name it."""
        first, _, rest = self.path.strip("/").partition("/")
        return {"api": rest, "response": "response_url", "upload": "upload"}.get(first, self.path)


def json_reply(body: Json, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    """An answer in JSON."""
    return Reply(
        status,
        json.dumps(body).encode(),
        {"Content-Type": "application/json; charset=utf-8", **(headers or {})},
    )


def text_reply(status: int, text: str) -> Reply:
    """An answer in words."""
    return Reply(status, text.encode(), {"Content-Type": "text/plain; charset=utf-8"})


def _read_json(text: str, error: str) -> Json:
    try:
        return json.loads(text)
    except ValueError:
        raise RefusedError(error, fault_of_bot=True) from None


def read_arguments(asked: Asked) -> dict[str, Json]:
    """The arguments of a call, however they were sent; an empty one is as good as none."""
    found: dict[str, Json] = dict(parse_qsl(urlsplit(asked.target).query))
    kind = asked.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "application/json":
        body = _read_json(asked.body.decode() or "{}", "invalid_json")
        if not isinstance(body, dict):
            raise RefusedError("json_not_object", fault_of_bot=True)
        return {**found, **{name: value for name, value in body.items() if value is not None}}
    if asked.body and kind != "application/x-www-form-urlencoded":
        raise RefusedError("invalid_post_type", fault_of_bot=True)
    found.update(parse_qsl(asked.body.decode()))
    for name in found.keys() & set(_JSON_ARGUMENTS):
        error = {"blocks": "invalid_blocks_format", "attachments": "invalid_attachments"}
        found[name] = _read_json(found[name], error.get(name, "invalid_arguments"))
    return found


@dataclass(slots=True)
class Api:
    """Slack's Web API, its response URLs and its upload addresses, over one world."""

    world: World
    journal: Journal
    limits: Limits

    def reply(self, asked: Asked) -> Reply:
        """The answer; a fault of the fake itself must fail the test that found it."""
        try:
            with self.world.lock:
                return self._reply(asked)
        except Exception:  # noqa: BLE001 - see above
            self.journal.violations.append(f"{asked.key}: the fake failed: {traceback.format_exc()}")
            return text_reply(500, "the fake failed")

    def said(self, asked: Asked) -> str:
        """What a call names: all that was sent, or where and to whom an answer goes."""
        if asked.key == "response_url":
            url = self.world.response_urls.get(asked.path.rpartition("/")[2])
            return f"{url.user.id} {url.channel.id}" if url else ""
        return f"{asked.target} {asked.body.decode('utf-8', 'replace')}"

    def _reply(self, asked: Asked) -> Reply:
        if asked.path.startswith("/api/"):
            return self._method(asked)
        if asked.path.startswith("/response/"):
            return self._response_url(asked)
        if asked.path.startswith("/upload/v1/"):
            done = web_files.upload(self.world, asked.path.rpartition("/")[2], asked.body)
            self.journal.called.append(
                Called(
                    "upload",
                    {"length": len(asked.body)},
                    "" if done.status == 200 else done.text,
                    self.world.now(),
                )
            )
            return text_reply(done.status, done.text)
        self.journal.violations.append(f"{asked.method} {asked.target}: there is no such address")
        return text_reply(404, "not found")

    def _method(self, asked: Asked) -> Reply:
        arguments: dict[str, Any] = {}
        try:
            found = METHODS.get(asked.key)
            if found is None:
                raise RefusedError("unknown_method", fault_of_bot=True)
            arguments = read_arguments(asked)
            self._check_token(asked, found, arguments)
            answer = self._carry_out(asked.key, found, arguments)
        except RefusedError as refusal:
            return self._refused(asked.key, arguments, refusal)
        self.journal.called.append(Called(asked.key, arguments, "", self.world.now()))
        return json_reply({"ok": True, **answer})

    def _carry_out(self, name: str, found: Method, arguments: dict[str, Any]) -> dict[str, Any]:
        call = Call(self.world, self.journal, self.limits, name, arguments)
        granted = self.world.scopes if found.kind == "bot" else self.world.app_scopes
        if found.scopes:
            if not granted & set(found.scopes):
                raise missing_scope(found.scopes, granted)
            self.journal.used_scopes |= granted & set(found.scopes)
        wait = self.limits.call(name, found.tier, self.world.now())
        if wait is not None:
            raise RefusedError("ratelimited", wait=wait)
        missing = sorted(found.required - arguments.keys())
        # Bolt's clients add their workspace to every call.
        unknown = sorted(arguments.keys() - found.required - found.optional - {"team_id"})
        if missing or unknown:
            raise invalid(
                *(f"missing required field: {it}" for it in missing),
                *(f"unknown argument: {it}" for it in unknown),
            )
        return found.handler(call)

    def _check_token(self, asked: Asked, found: Method, arguments: dict[str, Any]) -> None:
        bearer = asked.headers.get("authorization", "").removeprefix("Bearer ").strip()
        token = bearer or str(arguments.pop("token", ""))
        arguments.pop("token", None)
        if not token:
            raise RefusedError("not_authed", fault_of_bot=True)
        kind = self.world.tokens.get(token)
        if kind is None:
            raise RefusedError("invalid_auth")
        if self.world.token_error:
            raise RefusedError(self.world.token_error)
        if kind != found.kind:
            raise RefusedError("not_allowed_token_type", fault_of_bot=True)

    def _response_url(self, asked: Asked) -> Reply:
        try:
            body = _read_json(asked.body.decode(), "invalid_payload")
            status, text = response_urls.answer(
                Call(self.world, self.journal, self.limits, "response_url", body),
                asked.path.rpartition("/")[2],
            )
        except RefusedError as refusal:
            self._note(asked.key, {}, refusal)
            return text_reply(400, refusal.error)
        self.journal.called.append(Called(asked.key, body, "" if status == 200 else text, self.world.now()))
        return text_reply(200, text) if status == 200 else json_reply({"ok": False, "error": text}, status)

    def _refused(self, name: str, arguments: dict[str, Any], refusal: RefusedError) -> Reply:
        self._note(name, arguments, refusal)
        if refusal.wait is not None:
            return json_reply(refusal.body, 429, {"Retry-After": str(refusal.wait)})
        return json_reply(refusal.body)

    def _note(self, name: str, arguments: dict[str, Any], refusal: RefusedError) -> None:
        self.journal.called.append(Called(name, arguments, refusal.error, self.world.now()))
        if refusal.fault_of_bot:
            detail = "; ".join(refusal.messages) or refusal.body.get("needed", "")
            self.journal.violations.append(f"{name}: {refusal.error}{f': {detail}' if detail else ''}")
