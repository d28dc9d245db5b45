"""The worker process of `tuppence serve`: handlers as durable work, and what is done by the clock."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from functools import partial
from multiprocessing.connection import Connection
from typing import NamedTuple, TypeVar

from bot.adapters.records import Records
from bot.adapters.records_work import WorkDatabase, work_database
from bot.composition.allocation import Allocating
from bot.composition.analysing import Analysing
from bot.composition.digests import Digests, channels
from bot.composition.github_bot import GitHubBot
from bot.composition.replica import Replica
from bot.composition.savings import Savings
from bot.composition.slack_bot import SlackBot
from bot.composition.worker_start import STOP_SECONDS
from bot.entrypoints import digest_jobs, github_jobs, savings_jobs, slack_jobs, worker_process
from bot.entrypoints.deliveries import Queue, Spool, Taking
from bot.entrypoints.github_jobs import GitHubWorkflows
from bot.entrypoints.jobs import Jobs, Json, Workflows
from bot.entrypoints.maintenance_jobs import MaintenanceWorkflows
from bot.entrypoints.savings_jobs import SavingsWorkflows
from bot.entrypoints.schedule import Schedule
from bot.entrypoints.slack_jobs import SlackWorkflows
from bot.errors import OutsideError, UserError
from bot.handlers.retention import purge_records
from bot.logs import configure
from bot.metrics import WorkMetrics
from bot.redaction import Redactor
from bot.server_config import ServerConfig
from bot.settings import GitHubSettings, ServeSettings, Settings, SlackSettings, secrets_of
from bot.web_links import web_address

FIVE_MINUTES, HOUR = 300.0, 3600.0
S = TypeVar("S", digest_jobs.Steps, github_jobs.Steps, savings_jobs.Steps, slack_jobs.Steps)
log = logging.getLogger(__name__)


def work(
    pipe: Connection,
    settings: Settings,
    config: ServerConfig,
    serving: ServeSettings,
    rehearsed: bool,  # noqa: FBT001 - travels to another process
) -> None:
    """Work until the listening process says to stop. `rehearsed`: print what would be written."""
    secrets = secrets_of(settings, serving)
    redactor = Redactor(secrets)
    configure(redactor)
    records = Records(settings.database_url)
    database = work_database(settings.database_url)
    given = _Given(
        settings, config, records, redactor, secrets, WorkMetrics(database.undone), rehearsed=rehearsed
    )
    parts = [_keeping(given), *_on_github_and_in_slack(given, serving)]
    if serving.slack is not None and channels(config):
        parts.append(_digests(given, serving.slack, serving.github))
    replica = Replica(database, settings.database_url, serving.port)
    jobs = Jobs(database.url, replica.executor, [one for part in parts for one in part.workflows])
    schedule = Schedule()
    try:
        database.prepare()
        replica.start()
        jobs.start()
        replica.take_over(jobs, schedule, given.metrics)
        for part in parts:
            part.begin(schedule)
        schedule.start()
        with _taking(database):
            worker_process.answer(
                pipe,
                ready=lambda: [*records.check(), *jobs.ready(), *schedule.ready()],
                metrics=given.metrics.render,
            )
    except (UserError, OutsideError) as error:
        log.error("The worker cannot start: %s", error)
    finally:
        schedule.stop()
        replica.stop()
        jobs.stop(STOP_SECONDS)
        for part in parts:
            part.stop()
        records.close()


@dataclass(frozen=True, slots=True)
class _Given:
    settings: Settings
    config: ServerConfig
    records: Records
    redactor: Redactor
    secrets: Sequence[str]
    metrics: WorkMetrics
    rehearsed: bool


class _Part(NamedTuple):
    """What is done for one outside system: its work, what begins with it or by the clock, and its end."""

    workflows: Sequence[Workflows]
    begin: Callable[[Schedule], None]
    stop: Callable[[], None]


def _keeping(given: _Given) -> _Part:
    """Our own records. What is to be done once a day is asked for every hour."""
    days, records = given.config.retention_days, given.records
    maintenance = MaintenanceWorkflows(lambda: purge_records(days, records=records, now=datetime.now(UTC)))
    allocating = Allocating(given.settings, given.config, records.costs, given.secrets)

    def begin(schedule: Schedule) -> None:
        schedule.every(HOUR, "purge", lambda: maintenance.purge(f"{datetime.now(UTC):%Y-%m-%d}"))
        if not given.rehearsed:  # which is about what is written: Prometheus need not be asked for a month
            schedule.every(FIVE_MINUTES, "allocate", allocating.start)

    return _Part([maintenance, allocating.workflows], begin, allocating.stop)


def _on_github(given: _Given, github: GitHubSettings, looking: SavingsWorkflows | None) -> _Part:
    settings, config, metrics = given.settings, given.config, given.metrics
    bot = GitHubBot(
        settings,
        config,
        github,
        given.records,
        given.redactor,
        rehearsed=given.rehearsed,
        answered=metrics.github_answered,
    )
    analysing = Analysing(settings, config, github, given.secrets, rehearsed=given.rehearsed)
    steps = bot.steps(analyse=analysing.analyse)
    workflows = GitHubWorkflows(_watched(metrics, steps))
    if looking is not None:
        workflows.pushed, workflows.closed = looking.pushed, looking.closed

    def begin(schedule: Schedule) -> None:
        schedule.every(HOUR, "measure", lambda: bot.start_measuring(workflows))

    return _Part([workflows], begin, analysing.stop)


def _on_github_and_in_slack(given: _Given, serving: ServeSettings) -> Iterator[_Part]:
    """What is said and found on GitHub, what is asked and decided in Slack, where each of them is set up."""
    settings, config, metrics, records = given.settings, given.config, given.metrics, given.records
    savings = None
    if serving.github is not None and not given.rehearsed:  # which is about what is written on pull requests
        savings = Savings(
            settings,
            config,
            serving.github,
            records,
            given.secrets,
            minted=given.redactor.add,
            answered=metrics.github_answered,
        )
    bot = None
    if serving.slack is not None:
        check_stale = savings.check_stale if savings else None
        bot = SlackBot(
            settings,
            config,
            serving.slack,
            given.secrets,
            records=records,
            check_stale=check_stale,
            web=web_address(serving.github.api_url) if serving.github else "",
        )
    looking = None
    if savings is not None:
        told = (bot.became, bot.tell_approver) if bot else (_is_told, _to_nobody)
        looking = SavingsWorkflows(_watched(metrics, savings.steps(*told)))
        yield _Part([looking], partial(_begin_looking, savings, looking), savings.stop)
    if serving.github is not None:
        yield _on_github(given, serving.github, looking)
    if bot is not None:
        slack = SlackWorkflows(_watched(metrics, bot.steps()), *([looking.right_size] if looking else []))
        yield _Part([slack], lambda _: bot.warm(), bot.stop)


def _begin_looking(savings: Savings, looking: SavingsWorkflows, schedule: Schedule) -> None:
    schedule.every(HOUR, "scans", lambda: savings.start(looking))


def _is_told(_recommendation: str, _became: Json) -> bool:
    """There is no Slack, and nobody to tell."""
    return True


def _to_nobody(_recommendation: str, _became: Json) -> None:
    """There is no Slack."""


def _digests(given: _Given, slack: SlackSettings, github: GitHubSettings | None) -> _Part:
    web = web_address(github.api_url) if github is not None else ""
    digests = Digests(given.settings, given.config, slack, given.records, given.secrets, web=web)
    digests.workflows.steps = _watched(given.metrics, digests.workflows.steps)
    return _Part([digests.workflows], digests.begin, digests.stop)


def _watched(metrics: WorkMetrics, steps: S) -> S:
    """The steps, counted and timed under their names."""
    names = [each.name for each in fields(steps)]
    return replace(steps, **{name: metrics.watched(name, getattr(steps, name)) for name in names})


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
