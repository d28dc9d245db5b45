"""An object of a webhook's JSON, read with suspicion: a field is what it must be, or all is refused."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

from bot.errors import UserError

_LARGEST = 2**63
"""What a database's integer holds."""
_LONGEST_PROSE = 262_144
"""Characters. GitHub's own limit for a comment is 65,536."""


class DeliveryRefused(UserError):
    """A delivery that is answered with `status`. The text never repeats a part of the body."""

    status = 400


class BadDelivery(DeliveryRefused):
    """Signed, but not what GitHub sends."""


@dataclass(frozen=True, slots=True)
class Payload:
    """A JSON object. Every reading raises `BadDelivery`, naming the field, for a value of another kind."""

    fields: dict[str, Any]

    def has(self, *path: str) -> bool:
        """Whether there is something, not null, at `path`."""
        place: Any = self.fields
        for key in path:
            place = place.get(key) if isinstance(place, dict) else None
        return place is not None

    def object(self, key: str) -> Payload:
        """An object within."""
        value = self.fields.get(key)
        return Payload(value) if isinstance(value, dict) else _refuse(key, "an object")

    def objects(self, key: str) -> Iterator[Payload]:
        """The objects of a list; none where there is no list."""
        values = self.fields.get(key, [])
        for value in values if isinstance(values, list) else [values]:
            yield Payload(value) if isinstance(value, dict) else _refuse(key, "a list of objects")

    def texts(self, key: str) -> Iterator[str]:
        """The texts of a list, as `prose`; none where there is no list."""
        values = self.fields.get(key) or []
        for value in values if isinstance(values, list) else [values]:
            yield Payload({key: value}).prose(key)

    def number(self, key: str) -> int:
        """An id: a whole number from 1."""
        value = self.fields.get(key)
        if isinstance(value, bool) or not isinstance(value, int) or not 0 < value < _LARGEST:
            _refuse(key, "an id")
        return value

    def flag(self, key: str) -> bool:
        """True or false; null is false."""
        value = self.fields.get(key)
        return value if isinstance(value, bool) else value is not None and _refuse(key, "true or false")

    def text(self, key: str, form: re.Pattern[str]) -> str:
        """A text that is wholly of this form."""
        value = self.fields.get(key)
        return value if isinstance(value, str) and form.fullmatch(value) else _refuse(key, "in its form")

    def groups(self, key: str, form: re.Pattern[str]) -> tuple[str, ...]:
        """The parts of a text that is wholly of this form."""
        value = self.fields.get(key)
        match = form.fullmatch(value) if isinstance(value, str) else None
        return match.groups() if match else _refuse(key, "in its form")

    def prose(self, key: str) -> str:
        """What a person wrote; null is nothing. NUL, which a database's text cannot hold, is replaced."""
        value = self.fields.get(key)
        if value is None:
            return ""
        if not isinstance(value, str) or len(value) > _LONGEST_PROSE:
            _refuse(key, f"text of at most {_LONGEST_PROSE} characters")
        return value.replace("\0", "\N{REPLACEMENT CHARACTER}")


def _refuse(key: str, expected: str) -> NoReturn:
    raise BadDelivery(f"{key} is not {expected}")
