"""Answers to an interaction: five messages within half an hour, with no token and in any channel.

Source: docs.slack.dev/interactivity/handling-user-interaction. Not documented and taken from what people
report: a sixth use is `used_url` and a late one `expired_url`, both with status 404. A slash command has
no original, so `replace_original` then adds a message, as `delete_original` then finds nothing.
"""

from __future__ import annotations

import secrets

from tests.slack.model import (
    RESPONSE_URL_SECONDS,
    RESPONSE_URL_USES,
    Channel,
    Json,
    Message,
    ResponseUrl,
    User,
    World,
)
from tests.slack.routing import Call, RefusedError
from tests.slack.web_chat import checked_content

_KNOWN = frozenset(
    (
        "text", "blocks", "attachments", "response_type", "replace_original", "delete_original",
        "unfurl_links", "unfurl_media", "thread_ts", "mrkdwn", "metadata", "link_names", "parse",
    )
)  # fmt: skip


def make(world: World, user: User, channel: Channel, original: Message | None = None) -> str:
    """An address for one interaction."""
    secret = secrets.token_hex(12)
    world.response_urls[secret] = ResponseUrl(user, channel, world.now(), original)
    return f"{world.api_url.removesuffix('/api/')}/response/{world.team.id}/{secret}"


def answer(call: Call, secret: str) -> tuple[int, str]:
    """Status and text (or error) of the answer to a POST."""
    url = call.world.response_urls.get(secret)
    if url is None:
        raise RefusedError("invalid_token", fault_of_bot=True)
    if call.world.now() - url.at > RESPONSE_URL_SECONDS:
        return 404, "expired_url"
    if url.uses >= RESPONSE_URL_USES:
        return 404, "used_url"
    if not isinstance(call.arguments, dict):
        raise RefusedError("invalid_payload", fault_of_bot=True)
    call.arguments = {name: value for name, value in call.arguments.items() if value is not None}
    carry_out(call, url)
    url.uses += 1
    return 200, "ok"


def carry_out(call: Call, url: ResponseUrl) -> Message | None:
    """Add, replace or take away a message; also what an acknowledgement with a body does."""
    arguments = call.arguments
    if unknown := sorted(arguments.keys() - _KNOWN):
        raise RefusedError(
            "invalid_payload", messages=[f"unknown field: {it}" for it in unknown], fault_of_bot=True
        )
    kind = arguments.get("response_type", "ephemeral")
    if kind not in ("ephemeral", "in_channel"):
        raise RefusedError("invalid_response_type", fault_of_bot=True)
    original = url.original if url.original is not None and not url.original.deleted else None
    if arguments.get("delete_original") is True:
        if original is None:
            raise RefusedError("message_not_found")
        original.deleted = True
        return None
    content: dict[str, Json] = checked_content(call)
    if arguments.get("replace_original") is True and original is not None:
        original.replace(content)
        return original
    only_for = url.user.id if kind == "ephemeral" else None
    world = call.world
    message = Message(
        url.channel, world.new_ts(), content, "response_url", only_for=only_for,
        thread_ts=arguments.get("thread_ts"), at=world.now(),
    )  # fmt: skip
    world.messages.append(message)
    return message
