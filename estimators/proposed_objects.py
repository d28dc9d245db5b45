"""The objects of a repository as they would be with proposed values in place."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from estimators.objects import Body, Identity, ManifestObject, Path
from estimators.recommendation import FieldChange


def with_changes(objects: Sequence[ManifestObject], changes: Iterable[FieldChange]) -> list[ManifestObject]:
    """The objects with the changes made; what is to go is left out, and all else is the same object."""
    by_object: dict[Identity, list[FieldChange]] = {}
    for change in changes:
        by_object.setdefault(change.object, []).append(change)
    return [_changed(thing, mine) if mine else thing for thing, mine in _still_there(objects, by_object)]


def _still_there(
    objects: Sequence[ManifestObject], changes: Mapping[Identity, list[FieldChange]]
) -> Iterable[tuple[ManifestObject, list[FieldChange]]]:
    for thing in objects:
        mine = changes.get(thing.identity, [])
        if not any(item.removes for item in mine):
            yield thing, mine


def _changed(thing: ManifestObject, changes: Iterable[FieldChange]) -> ManifestObject:
    body = thing.body
    for change in changes:
        body = _with_value(body, change.path, change.scalar)
    return replace(thing, body=body)


def _with_value(body: Body, path: Path, value: str | int) -> Body:
    """A copy of the body with one field set; what the path leads through is copied, the rest is shared."""
    changed: Any = _set(body, path, value)
    return dict(changed)


def _set(here: object, path: Path, value: str | int) -> object:
    if not path:
        return value
    step, rest = path[0], path[1:]
    if isinstance(step, int):
        items = list(here) if isinstance(here, list) else []
        items[step] = _set(items[step], rest, value)
        return items
    fields = dict(here) if isinstance(here, dict) else {}
    fields[step] = _set(fields.get(step), rest, value)
    return fields
