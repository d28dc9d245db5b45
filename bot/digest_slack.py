"""A week's digest as a message in Slack: one sentence, a picture of four weeks, what moved, what to approve.

Finance's digest has a table of all teams instead. A quiet week is one line.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import NamedTuple

from bot.cost_words import (
    Sentence,
    change,
    day,
    escaped,
    said,
    sentence,
    share,
    strong,
    trend,
)
from bot.digest import ALL_TEAMS, Digest, ItemState, MergedPull
from bot.digest_slack_teams import teams_table
from bot.inert import plain
from bot.recommendation_slack import context, item_blocks, kept, linked, section
from bot.recommendation_words import counted_words
from bot.slack_message import MOST_ROWS, Block, SlackMessage, fitted, mrkdwn
from bot.words import NOT_KNOWN, money, number
from estimators.allocation import as_nano
from estimators.projection import DayAmount

_LENGTHS = (60, 90, 150, 300)
"""Characters of a stranger's text, where fewer fit and where there is room."""
_MOST_LEFT, _MOST_COUNTED, _MOST_MERGED = 5, 3, 5
_LONGEST_TEXT = 2_900
_MOST_NOTES = 6
_PROTECTED = "protected"
_OPEN = ItemState()


class Picture(NamedTuple):
    """A picture that Slack has: the id of its file, and its words for who does not see it."""

    file: str
    alt: str


def digest_message(
    digest: Digest, states: Mapping[str, ItemState], picture: Picture | None = None
) -> SlackMessage:
    """The message; a recommendation that `states` does not know is open."""
    if digest.team == ALL_TEAMS:
        most = min(len(digest.teams), MOST_ROWS - 3)
        return fitted(lambda rows: _finance(digest, picture, rows), most)[0]
    if digest.quiet:
        return _quiet(digest)
    return fitted(lambda level: _team(digest, states, picture, _LENGTHS[level]), len(_LENGTHS) - 1)[0]


def _team(
    digest: Digest, states: Mapping[str, ItemState], picture: Picture | None, most: int
) -> SlackMessage:
    blocks = [
        section(_marked(_headline(digest))),
        *_pictured(digest, picture),
        *_told("", [" · ".join(_shares(digest))]),
        *_told("What moved", _movers(digest, most)),
        *_told("Merged", _merged(digest.merged, digest.currency, most)),
        *_worth_approving(digest, states, most),
        *_told("Left as it is", _left(digest, most)),
        *_notes(digest, most),
    ]
    return SlackMessage(plain(said(_headline(digest))), tuple(blocks))


def _quiet(digest: Digest) -> SlackMessage:
    told = sentence(*_spent(digest), ". Nothing moved, and there is nothing to approve.")
    return SlackMessage(plain(said(told)), (section(_marked(told)),))


def _headline(digest: Digest) -> Sentence:
    """What was spent, against the week before, and where the month goes."""
    return sentence(*_spent(digest), ". ", *_course(digest))


def _spent(digest: Digest) -> Sentence:
    who = strong(digest.team if digest.team != ALL_TEAMS else "All teams")
    when = f"in week {_week(digest)} ({_dates(digest)})"
    if digest.total is None:
        return sentence(who, f": nothing was measured {when}")
    spent = sentence(who, " spent ", strong(money(digest.total, digest.currency)), f" {when}")
    if digest.previous is None:
        return spent
    moved = change(as_nano(digest.total), as_nano(digest.previous), digest.currency)
    if not moved:
        return sentence(*spent, ", as much as the week before")
    return sentence(*spent, ", ", strong(moved), " on the week before")


def _week(digest: Digest) -> str:
    return digest.week.partition("-W")[2].lstrip("0") or digest.week


def _dates(digest: Digest) -> str:
    last = digest.end - timedelta(microseconds=1)
    first = str(digest.start.day) if digest.start.month == last.month else day(digest.start)
    return f"{first} to {day(last)}"


def _course(digest: Digest) -> Sentence:
    """Where the month goes, against the budget."""
    budget, projected, currency = digest.budget_monthly, digest.projected, digest.currency
    month = f"{digest.end - timedelta(microseconds=1):%B}"
    if projected is None:
        return sentence(f"The budget is {money(budget, currency)} a month." if budget is not None else "")
    course = sentence("On course for ", strong(money(projected, currency)), f" in {month}")
    if budget is None:
        return sentence(*course, ".")
    apart = money(abs(projected - budget), currency)
    if projected > budget:
        return sentence(*course, ", ", strong(f"{apart} over its budget"), f" of {money(budget, currency)}.")
    return sentence(*course, f", {apart} under its budget of {money(budget, currency)}.")


def _pictured(digest: Digest, picture: Picture | None) -> Iterator[Block]:
    """The picture, or the same days as a row of bars where Slack did not take it."""
    if picture is not None:
        alt = plain(picture.alt, 1_000)
        yield {"type": "image", "slack_file": {"id": picture.file}, "alt_text": alt}
        return
    days = [DayAmount(at, as_nano(cost or Decimal(0)), float(cost is not None)) for at, cost in digest.trend]
    if bars := trend(days):
        yield section(f"{bars} the last four weeks")


def _shares(digest: Digest) -> Iterator[str]:
    if digest.idle_share is not None:
        yield f"Idle: {share(float(digest.idle_share))} of the cost"
    if digest.unallocated_share is not None:
        yield f"Unallocated: {share(float(digest.unallocated_share))}"
    if digest.gpu_idle_hours:
        cost = money(digest.gpu_idle_cost, digest.currency) if digest.gpu_idle_cost is not None else NOT_KNOWN
        yield f"GPUs sat idle for {number(digest.gpu_idle_hours, 0)} h ({cost})"


def _movers(digest: Digest, most: int) -> Iterator[str]:
    for mover in digest.movers:
        moved = _amount(mover.change, digest.currency)
        cause = f": {mrkdwn(mover.cause, most)}" if mover.cause else ""
        yield f"• *{moved}* {mrkdwn(mover.workload, most)}{cause}"


def _merged(merged: Sequence[MergedPull], currency: str, most: int) -> Iterator[str]:
    for pull in merged[:_MOST_MERGED]:
        then = f"predicted {_amount(pull.predicted, currency)} a month"
        now = "not measured yet" if pull.measured is None else f"measured {_amount(pull.measured, currency)}"
        by = f", approved by {mrkdwn(pull.approved_by, most)}" if pull.approved_by else ""
        yield f"• {linked(pull.address, pull.name, most)}: {then}, {now}{by}"
    if len(merged) > _MOST_MERGED:
        yield f"• and {len(merged) - _MOST_MERGED} more"


def _worth_approving(digest: Digest, states: Mapping[str, ItemState], most: int) -> Iterator[Block]:
    if not digest.recommendations:
        return
    yield {"type": "divider"}
    saving = money(
        sum((item.allocated for item in digest.recommendations), Decimal(0)), digest.currency, signed=True
    )
    yield section(kept(f"*Worth approving*: {saving} a month"))
    for index, item in enumerate(digest.recommendations, 1):
        yield from item_blocks(index, item, states.get(item.id, _OPEN), digest.currency, most)
    if digest.more:
        rest = money(abs(digest.more_saving), digest.currency)
        yield context(f"{digest.more:,} more would save {rest} a month; they come next.")


def _left(digest: Digest, most: int) -> Iterator[str]:
    """First what a person gave a reason for, then how many for which other reason."""
    shown = digest.left_alone[:_MOST_LEFT]
    for row in shown:
        yield f"• {mrkdwn(row.workload, most)}: {mrkdwn(row.reason, most)}"
    counts = sorted(digest.left_counts.items(), key=lambda item: (-item[1], item[0]))
    told = [counted_words(reason, left) for reason, left in counts if reason != _PROTECTED or not shown]
    if told:
        more = [f"{len(told) - _MOST_COUNTED} other reasons"] if len(told) > _MOST_COUNTED else []
        yield f"• {mrkdwn(', '.join([*told[:_MOST_COUNTED], *more]), most)}"


def _notes(digest: Digest, most: int) -> Iterator[Block]:
    told = list(digest.notes)
    if digest.coverage < 1:
        told.insert(0, f"{share(float(digest.coverage))} of the week's hours were measured")
    if told:
        yield context(" · ".join(mrkdwn(note, most) for note in told[:_MOST_NOTES]))


def _finance(digest: Digest, picture: Picture | None, rows: int) -> SlackMessage:
    most = _LENGTHS[-1] if rows else _LENGTHS[0]
    blocks = [
        section(_marked(_headline(digest))),
        *_pictured(digest, picture),
        *_told("", [" · ".join(_shares(digest))]),
        *([teams_table(digest, rows)] if digest.teams else []),
        *_told("What moved", _movers(digest, most)),
        *_notes(digest, most),
    ]
    return SlackMessage(plain(said(_headline(digest))), tuple(blocks))


def _told(title: str, lines: Iterable[str]) -> Iterator[Block]:
    """A paragraph of what a block takes; nothing where there are no lines."""
    found = [line for line in lines if line]
    while sum(map(len, found)) + len(found) + len(title) > _LONGEST_TEXT:
        found.pop()
    if found:
        yield section("\n".join(([f"*{title}*"] if title else []) + found))


def _marked(sentence: Sentence) -> str:
    return "".join(escaped(part.text, _bold if part.strong else _line) for part in sentence)


def _bold(text: str) -> str:
    return f"*{_line(text)}*"


def _line(text: str) -> str:
    return kept(mrkdwn(text, _LENGTHS[-1]))


def _amount(change: Decimal, currency: str) -> str:
    return kept(money(change, currency, signed=True))
