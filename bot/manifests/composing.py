"""From the events of a YAML parser to plain dicts and lists, counted on the way so that nothing blows up."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Any, NamedTuple

from bot.manifests.limits import MAX_DEPTH, MAX_EXPANSION, MAX_NODES, Budget, Refused
from bot.manifests.scalars import Scalar, key_text, resolve

_STANDARD = "tag:yaml.org,2002:"
_TAGGED = {"int": (int,), "float": (float, int), "bool": (bool,), "null": (type(None),)}

Event = Any  # the parser's event classes share no base that has all the attributes read here


class Kinds(NamedTuple):
    """The parser's event classes: handed in, so that only `documents` imports a YAML library."""

    alias: type[Any]
    scalar: type[Any]
    mapping_start: type[Any]
    mapping_end: type[Any]
    sequence_start: type[Any]
    sequence_end: type[Any]


class _Anchored(NamedTuple):
    """What an alias may repeat: a value, the characters of source it stands for, and how deep it is."""

    value: Any
    characters: int
    height: int


class Composer:
    """Builds the values of one stream. The two loops are the hot path: scalars are read in place."""

    __slots__ = ("anchors", "before", "budget", "deepest", "following", "kinds", "last")

    def __init__(self, following: Callable[[], Event], kinds: Kinds, before: int, budget: Budget) -> None:
        self.following = following
        self.kinds = kinds
        self.before = before
        self.budget = budget
        self.deepest = 0
        self.last: Any = None
        self.anchors: dict[str, _Anchored | None] = {}

    def node(self, event: Event, depth: int) -> Any:  # noqa: ANN401 - YAML holds anything
        """The value that starts with `event`."""
        kind = type(event)
        if kind is self.kinds.alias:
            return self._alias(event, depth)
        if event.anchor is not None:
            return self._anchored(event, depth)
        if kind is self.kinds.scalar:
            return self._scalar(event)
        return self._collection(event, depth)

    def line(self, event: Event) -> int:
        """The line from 1 in the file."""
        return int(event.start_mark.line) + self.before + 1

    def _collection(self, event: Event, depth: int) -> dict[str, Any] | list[Any]:
        if depth >= MAX_DEPTH:
            raise Refused(self.line(event), f"nested more than {MAX_DEPTH} deep")
        if event.tag is not None:
            self._refuse_python(event)
        self.deepest = max(self.deepest, depth)
        value = (
            self._mapping(depth + 1) if type(event) is self.kinds.mapping_start else self._sequence(depth + 1)
        )
        self.budget.nodes += len(value) + 1
        return value

    def _mapping(self, depth: int) -> dict[str, Any]:
        following, scalar, end = self.following, self.kinds.scalar, self.kinds.mapping_end
        room = MAX_NODES - self.budget.nodes
        result: dict[str, Any] = {}
        merged: list[dict[str, Any]] = []
        while type(event := following()) is not end:
            plain = type(event) is scalar and event.anchor is None and event.implicit[0]
            key = resolve(event.value) if plain else self.node(event, depth)
            if type(key) is not str:
                key = self._key(key, event)
            content = following()
            if type(content) is scalar and content.anchor is None:
                value = resolve(content.value) if content.implicit[0] else self._scalar(content)
            else:
                value = self.node(content, depth)
            if key in result:
                self.budget.repeated(key, self.line(event))
            elif len(result) >= room:
                self._refuse_nodes(event)
            if key == "<<":
                merged += self._mergeable(value, event)
            else:
                result[key] = value
        self.last = event
        for source in merged:
            result = {**source, **result}
        return result

    def _sequence(self, depth: int) -> list[Any]:
        following, scalar, end = self.following, self.kinds.scalar, self.kinds.sequence_end
        room = MAX_NODES - self.budget.nodes
        result: list[Any] = []
        while type(event := following()) is not end:
            if type(event) is scalar and event.anchor is None:
                result.append(resolve(event.value) if event.implicit[0] else self._scalar(event))
            else:
                result.append(self.node(event, depth))
            if len(result) > room:
                self._refuse_nodes(event)
        self.last = event
        return result

    def _anchored(self, event: Event, depth: int) -> Any:  # noqa: ANN401 - YAML holds anything
        self.anchors[event.anchor] = None
        outside, self.deepest, expanded = self.deepest, depth, self.budget.expansion
        self.last = event
        value = self._scalar(event) if type(event) is self.kinds.scalar else self._collection(event, depth)
        characters = self.last.end_mark.index - event.start_mark.index + self.budget.expansion - expanded
        self.anchors[event.anchor] = _Anchored(value, characters, self.deepest - depth)
        self.deepest = max(self.deepest, outside)
        return value

    def _alias(self, event: Event, depth: int) -> Any:  # noqa: ANN401 - YAML holds anything
        name = event.anchor
        anchored = self.anchors.get(name)
        if anchored is None:
            what = (
                "stands inside the value it repeats"
                if name in self.anchors
                else "repeats an anchor nobody set"
            )
            raise Refused(self.line(event), f"the alias `*{name}` {what}")
        self.budget.expansion += anchored.characters
        if self.budget.expansion > MAX_EXPANSION:
            raise Refused(self.line(event), f"aliases repeat more than {MAX_EXPANSION:,} characters")
        self.deepest = max(self.deepest, depth + anchored.height)
        if self.deepest > MAX_DEPTH:
            raise Refused(self.line(event), f"nested more than {MAX_DEPTH} deep")
        return anchored.value

    def _scalar(self, event: Event) -> Scalar:
        text: str = event.value
        if event.implicit[0]:
            return resolve(text)
        if event.tag is None or not event.tag.startswith(_STANDARD):
            return text
        self._refuse_python(event)
        kind = event.tag.removeprefix(_STANDARD)
        if kind == "binary":
            try:
                return base64.b64decode("".join(text.split()), validate=True).decode("utf-8", "replace")
            except binascii.Error as error:
                raise Refused(self.line(event), "`!!binary` is not followed by base64") from error
        types = _TAGGED.get(kind)
        if types is None:
            return text
        value = resolve(text)
        if type(value) not in types:
            raise Refused(self.line(event), f"`{text[:40]}` is not a `!!{kind}`")
        return value

    def _key(self, key: object, event: Event) -> str:
        if isinstance(key, dict | list):
            raise Refused(self.line(event), "a mapping key must be text, not a list or a mapping")
        if not isinstance(key, str | int | float):
            raise Refused(self.line(event), "a mapping key must not be null")
        return key_text(key)

    def _mergeable(self, value: object, event: Event) -> list[dict[str, Any]]:
        sources = value if isinstance(value, list) else [value]
        mappings = [source for source in sources if isinstance(source, dict)]
        if len(mappings) < len(sources):
            raise Refused(self.line(event), "`<<` must be followed by a mapping, or a list of mappings")
        return mappings

    def _refuse_python(self, event: Event) -> None:
        if event.tag.startswith(f"{_STANDARD}python"):
            raise Refused(self.line(event), f"the tag `!!{event.tag.removeprefix(_STANDARD)}` is refused")

    def _refuse_nodes(self, event: Event) -> None:
        self.budget.nodes = MAX_NODES + 1
        raise Refused(self.line(event), f"the file holds more than {MAX_NODES:,} values")
