"""chat.*: messages of the app, checked as strictly as the documentation allows."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from itertools import count

from tests.slack import blocks as block_kit
from tests.slack.block_checks import Problem
from tests.slack.model import Json, Message, World, with_ids
from tests.slack.routing import Call, RefusedError, method

_CONTENT = "text blocks attachments markdown_text metadata"
_LOOK = "as_user icon_emoji icon_url username"
_LINKS = "link_names parse unfurl_links unfurl_media mrkdwn"
_NAMES = count(1)
_MOST_SCHEDULED = 120 * 86_400
_PLAIN = (str, int, float, bool)
_MOST_METADATA = 8_000
"""Characters: Slack documents that there is a limit and not which; ours need a hundred."""


def checked_content(
    call: Call, *, most_text: int = block_kit.MESSAGE_TEXT, posted: bool = False
) -> dict[str, Json]:
    """Text, blocks and attachments of a message; refused as Slack refuses them."""
    arguments = call.arguments
    text, blocks, attachments = (arguments.get(name) for name in ("text", "blocks", "attachments"))
    if arguments.get("markdown_text") and (text or blocks):
        raise RefusedError("markdown_text_conflict", fault_of_bot=True)
    if not (text or blocks or attachments or arguments.get("markdown_text")):
        raise RefusedError("no_text", fault_of_bot=True)
    if text is not None and not isinstance(text, str):
        raise RefusedError("invalid_arguments", messages=["text must be a string"], fault_of_bot=True)
    if len(text or "") > most_text:
        raise RefusedError("msg_too_long", fault_of_bot=True)
    if isinstance(attachments, list) and len(attachments) > block_kit.ATTACHMENTS:
        raise RefusedError("too_many_attachments", fault_of_bot=True)
    if not isinstance(blocks, list | None):
        raise RefusedError("invalid_blocks_format", fault_of_bot=True)
    refuse_problems(block_kit.message_problems(blocks, attachments), call.world, blocks)
    if posted and block_kit.posted_size(blocks) > block_kit.POSTED_CHARACTERS:
        raise RefusedError("msg_blocks_too_long", fault_of_bot=True)
    if (blocks or attachments) and not (text or "").strip():
        call.journal.violations.append(f"{call.method}: blocks without a text for notifications")
    return {
        "text": text or arguments.get("markdown_text") or "",
        "blocks": with_ids(blocks, _NAMES),
        "attachments": attachments or [],
    }


def checked_metadata(call: Call) -> dict[str, Json] | None:
    """What nobody sees of a message: an event type, and a flat object of plain values."""
    metadata = call.arguments.get("metadata")
    if metadata is None:
        return None
    if not isinstance(metadata, dict) or metadata.keys() != {"event_type", "event_payload"}:
        raise RefusedError("invalid_metadata_format", fault_of_bot=True)
    kind, payload = metadata["event_type"], metadata["event_payload"]
    if not isinstance(kind, str) or not re.fullmatch(r"[A-Za-z0-9_.]{1,100}", kind):
        raise RefusedError("invalid_metadata_schema", fault_of_bot=True)
    if not isinstance(payload, dict) or not all(isinstance(it, _PLAIN) for it in payload.values()):
        raise RefusedError("invalid_metadata_schema", fault_of_bot=True)
    if len(json.dumps(metadata)) > _MOST_METADATA:
        raise RefusedError("metadata_too_large", fault_of_bot=True)
    return metadata


def _shown_files(part: Json) -> Iterator[str]:
    """The ids of the uploaded files that blocks refer to, wherever they do."""
    if isinstance(part, dict):
        file = part.get("slack_file")
        if file and "id" in file:
            yield file["id"]
        part = list(part.values())
    if isinstance(part, list):
        for inner in part:
            yield from _shown_files(inner)


def refuse_problems(problems: list[Problem], world: World, blocks: Json) -> None:
    """`invalid_blocks` or `invalid_attachments` with every problem in it, an unknown file included."""
    if not problems:
        missing = [
            it for it in _shown_files(blocks) if it not in world.files or not world.files[it].completed
        ]
        problems += [Problem(f"invalid slack file {it!r}", "/blocks") for it in missing]
    if problems:
        attached = all(it.message == block_kit.ONE_TABLE or "/attachments" in it.pointer for it in problems)
        error = "invalid_attachments" if attached else "invalid_blocks"
        raise RefusedError(error, messages=[str(it) for it in problems], fault_of_bot=True)


def shown(world: World, message: Message) -> dict[str, Json]:
    """A message as Slack's answers and payloads have it."""
    more = {"thread_ts": message.thread_ts} if message.thread_ts else {}
    edited = {"edited": {"user": world.bot.id, "ts": message.ts}} if message.versions else {}
    return {
        "type": "message",
        "user": world.bot.id,
        "bot_id": world.bot_id,
        "app_id": world.app_id,
        "team": world.team.id,
        "ts": message.ts,
        **message.content,
        **more,
        **edited,
    }


def _customised(call: Call) -> None:
    if any(call.arguments.get(name) for name in ("username", "icon_emoji", "icon_url")):
        call.need("chat:write.customize")
    if call.arguments.get("as_user"):
        raise RefusedError("as_user_not_supported", fault_of_bot=True)


def _own_message(call: Call) -> Message:
    found = call.world.find_message(call.channel().id, str(call.arguments["ts"]))
    if found is None or found.only_for is not None:
        raise RefusedError("message_not_found")
    return found


@method(
    "chat.postMessage", "chat:write", tier=None, required="channel",
    optional=f"{_CONTENT} {_LOOK} {_LINKS} thread_ts reply_broadcast",
)  # fmt: skip
def post_message(call: Call) -> dict[str, Json]:
    """A message for everybody in a channel."""
    world, channel = call.world, call.channel(by_name=True)
    call.may_post(channel)
    _customised(call)
    content, metadata = checked_content(call, posted=True), checked_metadata(call)
    thread = call.arguments.get("thread_ts")
    if thread and world.find_message(channel.id, str(thread)) is None:
        raise RefusedError("cannot_reply_to_message", fault_of_bot=True)
    wait = call.limits.post(channel.id, world.now())
    if wait is not None:
        raise RefusedError("ratelimited", wait=wait)
    message = Message(
        channel, world.new_ts(), content, call.method, thread_ts=thread, at=world.now(), metadata=metadata
    )
    world.messages.append(message)
    return {"channel": channel.id, "ts": message.ts, "message": shown(world, message)}


@method(
    "chat.postEphemeral",
    "chat:write",
    tier=4,
    required="channel user",
    optional=f"{_CONTENT} {_LOOK} link_names parse thread_ts",
)
def post_ephemeral(call: Call) -> dict[str, Json]:
    """A message that one person sees until the client is reloaded."""
    world, channel = call.world, call.channel()
    call.may_post(channel)
    _customised(call)
    content = checked_content(call)
    user = call.user(error="user_not_in_channel")
    if user.id not in channel.members:
        raise RefusedError("user_not_in_channel")
    message = Message(channel, world.new_ts(), content, call.method, only_for=user.id, at=world.now())
    world.messages.append(message)
    return {"message_ts": message.ts}


@method(
    "chat.update", "chat:write", tier=3, required="channel ts",
    optional=f"{_CONTENT} as_user link_names parse reply_broadcast file_ids",
)  # fmt: skip
def update(call: Call) -> dict[str, Json]:
    """Edit a message of the app's own; ephemeral ones cannot be."""
    message = _own_message(call)
    if message.channel.is_archived:
        raise RefusedError("is_inactive")
    message.metadata = checked_metadata(call) or message.metadata
    message.replace(checked_content(call, most_text=block_kit.UPDATED_TEXT, posted=True))
    return {
        "channel": message.channel.id,
        "ts": message.ts,
        "text": message.text,
        "message": shown(call.world, message),
    }


@method("chat.delete", "chat:write", tier=3, required="channel ts", optional="as_user")
def delete(call: Call) -> dict[str, Json]:
    """Take a message of the app's own away."""
    message = _own_message(call)
    message.deleted = True
    return {"channel": message.channel.id, "ts": message.ts}


@method("chat.getPermalink", tier=None, required="channel message_ts")
def permalink(call: Call) -> dict[str, Json]:
    """A link to a message."""
    ts = str(call.arguments["message_ts"])
    channel = call.channel()
    if call.world.find_message(channel.id, ts) is None:
        raise RefusedError("message_not_found")
    address = f"https://{call.world.team.domain}.slack.com/archives/{channel.id}/p{ts.replace('.', '')}"
    return {"channel": channel.id, "permalink": address}


@method(
    "chat.scheduleMessage", "chat:write", tier=3, required="channel post_at",
    optional=f"{_CONTENT} as_user {_LINKS} thread_ts reply_broadcast",
)  # fmt: skip
def schedule_message(call: Call) -> dict[str, Json]:
    """A message for later; `hub.advance` lets it appear."""
    world, channel = call.world, call.channel()
    call.may_post(channel)
    content = checked_content(call)
    if not str(call.arguments["post_at"]).isdecimal():
        raise RefusedError("invalid_time", fault_of_bot=True)
    moment = int(call.arguments["post_at"])
    if moment <= world.now():
        raise RefusedError("time_in_past", fault_of_bot=True)
    if moment > world.now() + _MOST_SCHEDULED:
        raise RefusedError("time_too_far", fault_of_bot=True)
    message = Message(channel, world.new_ts(), content, call.method, at=float(moment))
    world.scheduled.append((moment, message))
    return {
        "channel": channel.id,
        "scheduled_message_id": world.new_id("Q"),
        "post_at": moment,
        "message": content,
    }
