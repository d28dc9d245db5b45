"""What GitHub's deliveries tell us, in our own words: small facts that travel through durable workflows.

`bot/entrypoints/github_webhook.py` reads them from a webhook. `to_json` and `from_json` turn each into plain
JSON and back, unchanged.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository as a delivery described it; renaming changes everything but `id`.

    `default_branch` is `""` where the delivery does not name it (installations).
    """

    id: int
    owner: str
    name: str
    clone_url: str
    default_branch: str

    @property
    def full_name(self) -> str:
        """`owner/name`."""
        return f"{self.owner}/{self.name}"


@dataclass(frozen=True, slots=True)
class PullRequestRef:
    """Which pull request, and the installation whose token may touch it."""

    installation: int
    repository: Repository
    number: int


@dataclass(frozen=True, slots=True)
class PullRequestChanged:
    """A pull request whose report may no longer be true.

    `action` is GitHub's: opened, synchronize, reopened, ready_for_review, or edited (its base changed).
    """

    ref: PullRequestRef
    head_sha: str
    base_ref: str
    action: str


@dataclass(frozen=True, slots=True)
class PullRequestClosed:
    """A pull request that was merged or given up. `merged_at` is in ISO 8601, `""` where it is not told."""

    ref: PullRequestRef
    head_sha: str
    merged: bool
    merge_commit_sha: str | None
    merged_at: str = ""


@dataclass(frozen=True, slots=True)
class CommandWritten:
    """A new comment of a person on a pull request that speaks to us. Edited comments never count.

    `author_association` is GitHub's word (OWNER, MEMBER, CONTRIBUTOR, NONE...) and proves no permission.
    """

    ref: PullRequestRef
    comment_id: int
    author: str
    author_id: int
    author_association: str
    text: str


@dataclass(frozen=True, slots=True)
class CheckAsked:
    """Somebody pressed *Re-run* or one of our buttons on a check.

    `ref` is None where GitHub does not say which pull request: always for a fork's, and where two have the
    same head. `check_run_id` is None where a whole check suite was asked for again.
    """

    installation: int
    repository: Repository
    head_sha: str
    ref: PullRequestRef | None
    check_run_id: int | None
    what: Literal["recheck", "explain"]
    asked_by: str


@dataclass(frozen=True, slots=True)
class BaseMoved:
    """Somebody pushed to `branch`, which open pull requests may have as their base.

    `before` is None for a branch that is new, `files` (paths that its commits touched) where not all of them
    are known.
    """

    installation: int
    repository: Repository
    branch: str
    before: str | None
    after: str
    files: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class InstallationChanged:
    """Repositories that came (`action` created, added, unsuspend) or went (deleted, removed, suspend).

    `repositories` is empty where GitHub does not list them, as it may for unsuspend.
    """

    installation: int
    repositories: tuple[Repository, ...]
    action: str


@dataclass(frozen=True, slots=True)
class Ignored:
    """A delivery that asks for nothing; `reason` says why, in a few words that are safe to log."""

    reason: str


Event = (
    PullRequestChanged
    | PullRequestClosed
    | CommandWritten
    | CheckAsked
    | BaseMoved
    | InstallationChanged
    | Ignored
)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One delivery. `digest` is the SHA-256 of the body in hex: what tells two deliveries apart.

    `id` is outside the signature and stays the same when GitHub delivers again, so it is for logs alone.
    """

    id: str
    event: str
    digest: str


_KINDS: dict[str, type[Event]] = {
    kind.__name__: kind
    for kind in (
        PullRequestChanged,
        PullRequestClosed,
        CommandWritten,
        CheckAsked,
        BaseMoved,
        InstallationChanged,
        Ignored,
    )
}


def to_json(event: Event) -> dict[str, Any]:
    """Plain JSON: the fields of the event and, as `kind`, its class."""
    return {"kind": type(event).__name__, **asdict(event)}


def from_json(stored: dict[str, Any]) -> Event:
    """The event that `to_json` wrote. Raises KeyError or TypeError for anything else."""
    fields = dict(stored)
    kind = _KINDS[fields.pop("kind")]
    if fields.get("ref") is not None:
        ref = fields["ref"]
        fields["ref"] = PullRequestRef(**{**ref, "repository": Repository(**ref["repository"])})
    if "repository" in fields:
        fields["repository"] = Repository(**fields["repository"])
    if fields.get("files") is not None:
        fields["files"] = tuple(fields["files"])
    if "repositories" in fields:
        fields["repositories"] = tuple(Repository(**each) for each in fields["repositories"])
    return kind(**fields)
