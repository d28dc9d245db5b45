"""What offering suggestions, and listing pull requests, may ask of the outside, in Protocols."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from bot.github_events import PullRequestRef
from bot.pull_requests import ChangedFile
from bot.records import PublishedSuggestion, ShownPullRequest
from bot.suggestions import Suggestion


class Diffs(Protocol):
    """What pull requests change, as GitHub shows it. May raise GitHubUnavailable or GitHubRefused."""

    def changed_files(self, ref: PullRequestRef) -> Mapping[str, ChangedFile]:
        """By path; a very long list is cut off, and so are the lines of a very large file."""
        ...


class Reviews(Protocol):
    """Our suggestions on a pull request. May raise GitHubUnavailable or GitHubRefused."""

    def put(
        self,
        ref: PullRequestRef,
        head_sha: str,
        wanted: Sequence[Suggestion],
        *,
        standing: Collection[str],
        known: Sequence[PublishedSuggestion],
    ) -> tuple[PublishedSuggestion, ...]:
        """Make those of `wanted` that were never made, five on a pull request at the most.

        One of ours whose fingerprint is not in `standing` says from now on that it is settled. Found by
        our signed marker and our own name; what only `known` has was deleted, and is not made again.
        Returns every suggestion that was ever made.
        """
        ...


class ShownPullRequests(Protocol):
    """What our checks say, a pull request a row. Every method may raise StoreUnavailable."""

    def keep(self, pull: ShownPullRequest) -> None:
        """Remember what is shown, in the place of what was."""
        ...

    def note_state(self, repository: int, number: int, *, is_open: bool) -> None:
        """Remember that it is open or closed now; nothing where nothing was shown on it."""
        ...

    def blocked_with(self, repository: int, head_sha: str, number: int) -> Sequence[ShownPullRequest]:
        """The open pull requests beside `number` whose newest head that commit is, and whose check failed."""
        ...

    def open_ones(self, most: int) -> Sequence[ShownPullRequest]:
        """Those that are open, the newest first."""
        ...
