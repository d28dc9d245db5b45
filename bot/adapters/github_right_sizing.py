"""Our branches and pull requests with new values, on GitHub.

GitHub itself is asked what is there before and after anything is written, so that doing it again after a
crash or a lost answer changes nothing. A pull request is ours by its author, which GitHub vouches for; its
description is ours to write anew while it bears our mark.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from bot.adapters.github_app import (
    PROPOSE_CHANGES,
    READ_PULL_REQUESTS,
    WRITE_FILES,
    WRITE_PULL_REQUESTS,
    AppTokens,
)
from bot.adapters.github_client import GitHubClient, Json, maybe, take
from bot.adapters.github_sealed_branch import SealedBranch, endpoint
from bot.errors import GitHubRefused, GitHubUnavailable
from bot.recommendation_ports import Place, WrittenPull
from bot.signed_marker import Markers, short_name


class GitHubRightSizing:
    """See the port `RightSizing`."""

    def __init__(self, tokens: AppTokens, markers: Markers) -> None:
        self._tokens, self._markers = tokens, markers

    def put_branch(
        self, place: Place, branch: str, base_sha: str, files: Mapping[str, bytes], message: str
    ) -> str:
        """Make `branch` differ from `base_sha` in just these files; its newest commit.

        Where it stood on an older base, the new commit has both as parents. See the port.
        """
        with _may_write(place), self._client(place, WRITE_FILES) as client:
            return SealedBranch(client, place, branch, self._markers).put(base_sha, files, message)

    def put_pull(self, place: Place, branch: str, title: str, body: str) -> WrittenPull:
        """Make the one open pull request of `branch` say this; see the port.

        One whose description somebody has written anew keeps it. Raises GitHubRefused where somebody
        else has opened one.
        """
        with self._client(place, PROPOSE_CHANGES) as client:
            pulls = _Pulls(client, place, self._tokens.login(), self._markers)
            signed = pulls.signed(branch, body)
            there = pulls.open_one(branch)
            if there is None:
                return _written(pulls.create(branch, title, signed))
            if pulls.is_marked(there, branch) and not _says(there, title, signed):
                there = client.patch(pulls.one(take(there, int, "number")), {"title": title, "body": signed})
            return _written(there)

    def pull(self, place: Place, number: int) -> WrittenPull:
        """A pull request as it is now."""
        with self._client(place, READ_PULL_REQUESTS) as client:
            return _written(take(client.get(endpoint(place, "pulls", number)), dict))

    def close(self, place: Place, number: int, comment: str, branch: str) -> None:
        """Say why, once, close the pull request, and delete the branch if only we committed to it.

        One that people have closed or merged is left alone.
        """
        with self._client(place, WRITE_PULL_REQUESTS) as client:
            pulls = _Pulls(client, place, self._tokens.login(), self._markers)
            there = take(client.get(pulls.one(number)), dict)
            pulls.must_be_ours(there)
            is_open = maybe(there, str, "state") == "open"
            if not pulls.said(number, comment):
                if not is_open:
                    return
                pulls.say(number, comment)
            if is_open:
                client.patch(pulls.one(number), {"state": "closed"})
        # A branch that may not be deleted, by a ruleset or for want of the permission, harms nobody, nor one
        # that somebody has just deleted.
        with suppress(GitHubRefused), self._client(place, WRITE_FILES) as client:
            SealedBranch(client, place, branch, self._markers).delete()

    @contextmanager
    def _client(self, place: Place, permissions: Mapping[str, str]) -> Iterator[GitHubClient]:
        with self._tokens.client(place.installation, place.repository, permissions) as client:
            yield client


@dataclass(frozen=True, slots=True)
class _Pulls:
    """The pull requests of one repository."""

    client: GitHubClient
    place: Place
    login: str
    markers: Markers

    def one(self, number: int) -> str:
        """Where one of them is."""
        return endpoint(self.place, "pulls", number)

    def open_one(self, branch: str) -> Json | None:
        """The open one of a branch. Raises GitHubRefused where it is not ours."""
        owner = self.place.repository.owner
        asked = {"state": "open", "head": f"{owner}:{branch}"}
        for answer in self.client.pages(endpoint(self.place, "pulls"), **asked):
            if maybe(answer, str, "head", "ref") == branch:
                self.must_be_ours(answer)
                return answer
        return None

    def must_be_ours(self, answer: object) -> None:
        """Raises GitHubRefused for somebody else's."""
        author = maybe(answer, str, "user", "login") or "somebody"
        if author != self.login:
            number = take(answer, int, "number")
            raise GitHubRefused(f"{author} has opened {_name(self.place)}#{number}: it is theirs", 409)

    def create(self, branch: str, title: str, body: str) -> Json:
        """A new one, or the one that another process made at the same time."""
        whole = self.client.get(endpoint(self.place))
        wanted = {
            "title": title,
            "head": branch,
            "base": take(whole, str, "default_branch"),
            "body": body,
            "maintainer_can_modify": True,
        }
        try:
            return self.client.post(endpoint(self.place, "pulls"), wanted)
        except GitHubUnavailable:
            # It may have been opened all the same.
            if (found := self.open_one(branch)) is None:
                raise
            return found
        except GitHubRefused as error:
            if error.status != 422:
                raise
            if (found := self.open_one(branch)) is not None:
                return found
            if "already exists" in str(error) or not self._is_there(branch):
                # GitHub does not show to everybody at once what it has just been told.
                raise GitHubUnavailable(str(error), "outage") from error
            raise

    def signed(self, branch: str, body: str) -> str:
        """The body with our mark."""
        return f"{body.rstrip()}\n\n{self.markers.write('rightsize', *self._about(branch))}"

    def is_marked(self, answer: object, branch: str) -> bool:
        """Whether its description is still the one that we wrote."""
        wanted = [str(word) for word in self._about(branch)]
        return self.markers.read("rightsize", maybe(answer, str, "body") or "") == wanted

    def said(self, number: int, comment: str) -> bool:
        """Whether we have said this there."""
        wanted = self.markers.read("closed", self._farewell(number, comment))
        return any(
            self.markers.read("closed", maybe(item, str, "body") or "") == wanted
            for item in self.client.pages(self._comments(number))
        )

    def say(self, number: int, comment: str) -> None:
        """Write a comment."""
        body = f"{comment.rstrip()}\n\n{self._farewell(number, comment)}"
        self.client.post(self._comments(number), {"body": body})

    def _farewell(self, number: int, comment: str) -> str:
        return self.markers.write("closed", self.place.repository.id, number, short_name(comment))

    def _comments(self, number: int) -> str:
        return endpoint(self.place, "issues", number, "comments")

    def _about(self, branch: str) -> tuple[int, str]:
        return (self.place.repository.id, short_name(branch))

    def _is_there(self, branch: str) -> bool:
        return bool(SealedBranch(self.client, self.place, branch, self.markers).tip())


@contextmanager
def _may_write(place: Place) -> Iterator[None]:
    """Say what to do where the App may not write files; everything else works without."""
    try:
        yield
    except GitHubRefused as error:
        said = str(error)
        if "not granted" in said or "not accessible by integration" in said:
            raise GitHubRefused(
                f"the App may not write files in {_name(place)}: give it the repository permission "
                "Contents: Read and write, and accept it where the App is installed",
                403,
            ) from error
        raise


def _written(answer: Json) -> WrittenPull:
    merged = maybe(answer, str, "merged_at") is not None
    return WrittenPull(
        number=take(answer, int, "number"),
        address=take(answer, str, "html_url"),
        head_sha=take(answer, str, "head", "sha"),
        state="merged" if merged else take(answer, str, "state"),
    )


def _says(answer: Json, title: str, body: str) -> bool:
    there = (maybe(answer, str, "body") or "").replace("\r\n", "\n").strip()
    return maybe(answer, str, "title") == title and there == body.strip()


def _name(place: Place) -> str:
    return place.repository.full_name
