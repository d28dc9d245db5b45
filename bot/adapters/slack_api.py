"""Calls of Slack's Web API: one client, a time limit, and no vendor's error."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from http.client import HTTPException
from typing import Any
from urllib.parse import urlsplit

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from bot.errors import SlackRefused, SlackUnavailable

SECONDS = 10
MOST_TRIES_LATER = 300.0
PAGE = 200
"""Messages that a look into a channel reads at once, which Slack recommends."""
_PASSING = frozenset(
    ("ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable", "request_timeout")
)
"""Slack's errors that another try may not meet; all others would be met again."""
_DENIED = frozenset(
    (
        "account_inactive", "invalid_auth", "not_allowed_token_type", "not_authed", "token_expired",
        "token_revoked",
    )
)  # fmt: skip
"""What Slack calls a token that it does not take, whatever is asked for with it."""


class SlackApi:
    """The Web API under one bot token. Safe to use from many threads: slack_sdk opens a connection a call."""

    def __init__(self, token: str, base_url: str) -> None:
        # Left to itself slack_sdk sends a message again whose answer was lost.
        self._client = WebClient(token=token, base_url=base_url, timeout=SECONDS, retry_handlers=[])
        self._host = urlsplit(base_url).hostname

    def call(self, method: str, **arguments: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        """The answer to a method that takes JSON. Raises SlackUnavailable, SlackRefused."""
        return self._called(method, json=arguments)

    def read(self, method: str, **arguments: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        """The answer to a method that takes a form: those that read, and those of files. Raises as `call`."""
        return self._called(method, params=arguments)

    def pages(self, method: str, **arguments: Any) -> Iterator[dict[str, Any]]:  # noqa: ANN401 - JSON
        """All messages that a method lists, asked for as they are looked at. Raises as `call`."""
        after: dict[str, str] = {}
        while True:
            answer = self.read(method, limit=PAGE, **arguments, **after)
            yield from answer.get("messages") or ()
            cursor = (answer.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                return
            after = {"cursor": cursor}

    def _called(self, method: str, **how: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        try:
            answer = self._client.api_call(method, **how)
        except SlackApiError as error:
            raise _told(method, error) from error
        except (SlackClientError, HTTPException, OSError, ValueError) as error:
            raise SlackUnavailable(f"Slack did not answer {method}") from error
        return dict(answer.data) if isinstance(answer.data, dict) else {}

    def is_ours(self, url: str) -> bool:
        """Whether a `response_url` is Slack's, or the local peer's that we were told to use."""
        parts = urlsplit(url)
        slack = parts.scheme == "https" and (parts.hostname or "").endswith(".slack.com")
        return slack or parts.hostname == self._host


def _told(method: str, error: SlackApiError) -> SlackRefused | SlackUnavailable:
    response = error.response
    reason = response.get("error") if hasattr(response, "get") else None
    status = getattr(response, "status_code", 0)
    if status == 429 or status >= 500 or reason in _PASSING or not _is_word(reason):
        later = retry_seconds(getattr(response, "headers", None) or {})
        return SlackUnavailable(f"Slack could not do {method} now", later)
    if reason in _DENIED:
        way_out = "an administrator has to install the app again and set SLACK_BOT_TOKEN anew"
        line = f"Slack refuses the bot's access at {method} ({reason}); {way_out}"
        return SlackRefused(line, str(reason), denied=True)
    scope = response.get("needed") if reason == "missing_scope" else None
    way_out = f", add the scope {scope} and install the app again" if _is_scope(scope) else ""
    return SlackRefused(f"Slack refused {method}: {reason}{way_out}", str(reason))


def retry_seconds(headers: Mapping[str, str]) -> float | None:
    """How long Slack asks us to wait, at most five minutes; None where it does not say."""
    later = next((value for name, value in headers.items() if name.lower() == "retry-after"), "")
    sound = later.isascii() and later.isdigit() and len(later) < 6
    return min(float(later), MOST_TRIES_LATER) if sound else None


def _is_scope(needed: object) -> bool:
    """Slack names one, or several with commas: `channels:history,groups:history`."""
    return isinstance(needed, str) and re.fullmatch(r"[a-z][a-z_.:,]{1,199}", needed) is not None


def _is_word(reason: object) -> bool:
    """Slack's reasons are words such as `is_archived`; slack_sdk puts a web page there as well."""
    return isinstance(reason, str) and re.fullmatch(r"[a-z][a-z0-9_]{1,79}", reason) is not None
