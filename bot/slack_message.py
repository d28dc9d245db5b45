"""A message in Slack as data: blocks, the text for notifications and screen readers, and Slack's limits.

Slack refuses a whole message for one text that is too long, and its SDK does not look at most limits. So
what is said is measured here first, and said in fewer rows where it would not fit.
Limits: docs.slack.dev/reference/block-kit/blocks and .../methods/chat.postMessage.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

from bot.inert import plain

MOST_BLOCKS = 50
MOST_TEXT = 4_000
"""`chat.update` takes no more."""
MOST_JSON = 13_000
"""Characters of its blocks as JSON, tables apart: Slack answers `msg_blocks_too_long` above 13,200."""
MOST_ROWS, MOST_COLUMNS, MOST_IN_TABLE = 100, 20, 10_000
_LONGEST = {"section": 3_000, "header": 150, "button": 75, "context": 3_000, "value": 2_000}
_MOST_ELEMENTS = {"context": 10, "actions": 25}
_WORD_JOINER = "\u2060"
_LOOK_ALIKES = str.maketrans("*~`", "\u2217\u223c'")
_EDGE = re.compile(r"(?<![^\W_])_+|_+(?![^\W_])")
"""Where an underscore could begin or end an emphasis; within a word it cannot."""
_LOW_LINE = "\u02cd"

Block = dict[str, Any]


@dataclass(frozen=True, slots=True)
class SlackMessage:
    """`text` is said where blocks are not shown."""

    text: str
    blocks: tuple[Block, ...] = ()

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return {"text": self.text, "blocks": list(self.blocks)}

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> SlackMessage:
        """From `to_json`."""
        return cls(told["text"], tuple(told["blocks"]))


class Said(NamedTuple):
    """A message and whom it is for.

    The asker alone (`original`: instead of what they clicked on), all in the channel, or the asker's home.
    """

    to: Literal["asker", "original", "channel", "home"]
    message: SlackMessage

    def to_json(self) -> dict[str, Any]:
        """As plain data."""
        return {"to": self.to, "message": self.message.to_json()}

    @classmethod
    def from_json(cls, told: Mapping[str, Any]) -> Said:
        """From `to_json`."""
        return cls(told["to"], SlackMessage.from_json(told["message"]))


def fitted(render: Callable[[int], SlackMessage], rows: int) -> tuple[SlackMessage, int]:
    """The message with as many of `rows` as Slack takes, and how many that are.

    Raises ValueError where not even none of them fit: a mistake of whoever renders.
    """
    shown = rows
    while found := problems(message := render(shown)):
        if not shown:
            raise ValueError(found[0])
        shown = shown // 2 if shown > 1 else 0
    return message, shown


def problems(message: SlackMessage) -> tuple[str, ...]:
    """What Slack would refuse of the message, for those who render it; nothing for a good one."""
    return tuple(_problems(message))


def _problems(message: SlackMessage) -> Iterator[str]:
    if not message.text.strip():
        yield "there is no text for notifications"
    if len(message.text) > MOST_TEXT:
        yield f"the text has {len(message.text):,} characters, {MOST_TEXT:,} fit"
    if len(message.blocks) > MOST_BLOCKS:
        yield f"there are {len(message.blocks)} blocks, {MOST_BLOCKS} fit"
    tables = [block for block in message.blocks if block["type"] == "table"]
    if len(tables) > 1:
        yield "a message may have one table"
    for table in tables:
        yield from _in_table(table["rows"])
    others = [block for block in message.blocks if block["type"] != "table"]
    size = len(json.dumps(others, ensure_ascii=False))
    if size > MOST_JSON:
        yield f"the blocks have {size:,} characters, {MOST_JSON:,} fit"
    for block in others:
        yield from _in_block(block)


def _in_table(rows: Sequence[Sequence[Mapping[str, Any]]]) -> Iterator[str]:
    columns = max(map(len, rows), default=0)
    if len(rows) > MOST_ROWS or columns > MOST_COLUMNS:
        yield f"the table has {len(rows)} rows of {columns}, {MOST_ROWS} of {MOST_COLUMNS} fit"
    size = sum(len(text) for row in rows for cell in row for text in _texts(cell))
    if size > MOST_IN_TABLE:
        yield f"the table has {size:,} characters, {MOST_IN_TABLE:,} fit"


def _texts(part: object) -> Iterator[str]:
    if isinstance(part, Mapping):
        for name, inner in part.items():
            if name == "text" and isinstance(inner, str):
                yield inner
            else:
                yield from _texts(inner)
    elif isinstance(part, Sequence) and not isinstance(part, str):
        for inner in part:
            yield from _texts(inner)


def _in_block(block: Mapping[str, Any]) -> Iterator[str]:
    kind = block["type"]
    elements = block.get("elements", ())
    if len(elements) > _MOST_ELEMENTS.get(kind, len(elements)):
        yield f"a {kind} has {len(elements)} elements, {_MOST_ELEMENTS[kind]} fit"
    if kind in _LONGEST and "text" in block:
        yield from _too_long(kind, block["text"]["text"])
    for element in elements:
        text = element.get("text", "")
        yield from _too_long(
            element["type"] if kind == "actions" else kind, text if isinstance(text, str) else text["text"]
        )
        yield from _too_long("value", element.get("value", ""))


def _too_long(kind: str, text: str) -> Iterator[str]:
    most = _LONGEST.get(kind)
    if most is not None and len(text) > most:
        yield f"a {kind} has {len(text):,} characters, {most:,} fit"


def mrkdwn(text: str, most: int = 300) -> str:
    """A stranger's text as Slack's markup that reads as it is written.

    No mention, link, emphasis, emoji or channel comes out of it: signs that begin one are written with
    others that look like them, since Slack knows no escape.
    """
    line = plain(text, most)
    line = _EDGE.sub(lambda found: _LOW_LINE * len(found[0]), line.translate(_LOOK_ALIKES))
    for sign in "@#:":
        line = line.replace(sign, f"{sign}{_WORD_JOINER}")
    return line.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def code(text: str, most: int = 300) -> str:
    """A stranger's name in a fixed-width font."""
    line = plain(text, most).replace("`", "'") or " "
    return f"`{line.replace('&', '&amp;').replace('<', '&lt;').replace('>', '&gt;')}`"
