"""Socket Mode: we call Slack, and its requests come over that connection instead of over HTTP.

Slack hangs up every few hours, networks more often: then a new connection is opened, at once and for as
long as it takes. Bolt's own handler carries requests into the same application; its reconnecting is
switched off, since it gives up where Slack cannot be reached at the start.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence

from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_bolt.adapter.socket_mode.internals import run_bolt_app, send_response
from slack_sdk.socket_mode import SocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest

LOOK_SECONDS = 0.5
PAUSES = (1.0, 2.0, 5.0, 15.0, 30.0)
"""Seconds between tries to connect; the last one from then on."""
PING_SECONDS = 3
"""A connection of which nothing was heard for four times as long is given up."""
AT_ONCE = 10
"""Requests that are stored at the same time."""
log = logging.getLogger(__name__)


class SlackSocket:
    """The connection, between `start` and `stop`.

    `answered` is told the status of each answer, and the seconds since the request came in.
    """

    def __init__(self, app: App, app_token: str, answered: Callable[[int, float], None]) -> None:
        self._handler = _Handler(
            app, app_token, auto_reconnect_enabled=False, ping_interval=PING_SECONDS, concurrency=AT_ONCE
        )
        self._handler.answered = answered
        client = self._handler.client
        # Left to itself it sleeps for as long as Slack says, and cannot be stopped meanwhile.
        client.issue_new_wss_url = lambda: app.client.apps_connections_open(app_token=app_token)["url"]  # type: ignore[method-assign]
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="slack-socket", daemon=True)

    def start(self) -> None:
        """Begin to connect; Slack need not answer now."""
        self._thread.start()

    def stop(self) -> None:
        """Store what came in, and hang up."""
        self._stopped.set()
        self._thread.join(5)
        self._handler.close()  # type: ignore[no-untyped-call]

    def ready(self) -> Sequence[str]:
        """Why nobody in Slack would be heard."""
        return () if self._handler.client.is_connected() else ("the connection to Slack is not open",)

    def _keep(self) -> None:
        failures = 0
        while not self._stopped.wait(LOOK_SECONDS):
            if self._handler.client.is_connected():
                failures = 0
                continue
            try:
                self._handler.client.connect_to_new_endpoint()
            except Exception as error:  # noqa: BLE001 - whatever it is, the next try may not meet it
                log.warning("Could not connect to Slack: %s", type(error).__name__)
                self._stopped.wait(PAUSES[min(failures, len(PAUSES) - 1)])
                failures += 1
            else:
                log.info("Connected to Slack")


class _Handler(SocketModeHandler):
    """Bolt's, timed."""

    answered: Callable[[int, float], None]

    def handle(self, client: SocketModeClient, req: SocketModeRequest) -> None:  # type: ignore[override]  # as Bolt has it
        began = time.monotonic()
        answer = run_bolt_app(self.app, req)
        send_response(client, req, answer, time.time())
        self.answered(answer.status, time.monotonic() - began)
