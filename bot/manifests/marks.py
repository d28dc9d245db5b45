"""The line of each field, composed from the text of one document once somebody asks for one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from bot.manifests.composing import Event, Kinds
from bot.manifests.scalars import key_text, resolve
from estimators.objects import Path


class _Mark(NamedTuple):
    """The line of a value from 0 within its excerpt, and the marks inside it."""

    line: int
    inside: dict[str, _Mark] | list[_Mark] | None


# The events inside the first document of a text, and the classes they are of.
Walk = Callable[[str], tuple[Callable[[], Event], Kinds]]


class Excerpt:
    """One document's value and its text, from which its marks are composed once they are needed."""

    __slots__ = ("_before", "_marks", "_text", "_walk", "line", "value")

    def __init__(self, value: Any, line: int, text: tuple[str, int, int], before: int, walk: Walk) -> None:  # noqa: ANN401 - YAML holds anything
        self.value = value
        self.line = line
        self._text, self._before, self._walk = text, before, walk
        self._marks: _Mark | None = None

    def locate(self, path: Path) -> int:
        """The line from 1 of the value at `path`, or of its nearest existing parent."""
        if not path:
            return self.line
        if self._marks is None:
            text, begin, end = self._text
            self._marks = _Walker(*self._walk(text[begin:end])).mark()
        mark, line = self._marks, self.line
        for step in path:
            if isinstance(mark.inside, dict) and str(step) in mark.inside:
                mark = mark.inside[str(step)]
            elif isinstance(mark.inside, list) and isinstance(step, int) and 0 <= step < len(mark.inside):
                mark = mark.inside[step]
            else:
                break
            line = self._before + mark.line + 1
        return line


class _Walker:
    """Walks the events of one document."""

    def __init__(self, following: Callable[[], Event], kinds: Kinds) -> None:
        self.following, self.kinds = following, kinds
        self.anchors: dict[str, _Mark] = {}

    def mark(self) -> _Mark:
        """The marks of the value that comes next."""
        return self._mark(self.following())

    def _mark(self, event: Event) -> _Mark:
        if type(event) is self.kinds.alias:
            return _Mark(event.start_mark.line, self.anchors[event.anchor].inside)
        inside: dict[str, _Mark] | list[_Mark] | None = None
        if type(event) is self.kinds.sequence_start:
            inside = []
            while type(item := self.following()) is not self.kinds.sequence_end:
                inside.append(self._mark(item))
        elif type(event) is self.kinds.mapping_start:
            inside = self._mapping()
        mark = _Mark(event.start_mark.line, inside)
        if event.anchor is not None:
            self.anchors[event.anchor] = mark
        return mark

    def _mapping(self) -> dict[str, _Mark]:
        """A field's line is that of its key; what `<<` brings in keeps the lines it is written on."""
        inside: dict[str, _Mark] = {}
        merged: dict[str, _Mark] = {}
        while type(event := self.following()) is not self.kinds.mapping_end:
            key = self._key(event)
            value = self.mark()
            if key == "<<":
                for source in value.inside if isinstance(value.inside, list) else [value]:
                    if isinstance(source.inside, dict):
                        merged = {**source.inside, **merged}
            else:
                inside[key] = _Mark(event.start_mark.line, value.inside)
        return {**merged, **inside}

    def _key(self, event: Event) -> str:
        self._mark(event)
        if type(event) is not self.kinds.scalar:
            return ""
        plain = resolve(event.value) if event.implicit[0] else None
        return key_text(event.value if plain is None else plain)
