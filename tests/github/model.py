"""What the fake GitHub knows: plain records, changed by the routes and by what people do."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from threading import RLock

from tests.github.contract_data import Json
from tests.github.git_store import GitStore

Permissions = dict[str, str]

_LEVELS = {"read": 1, "write": 2, "admin": 3}


def at_least(granted: Permissions, permission: str, level: str) -> bool:
    """Whether `granted` holds that permission at that level or above."""
    return _LEVELS.get(granted.get(permission, ""), 0) >= _LEVELS[level]


def now() -> datetime:
    """GitHub counts in whole seconds."""
    return datetime.now(UTC).replace(microsecond=0)


@dataclass(slots=True)
class Account:
    """A person, an organisation (with its members) or the bot of an app."""

    id: int
    login: str
    kind: str = "User"
    members: set[str] = field(default_factory=set)


@dataclass(slots=True)
class Team:
    """A team; `members` says the state of each membership: `active` or `pending`."""

    id: int
    organisation: Account
    slug: str
    members: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Comment:
    """A comment on a pull request's conversation."""

    id: int
    number: int
    author: Account
    body: str
    by_app: bool
    created: datetime
    updated: datetime
    minimised: str | None = None


@dataclass(slots=True)
class ReviewComment:
    """A comment on a line of the diff; `thread` is the id of the first of its thread."""

    id: int
    number: int
    review: int
    author: Account
    body: str
    path: str
    line: int
    side: str
    start_line: int | None
    start_side: str | None
    hunk: str
    commit: str
    thread: int
    created: datetime
    updated: datetime
    resolved_by: str | None = None


@dataclass(slots=True)
class Review:
    """A review; its comments point to it."""

    id: int
    number: int
    author: Account
    body: str
    state: str
    commit: str
    submitted: datetime


@dataclass(slots=True)
class CheckRun:
    """One check run; `output` and `actions` as they were sent, annotations apart."""

    id: int
    suite: int
    app: int
    name: str
    sha: str
    status: str
    conclusion: str | None
    started: datetime
    completed: datetime | None
    external_id: str = ""
    details_url: str | None = None
    output: dict[str, Json] = field(default_factory=dict)
    annotations: list[dict[str, Json]] = field(default_factory=list)
    actions: list[dict[str, Json]] = field(default_factory=list)


@dataclass(slots=True)
class CheckSuite:
    """All check runs of one app on one commit."""

    id: int
    app: int
    sha: str
    branch: str | None
    created: datetime


@dataclass(slots=True)
class Status:
    """One commit status; the newest of a context counts."""

    id: int
    sha: str
    state: str
    context: str
    description: str | None
    target_url: str | None
    creator: Account
    created: datetime


@dataclass(slots=True)
class Pull:
    """A pull request. `head_repository` is None once the fork is deleted.

    `unknown_reads` counts the reads that still answer `mergeable: null`, as GitHub does while it
    computes the merge; until then refs/pull/N/merge is the one of before.
    """

    id: int
    number: int
    author: Account
    title: str
    body: str | None
    head_repository: Repository | None
    head_ref: str
    head_sha: str
    base_ref: str
    base_sha: str
    created: datetime
    updated: datetime
    state: str = "open"
    draft: bool = False
    labels: list[str] = field(default_factory=list)
    mergeable: bool | None = None
    merge_sha: str | None = None
    merged_base: str | None = None
    unknown_reads: int = 0
    closed_at: datetime | None = None
    merged_at: datetime | None = None
    merged_by: Account | None = None


@dataclass(slots=True, eq=False)
class Repository:
    """A repository over a real git repository; `roles` says what each collaborator may do.

    `protected` are patterns of branches that a ruleset keeps the app from.
    """

    id: int
    owner: Account
    name: str
    git: GitStore
    private: bool = True
    default_branch: str = "main"
    parent: Repository | None = None
    archived: bool = False
    protected: tuple[str, ...] = ()
    roles: dict[str, str] = field(default_factory=dict)
    created: datetime = field(default_factory=now)
    pulls: dict[int, Pull] = field(default_factory=dict)
    comments: dict[int, Comment] = field(default_factory=dict)
    reviews: dict[int, Review] = field(default_factory=dict)
    review_comments: dict[int, ReviewComment] = field(default_factory=dict)
    check_suites: dict[int, CheckSuite] = field(default_factory=dict)
    check_runs: dict[int, CheckRun] = field(default_factory=dict)
    statuses: list[Status] = field(default_factory=list)

    @property
    def full_name(self) -> str:
        """`owner/name`."""
        return f"{self.owner.login}/{self.name}"


@dataclass(slots=True)
class App:
    """The GitHub App under test, with the account its comments are written by."""

    id: int
    slug: str
    name: str
    owner: Account
    bot: Account
    public_key: str
    permissions: Permissions
    events: tuple[str, ...]


@dataclass(slots=True)
class Installation:
    """Where the app is installed; `repositories` is None for all of the account's."""

    id: int
    account: Account
    permissions: Permissions
    repositories: set[int] | None = None
    suspended: datetime | None = None
    created: datetime = field(default_factory=now)


@dataclass(slots=True, eq=False)
class Token:
    """An installation token, and what it was used for."""

    value: str
    installation: Installation
    permissions: Permissions
    repositories: set[int] | None
    expires: datetime
    used_permissions: Permissions = field(default_factory=dict)
    used_repositories: set[int] = field(default_factory=set)
    revoked: bool = False

    def note_use(self, permission: str, level: str) -> None:
        """Remember the highest level of a permission that was needed."""
        if not at_least(self.used_permissions, permission, level):
            self.used_permissions[permission] = level


@dataclass(slots=True, eq=False)
class World:
    """Everything; `lock` is held while one request or one person's action changes it.

    `job_needs` are the most permissions that a token of one job may carry. `unknown_reads` says how many
    reads of a pull request that changed come before GitHub knows whether it merges.
    """

    app: App
    api_url: str = ""
    web_url: str = ""
    job_needs: Permissions = field(default_factory=dict)
    unknown_reads: int = 1
    accounts: dict[str, Account] = field(default_factory=dict)
    teams: dict[tuple[str, str], Team] = field(default_factory=dict)
    repositories: dict[int, Repository] = field(default_factory=dict)
    former_names: dict[str, Repository] = field(default_factory=dict)
    installations: dict[int, Installation] = field(default_factory=dict)
    tokens: dict[str, Token] = field(default_factory=dict)
    lock: RLock = field(default_factory=RLock)
    # GitHub's ids have long outgrown 32 bits.
    ids: Iterator[int] = field(default_factory=lambda: count(3_000_000_001))

    def repository(self, full_name: str) -> Repository | None:
        """By `owner/name`, in any case."""
        wanted = full_name.lower()
        found = (it for it in self.repositories.values() if it.full_name.lower() == wanted)
        return next(found, None)

    def installation_of(self, repository: Repository) -> Installation | None:
        """The installation that covers a repository."""
        for installation in self.installations.values():
            chosen = installation.repositories
            if installation.account is repository.owner and (chosen is None or repository.id in chosen):
                return installation
        return None

    def covers(self, installation: Installation, repository: Repository) -> bool:
        """Whether an installation may see a repository."""
        return self.installation_of(repository) is installation
