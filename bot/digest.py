"""A team's week as facts: what it spent, what moved, what is worth approving. Amounts in the currency."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Literal, NamedTuple

from bot.unused import UnusedThings

MOST_RECOMMENDED = 5
MOST_MOVERS = 3
MOST_NAMED = 3
"""Workloads that are named of those that are left alone for one reason."""
ALL_TEAMS = ""
"""The team of the digest that finance gets."""


class WeekMover(NamedTuple):
    """A workload whose cost moved, and why in words; `cluster` where there are several."""

    workload: str
    change: Decimal
    cause: str
    cluster: str = ""

    @property
    def place(self) -> str:
        """`payments/api`, or `payments/api in prod-eu`."""
        return f"{self.workload} in {self.cluster}" if self.cluster else self.workload


class MergedPull(NamedTuple):
    """A merged pull request: a month's change as it was predicted, and as it was measured (None: not yet).

    `ours` is whether it was a right-sizing pull request, `approved_by` who approved that.
    """

    name: str
    address: str
    predicted: Decimal
    measured: Decimal | None
    ours: bool = False
    approved_by: str = ""


class ProposedValue(NamedTuple):
    """One field; `current` is `""` where it was not there, `proposed` `""` where the object is to go."""

    field: str
    container: str
    current: str
    proposed: str


@dataclass(frozen=True, slots=True)
class DigestItem:
    """A recommendation in a digest; see `estimators.recommendation.Recommendation`. Savings are negative.

    `repository` is `owner/name`, `address` where the source's line can be looked at.
    """

    id: str
    finder: str
    repository: str
    environment: str
    workload: str
    values: tuple[ProposedValue, ...]
    allocated: Decimal
    realisable: Decimal | None
    realisable_why: str
    confidence: str
    verdict: str
    evidence: Mapping[str, str]
    risks: tuple[str, ...]
    undo: str
    blast_radius: str
    source: str
    address: str = ""


class LeftRow(NamedTuple):
    """A workload that is left as it is, with the reason in words."""

    workload: str
    reason: str


class TeamWeek(NamedTuple):
    """A row of finance's digest. `savings` is what its open recommendations would save a month.

    Rows add up to the total. `kind` is `tenant` for a team, else why it is none: `unallocated`, `idle`
    or `central` (what is shared and stays where it is), which `team` then says in a word. `closed` is as
    that of `Digest`.
    """

    team: str
    total: Decimal
    previous: Decimal | None
    budget_monthly: Decimal | None
    projected: Decimal | None
    idle_share: Decimal | None
    savings: Decimal
    kind: str = "tenant"
    closed: Decimal | None = None


class Bill(NamedTuple):
    """What everything cost: tenants + idle + shared = bill, exactly."""

    bill: Decimal
    tenants: Decimal
    idle: Decimal
    shared: Decimal


class Approval(NamedTuple):
    """A saving that somebody approved in the week, and what became of it until the digest was made.

    `said` is who, `allocated` what was promised a month (negative), `measured` what it came to (None:
    not known yet), `state` that of its pull request (`""`: none), `address` where that is.
    """

    workload: str
    team: str
    said: str
    at: datetime
    allocated: Decimal
    measured: Decimal | None
    state: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class Digest:
    """One week (ISO, `2026-W47`, from Monday to Monday in UTC) of a team, or of all for finance.

    `total` is None where nothing was measured; `previous` None where nothing was the week before.
    `coverage`, `idle_share` and `unallocated_share` are 0 to 1. `trend` has the days of the four weeks
    that end with this one, None for what was not measured. `projected` is of the month that the week's
    last day lies in, `closed` what the month came to that ended within the week (None: none did, or much
    of it was not measured). `gpu_idle_*` are of GPUs that workloads held, `gpu_unheld_cost` of those that
    none did, which finance alone is told. `more` and `more_saving` are of the
    recommendations that did not fit, `left_counts` counts everything left alone by reason and
    `left_names` has at most MOST_NAMED of each; `left_alone` shows those that a person gave a reason
    for. `unused` is what nothing uses and no repository declares, None where that is not known: its cost
    is in no sum of savings. `approvals` are those of the week. Finance's has `teams` and the `bill`.
    `quiet`: little moved, there is nothing to approve, and every budget holds.
    """

    team: str
    week: str
    start: datetime
    end: datetime
    currency: str
    coverage: Decimal
    total: Decimal | None
    previous: Decimal | None
    budget_monthly: Decimal | None = None
    projected: Decimal | None = None
    closed: Decimal | None = None
    trend: tuple[tuple[date, Decimal | None], ...] = ()
    movers: tuple[WeekMover, ...] = ()
    idle_share: Decimal | None = None
    unallocated_share: Decimal | None = None
    gpu_idle_hours: Decimal | None = None
    gpu_idle_cost: Decimal | None = None
    gpu_unheld_cost: Decimal | None = None
    merged: tuple[MergedPull, ...] = ()
    recommendations: tuple[DigestItem, ...] = ()
    more: int = 0
    more_saving: Decimal = Decimal(0)
    left_alone: tuple[LeftRow, ...] = ()
    left_counts: Mapping[str, int] = field(default_factory=dict)
    left_names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    unused: UnusedThings | None = None
    teams: tuple[TeamWeek, ...] = ()
    bill: Bill | None = None
    approvals: tuple[Approval, ...] = ()
    notes: tuple[str, ...] = ()
    quiet: bool = False

    @property
    def budgets(self) -> tuple[tuple[Decimal | None, Decimal], ...]:
        """What a month comes to (None: not known) and its budget, of the team or of each that has one."""
        of: tuple[Digest | TeamWeek, ...] = (self, *self.teams)
        told = [(each.projected, each.budget_monthly) for each in of]
        told += [(each.closed, each.budget_monthly) for each in of if each.closed is not None]
        return tuple((course, budget) for course, budget in told if budget is not None)


State = Literal["open", "approved", "rejected", "snoozed", "stale", "by-hand", "opened", "merged", "closed"]


@dataclass(frozen=True, slots=True)
class ItemState:
    """What has become of a recommendation since the digest was posted.

    `said` is who (as people are shown), `why` a reason or what to do by hand, `address` that of the
    pull request, `until` the end of a snooze.
    """

    state: State = "open"
    said: str = ""
    why: str = ""
    address: str = ""
    until: date | None = None
