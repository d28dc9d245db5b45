"""A real HTTP peer on loopback that says what a test wants it to say."""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.parse import parse_qs, urlsplit


@dataclass
class Asked:
    """One request as the peer received it."""

    method: str
    path: str
    headers: dict[str, str]
    form: dict[str, list[str]]
    body: str = ""


@dataclass
class Reply:
    """What the peer says, and how."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    pause: float = 0.0
    """Seconds between two bytes of a body that is dripped."""


Script = Callable[[Asked], Reply]


def vector(*values: str, **extra: object) -> Reply:
    """A fine answer to an instant query."""
    result = [{"metric": {"n": str(i)}, "value": [0, value]} for i, value in enumerate(values)]
    data = {"resultType": "vector", "result": result, **extra}
    return Reply(json.dumps({"status": "success", "data": data}).encode())


def error(status: int, reason: str) -> Reply:
    """An error as Prometheus words it."""
    body = {"status": "error", "errorType": "execution", "error": reason}
    return Reply(json.dumps(body).encode(), status)


@contextmanager
def peer(script: Script, *, tls: ssl.SSLContext | None = None) -> Iterator[tuple[str, list[Asked]]]:
    """The URL of an HTTP server that answers as `script` says, and what it was asked."""
    asked: list[Asked] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            parts = urlsplit(self.path)
            form = parse_qs(body or parts.query)
            asked.append(Asked(self.command, parts.path, dict(self.headers.items()), form, body))
            reply = script(asked[-1])
            self.send_response(reply.status)
            for name, value in {"Content-Length": str(len(reply.body)), **reply.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            try:
                for piece in [reply.body] if not reply.pause else [bytes([byte]) for byte in reply.body]:
                    self.wfile.write(piece)
                    time.sleep(reply.pause)
            except OSError:
                return  # the client had enough

        do_POST = do_PATCH = do_DELETE = do_GET  # noqa: N815 - the name http.server looks for

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as in the base class
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        scheme = "https" if tls else "http"
        yield f"{scheme}://127.0.0.1:{server.server_address[1]}", asked
    finally:
        server.shutdown()
        server.server_close()
