"""The HTTP that calls us: GitHub's webhook, the probes, the metrics.

A delivery is answered with 202 when it is stored, and not before; what comes of it is the worker's.
Whatever blocks runs in a thread, so that the probes and other deliveries never wait for it.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from bot import metrics as measured
from bot.entrypoints.github_payload import DeliveryRefused
from bot.entrypoints.github_webhook import check_length, parse
from bot.errors import UserError
from bot.github_events import Delivery, Event, Ignored
from bot.logs import about

BODY_SECONDS = 10.0
"""GitHub gives up after as long."""
READY_SECONDS = 5.0
MOST_HELD = 100 * 2**20
"""Bytes of all bodies at once: strangers can send what they like before a signature is checked."""
_CLOSE = {"Connection": "close"}
"""With an answer that comes before the body's end, else the rest would be read for as long as it lasts."""
_LATER = {"Retry-After": "30", **_CLOSE}

Receive = Callable[[Delivery, Event], None]
_logger = logging.getLogger(__name__)


def make_app(
    *,
    ready: Callable[[], Sequence[str]],
    remarks: Callable[[], Sequence[str]] = tuple,
    metrics: measured.Metrics,
    receive: Receive | None = None,
    secrets: Sequence[str] = (),
    more: Sequence[Route] = (),
) -> Starlette:
    """The application, with `more` endpoints. Without `receive` there is no webhook.

    `receive` stores an event, and raises where it cannot; it is never called for an `Ignored` one.
    `ready` gives the reasons why we are not, `remarks` what else is wrong, as lines that are safe to show.
    All three may block.
    Raises UserError for a webhook without a secret: anybody could speak through it.
    """

    async def readyz(_request: Request) -> Response:
        try:
            async with asyncio.timeout(READY_SECONDS):
                reasons = await asyncio.to_thread(ready)
        except TimeoutError:
            reasons = [f"the checks took more than {READY_SECONDS:g} s"]
        said = reasons or ["ready", *remarks()]
        return PlainTextResponse("".join(f"{line}\n" for line in said), 503 if reasons else 200)

    async def exposition(_request: Request) -> Response:
        return Response(await asyncio.to_thread(metrics.render), media_type=measured.CONTENT_TYPE)

    routes = [Route("/healthz", _healthz), Route("/readyz", readyz), Route("/metrics", exposition)]
    if receive is not None:
        if not any(secrets):
            raise UserError("GITHUB_WEBHOOK_SECRET is empty: set it to the webhook secret of the GitHub App")
        routes.append(Route("/github/webhook", _Webhook(receive, secrets, metrics).answer, methods=["POST"]))
    app = Starlette(routes=[*routes, *more])
    app.router.redirect_slashes = False
    return app


async def _healthz(_request: Request) -> Response:
    return PlainTextResponse("alive\n")


class _Webhook:
    def __init__(self, receive: Receive, secrets: Sequence[str], metrics: measured.Metrics) -> None:
        self._receive = receive
        self._secrets = tuple(secrets)
        self._metrics = metrics
        self._held = 0

    async def answer(self, request: Request) -> Response:
        """Never 500: a refusal, or 503 where somebody should try again."""
        started = time.monotonic()
        outcome, what, response = await self._outcome(request)
        self._metrics.delivery(outcome, what, time.monotonic() - started)
        return response

    async def _outcome(self, request: Request) -> tuple[str, str, Response]:
        body = bytearray()
        try:
            async with asyncio.timeout(BODY_SECONDS):
                await self._read(request, body)
            return await asyncio.to_thread(self._take, dict(request.headers), bytes(body))
        except DeliveryRefused as refused:
            return _refused(refused.status, str(refused))
        except TimeoutError:
            return _refused(408, f"the body took more than {BODY_SECONDS:g} s")
        except ClientDisconnect:
            return _refused(400, "the body ended early")
        except _TooMuchHeldError:
            return "unstored", "held", PlainTextResponse("too many bodies at once\n", 503, _LATER)
        finally:
            self._held -= len(body)

    async def _read(self, request: Request, body: bytearray) -> None:
        check_length(int(request.headers.get("content-length", "0")))
        async for chunk in request.stream():
            body += chunk
            self._held += len(chunk)
            check_length(len(body))
            if self._held > MOST_HELD:
                raise _TooMuchHeldError

    def _take(self, headers: dict[str, str], body: bytes) -> tuple[str, str, Response]:
        delivery, event = parse(headers, body, self._secrets)
        kind = type(event).__name__
        with about(delivery=delivery.id, event=delivery.event):
            if isinstance(event, Ignored):
                _logger.info("Ignored a delivery: %s", event.reason)
                return "ignored", kind, JSONResponse({"ignored": event.reason}, 202)
            try:
                self._receive(delivery, event)
            except Exception:
                _logger.exception("Could not store a delivery; GitHub can send it again")
                return "unstored", kind, PlainTextResponse("could not be stored\n", 503, _LATER)
            _logger.info("Stored a delivery", extra={"kind": kind, "digest": delivery.digest})
        return "stored", kind, JSONResponse({"stored": kind}, 202)


class _TooMuchHeldError(Exception):
    """Bodies that are being received take all the memory they may."""


def _refused(status: int, reason: str) -> tuple[str, str, Response]:
    _logger.info("Refused a delivery with %d: %s", status, reason)
    return "refused", str(status), PlainTextResponse(f"{reason}\n", status, _CLOSE)
