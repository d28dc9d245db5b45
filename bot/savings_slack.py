"""What could be saved, as a message in Slack: each change with what can be pressed, then what is not offered.

The block of a recommendation's buttons has the question in its id, so that a click on one tells which
answer is to be written anew.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal

from bot.cost_commands import SAVINGS, CostQuestion, parse
from bot.cost_words import escaped, said
from bot.digest import MOST_RECOMMENDED, ItemState
from bot.inert import plain
from bot.recommendation_slack import ACTIONS, MODAL, carried, context, item_blocks, kept, linked, section
from bot.savings_answer import SavingsAnswer
from bot.savings_words import headline, left, small_print
from bot.slack_events import ButtonPressed, ModalSubmitted, SlackEvent
from bot.slack_message import Block, SlackMessage, fitted, mrkdwn
from bot.unused_slack import unused_blocks
from bot.words import money

_LEVELS = ((60, 0), (60, 1), (60, 3), *((most, MOST_RECOMMENDED) for most in (60, 90, 150, 300)))
"""Characters of a stranger's text and recommendations, where fewer fit and where there is room."""
_LONGEST_TEXT = 2_900
_MOST_LISTED = 5
_OPEN = ItemState()


def savings_message(answer: SavingsAnswer) -> SlackMessage:
    """The message: as many with buttons as a digest has, and how many come next."""
    return fitted(lambda level: _message(answer, *_LEVELS[level]), len(_LEVELS) - 1)[0]


def decided_in(event: SlackEvent) -> CostQuestion | None:
    """The question whose answer somebody decided in, which only they see; None where it was not in one."""
    match event:
        case ButtonPressed() if event.ephemeral and event.action_id in ACTIONS:
            text = event.block_id.partition(" ")[2]
        case ModalSubmitted() if event.callback_id == MODAL:
            text = carried(event.private_metadata).get("asked", "")
        case _:
            return None
    asked = parse(text)
    return asked if isinstance(asked, CostQuestion) and asked.kind == SAVINGS else None


def _message(answer: SavingsAnswer, most: int, offered: int) -> SlackMessage:
    told = headline(answer)
    marked = "".join(
        escaped(part.text, lambda text: f"*{mrkdwn(text, most)}*")
        if part.strong
        else escaped(part.text, lambda text: mrkdwn(text, most))
        for part in told
    )
    return SlackMessage(plain(said(told)), (section(kept(marked)), *_blocks(answer, most, offered)))


def _blocks(answer: SavingsAnswer, most: int, offered: int) -> Iterator[Block]:
    shown, rest = answer.items[:offered], answer.items[offered:]
    for index, item in enumerate(shown, 1):
        yield from item_blocks(index, item, _OPEN, answer.currency, most, asked=answer.question.text)
    if rest:
        saving = money(sum((item.allocated for item in rest), Decimal(0)), answer.currency, signed=True)
        yield context(kept(f"{len(rest):,} more, {saving} a month: they come next."))
    busy = [
        f"• {mrkdwn(one.workload, most)}: {linked(one.address, one.told, most)}" for one in answer.under_way
    ]
    yield from _listed("Under way", busy, most)
    alone = [f"• {mrkdwn(row.workload, most)}: {mrkdwn(row.reason, most)}" for row in answer.left_alone]
    counted = "\n".join(f"• {mrkdwn(line, most)}" for line in left(answer))
    yield from _listed("Left as it is", alone, most, counted)
    yield from unused_blocks(answer.unused, answer.currency, most, whose=False)
    yield context(" · ".join(mrkdwn(told) for told in small_print(answer)))


def _listed(title: str, lines: Sequence[str], most: int, last: str = "") -> Iterator[Block]:
    """Some of the lines, how many more there are, and the last one; less where texts are to be short."""
    shown = list(lines[:_MOST_LISTED])
    while len(last) + sum(map(len, shown)) > _LONGEST_TEXT * most // _LEVELS[-1][0] and shown:
        shown.pop()
    more = [f"• and {len(lines) - len(shown)} more"] if len(lines) > len(shown) else []
    if told := [*shown, *more, *filter(None, [last])]:
        yield section("\n".join([f"*{title}*", *told]))
