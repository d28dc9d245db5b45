"""`POST /slack/events`: what Bolt would stumble over does not reach it."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Callable, Mapping

from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

MOST_BYTES = 2**20
"""Slack's payloads have some kilobytes; a modal's at most 250."""
BODY_SECONDS = 3.0
"""Slack gives up after as long."""
_CLOSE = {"Connection": "close"}
"""The rest of the body is not waited for."""
_SOUND = {
    "x-slack-request-timestamp": re.compile(r"[0-9]{1,12}", re.ASCII),
    "x-slack-signature": re.compile(r"v0=[0-9a-f]{64}", re.ASCII),
}
"""Without one of these Bolt answers 401; on one of another form it would fail."""
_logger = logging.getLogger(__name__)

Answer = tuple[int, str, Mapping[str, str]]
Dispatch = Callable[[str, Mapping[str, str]], Answer]
"""Answers a body and its headers, in a thread; raises where it cannot store what was asked."""

Answered = Callable[[int, float], None]
"""Told the status of an answer, and the seconds since the request arrived."""


def slack_route(dispatch: Dispatch, answered: Answered) -> Route:
    """The endpoint for commands, clicks, modals and events."""

    async def answer(request: Request) -> Response:
        began = time.monotonic()
        response = await respond(request)
        answered(response.status_code, time.monotonic() - began)
        return response

    async def respond(request: Request) -> Response:
        headers = {name: value for name, value in request.headers.items() if _is_sound(name, value)}
        try:
            async with asyncio.timeout(BODY_SECONDS):
                body = await _read(request)
            status, text, sent = await asyncio.to_thread(dispatch, body, headers)
        except (TimeoutError, ClientDisconnect, UnicodeDecodeError, ValueError):
            return PlainTextResponse("the body cannot be read\n", 400, _CLOSE)
        except Exception:
            _logger.exception("Could not store what was asked in Slack")
            return PlainTextResponse("could not be stored\n", 503)
        return Response(text, status, dict(sent))

    return Route("/slack/events", answer, methods=["POST"])


def _is_sound(name: str, value: str) -> bool:
    form = _SOUND.get(name)
    return form is None or form.fullmatch(value) is not None


async def _read(request: Request) -> str:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MOST_BYTES:
            raise ValueError
    return body.decode("utf-8")
