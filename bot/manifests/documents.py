"""Reading YAML and JSON that strangers wrote: fast, bounded, and as Kubernetes reads it.

The only file that imports a YAML library. One pass over libyaml's events builds plain dicts and lists;
bytes, depth, nodes and alias expansions are counted on the way, before anything can blow up. Lines of
fields are found by walking the events of one document again, when somebody asks.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import Any, NamedTuple

import yaml
from yaml._yaml import CParser
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from bot.errors import UserError
from bot.manifests.composing import Composer, Event, Kinds
from bot.manifests.limits import (
    MAX_BYTES,
    MAX_DOCUMENTS,
    MAX_NODES,
    MAX_PROBLEMS,
    WAY_OUT,
    Budget,
    Problem,
    Refused,
    refusal,
)
from bot.manifests.marks import Excerpt
from estimators.objects import Path

__all__ = [
    "MAX_BYTES",
    "Document",
    "Problem",
    "Reading",
    "Settings",
    "each_document",
    "flatten",
    "load_settings",
    "read",
]

_BOUNDARY = re.compile(rb"^---(?=[ \t\r\n]|$)", re.MULTILINE)
_KINDS = Kinds(
    alias=AliasEvent,
    scalar=ScalarEvent,
    mapping_start=MappingStartEvent,
    mapping_end=MappingEndEvent,
    sequence_start=SequenceStartEvent,
    sequence_end=SequenceEndEvent,
)


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML document that is a mapping. `line` counts from 1 in the file.

    `locate` gives the line of a field, or of its nearest existing parent.
    """

    body: dict[str, Any]
    line: int
    locate: Callable[[Path], int] = field(compare=False, repr=False)


class Reading(NamedTuple):
    """What one file holds. Only mappings can be Kubernetes objects, so nothing else is kept."""

    documents: tuple[Document, ...]
    problems: tuple[Problem, ...]


class Settings(NamedTuple):
    """A policy, price or settings file: its value, and the line of each of its fields."""

    value: Any
    locate: Callable[[Path], int]


def read(data: bytes) -> Reading:
    """The documents of one file. A bad one becomes a problem and the others are kept."""
    if problem := refusal(data):
        return Reading((), (problem,))
    budget = Budget()
    try:
        documents = list(_values(data, 0, budget))
        problems = budget.remarks
    except (yaml.YAMLError, Refused, UnicodeDecodeError):
        documents, problems = _read_apart(data)
    return _without_encrypted(documents, problems)


def load_settings(text: str, file: str, *, last_counts: bool = False) -> Settings:
    """The one document of a file written for Tuppence itself; its value is None where the file is empty.

    Raises UserError, naming file and line, for anything that cannot be read, and for keys written twice
    unless the last one counts, as it does for Helm.
    """
    data = text.encode("utf-8", "surrogateescape")
    budget = Budget()
    documents: list[Excerpt] = []
    problem = refusal(data)
    if problem is None:
        try:
            documents = list(_values(data, 0, budget))
            problem = budget.remarks[0] if budget.remarks and not last_counts else None
        except (yaml.YAMLError, Refused, UnicodeDecodeError) as error:
            problem = _problem(error, data, 0)
    if len(documents) > 1:
        problem = Problem(documents[1].line, "a second document starts here, and only one is read: remove it")
    if problem:
        raise UserError(f"{file}:{problem.line}: {problem.reason.removesuffix(f'; {WAY_OUT}')}")
    return Settings(documents[0].value, documents[0].locate) if documents else Settings(None, lambda _: 1)


def flatten(document: Document) -> Iterator[Document]:
    """The document itself, or the items of a `List` (lists of lists too), each with its own lines."""
    waiting: list[tuple[object, Path]] = [(document.body, ())]
    while waiting:
        body, at = waiting.pop()
        if not isinstance(body, dict):
            continue
        items = body.get("items")
        if str(body.get("kind", "")).endswith("List") and isinstance(items, list):
            waiting += [(item, (*at, "items", index)) for index, item in reversed(list(enumerate(items)))]
        elif at:
            yield Document(body, document.locate(at), partial(_locate_below, document.locate, at))
        else:
            yield document


def _locate_below(locate: Callable[[Path], int], above: Path, path: Path) -> int:
    return locate((*above, *path))


def _values(data: bytes, before: int, budget: Budget) -> Iterator[Excerpt]:
    """Each non-empty document of a stream; `before` is the number of lines before it in its file."""
    text = data.decode("utf-8").removeprefix("\ufeff")
    following: Callable[[], Event] = CParser(text).get_event
    while (kind := type(event := following())) is not StreamEndEvent:
        if kind is DocumentStartEvent:
            composer = Composer(following, _KINDS, before, budget)
            root = following()
            value = composer.node(root, 0)
            begin = event.start_mark.index - event.start_mark.column
            end = following().end_mark.index
            if value is not None:
                yield Excerpt(
                    value, composer.line(root), (text, begin, end), before + event.start_mark.line, _walk
                )


def each_document(text: str) -> Iterator[tuple[Callable[[], Event], Kinds]]:
    """For each document of a text that `read` found no problem in, what gives its events one by one.

    Whoever asks for a document takes the events of its one root, all of them, before the next.
    """
    following: Callable[[], Event] = CParser(text).get_event
    while (kind := type(following())) is not StreamEndEvent:
        if kind is DocumentStartEvent:
            yield following, _KINDS


def _walk(text: str) -> tuple[Callable[[], Event], Kinds]:
    """The events inside the first document of `text`."""
    following: Callable[[], Event] = CParser(text).get_event
    while type(following()) is not DocumentStartEvent:
        pass
    return following, _KINDS


def _read_apart(data: bytes) -> tuple[list[Excerpt], list[Problem]]:
    """Reads each document on its own, so that a bad one takes nothing else along."""
    documents: list[Excerpt] = []
    problems: list[Problem] = []
    starts = [0, *(match.start() for match in _BOUNDARY.finditer(data) if match.start())]
    if len(starts) > MAX_DOCUMENTS:
        return [], [Problem(1, f"the file holds more than {MAX_DOCUMENTS:,} documents; split it")]
    line = 0
    used = Budget()
    for begin, end in zip(starts, [*starts[1:], len(data)], strict=True):
        part = data[begin:end]
        budget = Budget(used.nodes, used.expansion)
        try:
            documents += _values(part, line, budget)
            problems += budget.remarks
        except (yaml.YAMLError, Refused, UnicodeDecodeError) as error:
            problem = _problem(error, part, line)
            # A template is one problem, into however many parts it happens to fall.
            if not problem.template or not any(found.template for found in problems):
                problems.append(problem)
        used = budget
        if used.nodes > MAX_NODES:
            break
        line += part.count(b"\n")
    if len(problems) > MAX_PROBLEMS:
        rest = Problem(
            problems[MAX_PROBLEMS].line, f"and {len(problems) - MAX_PROBLEMS} more problems from here on"
        )
        problems = [*problems[:MAX_PROBLEMS], rest]
    return documents, problems


def _problem(error: Exception, data: bytes, before: int) -> Problem:
    """What went wrong, in words; `before` is the number of lines of the file before `data`."""
    text = data.decode("utf-8", "replace")
    line, reason = 1, str(error)
    if isinstance(error, Refused):
        line, reason = error.line - before, error.reason
    elif isinstance(error, UnicodeDecodeError):
        line = data.count(b"\n", 0, error.start) + 1
        reason = f"byte 0x{data[error.start]:02x} is not UTF-8"
    elif isinstance(error, yaml.reader.ReaderError):
        line = text.count("\n", 0, error.position) + 1
        reason = "a control character is not allowed in YAML"
    elif isinstance(error, yaml.MarkedYAMLError) and error.problem_mark is not None:
        line = error.problem_mark.line + 1
        lines = text.splitlines()[line - 1 : line]
        tab = bool(lines) and lines[0].lstrip(" ").startswith("\t")
        reason = (
            "a tab indents this line, and YAML allows only spaces" if tab else f"not YAML: {error.problem}"
        )
    if "{{" in text:
        return Problem(before + line, "a template with {{ }}, which nothing here fills in", template=True)
    return Problem(before + line, f"{reason}; {WAY_OUT}")


def _without_encrypted(excerpts: list[Excerpt], problems: list[Problem]) -> Reading:
    documents = []
    encrypted = []
    for excerpt in excerpts:
        body = excerpt.value
        if not isinstance(body, dict):
            continue
        if isinstance(body.get("sops"), dict) and ("mac" in body["sops"] or "version" in body["sops"]):
            reason = "encrypted with SOPS: its values cannot be read here"
            encrypted.append(Problem(excerpt.line, reason, encrypted=True))
        else:
            documents.append(Document(body, excerpt.line, excerpt.locate))
    return Reading(tuple(documents), tuple(sorted([*problems, *encrypted], key=lambda problem: problem.line)))
