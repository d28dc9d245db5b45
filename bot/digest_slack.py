"""A week's digest as a message in Slack: one sentence, a picture of four weeks, what moved, what to approve.

Finance's digest has a table of all teams instead. A quiet week is one line.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from bot.cost_words import Sentence, escaped, said
from bot.digest import ALL_TEAMS, MOST_MOVERS, Digest, ItemState, MergedPull
from bot.digest_slack_teams import MOST_TEAMS, teams_table
from bot.digest_words import bars, counted, drawn_days, headline, notes, origin, shares
from bot.inert import plain
from bot.recommendation_slack import changes_in_short, context, item_blocks, kept, linked, section
from bot.slack_message import Block, SlackMessage, fitted, mrkdwn
from bot.unused_slack import unused_blocks
from bot.words import count, money

_LENGTHS = (30, 60, 90, 150, 300)
"""Characters of a stranger's text, where fewer fit and where there is room. With the fewest only what can
be decided is told."""
_NO_ROOM = (
    "What was merged, what moved and what is left as it is does not fit here: `tuppence digest` tells it."
)
_MOST_LEFT, _MOST_COUNTED, _MOST_MERGED, _MOST_APPROVED = 5, 3, 5, 5
_PULLS = {
    "": "no pull request yet",
    "open": "waits to be merged",
    "merged": "merged, not measured yet",
    "closed": "closed without a merge",
}
"""What has become of an approval, by the state of its pull request."""
_LONGEST_TEXT = 2_900
_MOST_NOTES = 6
_OPEN = ItemState()


class Picture(NamedTuple):
    """A picture that Slack has: the id of its file, and its words for who does not see it."""

    file: str
    alt: str


def digest_message(
    digest: Digest, states: Mapping[str, ItemState], picture: Picture | None = None
) -> SlackMessage:
    """The message; a recommendation that `states` does not know is open."""
    if digest.quiet:
        return fitted(lambda level: _quiet(digest, _LENGTHS[level]), len(_LENGTHS) - 1)[0]
    if digest.team == ALL_TEAMS:
        most = min(len(digest.teams), MOST_TEAMS)
        return fitted(
            lambda rows: _finance(digest, picture, rows, _LENGTHS[-1 if rows == most else 1]), most
        )[0]
    return fitted(lambda level: _team(digest, states, picture, _LENGTHS[level]), len(_LENGTHS) - 1)[0]


def _team(
    digest: Digest, states: Mapping[str, ItemState], picture: Picture | None, most: int
) -> SlackMessage:
    whole = most > _LENGTHS[0]
    blocks = [
        section(_marked(headline(digest))),
        *_pictured(digest, picture),
        *_told("", [" · ".join(shares(digest))], most),
        *(_of_the_week(digest, most) if whole else ()),
        *_worth_approving(digest, states, most),
        *(_not_to_approve(digest, most) if whole else [context(_NO_ROOM)]),
        *_notes(digest, most),
    ]
    return SlackMessage(plain(said(headline(digest))), tuple(blocks))


def _of_the_week(digest: Digest, most: int) -> Iterator[Block]:
    yield from _told("What moved", _movers(digest, most), most)
    yield from _told("Merged", _merged(digest.merged, digest.currency, most), most)
    yield from _told("Approved", _approved(digest, most), most)


def _not_to_approve(digest: Digest, most: int) -> Iterator[Block]:
    yield from unused_blocks(digest.unused, digest.currency, most, whose=False)
    yield from _told("Left as it is", _left(digest, most), most)


def _quiet(digest: Digest, most: int) -> SlackMessage:
    told = headline(digest)
    return SlackMessage(plain(said(told)), (section(_marked(told)), *_notes(digest, most)))


def _pictured(digest: Digest, picture: Picture | None) -> Iterator[Block]:
    """The picture, or the same days as a row of bars where Slack did not take it."""
    if picture is not None:
        alt = plain(picture.alt, 1_000)
        yield {"type": "image", "slack_file": {"id": picture.file}, "alt_text": alt}
        return
    if days := bars(digest):
        yield section(f"{days} the last {drawn_days(days)}")


def _movers(digest: Digest, most: int) -> Iterator[str]:
    for mover in digest.movers[:MOST_MOVERS]:
        moved = _amount(mover.change, digest.currency)
        cause = f": {mrkdwn(mover.cause, most)}" if mover.cause else ""
        yield f"• *{moved}* {mrkdwn(mover.place, most)}{cause}"


def _merged(merged: Sequence[MergedPull], currency: str, most: int) -> Iterator[str]:
    for pull in merged[:_MOST_MERGED]:
        then = f"predicted {_amount(pull.predicted, currency)} a month"
        now = "not measured yet" if pull.measured is None else f"measured {_amount(pull.measured, currency)}"
        by = f" ({mrkdwn(whose, most)})" if (whose := origin(pull)) else ""
        yield f"• {linked(pull.address, pull.name, most)}{by}: {then}, {now}"
    if len(merged) > _MOST_MERGED:
        yield f"• and {len(merged) - _MOST_MERGED} more"


def _approved(digest: Digest, most: int) -> Iterator[str]:
    """What was approved in the week, and what it really came to; of which team, where it is of all."""
    approvals, currency = digest.approvals, digest.currency
    for one in approvals[:_MOST_APPROVED]:
        promised = f"promised {_amount(one.allocated, currency)} a month"
        came = (
            f"measured {_amount(one.measured, currency)}"
            if one.measured is not None
            else _PULLS.get(one.state, one.state)
        )
        what = linked(one.address, one.workload, most)
        team = f" of {mrkdwn(one.team, most)}" if one.team and digest.team == ALL_TEAMS else ""
        yield f"• {what}{team} by {mrkdwn(one.said, most)}: {promised}, {came}"
    if len(approvals) > _MOST_APPROVED:
        yield f"• and {len(approvals) - _MOST_APPROVED} more"


def _worth_approving(digest: Digest, states: Mapping[str, ItemState], most: int) -> Iterator[Block]:
    if not digest.recommendations:
        return
    yield {"type": "divider"}
    left = [item.allocated for item in digest.recommendations if states.get(item.id, _OPEN).state == "open"]
    saving = money(sum(left, Decimal(0)), digest.currency, signed=True)
    yield section(
        kept(f"*Worth approving*: {saving} a month" if left else "*Worth approving*: all is decided")
    )
    for index, item in enumerate(digest.recommendations, 1):
        yield from item_blocks(index, item, states.get(item.id, _OPEN), digest.currency, most)
    if digest.more:
        rest = money(abs(digest.more_saving), digest.currency)
        told = f"{digest.more:,} more would save {rest} a month: they come next."
        yield context(f"{told} `/cost savings` with a namespace or a workload tells of its own.")


def _left(digest: Digest, most: int) -> Iterator[str]:
    """First what a person gave a reason for, then how many for which other reason."""
    shown = digest.left_alone[:_MOST_LEFT]
    for row in shown:
        yield f"• {mrkdwn(row.workload, most)}: {mrkdwn(row.reason, most)}"
    if len(digest.left_alone) > len(shown):
        yield f"• and {len(digest.left_alone) - len(shown):,} more"
    told = counted(digest)
    for line in told[:_MOST_COUNTED]:
        yield f"• {mrkdwn(line, most)}"
    if len(told) > _MOST_COUNTED:
        yield f"• and {count(len(told) - _MOST_COUNTED, 'other reason')}"


def _notes(digest: Digest, most: int) -> Iterator[Block]:
    if told := list(notes(digest)):
        yield context(" ".join(mrkdwn(note, most) for note in told[:_MOST_NOTES]))


def _finance(digest: Digest, picture: Picture | None, rows: int, most: int) -> SlackMessage:
    blocks = [
        section(_marked(headline(digest))),
        *_pictured(digest, picture),
        *_told("", [" · ".join(shares(digest))], most),
        *([teams_table(digest, rows)] if digest.teams else []),
        *_of_the_week(digest, most),
        *_told("Most worth approving, each in its team's digest", _to_approve(digest, most), most),
        *unused_blocks(digest.unused, digest.currency, most, whose=True),
        *_notes(digest, most),
    ]
    return SlackMessage(plain(said(headline(digest))), tuple(blocks))


def _to_approve(digest: Digest, most: int) -> Iterator[str]:
    """Without buttons: who owns it decides."""
    for item in digest.recommendations:
        saving = _amount(item.allocated, digest.currency)
        yield f"• *{saving}* {mrkdwn(item.workload, most)}: {mrkdwn(changes_in_short(item), most)}"


def _told(title: str, lines: Iterable[str], most: int) -> Iterator[Block]:
    """A paragraph of what a block takes, less where texts are to be short; nothing without lines."""
    found = [line for line in lines if line]
    while len(title) + sum(len(line) + 1 for line in found) > _LONGEST_TEXT * most // _LENGTHS[-1]:
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
