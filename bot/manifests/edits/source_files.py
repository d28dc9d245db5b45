"""The files of a tree as they are to be written: values and where they stand, or why one is not touched."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any, NamedTuple

from bot.errors import UserError
from bot.manifests import documents
from bot.manifests.edits import nodes, spelling
from bot.manifests.edits.nodes import Entry, Inside, Node, Scalar
from bot.manifests.edits.spelling import Form, Item, Replacement
from bot.manifests.limits import WAY_OUT
from bot.manifests.origin import leaves
from bot.ports import Tree
from estimators.objects import Path


class Kind(StrEnum):
    """What a file is to an object, in words."""

    MANIFEST = "manifest"
    BASE = "Kustomize base"
    PATCH = "Kustomize patch"
    KUSTOMIZATION = "kustomization"
    VALUES = "Helm values"
    RELEASE = "values of a release"
    """Those in an Argo CD Application or a Flux HelmRelease."""
    TEMPLATE = "Helm template"


class Candidate(NamedTuple):
    """One way to write a value, not proved yet: `before` is what is replaced, `""` for keys that are new."""

    file: str
    kind: Kind
    before: str
    replacement: Replacement


class Document(NamedTuple):
    """One YAML document of a file, or of a text written in it, with the object or the values at `prefix`."""

    file: str
    root: Node
    prefix: Path
    body: Any
    text: str
    inside: Inside | None
    ending: str

    @property
    def line(self) -> int:
        """The line of the object; of a text in the file, the line within that text."""
        found = nodes.find(self.root, self.prefix)
        return found.entries[-1].value.line if found.entries else self.root.line

    def set(
        self, path: Path, value: str, form: Form, kind: Kind, new: Sequence[str | Item] = ()
    ) -> Candidate | None:
        """The value at `path` below `prefix`, then below it at `new`. Keys that are not there are added.

        None where it cannot stand there.
        """
        found = nodes.find(self.root, (*self.prefix, *path))
        way = (Entry(_nowhere(self.root), self.root), *found.entries)
        names = [step for step in found.missing if isinstance(step, str)]
        if len(names) < len(found.missing):
            return None
        missing = (*names, *new)
        if missing:
            replacement = spelling.added(self.text, way, missing, value, form)
        else:
            replacement = spelling.replaced(self.text, way[-1], value, form)
        if replacement is None:
            return None
        before = "" if missing or not isinstance(way[-1].value, Scalar) else way[-1].value.value
        return Candidate(self.file, kind, before, self._in_file(replacement))

    def texts(self, *path: str | int) -> Iterator[Document]:
        """The documents in the text that stands at `path`: an inline patch, the values of a release."""
        found = nodes.find(self.root, (*self.prefix, *path))
        if found.missing or not found.entries or self.inside:
            return
        scalar = found.entries[-1].value
        block = nodes.inside(self.text, scalar) if isinstance(scalar, Scalar) else None
        if block and not _problem(block.text.encode()):
            for root in nodes.roots(block.text):
                yield Document(self.file, root, (), nodes.plain(root), block.text, block, self.ending)

    def _in_file(self, replacement: Replacement) -> Replacement:
        if self.inside is None:
            return replacement
        begin, end = (self.inside.at(character) for character in replacement[:2])
        lines = replacement.text.replace("\n", self.ending + " " * self.inside.indent)
        return Replacement(begin, end, lines)


class SourceFiles:
    """The files of one tree, with the edits so far."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree
        self._paths = tree.paths()
        self._texts: dict[str, str | None] = {}
        self._documents: dict[str, tuple[Document, ...]] = {}
        self.edited: dict[str, bytes] = {}
        self.refused: dict[str, str] = {}

    def has(self, file: str) -> bool:
        """Whether the tree has the file, as a regular one."""
        return file in self._paths

    def text(self, file: str) -> str | None:
        """What the file says now; None for what is no UTF-8 or too long to be looked into."""
        if file not in self._texts:
            data = next((data for _, data in self._tree.read([file])), None) if self.has(file) else None
            self._texts[file] = _decoded(data)
        return self._texts[file]

    def documents(self, file: str) -> tuple[Document, ...]:
        """The documents of a file, none where it must not be edited: `refused` then says why."""
        if file not in self._documents:
            self._documents[file] = tuple(self._read(file))
        return self._documents[file]

    def objects(self, file: str) -> Iterator[Document]:
        """The objects of a file, the items of a `List` each on its own."""
        waiting = list(reversed(self.documents(file)))
        while waiting:
            one = waiting.pop()
            items = one.body.get("items") if isinstance(one.body, dict) else None
            if isinstance(items, list) and str(one.body.get("kind", "")).endswith("List"):
                inner = [
                    one._replace(prefix=(*one.prefix, "items", at), body=item)
                    for at, item in enumerate(items)
                ]
                waiting += reversed(inner)
            elif isinstance(one.body, dict):
                yield one

    def with_candidate(self, candidate: Candidate) -> tuple[bytes, int] | None:
        """The file with a candidate, and its line there; None where it would not be read as it was.

        Of values, which need not all be rendered, one alone may differ: an anchor may be repeated.
        """
        text = self.text(candidate.file)
        if text is None:
            return None
        after = spelling.applied(text, [candidate.replacement])
        if candidate.kind is not Kind.TEMPLATE and _problem(after.encode()):
            return None
        if candidate.kind in (Kind.VALUES, Kind.RELEASE) and _differing(text, after) != 1:
            return None
        line = text.count("\n", 0, candidate.replacement.begin) + 1
        if candidate.replacement.text.lstrip(" ").startswith(("\n", "\r\n")):
            line += 1
        return after.encode(), line

    def take(self, file: str, data: bytes) -> None:
        """Go on with other content of a file."""
        self.edited[file] = data
        self._texts[file] = data.decode()
        self._documents.pop(file, None)

    def _read(self, file: str) -> Iterator[Document]:
        text = self.text(file)
        if text is None:
            if self.has(file):
                self.refused[file] = f"{file}: it is no UTF-8 text, or too long"
            return
        if problem := _problem(text.encode()):
            self.refused[file] = f"{file}:{problem}"
            return
        ending = "\r\n" if "\r\n" in text else "\n"
        for root in nodes.roots(text):
            yield Document(file, root, (), nodes.plain(root), text, None, ending)


def _decoded(data: bytes | None) -> str | None:
    if data is None or len(data) > documents.MAX_BYTES:
        return None
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None


def _problem(data: bytes) -> str:
    """Why a text must not be edited, as `3: reason`; `""` for none."""
    reading = documents.read(data)
    for problem in reading.problems:
        return f"{problem.line}: {problem.reason.removesuffix(f'; {WAY_OUT}')}"
    if not reading.documents:
        try:
            documents.load_settings(data.decode(), "")
        except UserError as error:
            return str(error).removeprefix(":")
    return ""


def _differing(before: str, after: str) -> int:
    """How many scalars of a file differ."""
    old, new = ([dict(leaves(nodes.plain(root))) for root in nodes.roots(text)] for text in (before, after))
    if len(old) != len(new):
        return -1
    return sum(
        one.get(path) != other.get(path)
        for one, other in zip(old, new, strict=True)
        for path in one.keys() | other.keys()
    )


def _nowhere(root: Node) -> Scalar:
    return Scalar(root.begin, root.begin, root.line, root.column, "", "")


def mapping_paths(body: object) -> Iterator[tuple[Path, Mapping[str, Any] | None]]:
    """Every mapping below `body`, and every null, which may stand for an empty one."""
    waiting: list[tuple[Path, object]] = [((), body)]
    while waiting:
        path, here = waiting.pop()
        if isinstance(here, dict):
            yield path, here
            waiting += [((*path, key), below) for key, below in here.items()]
        elif here is None:
            yield path, None
        elif isinstance(here, list):
            waiting += [((*path, at), below) for at, below in enumerate(here)]
