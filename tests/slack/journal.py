"""What happened: calls, what they were refused for, and what no bot should do."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Called:
    """One call of a method, or `response_url` or `upload`; `error` is empty where it was carried out."""

    method: str
    arguments: Mapping[str, Any]
    error: str
    at: float


@dataclass(slots=True)
class Journal:
    """Counts and lists for assertions; appended to under the world's lock.

    `calls` counts every request by method, also those that a fault struck; `called` has those that got
    as far as Slack, with their arguments; `violations` are what a bot must never send or do, whatever
    Slack answered; `used_scopes` are those that some call needed.
    """

    calls: Counter[str] = field(default_factory=Counter)
    called: list[Called] = field(default_factory=list)
    violations: list[str] = field(default_factory=list)
    used_scopes: set[str] = field(default_factory=set)

    def of(self, method: str, **arguments: object) -> list[Called]:
        """Calls of a method that had all the given arguments: `of("chat.postMessage", channel="C1")`."""
        return [
            call
            for call in self.called
            if call.method == method
            and all(call.arguments.get(name) == value for name, value in arguments.items())
        ]
