"""A pull request as GitHub knows it now, in our own words."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from bot.github_events import PullRequestRef, Repository


@dataclass(frozen=True, slots=True)
class ChangedFile:
    """A file that a pull request changes: git's id of its content at the head, and the lines it adds there.

    The lines are numbered from 1; none where GitHub shows no diff of the file.
    """

    content: str
    lines: frozenset[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class PullRequestFacts:
    """What GitHub says of a pull request at the moment of asking.

    `merge_sha` is its test merge, None where it cannot be merged or that is not known yet.
    """

    ref: PullRequestRef
    open: bool
    draft: bool
    merged: bool
    merged_at: datetime | None
    head_sha: str
    base_ref: str
    base_sha: str
    merge_sha: str | None
    author: str
    author_id: int
    title: str

    def to_json(self) -> dict[str, Any]:
        """Plain JSON for a durable workflow, and back with `from_json`."""
        return {**asdict(self), "merged_at": self.merged_at and self.merged_at.isoformat()}

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> PullRequestFacts:
        """The facts that `to_json` wrote."""
        ref = value["ref"]
        merged_at = value["merged_at"]
        return cls(
            **{
                **value,
                "ref": PullRequestRef(**{**ref, "repository": Repository(**ref["repository"])}),
                "merged_at": datetime.fromisoformat(merged_at) if merged_at else None,
            }
        )
