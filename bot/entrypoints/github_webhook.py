"""A signed delivery of GitHub's, read into one of our events. Pure: headers and a body in, an event out.

What is signed is the body alone; the headers next to it may be anybody's. So the event's name only chooses
which shape the body must have, and a body of another shape is refused.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, Never

from bot.entrypoints.github_payload import BadDelivery, DeliveryRefused, Payload
from bot.entrypoints.github_readings import READERS
from bot.github_events import Delivery, Event, Ignored
from bot.github_signature import is_signed

MOST_BYTES = 25 * 2**20
"""GitHub sends no larger payload."""
_EVENT = re.compile(r"[a-z0-9_]{1,64}")
_DELIVERY = re.compile(r"[0-9A-Za-z-]{1,64}")


class BadSignature(DeliveryRefused):
    """None of the secrets signed this body, or nobody did."""

    status = 401


class TooLarge(DeliveryRefused):
    """More than GitHub would send."""

    status = 413


class UnsupportedMediaType(DeliveryRefused):
    """The webhook was set up to send forms."""

    status = 415


def parse(headers: Mapping[str, str], body: bytes, secrets: Sequence[str]) -> tuple[Delivery, Event]:
    """Check the signature and read the delivery.

    Any of `secrets` may have signed, so that a new one can replace an old one. Raises a `DeliveryRefused`
    for what is not GitHub's or cannot be read; its text is safe to show and to log.
    """
    sent = {name.lower(): value for name, value in headers.items()}
    check_length(len(body))
    if not is_signed(sent.get("x-hub-signature-256", ""), body, secrets):
        raise BadSignature("X-Hub-Signature-256 is missing or does not fit the body")
    if sent.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise UnsupportedMediaType("set the webhook's content type to application/json")
    name, delivery_id = sent.get("x-github-event", ""), sent.get("x-github-delivery", "")
    if not _EVENT.fullmatch(name) or not _DELIVERY.fullmatch(delivery_id):
        raise BadDelivery("X-GitHub-Event or X-GitHub-Delivery is missing or malformed")
    delivery = Delivery(delivery_id, name, hashlib.sha256(body).hexdigest())
    read = READERS.get(name)
    return delivery, read(Payload(_document(body))) if read else Ignored(f"event {name}")


def check_length(length: int) -> None:
    """Raise `TooLarge` for a body that GitHub would not send."""
    if length > MOST_BYTES:
        raise TooLarge(f"a delivery may have {MOST_BYTES // 2**20} MiB")


def _document(body: bytes) -> dict[str, Any]:
    """The body as strict JSON: RFC 8259, no key twice, every number finite, every text encodable."""
    try:
        text = body.decode("utf-8")
        document = json.loads(
            text, parse_constant=_refuse_number, parse_float=_finite, object_pairs_hook=_no_key_twice
        )
        if "\\ud" in text or "\\uD" in text:
            # Half a surrogate pair would break whoever stores or prints it, much later.
            json.dumps(document, ensure_ascii=False).encode()
    except RecursionError:
        raise BadDelivery("the body is nested too deeply") from None
    except ValueError:
        # The cause repeats a part of the body, which may not reach a log.
        raise BadDelivery("the body is not strict JSON in UTF-8") from None
    if not isinstance(document, dict):
        raise BadDelivery("the body is not a JSON object")
    return document


def _refuse_number(_text: str) -> Never:
    raise ValueError


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError
    return number


def _no_key_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    entries = dict(pairs)
    if len(entries) != len(pairs):
        raise ValueError
    return entries
