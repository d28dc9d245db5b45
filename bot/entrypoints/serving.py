"""Serves the application until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from types import FrameType

import uvicorn
from starlette.applications import Starlette
from uvicorn.protocols.http.h11_impl import H11Protocol

from bot.errors import UserError

HEAD_SECONDS = 10.0
"""For a request's line and headers; uvicorn itself would wait for ever."""
ANSWER_SECONDS = 5
"""For requests that are under way when we are told to stop."""
STOP_SECONDS = 14.0
"""From being told to stop until the process is gone, whatever hangs."""
_logger = logging.getLogger(__name__)


def run(app: Starlette, listener: socket.socket) -> None:
    """Serve until SIGTERM or SIGINT, then answer what is under way and return.

    Counted from the signal the caller has `STOP_SECONDS` to stop its own work. Then the process ends, with
    status 1: what was not done is stored, and the next process resumes it.
    """
    with _signals_that_only_return():
        _logger.info("Listening on %s:%d", *listener.getsockname()[:2])
        make_server(app).run(sockets=[listener])
    _logger.info("Stopped listening")


def make_server(app: Starlette) -> uvicorn.Server:
    """The server for `app`, which waits for nobody for ever."""
    config = uvicorn.Config(
        app,
        http=_Protocol,
        loop="asyncio",
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=ANSWER_SECONDS,
    )
    return _Server(config)


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens; port 0 is any free one, which the log names. Raises UserError where none can."""
    try:
        if port not in range(65_536):
            raise OverflowError("a port is from 0 to 65535")
        [(family, _, _, _, address), *_] = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        both = host == "::" and socket.has_dualstack_ipv6()
        return socket.create_server((address[0], port), family=family, backlog=2048, dualstack_ipv6=both)
    except (OSError, OverflowError, UnicodeError) as error:
        # Without the address once more, which Python adds.
        reason = (getattr(error, "strerror", None) or str(error)).partition(" (while")[0]
        way_out = "set TUPPENCE_HOST and TUPPENCE_PORT"
        raise UserError(f"cannot listen on {host} port {port}: {reason}; {way_out}") from error


class _Server(uvicorn.Server):
    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Start the clock at the first signal."""
        if not self.should_exit:
            clock = threading.Timer(STOP_SECONDS, _leave)
            clock.daemon = True
            clock.start()
        super().handle_exit(sig, frame)


def _leave() -> None:
    """End the process. What hangs may be the log itself, so nobody waits for it either."""
    words = f"Did not stop in {STOP_SECONDS:g} s; what is left is stored and will be resumed"
    threading.Thread(target=_logger.error, args=(words,), daemon=True).start()
    time.sleep(0.2)
    os._exit(1)


@contextlib.contextmanager
def _signals_that_only_return() -> Iterator[None]:
    """Outlive uvicorn, which raises the signal anew once it has stopped."""
    taken = (signal.SIGTERM, signal.SIGINT)
    before = [signal.signal(each, lambda _signal, _frame: None) for each in taken]
    try:
        yield
    finally:
        for each, handler in zip(taken, before, strict=True):
            signal.signal(each, handler)


class _Protocol(H11Protocol):
    """HTTP/1.1 that closes a connection whose request does not begin in time."""

    _clock: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """A client may connect and say nothing."""
        super().connection_made(transport)
        self._watch()

    def data_received(self, data: bytes) -> None:
        """Or send its headers a byte at a time."""
        super().data_received(data)
        self._watch()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is left to wait for."""
        super().connection_lost(exc)
        self._stop_clock()

    def _watch(self) -> None:
        if self.cycle is not None and not self.cycle.response_complete:
            self._stop_clock()
        elif self._clock is None:
            self._clock = self.loop.call_later(HEAD_SECONDS, self.transport.close)

    def _stop_clock(self) -> None:
        if self._clock is not None:
            self._clock.cancel()
            self._clock = None
