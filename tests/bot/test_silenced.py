"""Which recommendations are not brought up now."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bot.recommendation_records import KeptRecommendation
from bot.silenced import Silence, silenced
from tests.kept_recommendations import NOW, about, kept, memory, rejection

LATER = NOW + timedelta(days=14)


def proposed(value: str, *, repository: int = 7, until: datetime | None = None) -> KeptRecommendation:
    """A recommendation of 2Gi -> `value`."""
    return kept(about(memory("2Gi", value)), repository=repository, until=until)


OLD = proposed("1000Mi")
REJECTED = [(OLD, rejection(OLD))]


@pytest.mark.parametrize(
    ("found", "why"),
    [
        pytest.param(OLD, Silence(rejection(OLD)), id="rejected"),
        pytest.param(proposed("990Mi"), Silence(rejection(OLD)), id="as good as rejected, under another id"),
        pytest.param(proposed("500Mi"), None, id="much deeper"),
        pytest.param(proposed("1000Mi", repository=8), None, id="the same in another repository"),
        pytest.param(replace(OLD, finder="idle-workload"), None, id="of another finder"),
    ],
)
def test_what_was_rejected_is_not_brought_up_again(found: KeptRecommendation, why: Silence | None) -> None:
    """Until the facts change."""
    told = silenced([found], rejected=REJECTED, snoozed=[], at=NOW)
    assert told == ({found.id: why} if why else {})


def test_what_is_put_off_is_not_brought_up_until_then() -> None:
    """Nor what is found in its place meanwhile."""
    snoozed = [proposed("1000Mi", until=LATER)]
    found = [proposed("1000Mi"), proposed("990Mi"), proposed("500Mi")]
    told = silenced(found, rejected=[], snoozed=snoozed, at=LATER - timedelta(seconds=1))
    assert told == {one.id: Silence(until=LATER) for one in found[:2]}
    assert silenced(found, rejected=[], snoozed=snoozed, at=LATER) == {}


def test_a_rejection_is_told_before_a_snooze() -> None:
    """It has a reason, and no end."""
    told = silenced([OLD], rejected=REJECTED, snoozed=[proposed("1000Mi", until=LATER)], at=NOW)
    assert told == {OLD.id: Silence(rejection(OLD))}
