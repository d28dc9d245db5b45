"""What the audit chain says of decisions about recommendations."""

from __future__ import annotations

from datetime import datetime

from bot.recommendation_records import KeptRecommendation, RecommendationDecision
from estimators.audit_chain import AuditFact, moment


def decided(decision: RecommendationDecision) -> AuditFact:
    """That a recommendation was approved or rejected."""
    return AuditFact(
        at=decision.at,
        actor=decision.actor,
        action=f"recommendation.{decision.decision}",
        subject=decision.about,
        key=f"recommendation/{decision.id}/decided/{moment(decision.at)}",
        details={
            "recommendation": decision.id,
            "repository": decision.repository,
            "finder": decision.finder,
            "said": decision.said,
            "reason": decision.reason,
        },
    )


def snoozed(kept: KeptRecommendation, until: datetime, *, actor: str, said: str, at: datetime) -> AuditFact:
    """That nothing is to be said of a recommendation until then."""
    return AuditFact(
        at=at,
        actor=actor,
        action="recommendation.snooze",
        subject=f"{kept.namespace}/{kept.kind}/{kept.name}",
        key=f"recommendation/{kept.id}/snoozed/{moment(until)}",
        details={
            "recommendation": kept.id,
            "repository": kept.repository,
            "finder": kept.finder,
            "environment": kept.environment,
            "said": said,
            "until": moment(until),
        },
    )
