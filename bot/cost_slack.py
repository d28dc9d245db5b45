"""An answer about cost as a message in Slack: its sentences, one table, small print, and what to press next.

Whoever carries it out knows the buttons by these action ids; the value of each is a question as text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from bot.cost_answer import CostAnswer, CostReply
from bot.cost_commands import MOST_ROWS, SAVINGS, CostQuestion, NotUnderstood
from bot.cost_csv import cost_csv
from bot.cost_page import CostPage, compose
from bot.cost_page_table import CostTable
from bot.cost_words import Sentence, escaped, said
from bot.inert import plain
from bot.savings_answer import SavingsAnswer
from bot.savings_slack import savings_message
from bot.slack_message import Block, SlackMessage, fitted, mrkdwn
from bot.words import MINUS

SHARE, CHART, ASK = "cost_share", "cost_chart", "cost_ask"
"""Post the answer to the channel, draw its days, ask the value (`cost_ask_0`, `cost_ask_1`...)."""
_LONGEST_LABEL = 60
_LONGEST_NAME, _LONGEST_SENTENCE = 100, 400
_LONGEST_TEXT = 3_000
_OF_SAVINGS = frozenset({"namespace", "team", "workload"})
"""What can be asked about, and has savings of its own."""
_TIED = "\u00a0"
"""A space where no line ends."""


@dataclass(frozen=True, slots=True)
class CostMessage:
    """`csv` has all rows where Slack takes fewer than were asked for, to be sent along; else it is `""`."""

    message: SlackMessage
    csv: str = ""


def cost_message(reply: CostReply | NotUnderstood, *, shared: bool = False) -> CostMessage:
    """The message; one that is shared with a channel has no button to share it again."""
    if isinstance(reply, SavingsAnswer):
        return CostMessage(savings_message(reply))
    wanted = reply.question.rows if isinstance(reply, CostAnswer) else MOST_ROWS
    message, shown = fitted(lambda rows: _message(compose(reply, rows), shared=shared), wanted)
    if isinstance(reply, CostAnswer) and shown < min(wanted, len(reply.found.rows)):
        return CostMessage(message, cost_csv(reply))
    return CostMessage(message)


def _message(page: CostPage, *, shared: bool) -> SlackMessage:
    return SlackMessage(plain(said(page.headline), _LONGEST_SENTENCE), tuple(_blocks(page, shared=shared)))


def _blocks(page: CostPage, *, shared: bool) -> Iterator[Block]:
    yield _section(_marked(page.headline))
    if told := _joined(_lines(page), "\n"):
        yield _section(told)
    if page.table:
        yield _table(page.table)
    if page.small:
        text = _joined(map(mrkdwn, page.small), " · ")
        yield {"type": "context", "elements": [_text(text)]}
    if buttons := list(_buttons(page, shared=shared)):
        yield {"type": "actions", "elements": buttons}


def _lines(page: CostPage) -> Iterator[str]:
    parts = [f"{name} {part}".replace(" ", _TIED) for name, part in page.parts]
    if where := " · ".join(filter(None, (page.trend, *parts))):
        yield where
    yield from map(_marked, page.told)


def _joined(texts: Iterable[str], between: str) -> str:
    """As many of the texts as a block takes: of names full of signs to be escaped it may not be all."""
    found = ""
    for text in texts:
        longer = f"{found}{between}{text}" if found else text
        if len(longer) > _LONGEST_TEXT:
            break
        found = longer
    return found


def _marked(sentence: Sentence) -> str:
    return "".join(escaped(part.text, _strong if part.strong else _plain) for part in sentence)


def _strong(text: str) -> str:
    return f"*{_plain(text, _LONGEST_NAME)}*"


def _plain(text: str, most: int = _LONGEST_SENTENCE) -> str:
    """A minus stays with its amount where a line ends, and an arrow with what is before and after it."""
    told = mrkdwn(text, most).replace(f"{MINUS}$", f"{MINUS}\u2060$")
    return told.replace(" → ", f"{_TIED}→{_TIED}")


def _section(text: str) -> Block:
    return {"type": "section", "text": _text(text)}


def _text(text: str) -> Block:
    """`verbatim`: Slack makes no link of what looks like one."""
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def _table(table: CostTable) -> Block:
    rows = [[_cell(cell) for cell in row] for row in (table.columns, *table.rows)]
    if table.total:
        rows.append([_bold_cell(cell) for cell in table.total])
    settings = [
        {"align": "right"} if table.is_number(index) else {"is_wrapped": True}
        for index in range(len(table.columns))
    ]
    return {"type": "table", "column_settings": settings, "rows": rows}


def _cell(text: str) -> Block:
    return {"type": "raw_text", "text": plain(text) or " "}


def _bold_cell(text: str) -> Block:
    bold = {"type": "text", "text": plain(text) or " ", "style": {"bold": True}}
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [bold]}]}


def _buttons(page: CostPage, *, shared: bool) -> Iterator[Block]:
    for index, ask in enumerate(page.asks):
        yield _button(f"{ASK}_{index}", f"Ask: {ask}", ask)
    if page.question is None:
        return
    if not shared:
        yield _button(SHARE, "Share", page.question.text)
    if not page.question.chart:
        yield _button(CHART, "Chart", replace(page.question, chart=True).text)
    if page.question.kind in _OF_SAVINGS and not shared:
        yield _button(f"{ASK}_{SAVINGS}", "What could we save?", _savings_of(page.question))


def _savings_of(asked: CostQuestion) -> str:
    name = f"{asked.namespace}/{asked.name}" if asked.namespace else asked.name
    return CostQuestion(SAVINGS, name).text


def _button(action: str, label: str, value: str) -> Block:
    text = {"type": "plain_text", "text": plain(label, _LONGEST_LABEL), "emoji": False}
    return {"type": "button", "action_id": action, "text": text, "value": plain(value)}
