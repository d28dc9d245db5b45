"""The worker process of `tuppence serve`: handlers as durable work, and what is done by the clock."""

from __future__ import annotations

import logging
import socket
from multiprocessing.connection import Connection

from bot.adapters.records import Records
from bot.composition.github_bot import GitHubBot
from bot.entrypoints import worker_process
from bot.entrypoints.github_jobs import GitHubWorkflows
from bot.entrypoints.jobs import Jobs
from bot.entrypoints.schedule import Schedule
from bot.errors import OutsideError, UserError
from bot.logs import configure
from bot.metrics import WorkMetrics
from bot.redaction import Redactor
from bot.settings import GitHubSettings, Settings, secrets_of

STOP_SECONDS = 9
"""For steps under way, of the fifteen that the whole bot has."""
log = logging.getLogger(__name__)


def work(pipe: Connection, settings: Settings, github: GitHubSettings, rehearsed: bool) -> None:  # noqa: FBT001 - travels to another process
    """Work until the listening process says to stop. `rehearsed`: print what would be written on GitHub."""
    redactor = Redactor(secrets_of(settings, github))
    configure(redactor)
    records = Records(settings.database_url)
    metrics = WorkMetrics()
    bot = GitHubBot(settings, github, records, redactor, rehearsed=rehearsed)
    workflows = GitHubWorkflows(bot.steps())
    jobs = Jobs(work_database(settings.database_url), socket.gethostname(), [workflows])
    schedule = Schedule(lambda: bot.start_measuring(workflows))
    try:
        jobs.start()
        schedule.start()
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
        records.close()


def work_database(database_url: str) -> str:
    """Where work is kept: in the records' PostgreSQL, but beside their SQLite file, which has one writer."""
    path, dot, ending = database_url.rpartition(".")
    return f"{path}-work.{ending}" if dot and database_url.startswith("sqlite:") else database_url
