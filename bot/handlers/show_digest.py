"""Write posted digests anew: what was decided about their recommendations stands where the buttons were."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from bot.digest import ItemState, State
from bot.digest_json import digest_from
from bot.digest_slack import Picture, digest_message
from bot.inert import plain
from bot.recommendation_ports import Digests, RecommendationDecisions, Recommendations, RightSizingPulls
from bot.recommendation_records import KeptDigest, PullState, RecommendationDecision
from bot.recommendation_slack import by_hand_message, decided, section
from bot.recommendation_words import workload_words
from bot.records import Json
from bot.slack_message import SlackMessage, mrkdwn
from bot.slack_ports import SlackMessages
from estimators.objects import Identity

_CLOSED = "the newest look at the repository does not find it any more"
_FIRST_TOLD = frozenset(("opened", "by-hand", "stale"))
"""What an approval comes to; what follows is told by the pull request."""
_ONLY_HERE = frozenset(("by-hand", "stale"))
_PULLS: Mapping[PullState, State] = {"open": "opened", "merged": "merged", "closed": "closed"}


def content_with(digest: Json, picture: Picture | None) -> Json:
    """What is kept of a digest: its JSON, and the picture that Slack has of it."""
    return {**digest, "picture": picture._asdict() if picture else None}


def rendered(content: Json, states: Mapping[str, ItemState]) -> SlackMessage:
    """The message of a kept content."""
    picture = content.get("picture")
    return digest_message(digest_from(content), states, Picture(**picture) if picture else None)


class Showing(NamedTuple):
    """What digests are written anew with."""

    digests: Digests
    recommendations: Recommendations
    decisions: RecommendationDecisions
    pulls: RightSizingPulls
    messages: SlackMessages


def show_decision(
    id: str,  # noqa: A002 - its name
    team: str,
    ports: Showing,
    now: datetime,
    *,
    channel: str = "",
    timestamp: str = "",
) -> int:
    """Write anew the team's newest digest, and the one that was clicked in; how many told of `id`.

    One at a time, so that an older look never overwrites a newer one. Raises SlackUnavailable,
    SlackRefused, StoreUnavailable.
    """
    found = _digests_of(id, team, ports.digests, channel, timestamp)
    for kept in found:
        with ports.digests.turn(kept.team, kept.week):
            _show(ports.digests.find(kept.team, kept.week) or kept, ports, now)
    return len(found)


def show_became(id: str, became: ItemState, patch: str, ports: Showing, now: datetime) -> bool:  # noqa: A002
    """Show what became of an approved recommendation; what is to be done by hand is said below its digest.

    That, and what turned out to be stale, nothing else remembers: it is kept with the digest. False where
    the newest digest does not tell of it. Raises as `show_decision`.
    """
    about = ports.recommendations.find(id)
    found = _digests_of(id, about.team, ports.digests) if about else []
    for kept in found:
        with ports.digests.turn(kept.team, kept.week):
            current = ports.digests.find(kept.team, kept.week) or kept
            if became.state in _ONLY_HERE:
                current = _noted(id, became, patch, current, ports)
            _show(current, ports, now)
    return bool(found)


def tell_approver(id: str, became: ItemState, patch: str, ports: Showing) -> None:  # noqa: A002
    """Tell whoever approved it in direct messages, as of what no digest tells. Raises as `show_decision`."""
    about, decision = ports.recommendations.find(id), ports.decisions.of([id]).get(id)
    place, _, user = decision.actor.rpartition("/") if decision else ("", "", "")
    if about is None or not place.startswith("slack/") or became.state not in _FIRST_TOLD:
        return
    name = workload_words(Identity(about.environment, about.namespace, about.kind, about.name))
    message = by_hand_message(name, became.why, patch)
    if became.state != "by-hand":
        told = f"*{mrkdwn(name)}*: {decided(replace(became, said='you'))}"
        message = SlackMessage(f"What became of {plain(name)}", (section(told),))
    ports.messages.post(user, message)


def _noted(id: str, became: ItemState, patch: str, kept: KeptDigest, ports: Showing) -> KeptDigest:  # noqa: A002
    known = kept.content.get("became") or {}
    told = {"state": became.state, "why": became.why}
    if known.get(id) == told:
        return kept
    if became.state == "by-hand":
        item = next(item for item in kept.content["recommendations"] if item["id"] == id)
        message = by_hand_message(item["workload"], became.why, patch)
        ports.messages.post(kept.channel, message, thread=kept.timestamp)
    noted = replace(kept, content={**kept.content, "became": {**known, id: told}})
    ports.digests.keep(noted)
    return noted


def _digests_of(
    id: str,  # noqa: A002
    team: str,
    digests: Digests,
    channel: str = "",
    timestamp: str = "",
) -> list[KeptDigest]:
    found = [digests.posted_at(channel, timestamp) if channel else None, digests.newest(team)]
    return list({kept.week: kept for kept in found if kept is not None and id in _ids(kept)}.values())


def _show(kept: KeptDigest, ports: Showing, now: datetime) -> None:
    ports.messages.update(kept.channel, kept.timestamp, as_it_is(kept.content, ports, now))


def as_it_is(content: Json, ports: Showing, now: datetime) -> SlackMessage:
    """The message of a kept content, with what has become of its recommendations until now."""
    became = content.get("became") or {}
    ids = [item["id"] for item in content["recommendations"]]
    decided = ports.decisions.of(ids)
    return rendered(content, {one: _state(one, decided.get(one), ports, now, became) for one in ids})


def _state(
    id: str,  # noqa: A002
    decision: RecommendationDecision | None,
    ports: Showing,
    now: datetime,
    became: Mapping[str, Json],
) -> ItemState:
    if decision is not None and decision.decision == "reject":
        return ItemState("rejected", said=decision.said, why=decision.reason)
    if decision is not None:
        pull = ports.pulls.find(decision.repository, decision.subject)
        if pull is not None and pull.id == id:
            state = _PULLS[pull.state]
            return ItemState(state, said=decision.said, why=pull.closed_because, address=pull.address)
        told = became.get(id, {"state": "approved", "why": ""})
        return ItemState(told["state"], said=decision.said, why=told["why"])
    kept = ports.recommendations.find(id)
    if kept is None or not kept.open:
        return ItemState("stale", why=_CLOSED)
    if kept.snoozed_until is not None and kept.snoozed_until > now:
        return ItemState("snoozed", said=kept.snoozed_by, until=kept.snoozed_until.date())
    return ItemState()


def _ids(kept: KeptDigest) -> tuple[str, ...]:
    return tuple(item["id"] for item in kept.content["recommendations"])
