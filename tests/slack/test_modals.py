"""Triggers, and the modals that they open."""

from __future__ import annotations

import json

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from tests.http_peer import Reply
from tests.slack.examples import REJECT, actions, button, question
from tests.slack.model import User
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


@pytest.mark.parametrize(
    ("seconds", "times", "error"), [(0, 2, "exchanged_trigger_id"), (4, 1, "expired_trigger_id")]
)
def test_a_trigger_opens_one_modal_within_three_seconds(
    hub: Slack, ana: User, client: WebClient, seconds: float, times: int, error: str
) -> None:
    """Then it is worth nothing."""
    with scripted_bot(hub):
        trigger = hub.people.command(ana, "/cost").payload["trigger_id"]
    hub.advance(seconds)
    for _ in range(times - 1):
        client.views_open(trigger_id=trigger, view=REJECT)
    with pytest.raises(SlackApiError) as caught:
        client.views_open(trigger_id=trigger, view=REJECT)
    assert caught.value.response["error"] == error


def test_a_modal_is_filled_in_and_its_answer_is_carried_out(hub: Slack, ana: User, client: WebClient) -> None:
    """Errors leave it open, an update changes it, an empty answer closes it."""
    changed = {**REJECT, "title": {"type": "plain_text", "text": "Sure?"}}
    replies = (
        {"response_action": "errors", "errors": {"why": "Say more"}},
        {"response_action": "update", "view": changed},
    )
    with scripted_bot(hub, Reply(), *(Reply(json.dumps(it).encode()) for it in replies)) as asked:
        client.views_open(trigger_id=hub.people.command(ana, "/cost").payload["trigger_id"], view=REJECT)
        hub.people.submit(ana, {"reason": "no"})
        values = json.loads(fields(asked[1])["payload"])["view"]["state"]["values"]
        assert values == {"why": {"reason": {"type": "plain_text_input", "value": "no"}}}
        hub.people.submit(ana, {"reason": "no!"})
        assert [it.view["title"]["text"] for it in hub.views(ana)] == ["Sure?"]
        hub.people.submit(ana, {"reason": "yes"})
    assert hub.views(ana) == []


def test_a_modal_stack_is_three_high_and_guarded_by_its_hash(ana: User) -> None:
    """A fourth is refused, and so is an update of what has changed since."""
    with slack() as hub, scripted_bot(hub):
        client = WebClient(hub.bot_token, base_url=hub.api_url)
        view = {
            **REJECT,
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
        client.views_update(view_id=opened["id"], hash=opened["hash"], view=REJECT)
        with pytest.raises(SlackApiError, match="hash_conflict"):
            client.views_update(view_id=opened["id"], hash=opened["hash"], view=REJECT)
        closed = hub.people.close(ana)
        assert closed is not None
        assert closed.payload["type"] == "view_closed"
        assert len(hub.views(ana)) == 2
