"""What stands where in a YAML file: its values with their first and last character, to replace one.

A round trip through a YAML library writes a file anew: of 518 manifests in real pull requests ruamel.yaml
gave 300 back as they were, and changed 8 lines of the median other one. Characters that nobody touches stay.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from bot.manifests.composing import Event, Kinds
from bot.manifests.documents import each_document
from bot.manifests.scalars import key_text, resolve
from estimators.objects import Path

BLOCK_STYLES = ("|", ">")


@dataclass(slots=True)
class Node:
    """A value: from character `begin` up to `end` of its text, on `line` (from 1) and `column` (from 0).

    `end` of a mapping or a list in block style says nothing: use `last_character`.
    """

    begin: int
    end: int
    line: int
    column: int


@dataclass(slots=True)
class Scalar(Node):
    """`value` is what it says, whatever its `style`: `""` for plain, a quote, `|` or `>`."""

    value: str
    style: str

    @property
    def is_empty(self) -> bool:
        """Whether nothing is written at all, as behind `resources:`."""
        return self.begin == self.end


@dataclass(slots=True)
class Entry:
    """A key and its value. Where an `alias` stands here, the value is where its anchor is."""

    key: Scalar
    value: Node
    alias: Scalar | None = None


@dataclass(slots=True)
class Mapping(Node):
    """`is_flow` is for `{a: b}`, where `end` is behind the brace."""

    is_flow: bool
    entries: list[Entry] = field(default_factory=list)

    def entry(self, key: str) -> Entry | None:
        """The last entry of that name, as Kubernetes takes it; else that of what `<<` brings in."""
        for entry in reversed(self.entries):
            if _key(entry.key) == key:
                return entry
        for entry in self.entries:
            if entry.key.value == "<<":
                merged = entry.value.items if isinstance(entry.value, Sequence) else [entry]
                for source in merged:
                    found = source.value.entry(key) if isinstance(source.value, Mapping) else None
                    if found:
                        return Entry(found.key, found.value, source.alias or found.alias)
        return None


@dataclass(slots=True)
class Sequence(Node):
    """A list: `key` of its entries is where the item begins."""

    is_flow: bool
    items: list[Entry] = field(default_factory=list)


class Found(NamedTuple):
    """How far a path leads: the entries on the way, and the steps of it that are not there."""

    entries: tuple[Entry, ...]
    missing: Path


def roots(text: str) -> list[Node]:
    """The root of every document. `text` must be one that `documents.read` has no problem with."""
    bare = text.removeprefix("\ufeff")
    reader = _Reader(len(text) - len(bare))
    return [reader.read(following, kinds) for following, kinds in each_document(bare)]


def find(root: Node, path: Path) -> Found:
    """Follow a path from a root as far as it leads, through aliases and merged mappings too."""
    here = root
    entries: list[Entry] = []
    for at, step in enumerate(path):
        entry = None
        if isinstance(here, Mapping) and isinstance(step, str):
            entry = here.entry(step)
        elif isinstance(here, Sequence) and isinstance(step, int) and 0 <= step < len(here.items):
            entry = here.items[step]
        if entry is None:
            return Found(tuple(entries), path[at:])
        entries.append(entry)
        here = entry.value
    return Found(tuple(entries), ())


def last_character(entry: Entry) -> int | None:
    """Where an entry ends, None for text in block style, whose end is a matter of blank lines."""
    value = entry.value
    if entry.alias:
        return entry.alias.end
    if isinstance(value, Mapping | Sequence) and value.is_flow:
        return value.end
    if isinstance(value, Mapping):
        return last_character(value.entries[-1]) if value.entries else None
    if isinstance(value, Sequence):
        return last_character(value.items[-1]) if value.items else None
    if isinstance(value, Scalar) and value.style not in BLOCK_STYLES:
        return max(value.end, entry.key.end)
    return None


def plain(node: Node) -> Any:  # noqa: ANN401 - YAML holds anything
    """The value of a node as dicts, lists and scalars; what an alias repeats is one and the same object."""
    return _plain(node, {})


def _plain(node: Node, known: dict[int, Any]) -> Any:  # noqa: ANN401 - YAML holds anything
    if id(node) in known:
        return known[id(node)]
    value: Any
    if isinstance(node, Mapping):
        value = {}
        for entry in node.entries:
            below = _plain(entry.value, known)
            if entry.key.value == "<<":
                for source in below if isinstance(below, list) else [below]:
                    value = {**source, **value}
            else:
                value[_key(entry.key)] = below
    elif isinstance(node, Sequence):
        value = [_plain(item.value, known) for item in node.items]
    elif isinstance(node, Scalar):
        value = resolve(node.value) if node.style == "" else node.value
    known[id(node)] = value
    return value


class Inside(NamedTuple):
    """A text in a text: a patch or values that somebody wrote into a YAML file, and where it stands there."""

    text: str
    starts: tuple[tuple[int, int], ...]
    indent: int

    def at(self, character: int) -> int:
        """Where a character of the text is in the file."""
        begin, there = self.starts[bisect_right(self.starts, character, key=lambda start: start[0]) - 1]
        return there + character - begin


def inside(text: str, node: Scalar) -> Inside | None:
    """The text in a literal block or in quotes without escapes; None where it is written in another way."""
    if node.style in ("'", '"'):
        begin = text.index(node.style, node.begin) + 1
        plain = text[begin : node.end - 1] == node.value and "\n" not in node.value
        return Inside(node.value, ((0, begin),), 0) if plain else None
    if node.style != "|":
        return None
    lines = node.value.split("\n")
    at = text.index("\n", node.begin) + 1
    first = next((line for line in text[at : node.end].split("\n") if line.strip()), "")
    indent = len(first) - len(first.lstrip(" "))
    starts, begin = [], 0
    for line in lines[:-1] if lines[-1] == "" else lines:
        written = text[at : text.find("\n", at) if "\n" in text[at:] else len(text)]
        if written.rstrip("\r")[indent:] != line:
            return None
        starts.append((begin, at + min(indent, len(written))))
        begin += len(line) + 1
        at += len(written) + 1
    return Inside(node.value, tuple(starts), indent) if starts else None


def _key(key: Scalar) -> str:
    plain = resolve(key.value) if key.style == "" else key.value
    return key.value if plain is None else key_text(plain)


class _Reader:
    """Builds the nodes of one text; `before` is the number of characters before what is parsed."""

    def __init__(self, before: int) -> None:
        self._before = before
        self._anchors: dict[str, Node] = {}

    def read(self, following: Callable[[], Event], kinds: Kinds) -> Node:
        self._following, self._kinds = following, kinds
        self._anchors = {}
        return self._entry(None, following()).value

    def _entry(self, key: Scalar | None, event: Event) -> Entry:
        kind = type(event)
        begin, end = event.start_mark.index + self._before, event.end_mark.index + self._before
        place = (begin, end, event.start_mark.line + 1, event.start_mark.column)
        if kind is self._kinds.alias:
            here = Scalar(*place, event.anchor, "*")
            return Entry(key or here, self._anchors[event.anchor], here)
        node: Node
        if kind is self._kinds.scalar:
            node = Scalar(*place, event.value, event.style or "")
        elif kind is self._kinds.mapping_start:
            node = self._mapping(Mapping(*place, bool(event.flow_style)))
        else:
            node = self._sequence(Sequence(*place, bool(event.flow_style)))
        if event.anchor is not None:
            self._anchors[event.anchor] = node
        return Entry(key or Scalar(begin, begin, *place[2:], "", ""), node)

    def _mapping(self, node: Mapping) -> Mapping:
        for event in self._until(self._kinds.mapping_end, node):
            key = self._entry(None, event).value
            text = (
                key
                if isinstance(key, Scalar)
                else Scalar(key.begin, key.begin, key.line, key.column, "", "?")
            )
            node.entries.append(self._entry(text, self._following()))
        return node

    def _sequence(self, node: Sequence) -> Sequence:
        node.items.extend(self._entry(None, event) for event in self._until(self._kinds.sequence_end, node))
        return node

    def _until(self, end: type[Any], node: Node) -> Iterator[Event]:
        event: Event
        while type(event := self._following()) is not end:
            yield event
        node.end = event.end_mark.index + self._before
