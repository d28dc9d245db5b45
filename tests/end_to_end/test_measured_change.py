"""`tuppence serve` a week after a merge: what it was said to save, and what it did, by a real Prometheus."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.adapters.records import Records
from bot.handlers.allocate_hours import settled_until
from estimators.measured_change import weeks_around
from tests.allocation_past import BEGIN, NodeLife, PodLife, Town
from tests.end_to_end.bots import HOURS_COME_IN, Bot, reported, running, shop, wait_for
from tests.github.service import GitHub
from tests.prometheus_blocks import write_blocks
from tests.prometheus_server import serving
from tests.yaml_objects import deployment

NOW = datetime.now(UTC)
MERGED = NOW - timedelta(days=7, minutes=5)
WEEKS = weeks_around(MERGED)
START = settled_until(NOW) - timedelta(days=16)
MINUTES = (NOW - START) / timedelta(minutes=1) + 180
"""Some hours more than until now: other tests may come first."""
ROLLED_OUT = (MERGED - START) / timedelta(minutes=1) + 20
BEFORE = deployment(cpu="2", memory="2Gi", replicas=4)
AFTER = deployment(cpu="1", memory="2Gi", replicas=2)
ANSWER = "POST /repos/{owner}/{repo}/issues/{issue_number}/comments"


def town() -> Town:
    """Four pods that ask for two cores; from the merge on three that ask for one and use 1.2.

    A core costs $0.04 an hour, a GiB $0.005.
    """
    lives = [("api-1", number, (0.0, ROLLED_OUT), 2) for number in range(4)]
    lives += [("api-2", number, (ROLLED_OUT, MINUTES), 1) for number in range(3)]
    return Town(
        MINUTES,
        (NodeLife("steady", (0.0, MINUTES), cores=16.0, gib=64.0),),
        tuple(
            PodLife(
                "payments", f"{owner}-{number}", "steady", life, ("ReplicaSet", owner),
                {"cpu": cores, "memory": 2}, (1.2, 0.5),
            )
            for owner, number, life, cores in lives
        ),
        above={("ReplicaSet", "payments", owner): ("Deployment", "api") for owner in ("api-1", "api-2")},
        scrape=120,
    )  # fmt: skip


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Sixteen days of it, until now."""
    data: Path = tmp_path_factory.mktemp("prometheus")
    later = int((START - BEGIN).total_seconds())
    write_blocks(data, [replace(one, times=one.times + later) for one in town().series()])
    with serving(data, "--query.lookback-delta=150s") as address:
        yield address


def covered(folder: Path) -> float:
    """The share of both weeks that the bot knows by now."""
    with closing(Records(f"sqlite:///{folder / 'tuppence.db'}")) as records:
        windows = (WEEKS.before, (WEEKS.start, WEEKS.end))
        return min(records.costs.window("default", *window).covered for window in windows)


def database(folder: Path, statement: str, *moments: datetime) -> list[tuple[object, ...]]:
    """Our records, read or changed behind the bot's back."""
    with closing(sqlite3.connect(folder / "tuppence.db")) as records, records:
        return list(records.execute(statement, [f"{at:%Y-%m-%d %H:%M:%S.%f}" for at in moments]))


def test_a_merged_saving_is_measured_and_told_once_over_kills(hub: GitHub, url: str, tmp_path: Path) -> None:
    """One replica more than was said, and use beyond the request; killed before the answer is there and after."""
    with running(hub, tmp_path, PROMETHEUS_URL=url) as bot:
        repository = shop(hub, {"apps/api.yaml": BEFORE})
        pull = hub.people.open_pull(repository, {"apps/api.yaml": AFTER})
        wait_for(lambda: reported(hub, repository, pull), what="a report", told=bot.log.read_text)
        hub.people.merge(repository, pull)
        wait_for(
            lambda: database(tmp_path, "select count(*) from predictions") == [(1,)],
            what="a prediction", told=bot.log.read_text,
        )  # fmt: skip
        wait_for(
            lambda: covered(tmp_path) > 0.95,
            what="both weeks", seconds=HOURS_COME_IN, told=bot.log.read_text,
        )  # fmt: skip
        bot.kill_all()
        database(
            tmp_path, "update predictions set merged_at = ?, due_at = ?", MERGED, MERGED + timedelta(days=7)
        )
        for done in (False, True):
            killed_at_the_answer(bot, hub, done=done)
        bot.start()
        wait_for(
            lambda: database(tmp_path, "select posted_at from predictions") != [(None,)],
            what="the end of it", told=bot.log.read_text,
        )  # fmt: skip
        told = [each.body for each in hub.comments(repository, pull) if "tuppence:reply" in each.body]

    assert len(told) == 1
    lines = told[0].replace("\xa0", " ").splitlines()
    # 6 cores and 4 GiB less; 4.4 cores and 2 GiB. 0.2 cores of each are used beyond what they ask for.
    assert lines[0] == "Predicted **−$190** a month for `payments/api`, measured **−$136**."
    assert lines[2].startswith("* By this change **−$156**: CPU request 2 → 1 core (−$")
    assert "replicas 4 → 3 on average instead of 2 (−$" in lines[2]
    assert lines[3] == "* By all else **+$20**: CPU used beyond its request 0 → 0.2 cores"


def killed_at_the_answer(bot: Bot, hub: GitHub, *, done: bool) -> None:
    """As GitHub is about to write it, or has written it."""
    held = hub.fault(ANSWER, "hang", after_effect=done, seconds=600)
    bot.start()
    wait_for(lambda: held.hits, what="the answer", told=bot.log.read_text)
    bot.kill_all()
