"""Which recommendations are not brought up now, since somebody rejected them or put them off. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from bot.recommendation_json import recommendation_from
from bot.recommendation_records import KeptRecommendation, RecommendationDecision
from estimators.recommendation import Recommendation
from estimators.recommendation_memory import said_of

_Subject = tuple[int, str, str]


class Silence(NamedTuple):
    """Why: a rejection, or a snooze that ends at `until`, by whoever is shown as `said`."""

    rejection: RecommendationDecision | None = None
    until: datetime | None = None
    said: str = ""


def silenced(
    found: Iterable[KeptRecommendation],
    *,
    rejected: Iterable[tuple[KeptRecommendation, RecommendationDecision]],
    snoozed: Iterable[KeptRecommendation],
    at: datetime,
) -> Mapping[str, Silence]:
    """Those of `found` that are not brought up at that moment, by id, and why.

    `rejected` (the newest first) and `snoozed` are those of the same repositories, still found or not:
    what is found a week later under another id may be as good as the same.
    """
    earlier: dict[_Subject, list[tuple[Recommendation, Silence]]] = defaultdict(list)
    for one, decision in rejected:
        earlier[_subject(one)].append((recommendation_from(one.recommendation), Silence(decision)))
    for one in snoozed:
        if one.snoozed_until is not None and one.snoozed_until > at:
            silence = Silence(until=one.snoozed_until, said=one.snoozed_by)
            earlier[_subject(one)].append((recommendation_from(one.recommendation), silence))
    why = {}
    for one in found:
        if there := earlier.get(_subject(one)):
            said = said_of(recommendation_from(one.recommendation), there)
            if said is not None:
                why[one.id] = said
    return why


def _subject(one: KeptRecommendation) -> _Subject:
    return one.repository, one.subject, one.finder
