"""What nothing uses, as a digest in Slack tells it: no button, no part of what could be saved."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from bot.digest import Digest
from bot.digest_slack import digest_message
from bot.slack_message import Block, problems
from bot.unused import UnusedThings
from tests.bot.digest_messages import QUIET, TEAM, UNUSED, finance
from tests.slack.blocks import message_problems


def blocks(digest: Digest) -> list[Block]:
    """What Slack takes."""
    message = digest_message(digest, {})
    assert problems(message) == ()
    assert message_problems(list(message.blocks)) == []
    return list(message.blocks)


def read(digest: Digest) -> str:
    return json.dumps(blocks(digest), ensure_ascii=False).replace("\u2060", "")


def test_a_quiet_week_says_in_small_what_nothing_uses() -> None:
    """With its sum and where it is named: nobody has to decide about it."""
    _, small = blocks(replace(QUIET, unused=UNUSED))
    assert small["elements"][0]["text"].replace("\u2060", "") == (
        "3 volumes and load balancers that nothing uses cost $66.25 a month: cost savings names them."
    )


def test_what_nothing_uses_has_no_button_and_is_in_no_sum() -> None:
    """There is nothing to approve: a paragraph, and below it in small what to look at first."""
    without = blocks(replace(TEAM, unused=None))
    added = [block for block in blocks(TEAM) if block not in without]
    assert [block["type"] for block in added] == ["section", "context"]
    assert "`kubectl -n payments describe pvc data-ledger-old-0`" in read(TEAM)
    assert "*Worth approving*: \u2212$2,579 a month" in read(TEAM)
    assert "unless kubectl get pv shows Retain for its volume" in added[1]["elements"][0]["text"]


def test_finance_is_told_whose_it_is() -> None:
    """Each team knows that of its own."""
    assert "load balancer shop/front-old (checkout); no ready endpoint" in read(finance())
    assert "load balancer shop/front-old; no ready endpoint" in read(TEAM)


@pytest.mark.parametrize("unused", [None, UnusedThings(())], ids=["not known", "nothing"])
def test_nothing_is_said_where_nothing_is_known_to_be_unused(unused: UnusedThings | None) -> None:
    """Neither that there is something nor that there is none."""
    assert "sed by nothing" not in read(replace(TEAM, unused=unused))


@pytest.mark.parametrize(("name", "named"), [("data-db-0", 5), ("c" * 253, 3)])
def test_of_many_the_dearest_are_named(name: str, named: int) -> None:
    """As many as a block takes with their commands whole; the others are counted with what they cost."""
    many = UnusedThings((replace(UNUSED.things[0], namespace="n" * 63, name=name),) * 500)
    for digest in (replace(TEAM, unused=many.named()), replace(finance(500), unused=many)):
        assert read(digest).count(f"`kubectl -n {'n' * 63} describe pvc {name}`") == named
        assert f"*${40 * (500 - named):,}* {500 - named} more" in read(digest)
