"""Pieces of Block Kit to test with."""

from __future__ import annotations

from typing import Any

from tests.slack.block_checks import Json

Part = dict[str, Any]


def plain(text: str = "x") -> Part:
    """A plain_text object."""
    return {"type": "plain_text", "text": text}


def marked(text: str = "x") -> Part:
    """A mrkdwn object."""
    return {"type": "mrkdwn", "text": text}


def section(text: str = "x", **more: Json) -> Part:
    """A section."""
    return {"type": "section", "text": marked(text), **more}


def button(action_id: str = "a", **more: Json) -> Part:
    """A button."""
    return {"type": "button", "action_id": action_id, "text": plain(), **more}


def actions(*elements: Part) -> Part:
    """A row of elements."""
    return {"type": "actions", "elements": list(elements)}


def options(count: int, **more: Json) -> list[Part]:
    """So many options."""
    return [{"text": plain(), "value": str(index), **more} for index in range(count)]


def menu(**more: Json) -> Part:
    """A static select."""
    return {"type": "static_select", "action_id": "m", "options": options(1), **more}


def table(rows: int = 1, columns: int = 1, text: str = "x", **more: Json) -> Part:
    """A table."""
    return {"type": "table", "rows": [[{"type": "raw_text", "text": text}] * columns] * rows, **more}


def image(**more: Json) -> Part:
    """An image block."""
    return {"type": "image", "image_url": "https://x.example/a.png", "alt_text": "x", **more}


def question(element: Part | None = None, **more: Json) -> Part:
    """An input block."""
    asked = element or {"type": "plain_text_input", "action_id": "q"}
    return {"type": "input", "label": plain(), "element": asked, **more}


def rich(*elements: Part) -> Part:
    """A rich_text block with one section."""
    return {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": list(elements)}]}


CONFIRM = {"title": plain(), "text": marked(), "confirm": plain(), "deny": plain()}
MODAL = {"type": "modal", "title": plain(), "blocks": [section()]}
AT_THE_LIMIT: dict[str, list[Part]] = {
    "50 blocks": [section()] * 50,
    "section text": [section("x" * 3000)],
    "fields": [{"type": "section", "fields": [marked("x" * 2000)] * 10}],
    "header": [{"type": "header", "text": plain("x" * 150)}],
    "context": [{"type": "context", "elements": [marked()] * 10}],
    "actions": [actions(*(button(f"a{index}") for index in range(25)))],
    "same action in two blocks": [actions(button()), actions(button())],
    "button": [
        actions(button("a" * 255, text=plain("x" * 75), value="v" * 2000, confirm=CONFIRM, style="danger"))
    ],
    "menu": [actions(menu(options=options(100), placeholder=plain("x" * 150)))],
    "overflow": [section(accessory={"type": "overflow", "action_id": "o", "options": options(5)})],
    "image": [image(alt_text="x" * 2000, title=plain("x" * 2000))],
    "uploaded image": [{"type": "image", "slack_file": {"id": "F1"}, "alt_text": "x"}],
    "table": [table(100, 20, column_settings=[None, {"align": "right", "is_wrapped": True}])],
    "table characters": [table(100, 1, "x" * 100)],
    "rich cell": [
        {"type": "table", "rows": [[rich({"type": "text", "text": "x", "style": {"bold": True}})]]}
    ],
    "markdown": [{"type": "markdown", "text": "x" * 12_000}],
    "rich text": [rich({"type": "link", "url": "https://x.example"}, {"type": "emoji", "name": "tada"})],
    "input in a message": [question()],
    "block id": [section(block_id="b" * 255)],
}
REJECT = {
    "type": "modal",
    "callback_id": "reject",
    "title": plain("Reject"),
    "submit": plain("Reject"),
    "blocks": [question({"type": "plain_text_input", "action_id": "reason"}, block_id="why")],
}
"""A modal that asks for a reason."""
