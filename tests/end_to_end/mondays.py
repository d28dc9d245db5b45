"""A shop's month in a real Prometheus, and `tuppence serve` between its GitHub, its Slack and its database."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import String, column, delete, or_, select, table

from bot.adapters.records import Records
from bot.adapters.records_database import Database
from bot.adapters.records_work import work_database
from bot.composition.digest_cli import DigestOptions, tell_digest
from bot.recommendation_records import KeptRecommendation
from bot.weeks import DAYS_OF_WEEK, week_of
from estimators.allocate import allocate
from tests.allocation_past import BEGIN, NodeLife, PodLife, Town
from tests.cost_samples import cluster_hour
from tests.end_to_end.bots import Bot, running, wait_for
from tests.github.model import Pull, Repository
from tests.github.service import GitHub
from tests.prometheus_blocks import write_blocks
from tests.prometheus_server import serving
from tests.slack.model import Channel, Message, User
from tests.slack.service import Slack, slack

DAYS = 17
MERGED_AGO = timedelta(days=8)
USED = (0.4, 0.5)
"""Cores and GiB of each of the two pods of every workload, all the time."""
FITS = 0.5
"""Cores that a pod which uses so many may ask for; each asks for two."""
LIVES = ("api", "rejected", "snoozed", "changed", "shared", "lowered")
CONFIG = """
digest: {{day: {day}, time: "00:00"}}
teams:
  - {{name: checkout, namespaces: [payments], channel: {channel}, approvers: {{slack_group: sre}}}}
{more}
"""


MANIFEST = """\
# {name}: one of the shop's services
apiVersion: apps/v1
kind: Deployment
metadata: {{name: {name}, namespace: payments}}
spec:
  replicas: 2
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec:
      containers:
        - name: app
          image: registry.example/{name}:1
          resources:
            requests:
              cpu: {cpu}  # asked for on the first day
              memory: 640Mi
"""


def manifest(name: str, cpu: str = "2") -> str:
    """Two pods, whose CPU request has a comment beside it."""
    return MANIFEST.format(name=name, cpu=cpu)


def shared_manifest(name: str) -> str:
    """The same, where the request is what an annotation says as well: no edit of a file moves one alone."""
    annotated = 'namespace: payments, annotations: {shop/cores: &cores "2"}}'
    return manifest(name, "*cores").replace("namespace: payments}", annotated)


@contextmanager
def a_month(folder: Path) -> Iterator[str]:
    """The address of its Prometheus. The requests of `api` fell when its change is said to be merged.

    A pod of before that was evicted is still listed, so that the request which is found also runs.
    """
    begin = datetime.now(UTC) - timedelta(days=DAYS)
    later = int((begin - BEGIN).total_seconds()) + 120
    write_blocks(folder, [replace(one, times=one.times + later) for one in _town().series()])
    with serving(folder, "--query.lookback-delta=150s") as address:
        yield address


def _town() -> Town:
    whole = timedelta(days=DAYS, hours=3) / timedelta(minutes=1)  # the tests take a while
    rolled_out = (timedelta(days=DAYS) - MERGED_AGO) / timedelta(minutes=1)
    lives = [("api", "api-1", (0.0, rolled_out), 2.0), ("api", "api-2", (rolled_out, whole), FITS)]
    lives += [(name, f"{name}-1", (0.0, whole), 2.0) for name in LIVES if name != "api"]
    return Town(
        whole,
        (NodeLife("steady", (0.0, whole), cores=32.0, gib=64.0),),
        tuple(
            PodLife(
                "payments", f"{owner}-{index}", "steady", life, ("ReplicaSet", owner),
                {"cpu": cores, "memory": 0.625}, USED, known=(life[0], whole if index else life[1]),
            )
            for _, owner, life, cores in lives
            for index in range(2)
        ),
        above={("ReplicaSet", "payments", owner): ("Deployment", name) for name, owner, *_ in lives},
        scrape=120,
    )  # fmt: skip


@dataclass(slots=True)
class Monday:
    """Everything that takes part. `ana` and `bea` may approve, `cy` may not."""

    hub: GitHub
    slack: Slack
    bot: Bot
    config: Path
    channel: Channel
    ana: User
    bea: User
    cy: User

    @contextmanager
    def records(self) -> Iterator[Records]:
        """What the bot keeps."""
        with closing(Records(self.bot.environment["TUPPENCE_DATABASE_URL"])) as records:
            yield records

    def found(self, name: str) -> KeptRecommendation:
        """The recommendation about a workload that the newest scan has."""
        with self.records() as records:
            [kept] = [one for one in records.recommendations.open_ones() if one.name == name]
        return kept

    def digests(self) -> list[Message]:
        """Those that stand in the channel, the oldest first."""
        return [one for one in self.slack.messages(self.channel) if one.thread_ts is None]

    def shown(self) -> str:
        """All that the newest of them says."""
        return text_of(self.digests()[-1])

    def click(self, user: User, action: str, name: str) -> float:
        """Press a button of a workload in the digest; the seconds until Slack had its answer."""
        came = self.slack.people.click(user, self.digests()[-1], action, value=self.found(name).id)
        assert (came.status, came.body) == (200, "")
        return came.seconds

    def told(self, user: User) -> str:
        """The newest of what somebody alone was told; `""` where that is nothing."""
        return "".join(one.text for one in self.slack.ephemerals(user, self.channel)[-1:])

    def predicted(self, repository: Repository, pull: Pull) -> bool:
        """Whether what a merged change was said to save is kept."""
        with self.records() as records:
            return records.predictions.find(repository.id, pull.number) is not None

    def open_pulls(self) -> bool:
        """Whether the bot knows of any pull request of its own that is open."""
        with self.records() as records:
            return bool(records.right_sizing.open_ones())

    def wait(self, true: Callable[[], object], what: str) -> None:
        """Until it is true; else what the bot logged."""
        wait_for(true, what=what, told=self.bot.log.read_text)

    def scans(self) -> int:
        """How often repositories were looked at."""
        return self.bot.log.read_text().count("Looked for savings")

    def tomorrow(self) -> None:
        """The bot after a night in which it was killed: it looks anew, and ends what it had begun."""
        self.bot.kill_all()
        work = work_database(self.bot.environment["TUPPENCE_DATABASE_URL"])
        schema = "dbos" if work.inbox is None else None
        of_work, status = column("workflow_uuid", String), column("status", String)
        began = table("workflow_status", of_work, status, schema=schema)
        looks = or_(of_work.like("scan%"), of_work.like("upkeep%"))
        over = select(began.c.workflow_uuid).where(began.c.status == "SUCCESS", looks)
        outputs = table("operation_outputs", column("workflow_uuid", String), schema=schema)
        with closing(Database(work.url)) as database, database.writing() as connection:
            names = connection.scalars(over).all()
            for done in (outputs, began):
                connection.execute(delete(done).where(done.c.workflow_uuid.in_(names)))
        self.bot.start()

    def next_digest(self, monkeypatch: pytest.MonkeyPatch) -> str:
        """What that of the week that is now will say, posted on its Monday."""
        week = week_of(datetime.now(UTC))
        with self.records() as records:  # one hour of it at least: it may have just begun
            hour = allocate(cluster_hour(week.start))
            records.costs.keep("elsewhere", [hour], currency="USD", at=week.start)
        for name, value in self.bot.environment.items():
            monkeypatch.setenv(name, value)
        before = len(self.digests())
        options = DigestOptions(team="checkout", week=str(week), config=self.config, post=True)
        tell_digest(options, now=week.end + timedelta(hours=9))
        assert len(self.digests()) == before + 1
        return self.shown()


@contextmanager
def monday(
    hub: GitHub, url: str, folder: Path, *, database: str, more: str = "", files: Mapping[str, str]
) -> Iterator[tuple[Monday, Repository]]:
    """The bot has started: it has a repository to look at, and yesterday's digest to post. `more` configures it."""
    repository = hub.people.repository("acme/shop", files)
    hub.people.install(repository.owner)
    with slack() as service:
        ana, bea, cy = (service.person(name) for name in ("ana", "bea", "cy"))
        service.group("sre", ana, bea)
        channel = service.channel("checkout", ana, bea, cy)
        day = DAYS_OF_WEEK[(datetime.now(UTC) - timedelta(days=1)).weekday()]
        config = folder / "tuppence.yaml"
        config.write_text(CONFIG.format(day=day, channel=channel.id, more=more))
        surroundings = {
            "PROMETHEUS_URL": url,
            "TUPPENCE_DATABASE_URL": database,
            "SLACK_BOT_TOKEN": service.bot_token,
            "SLACK_SIGNING_SECRET": service.signing_secret,
            "SLACK_API_URL": service.api_url,
        }
        with running(hub, folder, options=["--config", str(config)], **surroundings) as bot:
            service.events_url = f"{bot.url}/slack/events"
            yield Monday(hub, service, bot, config, channel, ana, bea, cy), repository
        service.assert_clean()


def text_of(message: Message) -> str:
    """All that it says, as JSON of Slack's blocks."""
    return as_read(json.dumps(message.blocks, ensure_ascii=False))


def as_read(text: str) -> str:
    """Without what nobody sees: signs that keep strangers' text from meaning anything, and lines together."""
    return re.sub("[\u2060\u200b]", "", text.replace("\xa0", " ").replace("&nbsp;", " "))


def difference(repository: Repository, pull: Pull) -> list[str]:
    """The lines that a pull request takes away and adds."""
    told = repository.git.git("diff", "--unified=0", "refs/heads/main", pull.head_sha).decode()
    return [line for line in told.splitlines() if line[:1] in "+-" and line[:3] not in ("+++", "---")]


def ours(repository: Repository) -> list[Pull]:
    """The pull requests that the app has opened."""
    return [pull for pull in repository.pulls.values() if pull.head_ref.startswith("tuppence/right-size-")]
