"""The composition root of `tuppence serve`: a process that listens, and beside it one that works.

Everything it starts it also stops; nothing is connected when this module is imported.
"""

from __future__ import annotations

from bot.adapters.records import Records
from bot.adapters.records_work import work_database
from bot.composition.worker import STOP_SECONDS, work
from bot.entrypoints import http_app, serving
from bot.entrypoints.deliveries import Deliveries, Queue, Spool
from bot.entrypoints.github_jobs import work_of
from bot.entrypoints.worker_process import WorkerProcess
from bot.errors import UserError
from bot.logs import configure
from bot.metrics import Metrics
from bot.redaction import Redactor
from bot.server_config import ServerConfig
from bot.settings import ServeSettings, Settings, secrets_of


def serve(
    settings: Settings, serving_settings: ServeSettings, config: ServerConfig, *, rehearsed: bool = False
) -> None:
    """Run until SIGTERM; `rehearsed`: print what would be written on GitHub.

    Raises UserError where nothing is set up.
    """
    github = serving_settings.github
    if github is None:
        raise UserError(
            "nothing to serve: set GITHUB_APP_ID, GITHUB_APP_PRIVATE_KEY and GITHUB_WEBHOOK_SECRET"
        )
    configure(Redactor(secrets_of(settings, github)))
    records = Records(settings.database_url)
    records.prepare()
    records.close()
    worker = WorkerProcess(work, (settings, config, github, rehearsed))
    worker.start()
    database = work_database(settings.database_url)
    deliveries: Deliveries = Spool(database.inbox) if database.inbox else Queue(database.url)
    try:
        app = http_app.make_app(
            ready=worker.ready,
            metrics=Metrics(others=worker.metrics),
            receive=lambda delivery, event: deliveries.put(work_of(delivery, event)),
            secrets=github.webhook_secrets,
        )
        serving.run(app, host=serving_settings.host, port=serving_settings.port)
    finally:
        worker.stop(STOP_SECONDS + 1)
        deliveries.close()
