"""Messages over Slack's own client, against a Slack that looks closely."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.adapters.slack_api import SlackApi
from bot.adapters.slack_messages import SlackWebMessages
from bot.errors import SlackRefused, SlackUnavailable
from bot.recommendation_slack import reject_modal
from bot.slack_message import SlackMessage
from bot.slack_ports import Mark
from tests.served import served
from tests.slack.model import Channel, User
from tests.slack.service import Slack, slack

SAID = SlackMessage(
    "payments cost $4,210",
    ({"type": "section", "text": {"type": "mrkdwn", "text": "*payments* cost *$4,210*"}},),
)
OTHER = SlackMessage("idle: $12", ({"type": "section", "text": {"type": "mrkdwn", "text": "idle: *$12*"}},))


async def taken(_request: Request) -> Response:
    """Every question is acknowledged."""
    return Response()


@pytest.fixture
def hub() -> Iterator[Slack]:
    app = Starlette(routes=[Route("/", taken, methods=["POST"])])
    with slack() as running, served(app) as port:
        running.events_url = f"http://127.0.0.1:{port}/"
        yield running


@pytest.fixture
def messages(hub: Slack) -> SlackWebMessages:
    return SlackWebMessages(SlackApi(hub.bot_token, hub.api_url))


@pytest.fixture
def ana(hub: Slack) -> User:
    return hub.person("ana")


@pytest.fixture
def channel(hub: Slack, ana: User) -> Channel:
    return hub.channel("costs", ana)


def test_a_message_is_said_and_said_otherwise(
    hub: Slack, messages: SlackWebMessages, channel: Channel
) -> None:
    """In its own place."""
    timestamp = messages.post(channel.id, SAID).timestamp
    messages.update(channel.id, timestamp, OTHER)

    [message] = hub.messages(channel)
    assert (message.text, len(message.versions)) == (OTHER.text, 1)
    quiet = {"unfurl_links": False, "unfurl_media": False, "link_names": False}
    assert len(hub.journal.of("chat.postMessage", **quiet)) == 1
    hub.assert_clean()


def test_one_person_is_told(hub: Slack, messages: SlackWebMessages, ana: User, channel: Channel) -> None:
    """And nobody else."""
    messages.tell(channel.id, ana.id, SAID)

    assert hub.messages(channel) == []
    assert [message.text for message in hub.ephemerals(ana)] == [SAID.text]
    hub.assert_clean()


def test_the_home_tab_is_drawn(hub: Slack, messages: SlackWebMessages, ana: User) -> None:
    """For one person."""
    messages.home(ana.id, SAID)

    home = hub.home(ana)
    assert home is not None
    hub.assert_clean()


@pytest.mark.parametrize(
    ("reason", "error"),
    [
        ("channel_not_found", SlackRefused),
        ("is_archived", SlackRefused),
        ("token_revoked", SlackRefused),
        ("invalid_blocks", SlackRefused),
        ("ratelimited", SlackUnavailable),
        ("internal_error", SlackUnavailable),
        ("html", SlackUnavailable),
    ],
)
def test_no_error_of_slack_leaves_as_it_is(
    hub: Slack, messages: SlackWebMessages, channel: Channel, reason: str, error: type[Exception]
) -> None:
    """What another try may mend is told from what it will not."""
    hub.fault("chat.postMessage", reason)

    with pytest.raises(error) as raised:
        messages.post(channel.id, SAID)
    assert hub.bot_token not in str(raised.value)


@pytest.mark.parametrize("kind", ["reset", "cut"])
def test_what_lost_its_answer_is_not_said_twice(
    hub: Slack, messages: SlackWebMessages, ana: User, channel: Channel, kind: str
) -> None:
    """Whoever tries again looks first; slack_sdk would not."""
    hub.fault("chat.postMessage", kind, after_effect=True)
    with pytest.raises(SlackUnavailable):
        messages.post(channel.id, SAID)
    assert len(hub.messages(channel)) == 1

    url = hub.people.command(ana, "/cost", "idle", channel=channel).payload["response_url"]
    hub.fault("response_url", kind, after_effect=True)
    with pytest.raises(SlackUnavailable):
        messages.respond(url, SAID)
    assert len(hub.ephemerals(ana)) == 1


def test_a_limit_says_when_to_come_again(hub: Slack, messages: SlackWebMessages, channel: Channel) -> None:
    """As Slack asks."""
    hub.fault("chat.postMessage", "ratelimited", retry_after=7)

    with pytest.raises(SlackUnavailable) as raised:
        messages.post(channel.id, SAID)
    assert raised.value.retry_after == 7


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/slack.com",
        "https://hooks.slack.com.evil.example/x",
        "https://evilslack.com/x",
        "https://hooks.slack.com@evil.example/x",
        "http://hooks.slack.com/x",
        "",
    ],
)
def test_an_answer_goes_to_slack_alone(messages: SlackWebMessages, url: str) -> None:
    """Whatever a payload names."""
    with pytest.raises(SlackRefused):
        messages.respond(url, SAID)


def test_a_question_is_answered_where_it_was_asked_five_times_at_most(
    hub: Slack, messages: SlackWebMessages, ana: User, channel: Channel
) -> None:
    """After that Slack takes no more, and says so."""
    url = hub.people.command(ana, "/cost", "idle", channel=channel).payload["response_url"]
    for _ in range(5):
        messages.respond(url, SAID)

    assert [message.text for message in hub.ephemerals(ana)] == [SAID.text] * 5
    with pytest.raises(SlackRefused) as raised:
        messages.respond(url, SAID)
    assert raised.value.reason == "expired_url"


@pytest.mark.parametrize("kind", ["503", "html", "reset", "cut"])
def test_an_answer_that_slack_does_not_take_now_is_tried_again_later(
    hub: Slack, messages: SlackWebMessages, ana: User, channel: Channel, kind: str
) -> None:
    """It is no refusal."""
    url = hub.people.command(ana, "/cost", "idle", channel=channel).payload["response_url"]
    hub.fault("response_url", kind)

    with pytest.raises(SlackUnavailable):
        messages.respond(url, SAID)


MARK = Mark("a_kind", {"team": "checkout", "key": "1"})


def test_a_message_is_found_by_its_mark(
    hub: Slack, messages: SlackWebMessages, channel: Channel, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pages back, among those with other marks and with none; not what is older than asked for."""
    monkeypatch.setattr("bot.adapters.slack_api.PAGE", 2)
    hub.limits.burst = 10
    before = datetime.now(UTC) - timedelta(minutes=1)
    wanted = messages.post(channel.id, SAID, mark=MARK)
    messages.post(channel.id, OTHER, mark=Mark("another_kind", MARK.payload))
    messages.post(channel.id, OTHER, mark=Mark("a_kind", {**MARK.payload, "key": "2"}))
    for _ in range(4):
        messages.post(channel.id, OTHER)

    assert wanted.channel == channel.id
    assert messages.find(channel.id, MARK, before) == wanted.timestamp
    assert messages.find(channel.id, MARK, datetime.now(UTC) + timedelta(minutes=1)) == ""
    assert messages.find(channel.id, Mark("a_kind", {"key": "3"}), before) == ""
    hub.assert_clean()


def test_a_channels_name_leads_to_its_id_and_a_thread_to_its_message(
    hub: Slack, messages: SlackWebMessages, channel: Channel
) -> None:
    """And a person's id to their direct messages."""
    first = messages.post("#costs", SAID)
    below = messages.post(first.channel, OTHER, thread=first.timestamp)
    ana = hub.person("ana")
    messages.post(ana.id, OTHER)

    assert first.channel == channel.id
    assert [it.thread_ts for it in hub.messages(channel) if it.ts == below.timestamp] == [first.timestamp]
    assert [it.text for it in hub.messages(hub.world.direct(ana))] == [OTHER.text]
    hub.assert_clean()


def test_a_modal_opens_for_three_seconds(
    hub: Slack, messages: SlackWebMessages, ana: User, channel: Channel
) -> None:
    """Once; after that Slack's word for it is told."""
    view = reject_modal("0" * 32, "search/indexer", channel.id, "1.1")
    trigger = hub.people.command(ana, "/cost", channel=channel).payload["trigger_id"]
    messages.ask(trigger, view)
    assert [it.view["callback_id"] for it in hub.views(ana)] == [view["callback_id"]]
    with pytest.raises(SlackRefused) as used:
        messages.ask(trigger, view)
    late = hub.people.command(ana, "/cost", channel=channel).payload["trigger_id"]
    hub.advance(4)
    with pytest.raises(SlackRefused) as expired:
        messages.ask(late, view)

    assert (used.value.reason, expired.value.reason) == ("exchanged_trigger_id", "expired_trigger_id")
    hub.assert_clean()
