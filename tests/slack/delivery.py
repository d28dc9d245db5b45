"""How Slack brings an interaction to the app: a signed POST or an envelope, and what was answered when."""

from __future__ import annotations

import hmac
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Literal
from urllib.parse import urlencode

import requests

from tests.slack.journal import Journal
from tests.slack.model import Json, World
from tests.slack.socket_mode import Sockets

ACKNOWLEDGE_SECONDS = 3.0
PATIENCE = 10.0
"""Seconds that the fake waits for an answer, so that a late one can be told from none."""
FORM, JSON = "application/x-www-form-urlencoded", "application/json"
Envelope = Literal["slash_commands", "interactive", "events_api"]


@dataclass(frozen=True, slots=True)
class Signing:
    """How a request is signed; as Slack does unless something is set.

    `secret` signs with another one; `age` is how many seconds ago it was signed; `timestamp` and
    `signature` are sent as they are.
    """

    secret: str | None = None
    age: float = 0.0
    timestamp: str | None = None
    signature: str | None = None

    def headers(self, secret: str, body: bytes) -> dict[str, str]:
        """The two headers."""
        timestamp = self.timestamp if self.timestamp is not None else str(int(time.time() - self.age))
        signature = self.signature
        if signature is None:
            signature = signed(self.secret or secret, timestamp, body)
        return {"X-Slack-Request-Timestamp": timestamp, "X-Slack-Signature": signature}


GENUINE = Signing()


def signed(secret: str, timestamp: str, body: bytes) -> str:
    """Version 0 of Slack's signature: docs.slack.dev/authentication/verifying-requests-from-slack."""
    base = b"v0:" + timestamp.encode() + b":" + body
    return "v0=" + hmac.new(secret.encode(), base, sha256).hexdigest()


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """What the app answered; `status` is 0 when it did not within PATIENCE."""

    what: str
    status: int
    body: str
    seconds: float
    headers: Mapping[str, str] = field(default_factory=dict)
    request_body: bytes = b""
    request_headers: Mapping[str, str] = field(default_factory=dict)
    payload: Mapping[str, Json] = field(default_factory=dict)
    """What was sent, as the app reads it (`trigger_id`, `response_url`, ...)."""

    @property
    def in_time(self) -> bool:
        """Whether the person saw no error."""
        return 200 <= self.status < 300 and self.seconds <= ACKNOWLEDGE_SECONDS

    @property
    def json(self) -> Json:
        """The body, if it is JSON; None otherwise."""
        try:
            return json.loads(self.body)
        except ValueError:
            return None


@dataclass(slots=True)
class Line:
    """The way to the app: `url` is its `/slack/events`; without one, its Socket Mode connections.

    An answer is late after `acknowledge_seconds`.
    """

    world: World
    journal: Journal
    sockets: Sockets
    url: str | None = None
    acknowledge_seconds: float = ACKNOWLEDGE_SECONDS

    def send(
        self,
        what: str,
        envelope: Envelope,
        payload: Mapping[str, Json],
        *,
        signing: Signing = GENUINE,
        headers: Mapping[str, str | None] | None = None,
        at_home: bool = True,
    ) -> Acknowledged:
        """Bring a payload to the app, and hold the answer to what Slack expects of it.

        An app may turn away who is not `at_home` in its workspace, but not late.
        """
        if self.url is None:
            assert self.sockets.connected, "set hub.events_url, or let the app connect in Socket Mode"
            came = self._over_socket(what, envelope, payload)
        else:
            form: Mapping[str, Any] = (
                payload if envelope == "slash_commands" else {"payload": json.dumps(payload)}
            )
            body, kind = (json.dumps(payload), JSON) if envelope == "events_api" else (urlencode(form), FORM)
            came = self.post(what, body.encode(), kind, signing=signing, headers=headers, payload=payload)
        if signing == GENUINE:
            self._judge(came, at_home=at_home)
        return came

    def post(
        self,
        what: str,
        body: bytes,
        kind: str = FORM,
        *,
        signing: Signing | None = GENUINE,
        headers: Mapping[str, str | None] | None = None,
        payload: Mapping[str, Json] | None = None,
    ) -> Acknowledged:
        """Any bytes to the app; `signing` None leaves both headers out, a header of None is left out."""
        sent: dict[str, str | None] = {
            "Content-Type": kind,
            "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
            "Accept": "application/json,*/*",
            **(signing.headers(self.world.signing_secret, body) if signing else {}),
            **(headers or {}),
        }
        there = {name: value for name, value in sent.items() if value is not None}
        raw = {name: value.encode() for name, value in there.items()}
        began = time.monotonic()
        status, text, got = 0, "", {}
        try:
            answer = requests.post(self.url or "", body, headers=raw, timeout=PATIENCE, allow_redirects=False)
            status, text, got = answer.status_code, answer.text, dict(answer.headers)
        except requests.RequestException as error:
            text = str(error)
        taken = time.monotonic() - began
        came = Acknowledged(what, status, text, taken, got, body, there, payload or {})
        if status >= 500:
            self.journal.violations.append(f"{what}: answered {status}")
        return came

    def _over_socket(self, what: str, envelope: Envelope, payload: Mapping[str, Json]) -> Acknowledged:
        began = time.monotonic()
        came, answer = self.sockets.ask(envelope, dict(payload), PATIENCE)
        text = "" if answer in (None, {}) else json.dumps(answer)
        return Acknowledged(what, 200 if came else 0, text, time.monotonic() - began, payload=payload)

    def _judge(self, came: Acknowledged, *, at_home: bool) -> None:
        if came.status == 0:
            self.journal.violations.append(
                f"{came.what}: no answer within {PATIENCE:g} s {came.body}".strip()
            )
        elif came.seconds > self.acknowledge_seconds:
            self.journal.violations.append(f"{came.what}: acknowledged after {came.seconds:.1f} s")
        elif at_home and not 200 <= came.status < 300 and came.status < 500:
            self.journal.violations.append(f"{came.what}: answered {came.status}")
