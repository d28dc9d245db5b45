"""From a real Prometheus to an answer in Slack: `tuppence serve` reads, charges and keeps the hours by itself."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack, closing
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from bot.adapters.records import Records
from bot.handlers.allocate_hours import LOOK_BACK_DAYS, settled_until
from tests import postgres_server
from tests.allocation_past import BEGIN, later
from tests.end_to_end.bots import HOURS_COME_IN, wait_for
from tests.end_to_end.commands import tuppence
from tests.end_to_end.slack_bots import in_slack, said_to, settled
from tests.hard_town import BALANCER_HOUR, DAYS, GIB_HOUR, WEEK, WEEK_BEFORE, hard_town
from tests.prometheus_blocks import write_blocks
from tests.prometheus_server import serving
from tests.slack.service import slack
from tests.town_costs import TownCost, town_cost

TOWN = hard_town()
CENT = Decimal("0.01")
CONFIG = "teams: [{name: checkout, namespaces: [payments]}]\n"
ASKED = (
    "namespace payments",
    "namespace",
    "team checkout mtd",
    "workload payments/api 30d",
    "gpu",
    "idle",
    "top 20",
)


class Answered(NamedTuple):
    """What somebody was told in Slack, and the folder and the database of the bot that told them."""

    said: str
    folder: Path
    database: str


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A fortnight of the town, up to the newest hour."""
    data = tmp_path_factory.mktemp("prometheus")
    begin = settled_until(datetime.now(UTC)) - timedelta(days=DAYS)
    write_blocks(data, later(TOWN.series(), int((begin - BEGIN).total_seconds())))
    with serving(data, "--query.lookback-delta=90s") as url:
        yield url


@pytest.fixture(scope="module", params=["SQLite", "PostgreSQL"])
def answered(
    request: pytest.FixtureRequest, prometheus: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Answered]:
    """A bot with an empty database has kept all hours, was asked in Slack, and has ended."""
    folder = tmp_path_factory.mktemp(request.param)
    with ExitStack() as server:
        database = f"sqlite:///{folder}/tuppence.db"
        if request.param == "PostgreSQL":
            database = server.enter_context(postgres_server.serving()).new_database()
        settings = {"PROMETHEUS_URL": prometheus, "TUPPENCE_DATABASE_URL": database}
        with slack() as hub, in_slack(hub, folder, CONFIG, **settings) as bot:
            ana = hub.person("ana")
            channel = hub.channel("costs", ana)
            wait_for(
                lambda: all_hours_are_kept(database),
                what="all hours", seconds=HOURS_COME_IN, told=bot.log.read_text,
            )  # fmt: skip
            assert hub.people.command(ana, "/cost", "namespace payments 7d", channel=channel).in_time
            [said] = said_to(hub, ana, channel)
            settled(hub)
            hub.assert_clean()
        yield Answered(said.text, folder, database)


def truth(window: tuple[int, int]) -> TownCost:
    """What the town cost by its own description."""
    return town_cost(TOWN, *window, gib_hour=GIB_HOUR, balancer_hour=BALANCER_HOUR)


def in_cents(amount: float | str) -> Decimal:
    """As money is written."""
    return Decimal(amount).quantize(CENT)


def all_hours_are_kept(database: str) -> bool:
    """Those before there was anything, too; but for a day, in which the hours may go on."""
    end, days = settled_until(datetime.now(UTC)), LOOK_BACK_DAYS - 1
    with closing(Records(database)) as records:
        kept = records.costs.kept("default", end - timedelta(days=days), end)
    return len(kept) >= days * 24 - 1


def test_slack_is_told_what_the_town_cost(answered: Answered) -> None:
    """To the cent, by the bot's own reading of a Prometheus."""
    [total] = re.findall(r"payments cost \$([\d.]+) in the last 7 days", answered.said)
    assert total == str(in_cents(truth(WEEK).total("payments")))


def test_the_records_say_what_the_town_cost(
    answered: Answered, prometheus: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each namespace to the cent, this week and the last; and so does Prometheus."""
    monkeypatch.setenv("TUPPENCE_DATABASE_URL", answered.database)
    week, before = truth(WEEK), truth(WEEK_BEFORE)
    for options in ((), ("--prometheus", prometheus)):
        every = told(answered.folder, "namespace", *options)
        for name, amount in (("bill", week.bill), ("idle", week.idle), ("shared", week.control_plane)):
            assert in_cents(every[name]) == in_cents(amount)
        tenants = {row["group"]: row for row in every["rows"] if row["kind"] == "tenant"}
        assert tenants.keys() == {"payments", "shop", "ml"}
        for name, row in tenants.items():
            assert in_cents(row["cost"]) == in_cents(week.total(name))
            assert in_cents(row["previous"]) == in_cents(before.total(name))


@pytest.mark.parametrize("words", ASKED)
def test_records_and_prometheus_say_the_same(
    words: str, answered: Answered, prometheus: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of an answer, and it adds up to the last of the smallest unit."""
    monkeypatch.setenv("TUPPENCE_DATABASE_URL", answered.database)
    stored = told(answered.folder, words)
    assert stored == told(answered.folder, words, "--prometheus", prometheus)
    assert sum(Decimal(stored[part]) for part in ("tenants", "idle", "shared")) == Decimal(stored["bill"])
    assert sum(Decimal(row["cost"]) for row in stored["rows"]) == Decimal(stored["total"]) > 0


def told(folder: Path, words: str, *options: str) -> dict[str, Any]:
    """The JSON of an answer on the command line, but for what the cluster is called there."""
    ran = tuppence("cost", *words.split(), "--format", "json", *options, cwd=folder)
    assert ran.status == 0, ran.err
    found: dict[str, Any] = json.loads(ran.out)
    del found["clusters"], found["notes"]  # of hours in which there was no cluster yet
    for mover in found["movers"]:
        del mover["cluster"]
    return found
