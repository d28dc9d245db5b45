"""The one comment of ours on a pull request, and answers to people.

GitHub itself is asked what is there before anything is written, so that doing it again after a crash
or a lost answer changes nothing. A comment is ours by its author and by a mark that only we can make.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.adapters.github_app import WRITE_PULL_REQUESTS, AppTokens
from bot.adapters.github_client import GitHubClient, Json, maybe, path, take
from bot.errors import GitHubRefused, GitHubUnavailable
from bot.github_events import PullRequestRef
from bot.records import Head, PublishedComment
from bot.signed_marker import Markers, short_name


class GitHubComments:
    """Comments on the conversation of pull requests."""

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
        bodies: Sequence[str],
        head: Head,
        known: PublishedComment | None,
        *,
        create: bool,
    ) -> PublishedComment | None:
        """Make the comment say the first of `bodies` that GitHub takes; see the port `Comments`."""
        with self._tokens.client(ref.installation, ref.repository, WRITE_PULL_REQUESTS) as client:
            thread = _Thread(client, ref, self._tokens.login(), self._markers)
            there = thread.known(known.comment_id) if known else None
            there = there or thread.folded()
            if there is None:
                if not create:
                    return None
                there = thread.create([self._signed(ref, body, head) for body in bodies])
            if there.order is not None and there.order > head.order:
                return self._published(ref, there, head)
            wanted = [self._signed(ref, body, head) for body in bodies]
            if not any(_same(there.body, body) for body in wanted):
                there = thread.edit(there, wanted)
            return self._published(ref, there, head)

    def reply(self, ref: PullRequestRef, body: str, key: str) -> None:
        """Answer a person once: a second answer under the same `key` is not written."""
        mark = self._markers.write("reply", ref.repository.id, ref.number, short_name(key))
        with self._tokens.client(ref.installation, ref.repository, WRITE_PULL_REQUESTS) as client:
            thread = _Thread(client, ref, self._tokens.login(), self._markers)
            if not thread.has_reply(mark):
                client.post(thread.endpoint, {"body": f"{body}\n\n{mark}"})

    def _signed(self, ref: PullRequestRef, body: str, head: Head) -> str:
        said = (ref.repository.id, ref.number, head.head_sha, head.order)
        return f"{body}\n\n{self._markers.write('comment', *said)}"

    def _published(self, ref: PullRequestRef, there: _Comment, head: Head) -> PublishedComment:
        return PublishedComment(
            repository=ref.repository.id,
            number=ref.number,
            comment_id=there.id,
            body_hash=hashlib.sha256(there.body.encode("utf-8", "surrogatepass")).hexdigest(),
            head_sha=there.head_sha or head.head_sha,
            order=head.order if there.order is None else there.order,
            at=self._now(),
        )


@dataclass(frozen=True, slots=True)
class _Comment:
    """A comment of ours. `order` is None where somebody took its mark away."""

    id: int
    body: str
    head_sha: str = ""
    order: int | None = None


@dataclass(frozen=True, slots=True)
class _Thread:
    """The conversation of one pull request."""

    client: GitHubClient
    ref: PullRequestRef
    login: str
    markers: Markers

    @property
    def endpoint(self) -> str:
        """Where its comments are listed and made."""
        return path(*self._repository, "issues", self.ref.number, "comments")

    def known(self, comment_id: int) -> _Comment | None:
        """The comment with that id, unless it is gone or none of ours on this pull request."""
        try:
            answer = self.client.get(self._one(comment_id))
        except GitHubRefused as error:
            if error.status in {404, 410}:
                return None
            raise
        here = (maybe(answer, str, "issue_url") or "").endswith(f"/issues/{self.ref.number}")
        if not here or not self._is_ours(answer):
            return None
        return self._read(answer) or _Comment(comment_id, maybe(answer, str, "body") or "")

    def folded(self, made: _Comment | None = None) -> _Comment | None:
        """The oldest comment of ours, which stays; later ones are deleted.

        `made` is one that GitHub may not list yet.
        """
        found = {comment.id: comment for comment in (*self._all(), *([made] if made else ()))}
        for extra in sorted(found)[1:]:
            self._delete(extra)
        return found[min(found)] if found else None

    def create(self, bodies: Sequence[str]) -> _Comment:
        """A new comment, or the one that another process made at the same time."""
        try:
            made = self._read(self._write(bodies, lambda body: self.client.post(self.endpoint, body)))
        except GitHubUnavailable:
            # It may have been made all the same.
            if (found := self.folded()) is None:
                raise
            return found
        if (found := self.folded(made)) is None:
            raise GitHubUnavailable("GitHub made another comment than it was asked for", "garbled")
        return found

    def edit(self, comment: _Comment, bodies: Sequence[str]) -> _Comment:
        """The comment with other words."""
        one = self._one(comment.id)
        try:
            answer = self._write(bodies, lambda body: self.client.patch(one, body))
        except GitHubRefused as error:
            if error.status in {404, 410}:
                raise GitHubUnavailable("our comment was deleted while it was edited") from error
            raise
        return self._read(answer) or comment

    def has_reply(self, mark: str) -> bool:
        """Whether an answer of ours bears that mark."""
        wanted = self.markers.read("reply", mark)
        return any(
            self._is_ours(item) and self.markers.read("reply", maybe(item, str, "body") or "") == wanted
            for item in self.client.pages(self.endpoint)
        )

    @property
    def _repository(self) -> tuple[str, str, str]:
        return ("repos", self.ref.repository.owner, self.ref.repository.name)

    def _one(self, comment_id: int) -> str:
        return path(*self._repository, "issues", "comments", comment_id)

    def _all(self) -> Iterator[_Comment]:
        for item in self.client.pages(self.endpoint):
            if self._is_ours(item) and (comment := self._read(item)) is not None:
                yield comment

    def _is_ours(self, answer: object) -> bool:
        return maybe(answer, str, "user", "login") == self.login

    def _read(self, answer: object) -> _Comment | None:
        body = maybe(answer, str, "body") or ""
        said = self.markers.read("comment", body)
        if said is None or said[:2] != [str(self.ref.repository.id), str(self.ref.number)]:
            return None
        return _Comment(take(answer, int, "id"), body, said[2], int(said[3]))

    def _write(self, bodies: Sequence[str], write: Callable[[Json], Json]) -> Json:
        """The first body that GitHub takes; the sizes it counts in are not all documented."""
        for body in bodies[:-1]:
            try:
                return write({"body": body})
            except GitHubRefused as error:
                if error.status != 422:
                    raise
        return write({"body": bodies[-1]})

    def _delete(self, comment_id: int) -> None:
        try:
            self.client.delete(self._one(comment_id))
        except GitHubRefused as error:
            if error.status not in {404, 410}:
                raise


def _same(there: str, wanted: str) -> bool:
    return there.replace("\r\n", "\n").strip() == wanted.strip()
