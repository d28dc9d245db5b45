"""Suggestions on the lines of a pull request, as review comments."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.adapters.github_app import WRITE_PULL_REQUESTS, AppTokens
from bot.adapters.github_client import GitHubClient, maybe, path, take
from bot.errors import GitHubRefused
from bot.github_events import PullRequestRef
from bot.records import PublishedSuggestion
from bot.signed_marker import Markers, short_name
from bot.suggestions import Suggestion

MOST = 5
"""Suggestions on one pull request, ever."""
_SETTLED = "*This suggestion no longer applies: the line was changed.*"


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
        self, ref: PullRequestRef, head_sha: str, wanted: Sequence[Suggestion]
    ) -> tuple[PublishedSuggestion, ...]:
        """Make the suggestions that were never made, up to five; say of the others that they are settled.

        One that GitHub refuses, because its line is not in the diff of `head_sha`, is left out.
        Returns every suggestion of ours on the pull request.
        """
        with self._tokens.client(ref.installation, ref.repository, WRITE_PULL_REQUESTS) as client:
            review = _Review(client, ref, self._markers)
            there = review.ours(self._tokens.login())
            open_ones = {short_name(each.fingerprint): each for each in wanted}
            for name, comment in list(there.items()):
                if name not in open_ones and not comment.settled:
                    there[name] = review.settle(name, comment)
            for name, suggestion in open_ones.items():
                if name not in there and len(there) < MOST:
                    made = review.suggest(name, suggestion, head_sha)
                    there.update({name: made} if made else {})
        return tuple(
            PublishedSuggestion(
                repository=ref.repository.id,
                number=ref.number,
                fingerprint=open_ones[name].fingerprint if name in open_ones else name,
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

    def ours(self, login: str) -> dict[str, _Comment]:
        """Comments by the name in their mark."""
        found: dict[str, _Comment] = {}
        for item in self.client.pages(self._endpoint(self.ref.number, "comments")):
            said = self.markers.read("suggestion", maybe(item, str, "body") or "")
            here = said is not None and said[:2] == [str(self.ref.repository.id), str(self.ref.number)]
            if said is not None and here and maybe(item, str, "user", "login") == login:
                found.setdefault(said[2], _Comment(take(item, int, "id"), said[3] == "settled"))
        return found

    def suggest(self, name: str, suggestion: Suggestion, head_sha: str) -> _Comment | None:
        """A new comment; None where GitHub refuses it."""
        body = {
            "body": f"{suggestion.markdown()}\n\n{self._mark(name, 'open')}",
            "commit_id": head_sha,
            "path": suggestion.path,
            "line": suggestion.last,
            "side": "RIGHT",
        }
        if suggestion.first < suggestion.last:
            body |= {"start_line": suggestion.first, "start_side": "RIGHT"}
        try:
            answer = self.client.post(self._endpoint(self.ref.number, "comments"), body)
        except GitHubRefused as error:
            if error.status == 422:
                return None
            raise
        return _Comment(take(answer, int, "id"), settled=False)

    def settle(self, name: str, comment: _Comment) -> _Comment:
        """Take the suggestion out of the comment; what people answered below it stays."""
        body = f"{_SETTLED}\n\n{self._mark(name, 'settled')}"
        try:
            self.client.patch(self._endpoint("comments", comment.id), {"body": body})
        except GitHubRefused as error:
            if error.status not in {404, 410}:
                raise
        return _Comment(comment.id, settled=True)

    def _mark(self, name: str, state: str) -> str:
        return self.markers.write("suggestion", self.ref.repository.id, self.ref.number, name, state)

    def _endpoint(self, *rest: str | int) -> str:
        return path("repos", self.ref.repository.owner, self.ref.repository.name, "pulls", *rest)
