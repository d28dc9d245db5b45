"""The sockets: HTTP/1.1 on loopback, faults included, and Socket Mode's WebSockets."""

from __future__ import annotations

import select
import socket
import struct
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

from tests.slack import faults
from tests.slack.api import Api, Asked, Reply, json_reply
from tests.slack.faults import Fault
from tests.slack.socket_mode import Sockets

_PAGE = b"<!DOCTYPE html><html><head><title>Slack</title></head><body>Something went wrong</body></html>"


class SlackServer(ThreadingHTTPServer):
    """Serves until it is closed; `faults` may change while it runs."""

    daemon_threads = True
    request_queue_size = 256

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.api: Api
        self.sockets: Sockets
        self.faults: list[Fault] = []
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
        self.sockets.close()
        self.shutdown()
        self.server_close()

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is no news."""


class _Handler(BaseHTTPRequestHandler):
    server: SlackServer
    protocol_version = "HTTP/1.1"
    # Headers and body leave in one packet; otherwise each answer waits for the client's acknowledgement.
    wbufsize = -1
    disable_nagle_algorithm = True

    def _serve(self) -> None:
        if self.path.startswith("/link/"):
            self.close_connection = True
            self.server.sockets.serve(self.connection, self.path, self.headers.get("Sec-WebSocket-Key") or "")
            return
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        asked = Asked(self.command, self.path, headers, body)
        api = self.server.api
        with api.world.lock:
            api.journal.calls[asked.key] += 1
            fault = faults.first(self.server.faults, asked.key, api.said(asked))
        if fault is None:
            self._send(api.reply(asked))
            return
        reply = api.reply(asked) if fault.after_effect or fault.kind == "cut" else None
        if fault.kind in faults.BROKEN:
            self._break(fault, reply)
        else:
            self._send(_spoiled(fault, asked.key))

    do_GET = do_POST = _serve  # noqa: N815 - http.server's names

    def _send(self, reply: Reply, *, cut: bool = False) -> None:
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body[: len(reply.body) // 2] if cut else reply.body)

    def _break(self, fault: Fault, reply: Reply | None) -> None:
        self.close_connection = True
        if reply is not None and fault.kind == "cut":
            self._send(reply, cut=True)
        elif fault.kind == "hang":
            self._hang(fault.seconds)
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


def _spoiled(fault: Fault, key: str) -> Reply:
    """The answer that stands in for the right one."""
    if fault.kind == "html" or fault.kind in faults.STATUSES:
        status = 200 if fault.kind == "html" else int(fault.kind)
        return Reply(status, _PAGE, {"Content-Type": "text/html; charset=utf-8"})
    body = {"ok": False, "error": fault.kind}
    if fault.kind == "ratelimited":
        wait = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
        return json_reply(body, 429, wait)
    if key == "response_url":
        return json_reply(body, 404)
    return json_reply(body)
