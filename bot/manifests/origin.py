"""Where a rendered field was written: files of the exported tree, kept readable after the tree is gone."""

from __future__ import annotations

import pathlib
import posixpath
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from bot.manifests import documents, limits
from bot.manifests.documents import Document
from estimators.objects import Path, dig, text

# One more than the reader takes, which then says that the file is too large.
_MAX_BYTES = limits.MAX_BYTES + 1


class Unrenderable(Exception):
    """A root is not rendered; the message is the reason a person reads."""


class Files:
    """The files of one exported tree by their path from its root, each read and parsed at most once."""

    def __init__(self, tree: pathlib.Path) -> None:
        self.tree = tree
        self._bytes: dict[str, bytes | None] = {}
        self._documents: dict[str, tuple[Document, ...]] = {}

    def hold(self, file: str) -> bytes | None:
        """The content, remembered from now on; None for what is no regular file of the tree."""
        if file not in self._bytes:
            self._bytes[file] = self._read(file)
        return self._bytes[file]

    def replace(self, file: str, content: str) -> None:
        """Give the renderer other content to read; `hold` and `documents` keep what a person wrote."""
        self.hold(file)
        path = self.tree / file
        try:
            # Through no link of any kind: only the tree itself is ours to change.
            if path.resolve() != path:
                raise Unrenderable(f"{file}: a link leads to it")
            path.unlink()
            path.write_text(content)
        except OSError as error:
            raise Unrenderable(f"{file}: cannot be prepared for rendering: {error.strerror}") from error

    def documents(self, file: str) -> tuple[Document, ...]:
        """The objects of a YAML file, none where there is no such file or it cannot be read."""
        if file not in self._documents:
            found = documents.read(self.hold(file) or b"").documents
            self._documents[file] = tuple(item for document in found for item in _flatten(document))
        return self._documents[file]

    def is_folder(self, path: str) -> bool:
        """Whether the tree has such a folder."""
        return is_inside(path) and (self.tree / path).is_dir()

    def is_file(self, path: str) -> bool:
        """Whether the tree has such a regular file."""
        return is_inside(path) and not (self.tree / path).is_symlink() and (self.tree / path).is_file()

    def _read(self, file: str) -> bytes | None:
        if not self.is_file(file):
            return None
        with (self.tree / file).open("rb") as stream:
            return stream.read(_MAX_BYTES)


def join(folder: str, path: str) -> str:
    """A path written in a file of `folder`, counted from the tree's root; `../` leads out of the tree."""
    joined = posixpath.normpath(posixpath.join("/" if path.startswith("/") else "", folder, path))
    return "" if joined == "." else joined


def is_inside(path: str) -> bool:
    """Whether a joined path stays in the tree."""
    return not path.startswith("/") and path != ".." and not path.startswith("../")


def readable(data: bytes) -> Iterator[Document]:
    """The documents, the items of a `List` each on its own.

    Raises Unrenderable where a part cannot be read: dropping it would make its cost vanish.
    """
    reading = documents.read(data)
    for problem in reading.problems:
        if not problem.encrypted and "written twice" not in problem.reason:
            raise Unrenderable(f"{problem.line}: {problem.reason.removesuffix(f'; {limits.WAY_OUT}')}")
    for document in reading.documents:
        yield from _flatten(document)


def _flatten(document: Document) -> Iterator[Document]:
    items = document.body.get("items")
    if not text(document.body.get("kind")).endswith("List") or not isinstance(items, list):
        yield document
        return
    for at, item in enumerate(items):
        if isinstance(item, dict):
            yield from _flatten(
                Document(item, document.locate(("items", at)), _below(document, ("items", at)))
            )


def _below(document: Document, start: Path) -> Callable[[Path], int]:
    return lambda path: document.locate((*start, *path))


def counterpart(path: Path, body: object, other: object) -> Path:
    """The part of `path` that `other`, an earlier form of `body`, also has.

    Items of lists are matched as a strategic merge matches them, by name, since a patch may list one only.
    """
    found: list[str | int] = []
    for step in path:
        if isinstance(step, int):
            at = _same_item(dig(body, step), step, other)
            if at is None:
                break
            found.append(at)
            body, other = dig(body, step), dig(other, at)
        elif isinstance(other, Mapping) and step in other:
            found.append(step)
            body, other = dig(body, step), other[step]
        else:
            break
    return tuple(found)


def _same_item(item: object, index: int, other: object) -> int | None:
    if not isinstance(other, list):
        return None
    name = dig(item, "name")
    if isinstance(name, str):
        return next((at for at, entry in enumerate(other) if dig(entry, "name") == name), None)
    return index if index < len(other) else None


def leaves(value: object, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Every scalar below `value` with its path."""
    waiting: list[tuple[Path, object]] = [(path, value)]
    while waiting:
        here, item = waiting.pop()
        if isinstance(item, Mapping):
            waiting.extend(((*here, key), below) for key, below in item.items())
        elif isinstance(item, list):
            waiting.extend(((*here, at), below) for at, below in enumerate(item))
        else:
            yield here, item


def same_scalar(one: object, other: object) -> bool:
    """Whether two scalars are written alike once rendered: `2` and `"2"` are."""
    return not isinstance(one, dict | list) and not isinstance(other, dict | list) and str(one) == str(other)


def one_line(message: str, *hidden: str) -> str:
    """A renderer's complaint on one line, without warnings and the `hidden` folders of this machine."""
    # The cause stands at the end, the root at the beginning; a recursion has a megabyte between.
    message = message if len(message) <= 8000 else f"{message[:4000]} … {message[-4000:]}"
    lines = [line for line in message.splitlines() if not line.startswith(("# Warning", "WARNING:"))]
    line = " ".join(" ".join(lines).split()).removeprefix("Error: ").removeprefix("error: ")
    for folder in hidden:
        line = line.replace(f"{folder}/", "").replace(folder, ".")
    return line


def shortened(line: str) -> str:
    """At most 400 characters of a reason."""
    return line if len(line) <= 400 else f"{line[:399]}…"
