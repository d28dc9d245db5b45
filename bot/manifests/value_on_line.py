"""Where on a line of a YAML file the value of a field stands, so that it alone can be replaced.

A line is text: the same word may stand on it twice, in a comment, or under an anchor that others repeat.
So a place counts only where the file, read with the new value there, differs in that one value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from bot.errors import UserError
from bot.manifests import documents
from bot.manifests.origin import leaves
from estimators.objects import Path, dig, text
from estimators.quantity import InvalidQuantityError, parse_quantity

MOST_BYTES = 262_144
"""Of a file that is looked into: people write less, and each place is proved by reading the file again."""
_WORD = re.compile(r"(?<![^\s\"'{\[,:])[A-Za-z0-9.+%-]+(?![^\s\"',\]}])")
_INDEX = re.compile(r"\[[0-9]+\]")
_OTHER_NAMES = {
    name: {name} for name in ("minReplicas", "maxReplicas", "minReplicaCount", "maxReplicaCount")
} | {"replicas": {"replicas", "replicaCount", "count"}}
"""What charts and Kustomize call fields of which the last key says it all."""


class Span(NamedTuple):
    """From the column `begin` up to `end`, from 0."""

    begin: int
    end: int


class LinesOfFile:
    """One YAML file, line by line."""

    def __init__(self, data: bytes) -> None:
        self._lines = data.split(b"\n") if len(data) <= MOST_BYTES else []
        self._values = _values(data) if self._lines else None

    def text(self, line: int) -> str | None:
        """The line (from 1), None where there is none or where it holds what people do not see."""
        try:
            found = self._lines[line - 1].decode() if 0 < line <= len(self._lines) else ""
        except UnicodeDecodeError:
            return None
        return found if found.isprintable() and found else None

    def value(self, line: int, field: str, old: str, new: str) -> Span | None:
        """Where `old`, the value of `field` (a dotted path in the object), stands on that line.

        None unless it stands there once, and `new` in its place changes that value and nothing else.
        """
        written = self.text(line)
        if written is None or self._values is None or not _WORD.fullmatch(new):
            return None
        if old.endswith("%") != new.endswith("%"):
            # In quotes a count is no count: Kubernetes takes text for a share only.
            return None
        places = [
            Span(*word.span())
            for word in _WORD.finditer(written)
            if _same(word[0], old) and self._proved(line, Span(*word.span()), field, new)
        ]
        return places[0] if len(places) == 1 else None

    def _proved(self, line: int, place: Span, field: str, new: str) -> bool:
        edited = replaced(self._lines[line - 1].decode(), {place: new}).encode()
        after = _values(b"\n".join([*self._lines[: line - 1], edited, *self._lines[line:]]))
        change = _only_change(self._values, after)
        return change is not None and _is_for(field, change.name) and str(change.new) == new


def replaced(line: str, values: dict[Span, str]) -> str:
    """`line` with other text in some places; all else stays as it was written."""
    for place in sorted(values, reverse=True):
        line = line[: place.begin] + values[place] + line[place.end :]
    return line


class _Change(NamedTuple):
    """A value that differs: its keys, and what it is now."""

    name: tuple[str, ...]
    new: Any


def _values(data: bytes) -> list[Any] | None:
    """Every document of the file, None where any of it cannot be read."""
    reading = documents.read(data)
    if reading.problems:
        return None
    if reading.documents:
        return [document.body for document in reading.documents]
    try:
        # Kustomize's patches of operations are lists.
        return [documents.load_settings(data.decode(), "").value]
    except (UserError, UnicodeDecodeError):
        return None


def _only_change(before: list[Any] | None, after: list[Any] | None) -> _Change | None:
    """The one scalar that differs; where that is a patch written as text, the one that differs in it."""
    changes = list(_changes(before, after)) if before is not None and after is not None else []
    if len(changes) != 1 or changes[0] is None:
        return None
    path, old, new = changes[0]
    if isinstance(old, str) and isinstance(new, str) and "\n" in old:
        return _only_change(_values(old.encode()), _values(new.encode()))
    return _Change(_name(before, path), new)


def _changes(before: list[Any], after: list[Any]) -> Iterator[tuple[Path, Any, Any] | None]:
    """Each scalar that differs, None where the shape does."""
    old, new = list(leaves(before)), list(leaves(after))
    if [path for path, _ in old] != [path for path, _ in new]:
        yield None
        return
    for (path, one), (_, other) in zip(old, new, strict=True):
        if type(one) is not type(other) or one != other:
            yield path, one, other


def _name(values: object, path: Path) -> tuple[str, ...]:
    """The keys of a value without its places in lists; a patch operation's value is what it patches."""
    for at, step in enumerate(path):
        pointer = text(dig(values, *path[:at], "path")) if step == "value" else ""
        if pointer.startswith("/"):
            steps = [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]
            path = (*(part for part in steps if not part.isdigit() and part != "-"), *path[at + 1 :])
            break
    return tuple(step for step in path if isinstance(step, str))


def _is_for(field: str, name: tuple[str, ...]) -> bool:
    """Whether a value with these keys can be what set the field."""
    whole = "." + _INDEX.sub("", field)
    if whole.endswith(f".{'.'.join(name[-2:])}"):
        return True
    return bool(name) and name[-1] in _OTHER_NAMES.get(whole.rpartition(".")[2], ())


def _same(written: str, value: str) -> bool:
    """Whether a word is the value, which reading YAML may have put otherwise: `0.50` is `0.5`."""
    try:
        return written == value or parse_quantity(written) == parse_quantity(value)
    except InvalidQuantityError:
        return False
