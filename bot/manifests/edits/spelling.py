"""How a value is written into a YAML file: quotes, style and indentation stay, and nothing else changes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from enum import Enum
from typing import NamedTuple

from bot.manifests.edits import nodes
from bot.manifests.edits.nodes import Entry, Mapping, Scalar
from bot.manifests.edits.nodes import Sequence as List
from bot.manifests.scalars import resolve

_VALUE = re.compile(r"[A-Za-z0-9._+%-]{1,64}")
_HOURS = r"[A-Z][a-z]{2}-[A-Z][a-z]{2} [0-9]{2}:[0-9]{2}-[0-9]{2}:[0-9]{2} [A-Z]{3}"
_SCHEDULE = re.compile(rf"{_HOURS}(,{_HOURS})?")
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_STEP = 2
"""The indentation that is taken where a file shows none, as kubectl and kustomize write it."""


class Form(Enum):
    """What Kubernetes takes in a field.

    A count must be a number, text a string; a quantity may be either, and is written as its neighbours.
    """

    COUNT = "count"
    QUANTITY = "quantity"
    TEXT = "text"

    def written(self, value: str, quote: str) -> str:
        """The value of a new key, among neighbours with those quotes."""
        if self is Form.TEXT:
            plain = isinstance(resolve(value), str) and _VALUE.fullmatch(value)
            quote = quote or ("" if plain else '"')
        elif self is Form.COUNT or not isinstance(resolve(value), str):
            return value
        return f"{quote}{value}{quote}"


class Replacement(NamedTuple):
    """Other text for the characters from `begin` up to `end`."""

    begin: int
    end: int
    text: str


class Item(NamedTuple):
    """A step into a list that is not there yet: its one item, by name."""

    name: str


def is_writable(value: str) -> bool:
    """Whether a value is a quantity, a count, a share, a label or a schedule: no other is written."""
    return bool(_VALUE.fullmatch(value) or _SCHEDULE.fullmatch(value))


def applied(text: str, replacements: Sequence[Replacement]) -> str:
    """The text with all replacements, which do not overlap."""
    for one in sorted(replacements, reverse=True):
        text = text[: one.begin] + one.text + text[one.end :]
    return text


def replaced(text: str, entry: Entry, value: str, form: Form) -> Replacement | None:
    """Another value for an entry, in its quotes; None for one in block style, of several lines, or a null.

    A count loses its quotes: Kubernetes takes text for no number. Text in JSON gets them.
    """
    scalar = entry.value
    if not isinstance(scalar, Scalar):
        return None
    written = text[scalar.begin : scalar.end]
    if scalar.style in ("'", '"'):
        begin = scalar.begin + written.index(scalar.style)
        quote = "" if form is Form.COUNT else scalar.style
        return Replacement(begin, scalar.end, f"{quote}{value}{quote}")
    if scalar.style == "" and scalar.value not in _NULLS and written.endswith(scalar.value):
        is_json = entry.key.style == '"'
        needed = is_json if isinstance(resolve(value), str) else form is Form.TEXT
        quote = '"' if needed else ""
        return Replacement(scalar.end - len(scalar.value), scalar.end, f"{quote}{value}{quote}")
    return None


def added(
    text: str, way: Sequence[Entry], missing: Sequence[str | Item], value: str, form: Form
) -> Replacement | None:
    """Keys that are not there yet, below the last entry of those that are; None where they cannot be put.

    They are written as their neighbours are: in braces or in lines, quoted or not.
    """
    *outer, above = way
    here = above.value
    in_braces = any(isinstance(one.value, Mapping | List) and one.value.is_flow for one in outer)
    if above.alias:
        return None
    if isinstance(here, Mapping) and here.is_flow and (here.entries or in_braces):
        return _in_braces(text, above, here, missing, value, form)
    if isinstance(here, Mapping) and here.entries:
        return _in_lines(text, here, missing, value, form)
    is_null = isinstance(here, Scalar) and here.value in _NULLS and here.style == ""
    if not in_braces and (is_null or isinstance(here, Mapping)):
        return _below_nothing(text, above, missing, value, form)
    return None


def _in_braces(
    text: str, above: Entry, here: Mapping, missing: Sequence[str | Item], value: str, form: Form
) -> Replacement:
    keys = _quote(entry.key for entry in here.entries) if here.entries else above.key.style
    values = '"' if keys == '"' else _quote(_values(here))
    written = _in_one_line(missing, form.written(value, values), keys)
    if not here.entries:
        return Replacement(here.begin + text[here.begin : here.end].rindex("{"), here.end, f"{{{written}}}")
    last = here.entries[-1]
    behind = nodes.last_character(last) or last.key.end
    before = text[here.begin : last.key.begin]
    gap = before[max(before.rfind("{"), before.rfind(",")) + 1 :]
    separator = gap if "\n" in gap else " "
    return Replacement(behind, behind, f",{separator}{written}")


def _in_one_line(missing: Sequence[str | Item], scalar: str, quote: str) -> str:
    written, closing = "", ""
    for at, step in enumerate(missing):
        if isinstance(step, Item):
            written += f"[{{{quote}name{quote}: {quote}{step.name}{quote}, "
            closing = f"}}]{closing}"
            continue
        opened = at > 0 and not isinstance(missing[at - 1], Item)
        written += f"{'{' if opened else ''}{quote}{step}{quote}: "
        closing = f"{'}' if opened else ''}{closing}"
    return f"{written}{scalar}{closing}"


def _in_lines(
    text: str, here: Mapping, missing: Sequence[str | Item], value: str, form: Form
) -> Replacement | None:
    column = here.entries[0].key.column
    ends = [(entry, end) for entry in here.entries if (end := nodes.last_character(entry)) is not None]
    if not ends:
        return None
    step = next(
        (
            entry.value.entries[0].key.column - column
            for entry in here.entries
            if isinstance(entry.value, Mapping) and not entry.value.is_flow and entry.value.entries
        ),
        _STEP,
    )
    quote = _quote(_values(here))
    lines = _lines(missing, value, column, step, quote, form)
    return _line_after(text, ends[-1][1], lines)


def _below_nothing(
    text: str, above: Entry, missing: Sequence[str | Item], value: str, form: Form
) -> Replacement | None:
    """Below a key with nothing behind it, or with `{}` or `null`, which then goes."""
    lines = _lines(missing, value, above.key.column + _STEP, _STEP, "", form)
    after = _line_after(text, above.value.end, lines)
    rest = text[above.value.end : after.begin]
    if not above.key.value or text[above.value.begin : above.value.end].startswith(("&", "!")):
        return None
    begin = above.value.begin
    while text[begin - 1] == " ":
        begin -= 1
    return Replacement(begin, after.end, rest.rstrip("\r") + after.text)


def _line_after(text: str, end: int, lines: Sequence[str]) -> Replacement:
    """New lines behind the line on which `end` is, with the line ends of the file."""
    found = text.find("\n", end)
    if found < 0:
        ending = "\r\n" if "\r\n" in text else "\n"
        return Replacement(len(text), len(text), "".join(f"{ending}{line}" for line in lines))
    at = found - 1 if text[found - 1] == "\r" else found
    return Replacement(at, at, "".join(f"{text[at : found + 1]}{line}" for line in lines))


def _lines(
    missing: Sequence[str | Item], value: str, column: int, step: int, quote: str, form: Form
) -> list[str]:
    lines = []
    for at, key in enumerate(missing):
        if isinstance(key, Item):
            # The list stands below its key as kubectl writes it: the dash in the column of the key.
            column -= step
            lines.append(f"{' ' * column}- name: {key.name}")
            column += 2
            continue
        scalar = f" {form.written(value, quote)}" if at == len(missing) - 1 else ""
        lines.append(f"{' ' * column}{key}:{scalar}")
        column += step
    return lines


def _values(here: Mapping) -> Iterator[Scalar]:
    """The values of a mapping and of those in it: `limits` shows how `requests` would be written."""
    for entry in here.entries:
        if isinstance(entry.value, Scalar) and not entry.alias:
            yield entry.value
        elif isinstance(entry.value, Mapping) and entry.key.value in ("requests", "limits"):
            yield from _values(entry.value)


def _quote(scalars: Iterator[Scalar]) -> str:
    """The quotes that all of some scalars have, `""` for none."""
    styles = {scalar.style for scalar in scalars if scalar.style in ("", "'", '"')}
    return styles.pop() if len(styles) == 1 else ""
