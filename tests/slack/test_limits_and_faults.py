"""Rate limits, and everything that goes wrong on the way."""

from __future__ import annotations

from http.client import HTTPException
from urllib.error import URLError

import pytest
import requests
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_handlers import RateLimitErrorRetryHandler

from tests.slack.model import Channel
from tests.slack.service import Slack


@pytest.fixture
def client(hub: Slack) -> WebClient:
    """slack_sdk's client of the app, which does not wait long."""
    return WebClient(hub.bot_token, base_url=hub.api_url, timeout=3, retry_handlers=[])


@pytest.fixture
def channel(hub: Slack) -> Channel:
    """A channel with the app in it."""
    return hub.channel("general")


def test_a_channel_takes_a_message_a_second_after_a_burst(
    hub: Slack, client: WebClient, channel: Channel
) -> None:
    """Each channel for itself, and slack_sdk reads Retry-After."""
    for number in range(3):
        client.chat_postMessage(channel=channel.id, text=str(number))
    with pytest.raises(SlackApiError) as caught:
        client.chat_postMessage(channel=channel.id, text="4")
    assert (caught.value.response.status_code, caught.value.response.headers["Retry-After"]) == (429, "1")
    client.chat_postMessage(channel=hub.channel("other").id, text="1")
    hub.advance(1)
    client.chat_postMessage(channel=channel.id, text="4")
    assert ([it.text for it in hub.messages(channel)], hub.limits.refused) == (["0", "1", "2", "4"], 1)


def test_a_method_has_a_tier(hub: Slack, client: WebClient) -> None:
    """User groups can be asked for twenty times a minute."""
    for _ in range(20):
        client.usergroups_list()
    with pytest.raises(SlackApiError) as caught:
        client.usergroups_list()
    assert caught.value.response["error"] == "ratelimited"
    assert 58 <= int(caught.value.response.headers["Retry-After"]) <= 60
    hub.advance(60)
    client.usergroups_list()


def test_slack_sdk_waits_as_long_as_it_is_told(hub: Slack, channel: Channel) -> None:
    """With its retry handler."""
    hub.limits.burst = 1
    handler = RateLimitErrorRetryHandler(max_retry_count=1)
    client = WebClient(hub.bot_token, base_url=hub.api_url, retry_handlers=[handler])
    for number in range(2):
        client.chat_postMessage(channel=channel.id, text=str(number))
    assert [it.text for it in hub.messages(channel)] == ["0", "1"]
    assert hub.journal.calls["chat.postMessage"] == 3


@pytest.mark.parametrize(
    "error",
    ["channel_not_found", "is_archived", "not_in_channel", "token_revoked", "account_inactive", "invalid_blocks", "internal_error"],
)  # fmt: skip
def test_any_error_can_be_slacks_answer(hub: Slack, client: WebClient, channel: Channel, error: str) -> None:
    """Once, and it is no violation of the bot's."""
    fault = hub.fault("chat.*", error)
    with pytest.raises(SlackApiError) as caught:
        client.chat_postMessage(channel=channel.id, text="x")
    assert caught.value.response["error"] == error
    client.chat_postMessage(channel=channel.id, text="x")
    assert (fault.hits, len(hub.messages())) == (1, 1)


@pytest.mark.parametrize("kind", ["500", "502", "503", "504", "html"])
def test_slack_can_answer_with_a_page(hub: Slack, client: WebClient, channel: Channel, kind: str) -> None:
    """That is no JSON."""
    hub.fault("chat.postMessage", kind)
    with pytest.raises(SlackApiError):
        client.chat_postMessage(channel=channel.id, text="x")
    assert hub.messages() == []


@pytest.mark.parametrize("kind", ["502", "reset", "cut"])
def test_an_answer_can_be_lost_after_the_effect(
    hub: Slack, client: WebClient, channel: Channel, kind: str
) -> None:
    """Then a second try says everything twice."""
    hub.fault("chat.postMessage", kind, after_effect=True)
    with pytest.raises((SlackApiError, OSError, HTTPException)):
        client.chat_postMessage(channel=channel.id, text="x")
    assert [it.text for it in hub.messages()] == ["x"]


def test_slack_can_be_silent(hub: Slack, client: WebClient, channel: Channel) -> None:
    """Until the client gives up."""
    hub.fault("chat.postMessage", "hang")
    with pytest.raises((TimeoutError, URLError)):
        client.chat_postMessage(channel=channel.id, text="x")
    assert hub.messages() == []


def test_a_fault_strikes_the_call_it_is_meant_for(hub: Slack, client: WebClient, channel: Channel) -> None:
    """The second of three."""
    hub.fault("chat.postMessage", "ratelimited", nth=2, retry_after=None)
    client.chat_postMessage(channel=channel.id, text="1")
    with pytest.raises(SlackApiError) as caught:
        client.chat_postMessage(channel=channel.id, text="2")
    assert "Retry-After" not in caught.value.response.headers
    client.chat_postMessage(channel=channel.id, text="3")


def test_uploads_and_response_urls_fail_too(hub: Slack) -> None:
    """By their own names."""
    hub.fault("upload", "503")
    hub.fault("response_url", "expired_url")
    base = hub.api_url.removesuffix("/api/")
    assert requests.post(f"{base}/upload/v1/x", b"x", timeout=5).status_code == 503
    answer = requests.post(f"{base}/response/T1/x", json={"text": "x"}, timeout=5)
    assert (answer.status_code, answer.json()["error"]) == (404, "expired_url")
