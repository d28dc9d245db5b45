"""One field of two objects: whether it differs in meaning, and the change in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from estimators.objects import ManifestObject, Path, dig, dotted
from estimators.quantity import InvalidQuantityError, parse_quantity
from estimators.report import FieldChange

Place = tuple[ManifestObject, Path]
"""A field of an object."""

PRESENT = "present"
"""What stands for a whole part that only one side has."""

_LONGEST = 60
"""Characters of a value that are worth showing in a table."""


def compared(label: str, old: Place | None, new: Place | None) -> Iterator[FieldChange]:
    """One change where the two values differ in meaning."""
    was, now = value_at(old), value_at(new)
    if was != now and not _same_quantity(was, now):
        yield changed_field(label, old, new)


def compared_leaves(label: str, old: Place | None, new: Place | None) -> Iterator[FieldChange]:
    """The changes of every field below two places; a part that only one has is one change.

    Items of lists are matched by position.
    """
    was, now = value_at(old), value_at(new)
    keys: list[str] | range
    if isinstance(was, Mapping) and isinstance(now, Mapping):
        keys = [key for key in dict.fromkeys([*was, *now]) if isinstance(key, str)]
    elif isinstance(was, list) and isinstance(now, list):
        keys = range(max(len(was), len(now)))
    else:
        if isinstance(was or now, Mapping | list) and was != now:
            yield changed_field(label, old, new, whole=True)
        else:
            yield from compared(label, old, new)
        return
    for key in keys:
        places = [(place[0], (*place[1], key)) if place else None for place in (old, new)]
        yield from compared_leaves(f"{label} {key}" if isinstance(key, str) else label, *places)


def value_at(place: Place | None) -> Any:  # noqa: ANN401 - YAML holds anything
    """What stands there, None where nothing does."""
    return dig(place[0].body, *place[1]) if place else None


def _same_quantity(was: object, now: object) -> bool:
    try:
        return parse_quantity(was) == parse_quantity(now)
    except InvalidQuantityError:
        return False


def changed_field(label: str, old: Place | None, new: Place | None, *, whole: bool = False) -> FieldChange:
    """The change of a field, or with `whole` of a part that is only said to be there."""
    place = new if new is not None and (value_at(new) is not None or old is None) else old or new
    if place is None:
        raise ValueError(f"{label}: a change needs one side at least")
    was, now = (
        (_present(old), _present(new)) if whole else (shown_value(value_at(old)), shown_value(value_at(new)))
    )
    return FieldChange(label, was, now, dotted(place[1]), place[0].locate(place[1]))


def _present(place: Place | None) -> str:
    return PRESENT if place is not None and value_at(place) is not None else ""


def shown_value(value: object) -> str:
    """A value as text short enough for a table, `""` for none."""
    if value is None:
        return ""
    if isinstance(value, Mapping):
        value = ", ".join(
            f"{key}={item}" for key, item in value.items() if not isinstance(item, Mapping | list)
        )
    elif isinstance(value, list):
        value = f"{len(value)} entries"
    shown = str(value).lower() if isinstance(value, bool) else str(value)
    return shown if len(shown) <= _LONGEST else shown[: _LONGEST - 1] + "…"
