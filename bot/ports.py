"""What a feature may ask of the outside, in Protocols of a few methods each."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import NamedTuple, Protocol

from bot.github_events import PullRequestRef, Repository
from bot.publication import CheckOutput
from bot.pull_requests import PullRequestFacts
from bot.records import (
    Decision,
    Head,
    Json,
    LastGoodPolicy,
    Prediction,
    PricedReport,
    PublishedCheck,
    PublishedComment,
    PublishedSuggestion,
)
from estimators.audit_chain import AuditFact, AuditRow, ChainHead
from estimators.prices import PriceSheet
from estimators.usage import UsageSnapshot


class SkippedPath(NamedTuple):
    """Something in a tree that is no regular file of it, and why it is not read.

    `hidden` is what may well hold manifests, but may not be read: a file, or a folder with all that is in it.
    """

    path: str
    reason: str
    hidden: bool = False


class Tree(Protocol):
    """The files of one side of a change. Paths count from its root; undecodable bytes are surrogates."""

    @property
    def name(self) -> str:
        """What people know it by: a commit id or a path."""
        ...

    @property
    def skipped(self) -> Sequence[SkippedPath]:
        """Symlinks, submodules and paths that leave the tree."""
        ...

    def paths(self) -> Mapping[str, str]:
        """Every regular file, with an id of its content that is the same for the same content."""
        ...

    def read(self, paths: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """The content of some of `paths()`, in their order, each cut off after 10,000,001 bytes.

        A file that is gone meanwhile is left out. Raises OutsideError where a git object is missing.
        """
        ...


class Prices(Protocol):
    """Price sheets."""

    def sheet(self, file: str, cluster: str) -> PriceSheet:
        """The sheet in `file`, or for `""` that of the cluster, `""` again being the one nobody names.

        Raises UserError for a file that cannot be read or is no price sheet.
        """
        ...


class ClusterHistory(Protocol):
    """Live utilisation and live facts of a cluster."""

    def snapshot(
        self, touched: Collection[tuple[str, str, str]], selector: Mapping[str, str], cluster: str
    ) -> UsageSnapshot | None:
        """What is known of the namespaces of `touched` (namespace, kind, name).

        `selector` holds the labels that tell the cluster from others on the same server; `cluster` is
        its name, `""` where the policy names none, and nothing to a source that a person named. Raises
        OutsideError where the source does not answer, or knows no such cluster.
        """
        ...


class PullRequests(Protocol):
    """GitHub's pull requests. Every method may raise GitHubUnavailable or GitHubRefused."""

    def facts(self, ref: PullRequestRef) -> PullRequestFacts:
        """The pull request as it is now."""
        ...

    def open_ones(
        self, installation: int, repository: Repository, base: str = ""
    ) -> Sequence[PullRequestRef]:
        """The open pull requests of a repository, those into the branch `base` where one is named."""
        ...


class Revisions(Protocol):
    """The files of both sides of a pull request."""

    def trees(self, facts: PullRequestFacts) -> AbstractContextManager[tuple[Tree, Tree, Tree]]:
        """Base, head, newest target, to read inside the `with`. Raises GitUnavailable, GitHubUnavailable."""
        ...


class Comments(Protocol):
    """The one comment of ours on a pull request. Every method may raise GitHubUnavailable, GitHubRefused."""

    def put(
        self,
        ref: PullRequestRef,
        bodies: Sequence[str],
        head: Head,
        known: PublishedComment | None,
        *,
        create: bool,
    ) -> PublishedComment | None:
        """Make the comment say the first of `bodies` that GitHub takes.

        Found by its stored id, else by our signed marker and our own name; copies of ours are folded.
        The same body again is not written. A comment that speaks of a newer head stays. Where there
        is none, one is made only with `create`; None is the answer where none is there.
        """
        ...

    def reply(self, ref: PullRequestRef, body: str, key: str) -> None:
        """Answer a person once: a second answer under the same `key` is not written."""
        ...


class People(Protocol):
    """What people may do on GitHub, as it is now. Every method may raise GitHubUnavailable."""

    def may_triage(self, ref: PullRequestRef, login: str) -> bool:
        """Whether `login` may at least sort the repository's pull requests. What we may not see is no."""
        ...

    def in_team(self, ref: PullRequestRef, organization: str, team: str, login: str) -> bool:
        """Whether `login` is in a team (its slug) or one below it. What we may not see counts as no."""
        ...


class CheckRuns(Protocol):
    """Our check runs. Every method may raise GitHubUnavailable or GitHubRefused."""

    def put(
        self, ref: PullRequestRef, head_sha: str, output: CheckOutput | None, known: PublishedCheck | None
    ) -> PublishedCheck:
        """Make the one check run of this head say `output`; None says that work has begun."""
        ...


class Heads(Protocol):
    """The newest head of each pull request. Every method of a store of records may raise StoreUnavailable."""

    def see(self, repository: int, number: int, head_sha: str, at: datetime) -> Head:
        """Take `head_sha` as the newest head, as GitHub says *now*: deliveries come in any order.

        The head that is the newest already keeps its order; any other gets a greater one, which is
        also greater than that of any head seen at an earlier `at`.
        """
        ...

    def newest(self, repository: int, number: int) -> Head | None:
        """The head that was seen last."""
        ...


class Publications(Protocol):
    """Which comments on a pull request are ours, and what they say."""

    def comment(self, repository: int, number: int) -> PublishedComment | None:
        """The one comment on a pull request."""
        ...

    def keep_comment(self, comment: PublishedComment) -> bool:
        """Remember the comment; False where one of a newer head is kept, which then stays."""
        ...

    def suggestions(self, repository: int, number: int) -> tuple[PublishedSuggestion, ...]:
        """Every suggestion that was ever made on a pull request, resolved ones too, by fingerprint."""
        ...

    def keep_suggestion(self, suggestion: PublishedSuggestion) -> None:
        """Remember a suggestion, in the place of the one with its fingerprint."""
        ...


class Checks(Protocol):
    """Which check runs are ours."""

    def turn(self, repository: int, head_sha: str) -> AbstractContextManager[None]:
        """Wait until nobody else writes a check on that commit: several pull requests may have it as head."""
        ...

    def check(self, repository: int, head_sha: str, name: str) -> PublishedCheck | None:
        """The check run of that name on that commit."""
        ...

    def keep_check(self, check: PublishedCheck) -> None:
        """Remember a check run, in the place of the one with its commit and name."""
        ...


class Reports(Protocol):
    """Reports as they were shown."""

    def keep(self, report: PricedReport) -> None:
        """Remember a report, in the place of the one with its hash: a push may bring it back."""
        ...

    def find(self, repository: int, number: int, report_hash: str) -> PricedReport | None:
        """The report of a pull request with that hash, expired or not."""
        ...

    def newest(self, repository: int, number: int) -> PricedReport | None:
        """The report of a pull request that was priced last."""
        ...


class Decisions(Protocol):
    """Who approved or rejected what."""

    def decide(self, decision: Decision) -> Decision:
        """The decision that holds for this report, head and guardrail: the first one, whoever's it is.

        Its audit row is written in the same transaction. Deciding again writes nothing.
        """
        ...

    def on(self, repository: int, number: int) -> tuple[Decision, ...]:
        """Every decision on a pull request, the newest first."""
        ...


class Predictions(Protocol):
    """What was said about merged pull requests, until it was compared with what happened."""

    def keep(self, prediction: Prediction) -> None:
        """Remember a prediction; one of the same pull request that is there already stays."""
        ...

    def due(self, now: datetime, most: int = 100) -> tuple[Prediction, ...]:
        """Predictions whose time has come and that were not posted yet, the longest waiting first."""
        ...

    def finish(self, repository: int, number: int, measured: Json, posted_at: datetime) -> None:
        """Remember what was measured and posted."""
        ...

    def find(self, repository: int, number: int) -> Prediction | None:
        """That of a pull request."""
        ...

    def within(self, start: datetime, end: datetime) -> tuple[Prediction, ...]:
        """Those merged, or measured, in `[start, end)`, the one merged first first."""
        ...


class Policies(Protocol):
    """The last policy of a branch that could be read, for when a newer one cannot."""

    def last_good(self, repository: int, branch: str) -> LastGoodPolicy | None:
        """The policy that stays in force."""
        ...

    def keep(self, policy: LastGoodPolicy) -> None:
        """Remember a policy, in the place of the branch's older one."""
        ...


class Audit(Protocol):
    """Who did what, in a hash chain (`estimators/audit_chain.py`)."""

    def append(self, fact: AuditFact) -> AuditRow:
        """Write a fact at the end of the chain; a fact whose key is there already is that row."""
        ...

    def chain(self) -> AbstractContextManager[tuple[ChainHead, Iterator[AuditRow]]]:
        """What is noted beside the chain as its newest row, and all rows in order, at one moment."""
        ...


class Retention(Protocol):
    """Forgetting."""

    def purge(self, *, before: datetime, now: datetime) -> Mapping[str, int]:
        """Remove what is older than `before`: how many rows of which table. The audit chain stays verifiable.

        Policies stay, since they are in force.
        """
        ...
