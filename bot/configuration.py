"""A configuration file's keys as one table, which checks the file and writes its JSON Schema and reference.

Checking finds every problem at once, each with its file and line.
"""

from __future__ import annotations

import difflib
import pathlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from bot.errors import UserError
from bot.value_kinds import Kind, shown

Path = tuple[str | int, ...]
LineOf = Callable[[Path], int]
MOST_ITEMS = 1000


class Problem(NamedTuple):
    """One thing that is wrong in a configuration file; `what` also says what would be right."""

    file: str
    line: int
    where: str
    what: str

    def __str__(self) -> str:
        """Read as `.tuppence.yaml:3: guardrails[0].percent: needs a number such as 10, not 'lots'`."""
        place = f"{self.where}: " if self.where else ""
        return f"{self.file}:{self.line}: {place}{self.what}"


class Misconfigured(UserError):
    """Everything that is wrong in one configuration file, a line for each problem."""

    def __init__(self, problems: list[Problem]) -> None:
        self.problems = tuple(sorted(problems, key=lambda problem: problem.line))
        super().__init__("\n".join(str(problem) for problem in self.problems))


@dataclass(frozen=True, slots=True)
class Key:
    """One key: a value of a kind, or a mapping with `keys` of its own; with `many`, a list of those.

    `unique` refuses the same value twice among the items of one list.
    """

    name: str
    meaning: str
    kind: Kind | None = None
    keys: tuple[Key, ...] = ()
    many: bool = False
    required: bool = False
    unique: bool = False


def configuration_text(file: pathlib.Path) -> str:
    """What stands in a file that somebody named. Raises `UserError` where it cannot be read."""
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise UserError(f"{file}: is not UTF-8 text; save it as UTF-8") from error
    except OSError as error:
        raise UserError(f"{file}: cannot be read: {error.strerror}") from error


def check(
    keys: tuple[Key, ...], document: object, file: str, line_of: LineOf
) -> tuple[dict[str, Any], list[Problem]]:
    """The values that are right, by key, and every problem. An empty document is an empty mapping."""
    found = _Check(file, line_of, [])
    values = found.mapping(keys, {} if document is None else document, ())
    return values, found.problems


@dataclass(frozen=True, slots=True)
class _Check:
    file: str
    line_of: LineOf
    problems: list[Problem]

    def mapping(self, keys: tuple[Key, ...], value: object, path: Path) -> dict[str, Any]:
        known = {key.name: key for key in keys}
        if not isinstance(value, Mapping):
            self._wrong(path, f"needs a mapping with {_listed(known)}, not {shown(value)}")
            return {}
        for name in value:
            if name not in known:
                self._wrong((*path, str(name)), _unknown(name, known), at=(*path, name))
        for key in keys:
            if key.required and value.get(key.name) is None:
                self._wrong(path, f"needs the key {key.name!r}: {key.meaning}")
        given = ((key, value[key.name]) for key in keys if value.get(key.name) is not None)
        return {key.name: self._value(key, item, (*path, key.name)) for key, item in given}

    def _value(self, key: Key, value: object, path: Path) -> Any:  # noqa: ANN401 - its kind says what
        if not key.many:
            return self._one(key, value, path)
        if not isinstance(value, list):
            self._wrong(path, f"needs a list such as [a, b], not {shown(value)}")
            return ()
        if len(value) > MOST_ITEMS:
            self._wrong(path, f"needs a list of at most {MOST_ITEMS}, not of {len(value)}")
            return ()
        items = tuple(self._one(key, item, (*path, index)) for index, item in enumerate(value))
        for unique in (inner.name for inner in key.keys if inner.unique):
            self._refuse_repeats(items, path, unique)
        return items

    def _one(self, key: Key, value: object, path: Path) -> Any:  # noqa: ANN401 - its kind says what
        if key.kind is None:
            return self.mapping(key.keys, value, path)
        try:
            return key.kind.read(value)
        except ValueError as error:
            self._wrong(path, str(error))
            return None

    def _refuse_repeats(self, items: tuple[Any, ...], path: Path, name: str) -> None:
        first: dict[object, int] = {}
        for index, item in enumerate(items):
            value = item.get(name)
            if value is not None and first.setdefault(value, index) != index:
                before = self.line_of((*path, first[value], name))
                self._wrong((*path, index, name), f"{shown(value)} is on line {before} already")

    def _wrong(self, path: Path, what: str, *, at: Path | None = None) -> None:
        self.problems.append(Problem(self.file, self.line_of(at or path), dotted(path), what))


def _unknown(name: object, known: Mapping[str, Key]) -> str:
    close = difflib.get_close_matches(str(name)[:100], known, n=1)
    return (
        f"unknown key; did you mean {close[0]!r}?" if close else f"unknown key; known here: {_listed(known)}"
    )


def _listed(known: Mapping[str, Key]) -> str:
    return ", ".join(known)


def dotted(path: Path) -> str:
    """Read as `guardrails[0].percent`."""
    words = "".join(f"[{step}]" if isinstance(step, int) else f".{shown_key(step)}" for step in path)
    return words.removeprefix(".")


def shown_key(name: str) -> str:
    """A key as it stands in a message: a stranger's key may be long or hold control characters."""
    return name if name.isidentifier() and len(name) <= 40 else shown(name)


def every_key(keys: tuple[Key, ...], prefix: str = "") -> Iterator[tuple[str, Key]]:
    """Every key under its full name, such as `guardrails[].percent`."""
    for key in keys:
        name = f"{prefix}{key.name}{'[]' if key.many else ''}"
        yield name, key
        yield from every_key(key.keys, f"{name}.")


def json_schema(keys: tuple[Key, ...], title: str) -> dict[str, Any]:
    """A JSON Schema (2020-12) for editors; `check` says more, such as whether a pattern is sound."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": title, **_object(keys)}


def _object(keys: tuple[Key, ...]) -> dict[str, Any]:
    schema: dict[str, Any] = {
        "type": "object",
        "additionalProperties": False,
        "properties": {key.name: _property(key) for key in keys},
    }
    required = [key.name for key in keys if key.required]
    return {**schema, "required": required} if required else schema


def _property(key: Key) -> dict[str, Any]:
    one = dict(key.kind.schema) if key.kind else _object(key.keys)
    if key.many:
        one = {"type": "array", "maxItems": MOST_ITEMS, "items": one}
    return {"description": key.meaning, **one}
