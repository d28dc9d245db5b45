"""What the checks of Block Kit are made of: each looks at one value and writes down what is wrong with it.

Problems read as Slack's own, which are known from its answers only ("must be less than 3001 characters
[json-pointer:/blocks/0/text/text]").
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

Json = Any
Surface = Literal["message", "modal", "home"]


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that Slack would refuse, and where in the payload it is."""

    message: str
    pointer: str

    def __str__(self) -> str:
        return f"{self.message} [json-pointer:{self.pointer}]"


@dataclass(slots=True)
class Walk:
    """One payload on its way through the checks."""

    surface: Surface
    problems: list[Problem] = field(default_factory=list)
    block_ids: set[str] = field(default_factory=set)
    action_ids: set[str] = field(default_factory=set)
    """Those of the block that is looked at."""
    focused: int = 0
    tables: int = 0
    table_characters: int = 0
    markdown_characters: int = 0

    def refuse(self, pointer: str, message: str) -> None:
        """Write a problem down."""
        self.problems.append(Problem(message, pointer))


Check = Callable[[Walk, str, Json], None]


def string(least: int = 1, most: int | None = None) -> Check:
    """A string of so many characters."""

    def check(walk: Walk, pointer: str, value: Json) -> None:
        if not isinstance(value, str):
            walk.refuse(pointer, "must be a string")
        elif len(value) < least:
            walk.refuse(pointer, f"must be more than {least - 1} characters")
        elif most is not None and len(value) > most:
            walk.refuse(pointer, f"must be less than {most + 1} characters")

    return check


def flag(walk: Walk, pointer: str, value: Json) -> None:
    """True or false."""
    if not isinstance(value, bool):
        walk.refuse(pointer, "must be a boolean")


def integer(least: int, most: int) -> Check:
    """A whole number of a range."""

    def check(walk: Walk, pointer: str, value: Json) -> None:
        if not isinstance(value, int) or isinstance(value, bool):
            walk.refuse(pointer, "must be an integer")
        elif not least <= value <= most:
            walk.refuse(pointer, f"must be between {least} and {most}")

    return check


def one_of(*values: str) -> Check:
    """One of some words."""

    def check(walk: Walk, pointer: str, value: Json) -> None:
        if value not in values:
            walk.refuse(pointer, f"value not allowed: must be one of {', '.join(values)}")

    return check


def web_address(walk: Walk, pointer: str, value: Json) -> None:
    """A link or an image of at most 3,000 characters."""
    string(1, 3000)(walk, pointer, value)
    if isinstance(value, str) and not value.startswith(("https://", "http://")):
        walk.refuse(pointer, "invalid url")


def array(check: Check, least: int = 1, most: int | None = None) -> Check:
    """A list of so many things, all of which pass a check."""

    def check_all(walk: Walk, pointer: str, value: Json) -> None:
        if not isinstance(value, list):
            walk.refuse(pointer, "must be an array")
            return
        if len(value) < least:
            walk.refuse(pointer, f"no fewer than {least} items allowed")
        if most is not None and len(value) > most:
            walk.refuse(pointer, f"no more than {most} items allowed")
        for index, item in enumerate(value):
            check(walk, f"{pointer}/{index}", item)

    return check_all


def record(
    required: Mapping[str, Check], optional: Mapping[str, Check] | None = None, rule: Check | None = None
) -> Check:
    """An object with these keys and no others; `rule` looks at an object whose parts are right."""
    known = {**required, **(optional or {})}

    def check(walk: Walk, pointer: str, value: Json) -> None:
        if not isinstance(value, dict):
            walk.refuse(pointer, "must be an object")
            return
        before = len(walk.problems)
        for name in required.keys() - value.keys():
            walk.refuse(pointer, f"missing required field: {name}")
        for name in value.keys() - known.keys():
            walk.refuse(pointer, f"invalid additional property: {name}")
        for name, part in value.items():
            if name in known:
                known[name](walk, f"{pointer}/{name}", part)
        if rule is not None and len(walk.problems) == before:
            rule(walk, pointer, value)

    return check


def by_type(kinds: Mapping[str, Check], what: str) -> Check:
    """An object whose `type` says which check it must pass."""

    def check(walk: Walk, pointer: str, value: Json) -> None:
        kind = value.get("type") if isinstance(value, dict) else None
        if not isinstance(kind, str) or kind not in kinds:
            walk.refuse(pointer, f"unsupported type: {kind!r} is no {what} that is allowed here")
        else:
            kinds[kind](walk, pointer, value)

    return check


def plain_text(most: int) -> Check:
    """A text object without markup."""
    return by_type({"plain_text": record({"type": _any, "text": string(1, most)}, {"emoji": flag})}, "text")


def text(most: int) -> Check:
    """A text object, with or without markup."""
    plain = record({"type": _any, "text": string(1, most)}, {"emoji": flag})
    marked = record({"type": _any, "text": string(1, most)}, {"verbatim": flag})
    return by_type({"plain_text": plain, "mrkdwn": marked}, "text")


def _any(walk: Walk, pointer: str, value: Json) -> None:
    """Looked at already."""


TYPE: Mapping[str, Check] = {"type": _any}
