"""What the fake refuses, and what it writes down for the fixture to find."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from tests.slack.examples import section
from tests.slack.service import Slack, slack

Asking = Callable[[WebClient, str], Any]


@pytest.fixture
def watched() -> Iterator[Slack]:
    """A fake whose test looks at what was written down."""
    with slack() as hub:
        yield hub


def refusal(hub: Slack, asking: Asking, *, token: str | None = None) -> dict[str, Any]:
    """What Slack answered to something that it refuses."""
    channel = hub.channel("general")
    with pytest.raises(SlackApiError) as caught:
        asking(WebClient(token or hub.bot_token, base_url=hub.api_url), channel.id)
    data = caught.value.response.data
    assert isinstance(data, dict)
    return data


@pytest.mark.parametrize(
    ("asking", "error", "written"),
    [
        pytest.param(
            lambda it, channel: it.chat_postMessage(channel=channel, text="x", blocks=[section("x" * 3001)]),
            "invalid_blocks", "must be less than 3001 characters [json-pointer:/blocks/0/text/text]", id="blocks",
        ),
        pytest.param(
            lambda it, channel: it.chat_postMessage(channel=channel, text="x", blocks=[section("x" * 3000)] * 5),
            "msg_blocks_too_long", "msg_blocks_too_long", id="all blocks",
        ),
        pytest.param(
            lambda it, channel: it.chat_postMessage(channel=channel, text="x", blocks="nonsense"),
            "invalid_blocks_format", "invalid_blocks_format", id="no blocks",
        ),
        pytest.param(
            lambda it, channel: it.chat_postMessage(channel=channel, text="x" * 40_001),
            "msg_too_long", "msg_too_long", id="text",
        ),
        pytest.param(
            lambda it, channel: it.api_call("chat.postMessage", json={"channel": channel}),
            "no_text", "no_text", id="nothing to say",
        ),
        pytest.param(
            lambda it, channel: it.chat_postMessage(channel=channel, text="x", colour="red"),
            "invalid_arguments", "unknown argument: colour", id="unknown argument",
        ),
        pytest.param(
            lambda it, channel: it.api_call("chat.update", json={"channel": channel, "text": "x"}),
            "invalid_arguments", "missing required field: ts", id="missing argument",
        ),
        pytest.param(
            lambda it, channel: it.chat_postMessage(channel=channel, text="x", username="boss"),
            "missing_scope", "chat:write.customize", id="scope",
        ),
        pytest.param(
            lambda it, channel: it.files_upload(content="x", channels=channel),
            "unknown_method", "files.upload: unknown_method", id="retired",
            marks=pytest.mark.filterwarnings("ignore::UserWarning"),
        ),
        pytest.param(
            lambda it, _: it.views_open(trigger_id="1.2.3", view={"type": "modal", "blocks": []}),
            "invalid_arguments", "missing required field: title [json-pointer:/view]", id="view",
        ),
        pytest.param(
            lambda it, _: it.apps_connections_open(app_token=it.token or ""),
            "not_allowed_token_type", "not_allowed_token_type", id="bot token for a socket",
        ),
    ],
)  # fmt: skip
def test_what_no_bot_should_send_is_refused_and_written_down(
    watched: Slack, asking: Asking, error: str, written: str
) -> None:
    """Slack's own error, its messages, and a violation that fails the bot's test."""
    assert refusal(watched, asking)["error"] == error
    (violation,) = watched.journal.violations
    assert written in violation
    with pytest.raises(AssertionError):
        watched.assert_clean()


def test_slack_names_the_scope_that_is_missing(watched: Slack) -> None:
    """`needed` and `provided`, as the service says them."""
    watched.scopes.clear()
    watched.scopes.add("commands")
    answer = refusal(watched, lambda it, _: it.users_info(user="U1"))
    assert (answer["needed"], answer["provided"]) == ("users:read", "commands")


def test_the_fake_knows_which_scopes_nobody_needed(hub: Slack) -> None:
    """The least that would do."""
    client = WebClient(hub.bot_token, base_url=hub.api_url)
    client.chat_postMessage(channel=hub.channel("general").id, text="x")
    assert hub.journal.used_scopes == {"chat:write"}
    assert "files:write" in hub.unused_scopes()


@pytest.mark.parametrize(
    ("token", "error"), [("xoxb-other", "invalid_auth"), ("", "not_authed")], ids=["other", "none"]
)
def test_a_token_must_be_the_apps(watched: Slack, token: str, error: str) -> None:
    """Neither somebody else's nor none."""
    channel = watched.channel("general")
    answer = requests.post(
        f"{watched.api_url}chat.postMessage",
        json={"channel": channel.id, "text": "x"},
        headers={"Authorization": f"Bearer {token}"} if token else {},
        timeout=5,
    )
    assert answer.json() == {"ok": False, "error": error}


@pytest.mark.parametrize("error", ["token_revoked", "account_inactive"])
def test_an_app_can_be_removed(hub: Slack, error: str) -> None:
    """Then every call says so."""
    hub.revoke(error)
    assert refusal(hub, lambda it, _: it.auth_test())["error"] == error


def test_blocks_without_a_text_are_shown_and_written_down(watched: Slack) -> None:
    """Slack takes them, but the notification is empty and a screen reader has nothing to say."""
    client, channel = WebClient(watched.bot_token, base_url=watched.api_url), watched.channel("general")
    client.api_call("chat.postMessage", json={"channel": channel.id, "blocks": [section()]})
    assert len(watched.messages(channel)) == 1
    assert watched.journal.violations == ["chat.postMessage: blocks without a text for notifications"]


def test_forms_and_json_are_read_alike(hub: Slack) -> None:
    """slack_sdk sends both."""
    channel = hub.channel("general")
    form = {"channel": channel.id, "text": "a & b", "blocks": '[{"type": "divider"}]', "token": hub.bot_token}
    requests.post(f"{hub.api_url}chat.postMessage", form, timeout=5)
    WebClient(hub.bot_token, base_url=hub.api_url).chat_postMessage(
        channel=channel.id, text="a & b", blocks=[{"type": "divider"}]
    )
    one, other = hub.messages(channel)
    assert (one.text, one.blocks[0]["type"]) == (other.text, other.blocks[0]["type"]) == ("a & b", "divider")


@pytest.mark.parametrize(
    ("body", "kind", "error"),
    [
        (b"{", "application/json", "invalid_json"),
        (b"[]", "application/json", "json_not_object"),
        (b"text=x", "text/plain", "invalid_post_type"),
    ],
)
def test_a_body_that_is_neither_is_refused(watched: Slack, body: bytes, kind: str, error: str) -> None:
    """With Slack's word for it."""
    headers = {"Authorization": f"Bearer {watched.bot_token}", "Content-Type": kind}
    answer = requests.post(f"{watched.api_url}chat.postMessage", body, headers=headers, timeout=5)
    assert answer.json()["error"] == error
    assert len(watched.journal.violations) == 1
