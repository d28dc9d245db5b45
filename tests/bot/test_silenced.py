"""Which recommendations are not brought up now."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from bot.recommendation_json import recommendation_json
from bot.recommendation_records import KeptRecommendation, RecommendationDecision, id_of, subject_of
from bot.silenced import Silence, silenced
from tests.estimators.test_recommendation_memory import about, memory

NOW = datetime(2026, 11, 23, 6, tzinfo=UTC)
LATER = NOW + timedelta(days=14)


def kept(proposed: str, *, repository: int = 7, until: datetime | None = None) -> KeptRecommendation:
    """A recommendation of 2Gi -> `proposed`."""
    one = about(memory("2Gi", proposed))
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


def rejection(one: KeptRecommendation) -> RecommendationDecision:
    """Ann's."""
    return RecommendationDecision(
        id=one.id,
        repository=one.repository,
        subject=one.subject,
        finder=one.finder,
        decision="reject",
        actor="slack/T1/U1",
        said="Ann",
        reason="limit was set after INC-1234",
        about="payments/api",
        at=NOW,
    )


OLD = kept("1000Mi")
REJECTED = [(OLD, rejection(OLD))]


@pytest.mark.parametrize(
    ("found", "why"),
    [
        pytest.param(OLD, Silence(rejection(OLD)), id="rejected"),
        pytest.param(kept("990Mi"), Silence(rejection(OLD)), id="as good as rejected, under another id"),
        pytest.param(kept("500Mi"), None, id="much deeper"),
        pytest.param(kept("1000Mi", repository=8), None, id="the same in another repository"),
        pytest.param(replace(OLD, finder="idle-workload"), None, id="of another finder"),
    ],
)
def test_what_was_rejected_is_not_brought_up_again(found: KeptRecommendation, why: Silence | None) -> None:
    """Until the facts change."""
    told = silenced([found], rejected=REJECTED, snoozed=[], at=NOW)
    assert told == ({found.id: why} if why else {})


def test_what_is_put_off_is_not_brought_up_until_then() -> None:
    """Nor what is found in its place meanwhile."""
    snoozed = [kept("1000Mi", until=LATER)]
    found = [kept("1000Mi"), kept("990Mi"), kept("500Mi")]
    told = silenced(found, rejected=[], snoozed=snoozed, at=LATER - timedelta(seconds=1))
    assert told == {one.id: Silence(until=LATER) for one in found[:2]}
    assert silenced(found, rejected=[], snoozed=snoozed, at=LATER) == {}


def test_a_rejection_is_told_before_a_snooze() -> None:
    """It has a reason, and no end."""
    told = silenced([OLD], rejected=REJECTED, snoozed=[kept("1000Mi", until=LATER)], at=NOW)
    assert told == {OLD.id: Silence(rejection(OLD))}
