"""GitHub's `X-Hub-Signature-256`: an HMAC with SHA-256 over a delivery's body."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence


def signature(secret: str, body: bytes) -> str:
    """What the header says for `body`."""
    return f"sha256={hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}"


def is_signed(claimed: str, body: bytes, secrets: Sequence[str]) -> bool:
    """Whether one of `secrets` made the signature `claimed`; an empty secret makes none.

    Bytes are compared, in constant time: `compare_digest` refuses text that is not ASCII.
    """
    given = claimed.encode("utf-8", "replace")
    return any(hmac.compare_digest(signature(secret, body).encode(), given) for secret in secrets if secret)
