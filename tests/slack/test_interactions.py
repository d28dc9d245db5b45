"""What people do reaches the app signed and once, and what it answers is held to Slack's rules."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Barrier, Thread
from typing import Any
from urllib.parse import parse_qs

import pytest
import requests
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.signature import SignatureVerifier
from slack_sdk.webhook import WebhookClient

from tests.http_peer import Asked, Reply, peer
from tests.slack import delivery
from tests.slack.delivery import Signing
from tests.slack.model import Message, User
from tests.slack.service import Slack, slack
from tests.slack.test_blocks import actions, button, question, section

MODAL = {
    "type": "modal",
    "title": {"type": "plain_text", "text": "Reject"},
    "submit": {"type": "plain_text", "text": "Reject"},
    "blocks": [question(block_id="why")],
}


@contextmanager
def bot(hub: Slack, *replies: Reply) -> Iterator[list[Asked]]:
    """An app that answers with the replies in their order, and then with empty ones."""
    left = list(replies)
    with peer(lambda _: left.pop(0) if left else Reply()) as (url, asked):
        hub.events_url = f"{url}/slack/events"
        yield asked


def fields(asked: Asked) -> dict[str, str]:
    """The form of a request."""
    return {name: values[0] for name, values in parse_qs(asked.body, keep_blank_values=True).items()}


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
        pytest.param(Signing(age=299), True, id="299 s old"),
        pytest.param(Signing(age=301), False, id="301 s old"),
        pytest.param(Signing(age=-301), False, id="from the future"),
        pytest.param(Signing(secret="other"), False, id="other secret"),
        pytest.param(Signing(signature="v0=0"), False, id="short"),
        pytest.param(Signing(signature=""), False, id="empty"),
    ],
)
def test_slacks_own_verifier_tells_right_signatures_from_wrong(
    hub: Slack, ana: User, signing: Signing, valid: bool
) -> None:
    """slack_sdk's SignatureVerifier, which is Bolt's."""
    with bot(hub) as asked:
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
    with bot(hub) as asked:
        acknowledged = hub.people.command(ana, "/cost", text, channel=general)
    form = fields(asked[0])
    assert (form["text"], form["command"], form["channel_name"]) == (text, "/cost", "general")
    assert form == {name: str(value) for name, value in acknowledged.payload.items()}


def test_a_grid_says_so_in_every_payload(hub: Slack, ana: User) -> None:
    """The organisation beside the workspace."""
    other = hub.workspace("partner", enterprise_id="E000000001")
    with bot(hub) as asked:
        hub.people.command(ana, "/cost", "x", team=other)
        hub.people.event(ana, {"type": "app_home_opened"}, team=other)
    assert (fields(asked[0])["team_id"], fields(asked[0])["enterprise_id"]) == (other.id, "E000000001")
    assert json.loads(asked[1].body)["authorizations"][0]["enterprise_id"] == "E000000001"


def test_headers_and_bodies_of_all_kinds_can_be_sent(hub: Slack, ana: User) -> None:
    """What hostile.md lists: replays, missing headers, odd timestamps, the certificate check."""
    odd = ("abc", "1.5", "9" * 5000)
    with bot(hub) as asked:
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


def test_a_late_acknowledgement_is_a_violation(monkeypatch: pytest.MonkeyPatch) -> None:
    """So are none and a refusal; a forged request may be refused."""
    monkeypatch.setattr(delivery, "ACKNOWLEDGE_SECONDS", 0.1)
    monkeypatch.setattr(delivery, "PATIENCE", 0.5)
    with slack() as hub, bot(hub, Reply(b"late", pause=0.05), Reply(b"xx", pause=0.6), Reply(status=401)):
        ana = hub.person("ana")
        late = hub.people.command(ana, "/cost", "late")
        hub.people.command(ana, "/cost", "never")
        hub.people.command(ana, "/cost", "refused")
        hub.people.command(ana, "/cost", "forged", signing=Signing(secret="other"))
        assert hub.ephemerals(ana) == []
        assert not late.in_time
        kinds = [it.split(": ")[1] for it in hub.journal.violations]
        assert [it.split(" ")[0] for it in kinds] == ["acknowledged", "no", "answered"]


def test_no_request_at_all_may_be_answered_with_a_500(ana: User) -> None:
    """Not even one that is signed wrongly."""
    with slack() as hub, bot(hub, Reply(status=500)):
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
    with bot(hub, Reply(body)):
        hub.people.command(ana, "/cost")
    (message,) = hub.messages() if public else hub.ephemerals(ana)
    assert message.text == "hello"


def test_a_response_url_works_five_times(hub: Slack, ana: User) -> None:
    """The sixth is 404, as after half an hour; a channel that the app is not in makes no difference."""
    elsewhere = hub.channel("elsewhere", ana, with_bot=False)
    with bot(hub):
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
    with bot(hub) as asked:
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
    with bot(hub) as asked:
        command = hub.people.command(ana, "/cost")
        WebhookClient(command.payload["response_url"]).send(text="x", blocks=[actions(button("share"))])
        hub.people.click(ana, hub.ephemerals(ana)[0], "share")
    sent = json.loads(fields(asked[1])["payload"])
    assert sent["container"]["is_ephemeral"] is True
    assert "message" not in sent


def test_a_response_url_checks_blocks_too(ana: User) -> None:
    """400, and the bot's test fails."""
    with slack() as hub, bot(hub):
        command = hub.people.command(ana, "/cost")
        answer = WebhookClient(command.payload["response_url"]).send(text="x", blocks=[section("x" * 3001)])
        assert (answer.status_code, answer.body) == (400, "invalid_blocks")
        assert len(hub.journal.violations) == 1


def test_a_menu_sends_the_chosen_option(hub: Slack, ana: User, client: WebClient) -> None:
    """As an overflow does."""
    choices = [{"text": {"type": "plain_text", "text": it}, "value": it} for it in ("1d", "7d")]
    message = posted(hub, client, {"type": "overflow", "action_id": "snooze", "options": choices})
    with bot(hub):
        clicked = hub.people.click(ana, message, "snooze", choose="7d")
    assert clicked.payload["actions"][0]["selected_option"] == choices[1]


@pytest.mark.parametrize(
    ("seconds", "times", "error"), [(0, 2, "exchanged_trigger_id"), (4, 1, "expired_trigger_id")]
)
def test_a_trigger_opens_one_modal_within_three_seconds(
    hub: Slack, ana: User, client: WebClient, seconds: float, times: int, error: str
) -> None:
    """Then it is worth nothing."""
    with bot(hub):
        trigger = hub.people.command(ana, "/cost").payload["trigger_id"]
    hub.advance(seconds)
    for _ in range(times - 1):
        client.views_open(trigger_id=trigger, view=MODAL)
    with pytest.raises(SlackApiError) as caught:
        client.views_open(trigger_id=trigger, view=MODAL)
    assert caught.value.response["error"] == error


def test_a_modal_is_filled_in_and_its_answer_is_carried_out(hub: Slack, ana: User, client: WebClient) -> None:
    """Errors leave it open, an update changes it, an empty answer closes it."""
    changed = {**MODAL, "title": {"type": "plain_text", "text": "Sure?"}}
    replies = (
        {"response_action": "errors", "errors": {"why": "Say more"}},
        {"response_action": "update", "view": changed},
    )
    with bot(hub, Reply(), *(Reply(json.dumps(it).encode()) for it in replies)) as asked:
        client.views_open(trigger_id=hub.people.command(ana, "/cost").payload["trigger_id"], view=MODAL)
        hub.people.submit(ana, {"q": "no"})
        values = json.loads(fields(asked[1])["payload"])["view"]["state"]["values"]
        assert values == {"why": {"q": {"type": "plain_text_input", "value": "no"}}}
        hub.people.submit(ana, {"q": "no!"})
        assert [it.view["title"]["text"] for it in hub.views(ana)] == ["Sure?"]
        hub.people.submit(ana, {"q": "yes"})
    assert hub.views(ana) == []


def test_a_modal_stack_is_three_high_and_guarded_by_its_hash(ana: User) -> None:
    """A fourth is refused, and so is an update of what has changed since."""
    with slack() as hub, bot(hub):
        client = WebClient(hub.bot_token, base_url=hub.api_url)
        view = {
            **MODAL,
            "blocks": [question(block_id="why"), actions(button("more"))],
            "notify_on_close": True,
        }
        opened = client.views_open(trigger_id=hub.people.command(ana, "/x").payload["trigger_id"], view=view)[
            "view"
        ]
        errors = []
        for _ in range(3):
            trigger = hub.people.click(ana, hub.views(ana)[-1], "more").payload["trigger_id"]
            try:
                client.views_push(trigger_id=trigger, view=view)
            except SlackApiError as refused:
                errors.append(refused.response["error"])
        assert (len(hub.views(ana)), errors) == (3, ["push_limit_reached"])
        client.views_update(view_id=opened["id"], hash=opened["hash"], view=MODAL)
        with pytest.raises(SlackApiError, match="hash_conflict"):
            client.views_update(view_id=opened["id"], hash=opened["hash"], view=MODAL)
        closed = hub.people.close(ana)
        assert closed is not None
        assert closed.payload["type"] == "view_closed"
        assert len(hub.views(ana)) == 2


def test_two_people_click_in_the_same_moment(hub: Slack, client: WebClient) -> None:
    """Nothing in the fake puts one after the other."""
    people, barrier = [hub.person("ana"), hub.person("ben")], Barrier(2)
    message = posted(hub, client, button("approve"), button("reject"))

    def press(user: User, action_id: str) -> None:
        barrier.wait(5)
        hub.people.click(user, message, action_id)

    with bot(hub, Reply(b"x" * 4, pause=0.05), Reply(b"x" * 4, pause=0.05)) as asked:
        began = time.monotonic()
        threads = [
            Thread(target=press, args=pair) for pair in zip(people, ("approve", "reject"), strict=True)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(5)
    assert len(asked) == 2
    assert time.monotonic() - began < 0.4


def test_an_address_is_verified_by_its_challenge(hub: Slack) -> None:
    """The app must say it back."""
    with bot(hub, Reply(b"xyz")) as asked:
        assert hub.people.verify_url("xyz").body == "xyz"
    assert json.loads(asked[0].body)["type"] == "url_verification"


def test_an_unknown_address_is_written_down() -> None:
    """Nobody should ask for it."""
    with slack() as hub:
        requests.get(hub.api_url.replace("/api/", "/other"), timeout=5)
        assert len(hub.journal.violations) == 1
