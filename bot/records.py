"""What Tuppence remembers of the pull requests it has seen. Plain values; the adapter keeps them.

`repository` is GitHub's number of it, which outlives a rename; `number` is the pull request's.
Every moment is aware of its time zone. Dictionaries hold JSON values.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """The newest head of a pull request that was seen. A newer head has a greater `order`."""

    repository: int
    number: int
    head_sha: str
    order: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedComment:
    """The one comment on a pull request: which it is, and what it says about which head."""

    repository: int
    number: int
    comment_id: int
    body_hash: str
    head_sha: str
    order: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedSuggestion:
    """A review comment with a suggested value; `fingerprint` is the same for the same suggestion."""

    repository: int
    number: int
    fingerprint: str
    comment_id: int
    resolved: bool
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedCheck:
    """A check run: one for each commit and name. `status` is GitHub's, `queued` to `completed`."""

    repository: int
    head_sha: str
    name: str
    check_run_id: int
    output_hash: str
    status: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownPullRequest:
    """What the check of a pull request's newest head says (`told`), and whether it wants an approval.

    `name` is for people (`shop/manifests#12`), `address` where they look at it, `author` a login.
    """

    repository: int
    number: int
    name: str
    address: str
    author: str
    told: str
    blocked: bool
    open: bool
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PricedReport:
    """A report as it was shown; `report` is its JSON text. An approval of it counts until `expires`."""

    report_hash: str
    repository: int
    number: int
    head_sha: str
    base_sha: str
    merge_base: str
    report: str
    priced_at: datetime
    expires: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What a permitted person decided about one guardrail that one report of one head crosses.

    `guardrail` is the guardrail's key. `pull_request` is a name for people, such as
    `shop/manifests#12`. `comment_id` is the comment (or 0) that it was written in.
    """

    repository: int
    number: int
    head_sha: str
    report_hash: str
    guardrail: str
    decision: Literal["approve", "reject"]
    approver_id: int
    approver: str
    reason: str
    comment_id: int
    pull_request: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Which decisions hold for a head: the approvals by the guardrail's key, or the rejection of it all."""

    approvals: Mapping[str, Decision] = field(default_factory=dict)
    rejection: Decision | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Prediction:
    """What a merged pull request was said to change, and what was measured after `due_at`.

    `reference` says how to reach the pull request (a PullRequestRef as JSON), `predicted` what was said.
    """

    repository: int
    number: int
    report_hash: str
    reference: Json
    predicted: Json
    merged_at: datetime
    due_at: datetime
    measured: Json | None = None
    posted_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LastGoodPolicy:
    """The newest `.tuppence.yaml` of a branch that could be read, and the commit it was read from."""

    repository: int
    branch: str
    base_sha: str
    text: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Undone:
    """How many pieces of work of a queue are `waiting` or `begun`; the oldest came at `since`."""

    queue: str
    state: Literal["waiting", "begun"]
    count: int
    since: datetime


@dataclass(frozen=True, slots=True)
class Unfinished:
    """Work that is not done: of which version it is, and which executor has begun it, `""` for none."""

    executor: str
    version: str
