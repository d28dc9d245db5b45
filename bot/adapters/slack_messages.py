"""Messages, home tabs and modals in Slack. What is sent fits its limits, or is a mistake of ours."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from http.client import HTTPException
from typing import Any

from slack_sdk.errors import SlackClientError
from slack_sdk.webhook import WebhookClient

from bot.adapters.slack_api import SECONDS, SlackApi, retry_seconds
from bot.errors import SlackRefused, SlackUnavailable
from bot.slack_message import SlackMessage
from bot.slack_ports import Mark, Posted

_GONE = frozenset((403, 404, 410))
"""What Slack answers on a `response_url` that was used five times or is older than thirty minutes."""


class SlackWebMessages:
    """The port `SlackMessages`, over the Web API."""

    def __init__(self, api: SlackApi) -> None:
        self._api = api

    def respond(
        self, response_url: str, message: SlackMessage, *, replace: bool = False, to_channel: bool = False
    ) -> None:
        """Answer where somebody asked; only they see it, unless it is `to_channel`.

        Raises SlackRefused where the URL is used up.
        """
        if not self._api.is_ours(response_url):
            raise SlackRefused("the address to answer at is not Slack's", "expired_url")
        kind = "in_channel" if to_channel else "ephemeral"
        told = {**_json(message), "response_type": kind, "replace_original": replace}
        try:
            answer = WebhookClient(response_url, timeout=SECONDS, retry_handlers=[]).send_dict(told)
        except (SlackClientError, HTTPException, OSError, ValueError) as error:
            raise SlackUnavailable("Slack did not take an answer") from error
        if answer.status_code in _GONE:
            raise SlackRefused("Slack no longer takes answers to this question", "expired_url")
        if answer.status_code != 200 or answer.body.lstrip().startswith("<"):
            later = retry_seconds(answer.headers) if answer.status_code == 429 else None
            raise SlackUnavailable(f"Slack answered {answer.status_code} to an answer", later)

    def post(
        self, channel: str, message: SlackMessage, *, mark: Mark | None = None, thread: str = ""
    ) -> Posted:
        """Say it to all of a channel, below a message in its `thread`, or to a person."""
        marked = {"metadata": {"event_type": mark.kind, "event_payload": dict(mark.payload)}} if mark else {}
        answer = self._api.call(
            "chat.postMessage", channel=channel, unfurl_links=False, unfurl_media=False, link_names=False,
            **marked, **({"thread_ts": thread} if thread else {}), **_json(message),
        )  # fmt: skip
        return Posted(str(answer.get("channel") or channel), str(answer.get("ts", "")))

    def find(self, channel: str, mark: Mark, since: datetime) -> str:
        """The timestamp of the message with that mark, looking through all that was said since then."""
        wanted = {"event_type": mark.kind, "event_payload": dict(mark.payload)}
        said = self._api.pages(
            "conversations.history",
            channel=channel,
            oldest=f"{since.timestamp():.6f}",
            include_all_metadata=True,
        )
        return next((str(message["ts"]) for message in said if message.get("metadata") == wanted), "")

    def tell(self, channel: str, user: str, message: SlackMessage) -> None:
        """Say it to one person in a channel."""
        self._api.call("chat.postEphemeral", channel=channel, user=user, **_json(message))

    def update(self, channel: str, timestamp: str, message: SlackMessage) -> None:
        """Say something else in a message's place."""
        self._api.call("chat.update", channel=channel, ts=timestamp, **_json(message))

    def home(self, user: str, message: SlackMessage) -> None:
        """Show it in somebody's home tab."""
        self._api.call("views.publish", user_id=user, view={"type": "home", "blocks": list(message.blocks)})

    def ask(self, trigger_id: str, view: Mapping[str, Any]) -> None:
        """Open a modal. Raises SlackRefused three seconds after the click."""
        self._api.call("views.open", trigger_id=trigger_id, view=dict(view))


def _json(message: SlackMessage) -> dict[str, Any]:
    """Its text is for notifications, in which Slack would make a mention of `<!channel>` as well."""
    text = message.text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return {**message.to_json(), "text": text}
