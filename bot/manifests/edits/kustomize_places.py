"""Where a Kustomize root may say the value of a field: its patches and counts, then the object itself."""

from __future__ import annotations

import json
import posixpath
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from bot.manifests.edits.manifest_places import known_part, the_object
from bot.manifests.edits.source_files import Candidate, Document, Kind, SourceFiles
from bot.manifests.edits.spelling import Item
from bot.manifests.edits.wanted import Wanted, same_amount
from bot.manifests.rendered import RootKind
from bot.manifests.roots import KUSTOMIZATIONS, UnitKey, Units
from bot.manifests.trees import join
from estimators.objects import Body, ManifestObject, Path, dig, mapping, sequence, text

_LISTS = ("patches", "patchesStrategicMerge", "patchesJson6902")


class _Patch(NamedTuple):
    document: Document
    target: Mapping[str, Any]


def candidates(
    files: SourceFiles, units: Units, folder: str, item: ManifestObject, wanted: Wanted
) -> Iterator[Candidate]:
    """The places that say the value, from the outermost kustomization inwards; then those that could."""
    base = the_object(files, item)
    names = {text(dig(body, "metadata", "name")) for body in (item.body, base.body if base else {})}
    value = dig(item.body, *wanted.path)
    levels = list(_levels(files, units, folder))
    patches = [[one for one in _patches(files, level) if _is_for(one, item, names)] for level in levels]
    for level, own in zip(levels, patches, strict=True):
        yield from _counts(level, names, wanted, value)
        for one in reversed(own):
            yield from _said(one.document, item, wanted, value)
    if base and (place := known_part(base, item.body, wanted.path)):
        found = base.set(place, wanted.proposed, wanted.form, Kind.BASE if len(levels) > 1 else Kind.MANIFEST)
        yield from [found] if found else []
    for own in patches:
        for one in own:
            yield from _could_say(one, item, names, wanted)


def ready_patch(item: ManifestObject, names: Mapping[str, Any] | None, wanted: Wanted) -> str:
    """An entry for `patches:` of an overlay's kustomization that sets the field for this object alone."""
    path = list(wanted.path)
    depth = next((at for at in range(len(path) + 1) if at and dig(item.body, *path[:at]) is None), len(path))
    value: Any = wanted.proposed
    if wanted.form.name == "COUNT":
        value = int(value)
    for step in reversed(path[depth:]):
        value = {step: value}
    pointer = "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path[:depth])
    name = text(dig(names or item.body, "metadata", "name"))
    return (
        "patches:\n"
        f"- target: {{kind: {item.identity.kind}, name: {name}}}\n"
        "  patch: |-\n"
        f"    - op: add\n      path: {pointer}\n      value: {json.dumps(value)}\n"
    )


def _levels(files: SourceFiles, units: Units, folder: str) -> Iterator[Document]:
    """The kustomization of a folder and of those it builds on, the nearer ones first."""
    waiting, seen = [folder], set[str]()
    while waiting:
        here = waiting.pop(0)
        unit = units.units.get(UnitKey(RootKind.KUSTOMIZE, here))
        if here in seen or unit is None:
            continue
        seen.add(here)
        waiting += sorted(key.path for key in unit.builds_on if key.kind is RootKind.KUSTOMIZE)
        named = (posixpath.join(here, name) for name in KUSTOMIZATIONS)
        yield from (document for file in named if files.has(file) for document in files.documents(file)[:1])


def _patches(files: SourceFiles, level: Document) -> Iterator[_Patch]:
    folder = posixpath.dirname(level.file)
    for key in _LISTS:
        for at, entry in enumerate(sequence(dig(level.body, key))):
            target = mapping(dig(entry, "target"))
            file = entry if isinstance(entry, str) else text(dig(entry, "path"))
            if "\n" not in file and (path := join(folder, file)) is not None and files.has(path):
                yield from (_Patch(document, target) for document in files.documents(path))
            else:
                where = (key, at) if isinstance(entry, str) else (key, at, "patch")
                yield from (_Patch(document, target) for document in level.texts(*where))


def _is_for(patch: _Patch, item: ManifestObject, names: set[str]) -> bool:
    """Whether a patch may be for the object. A target's name may be a pattern: rendering decides on that."""
    body = mapping(patch.document.body)
    kind = text(patch.target.get("kind") or body.get("kind"))
    name = text(patch.target.get("name")) or ("" if patch.target else text(dig(body, "metadata", "name")))
    return kind in ("", item.identity.kind) and (
        not name or name in names or not name.replace("-", "").isalnum()
    )


def _counts(level: Document, names: set[str], wanted: Wanted, value: object) -> Iterator[Candidate]:
    """`replicas:` of a kustomization."""
    if wanted.path != ("spec", "replicas"):
        return
    for at, entry in enumerate(sequence(dig(level.body, "replicas"))):
        if dig(entry, "name") in names and same_amount(dig(entry, "count"), value):
            found = level.set(("replicas", at, "count"), wanted.proposed, wanted.form, Kind.KUSTOMIZATION)
            yield from [found] if found else []


def _said(patch: Document, item: ManifestObject, wanted: Wanted, value: object) -> Iterator[Candidate]:
    """The value where a patch sets it."""
    for place in _written(patch, item.body, wanted.path):
        if same_amount(dig(patch.body, *place), value) and value is not None:
            found = patch.set(place, wanted.proposed, wanted.form, Kind.PATCH)
            yield from [found] if found else []


def _written(patch: Document, body: Body, path: Path) -> Iterator[Path]:
    """The paths in a patch that write the field, or a mapping that it would stand in."""
    if isinstance(patch.body, list):
        yield from _operations(patch.body, path)
    elif place := known_part(patch, body, path):
        yield place


def _operations(operations: list[Any], path: Path) -> Iterator[Path]:
    """The values in JSON patch operations that hold the field, the last first, by RFC 6902 and RFC 6901.

    What `-` appends may be any item: rendering decides.
    """
    for at in range(len(operations) - 1, -1, -1):
        if dig(operations[at], "op") in ("add", "replace"):
            pointer = text(dig(operations[at], "path")).split("/")[1:]
            pointer = [step.replace("~1", "/").replace("~0", "~") for step in pointer]
            pairs = zip(pointer, path, strict=False)
            alike = all(str(step) == one or (one == "-" and isinstance(step, int)) for one, step in pairs)
            if alike and 0 < len(pointer) <= len(path):
                yield (at, "value", *path[len(pointer) :])


def _could_say(patch: _Patch, item: ManifestObject, names: set[str], wanted: Wanted) -> Iterator[Candidate]:
    """The field as a new key of a patch that is for this object by name, or that has its container."""
    document = patch.document
    if isinstance(document.body, list):
        for place in _operations(document.body, wanted.path):
            if dig(document.body, *place) is None and isinstance(dig(document.body, *place[:2]), dict):
                found = document.set(place, wanted.proposed, wanted.form, Kind.PATCH)
                yield from [found] if found else []
        return
    place, new = _in_patch(document, item.body, wanted.path)
    named = {text(patch.target.get("name")), text(dig(document.body, "metadata", "name"))} & names
    has_container = not new and any(isinstance(step, int) for step in place)
    if (named or has_container) and place and (new or dig(document.body, *place) is None):
        found = document.set(place, wanted.proposed, wanted.form, Kind.PATCH, new)
        yield from [found] if found else []


def _in_patch(document: Document, body: Body, path: Path) -> tuple[Path, tuple[str | Item, ...]]:
    """A path in a strategic merge patch, and keys below it for a list that the patch does not have.

    The one item of such a list is named as the object's is. Nothing where it has no name, or where the
    patch has the list without the item.
    """
    if place := known_part(document, body, path):
        return place, ()
    at = next((at for at, step in enumerate(path) if isinstance(step, int)), len(path))
    name = text(dig(body, *path[: at + 1], "name"))
    rest = tuple(step for step in path[at + 1 :] if isinstance(step, str))
    if not name or len(rest) < len(path) - at - 1 or dig(document.body, *path[:at]) is not None:
        return (), ()
    return path[:at], (Item(name), *rest)
