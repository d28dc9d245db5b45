"""Decide about a recommendation in Slack: approve, reject with a reason, snooze, or ask why it is proposed.

Nothing is taken from a click but who clicked and an id; what that is, whether it still holds and who may
decide is looked up anew. Nothing is sent from here: what is to be done is told as an `Outcome`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from bot.cost_words import day, moment
from bot.inert import plain
from bot.recommendation_json import recommendation_from
from bot.recommendation_ports import RecommendationDecisions, Recommendations
from bot.recommendation_records import KeptRecommendation, RecommendationDecision, What
from bot.recommendation_slack import (
    APPROVE,
    LEAST_REASON,
    MODAL,
    MOST_REASON,
    REASON,
    REJECT,
    SNOOZE,
    WHY,
    carried,
    pressed_again,
    reject_modal,
    section,
    why_message,
)
from bot.recommendation_words import changes_words, values, workload_words
from bot.savings_slack import decided_in
from bot.server_config import Team
from bot.slack_events import Asker, ButtonPressed, ModalSubmitted
from bot.slack_message import SlackMessage, code, mrkdwn
from bot.slack_ports import SlackPeople

SNOOZED = timedelta(weeks=2)
_GONE = "That recommendation is not known any more. The newest digest has what is worth approving now."
_CLOSED = "That is no longer proposed: the newest look at the repository does not find it any more."
_NOT_MEMBERS = "Only full members of this workspace can look into recommendations and decide about them."
_TOO_LATE = (
    "Slack gives an app three seconds to ask for a reason, and they had passed. Please press it again."
)
_NO_PULLS = "Not approved: Tuppence runs without a GitHub App here, so it cannot open the pull request."
_VERBS: Mapping[What, str] = {"approve": "approved", "reject": "rejected"}
_USER = re.compile(r"[UW][A-Z0-9]{2,30}")
_GROUP = re.compile(r"S[A-Z0-9]{8,30}")
_UNSEEN = "\ufffd \u2060"


class Deciding(NamedTuple):
    """What a decision needs to look at.

    `check_stale` says what has changed since a recommendation was found, `""` where it holds; it may
    raise OutsideError. It is None where nothing opens pull requests.
    """

    recommendations: Recommendations
    decisions: RecommendationDecisions
    people: SlackPeople
    teams: Sequence[Team]
    check_stale: Callable[[KeptRecommendation], str] | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What is to be done about a click.

    `answer` is for whoever clicked alone. `modal` is to be opened for them at once, and `answer` then is
    what to say where that cannot be done any more. The digests that show `changed` (an id, of `team`)
    are to be written anew, and `right_size` (an id) is to become a pull request; all may be `""`.
    """

    answer: SlackMessage | None = None
    modal: Mapping[str, Any] | None = None
    changed: str = ""
    team: str = ""
    right_size: str = ""


def press(event: ButtonPressed, given: Deciding, now: datetime) -> Outcome:
    """What one of the four buttons comes to. Raises StoreUnavailable, SlackUnavailable, SlackRefused."""
    kept = given.recommendations.find(event.value)
    if kept is None:
        return _told(_GONE)
    if event.action_id == WHY:
        if not given.people.person(event.asker.user_id).member:
            return _told(_NOT_MEMBERS)
        return Outcome(
            why_message(recommendation_from(kept.recommendation), str(kept.recommendation["currency"]))
        )
    # A modal has to be opened within three seconds: who may submit it is looked up anew when that is done.
    said, refused = _permitted(event.asker, kept, given, fresh=event.action_id != REJECT)
    refused = refused or _settled(event.asker, kept, event.action_id, given)
    if refused or event.action_id not in _CARRIED_OUT:
        return refused or _told(_GONE)
    return _CARRIED_OUT[event.action_id](_Click(event, said, kept, given, now))


def submit(event: ModalSubmitted, given: Deciding, now: datetime) -> Outcome:
    """What a reason in a modal comes to. Raises as `press`."""
    kept = given.recommendations.find(carried(event.private_metadata).get("id", ""))
    if kept is None or event.callback_id != MODAL:
        return _told(_GONE)
    said, refused = _permitted(event.asker, kept, given, fresh=True)
    refused = refused or _settled(event.asker, kept, REJECT, given)
    if refused:
        return refused
    written = event.values.get(REASON, "")
    reason = plain(written, MOST_REASON)
    if len(written) > MOST_REASON or len(reason.strip(_UNSEEN)) < LEAST_REASON:
        told = f"Not rejected: a reason has {LEAST_REASON} to {MOST_REASON} characters."
        return Outcome(pressed_again(told, REJECT, kept.id))
    return _decide("reject", reason, _Click(event, said, kept, given, now))


def _permitted(
    asker: Asker, kept: KeptRecommendation, given: Deciding, *, fresh: bool
) -> tuple[str, Outcome | None]:
    """How whoever asks is called, and why they may not decide. Who cannot be looked up may not."""
    person = given.people.person(asker.user_id, fresh=fresh)
    if not person.member:
        return "", _told(_NOT_MEMBERS)
    team = next((team for team in given.teams if team.name == kept.team and kept.team), None)
    name = mrkdwn(_name(kept))
    if team is None:
        return "", _told(f"Nobody can decide about {name}: no team of `tuppence.yaml` owns it.")
    users = [user for user in team.approvers.slack_users if _USER.fullmatch(user)]
    group = team.approvers.slack_group
    inside = asker.user_id in users or (
        given.people.in_group(asker.user_id, group, fresh=fresh) if group else False
    )
    if inside:
        return person.name or asker.user_id, None
    return "", _told(_who_may(name, team, users, readable=inside is not None))


def _who_may(name: str, team: Team, users: Sequence[str], *, readable: bool) -> str:
    """What somebody is told who may not decide; `readable` is whether the team's Slack group is."""
    group = _group(team.approvers.slack_group)
    if not readable:
        return (
            f"Not decided: who may decide about {name} is not known, since the Slack group {group} "
            "cannot be read. Tuppence's log has Slack's reason."
        )
    who = [*filter(None, [group]), *(f"<@{one}>" for one in users)]
    if not who:
        return (
            f"Nobody can decide about {name} in Slack: `teams[].approvers` of {code(team.name)} "
            "in `tuppence.yaml` names no `slack_group` and no `slack_users`."
        )
    return f"{name} is not yours to decide: {' or '.join(who)} may."


def _group(named: str) -> str:
    """A group as people know it: Slack shows the handle for an id, and calls nobody to a private answer."""
    return f"<!subteam^{named}>" if _GROUP.fullmatch(named) else code(named) if named else ""


def _settled(asker: Asker, kept: KeptRecommendation, action: str, given: Deciding) -> Outcome | None:
    """What to say where it was decided before, or is no longer there.

    Who approved and presses once more may have heard nothing: what follows an approval is done once.
    """
    held = given.decisions.of([kept.id]).get(kept.id)
    if held is None:
        return None if kept.open else Outcome(_says(_CLOSED), changed=kept.id, team=kept.team)
    mine = held.actor == _actor(asker) and _VERBS[held.decision] == _wanted(action)
    again = kept.id if mine and held.decision == "approve" else ""
    return Outcome(_says(_already(held, mine=mine)), changed=kept.id, team=kept.team, right_size=again)


def _wanted(action: str) -> str:
    return {APPROVE: "approved", REJECT: "rejected"}.get(action, "")


def _already(held: RecommendationDecision, *, mine: bool) -> str:
    who = "You have" if mine else f"{mrkdwn(held.said, 80)} has"
    reason = f": {mrkdwn(held.reason, MOST_REASON)}" if held.reason else ""
    return f"{who} {_VERBS[held.decision]} this already, on {moment(held.at)}{reason}"


class _Click(NamedTuple):
    """A click of somebody who may, on what is still there."""

    event: ButtonPressed | ModalSubmitted
    said: str
    kept: KeptRecommendation
    given: Deciding
    now: datetime

    @property
    def actor(self) -> str:
        return _actor(self.event.asker)


def _ask_reason(click: _Click) -> Outcome:
    kept, event = click.kept, click.event
    at, more = "", {}
    if isinstance(event, ButtonPressed):
        at, asked = event.message_ts, decided_in(event)
        more = {"asked": asked.text, "response_url": event.response_url} if asked else {}
    modal = reject_modal(kept.id, _name(kept), event.asker.channel_id, at, **more)
    return Outcome(pressed_again(_TOO_LATE, REJECT, kept.id), modal)


def _approve(click: _Click) -> Outcome:
    if click.given.check_stale is None:
        return _told(_NO_PULLS)
    if different := click.given.check_stale(click.kept):
        told = f"Not approved, since it is no longer what was looked at: {mrkdwn(different)}."
        return _told(f"{told} The next look at the repository finds what holds then.")
    return _decide("approve", "", click)


def _decide(what: What, reason: str, click: _Click) -> Outcome:
    """Decide, unless somebody else was first."""
    kept = click.kept
    wanted = RecommendationDecision(
        id=kept.id,
        repository=kept.repository,
        subject=kept.subject,
        finder=kept.finder,
        decision=what,
        actor=click.actor,
        said=plain(click.said, 80),
        reason=reason,
        about=_about(kept),
        at=click.now,
    )
    held = click.given.decisions.decide(wanted)
    if (held.actor, held.decision) != (wanted.actor, wanted.decision):
        return Outcome(_says(_already(held, mine=False)), changed=kept.id, team=kept.team)
    name = mrkdwn(_name(kept))
    if what == "approve":
        told = f"You approved {name}. Its pull request is being opened; the digest or I will link to it."
        return Outcome(_says(told), changed=kept.id, team=kept.team, right_size=kept.id)
    told = f"You rejected {name}. It is not proposed again until the facts change."
    return Outcome(_says(told), changed=kept.id, team=kept.team)


def _snooze(click: _Click) -> Outcome:
    kept, now = click.kept, click.now
    until = kept.snoozed_until
    if until is None or until <= now:
        until = now + SNOOZED
        said = plain(click.said, 80)
        click.given.recommendations.snooze(kept.id, until, actor=click.actor, said=said, at=now)
    told = f"{mrkdwn(_name(kept))} is snoozed until {day(until)}: no digest proposes it before that."
    return Outcome(_says(told), changed=kept.id, team=kept.team)


_CARRIED_OUT: Mapping[str, Callable[[_Click], Outcome]] = {
    APPROVE: _approve,
    REJECT: _ask_reason,
    SNOOZE: _snooze,
}


def _actor(asker: Asker) -> str:
    return f"slack/{asker.team_id}/{asker.user_id}"


def _name(kept: KeptRecommendation) -> str:
    return workload_words(recommendation_from(kept.recommendation).key)


def _about(kept: KeptRecommendation) -> str:
    found = recommendation_from(kept.recommendation)
    return f"{workload_words(found.key)}: {', '.join(changes_words(values(found.changes)))}"


def _told(text: str) -> Outcome:
    return Outcome(_says(text))


def _says(text: str) -> SlackMessage:
    return SlackMessage(text, (section(text),))
