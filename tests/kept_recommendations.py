"""Recommendations as they are kept, and what Ann said of them."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from bot.recommendation_json import recommendation_json
from bot.recommendation_records import KeptRecommendation, RecommendationDecision, id_of, subject_of
from estimators.objects import Identity, Source
from estimators.recommendation import FieldChange, Realisable, Recommendation
from estimators.report import Confidence, Verdict

NOW = datetime(2026, 11, 23, 6, tzinfo=UTC)
API = Identity("production", "payments", "Deployment", "api")


def memory(
    current: str,
    proposed: str,
    *,
    name: str = "main",
    index: int = 0,
    sum_of: str = "requests",
    key: Identity = API,
) -> FieldChange:
    """The memory of a container."""
    path = ("spec", "template", "spec", "containers", index, "resources", sum_of, "memory")
    return FieldChange(key, path, name, current, proposed)


def about(*changes: FieldChange, finder: str = "container-resources", key: Identity = API) -> Recommendation:
    """A recommendation of these changes."""
    return Recommendation(
        finder=finder,
        environment=key.environment,
        key=key,
        source=Source("api.yaml", 1),
        changes=changes,
        allocated=Decimal(-30),
        realisable=Realisable(None, "not known"),
        evidence={},
        confidence=Confidence.HIGH,
        verdict=Verdict.SAFE,
        blast_radius="",
        risks=(),
        undo="",
    )


def kept(one: Recommendation, *, repository: int = 7, until: datetime | None = None) -> KeptRecommendation:
    """As the store has it."""
    return KeptRecommendation(
        id=id_of(repository, one),
        subject=subject_of(repository, one.key),
        repository=repository,
        place={},
        head_sha="a" * 40,
        environment=one.environment,
        namespace=one.key.namespace,
        kind=one.key.kind,
        name=one.key.name,
        finder=one.finder,
        team="payments",
        cluster="prod",
        recommendation=recommendation_json(one),
        open=True,
        found_at=NOW,
        snoozed_until=until,
    )


def rejection(
    one: KeptRecommendation, reason: str = "limit was set after INC-1234", *, said: str = "Ann"
) -> RecommendationDecision:
    """Ann's."""
    return RecommendationDecision(
        id=one.id,
        repository=one.repository,
        subject=one.subject,
        finder=one.finder,
        decision="reject",
        actor="slack/T1/U1",
        said=said,
        reason=reason,
        about="payments/api",
        at=NOW,
    )
