"""A value that would be safe, offered on the line that holds another."""

from __future__ import annotations

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Suggestion:
    """New text for the lines `first` to `last` of a file at the pull request's head.

    `fingerprint` is the same for the same suggestion, whatever the head. `reason` is Markdown.
    """

    fingerprint: str
    path: str
    first: int
    last: int
    replacement: str
    reason: str

    def markdown(self) -> str:
        """What GitHub shows as a change that can be committed by a click."""
        longest = max(map(len, re.findall("`+", self.replacement)), default=0)
        fence = "`" * max(3, longest + 1)
        return f"{self.reason}\n\n{fence}suggestion\n{self.replacement}\n{fence}"
