"""After a scan: which savings get their pull request now, without a click or after one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from bot.automation import covering, said
from bot.declared_twice import declared_twice
from bot.recommendation_json import recommendation_from
from bot.recommendation_ports import RecommendationDecisions, Recommendations, RightSizingPulls
from bot.recommendation_records import (
    POLICY,
    KeptRecommendation,
    RecommendationDecision,
    RightSizingPull,
)
from bot.recommendation_words import changes_words, values, workload_words
from bot.server_config import Automation
from estimators.recommendation import Recommendation
from estimators.recommendation_memory import said_of


def due(
    repository: int,
    *,
    rules: Sequence[Automation],
    recommendations: Recommendations,
    decisions: RecommendationDecisions,
    pulls: RightSizingPulls,
    at: datetime,
) -> list[str]:
    """The ids of what is approved and has no pull request yet, dearest first.

    Those that a rule of `rules` covers are approved here, with the rule as the reason: never what a person
    rejected, put off or closed the pull request of, and nothing while the workload has one open.
    """
    found = recommendations.open_ones()
    twice = declared_twice(found)
    mine = [(one, recommendation_from(one.recommendation)) for one in found if one.repository == repository]
    mine.sort(key=lambda pair: (pair[1].allocated, pair[0].id))
    decided = decisions.of([one.id for one, _ in mine])
    objected = [
        (recommendation_from(one.recommendation), one.id)
        for one in (
            *(one for one, _ in decisions.rejected(repository)),
            *recommendations.snoozed(repository, at),
        )
    ]
    wanted = []
    for one, recommendation in mine:
        decision, pull = decided.get(one.id), pulls.find(repository, one.subject)
        if decision is None and (rule := covering(rules, recommendation)) is not None:
            against = [*objected, *_closed_by_somebody(pull, recommendations)]
            free = one.id not in twice and not (pull and pull.state == "open")
            if free and said_of(recommendation, against) is None:
                decision = decisions.decide(_by_policy(one, recommendation, rule, at))
        # What we closed ourselves, since it did not hold for a while, is opened again.
        left_to_people = pull is not None and pull.id == one.id and not pull.closed_because
        if decision and decision.decision == "approve" and not left_to_people:
            wanted.append(one.id)
    return wanted


def _closed_by_somebody(
    pull: RightSizingPull | None, recommendations: Recommendations
) -> Iterator[tuple[Recommendation, str]]:
    """What the workload's last pull request proposed, where a person closed it."""
    if pull is not None and pull.state == "closed" and not pull.closed_because:
        closed = recommendations.find(pull.id)
        if closed is not None:
            yield recommendation_from(closed.recommendation), closed.id


def _by_policy(
    one: KeptRecommendation, recommendation: Recommendation, rule: Automation, at: datetime
) -> RecommendationDecision:
    changed = ", ".join(changes_words(values(recommendation.changes)))
    return RecommendationDecision(
        id=one.id,
        repository=one.repository,
        subject=one.subject,
        finder=one.finder,
        decision="approve",
        actor=POLICY,
        said="automation",
        reason=said(rule),
        about=f"{workload_words(recommendation.key)}: {changed}",
        at=at,
    )
