"""Marks in what we write on GitHub that only we can make: how we find our own comments again.

A mark is an HTML comment, which GitHub keeps and does not show. It is signed with a key that is made
from the webhook secret, so nobody can plant one, and it names the pull request, so none can be moved.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Sequence

_MARK = re.compile(r"<!-- tuppence:([a-z]{1,20}) ([A-Za-z0-9_. -]{1,300}) ([0-9a-f]{64}) -->")
_WORD = re.compile(r"[A-Za-z0-9_.-]{1,100}")


class Markers:
    """Signs with the first of some secrets, and knows the marks of all of them."""

    def __init__(self, secrets: Sequence[str]) -> None:
        self._keys = [hmac.digest(secret.encode(), b"tuppence: marks v1", "sha256") for secret in secrets]

    def write(self, kind: str, *words: str | int) -> str:
        """A mark that says `words`; each is a plain word."""
        text = " ".join(str(word) for word in words)
        if not all(_WORD.fullmatch(str(word)) for word in words):
            raise ValueError(f"a mark cannot say {text!r}")
        return f"<!-- tuppence:{kind} {text} {_signature(self._keys[0], kind, text)} -->"

    def read(self, kind: str, body: str) -> list[str] | None:
        """What the last mark of that kind in `body` says; None where there is none of ours."""
        for found in reversed(list(_MARK.finditer(body))):
            said_kind, text, signature = found.groups()
            if said_kind == kind and any(
                hmac.compare_digest(_signature(key, kind, text), signature) for key in self._keys
            ):
                return text.split(" ")
        return None

    def seal(self, kind: str, *words: str | int) -> str:
        """A bare signature of `words`, for where a mark would be seen."""
        return _signature(self._keys[0], kind, " ".join(map(str, words)))

    def is_seal(self, seal: str, kind: str, *words: str | int) -> bool:
        """Whether we made that signature of `words`."""
        text = " ".join(map(str, words))
        return any(hmac.compare_digest(_signature(key, kind, text), seal) for key in self._keys)


def short_name(text: str) -> str:
    """A word for a mark that stands for any text."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _signature(key: bytes, kind: str, text: str) -> str:
    return hmac.new(key, f"{kind} {text}".encode(), "sha256").hexdigest()
