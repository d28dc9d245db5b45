"""Sends an event to a running bot as GitHub would: signed, with GitHub's headers."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Collection, Mapping
from difflib import get_close_matches
from urllib.parse import urlsplit

from bot.errors import UserError
from bot.github_signature import signature

PATH = "/github/webhook"
Post = Callable[[str, bytes, Mapping[str, str]], tuple[int, str]]
"""Address, body and headers; gives the answer's status and text."""


def replay(body: bytes, *, event: str, known: Collection[str], url: str, secret: str, post: Post) -> str:
    """What the bot answered. `url` may leave the webhook's path out; `known` are the events it acts on.

    Raises UserError for an event or an address that can't be one, an event that looks like a slip of a
    known one, and where the bot refused the delivery.
    """
    if not re.fullmatch(r"[a-z0-9_]{1,64}", event):
        raise UserError(f"--event {event[:40]!r}: expected the name of a webhook event such as pull_request")
    near = get_close_matches(event, known, n=1, cutoff=0.85)
    if near and event not in known:
        raise UserError(f"--event {event}: the bot would ignore it; did you mean {near[0]}?")
    address = _address(url)
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "GitHub-Hookshot/replay",
        "X-GitHub-Event": event,
        "X-GitHub-Delivery": str(uuid.uuid4()),
        "X-Hub-Signature-256": signature(secret, body),
    }
    status, text = post(address, body, headers)
    said = " ".join(text.split())[:200]
    if not 200 <= status < 300:
        raise UserError(f"{address} answered {status}: {said or 'nothing more'}")
    return f"{status} {said}"


def _address(url: str) -> str:
    try:
        parts = urlsplit(url)
        plain = parts.scheme in {"http", "https"} and parts.hostname and not (parts.query or parts.fragment)
    except ValueError:
        plain = False
    if not plain:
        raise UserError(f"--url {url[:80]!r}: expected an address such as http://127.0.0.1:8080")
    return url if parts.path.strip("/") else url.rstrip("/") + PATH
