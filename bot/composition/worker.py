"""The worker process of `tuppence serve`: handlers as durable work, and what is done by the clock."""

from __future__ import annotations

import logging
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import fields
from datetime import UTC, datetime
from multiprocessing.connection import Connection

from bot.adapters.records import Records
from bot.adapters.records_work import WorkDatabase, work_database
from bot.composition.allocation import Allocating
from bot.composition.analysing import Analysing
from bot.composition.github_bot import GitHubBot
from bot.entrypoints import worker_process
from bot.entrypoints.deliveries import Queue, Spool, Taking
from bot.entrypoints.github_jobs import GitHubWorkflows, Steps
from bot.entrypoints.jobs import Jobs
from bot.entrypoints.maintenance_jobs import MaintenanceWorkflows
from bot.entrypoints.schedule import Schedule
from bot.errors import OutsideError, UserError
from bot.handlers.retention import purge_records
from bot.logs import configure
from bot.metrics import WorkMetrics
from bot.redaction import Redactor
from bot.server_config import ServerConfig
from bot.settings import GitHubSettings, Settings, secrets_of

FIVE_MINUTES, HOUR = 300.0, 3600.0
STOP_SECONDS = 9
"""For steps under way, of the fifteen that the whole bot has."""
log = logging.getLogger(__name__)


def work(
    pipe: Connection,
    settings: Settings,
    config: ServerConfig,
    github: GitHubSettings,
    rehearsed: bool,  # noqa: FBT001 - travels to another process
) -> None:
    """Work until the listening process says to stop. `rehearsed`: print what would be written on GitHub."""
    secrets = secrets_of(settings, github)
    redactor = Redactor(secrets)
    configure(redactor)
    records = Records(settings.database_url)
    database = work_database(settings.database_url)
    metrics = WorkMetrics(database.undone)
    bot = GitHubBot(
        settings, config, github, records, redactor, rehearsed=rehearsed, answered=metrics.github_answered
    )
    analysing = Analysing(settings, config, github, rehearsed=rehearsed)
    steps = bot.steps(analyse=analysing.analyse)
    watched = {each.name: metrics.watched(each.name, getattr(steps, each.name)) for each in fields(steps)}
    workflows = GitHubWorkflows(Steps(**watched))
    maintenance = MaintenanceWorkflows(
        lambda: purge_records(config.retention_days, records=records, now=datetime.now(UTC))
    )
    allocating = Allocating(settings, config, records.costs, secrets)
    jobs = Jobs(database.url, socket.gethostname(), [workflows, maintenance, allocating.workflows])
    schedule = _schedule(bot, workflows, maintenance)
    if not rehearsed:  # which is about GitHub: Prometheus need not be asked for a month
        schedule.every(FIVE_MINUTES, "allocate", allocating.start)
    try:
        database.prepare()
        jobs.start()
        schedule.start()
        with _taking(database):
            worker_process.answer(
                pipe,
                ready=lambda: [*records.check(), *jobs.ready(), *schedule.ready()],
                metrics=metrics.render,
            )
    except (UserError, OutsideError) as error:
        log.error("The worker cannot start: %s", error)
    finally:
        schedule.stop()
        jobs.stop(STOP_SECONDS)
        analysing.stop()
        allocating.stop()
        records.close()


def _schedule(bot: GitHubBot, workflows: GitHubWorkflows, maintenance: MaintenanceWorkflows) -> Schedule:
    """All that is started by the clock. What is to be done once a day is asked for every hour."""
    schedule = Schedule()
    schedule.every(HOUR, "measure", lambda: bot.start_measuring(workflows))
    schedule.every(HOUR, "purge", lambda: maintenance.purge(f"{datetime.now(UTC):%Y-%m-%d}"))
    return schedule


@contextmanager
def _taking(database: WorkDatabase) -> Iterator[None]:
    """Make work of what the listening process stores."""
    if database.inbox is None:
        yield
        return
    queue = Queue(database.url)
    taking = Taking(Spool(database.inbox), queue.put)
    taking.start()
    try:
        yield
    finally:
        taking.stop()
        queue.close()
