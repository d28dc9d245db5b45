"""The sockets: HTTP/1.1 on loopback, faults included, and git's smart HTTP beside the API."""

from __future__ import annotations

import select
import socket
import struct
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

from tests.github import faults, git_http, limits
from tests.github.api import GRAPHQL, Api, Asked, Reply, json_reply
from tests.github.faults import Fault
from tests.github.routing import RefusedError

_STATUS_TEXTS = {
    "500": "Server Error",
    "502": "Server Error",
    "503": "Service Unavailable",
    "404": "Not Found",
    "422": "Validation Failed",
    "429": "Too Many Requests",
}
_BROKEN_ON_THE_WIRE = frozenset(("hang", "reset", "cut", "drip"))


class GitHubServer(ThreadingHTTPServer):
    """Serves until it is closed; `faults` may change while it runs.

    `meanwhile` says what somebody does, once, just before an operation is carried out.
    """

    daemon_threads = True
    request_queue_size = 256

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.api: Api
        self.faults: list[Fault] = []
        self.meanwhile: dict[str, Callable[[], object]] = {}
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


class _Handler(BaseHTTPRequestHandler):
    server: GitHubServer
    protocol_version = "HTTP/1.1"
    # Headers and body leave in one packet; otherwise each answer waits for the client's acknowledgement.
    wbufsize = -1
    disable_nagle_algorithm = True

    def _serve(self) -> None:
        asked = Asked(
            self.command,
            self.path,
            {name.lower(): value for name, value in self.headers.items()},
            self._read_body(),
        )
        key = self._key(asked)
        with self.server.api.world.lock:
            account = self._account(asked)
            self.server.api.journal.calls[key] += 1
            self.server.api.journal.asked.append((account, key))
            fault = faults.first(self.server.faults, key, account)
            meanwhile = self.server.meanwhile.pop(key, None)
        if meanwhile is not None:
            meanwhile()
        if fault is None:
            self._send(self._carry_out(asked))
            return
        reply = self._carry_out(asked) if fault.after_effect or fault.kind in ("cut", "drip") else None
        if fault.kind in _BROKEN_ON_THE_WIRE:
            self._break(fault, reply)
        else:
            self._send(_spoiled(fault))

    do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = do_HEAD = _serve  # noqa: N815 - http.server's names

    def _key(self, asked: Asked) -> str:
        """How faults and counts name a request."""
        api = self.server.api
        if place := git_http.place(asked):
            return place.key
        if api.is_graphql(asked):
            return GRAPHQL
        found = api.operation(asked)
        return found[0].key if found else f"{asked.method} {asked.path}"

    def _account(self, asked: Asked) -> str:
        """The login of the account that a request is about."""
        api = self.server.api
        if place := git_http.place(asked):
            return place.name.partition("/")[0]
        found = api.operation(asked)
        path = found[1] if found else {}
        installation = api.world.installations.get(int(path.get("installation_id", "0")))
        return installation.account.login if installation else path.get("owner", path.get("org", ""))

    def _carry_out(self, asked: Asked) -> Reply:
        api = self.server.api
        if place := git_http.place(asked):
            return git_http.reply(api, asked, place)
        return api.reply(asked)

    def _read_body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        chunks = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            chunks.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(chunks)

    def _send(self, reply: Reply, *, cut: bool = False, pause: float = 0.0) -> None:
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if reply.status not in (204, 304):
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

    def _break(self, fault: Fault, reply: Reply | None) -> None:
        self.close_connection = True
        if fault.kind in ("cut", "drip") and reply is not None:
            self._send(reply, cut=fault.kind == "cut", pause=fault.seconds if fault.kind == "drip" else 0.0)
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


def _spoiled(fault: Fault) -> Reply:
    """The answer that stands in for the right one."""
    if fault.kind == "html":
        page = b"<!DOCTYPE html><html><body><h1>Unicorn!</h1></body></html>"
        return Reply(200, page, {"Content-Type": "text/html; charset=utf-8"})
    if fault.kind == "202":
        return json_reply(202, {})
    if fault.kind == "secondary":
        return _refused(limits.secondary(fault.retry_after))
    if fault.kind == "primary":
        reset = {"X-RateLimit-Limit": "5000", "X-RateLimit-Reset": str(int(time.time()) + 1)}
        return _refused(limits.primary(0), {**reset, "X-RateLimit-Remaining": "0"})
    headers = {"Retry-After": str(fault.retry_after)} if fault.retry_after else {}
    return _refused(RefusedError(int(fault.kind), _STATUS_TEXTS[fault.kind]), headers)


def _refused(refusal: RefusedError, headers: dict[str, str] | None = None) -> Reply:
    return json_reply(refusal.status, refusal.body, {**refusal.headers, **(headers or {})})
