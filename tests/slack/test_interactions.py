"""What people do reaches the app signed and once, and what it answers is held to Slack's rules."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
import requests
from slack_sdk import WebClient
from slack_sdk.signature import SignatureVerifier
from slack_sdk.webhook import WebhookClient

from tests.http_peer import Asked, Reply, peer
from tests.slack import delivery
from tests.slack.delivery import Signing
from tests.slack.examples import actions, button, section
from tests.slack.model import Message, User
from tests.slack.scripted_bot import fields, scripted_bot
from tests.slack.service import Slack, slack


@pytest.fixture
def client(hub: Slack) -> WebClient:
    """slack_sdk's client of the app."""
    return WebClient(hub.bot_token, base_url=hub.api_url)


@pytest.fixture
def ana(hub: Slack) -> User:
    """Somebody."""
    return hub.person("ana")


def posted(hub: Slack, client: WebClient, *elements: dict[str, Any]) -> Message:
    """A message with things to press."""
    channel = hub.channel("general")
    client.chat_postMessage(channel=channel.id, text="x", blocks=[actions(*elements)])
    return hub.messages(channel)[-1]


@pytest.mark.parametrize(
    ("signing", "valid"),
    [
        pytest.param(Signing(), True, id="right"),
        pytest.param(Signing(age=270), True, id="270 s old"),
        pytest.param(Signing(age=301), False, id="301 s old"),
        pytest.param(Signing(age=-330), False, id="from the future"),
        pytest.param(Signing(secret="other"), False, id="other secret"),
        pytest.param(Signing(signature="v0=0"), False, id="short"),
        pytest.param(Signing(signature=""), False, id="empty"),
    ],
)
def test_slacks_own_verifier_tells_right_signatures_from_wrong(
    hub: Slack, ana: User, signing: Signing, valid: bool
) -> None:
    """slack_sdk's SignatureVerifier, which is Bolt's."""
    with scripted_bot(hub) as asked:
        hub.people.command(ana, "/cost", "x", signing=signing)
    (request,) = asked
    verifier = SignatureVerifier(hub.signing_secret)
    assert verifier.is_valid_request(request.body, request.headers) is valid


@pytest.mark.parametrize(
    "text",
    [
        "x" * 8000,
        "\u202eetso\u2066c\u200b\x07",
        "\u201cnamespace\u201d \u2018payments\u2019",
        "<!channel> & `x`",
        "",
        "naïve 🙂",
    ],
    ids=["long", "bidi", "smart quotes", "markup", "empty", "unicode"],
)
def test_a_commands_text_arrives_as_it_was_typed(hub: Slack, ana: User, text: str) -> None:
    """Whatever was typed."""
    general = hub.channel("general", ana)
    with scripted_bot(hub) as asked:
        acknowledged = hub.people.command(ana, "/cost", text, channel=general)
    form = fields(asked[0])
    assert (form["text"], form["command"], form["channel_name"]) == (text, "/cost", "general")
    assert form == {name: str(value) for name, value in acknowledged.payload.items()}


def test_a_grid_says_so_in_every_payload(hub: Slack, ana: User) -> None:
    """The organisation beside the workspace."""
    other = hub.workspace("partner", enterprise_id="E000000001")
    with scripted_bot(hub) as asked:
        hub.people.command(ana, "/cost", "x", team=other)
        hub.people.event(ana, {"type": "app_home_opened"}, team=other)
    assert (fields(asked[0])["team_id"], fields(asked[0])["enterprise_id"]) == (other.id, "E000000001")
    assert json.loads(asked[1].body)["authorizations"][0]["enterprise_id"] == "E000000001"


def test_headers_and_bodies_of_all_kinds_can_be_sent(hub: Slack, ana: User) -> None:
    """What hostile.md lists: replays, missing headers, odd timestamps, the certificate check."""
    odd = ("abc", "1.5", "9" * 5000)
    with scripted_bot(hub) as asked:
        first = hub.people.command(ana, "/cost", "x")
        again = hub.people.replay(first)
        hub.people.post(b"{}", headers={"X-Slack-Signature": None})
        hub.people.post(b"{}", headers={"X-Slack-Signature": "v0=ü"})
        for timestamp in odd:
            hub.people.command(ana, "/cost", signing=Signing(timestamp=timestamp))
        hub.people.ssl_check()
    assert again.request_body == first.request_body
    assert asked[1].headers["X-Slack-Signature"] == asked[0].headers["X-Slack-Signature"]
    assert "X-Slack-Signature" not in asked[2].headers
    assert [it.headers["X-Slack-Request-Timestamp"] for it in asked[4:7]] == list(odd)
    assert fields(asked[7])["ssl_check"] == "1"
    assert "X-Slack-Signature" not in asked[7].headers


def test_a_late_acknowledgement_is_a_violation_and_its_body_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """The person has seen an error by then."""
    monkeypatch.setattr(delivery, "ACKNOWLEDGE_SECONDS", 0.0)
    with slack(late_after=0.0) as hub, scripted_bot(hub, Reply(b"late")):
        ana = hub.person("ana")
        assert not hub.people.command(ana, "/cost", "late").in_time
        assert hub.ephemerals(ana) == []
        (violation,) = hub.journal.violations
        assert violation.startswith("/cost late: acknowledged after")


def test_no_answer_and_a_refusal_are_violations() -> None:
    """A forged request may be refused, and so may one from elsewhere."""
    with slack() as hub:
        ana = hub.person("ana")
        with scripted_bot(hub, *[Reply(status=401)] * 3):
            hub.people.command(ana, "/cost", signing=Signing(secret="other"))
            hub.people.command(ana, "/cost", team=hub.workspace("partner"))
            hub.people.command(ana, "/cost")
        hub.people.command(ana, "/cost")
        refused, unanswered = hub.journal.violations
        assert refused == "/cost: answered 401"
        assert unanswered.startswith("/cost: no answer")


def test_no_request_at_all_may_be_answered_with_a_500(ana: User) -> None:
    """Not even one that is signed wrongly."""
    with slack() as hub, scripted_bot(hub, Reply(status=500)):
        hub.people.command(ana, "/cost", signing=Signing(timestamp="abc"))
        assert hub.journal.violations == ["/cost: answered 500"]


@pytest.mark.parametrize(
    ("body", "public"),
    [
        (b"hello", False),
        (b'{"text": "hello"}', False),
        (b'{"text": "hello", "response_type": "in_channel"}', True),
    ],
    ids=["text", "json", "public"],
)
def test_the_body_of_an_acknowledged_command_is_a_message(
    hub: Slack, ana: User, body: bytes, public: bool
) -> None:
    """For the person alone unless it says otherwise."""
    with scripted_bot(hub, Reply(body)):
        hub.people.command(ana, "/cost")
    (message,) = hub.messages() if public else hub.ephemerals(ana)
    assert message.text == "hello"


def test_a_response_url_works_five_times(hub: Slack, ana: User) -> None:
    """The sixth is 404, as after half an hour; a channel that the app is not in makes no difference."""
    elsewhere = hub.channel("elsewhere", ana, with_bot=False)
    with scripted_bot(hub):
        command = hub.people.command(ana, "/cost", channel=elsewhere)
        late = hub.people.command(ana, "/cost", channel=elsewhere)
    webhook = WebhookClient(command.payload["response_url"])
    answers = [webhook.send(text=str(number), response_type="in_channel") for number in range(6)]
    assert [it.status_code for it in answers] == [200] * 5 + [404]
    assert json.loads(answers[5].body)["error"] == "used_url"
    assert len(hub.messages(elsewhere)) == 5
    hub.advance(1801)
    assert (
        json.loads(WebhookClient(late.payload["response_url"]).send(text="x").body)["error"] == "expired_url"
    )


def test_a_clicked_message_can_be_replaced_or_taken_away(hub: Slack, ana: User, client: WebClient) -> None:
    """Through the click's response URL."""
    message = posted(hub, client, button("approve", value="42"))
    with scripted_bot(hub) as asked:
        hub.people.click(ana, message, "approve")
        hub.people.click(ana, message, "approve", forged="43")
    sent = [json.loads(fields(it)["payload"]) for it in asked]
    assert [it["actions"][0]["value"] for it in sent] == ["42", "43"]
    webhook = WebhookClient(sent[0]["response_url"])
    webhook.send(text="working", replace_original=True)
    assert (hub.messages()[0].text, hub.messages()[0].elements) == ("working", [])
    webhook.send(delete_original=True)
    assert hub.messages() == []


def test_slack_keeps_what_an_ephemeral_message_said_to_itself(hub: Slack, ana: User) -> None:
    """A click in it has no `message`, so the app must remember."""
    with scripted_bot(hub) as asked:
        command = hub.people.command(ana, "/cost")
        WebhookClient(command.payload["response_url"]).send(text="x", blocks=[actions(button("share"))])
        hub.people.click(ana, hub.ephemerals(ana)[0], "share")
    sent = json.loads(fields(asked[1])["payload"])
    assert sent["container"]["is_ephemeral"] is True
    assert "message" not in sent


def test_a_response_url_checks_blocks_too(ana: User) -> None:
    """400, and the bot's test fails."""
    with slack() as hub, scripted_bot(hub):
        command = hub.people.command(ana, "/cost")
        answer = WebhookClient(command.payload["response_url"]).send(text="x", blocks=[section("x" * 3001)])
        assert (answer.status_code, answer.body) == (400, "invalid_blocks")
        assert len(hub.journal.violations) == 1


def test_a_menu_sends_the_chosen_option(hub: Slack, ana: User, client: WebClient) -> None:
    """As an overflow does."""
    choices = [{"text": {"type": "plain_text", "text": it}, "value": it} for it in ("1d", "7d")]
    message = posted(hub, client, {"type": "overflow", "action_id": "snooze", "options": choices})
    with scripted_bot(hub):
        clicked = hub.people.click(ana, message, "snooze", choose="7d")
    assert clicked.payload["actions"][0]["selected_option"] == choices[1]


def test_two_people_click_in_the_same_moment(hub: Slack, client: WebClient) -> None:
    """Nothing in the fake puts one after the other."""
    message, there = posted(hub, client, button("approve"), button("reject")), Barrier(2)

    def answer_when_both_are_there(_: Asked) -> Reply:
        there.wait(5)
        return Reply()

    with peer(answer_when_both_are_there) as (url, asked), ThreadPoolExecutor() as pool:
        hub.events_url = url
        clicks = [
            pool.submit(hub.people.click, hub.person(name), message, action_id)
            for name, action_id in (("ana", "approve"), ("ben", "reject"))
        ]
        assert all(it.result().in_time for it in clicks)
    assert len(asked) == 2


def test_an_address_is_verified_by_its_challenge(hub: Slack) -> None:
    """The app must say it back."""
    with scripted_bot(hub, Reply(b"xyz")) as asked:
        assert hub.people.verify_url("xyz").body == "xyz"
    assert json.loads(asked[0].body)["type"] == "url_verification"


def test_an_unknown_address_is_written_down() -> None:
    """Nobody should ask for it."""
    with slack() as hub:
        requests.get(hub.api_url.replace("/api/", "/other"), timeout=5)
        assert len(hub.journal.violations) == 1
