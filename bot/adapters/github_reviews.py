"""Suggestions on the lines of a pull request, as review comments."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.adapters.github_app import WRITE_PULL_REQUESTS, AppTokens
from bot.adapters.github_client import GitHubClient, maybe, path, take
from bot.errors import GitHubRefused
from bot.github_events import PullRequestRef
from bot.records import PublishedSuggestion
from bot.signed_marker import Markers
from bot.suggestions import MOST, Suggestion, settled


class GitHubReviews:
    """Review comments of ours. GitHub is asked which are there, so none is made twice."""

    def __init__(
        self,
        tokens: AppTokens,
        markers: Markers,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._tokens, self._markers, self._now = tokens, markers, now

    def put(
        self,
        ref: PullRequestRef,
        head_sha: str,
        wanted: Sequence[Suggestion],
        *,
        standing: Collection[str],
        known: Sequence[PublishedSuggestion],
    ) -> tuple[PublishedSuggestion, ...]:
        """Make those of `wanted` that were never made, up to five; settle those that stand no more.

        `standing` holds the fingerprints of all that is still to be said, on the diff or not. One that
        GitHub refuses is left out. Returns every suggestion that was ever made on the pull request.
        """
        with self._tokens.client(ref.installation, ref.repository, WRITE_PULL_REQUESTS) as client:
            review = _Review(client, ref, self._markers, head_sha)
            # What we remember and GitHub has no more was deleted by somebody: they do not want it.
            there = {each.fingerprint: _Comment(each.comment_id, settled=True) for each in known}
            there |= review.ours(self._tokens.login())
            for name, comment in list(there.items()):
                if name not in standing and not comment.settled:
                    there[name] = review.settle(name, comment)
            for suggestion in wanted:
                if suggestion.fingerprint not in there and len(there) < MOST:
                    made = review.suggest(suggestion)
                    there.update({suggestion.fingerprint: made} if made else {})
        return tuple(
            PublishedSuggestion(
                repository=ref.repository.id,
                number=ref.number,
                fingerprint=name,
                comment_id=comment.id,
                resolved=comment.settled,
                at=self._now(),
            )
            for name, comment in there.items()
        )


@dataclass(frozen=True, slots=True)
class _Comment:
    id: int
    settled: bool


@dataclass(frozen=True, slots=True)
class _Review:
    """The review comments of one pull request."""

    client: GitHubClient
    ref: PullRequestRef
    markers: Markers
    head_sha: str

    def ours(self, login: str) -> dict[str, _Comment]:
        """Comments by the fingerprint in their mark."""
        found: dict[str, _Comment] = {}
        for item in self.client.pages(self._endpoint(self.ref.number, "comments")):
            said = self.markers.read("suggestion", maybe(item, str, "body") or "")
            here = said is not None and said[:2] == [str(self.ref.repository.id), str(self.ref.number)]
            if said is not None and here and maybe(item, str, "user", "login") == login:
                found.setdefault(said[2], _Comment(take(item, int, "id"), said[3] == "settled"))
        return found

    def suggest(self, suggestion: Suggestion) -> _Comment | None:
        """A new comment; None where GitHub refuses it: the head moved on, or the conversation is locked."""
        body = {
            "body": f"{suggestion.markdown()}\n\n{self._mark(suggestion.fingerprint, 'open')}",
            "commit_id": self.head_sha,
            "path": suggestion.path,
            "line": suggestion.line,
            "side": "RIGHT",
        }
        try:
            answer = self.client.post(self._endpoint(self.ref.number, "comments"), body)
        except GitHubRefused:
            return None
        return _Comment(take(answer, int, "id"), settled=False)

    def settle(self, name: str, comment: _Comment) -> _Comment:
        """Take the suggestion out of the comment; what people answered below it stays."""
        body = f"{settled(self.head_sha)}\n\n{self._mark(name, 'settled')}"
        try:
            self.client.patch(self._endpoint("comments", comment.id), {"body": body})
        except GitHubRefused:
            # It is gone, or locked: either way nobody is to be asked for anything any more.
            return _Comment(comment.id, settled=True)
        return _Comment(comment.id, settled=True)

    def _mark(self, name: str, state: str) -> str:
        return self.markers.write("suggestion", self.ref.repository.id, self.ref.number, name, state)

    def _endpoint(self, *rest: str | int) -> str:
        return path("repos", self.ref.repository.owner, self.ref.repository.name, "pulls", *rest)
