"""Whether Slack would take a message, a modal or a Home tab: its documented limits, and no unknown key.

Sources: docs.slack.dev/reference/block-kit/blocks (each block's page), .../reference/views,
.../reference/methods/chat.postMessage, the field descriptions of @slack/types 3, slack_sdk 3.47, and for
what the documentation leaves out the maintainers' answers in slackapi/bolt-js issues 2509 and 2867
(`msg_blocks_too_long`) and slackapi/bolt-python issue 914 (50 blocks an attachment).

Stricter than the service where its behaviour is not known: ragged tables, unknown keys, and blocks
that a bot has no use for (video, card, alert, call, ...) are refused; so is an empty `value` of an option.
Characters are counted as Python counts them.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

from tests.slack.block_checks import (
    TYPE,
    Check,
    Json,
    Problem,
    Surface,
    Walk,
    array,
    by_type,
    flag,
    one_of,
    plain_text,
    record,
    string,
    text,
    web_address,
)
from tests.slack.block_elements import (
    BUTTON,
    CHOICES,
    DATES,
    DATETIME,
    IMAGE,
    IMAGE_SOURCE,
    INPUTS,
    MULTI_SELECTS,
    OVERFLOW,
    RICH_TEXT,
    SELECTS,
    one_image,
)

MESSAGE_BLOCKS, VIEW_BLOCKS = 50, 100
TABLE_ROWS, TABLE_COLUMNS, TABLE_CHARACTERS = 100, 20, 10_000
MARKDOWN_CHARACTERS = 12_000
"""Of all markdown blocks together."""
POSTED_CHARACTERS = 13_200
"""Of a message's blocks as JSON, tables aside; only `chat.postMessage` and `chat.update` count them."""
MESSAGE_TEXT, UPDATED_TEXT = 40_000, 4_000
ATTACHMENTS = 100
ONE_TABLE = "only_one_table_allowed"

_NOT_IN_VIEWS = frozenset(("table", "markdown"))


def _block_id(walk: Walk, pointer: str, value: Json) -> None:
    string(1, 255)(walk, pointer, value)
    if isinstance(value, str):
        if value in walk.block_ids:
            walk.refuse(pointer, f"block_id {value!r} already exists")
        walk.block_ids.add(value)


def _block(
    required: Mapping[str, Check], optional: Mapping[str, Check] | None = None, rule: Check | None = None
) -> Check:
    return record({**TYPE, **required}, {"block_id": _block_id, **(optional or {})}, rule)


def _text_or_fields(walk: Walk, pointer: str, value: Json) -> None:
    if "text" not in value and "fields" not in value:
        walk.refuse(pointer, "must define either `text` or `fields`")


def _characters(value: Json) -> int:
    """The text in a table's cell."""
    if isinstance(value, dict):
        return sum(
            len(part) if name == "text" and isinstance(part, str) else _characters(part)
            for name, part in value.items()
        )
    return sum(_characters(part) for part in value) if isinstance(value, list) else 0


def _table_rule(walk: Walk, pointer: str, value: Json) -> None:
    rows = [row for row in value["rows"] if isinstance(row, list)]
    if len({len(row) for row in rows}) > 1:
        walk.refuse(f"{pointer}/rows", "all rows must have the same number of cells")
    walk.tables += 1
    walk.table_characters += _characters(rows)
    if walk.tables > 1:
        walk.refuse(pointer, ONE_TABLE)
    if walk.table_characters > TABLE_CHARACTERS:
        walk.refuse(f"{pointer}/rows", f"no more than {TABLE_CHARACTERS} characters allowed in all cells")


def _column(walk: Walk, pointer: str, value: Json) -> None:
    """None leaves a column as it is."""
    if value is not None:
        record({}, {"align": one_of("left", "center", "right"), "is_wrapped": flag})(walk, pointer, value)


def _markdown_rule(walk: Walk, pointer: str, value: Json) -> None:
    walk.markdown_characters += len(value["text"]) if isinstance(value["text"], str) else 0
    if walk.markdown_characters > MARKDOWN_CHARACTERS:
        walk.refuse(
            f"{pointer}/text", f"must be less than {MARKDOWN_CHARACTERS + 1} characters in all markdown"
        )


_ACTIONS = {**BUTTON, **SELECTS, **OVERFLOW, **CHOICES, **DATES, **DATETIME}
_ACCESSORIES = {**BUTTON, **SELECTS, **MULTI_SELECTS, **OVERFLOW, **CHOICES, **DATES, **IMAGE}
_FIELDS = {**INPUTS, **SELECTS, **MULTI_SELECTS, **CHOICES, **DATES, **DATETIME}
_CONTEXT_TEXT = {kind: text(3000) for kind in ("plain_text", "mrkdwn")}
_RICH_TEXT = _block({"elements": array(by_type(RICH_TEXT, "rich text element"))})
_CELL = by_type({"raw_text": record({**TYPE, "text": string(1)}), "rich_text": _RICH_TEXT}, "table cell")
_BLOCKS: dict[str, Check] = {
    "actions": _block({"elements": array(by_type(_ACTIONS, "element"), 1, 25)}),
    "context": _block({"elements": array(by_type({**IMAGE, **_CONTEXT_TEXT}, "element"), 1, 10)}),
    "divider": _block({}),
    "header": _block({"text": plain_text(150)}),
    "image": _block({"alt_text": string(1, 2000)}, {"title": plain_text(2000), **IMAGE_SOURCE}, one_image),
    "input": _block(
        {"label": plain_text(2000), "element": by_type(_FIELDS, "input element")},
        {"hint": plain_text(2000), "optional": flag, "dispatch_action": flag},
    ),
    "markdown": record(
        {**TYPE, "text": string(1, MARKDOWN_CHARACTERS)}, {"block_id": _block_id}, _markdown_rule
    ),
    "rich_text": _RICH_TEXT,
    "section": _block(
        {},
        {
            "text": text(3000),
            "fields": array(text(2000), 1, 10),
            "accessory": by_type(_ACCESSORIES, "accessory"),
            "expand": flag,
        },
        _text_or_fields,
    ),
    "table": _block(
        {"rows": array(array(_CELL, 1, TABLE_COLUMNS), 1, TABLE_ROWS)},
        {"column_settings": array(_column, 1, TABLE_COLUMNS)},
        _table_rule,
    ),
}


def _any_block(walk: Walk, pointer: str, value: Json) -> None:
    walk.action_ids = set()
    allowed = _BLOCKS.keys() if walk.surface == "message" else _BLOCKS.keys() - _NOT_IN_VIEWS
    by_type({kind: _BLOCKS[kind] for kind in allowed}, "block")(walk, pointer, value)


_SHORT = string(0)
_ATTACHMENT = record(
    {},
    {
        **dict.fromkeys(
            (
                "fallback",
                "color",
                "pretext",
                "author_name",
                "author_subname",
                "title",
                "text",
                "footer",
                "ts",
            ),
            _SHORT,
        ),
        **dict.fromkeys(
            ("author_link", "author_icon", "title_link", "image_url", "thumb_url", "footer_icon"), web_address
        ),
        "fields": array(record({"title": _SHORT, "value": _SHORT}, {"short": flag})),
        "mrkdwn_in": array(one_of("pretext", "text", "fields")),
        "blocks": array(_any_block, 1, MESSAGE_BLOCKS),
    },
    lambda walk, pointer, value: (
        None
        if value.keys() & {"fallback", "text", "blocks"}
        else walk.refuse(pointer, "no text, fallback or blocks")
    ),
)
_VIEW_PARTS: Mapping[str, Check] = {
    "private_metadata": string(0, 3000),
    "callback_id": string(0, 255),
    "external_id": string(0, 255),
}
_VIEW_OF = {**TYPE, "blocks": array(_any_block, 1, VIEW_BLOCKS)}


def _submit_for_inputs(walk: Walk, pointer: str, value: Json) -> None:
    blocks = value["blocks"] if isinstance(value["blocks"], list) else []
    if "submit" not in value and any(isinstance(it, dict) and it.get("type") == "input" for it in blocks):
        walk.refuse(pointer, "missing required field: submit (there is an input block)")


_MODAL = record(
    {**_VIEW_OF, "title": plain_text(24)},
    {
        **_VIEW_PARTS,
        "submit": plain_text(24),
        "close": plain_text(24),
        "clear_on_close": flag,
        "notify_on_close": flag,
    },
    _submit_for_inputs,
)
_HOME = record(_VIEW_OF, _VIEW_PARTS)


def message_problems(blocks: Json, attachments: Json = None) -> list[Problem]:
    """What Slack would say against the blocks and attachments of a message; both may be None."""
    walk = Walk("message")
    if blocks is not None:
        array(_any_block, 0, MESSAGE_BLOCKS)(walk, "/blocks", blocks)
    if attachments is not None:
        array(_ATTACHMENT, 0, ATTACHMENTS)(walk, "/attachments", attachments)
    return walk.problems


def view_problems(view: Json, surface: Surface = "modal") -> list[Problem]:
    """What Slack would say against a `view` that is opened as a modal or published as a Home tab."""
    walk = Walk(surface)
    by_type({surface: _MODAL if surface == "modal" else _HOME}, "view")(walk, "/view", view)
    return walk.problems


def posted_size(blocks: Json) -> int:
    """What `msg_blocks_too_long` counts, as far as it is known: the blocks as JSON, without tables."""
    counted = [it for it in blocks or [] if not (isinstance(it, dict) and it.get("type") == "table")]
    return len(json.dumps(counted, ensure_ascii=False, separators=(",", ":"))) if counted else 0
