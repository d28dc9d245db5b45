"""A suggestion on a line of a pull request, in the words that GitHub shows."""

from __future__ import annotations

import re
from dataclasses import dataclass

MOST = 5
"""Suggestions on one pull request, ever."""


@dataclass(frozen=True, slots=True)
class Suggestion:
    """Other text for one line of a file.

    `fingerprint` is a word, the same for the same field of a workload whatever the head and the value.
    `content` is git's id of the file that `line` is counted in. `reason` and `evidence` are Markdown.
    """

    fingerprint: str
    path: str
    content: str
    line: int
    replacement: str
    reason: str
    evidence: str

    def markdown(self) -> str:
        """What GitHub shows as a change that can be committed by a click."""
        longest = max(map(len, re.findall("`+", self.replacement)), default=0)
        fence = "`" * max(3, longest + 1)
        return f"{self.reason}\n\n{fence}suggestion\n{self.replacement}\n{fence}\n\n{self.evidence}"


def settled(head_sha: str) -> str:
    """What stands in the place of a suggestion that has nothing left to say, in Markdown."""
    return f"✅ **Settled** as of {head_sha[:12]}: nothing is left to suggest here."
