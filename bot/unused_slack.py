"""What nothing uses, as blocks of a message in Slack: no buttons, for there is nothing to approve."""

from __future__ import annotations

from collections.abc import Iterator

from bot.recommendation_slack import context, section
from bot.slack_message import Block, mrkdwn
from bot.unused import MOST_NAMED, UnusedThings
from bot.unused_words import TITLE, WAY_OUT, WHAT, command, owned, since, what
from bot.words import money
from estimators.unused import Unused

_LONGEST_TEXT = 2_900
_LONGEST_NAME = 300
"""Characters of a text where there is room for all of it."""
_LONGEST_COMMAND = 400
"""A command that is cut short is none."""


def unused_blocks(unused: UnusedThings | None, currency: str, most: int, *, whose: bool) -> Iterator[Block]:
    """A paragraph and the way out; `whose` says the team of each.

    Fewer are named where texts are to be no longer than `most`, which is at the most _LONGEST_NAME.
    """
    if unused is None or not unused.count:
        return
    named, room = MOST_NAMED, _LONGEST_TEXT * most // _LONGEST_NAME
    while len(told := _paragraph(unused.named(named), currency, most, whose=whose)) > room and named:
        named -= 1
    yield section(told)
    yield context(WAY_OUT)


def _paragraph(unused: UnusedThings, currency: str, most: int, *, whose: bool) -> str:
    lines = [f"*{TITLE}*: {money(unused.monthly, currency)} a month", WHAT]
    lines += [_line(thing, currency, most, whose=whose) for thing in unused.things]
    if unused.more:
        lines.append(f"• *{money(unused.more_monthly, currency)}* {unused.more:,} more")
    return "\n".join(lines)


def _line(thing: Unused, currency: str, most: int, *, whose: bool) -> str:
    told = f"{mrkdwn(owned(thing) if whose else what(thing), 3 * most)}; {since(thing)}"
    return f"• *{money(thing.monthly, currency)}* {told}\n`{mrkdwn(command(thing), _LONGEST_COMMAND)}`"
