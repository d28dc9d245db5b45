"""Plain YAML scalars as kubectl and Helm resolve them (sigs.k8s.io/yaml over go-yaml v2)."""

from __future__ import annotations

import re
from functools import lru_cache

Scalar = str | int | float | bool | None

_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("y", "Y", "yes", "Yes", "YES", "true", "True", "TRUE", "on", "On", "ON"), True),
    **dict.fromkeys(("n", "N", "no", "No", "NO", "false", "False", "FALSE", "off", "Off", "OFF"), False),
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
}
_HINTS = frozenset("+-.0123456789yYnNtTfFoO~")
_INTEGER = re.compile(r"([-+]?)(?:0[bB]([01]+)|0[oO]?([0-7]+)|0[xX]([0-9a-fA-F]+)|([1-9][0-9]*|0))")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_BASES = (2, 8, 16, 10)
_SMALLEST, _LARGEST = -(2**63), 2**64 - 1


def resolve(text: str) -> Scalar:
    """The value of a plain scalar: `010` is 8, `1_000` is 1000, `yes` true; `1:30`, dates, `=` are text.

    `.inf` and `.nan` stay text too: JSON, and so Kubernetes, has no such numbers, and the text can be
    shown to the person. Numbers beyond 64 bits become floats, as there.
    """
    return _resolved(text) if len(text) <= 64 else _resolve(text)


def _resolve(text: str) -> Scalar:
    if text and text[0] not in _HINTS:
        return text
    if text in _WORDS:
        return _WORDS[text]
    plain = text if text[0] == "." else text.replace("_", "")
    if len(plain) <= 80 and (integer := _INTEGER.fullmatch(plain)):
        number = _integer(integer)
        if _SMALLEST <= number <= _LARGEST:
            return number
    if _FLOAT.fullmatch(plain):
        decimal = float(plain)
        if decimal not in (float("inf"), float("-inf")):
            return decimal
    return text


# The same few hundred keys and values fill every manifest; a hit also shares one string in memory.
_resolved = lru_cache(maxsize=8192)(_resolve)


def _integer(match: re.Match[str]) -> int:
    sign, *digits = match.groups()
    number = next(int(text, base) for text, base in zip(digits, _BASES, strict=True) if text is not None)
    return -number if sign == "-" else number


def key_text(key: str | float) -> str:
    """A mapping key as JSON has it, always text: `on:` is `true`, `1:` is `1`."""
    if isinstance(key, bool):
        return "true" if key else "false"
    return f"{key:.7g}" if isinstance(key, float) else str(key)
