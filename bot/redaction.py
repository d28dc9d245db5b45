"""Secrets out of text: by their known value, in the forms they travel in, and by pattern.

A known value is found in Base64 (at each of the three places it can start within a group), in URLs, and,
where it has lines, line by line. A pattern finds what nobody told us of.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator
from threading import Lock
from urllib.parse import quote, quote_plus, unquote

HIDDEN = "[redacted]"
_SHORTEST = 4
"""Characters. Hiding still shorter values would eat words and tell them by their absence."""
_SHORTEST_PART = 8
"""Characters of a line or of Base64 that are enough to be sure."""
_IN_URL = re.compile(r"[a-z][a-z0-9+.-]*://[^:/@]*:(.+)@")
_MOST_ADDED = 200
"""Tokens that were minted while running: they live an hour, and the pattern knows them as well."""

_PATTERNS = tuple(
    re.compile(pattern)
    for pattern in (
        r"(?s)-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----.*?(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|\Z)",
        # GitHub's tokens. Since 2026 those of installations have about 520 characters, with dots.
        r"\bgh[a-z]_[A-Za-z0-9._-]{16,}",
        r"\bgithub_pat_[A-Za-z0-9_]{16,}",
        r"\bxox[a-z]-[A-Za-z0-9-]{8,}|\bxapp-[A-Za-z0-9-]{8,}",
        r"\beyJ[A-Za-z0-9_-]{8,4096}\.eyJ[A-Za-z0-9_-]{8,}(?:\.[A-Za-z0-9_-]+)?",
        r"(?i)(?<=\bauthorization)[\"']?\s{0,9}[:=]\s{0,9}[\"']?(?:\w{1,40}\s{1,9})?[^\s\"',]+",
        r"(?i)\b(?:bearer|basic)[ :]{1,9}(?=[a-z._~+/-]{0,999}[0-9])[a-z0-9._~+/=-]{16,}",
        r"(?<=://)[^\s/@:\"']{0,256}:[^\s/@\"']+(?=@)",
    )
)


class Redactor:
    """Hides `secrets`, and whatever has the looks of one. Safe to use from many threads."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._lock = Lock()
        self._lasting = _in_order(form for secret in secrets for form in forms(secret))
        self._added: dict[str, tuple[str, ...]] = {}
        self._forms = self._lasting

    def add(self, secret: str) -> None:
        """Hide this one too; of those that were added, the oldest are forgotten in time."""
        with self._lock:
            self._added.pop(secret, None)
            self._added[secret] = tuple(forms(secret))
            while len(self._added) > _MOST_ADDED:
                del self._added[next(iter(self._added))]
            added = (form for one in self._added.values() for form in one)
            self._forms = _in_order([*self._lasting, *added])

    def clean(self, text: str) -> str:
        """The text without secrets."""
        for form in self._forms:
            if form in text:
                text = text.replace(form, HIDDEN)
        for pattern in _PATTERNS:
            text = pattern.sub(HIDDEN, text)
        return text


def forms(secret: str) -> Iterator[str]:
    """Every text that gives `secret` away; none for one that is too short to be found."""
    value = secret.strip()
    if len(value) < _SHORTEST:
        return
    yield value
    data = value.encode("utf-8", "surrogateescape")
    quoted = quote(data, safe="")
    yield from (quoted, _small_escapes(quoted), quote(data), quote_plus(data))
    yield value.encode("unicode_escape").decode()
    yield from _base64_forms(data)
    yield from (line for line in value.splitlines() if len(line) >= _SHORTEST_PART and "---" not in line)
    password = _IN_URL.match(value)
    if password:
        yield from forms(password[1])
        yield from forms(unquote(password[1]))


def _small_escapes(quoted: str) -> str:
    """`%2f` for `%2F`, which some clients write."""
    return re.sub("%[0-9A-F]{2}", lambda escape: escape[0].lower(), quoted)


def _base64_forms(value: bytes) -> Iterator[str]:
    """What Base64 makes of the value wherever in a longer text it stands.

    The characters that neighbours have a part in are left away.
    """
    for before in range(3):
        first, end = -(-before * 8 // 6), (before + len(value)) * 8 // 6
        if end - first >= _SHORTEST_PART:
            for encode in (base64.b64encode, base64.urlsafe_b64encode):
                yield encode(bytes(before) + value).decode()[first:end]


def _in_order(found: Iterable[str]) -> tuple[str, ...]:
    """The longest first, so that none is left in part because a shorter one went before."""
    return tuple(sorted(set(found), key=len, reverse=True))
