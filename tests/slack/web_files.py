"""Uploads in three steps (files.upload is retired), and opening a Socket Mode connection."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from tests.slack.model import File, Json, Message, World
from tests.slack.routing import Call, RefusedError, invalid, method
from tests.slack.web_chat import checked_content

_ALT_TEXT = 1000
_SNIPPET_BYTES = 1_000_000


@method(
    "files.getUploadURLExternal",
    "files:write",
    tier=4,
    required="filename length",
    optional="alt_txt snippet_type",
)
def get_upload_url(call: Call) -> dict[str, Json]:
    """Where the bytes of a file are to be sent."""
    arguments, world = call.arguments, call.world
    if not str(arguments["length"]).isdecimal() or int(arguments["length"]) == 0:
        raise RefusedError("missing_argument", fault_of_bot=True)
    length, alt = int(arguments["length"]), str(arguments.get("alt_txt") or "")
    if len(alt) > _ALT_TEXT:
        raise RefusedError("alt_txt_too_large", fault_of_bot=True)
    snippet = str(arguments.get("snippet_type") or "")
    if snippet and length > _SNIPPET_BYTES:
        raise RefusedError("snippet_too_large", fault_of_bot=True)
    file = File(world.new_id("F"), str(arguments["filename"]), length, alt, snippet, secrets.token_hex(8))
    world.files[file.id] = file
    base = world.api_url.removesuffix("/api/")
    return {"upload_url": f"{base}/upload/v1/{file.secret}", "file_id": file.id}


@dataclass(frozen=True, slots=True)
class Uploaded:
    """What the upload address says."""

    status: int
    text: str


def upload(world: World, secret: str, body: bytes) -> Uploaded:
    """The bytes of a file, as many as were announced."""
    file = next((it for it in world.files.values() if it.secret == secret), None)
    if file is None or file.content is not None:
        return Uploaded(404, "not found")
    if len(body) != file.length:
        return Uploaded(400, f"expected {file.length} bytes, got {len(body)}")
    file.content = body
    return Uploaded(200, f"OK - {len(body)}")


def _picked(call: Call) -> list[File]:
    entries = call.arguments["files"]
    if not isinstance(entries, list) or not entries:
        raise invalid("must be an array [json-pointer:/files]")
    picked = []
    for entry in entries:
        if not isinstance(entry, dict) or not entry.keys() <= {"id", "title", "highlight_type"}:
            raise invalid("invalid additional property [json-pointer:/files]")
        file = call.world.files.get(str(entry.get("id")))
        if file is None or file.content is None or file.completed:
            raise RefusedError("file_not_found", fault_of_bot=file is not None)
        file.title = str(entry.get("title") or file.name)
        picked.append(file)
    return picked


@method(
    "files.completeUploadExternal", "files:write", tier=4, required="files",
    optional="channel_id channels thread_ts initial_comment blocks",
)  # fmt: skip
def complete_upload(call: Call) -> dict[str, Json]:
    """Share uploaded files in a channel, or keep them for `slack_file` images."""
    world, arguments = call.world, call.arguments
    files = _picked(call)
    names = [
        it for it in str(arguments.get("channels") or arguments.get("channel_id") or "").split(",") if it
    ]
    channels = []
    for name in names:
        channel = Call(world, call.journal, call.limits, call.method, {"channel": name}).channel()
        if channel.is_archived or world.bot.id not in channel.members:
            raise RefusedError("not_in_channel")
        channels.append(channel)
    content: dict[str, Json] = {
        "text": arguments.get("initial_comment") or "",
        "blocks": [],
        "attachments": [],
    }
    if arguments.get("blocks") and not content["text"]:
        arguments.setdefault("text", files[0].title)
        content = checked_content(call)
    for file in files:
        file.completed = True
        file.channels = [it.id for it in channels]
    for channel in channels:
        thread = arguments.get("thread_ts")
        world.messages.append(
            Message(
                channel, world.new_ts(), content, call.method, thread_ts=thread, files=files, at=world.now()
            )
        )
    return {"files": [{"id": it.id, "title": it.title} for it in files]}


@method("files.info", "files:read", tier=4, required="file", optional="cursor limit")
def files_info(call: Call) -> dict[str, Json]:
    """One file."""
    file = call.world.files.get(str(call.arguments["file"]))
    if file is None or not file.completed:
        raise RefusedError("file_not_found")
    return {
        "file": {
            "id": file.id,
            "name": file.name,
            "title": file.title,
            "size": file.length,
            "channels": file.channels,
        }
    }


@method("apps.connections.open", "connections:write", tier=1, kind="app")
def connections_open(call: Call) -> dict[str, Json]:
    """A Socket Mode address, good for one connection."""
    ticket = secrets.token_hex(8)
    call.world.tickets.add(ticket)
    base = call.world.api_url.removesuffix("/api/").replace("http://", "ws://")
    return {"url": f"{base}/link/?ticket={ticket}&app_id={call.world.app_id}"}
