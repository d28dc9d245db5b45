"""What Tuppence remembers of its recommendations: found, decided, opened as pull requests, told in digests.

Plain values; the adapter keeps them. Every moment is aware of its time zone. Dictionaries hold JSON values.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from bot.records import Json
from estimators.objects import Identity
from estimators.recommendation import Recommendation

_DIGITS = 32
POLICY = "policy"
"""The actor of a decision that `automation` in `tuppence.yaml` took."""

What = Literal["approve", "reject"]
PullState = Literal["open", "merged", "closed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptRecommendation:
    """A recommendation as it was found last on a repository's default branch.

    `id` is its opaque name in buttons, another one as soon as a current or proposed value is (`id_of`).
    `subject` names the workload in its repository, whatever is proposed for it (`subject_of`): there is
    one pull request a subject. `place` is a Repository and its installation as JSON, `recommendation`
    that of bot/recommendation_json.py with the `currency` of its amounts. `team` is `""` where nobody owns
    it, `cluster` the name its hours are kept under or `""`. `open` is whether the newest scan still finds it,
    `snoozed_by` how people are shown who put it off until `snoozed_until`.
    """

    id: str
    subject: str
    repository: int
    place: Json
    head_sha: str
    environment: str
    namespace: str
    kind: str
    name: str
    finder: str
    team: str
    cluster: str
    recommendation: Json
    open: bool
    found_at: datetime
    snoozed_until: datetime | None = None
    snoozed_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """The newest look at a repository's default branch; without `head_sha` it could not be looked at yet.

    Below `rows`, `left_alone` has what was looked at and left (`left_alone_json`), each with its team, and
    `problems` why the look was not whole, in words. `realisable` has by environment what the bill would fall
    by if everything were approved (`realisable_json`). `declares` has what the repository declares,
    names and protects of volumes and load balancers (`bot.unused.declared`), None in a look that was kept
    before that was.
    """

    repository: int
    full_name: str
    head_sha: str
    at: datetime
    left_alone: Json
    problems: Json
    realisable: Json
    declares: Json | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecommendationDecision:
    """What was decided about a recommendation: once, by whoever came first.

    `actor` is `slack/<team id>/<user id>`, or POLICY; `said` is how people are shown who it was.
    """

    id: str
    repository: int
    subject: str
    finder: str
    decision: What
    actor: str
    said: str
    reason: str
    about: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class RightSizingPull:
    """The pull request of a subject. `closed_because` is `""` unless we closed it."""

    repository: int
    subject: str
    id: str
    branch: str
    number: int
    address: str
    head_sha: str
    state: PullState
    opened_at: datetime
    closed_at: datetime | None = None
    closed_because: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptDigest:
    """A week's digest of a team (`""`: of all, for finance), `week` such as `2026-W47`.

    `content` is the digest as it was made (bot/digest.py), `timestamp` names the message in `channel`, `""`
    until it is known that it was posted.
    """

    team: str
    week: str
    channel: str
    content: Json
    begun_at: datetime
    timestamp: str = ""
    posted_at: datetime | None = None


def id_of(repository: int, recommendation: Recommendation) -> str:
    """The opaque name of a recommendation in a repository."""
    return _digest([repository, recommendation.identity])


def subject_of(repository: int, key: Identity) -> str:
    """The name of a workload in a repository."""
    return _digest([repository, *key])


def _digest(about: list[object]) -> str:
    return hashlib.sha256(json.dumps(about).encode()).hexdigest()[:_DIGITS]
