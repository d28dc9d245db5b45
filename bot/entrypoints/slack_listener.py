"""Slack's payloads, read into our events by Bolt's listeners, which store them and do nothing else.

What a person asked is on disk when Slack gets its answer, and the answer is empty: whatever is to be said
comes later, from the worker.
"""

from __future__ import annotations

import hashlib
import json
import logging
import re
from collections.abc import Callable, Mapping
from typing import Any

from slack_bolt import App, BoltRequest, BoltResponse
from slack_bolt.authorization import AuthorizeResult
from slack_sdk import WebClient

from bot.entrypoints.deliveries import Work
from bot.slack_events import (
    Asker,
    ButtonPressed,
    CommandAsked,
    HomeOpened,
    ModalSubmitted,
    SlackEvent,
    to_json,
)

WORKFLOW = "slack"
"""The workflow that an event starts."""
COMMANDS = ("/cost",)
EVENTS = ("app_home_opened",)
"""What the app's manifest must name; a test compares them."""
log = logging.getLogger(__name__)
_ANY = re.compile(".*")
_LONGEST = 3_000
"""Characters of one text; Slack itself sends at most 3,000 in an input."""

Json = Mapping[str, Any]
Store = Callable[[Work], None]


def make_slack_app(*, bot_token: str, signing_secret: str, api_url: str, store: Store) -> App:
    """Bolt's application. Nothing is asked of Slack when it is made; `store` raises where it cannot."""
    app = App(
        logger=_logger(),
        client=WebClient(token=bot_token, base_url=api_url),
        signing_secret=signing_secret or None,
        # Bolt asks Slack who we are, for each request anew, unless it is told.
        authorize=lambda enterprise_id, team_id: AuthorizeResult(
            enterprise_id=enterprise_id, team_id=team_id, bot_token=bot_token
        ),
        token_verification_enabled=False,
        request_verification_enabled=bool(signing_secret),
        process_before_response=True,  # acknowledged once it is stored, in the thread that asks
    )

    def keep(event: SlackEvent, body: Json) -> None:
        digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode("utf-8", "surrogatepass")).hexdigest()
        store(Work(WORKFLOW, f"{WORKFLOW}/{digest}", (to_json(event),)))

    def command(ack: Callable[[], None], body: Json) -> None:
        keep(_command(body), body)
        ack()

    def action(ack: Callable[[], None], body: Json) -> None:
        for each in body["actions"]:
            keep(_button(body, each), {**body, "actions": [each]})
        ack()

    def view(ack: Callable[[], None], body: Json) -> None:
        keep(_modal(body), body)
        ack()

    def event(body: Json) -> None:
        if body["event"].get("tab") == "home":
            asker = Asker(_text(body.get("team_id")), _text(body["event"].get("user")))
            keep(HomeOpened(asker), {"event": body["event_id"]})  # a retry differs in all but its id

    def failed(error: Exception) -> BoltResponse:
        log.error("Could not store what was asked in Slack", exc_info=error)
        return BoltResponse(status=503, body="could not be stored")

    app.error(failed)
    for name in COMMANDS:
        app.command(name)(command)
    app.action(_ANY)(action)
    app.view(_ANY)(view)
    for name in EVENTS:
        app.event(name)(event)
    return app


def dispatch(app: App, body: str, headers: Mapping[str, str]) -> tuple[int, str, Mapping[str, str]]:
    """Status, body and headers of the answer to a request over HTTP."""
    try:
        request = BoltRequest(body=body, headers=dict(headers))
    except Exception:  # noqa: BLE001 - Bolt reads a body before it looks who signed it
        return 400, "the body cannot be read", {}
    answer = app.dispatch(request)
    return answer.status, answer.body, answer.first_headers()


def _asker(body: Json) -> Asker:
    """Of a button or a modal. Who clicks may be of another workspace than the one the app is installed in."""
    user, channel = body.get("user") or {}, body.get("channel") or {}
    enterprise = body.get("enterprise") or {}
    return Asker(
        team_id=_text(user.get("team_id") or (body.get("team") or {}).get("id")),
        user_id=_text(user.get("id")),
        channel_id=_text(channel.get("id")),
        enterprise_id=_text(enterprise.get("id")),
    )


def _command(body: Json) -> CommandAsked:
    asker = Asker(
        _text(body.get("team_id")),
        _text(body.get("user_id")),
        _text(body.get("channel_id")),
        _text(body.get("enterprise_id")),
    )
    return CommandAsked(
        asker,
        command=_text(body.get("command")),
        text=_text(body.get("text")),
        response_url=_text(body.get("response_url")),
        trigger_id=_text(body.get("trigger_id")),
    )


def _button(body: Json, action: Json) -> ButtonPressed:
    container = body.get("container") or {}
    chosen = action.get("selected_option") or {}
    return ButtonPressed(
        _asker(body),
        action_id=_text(action.get("action_id")),
        value=_text(action.get("value") or chosen.get("value")),
        response_url=_text(body.get("response_url")),
        trigger_id=_text(body.get("trigger_id")),
        message_ts=_text(container.get("message_ts")),
        ephemeral=bool(container.get("is_ephemeral")),
        block_id=_text(action.get("block_id")),
    )


def _modal(body: Json) -> ModalSubmitted:
    view = body["view"]
    values = {
        _text(action_id): _text(given.get("value") or (given.get("selected_option") or {}).get("value"))
        for block in ((view.get("state") or {}).get("values") or {}).values()
        for action_id, given in block.items()
    }
    return ModalSubmitted(
        _asker(body), _text(view.get("callback_id")), values, _text(view.get("private_metadata"))
    )


def _text(value: object) -> str:
    return value[:_LONGEST] if isinstance(value, str) else ""


def _logger() -> logging.Logger:
    """Bolt logs whole bodies, with what signs or verifies them."""
    logger = logging.getLogger("slack_bolt.App")
    logger.setLevel(logging.CRITICAL)
    return logger
