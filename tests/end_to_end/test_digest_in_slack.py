"""The weekly digest of `tuppence serve`: a process of its own, a fake Slack on loopback, kept hours of cost."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.weeks import DAYS_OF_WEEK
from tests.end_to_end.slack_bots import asked, settled
from tests.slack.service import Slack, slack

CONFIG = """
digest: {{day: {day}, time: "00:00", finance_channel: {finance}}}
teams:
  - {{name: checkout, namespaces: [payments, shop], channel: {checkout}, budget_monthly: 900}}
  - {{name: research, namespaces: [ml]}}
"""


@pytest.fixture
def hub() -> Iterator[Slack]:
    """A workspace."""
    with slack() as service:
        yield service
        service.assert_clean()


def test_what_was_due_yesterday_is_posted_at_the_start(hub: Slack, kept: Path, tmp_path: Path) -> None:
    """To the channels that the file names, each with its picture, and finance's with its file below it."""
    ana = hub.person("ana")
    checkout, finance = hub.channel("checkout", ana), hub.channel("finance", ana)
    yesterday = DAYS_OF_WEEK[(datetime.now(UTC) - timedelta(days=1)).weekday()]
    config = CONFIG.format(day=yesterday, checkout=checkout.id, finance=finance.id)
    with asked(hub, kept, tmp_path, config):
        hub.wait(lambda: hub.messages(checkout) and len(hub.messages(finance)) > 1)
        settled(hub)
    [team] = hub.messages(checkout)
    assert team.text.startswith("checkout spent $")
    assert team.blocks[1]["type"] == "image"
    whole, file = hub.messages(finance)
    assert whole.text.startswith("All teams spent $")
    assert file.thread_ts == whole.ts
    [csv] = file.files
    assert csv.name.endswith(".focus.csv")
    assert (csv.content or b"").startswith(b"BilledCost,BillingAccountId")
