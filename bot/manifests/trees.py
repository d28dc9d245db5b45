"""One side of a change as files to look into: each content is read and parsed once for both sides."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

from bot.errors import OutsideError
from bot.manifests.documents import Document, Reading, flatten, read
from bot.manifests.limits import MAX_BYTES
from bot.ports import Tree

EXPORT_MAX_BYTES = 200_000_000
EXPORT_MAX_FILES = 50_000
OBJECT, CONFIG_MAP, ARGO, FLUX = MARKS = (b"apiVersion", b"ConfigMap", b"argoproj.io/", b"toolkit.fluxcd.io/")
"""What the text of a file must hold to be worth parsing: Kubernetes objects, and those that deploy others."""

_NO_MARKS: frozenset[bytes] = frozenset()
_NOTHING = Reading((), ())


class Contents:
    """What is known of contents, by their id."""

    def __init__(self) -> None:
        self.readings: dict[str, Reading] = {}
        self.marks: dict[str, frozenset[bytes]] = {}


class _Folder(NamedTuple):
    files: list[str]
    folders: list[str]


class Files:
    """The files of one tree."""

    def __init__(self, tree: Tree, contents: Contents) -> None:
        self.paths: Mapping[str, str] = tree.paths()
        self._tree = tree
        self._contents = contents

    def prepare(self, paths: Iterable[str]) -> None:
        """Read and parse what is not known yet, in one go."""
        readings = self._contents.readings
        unknown = {self.paths[path]: path for path in paths if path in self.paths}
        wanted = [path for blob, path in unknown.items() if blob not in readings]
        for path, data in self._tree.read(wanted):
            readings[self.paths[path]] = read(data)

    def reading(self, path: str) -> Reading:
        """The documents and problems of one file; none where there is no such file."""
        blob = self.paths.get(path)
        if blob is None:
            return _NOTHING
        if blob not in self._contents.readings:
            self.prepare([path])
        return self._contents.readings.get(blob, _NOTHING)

    def objects(self, path: str) -> Iterator[Document]:
        """The Kubernetes objects of one file, lists flattened."""
        for document in self.reading(path).documents:
            for item in flatten(document):
                if isinstance(item.body.get("kind"), str) and isinstance(item.body.get("apiVersion"), str):
                    yield item

    def body(self, path: str) -> dict[str, object]:
        """The first document of one file, empty where there is none."""
        return next((document.body for document in self.reading(path).documents), {})

    def has_folder(self, path: str) -> bool:
        """Whether any file lies below `path`."""
        return path in self._folders

    def in_folder(self, path: str) -> Sequence[str]:
        """The files right in a folder, by their paths from the root."""
        return self._folders[path].files if path in self._folders else ()

    def folders_in(self, path: str) -> Sequence[str]:
        """The folders right in a folder, by their paths from the root."""
        return self._folders[path].folders if path in self._folders else ()

    @property
    def folders(self) -> Sequence[str]:
        """Every folder below the root, sorted."""
        return sorted(path for path in self._folders if path)

    @cached_property
    def _folders(self) -> dict[str, _Folder]:
        folders = {"": _Folder([], [])}
        for file in self.paths:
            folder = posixpath.dirname(file)
            missing = [folder]
            while missing[-1] not in folders:
                missing.append(posixpath.dirname(missing[-1]))
            for above, child in pairwise(reversed(missing)):
                folders[child] = _Folder([], [])
                folders[above].folders.append(child)
            folders[folder].files.append(file)
        return folders

    def scan(self, paths: Iterable[str]) -> None:
        """Look, in one go, for the marks in the text of files."""
        known = self._contents.marks
        unknown = {self.paths[path]: path for path in paths if self.paths[path] not in known}
        for path, data in self._tree.read(unknown.values()):
            known[self.paths[path]] = frozenset(mark for mark in MARKS if mark in data)

    def has_mark(self, path: str, mark: bytes) -> bool:
        """Whether a file holds a mark, as far as `scan` was asked to look."""
        return mark in self._contents.marks.get(self.paths.get(path, ""), _NO_MARKS)

    def export(self, folder: Path, below: Iterable[str], files: Iterable[str]) -> str:
        """Write the files below some folders, and some more files, into `folder` on disk.

        Returns a reason where not everything was written, else `""`. Only regular files are ever in
        a tree, so nothing in `folder` leads out of it.
        """
        prefixes = tuple(f"{path}/" if path else "" for path in set(below))
        extra = set(files)
        wanted = [path for path in self.paths if path.startswith(prefixes) or path in extra]
        left = EXPORT_MAX_BYTES
        reason = ""
        if len(wanted) > EXPORT_MAX_FILES:
            reason = f"only the first {EXPORT_MAX_FILES:,} files were given to the renderer"
        for path, data in self._tree.read(wanted[:EXPORT_MAX_FILES]):
            left -= len(data)
            if left < 0:
                return f"only the first {EXPORT_MAX_BYTES:,} bytes were given to the renderer"
            if len(data) <= MAX_BYTES:
                _write(folder / path, data)
        return reason


def _write(file: Path, data: bytes) -> None:
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)
    except (FileExistsError, NotADirectoryError, IsADirectoryError):
        return  # A hand-made tree may call one path a file and a folder: the first one stays.
    except OSError as error:
        raise OutsideError(f"cannot write files to render: {error.strerror}") from error


def join(folder: str, path: str) -> str | None:
    """A path written in a file of `folder`, from the tree's root (`""`); None where it leaves the tree."""
    if "://" in path or "\0" in path or path.startswith("/"):
        return None
    joined = posixpath.normpath(posixpath.join(folder, path))
    if joined == ".." or joined.startswith("../"):
        return None
    return "" if joined == "." else joined


def is_below(folder: str, above: str) -> bool:
    """Whether a folder lies in another, at any depth."""
    return folder.startswith(f"{above}/") if above else bool(folder)


def shown(path: str) -> str:
    """A path as people can read it: bytes that are no text are escaped."""
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
