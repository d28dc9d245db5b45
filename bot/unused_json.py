"""What nothing uses as JSON, in a week's digest and in what could be saved, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from datetime import date
from decimal import Decimal
from typing import Any

from bot.unused import UnusedThings
from bot.unused_words import command
from estimators.unused import Unused

_NAMES = tuple(field.name for field in fields(Unused) if field.name != "left")
"""What is left as it is stands among what else is, and in no list of these."""


def unused_json(unused: UnusedThings | None) -> dict[str, Any] | None:
    """One object, before `plain_json`; None where it is not known whether anything is unused."""
    if unused is None:
        return None
    return {
        "monthly": unused.monthly,
        "things": [
            {**{name: getattr(thing, name) for name in _NAMES}, "command": command(thing)}
            for thing in unused.things
        ],
        "more": {"count": unused.more, "monthly": unused.more_monthly},
    }


def unused_from(told: Mapping[str, Any] | None) -> UnusedThings | None:
    """What `unused_json` told."""
    if told is None:
        return None
    more = told["more"]
    return UnusedThings(tuple(map(_thing_from, told["things"])), more["count"], Decimal(more["monthly"]))


def _thing_from(told: Mapping[str, Any]) -> Unused:
    gib = told["gib"]
    known = {
        "gib": None if gib is None else Decimal(gib),
        "monthly": Decimal(told["monthly"]),
        "since": date.fromisoformat(told["since"]),
    }
    return Unused(**{**{name: told[name] for name in _NAMES}, **known})
