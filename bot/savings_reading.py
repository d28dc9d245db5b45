"""What is worth approving now, and what is under way, as the records have it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from bot.digest_savings import Savings, savings
from bot.recommendation_ports import RecommendationDecisions, Recommendations, RightSizingPulls
from bot.recommendation_records import (
    KeptRecommendation,
    PullState,
    RecommendationDecision,
    RightSizingPull,
    Scan,
)
from bot.recommendation_words import workload_words
from bot.savings_answer import UnderWay
from bot.silenced import silenced
from estimators.objects import Identity

_STATES: Mapping[PullState, str] = {"open": "is open", "merged": "is merged", "closed": "was closed"}


def under_way(
    found: Sequence[KeptRecommendation],
    scans: Sequence[Scan],
    *,
    decisions: RecommendationDecisions,
    pulls: RightSizingPulls,
) -> Mapping[str, UnderWay]:
    """What was approved, or has an open pull request for its workload, by id. Raises StoreUnavailable."""
    names = {scan.repository: scan.full_name for scan in scans}
    decided = decisions.of([one.id for one in found])
    waiting = {(pull.repository, pull.subject): pull for pull in pulls.open_ones()}
    told = {}
    for one in found:
        decision = decided.get(one.id)
        pull = waiting.get((one.repository, one.subject))
        if decision is not None and decision.decision == "approve":
            pull = pulls.find(one.repository, one.subject)
            pull = pull if pull is not None and pull.id == one.id else None
        elif pull is None:
            continue
        told[one.id] = _told(one, decision, pull, names.get(one.repository, ""))
    return told


def read_savings(
    found: Sequence[KeptRecommendation],
    scans: Sequence[Scan],
    busy: Collection[str],
    *,
    recommendations: Recommendations,
    decisions: RecommendationDecisions,
    at: datetime,
    team: str | None = None,
    web: str = "",
) -> Savings:
    """What of `found` is to be brought up at that moment; not what is `busy` (ids), which is under way.

    `team` None means everybody's, `web` is where people look at repositories. Raises StoreUnavailable.
    """
    silences = silenced(
        found,
        rejected=decisions.rejected(),
        snoozed=recommendations.snoozed(None, at),
        at=at,
    )
    return savings(found, busy, silences, scans, team=team, web=web)


def _told(
    one: KeptRecommendation,
    decision: RecommendationDecision | None,
    pull: RightSizingPull | None,
    repository: str,
) -> UnderWay:
    workload = workload_words(Identity(one.environment, one.namespace, one.kind, one.name))
    by = f"approved by {decision.said}" if decision is not None else ""
    if pull is None:
        return UnderWay(workload, f"{by}, without a pull request yet")
    stands = f"{repository}#{pull.number} {_STATES[pull.state]}"
    return UnderWay(workload, ", ".join(filter(None, (by, stands))), pull.address)
