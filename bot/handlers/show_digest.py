"""Write posted digests anew: what was decided about their recommendations stands where the buttons were."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime

from bot.digest import ItemState, State
from bot.digest_json import digest_from
from bot.digest_slack import Picture, digest_message
from bot.recommendation_ports import Digests, RecommendationDecisions, Recommendations, RightSizingPulls
from bot.recommendation_records import (
    KeptDigest,
    KeptRecommendation,
    PullState,
    RecommendationDecision,
    RightSizingPull,
)
from bot.records import Json
from bot.slack_message import SlackMessage
from bot.slack_ports import SlackMessages

_CLOSED = "the newest look at the repository does not find it any more"
_PULLS: Mapping[PullState, State] = {"open": "opened", "merged": "merged", "closed": "closed"}


def content_with(digest: Json, picture: Picture | None) -> Json:
    """What is kept of a digest: its JSON, and the picture that Slack has of it."""
    return {**digest, "picture": picture._asdict() if picture else None}


def rendered(content: Json, states: Mapping[str, ItemState]) -> SlackMessage:
    """The message of a kept content."""
    picture = content.get("picture")
    return digest_message(digest_from(content), states, Picture(**picture) if picture else None)


def show_decision(
    id: str,  # noqa: A002 - its name
    team: str,
    *,
    channel: str = "",
    timestamp: str = "",
    digests: Digests,
    recommendations: Recommendations,
    decisions: RecommendationDecisions,
    pulls: RightSizingPulls,
    messages: SlackMessages,
    now: datetime,
) -> int:
    """Write anew the team's newest digest, and the one that was clicked in; how many told of `id`.

    One at a time, so that an older look never overwrites a newer one. Raises SlackUnavailable,
    SlackRefused, StoreUnavailable.
    """
    found = [digests.posted_at(channel, timestamp) if channel else None, digests.newest(team)]
    told = {(kept.team, kept.week): kept for kept in found if kept is not None and id in _ids(kept)}
    for kept in told.values():
        with digests.turn(kept.team, kept.week):
            states = item_states(
                _ids(kept), recommendations=recommendations, decisions=decisions, pulls=pulls, now=now
            )
            messages.update(kept.channel, kept.timestamp, rendered(kept.content, states))
    return len(told)


def item_states(
    ids: Collection[str],
    *,
    recommendations: Recommendations,
    decisions: RecommendationDecisions,
    pulls: RightSizingPulls,
    now: datetime,
) -> dict[str, ItemState]:
    """What has become of some recommendations. Raises StoreUnavailable."""
    decided = decisions.of(ids)
    return {one: _state(recommendations.find(one), decided.get(one), pulls, now) for one in ids}


def _state(
    kept: KeptRecommendation | None,
    decision: RecommendationDecision | None,
    pulls: RightSizingPulls,
    now: datetime,
) -> ItemState:
    if decision is not None and decision.decision == "reject":
        return ItemState("rejected", said=decision.said, why=decision.reason)
    if decision is not None:
        pull = pulls.find(decision.repository, decision.subject)
        return _of_pull(pull if pull and pull.id == decision.id else None, decision)
    if kept is None or not kept.open:
        return ItemState("stale", why=_CLOSED)
    if kept.snoozed_until is not None and kept.snoozed_until > now:
        return ItemState("snoozed", until=kept.snoozed_until.date())
    return ItemState()


def _of_pull(pull: RightSizingPull | None, decision: RecommendationDecision) -> ItemState:
    if pull is None:
        return ItemState("approved", said=decision.said)
    return ItemState(_PULLS[pull.state], said=decision.said, why=pull.closed_because, address=pull.address)


def _ids(kept: KeptDigest) -> tuple[str, ...]:
    return tuple(item["id"] for item in kept.content["recommendations"])
