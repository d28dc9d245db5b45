"""Hours of cost as durable work: once in however many processes, newest first, and over a kill."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.adapters.records import Records
from bot.adapters.records_work import work_database
from tests.postgres_server import Server

ROOT = Path(__file__).resolve().parents[3]
NOW = datetime(2026, 11, 20, 15, 20, tzinfo=UTC)
MIDNIGHT = datetime(2026, 11, 20, tzinfo=UTC)
HOUR = timedelta(hours=1)
DAYS = 3
PRICE = 25_000_000
PROGRAM = """
import json, os, sys, time
from datetime import datetime, timedelta
from decimal import Decimal
from bot.adapters.records import Records
from bot.adapters.records_work import work_database
from bot.entrypoints import jobs
from bot.entrypoints.allocation_jobs import AllocationWorkflows, Steps
from bot.errors import PrometheusUnavailable
from bot.handlers import allocate_hours
from estimators.allocation import BalancerHour, ClusterHour
from tests.durable_work import await_end

url, journal, name, script = sys.argv[1:5]
plan = json.loads(script)
NOW = datetime.fromisoformat(plan["now"])

def write(**told):
    with open(journal, "a") as file:
        file.write(json.dumps({**told, "by": name}) + "\\n")

class Past:
    currency = "USD"
    def read(self, start, end):
        write(step="read", start=start.isoformat())
        while start < end:
            if start.isoformat() == plan.get("kill_at"):
                os.kill(os.getpid(), 9)
            if start.isoformat() in plan.get("broken", []):
                raise PrometheusUnavailable("502")
            time.sleep(plan.get("slow", 0))
            yield ClusterHour(start, (), (), (), (BalancerHour("shop", "web", 1.0, Decimal("0.025")),))
            start += timedelta(hours=1)

records = Records(url)
def wanted(cluster):
    spans = allocate_hours.wanted(cluster, costs=records.costs, now=NOW, days=plan["days"])
    return [{"start": span.start.isoformat(), "end": span.end.isoformat()} for span in spans]

def fill(cluster, span):
    hours = allocate_hours.Span(*map(datetime.fromisoformat, (span["start"], span["end"])))
    filled = allocate_hours.fill(cluster, hours, source=Past(), costs=records.costs, now=lambda: NOW)
    write(step="filled", start=span["start"])
    return {**filled._asdict(), "hour": plan.get("newest", plan["hours"][-1])}

jobs.PAUSES = (0.05,)
workflows = AllocationWorkflows(Steps(wanted=wanted, fill=fill))
work = jobs.Jobs(work_database(url).url, name, [workflows])
work.start()
for hour in plan["hours"]:
    for _ in range(3):
        workflows.allocate("prod", hour)
write(step="started")
count = lambda step: sum(json.loads(line)["step"] == step for line in open(journal))
await_end(lambda: count(plan["until"][0]) >= plan["until"][1])
work.stop(1)
records.close()
"""


class Cluster:
    """A database and a journal, and the processes that work on them."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url, self._journal = url, folder / "journal"
        self._journal.touch()
        with closing(Records(url)) as records:
            records.prepare()
        work_database(url).prepare()

    def start(self, name: str = "one", **plan: Any) -> subprocess.Popen[bytes]:  # noqa: ANN401 - JSON
        """A process that has its own name, as a replica's pod has."""
        whole = {"now": NOW.isoformat(), "days": DAYS, "hours": ["2026-11-20T15:00:00+00:00"], **plan}
        arguments = [self.url, str(self._journal), name, json.dumps(whole)]
        return subprocess.Popen([sys.executable, "-c", PROGRAM, *arguments], cwd=ROOT)

    def run(self, **plan: Any) -> int:  # noqa: ANN401 - JSON
        """One process until it ends: how."""
        with self.start(**plan) as process:
            return process.wait(150)

    def told(self, step: str) -> list[str]:
        """When the days began of which that was written down, in order."""
        lines = [json.loads(line) for line in self._journal.read_text().splitlines()]
        return [line["start"] for line in lines if line["step"] == step]

    def kept(self) -> tuple[float, int]:
        """How many hours are kept, and what they cost."""
        with closing(Records(self.url)) as records:
            found = records.costs.window("prod", MIDNIGHT - HOUR * 24 * DAYS, MIDNIGHT + HOUR * 24)
        return found.covered * 24 * (DAYS + 1), found.bill


@pytest.fixture
def cluster(database_url: str, tmp_path: Path) -> Cluster:
    """One of which nothing is kept, on each kind of database."""
    return Cluster(database_url, tmp_path)


@pytest.fixture
def postgres_cluster(postgres: Server, tmp_path: Path) -> Cluster:
    """The same on PostgreSQL alone: SQLite is for one process."""
    return Cluster(postgres.new_database(), tmp_path)


@pytest.fixture
def local(tmp_path: Path) -> Cluster:
    """The same on SQLite alone."""
    return Cluster(f"sqlite:///{tmp_path / 'tuppence.db'}", tmp_path)


def starts(*days: int) -> list[str]:
    """When days begin; the oldest begins where the look back ends."""
    oldest = MIDNIGHT - HOUR * 24 * DAYS + HOUR * 15
    return [max(MIDNIGHT - HOUR * 24 * day, oldest).isoformat() for day in days]


def test_an_hour_starts_one_piece_of_work_that_fills_the_newest_day_first(local: Cluster) -> None:
    """However often it is started."""
    assert local.run(until=["filled", 4]) == 0
    assert local.told("read") == local.told("filled") == starts(0, 1, 2, 3)
    hours = DAYS * 24
    assert local.kept() == (hours, hours * PRICE)


def test_replicas_share_the_work(postgres_cluster: Cluster) -> None:
    """Two start the same hour at once, and no day is asked for twice."""
    plan = {"until": ["filled", 4], "slow": 0.005}
    with postgres_cluster.start("one", **plan) as one, postgres_cluster.start("two", **plan) as two:
        assert (one.wait(150), two.wait(150)) == (0, 0)
    assert postgres_cluster.told("read") == starts(0, 1, 2, 3)
    assert postgres_cluster.kept() == (72, 72 * PRICE)


def test_a_kill_in_the_middle_of_a_day_leaves_whole_days_and_the_rest_is_done_later(cluster: Cluster) -> None:
    """What was read of the day is asked for again; what was kept is not."""
    killed_at = (MIDNIGHT - HOUR * 20).isoformat()
    assert cluster.run(until=["filled", 4], kill_at=killed_at) == -signal.SIGKILL
    assert cluster.kept() == (15, 15 * PRICE)
    assert cluster.run(until=["filled", 4]) == 0
    assert cluster.told("filled") == starts(0, 1, 2, 3)
    assert cluster.told("read") == starts(0, 1, 1, 2, 3)
    assert cluster.kept() == (72, 72 * PRICE)


def test_a_day_that_cannot_be_had_does_not_hold_up_the_others(local: Cluster) -> None:
    """It stays missing."""
    assert local.run(until=["filled", 3], broken=starts(1)) == 0
    assert local.told("filled") == starts(0, 2, 3)
    assert local.kept() == (48, 48 * PRICE)


def test_after_two_days_that_cannot_be_had_the_rest_waits_for_the_next_hour(local: Cluster) -> None:
    """A Prometheus that is away is not asked for a month of days, each several times."""
    assert local.run(until=["read", 4], broken=starts(0, 1)) == 0
    assert local.told("read") == starts(0, 0, 1, 1)
    assert local.kept() == (0, 0)


def test_work_ends_where_there_is_a_newer_hour(local: Cluster) -> None:
    """Whose work begins with that hour: a long look back does not keep today's question waiting."""
    older, newer = "2026-11-20T15:00:00+00:00", "2026-11-20T16:00:00+00:00"
    assert local.run(until=["filled", 1], hours=[older], newest=newer) == 0
    assert local.told("filled") == starts(0)
    assert local.run(until=["filled", 4], hours=[newer]) == 0
    assert local.told("filled") == starts(0, 1, 2, 3)
