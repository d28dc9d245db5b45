"""Write posted digests anew: what was decided about their recommendations stands where the buttons were."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import NamedTuple

from bot.digest import ItemState, State
from bot.digest_json import digest_from
from bot.digest_slack import Picture, digest_message
from bot.errors import SlackRefused
from bot.inert import plain
from bot.recommendation_ports import Digests, RecommendationDecisions, Recommendations, RightSizingPulls
from bot.recommendation_records import KeptDigest, PullState, RecommendationDecision
from bot.recommendation_slack import by_hand_message, decided, section
from bot.recommendation_words import workload_words
from bot.records import Json
from bot.slack_message import SlackMessage, mrkdwn
from bot.slack_ports import SlackMessages
from estimators.objects import Identity

MOST_WEEKS = 5
"""A recommendation that nobody decides stands in each week's digest: so many of them are written anew."""
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
    """Write anew the team's last digests, and the one that was clicked in; how many told of `id`.

    One at a time, so that an older look never overwrites a newer one. Raises SlackUnavailable,
    SlackRefused where Slack takes none of them, StoreUnavailable.
    """
    found = _digests_of(id, team, ports.digests, channel, timestamp)
    return _each(found, ports.digests, lambda kept, _: _show(kept, ports, now))


def show_became(id: str, became: ItemState, patch: str, ports: Showing, now: datetime) -> bool:  # noqa: A002
    """Show what became of an approved recommendation; what is to be done by hand is said below a digest.

    That, and what turned out to be stale, nothing else remembers: it is kept with the digests. False where
    no digest of the last weeks tells of it. Raises as `show_decision`.
    """
    about = ports.recommendations.find(id)
    found = _digests_of(id, about.team, ports.digests) if about else []
    told = {"state": became.state, "why": became.why}
    is_said = any(_became(kept).get(id) == told for kept in found)

    def show(kept: KeptDigest, before: int) -> None:
        if became.state in _ONLY_HERE and _became(kept).get(id) != told:
            if became.state == "by-hand" and not (is_said or before):
                item = next(item for item in kept.content["recommendations"] if item["id"] == id)
                message = by_hand_message(item["workload"], became.why, patch)
                ports.messages.post(kept.channel, message, thread=kept.timestamp)
            kept = replace(kept, content={**kept.content, "became": {**_became(kept), id: told}})
            ports.digests.keep(kept)
        _show(kept, ports, now)

    return bool(_each(found, ports.digests, show))


def _each(found: Sequence[KeptDigest], digests: Digests, show: Callable[[KeptDigest, int], None]) -> int:
    """Show each digest as it is now, told how many were before it; how many Slack took.

    A message that somebody deleted keeps no other from being written.
    """
    shown, refused = 0, None
    for kept in found:
        with digests.turn(kept.team, kept.week):
            try:
                show(digests.find(kept.team, kept.week) or kept, shown)
            except SlackRefused as error:
                refused = error
            else:
                shown += 1
    if refused is not None and not shown:
        raise refused
    return shown


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


def _became(kept: KeptDigest) -> Mapping[str, Json]:
    """What nothing else remembers of recommendations, by id."""
    return kept.content.get("became") or {}


def _digests_of(
    id: str,  # noqa: A002
    team: str,
    digests: Digests,
    channel: str = "",
    timestamp: str = "",
) -> list[KeptDigest]:
    clicked = digests.posted_at(channel, timestamp) if channel else None
    found = [*digests.newest(team, MOST_WEEKS), *([clicked] if clicked else [])]
    return list({(kept.team, kept.week): kept for kept in found if id in _ids(kept)}.values())


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
