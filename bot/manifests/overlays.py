"""The kustomizations below a root: their patches and transformers, and which of them set a field."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.errors import UserError
from bot.manifests import documents
from bot.manifests.documents import Document
from bot.manifests.left_out import FILE_NAMES, is_remote, unobtainable, why_remote
from bot.manifests.origin import Files, Unrenderable, counterpart, is_inside, join, readable, same_scalar
from estimators.objects import Path, dig, mapping, sequence, text

_ROOTS = ("components", "resources", "bases")
_FILES = (
    "crds",
    "configurations",
    "generators",
    "transformers",
    "validators",
    "patchesStrategicMerge",
    "patches",
)
_REGEX_SIGNS = re.compile(r"[.*+?|()\[\]^$\\]")


@dataclass(frozen=True, slots=True)
class Patch:
    """One patch: a partial object, or a list of JSON patch operations, and the objects it is for.

    `locate` gives the line in `file` of a field of `body`.
    """

    file: str
    body: Any
    locate: Callable[[Path], int] = field(compare=False, repr=False)
    target: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Layer:
    """One kustomization file; `without` holds the entries that cannot be had, and why."""

    file: str
    document: Document
    patches: tuple[Patch, ...]
    without: Mapping[Path, str]


def layers(files: Files, root: str) -> tuple[Layer, ...]:
    """The kustomizations from the root inwards: what an earlier one sets wins over what a later one sets.

    Raises Unrenderable, naming file and line, for what is missing.
    """
    found: list[Layer] = []
    waiting, seen = [root], set[str]()
    while waiting:
        folder = waiting.pop()
        if folder in seen:
            continue
        seen.add(folder)
        file, document = _kustomization(files, folder)
        if not found and document.body.get("kind") == "Component":
            raise Unrenderable(f"{file}:1: a Component renders only as part of a kustomization that lists it")
        without = dict(unobtainable(files, file, document))
        found.append(Layer(file, document, tuple(_patches(files, file, document)), without))
        waiting += reversed(list(_folders(files, found[-1])))
    return tuple(found)


def _kustomization(files: Files, folder: str) -> tuple[str, Document]:
    for name in FILE_NAMES:
        file = posixpath.join(folder, name)
        if files.is_file(file):
            try:
                found = next(readable(files.hold(file) or b""), None)
            except Unrenderable as error:
                raise Unrenderable(f"{file}:{error}") from error
            if found is None:
                raise Unrenderable(f"{file}:1: the kustomization is empty")
            return file, found
    raise Unrenderable(f"{folder or '.'}: no {FILE_NAMES[0]} here")


def _folders(files: Files, layer: Layer) -> Iterator[str]:
    """The folders that a kustomization builds on, after a check of all it names."""
    file, document = layer.file, layer.document
    folder = posixpath.dirname(file)
    for key in (*_ROOTS, *_FILES):
        for at, entry in enumerate(sequence(document.body.get(key))):
            if not isinstance(entry, str) or "\n" in entry or (key, at) in layer.without:
                continue
            path = join(folder, entry)
            if files.is_folder(path):
                if key in _ROOTS:
                    yield path
            elif not files.is_file(path):
                raise Unrenderable(f"{file}:{document.locate((key, at))}: {_missing(entry, path)}")
            elif key == "patches":
                raise Unrenderable(
                    f"{file}:{document.locate((key, at))}: Kustomize no longer reads `patches` as a list "
                    f"of files; write `- path: {entry}`"
                )


def _missing(entry: str, path: str) -> str:
    if is_remote(entry):
        return why_remote(entry)
    if not is_inside(path):
        return f"{entry} is outside the repository"
    return f"{entry} is not in the repository"


def _patches(files: Files, file: str, document: Document) -> Iterator[Patch]:
    folder = posixpath.dirname(file)
    for key in ("patches", "patchesStrategicMerge", "patchesJson6902"):
        for at, entry in enumerate(sequence(document.body.get(key))):
            target = mapping(dig(entry, "target"))
            if isinstance(entry, str) and "\n" in entry:
                yield from _written(file, entry, _offset(document, (key, at), entry), target)
            elif isinstance(entry, str):
                yield from _in_file(files, join(folder, entry), target)
            elif path := text(dig(entry, "path")):
                yield from _in_file(files, join(folder, path), target)
            elif inline := text(dig(entry, "patch")):
                yield from _written(file, inline, _offset(document, (key, at, "patch"), inline), target)


def _in_file(files: Files, file: str, target: Mapping[str, Any]) -> Iterator[Patch]:
    content = files.hold(file)
    if content is not None:
        yield from _written(file, content.decode(errors="replace"), 0, target)


def _offset(document: Document, path: Path, inline: str) -> int:
    """The lines before an inline patch: a block starts below the line of its key."""
    return document.locate(path) - (0 if "\n" in inline else 1)


def _written(file: str, content: str, offset: int, target: Mapping[str, Any]) -> Iterator[Patch]:
    if content.lstrip().startswith(("-", "[")) and not content.lstrip().startswith("---"):
        try:
            value, locate = documents.load_settings(content, file)
        except UserError:
            return
        yield Patch(file, value, lambda path: offset + locate(path), target)
    else:
        for document in documents.read(content.encode()).documents:
            yield Patch(file, document.body, _shifted(document, offset), target)


def _shifted(document: Document, offset: int) -> Callable[[Path], int]:
    return lambda path: offset + document.locate(path)


class Trace:
    """Where the fields of one rendered object come from."""

    def __init__(self, files: Files, levels: Sequence[Layer], body: Mapping[str, Any], written: str) -> None:
        """`written` is the file that Kustomize names as the object's origin, `""` where it names none."""
        self._body, self._layers = body, levels
        self._file = written or levels[0].file
        self._base = _original(files.documents(written), body) if written else None
        names = {text(dig(body, "metadata", "name"))}
        if self._base:
            names.add(text(dig(self._base.body, "metadata", "name")))
        self._names = names

    def start(self) -> tuple[str, int]:
        """The file and the line of the object itself."""
        return self._file, self._base.line if self._base else 1

    def locate(self, path: Path) -> tuple[str, int]:
        """The patch or the transformer that set the field, else its line in the original object."""
        value = dig(self._body, *path)
        for layer in self._layers:
            if place := self._set_by(layer, path, value):
                return place
        if not self._base:
            return self.start()
        return self._file, self._base.locate(counterpart(path, self._body, self._base.body))

    def _set_by(self, layer: Layer, path: Path, value: object) -> tuple[str, int] | None:
        at = _transformed(layer.document.body, path, value, self._names)
        if at:
            return layer.file, layer.document.locate(at)
        for patch in reversed(layer.patches):
            if self._is_for(patch):
                found = _operation(patch.body, path) if isinstance(patch.body, list) else None
                if isinstance(patch.body, Mapping):
                    found = counterpart(path, self._body, patch.body)
                    found = found if len(found) == len(path) else None
                if found and _agrees(dig(patch.body, *found), value):
                    return patch.file, patch.locate(found)
        return None

    def _is_for(self, patch: Patch) -> bool:
        """Whether a patch may be for this object; the value that it sets is compared besides.

        A target's name may be a regular expression, which is not run: it was written by a stranger.
        """
        partial = mapping(patch.body)
        kind = text(patch.target.get("kind") or partial.get("kind"))
        name = text(patch.target.get("name") or dig(partial, "metadata", "name"))
        if kind and not _REGEX_SIGNS.search(kind) and kind != self._body.get("kind"):
            return False
        return not name or name in self._names or bool(patch.target and _REGEX_SIGNS.search(name))


def _original(candidates: Sequence[Document], body: Mapping[str, Any]) -> Document | None:
    """The document that became `body`: of its kind, with its name or the longest part of it."""
    name = text(dig(body, "metadata", "name"))
    alike = [
        document
        for document in candidates
        if document.body.get("kind") == body.get("kind") and _name(document) and _name(document) in name
    ]
    return max(alike, key=lambda document: len(_name(document)), default=None)


def _name(document: Document) -> str:
    return text(dig(document.body, "metadata", "name"))


def _agrees(written: object, value: object) -> bool:
    return isinstance(value, Mapping | list) or same_scalar(written, value)


def _transformed(body: Mapping[str, Any], path: Path, value: object, names: set[str]) -> Path | None:
    """The entry of a kustomization that sets a field: `namespace`, `replicas` or `images`."""
    if path == ("metadata", "namespace"):
        return ("namespace",) if body.get("namespace") == value else None
    if path == ("spec", "replicas"):
        for at, entry in enumerate(sequence(body.get("replicas"))):
            if dig(entry, "name") in names and same_scalar(dig(entry, "count"), value):
                return ("replicas", at, "count")
    if path and path[-1] == "image" and isinstance(value, str):
        for at, entry in enumerate(sequence(body.get("images"))):
            for key in ("newTag", "digest", "newName"):
                new = dig(entry, key)
                if new is not None and value.startswith(text(dig(entry, "newName") or dig(entry, "name"))):
                    return ("images", at, key)
    return None


def _operation(operations: Sequence[Any], path: Path) -> Path | None:
    """The value in the last JSON patch operation that writes the field, by RFC 6902 and RFC 6901."""
    steps = [str(step) for step in path]
    for at in range(len(operations) - 1, -1, -1):
        if dig(operations[at], "op") not in ("add", "replace"):
            continue
        pointer = text(dig(operations[at], "path")).split("/")[1:]
        pointer = [step.replace("~1", "/").replace("~0", "~") for step in pointer]
        depth = len(pointer)
        whole = (at, "value", *path[depth:])
        if depth <= len(steps) and pointer == steps[:depth] and dig(operations, *whole) is not None:
            return whole
    return None
