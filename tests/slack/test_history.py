"""What the fake tells of a channel's past, and what it takes as metadata."""

from __future__ import annotations

from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from tests.slack.service import Slack

MARK = {"event_type": "a_kind", "event_payload": {"key": "1"}}


@pytest.fixture
def client(hub: Slack) -> WebClient:
    return WebClient(token=hub.bot_token, base_url=hub.api_url)


def said(client: WebClient, channel: str, **more: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - arguments
    found: list[dict[str, Any]] = client.conversations_history(channel=channel, **more)["messages"]
    return found


def test_metadata_is_told_to_whoever_asks_for_it(hub: Slack, client: WebClient) -> None:
    """And is seen nowhere else; an update leaves it as it is."""
    channel = hub.channel("c").id
    answer = client.chat_postMessage(channel=channel, text="x", metadata=MARK)
    client.chat_update(channel=channel, ts=answer["ts"], text="y")

    assert "metadata" not in answer["message"]
    assert "metadata" not in said(client, channel)[0]
    [message] = said(client, channel, include_all_metadata=True)
    assert (message["text"], message["metadata"]) == ("y", MARK)
    hub.assert_clean()


def test_the_newest_come_first_in_pages(hub: Slack, client: WebClient) -> None:
    """Without what is in threads, deleted, or for one person alone."""
    ana = hub.person("ana")
    channel = hub.channel("c", ana).id
    first = client.chat_postMessage(channel=channel, text="1")["ts"]
    client.chat_postMessage(channel=channel, text="in a thread", thread_ts=first)
    client.chat_postEphemeral(channel=channel, user=ana.id, text="alone")
    hub.advance(10)
    client.chat_delete(channel=channel, ts=client.chat_postMessage(channel=channel, text="gone")["ts"])
    client.chat_postMessage(channel=channel, text="2")

    page = client.conversations_history(channel=channel, limit=1)
    assert [it["text"] for it in page["messages"]] == ["2"]
    cursor = page["response_metadata"]["next_cursor"]
    assert [it["text"] for it in said(client, channel, cursor=cursor, limit=1)] == ["1"]
    assert [it["text"] for it in said(client, channel, oldest=first)] == ["2"]
    assert len(said(client, channel, oldest=first, inclusive=True)) == 2
    hub.assert_clean()


def test_a_thread_is_told_from_its_beginning_in_pages(hub: Slack, client: WebClient) -> None:
    """With the names of its files, and nothing of other threads."""
    channel = hub.channel("c").id
    first = client.chat_postMessage(channel=channel, text="1")["ts"]
    client.files_upload_v2(channel=channel, thread_ts=first, filename="a.csv", content="a,b")
    client.chat_postMessage(channel=channel, text="2")

    page = client.conversations_replies(channel=channel, ts=first, limit=1)
    assert [it["text"] for it in page["messages"]] == ["1"]
    cursor = page["response_metadata"]["next_cursor"]
    [below] = client.conversations_replies(channel=channel, ts=first, cursor=cursor)["messages"]
    assert [file["name"] for file in below["files"]] == ["a.csv"]
    with pytest.raises(SlackApiError, match="thread_not_found"):
        client.conversations_replies(channel=channel, ts="1.1")


@pytest.mark.parametrize(("private", "scope"), [(False, "channels:history"), (True, "groups:history")])
def test_each_kind_of_channel_has_a_scope(hub: Slack, client: WebClient, private: bool, scope: str) -> None:
    """And the app must be in the channel."""
    channel = hub.channel("c", private=private)
    said(client, channel.id)
    assert scope in hub.journal.used_scopes
    hub.scopes.discard(scope)
    with pytest.raises(SlackApiError, match="missing_scope"):
        said(client, channel.id)
    assert hub.journal.violations.pop().startswith("conversations.history: missing_scope")
    hub.scopes.add(scope)
    channel.members.clear()
    with pytest.raises(SlackApiError, match="channel_not_found" if private else "not_in_channel"):
        said(client, channel.id)


@pytest.mark.parametrize(
    ("metadata", "error"),
    [
        ({"event_type": "x"}, "invalid_metadata_format"),
        ({**MARK, "more": 1}, "invalid_metadata_format"),
        ({"event_type": "with space", "event_payload": {}}, "invalid_metadata_schema"),
        ({"event_type": "x", "event_payload": {"a": {"b": {"c": 1}}}}, "invalid_metadata_schema"),
        ({"event_type": "x", "event_payload": {"a": "x" * 9_000}}, "metadata_too_large"),
    ],
)
def test_metadata_that_slack_refuses(hub: Slack, client: WebClient, metadata: Any, error: str) -> None:  # noqa: ANN401 - broken on purpose
    """Each is a fault of the app."""
    with pytest.raises(SlackApiError, match=error):
        client.chat_postMessage(channel=hub.channel("c").id, text="x", metadata=metadata)
    assert [error in line for line in hub.journal.violations] == [True]
    hub.journal.violations.clear()


def test_a_message_in_an_archived_channel_cannot_be_changed(hub: Slack, client: WebClient) -> None:
    """It is frozen."""
    channel = hub.channel("c")
    timestamp = client.chat_postMessage(channel=channel.id, text="x")["ts"]
    channel.is_archived = True
    with pytest.raises(SlackApiError, match="is_inactive"):
        client.chat_update(channel=channel.id, ts=timestamp, text="y")
