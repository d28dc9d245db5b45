"""Digests as durable work, with a real scheduler and a Slack on loopback: each once, whatever happens."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.adapters.records import Records
from bot.adapters.records_work import work_database
from bot.composition.digest_cli import DigestOptions, tell_digest
from bot.entrypoints.schedule import Schedule
from bot.server_config import DigestTime
from bot.weeks import DAYS_OF_WEEK, IsoWeek, due_at, parse_week
from estimators.allocate import allocate
from tests import cost_samples
from tests.bot.test_weeks import TIMES
from tests.postgres_server import Server
from tests.slack.model import Channel, Message
from tests.slack.service import Slack, slack

ROOT = Path(__file__).resolve().parents[3]
WEEK = parse_week("2026-W47")
DUE = WEEK.end + timedelta(hours=9)
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
CONFIG = """
digest: {{finance_channel: {finance}}}
teams:
  - {{name: checkout, namespaces: [payments, shop], channel: {checkout}}}
  - {{name: research, namespaces: [ml]}}
"""
PROGRAM = """
import json, logging, os, sys, time
from datetime import datetime, timedelta
from pathlib import Path
from dbos import DBOS
from bot.adapters.records import Records
from bot.adapters.records_work import work_database
from bot.adapters.slack_files import SlackWebFiles
from bot.adapters.slack_messages import SlackWebMessages
from bot.composition import digests
from bot.composition.clusters import read_config
from bot.entrypoints import digest_jobs, jobs
from bot.entrypoints.schedule import Schedule
from bot.settings import from_env, serving_from_env
from tests.durable_work import await_end

name, file, script = sys.argv[1:4]
plan = json.loads(script)
jobs.PAUSES = digest_jobs.DRAWN_AGAIN = (0.05,)
digests.LOOK_SECONDS = 0.2
begin = time.time()
digests._now = lambda: datetime.fromisoformat(plan["now"]) + plan.get("speed", 0) * timedelta(seconds=time.time() - begin)

class Looking:
    def register(self):
        @DBOS.workflow(name="scan")
        def scan():
            end = time.monotonic() + plan["looking"]
            while time.monotonic() < end and not is_posted():
                time.sleep(0.05)
            Path(plan["looked"]).write_text(digests._now().isoformat())
        self.scan = scan

def is_posted():
    digest = records.digests.find("checkout", plan["week"])
    return digest is not None and digest.timestamp

def main():
    global records
    logging.basicConfig(level=logging.INFO)
    settings, slack = from_env(), serving_from_env().slack
    if plan.get("kill") == "posted":
        post = SlackWebMessages.post
        def posted(*arguments, **more):
            post(*arguments, **more)
            os.kill(os.getpid(), 9)
        SlackWebMessages.post = posted
    if plan.get("kill") == "attached":
        attach = SlackWebFiles.attach
        def attached(*arguments):
            attach(*arguments)
            os.kill(os.getpid(), 9)
        SlackWebFiles.attach = attached
    records = Records(settings.database_url)
    work = digests.Digests(settings, read_config(Path(file)), slack, records, [], web="")
    running = jobs.Jobs(work_database(settings.database_url).url, name, [work.workflows, looking := Looking()])
    schedule = Schedule()
    running.start()
    if "looking" in plan:
        jobs.enqueue(looking.scan, "scan/1", "scans")
    for _ in range(plan.get("times", 1)):
        work.start()
    work.begin(schedule)
    schedule.start()
    if plan.get("kill") == "waiting":
        time.sleep(1)
        os.kill(os.getpid(), 9)
    await_end(is_posted if "looking" in plan else lambda: True)
    schedule.stop()
    running.stop(1)
    work.stop()
    records.close()

if __name__ == "__main__":
    main()
"""


class Bots:
    """Records with two weeks of a shop's hours, a Slack, and processes that post digests there."""

    def __init__(
        self, url: str, folder: Path, hub: Slack, *, week: IsoWeek = WEEK, missing: timedelta = HOUR * 0
    ) -> None:
        self.hub = hub
        hub.advance(max((DUE - datetime.now(UTC)).total_seconds(), 0))
        ana = hub.person("ana")
        self.checkout, self.finance = hub.channel("checkout", ana), hub.channel("finance", ana)
        self._program, self.config = folder / "program.py", folder / "tuppence.yaml"
        self.surroundings = {
            "TUPPENCE_DATABASE_URL": url,
            "SLACK_BOT_TOKEN": hub.bot_token,
            "SLACK_SIGNING_SECRET": hub.signing_secret,
            "SLACK_API_URL": hub.api_url,
        }
        self._program.write_text(PROGRAM)
        self.configure(self.checkout.id, self.finance.id)
        with closing(Records(url)) as records:
            records.prepare()
            hours = map(allocate, cost_samples.hours(14, week.end))
            measured = [hour for hour in hours if hour.hour < week.end - missing]
            for _, some in groupby(measured, lambda hour: hour.hour.date()):
                records.costs.keep("prod", list(some), currency="USD", at=week.end)
        work_database(url).prepare()

    def configure(self, checkout: str, finance: str) -> None:
        """Where digests go."""
        self.config.write_text(CONFIG.format(checkout=checkout, finance=finance))

    def start(self, name: str = "one", *, now: datetime = DUE, **plan: Any) -> subprocess.Popen[str]:  # noqa: ANN401 - JSON
        """A replica under a name of its own, whose clock shows `now`."""
        arguments = [name, str(self.config), json.dumps({"now": now.isoformat(), **plan})]
        surroundings = {**os.environ, "PYTHONPATH": str(ROOT), **self.surroundings}
        command = [sys.executable, str(self._program), *arguments]
        return subprocess.Popen(command, cwd=ROOT, env=surroundings, stderr=subprocess.PIPE, text=True)

    def run(self, name: str = "one", **plan: Any) -> tuple[int, str]:  # noqa: ANN401 - JSON
        """One replica until it has nothing to do: how it ended, and its log."""
        with self.start(name, **plan) as process:
            _, log = process.communicate(timeout=150)
            return process.returncode, log

    def told(self, channel: Channel) -> list[str]:
        """What stands in a channel, without what is in threads."""
        return [message.text for message in self._messages(channel)]

    def _messages(self, channel: Channel) -> Sequence[Message]:
        return [message for message in self.hub.messages(channel) if message.thread_ts is None]

    def files(self) -> list[str]:
        """The names of the files that can be seen."""
        return sorted(file.name for file in self.hub.files())


@pytest.fixture
def hub() -> Iterator[Slack]:
    """A workspace."""
    with slack() as service:
        yield service


@pytest.fixture
def bots(tmp_path: Path, hub: Slack) -> Bots:
    """On SQLite."""
    return Bots(f"sqlite:///{tmp_path / 'tuppence.db'}", tmp_path, hub)


def test_three_replicas_post_each_digest_once(postgres: Server, tmp_path: Path, hub: Slack) -> None:
    """That of the team with a channel and finance's with its file, though each starts several times."""
    bots = Bots(postgres.new_database(), tmp_path, hub)
    with ExitStack() as stack:
        replicas = [stack.enter_context(bots.start(name, times=3)) for name in ("one", "two", "three")]
        assert [replica.wait(150) for replica in replicas] == [0, 0, 0]
    [checkout], [finance] = bots.told(bots.checkout), bots.told(bots.finance)
    assert checkout.startswith("checkout spent $")
    assert "in week 47 (16 to 22 November)" in checkout
    assert finance.startswith("All teams spent $")
    assert bots.files() == [
        "all-teams-2026-W47.png",
        "checkout-2026-W47.png",
        "tuppence-all-teams-2026-W47.focus.csv",
    ]
    bots.run("four", now=DUE + 5 * DAY)
    assert len(bots.told(bots.checkout)) == len(bots.told(bots.finance)) == 1


@pytest.mark.parametrize(
    ("after", "posted"),
    [(-timedelta(minutes=1), 0), (timedelta(0), 1), (3 * DAY, 1), (6 * DAY + HOUR, 0)],
    ids=[
        "before its time",
        "at its time",
        "after an outage of three days",
        "when the next one is nearly due",
    ],
)
def test_what_is_due_is_posted_at_the_start(bots: Bots, after: timedelta, posted: int) -> None:
    """And nothing else."""
    assert bots.run(now=DUE + after)[0] == 0
    assert len(bots.told(bots.checkout)) == len(bots.told(bots.finance)) == posted


def test_a_process_that_was_killed_loses_no_digest(bots: Bots) -> None:
    """Its scheduler died before the digest was due."""
    assert bots.run(now=DUE - HOUR, kill="waiting")[0] == -signal.SIGKILL
    assert bots.run(now=DUE + 2 * DAY)[0] == 0
    assert len(bots.told(bots.checkout)) == 1


def test_a_kill_right_after_posting_posts_nothing_twice(bots: Bots) -> None:
    """Slack had it, and we had not noted that: the channel is looked through before it is posted again."""
    bots.configure(bots.checkout.id, bots.checkout.id)
    assert bots.run(kill="posted")[0] == -signal.SIGKILL
    assert bots.run(now=DUE + HOUR)[0] == 0
    assert sorted(text[:9] for text in bots.told(bots.checkout)) == ["All teams", "checkout "]


def test_a_kill_right_after_the_file_puts_it_below_the_digest_once(bots: Bots) -> None:
    """Slack had it, and we had not noted that: the thread is looked through."""
    assert bots.run(kill="attached")[0] == -signal.SIGKILL
    assert bots.run(now=DUE + HOUR)[0] == 0
    shared = [message for message in bots.hub.messages(bots.finance) if message.files]
    assert [file.name for message in shared for file in message.files] == [
        "tuppence-all-teams-2026-W47.focus.csv"
    ]


@pytest.mark.parametrize(
    ("looking", "speed", "waits_for_the_end"),
    [(2, 10, True), (60, 600, False)],
    ids=["until it is through", "for an hour at most"],
)
def test_a_digest_waits_while_repositories_are_looked_at(
    bots: Bots, tmp_path: Path, looking: int, speed: int, waits_for_the_end: bool
) -> None:
    """For some seconds, or until it is posted; its clock goes faster meanwhile."""
    looked = tmp_path / "looked"
    plan: dict[str, Any] = {"looking": looking, "speed": speed, "looked": str(looked), "week": str(WEEK)}
    assert bots.run(**plan)[0] == 0
    with closing(Records(bots.surroundings["TUPPENCE_DATABASE_URL"])) as records:
        posted = records.digests.find("checkout", str(WEEK))
    assert posted is not None
    assert posted.posted_at is not None
    assert (posted.posted_at > datetime.fromisoformat(looked.read_text())) == waits_for_the_end
    assert (posted.posted_at < DUE + HOUR) == waits_for_the_end
    assert len(bots.told(bots.checkout)) == 1


def test_what_was_not_taken_is_tried_again_each_hour(bots: Bots) -> None:
    """Until somebody mended it; the log says what is wrong, once."""
    bots.configure("C0NOWHERE", bots.finance.id)
    status, log = bots.run()
    assert status == 0
    assert log.count("Slack knows no such channel") == 1
    bots.configure(bots.checkout.id, bots.finance.id)
    bots.run(now=DUE + timedelta(minutes=5))
    assert bots.told(bots.checkout) == []
    bots.run(now=DUE + HOUR)
    assert len(bots.told(bots.checkout)) == len(bots.told(bots.finance)) == 1


def test_a_week_whose_hours_still_come_in_waits_for_them(tmp_path: Path, hub: Slack) -> None:
    """For a day; then what is there is told with its share."""
    bots = Bots(f"sqlite:///{tmp_path / 'tuppence.db'}", tmp_path, hub, missing=40 * HOUR)
    _, log = bots.run()
    assert "only 76 % of the week's hours are there yet" in log
    assert bots.told(bots.checkout) == []
    bots.run(now=DUE + DAY)
    assert len(bots.told(bots.checkout)) == 1


def test_a_week_of_which_nothing_was_measured_has_no_digest(tmp_path: Path, hub: Slack) -> None:
    """Which the log says."""
    bots = Bots(f"sqlite:///{tmp_path / 'tuppence.db'}", tmp_path, hub, missing=8 * DAY)
    status, log = bots.run(now=DUE + 2 * DAY)
    assert status == 0
    assert "No digest is posted now: no hour of the week was measured" in log
    assert bots.told(bots.checkout) == []


def test_week_53_has_its_digest(tmp_path: Path, hub: Slack) -> None:
    """In the new year."""
    week = parse_week("2026-W53")
    bots = Bots(f"sqlite:///{tmp_path / 'tuppence.db'}", tmp_path, hub, week=week)
    bots.run(now=datetime(2027, 1, 4, 9, 30, tzinfo=UTC))
    [text] = bots.told(bots.checkout)
    assert "in week 53 (28 December to 3 January)" in text


@pytest.mark.parametrize("server_first", [True, False], ids=["after the server", "before the server"])
def test_a_person_posts_nothing_that_is_there(
    bots: Bots, server_first: bool, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`tuppence digest --post` and the server share their records, and post the same."""
    for name, value in bots.surroundings.items():
        monkeypatch.setenv(name, value)
    said = []
    for now in (DUE, DUE + HOUR):
        if server_first == (now == DUE):
            bots.run(now=now)
        else:
            for team in ("checkout", None):
                tell_digest(DigestOptions(team=team, config=bots.config, post=True), now=now)
                said.append(capsys.readouterr().err)
    expected = "Already posted to" if server_first else "Posted to"
    assert said == [f"{expected} {channel.id}.\n" for channel in (bots.checkout, bots.finance)]
    for channel in (bots.checkout, bots.finance):
        assert len(bots.told(channel)) == 1
        assert "slack_file" in str(bots.hub.messages(channel)[0].blocks)
    [below] = bots.hub.messages(bots.finance)[1:]
    assert [file.name for file in below.files] == ["tuppence-all-teams-2026-W47.focus.csv"]


MOMENTS = st.integers(1_600_000_000, 2_200_000_000).map(lambda second: datetime.fromtimestamp(second, UTC))


@given(MOMENTS, TIMES)
def test_the_clock_starts_a_digest_when_it_is_due(moment: datetime, when: DigestTime) -> None:
    """At the trigger's own time, wherever there is one: what a change of the clock leaves out is caught up."""
    schedule = Schedule()
    schedule.weekly(when, "digest", lambda: None)
    fires = schedule._scheduler.get_job("digest").trigger.get_next_fire_time(None, moment)
    local = fires.astimezone(ZoneInfo(when.time_zone))
    assert (DAYS_OF_WEEK[local.weekday()], local.hour, local.minute) == (
        when.day,
        when.at.hour,
        when.at.minute,
    )
    assert timedelta(0) <= fires - moment <= 15 * DAY
    weeks = [IsoWeek(*(fires - back * 7 * DAY).astimezone(UTC).isocalendar()[:2]) for back in (0, 1, 2)]
    dues = [due_at(week, when) for week in weeks]
    settling = any(due == week.end + HOUR for due, week in zip(dues, weeks, strict=True))
    assert settling or any(timedelta(0) <= fires - due <= HOUR for due in dues)
