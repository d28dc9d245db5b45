"""Weekly digests in Slack: the steps of their durable workflow, and when they are started.

They are made in a process of their own, so that neither an analysis nor an answer is held up.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from bot.adapters.records import Records
from bot.adapters.records_work import work_database
from bot.adapters.slack_api import SlackApi
from bot.adapters.slack_files import SlackWebFiles
from bot.adapters.slack_messages import SlackWebMessages
from bot.composition.allocation import priced_clusters
from bot.composition.processes import RESTS_AFTER, Processes, ends_after
from bot.composition.unused import UnusedClusters
from bot.cost_answer import CostRefusal
from bot.digest import ALL_TEAMS, Digest
from bot.digest_json import digest_from, digest_json
from bot.digest_slack import Picture
from bot.entrypoints.digest_jobs import DigestWorkflows, Steps
from bot.entrypoints.jobs import Json
from bot.entrypoints.schedule import Schedule
from bot.handlers.focus_export import export_focus
from bot.handlers.post_digest import attach_file, post_digest
from bot.handlers.show_digest import Showing, as_it_is, content_with
from bot.handlers.weekly_digest import weekly_digest
from bot.logs import configure
from bot.recommendation_records import KeptDigest
from bot.redaction import Redactor
from bot.server_config import ServerConfig
from bot.settings import Settings, SlackSettings
from bot.weeks import IsoWeek, due_at, last_due, parse_week

AT_ONCE = 1
LONGEST_SECONDS = 300
UNUSED_SECONDS = 45.0
"""For each of four requests: nobody waits for a digest, but it is not to fail for this."""
LOOK_SECONDS = 10.0
"""How often it is looked whether a digest is due; each is tried once an hour."""
MADE_OF = ("allocate", "scans", "scan")
"""The work that a digest tells of: hours of cost, and a look at each repository."""
MADE_WITHIN = timedelta(hours=1)
"""How long a digest waits for that work after it is due, and after a start. Then it tells what is missing."""
TOO_LATE = timedelta(days=6)
"""Then the next digest is nearly due."""
HOURS_COME_IN = timedelta(days=1)
WHOLE = Decimal("0.9")
"""Of a week of which less was measured the digest waits for a day: after an outage hours still come in."""
_making: _Making


def channels(config: ServerConfig) -> Mapping[str, str]:
    """Where digests go, by team; that of all teams is finance's."""
    teams = {team.name: team.channel for team in config.teams if team.channel}
    finance = config.digest.finance_channel
    return {**teams, ALL_TEAMS: finance} if finance else teams


class DigestPosts:
    """What posts digests, with what Slack has to do with it."""

    def __init__(self, config: ServerConfig, slack: SlackSettings, records: Records) -> None:
        api = SlackApi(slack.bot_token, slack.api_url)
        self._messages, self._files = SlackWebMessages(api), SlackWebFiles(api)
        self._channels, self._records = channels(config), records

    def show(self, team: str, week: str, png: bytes, alt: str) -> Picture:
        """Give Slack the picture of a digest. Raises SlackUnavailable, SlackRefused."""
        return Picture(self._files.picture(f"{team or 'all-teams'}-{week}.png", png, alt), alt)

    def post(self, team: str, week: str, digest: Json, picture: Picture | None, now: datetime) -> Json:
        """See that it is in its channel: where, and whether it is `new`.

        Raises SlackUnavailable, SlackRefused, StoreUnavailable.
        """
        content = content_with(digest, picture)
        wanted = KeptDigest(team=team, week=week, channel=self._channels[team], content=content, begun_at=now)
        records = self._records
        showing = Showing(
            records.digests,
            records.recommendations,
            records.recommendation_decisions,
            records.right_sizing,
            self._messages,
        )
        posted = post_digest(
            wanted,
            digests=records.digests,
            messages=self._messages,
            render=lambda kept: as_it_is(kept, showing, now),
            now=now,
        )
        return {"channel": posted.channel, "timestamp": posted.timestamp, "new": posted.posted_at == now}

    def attach(self, week: str, content: bytes) -> bool:
        """Put finance's file below its digest, unless it is there. Raises as `post`."""
        name = f"tuppence-all-teams-{week}.focus.csv"
        said = "Every workload, day by day, in the columns of FOCUS 1.2."
        return attach_file(
            ALL_TEAMS, week, name, content, said, digests=self._records.digests, files=self._files
        )


class Digests:
    """The steps, the process that takes the heavy ones, and the clock."""

    def __init__(
        self,
        settings: Settings,
        config: ServerConfig,
        slack: SlackSettings,
        records: Records,
        secrets: Sequence[str],
        *,
        web: str,
    ) -> None:
        """`web` is where people look at repositories, `""` where there is no such place."""
        self._config, self._records = config, records
        self._work, self._started = work_database(settings.database_url), _now()
        self._tried = ("", "")
        self._posts = DigestPosts(config, slack, records)
        given = (settings, config, web, tuple(secrets))
        self._processes = Processes("digest", AT_ONCE, _begin, given, rests_after=RESTS_AFTER)
        self.workflows = DigestWorkflows(
            Steps(make=self._make, draw=self._draw, post=self._post, attach=self._attach)
        )
        self.stop = self._processes.stop

    def begin(self, schedule: Schedule) -> None:
        """By the clock; and soon after the start and each hour what is due and was not posted."""
        schedule.weekly(self._config.digest, "digest", self.start)
        schedule.every(LOOK_SECONDS, "digests that are due", self.start)

    def start(self) -> None:
        """Start what is due now and not posted yet: once an hour, when what it tells of is there."""
        now = _now()
        week, hour = last_due(now, self._config.digest), f"{now:%Y-%m-%dT%H}"
        late = now - due_at(week, self._config.digest) > TOO_LATE
        if late or self._tried == (str(week), hour) or self._is_being_made(week, now):
            return
        for team in channels(self._config):
            kept = self._records.digests.find(team, str(week))
            if kept is None or not kept.timestamp:
                self.workflows.digest(team, str(week), hour)
        self._tried = (str(week), hour)

    def _is_being_made(self, week: IsoWeek, now: datetime) -> bool:
        """Whether there is more to tell soon: before the first look at a repository nothing can be saved."""
        since = max(due_at(week, self._config.digest), self._started)
        return now < since + MADE_WITHIN and self._work.under_way(*MADE_OF)

    def _make(self, team: str, week: str) -> Json:
        kept = self._records.digests.find(team, week)
        if kept is not None and kept.timestamp:
            return {"digest": None, "why": "it is posted already"}
        if team not in channels(self._config):
            return {"digest": None, "why": "it has no channel any more"}
        made: Json = self._processes.call(_make, team, week, _now())
        return made

    def _draw(self, digest: Json) -> Json | None:
        if digest["quiet"]:
            return None
        png, alt = self._processes.call(_draw, digest)
        return self._posts.show(digest["team"], digest["week"], png, alt)._asdict()

    def _post(self, team: str, week: str, digest: Json, picture: Json | None) -> Json:
        shown = Picture(**picture) if picture else None
        return self._posts.post(team, week, digest, shown, _now())

    def _attach(self, week: str) -> bool:
        return self._posts.attach(week, self._processes.call(_focus, week))


class _Making:
    """What the pool's process keeps between calls."""

    def __init__(self, settings: Settings, config: ServerConfig, web: str) -> None:
        self._records, self._config, self._web = Records(settings.database_url), config, web
        self._unused = UnusedClusters(
            settings, config, priced_clusters(settings, config), request_seconds=UNUSED_SECONDS
        )

    def make(self, team: str, week: str, now: datetime) -> Json:
        """The digest, unless its hours are still to come in or nothing was measured at all."""
        records = self._records
        found = weekly_digest(
            team,
            parse_week(week),
            costs=records.costs,
            recommendations=records.recommendations,
            decisions=records.recommendation_decisions,
            pulls=records.right_sizing,
            predictions=records.predictions,
            config=self._config,
            at=now,
            unused=self._unused.now(),
            web=self._web,
        )
        if isinstance(found, CostRefusal):
            return {"digest": None, "why": " ".join(found.sentences)}
        if why := _not_yet(found, now, due_at(parse_week(week), self._config.digest)):
            return {"digest": None, "why": why}
        return {"digest": digest_json(found), "why": ""}

    def focus(self, week: str) -> bytes:
        """Finance's file."""
        return export_focus(parse_week(week), costs=self._records.costs, config=self._config).encode()


def _not_yet(digest: Digest, now: datetime, due: datetime) -> str:
    """Why a digest is not to be posted now; `""` where it is."""
    if digest.total is None:
        return "no hour of the week was measured"
    if digest.coverage < WHOLE and now < due + HOURS_COME_IN:
        return f"only {round(100 * digest.coverage)} % of the week's hours are there yet"
    return ""


def _begin(settings: Settings, config: ServerConfig, web: str, secrets: Sequence[str]) -> None:
    global _making  # noqa: PLW0603 - the one thing that a pool's process keeps between calls
    configure(Redactor(secrets))
    _making = _Making(settings, config, web)


def _make(team: str, week: str, now: datetime) -> Json:
    with ends_after(LONGEST_SECONDS):
        return _making.make(team, week, now)


def _draw(digest: Json) -> tuple[bytes, str]:
    from bot.digest_chart import digest_chart  # noqa: PLC0415 - matplotlib takes a second and 60 MB

    with ends_after(LONGEST_SECONDS):
        chart = digest_chart(digest_from(digest))
        return chart.png, chart.alt


def _focus(week: str) -> bytes:
    with ends_after(LONGEST_SECONDS):
        return _making.focus(week)


def _now() -> datetime:
    return datetime.now(UTC)
