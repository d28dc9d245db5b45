"""What our own limits let through, Slack takes."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.slack_message import SlackMessage, code, fitted, mrkdwn, problems
from tests.bot.strangers import NASTY
from tests.slack.mrkdwn import mrkdwn_html


def section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def table(rows: int, columns: int = 2, text: str = "x") -> dict[str, Any]:
    return {"type": "table", "rows": [[{"type": "raw_text", "text": text}] * columns for _ in range(rows)]}


@pytest.mark.parametrize(
    ("blocks", "problem"),
    [
        ([section("x")] * 51, "51 blocks"),
        ([section("x" * 3001)], "3,001 characters"),
        ([section("x" * 2900)] * 5, "the blocks have"),
        ([table(101)], "101 rows"),
        ([table(2, 21)], "21"),
        ([table(50, 2, "x" * 101)], "10,100"),
        ([table(1), table(1)], "one table"),
        ([{"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}], "a header"),
        ([{"type": "context", "elements": [{"type": "mrkdwn", "text": "x"}] * 11}], "11 elements"),
    ],
)
def test_what_slack_would_refuse_is_known_before(blocks: list[dict[str, Any]], problem: str) -> None:
    """Each limit by itself."""
    found = problems(SlackMessage("text", tuple(blocks)))

    assert any(problem in line for line in found), found


def test_a_message_needs_a_text() -> None:
    """Notifications and screen readers have nothing else. It is as short as the one that may follow it."""
    assert problems(SlackMessage(" ", (section("x"),)))
    assert problems(SlackMessage("x" * 4_001)) == ("the text has 4,001 characters, 4,000 fit",)


@given(st.integers(0, 2000))
def test_what_does_not_fit_is_said_in_fewer_rows(rows: int) -> None:
    """And it is known how many were left out."""
    message, shown = fitted(
        lambda count: SlackMessage("rows", tuple(section("x" * 40) for _ in range(count))), rows
    )

    assert len(message.blocks) == shown <= min(rows, 50)
    assert shown >= min(rows, 25)
    assert not problems(message)


@pytest.mark.parametrize("text", [*NASTY, "*bold*", "(_slanted_)", "_slanted_ too", "~gone~", "`code`"])
def test_a_name_is_only_a_name(text: str) -> None:
    """No mention, link, markup or emoji comes out of it."""
    for shown in (mrkdwn(text), code(text)):
        assert "<" not in shown
        assert ">" not in shown
        assert "\n" not in shown
    assert code(text).strip("`").count("`") == 0
    assert "@channel" not in mrkdwn(text)
    assert "://" not in mrkdwn(text)
    assert "<" not in mrkdwn_html(f"a name: {mrkdwn(text)}, and more")


def test_a_message_travels_as_json() -> None:
    """Through a durable workflow."""
    message = SlackMessage("text", (section("x"), table(2)))

    assert SlackMessage.from_json(json.loads(json.dumps(message.to_json()))) == message
