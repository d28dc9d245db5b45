"""An HTTP/1.1 service on loopback, whose answers may be broken on the wire."""

from __future__ import annotations

import select
import socket
import struct
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from urllib.parse import urlsplit

WITHOUT_BODY = (204, 304)


@dataclass(frozen=True, slots=True)
class Request:
    """One of a client's; header names are in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def path(self) -> str:
        """Without the query."""
        return urlsplit(self.target).path


@dataclass(slots=True)
class Reply:
    """One answer."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


class Server(ThreadingHTTPServer):
    """Serves until it is closed."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self, handler: type[Handler]) -> None:
        super().__init__(("127.0.0.1", 0), handler)
        self.closing = Event()

    @property
    def address(self) -> str:
        """`http://127.0.0.1:port`."""
        return f"http://127.0.0.1:{self.server_address[1]}"

    def start(self) -> None:
        """Serve from a thread of its own."""
        Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()

    def stop(self) -> None:
        """End it, and whatever hangs."""
        self.closing.set()
        self.shutdown()
        self.server_close()

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is no news."""


class Handler(BaseHTTPRequestHandler):
    """Sends replies, whole or broken."""

    server: Server
    protocol_version = "HTTP/1.1"
    # Headers and body leave in one packet; otherwise each answer waits for the client's acknowledgement.
    wbufsize = -1
    disable_nagle_algorithm = True

    def lower_headers(self) -> dict[str, str]:
        """Of the request, their names in lower case."""
        return {name.lower(): value for name, value in self.headers.items()}

    def read_body(self) -> bytes:
        """Of the request; one whose client was killed before it had said all is nobody's.

        Raises:
            ConnectionAbortedError: the client has gone.

        """
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self._read(int(self.headers.get("Content-Length") or 0))
        chunks = []
        while size := int(self._line().split(b";")[0], 16):
            chunks.append(self._read(size))
            self._line()
        self._line()
        return b"".join(chunks)

    def _read(self, size: int) -> bytes:
        found = self.rfile.read(size)
        if len(found) < size:
            raise ConnectionAbortedError(f"{size} bytes were announced, and {len(found)} came")
        return found

    def _line(self) -> bytes:
        if not (found := self.rfile.readline()).endswith(b"\n"):
            raise ConnectionAbortedError("a line did not end")
        return found

    def send(self, reply: Reply, *, cut: bool = False, pause: float = 0.0) -> None:
        """Whole, half of its body, or with a pause of so many seconds between its bytes."""
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if reply.status not in WITHOUT_BODY:
            self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        if self.command == "HEAD":
            return
        body = reply.body[: len(reply.body) // 2] if cut else reply.body
        for piece in [body] if not pause else [bytes([byte]) for byte in body]:
            self.wfile.write(piece)
            if pause:
                self.wfile.flush()
                time.sleep(pause)

    def spoil(self, kind: str, seconds: float, reply: Reply | None) -> None:
        """`cut` or `drip` the reply; without one, or for any other kind, hang for so long or reset."""
        self.close_connection = True
        if kind in ("cut", "drip") and reply is not None:
            self.send(reply, cut=kind == "cut", pause=seconds if kind == "drip" else 0.0)
        elif kind == "hang":
            self._hang(seconds)
        else:
            # An RST instead of a FIN.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()

    def _hang(self, seconds: float) -> None:
        """Say nothing until the client has gone."""
        until = time.monotonic() + seconds
        while time.monotonic() < until and not self.server.closing.wait(0.02):
            readable, _, _ = select.select([self.connection], [], [], 0)
            if readable and not self.connection.recv(1, socket.MSG_PEEK):
                return

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as in the base class
        """Quiet."""
