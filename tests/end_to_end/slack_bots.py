"""`tuppence serve` beside a Slack on loopback, with kept hours of cost to answer from."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path

from bot.adapters.records import Records
from estimators.allocate import allocate
from estimators.allocation import ClusterHour
from tests.allocation_builders import container, deployment
from tests.cost_samples import cluster_hour
from tests.end_to_end.bots import Bot, running
from tests.slack.model import Channel, Message, User
from tests.slack.service import Slack

CONFIG = """
teams:
  - {name: checkout, namespaces: [payments, shop], budget_monthly: 900}
  - {name: research, namespaces: [ml]}
access:
  finance: ["*"]
  shop-people: [shop, payments]
"""
DAYS = 16
CROWDED = timedelta(hours=3)
MANIFEST = Path(__file__).parents[2] / "deploy" / "slack-app.yaml"


def fill(file: Path) -> None:
    """Records with two weeks of a shop's cost, until now."""
    now = datetime.now(UTC)
    end = now.replace(minute=0, second=0, microsecond=0)
    with closing(Records(f"sqlite:///{file}")) as records:
        records.prepare()
        measured = (cluster_hour(end - timedelta(hours=back)) for back in range(24 * DAYS, 0, -1))
        hours = (allocate(_crowded(hour) if hour.hour > end - CROWDED else hour) for hour in measured)
        for _, some in groupby(hours, lambda hour: hour.hour.date()):
            records.costs.keep("prod", list(some), currency="USD", at=now)


def _crowded(hour: ClusterHour) -> ClusterHour:
    """With workloads whose names fill more than a table of Slack's."""
    many = (
        container(deployment(f"{index:02}-{'long' * 50}", "m" * 60), "n2", cpu=0.01, memory=0.02)
        for index in range(60)
    )
    return replace(hour, containers=(*hour.containers, *many))


@contextmanager
def asked(hub: Slack, kept: Path, folder: Path, config: str = CONFIG, **more: str) -> Iterator[Bot]:
    """The bot with a copy of those records."""
    (folder / "tuppence.db").write_bytes(kept.read_bytes())
    with in_slack(hub, folder, config, **more) as bot:
        yield bot


@contextmanager
def in_slack(hub: Slack, folder: Path, config: str = "", **more: str) -> Iterator[Bot]:
    """The bot, to which Slack sends what people ask."""
    (folder / "tuppence.yaml").write_text(config)
    surroundings = {
        "SLACK_BOT_TOKEN": hub.bot_token,
        "SLACK_SIGNING_SECRET": hub.signing_secret,
        "SLACK_API_URL": hub.api_url,
        **more,
    }
    options = ("--config", str(folder / "tuppence.yaml"))
    with running(None, folder, options=options, **surroundings) as bot:
        hub.events_url = f"{bot.url}/slack/events"
        yield bot


def said_to(hub: Slack, user: User, channel: Channel, least: int = 1) -> list[Message]:
    """What somebody alone sees in a channel, once that is so much."""
    hub.wait(lambda: hub.ephemerals(user, channel)[least - 1 :])
    return hub.ephemerals(user, channel)


def settled(hub: Slack, seconds: float = 1.5) -> None:
    """Until Slack has not been asked anything for so long: a second answer would have come by then."""
    asked, since = dict[str, int](), time.monotonic()
    while time.monotonic() - since < seconds:
        if asked != (now := dict(hub.journal.calls)):
            asked, since = now, time.monotonic()
        time.sleep(0.05)
