"""The composition root of `tuppence serve`: a process that listens, and beside it one that works.

Everything it starts it also stops; nothing is connected when this module is imported.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from socket import socket

from bot.adapters.records_database import Database
from bot.adapters.records_work import work_database
from bot.composition import worker_start
from bot.entrypoints import http_app, serving
from bot.entrypoints.deliveries import Deliveries, Queue, Spool, Work
from bot.entrypoints.github_jobs import work_of
from bot.entrypoints.worker_process import WorkerProcess
from bot.errors import UserError
from bot.logs import configure
from bot.metrics import Metrics
from bot.redaction import Redactor
from bot.server_config import ServerConfig
from bot.settings import ServeSettings, Settings, SlackSettings, secrets_of

log = logging.getLogger(__name__)


def serve(
    settings: Settings, serving_settings: ServeSettings, config: ServerConfig, *, rehearsed: bool = False
) -> None:
    """Run until SIGTERM; `rehearsed`: print what would be written.

    Raises UserError where nothing is set up.
    """
    github, slack = serving_settings.github, serving_settings.slack
    if github is None and slack is None:
        raise UserError(
            "nothing to serve: set GITHUB_APP_ID, GITHUB_APP_PRIVATE_KEY and GITHUB_WEBHOOK_SECRET, "
            "or SLACK_BOT_TOKEN and SLACK_SIGNING_SECRET (or SLACK_APP_TOKEN)"
        )
    configure(Redactor(secrets_of(settings, serving_settings)))
    for name, found in {"GitHub": github, "Slack": slack}.items():
        if found is None:
            log.info("%s is not set up: docs/settings.md says which variables it needs", name)
    # Before anything else: a second bot at the same address must not take over the work of the first.
    with serving.listening(serving_settings.host, serving_settings.port) as address:
        _serve(address, settings, config, serving_settings, rehearsed=rehearsed)


def _serve(
    address: socket,
    settings: Settings,
    config: ServerConfig,
    serving_settings: ServeSettings,
    *,
    rehearsed: bool,
) -> None:
    github, slack = serving_settings.github, serving_settings.slack
    records = Database(settings.database_url)
    records.prepare()
    records.close()
    worker = WorkerProcess(worker_start.begin, (settings, config, serving_settings, rehearsed))
    worker.start()
    database = work_database(settings.database_url)
    deliveries: Deliveries = Spool(database.inbox) if database.inbox else Queue(database.url)
    metrics = Metrics(others=worker.metrics)
    listener = SlackListener(slack, deliveries.put, metrics.slack_request) if slack else None
    unheard = listener.ready if listener else tuple
    try:
        app = http_app.make_app(
            # Without a connection to Slack, GitHub is still to be heard.
            ready=worker.ready if github else lambda: [*worker.ready(), *unheard()],
            remarks=unheard,
            metrics=metrics,
            receive=(lambda delivery, event: deliveries.put(work_of(delivery, event))) if github else None,
            secrets=github.webhook_secrets if github else (),
            more=listener.routes if listener else (),
        )
        if listener is not None:
            listener.start()
        serving.run(app, address)
    finally:
        if listener is not None:
            listener.stop()
        worker.stop(worker_start.STOP_SECONDS + 1)
        deliveries.close()


class SlackListener:
    """What takes Slack's requests: signed ones over HTTP, and those of Socket Mode where there is a token."""

    def __init__(
        self, slack: SlackSettings, store: Callable[[Work], None], answered: Callable[[int, float], None]
    ) -> None:
        """`answered` is told the status of each answer, and the seconds that it took."""
        from bot.entrypoints.slack_http import slack_route  # noqa: PLC0415 - slow to import, and not always needed
        from bot.entrypoints.slack_listener import dispatch, make_slack_app  # noqa: PLC0415
        from bot.entrypoints.slack_socket import SlackSocket  # noqa: PLC0415

        app = make_slack_app(
            bot_token=slack.bot_token,
            signing_secret=slack.signing_secret,
            api_url=slack.api_url,
            store=store,
        )
        signed = bool(slack.signing_secret)
        route = slack_route(lambda body, headers: dispatch(app, body, headers), answered)
        self.routes = [route] if signed else []
        self._socket = SlackSocket(app, slack.app_token, answered) if slack.app_token else None

    def ready(self) -> Sequence[str]:
        """Why nobody in Slack would be heard."""
        return self._socket.ready() if self._socket else ()

    def start(self) -> None:
        """Connect to Slack, where it is we who call."""
        if self._socket is not None:
            self._socket.start()

    def stop(self) -> None:
        """Take nothing more."""
        if self._socket is not None:
            self._socket.stop()
