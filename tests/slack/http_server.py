"""The sockets: HTTP/1.1 on loopback, faults included, and Socket Mode's WebSockets."""

from __future__ import annotations

from tests import loopback
from tests.loopback import Reply
from tests.slack import faults
from tests.slack.api import Api, Asked, json_reply
from tests.slack.faults import Fault
from tests.slack.socket_mode import Sockets

_PAGE = b"<!DOCTYPE html><html><head><title>Slack</title></head><body>Something went wrong</body></html>"


class SlackServer(loopback.Server):
    """`faults` may change while it runs."""

    def __init__(self) -> None:
        super().__init__(_Handler)
        self.api: Api
        self.sockets: Sockets
        self.faults: list[Fault] = []

    def stop(self) -> None:
        """End it, and whatever hangs."""
        self.sockets.close()
        super().stop()


class _Handler(loopback.Handler):
    server: SlackServer

    def _serve(self) -> None:
        if self.path.startswith("/link/"):
            self.close_connection = True
            self.server.sockets.serve(self.connection, self.path, self.headers.get("Sec-WebSocket-Key") or "")
            return
        asked = Asked(self.command, self.path, self.lower_headers(), self.read_body())
        api = self.server.api
        with api.world.lock:
            api.journal.calls[asked.key] += 1
            fault = faults.first(self.server.faults, asked.key, api.said(asked))
        if fault is None:
            self.send(api.reply(asked))
            return
        reply = api.reply(asked) if fault.after_effect or fault.kind == "cut" else None
        if fault.kind in faults.BROKEN:
            self.spoil(fault.kind, fault.seconds, reply)
        else:
            self.send(_spoiled(fault, asked.key))

    do_GET = do_POST = _serve  # noqa: N815 - http.server's names


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
