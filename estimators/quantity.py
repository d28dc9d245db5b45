"""Kubernetes quantities: `250m`, `1Gi`, `1e3`, `100n` -> Decimal in base units (cores, bytes, counts).

Grammar: https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/quantity/
"""

from __future__ import annotations

import re
from decimal import Decimal, localcontext
from functools import lru_cache

GIB = Decimal(2**30)
MIB = Decimal(2**20)

_SUFFIXES = {
    **{
        s: Decimal(10) ** (3 * (i - 3))
        for i, s in enumerate(("n", "u", "m", "", "k", "M", "G", "T", "P", "E"))
    },
    **{s: Decimal(2) ** (10 * (i + 1)) for i, s in enumerate(("Ki", "Mi", "Gi", "Ti", "Pi", "Ei"))},
}
_QUANTITY = re.compile(
    r"([+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+))(?:([eE][+-]?[0-9]{1,3})|(n|u|m|k|M|G|T|P|E|[KMGTPE]i))?"
)
_LONGEST = 40
"""Characters; the API server's own limit on digits is far below and a longer text is an attack."""
_LARGEST = Decimal(2**63 - 1)
"""The API server caps quantities at int64; a larger one is an error a person should see."""


class InvalidQuantityError(ValueError):
    """A value that is not a Kubernetes quantity; the message names the value and the reason."""

    def __init__(self, value: object, reason: str) -> None:
        shown = value if not isinstance(value, int) or value.bit_length() < 128 else "a huge number"
        shown = str(shown) if len(str(shown)) <= _LONGEST else str(shown)[:_LONGEST] + "..."
        super().__init__(f"{shown!r} is not a quantity: {reason}")


def parse_quantity(value: object) -> Decimal:
    """The quantity in base units. Takes the strings and numbers YAML gives.

    Raises InvalidQuantityError for anything else: spaces, NaN, infinities, booleans, other
    digits than ASCII, and negative values (no request, limit or size may be below zero).
    """
    if isinstance(value, bool) or not isinstance(value, str | int | float | Decimal):
        raise InvalidQuantityError(value, "expected a string like 250m or 1Gi, or a number")
    if isinstance(value, int):
        return _checked(Decimal(value), value)
    return _parse_text(value if isinstance(value, str) else str(value))


def quantity_or_none(value: object) -> Decimal | None:
    """The same, None for what is no quantity."""
    try:
        return parse_quantity(value)
    except InvalidQuantityError:
        return None


@lru_cache(maxsize=4096)
def _parse_text(text: str) -> Decimal:
    match = _QUANTITY.fullmatch(text) if len(text) <= _LONGEST else None
    if match is None:
        raise InvalidQuantityError(
            text, "expected digits with an optional suffix such as m, Ki, Mi, Gi, k, M, G"
        )
    number, exponent, suffix = match.groups()
    with localcontext() as context:
        context.prec = 100
        amount = Decimal(number + (exponent or "")) * _SUFFIXES[suffix or ""]
    return _checked(amount, text)


def _checked(amount: Decimal, shown: object) -> Decimal:
    if amount < 0:
        raise InvalidQuantityError(shown, "it is below zero")
    if amount > _LARGEST:
        raise InvalidQuantityError(shown, "it is larger than Kubernetes allows (2^63 - 1)")
    return amount


def show_cores(cores: Decimal) -> str:
    """Cores as people write them: `250m` below one core, else `1.5`."""
    return f"{_plain(cores * 1000, 1)}m" if 0 < cores < 1 else _plain(cores, 3)


def show_bytes(size: Decimal) -> str:
    """Bytes in the largest binary unit that leaves at least one: `512Mi`, `1.5Gi`."""
    for suffix in ("Ti", "Gi", "Mi", "Ki"):
        unit = _SUFFIXES[suffix]
        if size >= unit:
            return _plain(size / unit, 2) + suffix
    return _plain(size, 0)


def show_amount(resource: str, amount: Decimal) -> str:
    """An amount of a resource as people write it: cores, bytes, or a plain number."""
    return {"cpu": show_cores, "memory": show_bytes}.get(resource, _show_number)(amount)


def _show_number(amount: Decimal) -> str:
    return _plain(amount, 3)


def _plain(number: Decimal, places: int) -> str:
    rounded = round(number, places)
    return f"{rounded.normalize():f}" if rounded else "0"
