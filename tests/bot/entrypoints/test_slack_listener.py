"""Slack's requests, genuine and forged, through Bolt and over HTTP into stored work."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest
from starlette.applications import Starlette

from bot.entrypoints import slack_http
from bot.entrypoints.deliveries import Work
from bot.entrypoints.slack_http import slack_route
from bot.entrypoints.slack_listener import dispatch, make_slack_app
from bot.metrics import Metrics
from bot.slack_events import (
    Asker,
    ButtonPressed,
    CommandAsked,
    HomeOpened,
    ModalSubmitted,
    SlackEvent,
    from_json,
    to_json,
)
from tests.served import ask_raw, served
from tests.slack.delivery import Signing
from tests.slack.model import User
from tests.slack.service import Slack, slack

FORM = "application/x-www-form-urlencoded"


@dataclass(slots=True)
class Stored:
    """What the listener stored, whether it can, how long that takes, and what was counted."""

    works: list[Work] = field(default_factory=list)
    broken: bool = False
    seconds: float = 0.0
    metrics: Metrics = field(default_factory=Metrics)

    def put(self, work: Work) -> None:
        if self.broken:
            raise OSError("the disk is full")
        time.sleep(self.seconds)
        self.works.append(work)

    def counted(self, outcome: str) -> float:
        """How many requests ended so."""
        found = self.metrics.registry.get_sample_value("tuppence_slack_requests_total", {"outcome": outcome})
        return found or 0.0

    @property
    def events(self) -> list[SlackEvent]:
        return [from_json(work.arguments[0]) for work in self.works]


@pytest.fixture
def stored() -> Stored:
    return Stored()


@pytest.fixture
def hub(stored: Stored) -> Iterator[Slack]:
    with slack() as running:
        app = make_slack_app(
            bot_token=running.bot_token,
            signing_secret=running.signing_secret,
            api_url=running.api_url,
            store=stored.put,
        )
        route = slack_route(lambda body, headers: dispatch(app, body, headers), stored.metrics.slack_request)
        with served(Starlette(routes=[route])) as port:
            running.events_url = f"http://127.0.0.1:{port}/slack/events"
            yield running


@pytest.fixture
def ana(hub: Slack) -> User:
    return hub.person("ana")


def test_a_command_is_stored_and_acknowledged_without_a_word(hub: Slack, stored: Stored, ana: User) -> None:
    """Slack itself is asked nothing."""
    channel = hub.channel("costs", ana)
    answer = hub.people.command(ana, "/cost", "namespace payments", channel=channel)

    assert (answer.status, answer.body) == (200, "")
    [event] = stored.events
    assert isinstance(event, CommandAsked)
    assert (event.command, event.text) == ("/cost", "namespace payments")
    assert (event.asker.user_id, event.asker.channel_id) == (ana.id, channel.id)
    assert event.response_url
    assert not hub.journal.calls
    hub.assert_clean()


def test_home_is_stored_once_however_often_slack_tries(hub: Slack, stored: Stored, ana: User) -> None:
    """Slack sends an event again that was answered late."""
    first = hub.people.open_home(ana)
    hub.people.open_home(ana, retry=1, event_id=json.loads(first.request_body)["event_id"])

    assert [type(event) for event in stored.events] == [HomeOpened, HomeOpened]
    assert len({work.identity for work in stored.works}) == 1


def test_the_same_request_again_is_the_same_work(hub: Slack, stored: Stored, ana: User) -> None:
    """A replay inside the five minutes that signatures last."""
    hub.people.replay(hub.people.command(ana, "/cost", "idle"))

    assert len(stored.works) == 2
    assert len({work.identity for work in stored.works}) == 1


@pytest.mark.parametrize(
    "signing",
    [
        pytest.param(Signing(secret="another"), id="another secret"),
        pytest.param(Signing(age=301), id="301 s old"),
        pytest.param(Signing(timestamp="abc"), id="no number"),
        pytest.param(Signing(timestamp="1.5"), id="a fraction"),
        pytest.param(Signing(timestamp="9" * 5000), id="5,000 digits"),
        pytest.param(Signing(signature="v0=\u00fc"), id="a signature beyond ASCII"),
        pytest.param(Signing(signature="v1=" + "0" * 64), id="another version"),
    ],
)
def test_what_slack_did_not_sign_is_refused(hub: Slack, stored: Stored, ana: User, signing: Signing) -> None:
    """With 401, and never 500."""
    assert hub.people.command(ana, "/cost", "idle", signing=signing).status == 401
    assert stored.works == []
    assert (stored.counted("refused"), stored.counted("taken")) == (1, 0)


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        pytest.param(b"\xff\xfe", FORM, id="no UTF-8"),
        pytest.param(b"payload={", FORM, id="half JSON"),
        pytest.param(b"{", "application/json", id="half a body"),
        pytest.param(b"[]", "application/json", id="a list"),
        pytest.param(b'{"a": NaN}', "application/json", id="no number"),
        pytest.param(b"command=%2Fcost&text=" + b"x" * 2**20, FORM, id="a megabyte"),
        pytest.param(b"", "application/json", id="nothing"),
        pytest.param(b"payload=%7B%22type%22%3A%22block_actions%22%7D", FORM, id="a click without all"),
        pytest.param(b"command=%2Fother&text=x", FORM, id="another command"),
    ],
)
def test_a_signed_body_that_is_none_is_refused(hub: Slack, stored: Stored, body: bytes, kind: str) -> None:
    """Whoever has the secret may still send what cannot be read."""
    assert 400 <= hub.people.post(body, kind).status < 500
    assert stored.works == []


def test_a_slow_body_is_given_up(hub: Slack, stored: Stored, monkeypatch: pytest.MonkeyPatch) -> None:
    """A byte now and then keeps no connection for ever."""
    monkeypatch.setattr(slack_http, "BODY_SECONDS", 0.2)
    head = b"POST /slack/events HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n"
    came = ask_raw(urlsplit(str(hub.events_url)).port or 0, head, *[b"x"] * 5, pause=0.1)

    assert came.startswith(b"HTTP/1.1 400 ")
    assert b"\r\nconnection: close\r\n" in came.lower()
    assert stored.works == []


def test_slack_may_look_at_our_certificate_and_our_url(hub: Slack, stored: Stored) -> None:
    """Neither is anybody's question."""
    assert hub.people.ssl_check().status == 200
    assert hub.people.verify_url().status == 200
    assert stored.works == []


def test_what_cannot_be_stored_is_not_acknowledged(hub: Slack, stored: Stored, ana: User) -> None:
    """The person sees that it failed, and can ask again."""
    stored.broken = True

    assert hub.people.command(ana, "/cost", "idle").status == 503
    assert (stored.counted("unstored"), stored.counted("taken")) == (1, 0)


def test_the_time_to_acknowledge_is_that_of_storing(hub: Slack, stored: Stored, ana: User) -> None:
    """Which is nearly all of it."""
    stored.seconds = 0.3
    for _ in range(3):
        hub.people.command(ana, "/cost", "idle")
    told = stored.metrics.registry.get_sample_value
    assert (stored.counted("taken"), told("tuppence_slack_acknowledgement_seconds_count")) == (3, 3)
    assert told("tuppence_slack_acknowledgement_seconds_bucket", {"le": "0.25"}) == 0
    assert 0.9 <= (told("tuppence_slack_acknowledgement_seconds_sum") or 0) < 3


@pytest.mark.parametrize(
    "text",
    [
        "x" * 8000,
        "\u202enamespace\u200b",
        "\x00\x1b[2J",
        "<!channel> <@U1>",
        "\u201cpayments\u201d",
        "a=b&c=%00",
    ],
    ids=["long", "bidi", "control", "mentions", "quotes", "form"],
)
def test_any_text_is_taken_as_text(hub: Slack, stored: Stored, ana: User, text: str) -> None:
    """At most 3,000 characters of it."""
    assert hub.people.command(ana, "/cost", text).status == 200

    [event] = stored.events
    assert isinstance(event, CommandAsked)
    assert event.text == text[:3_000]


def test_every_event_survives_storing() -> None:
    """As plain JSON."""
    asker = Asker("T1", "U1", "C1", "E1")
    for event in (
        CommandAsked(asker, "/cost", "idle", "https://x", "1.2"),
        ButtonPressed(asker, "share", "1", "https://x", "1.2", "17.1", ephemeral=True),
        ModalSubmitted(asker, "reject", {"reason": "no"}, "{}"),
        HomeOpened(asker),
    ):
        assert from_json(json.loads(json.dumps(to_json(event)))) == event
