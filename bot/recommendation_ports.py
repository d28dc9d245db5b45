"""What recommendations, their pull requests and digests may ask of the outside, in Protocols."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import NamedTuple, Protocol

from bot.github_events import Repository
from bot.ports import Tree
from bot.recommendation_records import (
    KeptDigest,
    KeptRecommendation,
    RecommendationDecision,
    RightSizingPull,
    Scan,
)
from estimators.running import RunningNow


class Place(NamedTuple):
    """A repository, and the installation whose token may touch it."""

    installation: int
    repository: Repository


class Branches(Protocol):
    """Default branches, to read. Every method may raise GitHubUnavailable, GitHubRefused, GitUnavailable."""

    def installed(self) -> Iterator[Place]:
        """Every repository that the App is installed on and that is not archived."""
        ...

    def head(self, place: Place) -> str:
        """The newest commit of the default branch."""
        ...

    def tree(self, place: Place, sha: str) -> AbstractContextManager[Tree]:
        """The files of a commit; they can be read inside the `with`."""
        ...


class RunningPods(Protocol):
    """What a cluster runs at this moment."""

    def running(self, namespaces: Sequence[str], selector: Mapping[str, str], cluster: str) -> RunningNow:
        """What the pods of these namespaces have; nothing where that cannot be known at all.

        `selector` and `cluster` are as `ClusterHistory.snapshot` has them. Raises OutsideError where the
        source does not answer, or knows no such cluster.
        """
        ...


class WrittenPull(NamedTuple):
    """A pull request of ours as it is on GitHub."""

    number: int
    address: str
    head_sha: str
    state: str
    """`open`, `merged` or `closed`."""


class RightSizing(Protocol):
    """Our branches and pull requests. Every method may raise GitHubUnavailable or GitHubRefused."""

    def put_branch(
        self, place: Place, branch: str, base_sha: str, files: Mapping[str, bytes], message: str
    ) -> str:
        """Make `branch` differ from `base_sha` in just these contents of files; its newest commit.

        It is never moved by force: where it is there already, it gets one more commit, and none where it
        says so already, on whatever base. Raises GitHubRefused where somebody else has committed to the
        branch: their work is not overwritten.
        """
        ...

    def put_pull(self, place: Place, branch: str, title: str, body: str) -> WrittenPull:
        """Make the one open pull request of `branch` say this; the same again is not written."""
        ...

    def pull(self, place: Place, number: int) -> WrittenPull:
        """A pull request as it is now."""
        ...

    def close(self, place: Place, number: int, comment: str, branch: str) -> None:
        """Say why, once, close the pull request, and delete the branch if only we committed to it."""
        ...


class Recommendations(Protocol):
    """What was found. Every method of a store may raise StoreUnavailable."""

    def replace(self, scan: Scan, found: Sequence[KeptRecommendation]) -> None:
        """Remember a repository's newest scan; what it does not find any more is no longer open.

        What is found again keeps its `found_at`, and how long it is snoozed and by whom.
        """
        ...

    def keep_only(self, repositories: Collection[int]) -> None:
        """Forget the scans of all other repositories; what they found is no longer open."""
        ...

    def find(self, id: str) -> KeptRecommendation | None:  # noqa: A002 - its name
        """One of them, open or not."""
        ...

    def open_ones(self, team: str | None = None) -> Sequence[KeptRecommendation]:
        """Those that the newest scans find, of a team where one is named (`""`: nobody's)."""
        ...

    def snoozed(self, repository: int | None, at: datetime) -> Sequence[KeptRecommendation]:
        """Those of a repository, or of all, that are snoozed at that moment, found by now or not."""
        ...

    def scans(self) -> Sequence[Scan]:
        """The newest scan of each repository."""
        ...

    def snooze(self, id: str, until: datetime, *, actor: str, said: str, at: datetime) -> bool:  # noqa: A002
        """Say nothing of it until then, with an audit row; False where it is not there."""
        ...


class RecommendationDecisions(Protocol):
    """Who decided what."""

    def decide(self, decision: RecommendationDecision) -> RecommendationDecision:
        """The decision that holds for this recommendation: the first one, whoever's it is.

        Its audit row is written in the same transaction. Deciding again writes nothing.
        """
        ...

    def of(self, ids: Collection[str]) -> Mapping[str, RecommendationDecision]:
        """The decisions about some recommendations."""
        ...

    def rejected(
        self, repository: int | None = None
    ) -> Sequence[tuple[KeptRecommendation, RecommendationDecision]]:
        """Every rejected recommendation of a repository, or of all, the newest first."""
        ...

    def since(self, at: datetime) -> Sequence[tuple[KeptRecommendation, RecommendationDecision]]:
        """What was decided since then, the newest first."""
        ...


class RightSizingPulls(Protocol):
    """Which pull requests are ours."""

    def keep(self, pull: RightSizingPull) -> None:
        """Remember a pull request, in the place of the one with its number."""
        ...

    def find(self, repository: int, subject: str) -> RightSizingPull | None:
        """The newest pull request of a subject."""
        ...

    def numbered(self, repository: int, number: int) -> RightSizingPull | None:
        """The pull request with that number, if it is ours."""
        ...

    def open_ones(self, repository: int | None = None) -> Sequence[RightSizingPull]:
        """Those that are open, of one repository or of all."""
        ...


class Digests(Protocol):
    """What was posted when."""

    def turn(self, team: str, week: str) -> AbstractContextManager[None]:
        """Wait until nobody else posts that digest."""
        ...

    def find(self, team: str, week: str) -> KeptDigest | None:
        """The digest of that team and week."""
        ...

    def keep(self, digest: KeptDigest) -> None:
        """Remember a digest, in the place of what is kept of it."""
        ...

    def posted_at(self, channel: str, timestamp: str) -> KeptDigest | None:
        """The digest that a message is."""
        ...

    def newest(self, team: str, most: int) -> Sequence[KeptDigest]:
        """The team's newest digests that were posted, the newest first."""
        ...
