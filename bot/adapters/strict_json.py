"""JSON files written by other people: a refusal names the file, the JSON path, the value and the way out."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, NoReturn

from bot.errors import UserError
from estimators.quantity import InvalidQuantityError, parse_quantity

_SHOWN = 40
"""Characters of a value or key that an error repeats."""
_CHUNK = 2**20
_LARGEST_FLOAT = 1e300
_LARGEST_COUNT = 2**63
_LARGEST_PRICE = 10**12

Seal = Callable[[dict[str, Any]], None]


@dataclass(slots=True)
class Document:
    """The file that is read, and the keys in it that nothing asked for."""

    path: Path
    unknown: dict[str, None] = field(default_factory=dict)


def read(path: Path, *, most_bytes: int, too_large: str, made_by: str, seal: Seal) -> Place:
    """The root of the JSON document in `path`.

    `seal` may change each object in place as soon as it is read, which keeps memory low.
    Raises UserError for a file that is missing, larger than `most_bytes` (`too_large` says the way
    out), not JSON or not UTF-8 (`made_by` says what writes one), or that repeats a key within one object.
    """
    content = bytearray()
    try:
        with path.open("rb") as stream:
            while chunk := stream.read(_CHUNK):
                content += chunk
                if len(content) > most_bytes:
                    raise UserError(f"{path}: is larger than {most_bytes // 2**20} MiB; {too_large}")
    except OSError as error:
        raise UserError(f"{path}: cannot be read: {error.strerror or error}") from error
    return Place(Document(path), "", _parse(path, content, made_by, seal))


def _parse(path: Path, content: bytearray, made_by: str, seal: Seal) -> object:
    def sealed(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        entries = dict(pairs)
        if len(entries) != len(pairs):
            names = [name for name, _ in pairs]
            twice = next(name for name in names if names.count(name) > 1)
            raise ValueError(f'the key "{twice[:_SHOWN]}" stands twice in one object; keep one of them')
        seal(entries)
        return entries

    try:
        document = json.loads(content, object_pairs_hook=sealed)
        if b"\\ud" in content or b"\\uD" in content:
            # A lone half of a surrogate pair would break whoever prints it, much later.
            json.dumps(document, ensure_ascii=False, default=repr).encode()
    except json.JSONDecodeError as error:
        place = f"{path}:{error.lineno}:{error.colno}"
        raise UserError(f"{place}: is not JSON: {error.msg}; {made_by}") from error
    except (UnicodeDecodeError, UnicodeEncodeError) as error:
        raise UserError(f"{path}: is not valid UTF-8 text: {error.reason}; {made_by}") from error
    except RecursionError as error:
        raise UserError(f"{path}: is nested too deeply; {made_by}") from error
    except ValueError as error:
        # A key given twice, or an integer of thousands of digits, which Python refuses to read.
        raise UserError(f"{path}: {str(error).partition(';')[0]}") from error
    return document


@dataclass(frozen=True, slots=True)
class Place:
    """A value of a document and its JSON path."""

    document: Document
    path: str
    value: object

    def refuse(self, expected: str) -> NoReturn:
        """Raise the UserError for this value."""
        raise UserError(f"{self.document.path}: {self.path or 'the document'}: {self._shown()}{expected}")

    def _shown(self) -> str:
        if isinstance(self.value, int) and abs(self.value) > 10**_SHOWN:
            return "a number of more than 40 digits: "
        if isinstance(self.value, str | int | float) or self.value is None:
            shown = json.dumps(self.value, ensure_ascii=False)
            return f"{shown if len(shown) <= _SHOWN else shown[:_SHOWN] + '...'}: "
        return ""

    def mapping(self) -> Mapping[str, Any]:
        """An object; `null` is an empty one."""
        if self.value is None:
            return {}
        return self.value if isinstance(self.value, dict) else self.refuse("expected an object")

    def keys(self, *known: str) -> dict[str, Place]:
        """The places of the known keys, `null` where one is missing; notes the others."""
        found = self.mapping()
        for name in found:
            if name not in known:
                self.document.unknown.setdefault(name[:_SHOWN])
        return {name: self.below(name, found.get(name)) for name in known}

    def below(self, name: str, value: object) -> Place:
        """A place within this object."""
        return Place(self.document, f"{self.path}.{name}" if self.path else name, value)

    def entries(self) -> list[tuple[str, Place]]:
        """The entries of an object whose keys are names."""
        return [(name, self.below(name[:_SHOWN], value)) for name, value in self.mapping().items()]

    def items(self) -> list[Place]:
        """The items of a list; `null` is an empty one."""
        if self.value is None:
            return []
        if not isinstance(self.value, list):
            self.refuse("expected a list")
        return [Place(self.document, f"{self.path}[{index}]", item) for index, item in enumerate(self.value)]

    def text(self) -> str:
        """A string; `null` is an empty one."""
        if self.value is None:
            return ""
        return self.value if isinstance(self.value, str) else self.refuse("expected a string")

    def name(self) -> str:
        """A string with something in it."""
        return self.text() or self.refuse("expected a name")

    def flag(self) -> bool:
        """True or false; `null` is false."""
        if self.value is None:
            return False
        return self.value if isinstance(self.value, bool) else self.refuse("expected true or false")

    def count(self, least: int = 0) -> int:
        """A whole number from `least`."""
        number = self.value
        if isinstance(number, bool) or not isinstance(number, int | float):
            self.refuse("expected a whole number")
        if not least <= number < _LARGEST_COUNT or number != int(number):
            self.refuse(f"expected a whole number from {least}")
        return int(number)

    def number(self) -> float:
        """A number from 0."""
        if isinstance(self.value, bool) or not isinstance(self.value, int | float):
            self.refuse("expected a number")
        if not 0 <= self.value <= _LARGEST_FLOAT:
            self.refuse("expected a number from 0")
        return float(self.value)

    def ratio(self) -> float:
        """A number from 0 to 1."""
        ratio = self.number()
        return ratio if ratio <= 1 else self.refuse("expected a ratio from 0 to 1")

    def time(self) -> datetime:
        """A moment in ISO 8601; without an offset it is UTC."""
        try:
            moment = datetime.fromisoformat(self.text())
            return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
        except (ValueError, OverflowError):
            self.refuse("expected a time such as 2026-11-01T00:00:00Z")

    def quantity(self) -> Decimal:
        """A Kubernetes quantity (`3920m`, `15Gi`, 4) in base units."""
        try:
            return parse_quantity(self.value)
        except InvalidQuantityError as error:
            self.refuse(str(error).partition(": ")[2])

    def price(self) -> Decimal:
        """An amount of money from 0, as a string or a number."""
        try:
            amount = Decimal(str(self.value)) if type(self.value) in {str, int, float} else Decimal("NaN")
        except (InvalidOperation, ValueError):
            amount = Decimal("NaN")
        if not amount.is_finite() or not 0 <= amount < _LARGEST_PRICE:
            self.refuse("expected a price such as 0.0316")
        return amount
