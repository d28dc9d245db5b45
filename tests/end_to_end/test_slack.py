"""Questions in Slack to `tuppence serve`: a process of its own, a fake Slack on loopback, kept hours of cost."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path

import pytest

from bot.adapters.records import Records
from estimators.allocate import allocate
from tests.cost_samples import cluster_hour
from tests.end_to_end.bots import Bot, running
from tests.slack.model import User
from tests.slack.service import Slack, slack

CONFIG = """
teams:
  - {name: checkout, namespaces: [payments, shop], budget_monthly: 900}
  - {name: research, namespaces: [ml]}
access:
  finance: ["*"]
  shop-people: [shop, payments]
"""
DAYS = 16


@pytest.fixture(scope="session")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with two weeks of a shop's cost, until now."""
    file = tmp_path_factory.mktemp("kept") / "tuppence.db"
    now = datetime.now(UTC)
    end = now.replace(minute=0, second=0, microsecond=0)
    with closing(Records(f"sqlite:///{file}")) as records:
        records.prepare()
        hours = (allocate(cluster_hour(end - timedelta(hours=back))) for back in range(24 * DAYS, 0, -1))
        for _, some in groupby(hours, lambda hour: hour.hour.date()):
            records.costs.keep("prod", list(some), currency="USD", at=now)
    return file


@contextmanager
def asked(hub: Slack, kept: Path, folder: Path, config: str = CONFIG, **more: str) -> Iterator[Bot]:
    """The bot with a copy of those records."""
    (folder / "tuppence.db").write_bytes(kept.read_bytes())
    (folder / "tuppence.yaml").write_text(config)
    surroundings = {
        "SLACK_BOT_TOKEN": hub.bot_token,
        "SLACK_SIGNING_SECRET": hub.signing_secret,
        "SLACK_API_URL": hub.api_url,
    }
    options = ("--config", str(folder / "tuppence.yaml"))
    with running(None, folder, options=options, **surroundings, **more) as bot:
        hub.events_url = f"{bot.url}/slack/events"
        yield bot


@pytest.fixture(scope="module")
def hub(kept: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slack]:
    """One bot for all tests that leave it as it is."""
    with slack() as service, asked(service, kept, tmp_path_factory.mktemp("bot")):
        yield service
        service.assert_clean()


@pytest.fixture
def ana(hub: Slack) -> User:
    """Who may see everything."""
    user = hub.person("ana")
    group = next((it for it in hub.world.groups.values() if it.handle == "finance"), None)
    (group or hub.group("finance")).members.append(user.id)
    return user


def test_a_question_is_answered_to_whoever_asked(hub: Slack, ana: User) -> None:
    """In the channel, and nobody else sees it."""
    channel = hub.channel("costs", ana)

    assert hub.people.command(ana, "/cost", "namespace payments", channel=channel).in_time

    [said] = hub.wait(lambda: hub.ephemerals(ana, channel))
    assert "payments cost $" in said.text
    assert hub.messages(channel) == []
