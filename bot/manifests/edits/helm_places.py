"""Where a chart's values may say the value of a field: found by likeness, for rendering to prove."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from bot.manifests.edits.source_files import Candidate, Document, Kind, SourceFiles, mapping_paths
from bot.manifests.edits.spelling import Form, Replacement
from bot.manifests.edits.wanted import Wanted, same_amount
from bot.manifests.jobs import Job
from bot.manifests.origin import leaves
from bot.manifests.rendered import RootKind
from bot.manifests.roots import UnitKey, Units
from bot.manifests.templates import shared_keys
from estimators.objects import ManifestObject, Path, dig

_MOST = 12
"""Values of the right content that are tried: each is one more rendering."""
_LITERAL = re.compile(
    r"""(?P<before>\s*(?:- )?["']?(?P<key>[\w./-]+)["']?:\s+["']?)(?P<value>[\w.+%-]+)["']?\s*(?:#.*)?"""
)
_ABOVE = ("requests", "limits", "resources", "nodeSelector")
_INLINE: tuple[Path, ...] = (
    ("spec", "values"),
    ("spec", "source", "helm", "valuesObject"),
    ("spec", "source", "helm", "parameters"),
)
_INLINE_TEXT: Path = ("spec", "source", "helm", "values")


class _Values(NamedTuple):
    """Values at `prefix` of a document; `keys` lead from the chart to the subchart that they are for."""

    document: Document
    prefix: Path
    keys: Path
    kind: Kind


def candidates(
    files: SourceFiles, units: Units, job: Job, item: ManifestObject, wanted: Wanted
) -> Iterator[Candidate]:
    """Values that say what is rendered, the likeliest first; the same in a nearer file; the template."""
    every = list(_values(files, units, job))
    value = dig(item.body, *wanted.path)
    places = list(
        _alike(every, item, wanted.path, value) if value is not None else _above(every, item, wanted.path)
    )
    places = places[:_MOST]
    for own, place in places:
        yield from _set(own, place, wanted)
    for own, place in places:
        for nearer in every[: every.index(own)]:
            if nearer.document.file != own.document.file and len(nearer.keys) <= len(own.keys):
                inner = (*own.keys[len(nearer.keys) :], *place[len(own.prefix) :])
                yield from _set(nearer, (*nearer.prefix, *inner), wanted)
    if value is not None:
        yield from _in_template(files, item.source.file, wanted, value)


def _set(own: _Values, place: Path, wanted: Wanted) -> Iterator[Candidate]:
    # A chart may want its counts in quotes: what it renders is looked at, not what it is given.
    form = wanted.form if dig(own.document.body, *place) is None else Form.QUANTITY
    if found := own.document.set(place, wanted.proposed, form, own.kind):
        yield found


def _values(files: SourceFiles, units: Units, job: Job) -> Iterator[_Values]:
    """From those that win over the others on to the chart's own and its subcharts'."""
    for document in files.objects(job.origin) if job.origin else ():
        for text in document.texts(*_INLINE_TEXT):
            yield _Values(text, (), (), Kind.RELEASE)
        for prefix in _INLINE:
            if isinstance(dig(document.body, *prefix), dict | list):
                yield _Values(document, prefix, (), Kind.RELEASE)
    for file in reversed(job.values_files):
        yield from (_Values(one, (), (), Kind.VALUES) for one in files.documents(file)[:1])
    charts = units.below([UnitKey(RootKind.HELM, job.folder)])
    for chart in sorted((key.path for key in charts if key.kind is RootKind.HELM), key=len):
        inner = posixpath.relpath(chart, job.folder).split("/") if chart != job.folder else []
        keys = tuple(step for step in inner if step not in ("charts", ".."))
        for document in files.documents(posixpath.join(chart, "values.yaml"))[:1]:
            yield _Values(document, (), keys, Kind.VALUES)


def _alike(
    every: Sequence[_Values], item: ManifestObject, path: Path, value: object
) -> Iterator[tuple[_Values, Path]]:
    """The scalars that say the value, those first whose keys are most like the field's and the object's."""
    hints = f"{dig(item.body, 'metadata', 'name')} {_container(item, path)}"
    found = []
    for at, own in enumerate(every):
        for leaf, scalar in leaves(dig(own.document.body, *own.prefix), own.prefix):
            if same_amount(scalar, value):
                named = sum(isinstance(key, str) and key in hints for key in leaf)
                found.append((-shared_keys(leaf, path), -named, at, len(leaf), leaf, own))
    found.sort(key=lambda one: one[:4])
    return ((own, leaf) for *_, leaf, own in found)


def _above(every: Sequence[_Values], item: ManifestObject, path: Path) -> Iterator[tuple[_Values, Path]]:
    """The mappings that a new field could stand in: like its parent by name and content."""
    hints = f"{dig(item.body, 'metadata', 'name')} {_container(item, path)}"
    found = []
    for depth in range(len(path) - 1, 0, -1):
        name = path[depth - 1]
        if name not in _ABOVE:
            break
        rendered = dig(item.body, *path[:depth])
        for at, own in enumerate(every):
            for place, content in mapping_paths(dig(own.document.body, *own.prefix)):
                if place and place[-1] == name and (not content if not rendered else content == rendered):
                    named = sum(isinstance(key, str) and key in hints for key in place)
                    found.append((-depth, -named, at, len(place), (*own.prefix, *place, *path[depth:]), own))
    found.sort(key=lambda one: one[:4])
    return ((own, leaf) for *_, leaf, own in found)


def _container(item: ManifestObject, path: Path) -> object:
    above = max((at + 1 for at, step in enumerate(path) if isinstance(step, int)), default=0)
    return dig(item.body, *path[:above], "name")


def _in_template(files: SourceFiles, file: str, wanted: Wanted, value: object) -> Iterator[Candidate]:
    """Lines of the object's template that say the value in so many words."""
    text = files.text(file) or ""
    at, found = 0, 0
    for line in text.splitlines(keepends=True):
        literal = _LITERAL.fullmatch(line.rstrip("\r\n"))
        if (
            literal
            and literal["key"] == wanted.path[-1]
            and same_amount(literal["value"], value)
            and found < _MOST
        ):
            found += 1
            place = Replacement(at + literal.start("value"), at + literal.end("value"), wanted.proposed)
            yield Candidate(file, Kind.TEMPLATE, literal["value"], place)
        at += len(line)
