"""What was said in a channel, newest first, and in a thread, oldest first; metadata where it is asked for.

In conversations.history thread replies and what only one person sees are not part of it. Whether Slack
would tell `event_type` without `include_all_metadata` is not relied on: here it tells nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tests.slack.model import Channel, Json, Message
from tests.slack.routing import Call, RefusedError, invalid, method
from tests.slack.web_chat import shown

_SCOPES = {"public": "channels:history", "private": "groups:history", "im": "im:history"}


@method(
    "conversations.history", *_SCOPES.values(), tier=3, required="channel",
    optional="cursor include_all_metadata inclusive latest limit oldest",
)  # fmt: skip
def history(call: Call) -> dict[str, Json]:
    """A page of it; the app must be in the channel."""
    return _page(call, list(_said(call, _readable(call))))


@method(
    "conversations.replies", *_SCOPES.values(), tier=3, required="channel ts",
    optional="cursor include_all_metadata inclusive latest limit oldest",
)  # fmt: skip
def replies(call: Call) -> dict[str, Json]:
    """A page of a thread, the message that began it first."""
    channel = _readable(call)
    root = str(call.arguments["ts"])
    thread = [
        message
        for message in call.world.messages
        if message.channel is channel and not message.only_for and not message.deleted
        if root in (message.ts, message.thread_ts)
    ]
    if not thread:
        raise RefusedError("thread_not_found")
    return _page(call, thread)


def _readable(call: Call) -> Channel:
    channel = call.channel()
    call.need(_SCOPES[channel.kind])
    if call.world.bot.id not in channel.members:
        raise RefusedError("not_in_channel")
    return channel


def _page(call: Call, found: list[Message]) -> dict[str, Json]:
    listed, after = call.page(found)
    with_metadata = call.flag("include_all_metadata")
    messages = [_told(call, message, with_metadata=with_metadata) for message in listed]
    more = bool(after["response_metadata"]["next_cursor"])
    return {"messages": messages, "has_more": more, **(after if more else {})}


def _said(call: Call, channel: Channel) -> Iterator[Message]:
    oldest, latest = (_moment(call, name) for name in ("oldest", "latest"))
    inclusive = call.flag("inclusive")
    for message in reversed(call.world.messages):
        if message.channel is not channel or message.only_for or message.deleted:
            continue
        if message.thread_ts and message.thread_ts != message.ts:
            continue
        at = float(message.ts)
        if oldest is not None and (at < oldest or (at == oldest and not inclusive)):
            continue
        if latest is not None and (at > latest or (at == latest and not inclusive)):
            continue
        yield message


def _moment(call: Call, name: str) -> float | None:
    told: Any = call.arguments.get(name)
    if told is None:
        return None
    try:
        return float(told)
    except ValueError:
        raise invalid(f"{name} is no timestamp: {told!r}") from None


def _told(call: Call, message: Message, *, with_metadata: bool) -> dict[str, Json]:
    metadata = {"metadata": message.metadata} if with_metadata and message.metadata else {}
    files = [{"id": file.id, "name": file.name, "title": file.title} for file in message.files]
    return {**shown(call.world, message), **metadata, **({"files": files} if files else {})}
