"""Approve, Reject, Snooze and Why? on a real store: who may, who was first, and what nobody can forge."""

from __future__ import annotations

import json
import threading
from collections.abc import Collection, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bot.adapters.records import Records
from bot.errors import GitHubUnavailable, SlackUnavailable
from bot.handlers.decide_recommendation import Deciding, Outcome, press, submit
from bot.recommendation_ports import RecommendationDecisions
from bot.recommendation_records import KeptRecommendation, RecommendationDecision
from bot.recommendation_slack import APPROVE, MODAL, MOST_REASON, REASON, REJECT, SNOOZE, WHY
from bot.server_config import Approvers, Team
from bot.slack_events import Asker, ModalSubmitted
from bot.slack_message import problems
from bot.slack_ports import SlackPerson
from estimators.audit_chain import AuditRow
from tests.bot.decidable import KEPT, NOW, TEAM, click, scan
from tests.slack.blocks import message_problems, view_problems


@dataclass(slots=True)
class People:
    """Who is who now, and as it was remembered."""

    outsiders: set[str] = field(default_factory=set)
    group: set[str] = field(default_factory=lambda: {"UANA", "UBEA"})
    remembered: set[str] = field(default_factory=set)
    down: bool = False

    def person(self, user_id: str, *, fresh: bool = False) -> SlackPerson:
        if self.down:
            raise SlackUnavailable("Slack did not answer users.info")
        known = user_id not in self.outsiders or (not fresh and user_id in self.remembered)
        return SlackPerson(user_id, member=known, name=user_id[1:].title())

    def in_group(self, user_id: str, group: str, *, fresh: bool = False) -> bool | None:
        if group == "gone":
            return None
        return group == "sre" and (user_id in self.group or (not fresh and user_id in self.remembered))


@dataclass(slots=True)
class Bench:
    """A store with one recommendation, and what surrounds a click."""

    records: Records
    people: People = field(default_factory=People)
    teams: tuple[Team, ...] = (TEAM,)
    different: str = ""
    down: bool = False

    def given(self) -> Deciding:
        return Deciding(
            self.records.recommendations,
            self.records.recommendation_decisions,
            self.people,
            self.teams,
            self._check_stale,
        )

    def _check_stale(self, kept: KeptRecommendation) -> str:
        if self.down:
            raise GitHubUnavailable("GitHub did not answer")
        assert kept.id == KEPT.id
        return self.different

    def press(self, action: str, user: str = "UANA", value: str = KEPT.id, at: datetime = NOW) -> Outcome:
        return press(click(action, user, value), self.given(), at)

    def reject(self, reason: str = "sized for the sale", user: str = "UANA", **more: str) -> Outcome:
        told = more.pop("metadata", json.dumps({"id": KEPT.id, "channel": "C1", "ts": "1.1"}))
        event = ModalSubmitted(Asker("T1", user), more.pop("callback", MODAL), {REASON: reason}, told)
        return submit(event, self.given(), NOW)

    @property
    def audited(self) -> list[AuditRow]:
        with self.records.audit.chain() as (_, rows):
            return [row for row in rows if row.action.startswith("recommendation.")]

    @property
    def decided(self) -> list[tuple[str, str, str]]:
        found = self.records.recommendation_decisions.of([KEPT.id]).values()
        return [(each.decision, each.said, each.reason) for each in found]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with closing(Records(f"sqlite:///{tmp_path / 'records.db'}")) as records:
        records.prepare()
        records.recommendations.replace(scan(NOW), [KEPT])
        yield Bench(records)


def said(outcome: Outcome) -> str:
    """What whoever clicked is told; it is a message that Slack takes."""
    assert outcome.answer is not None
    assert problems(outcome.answer) == ()
    assert message_problems(list(outcome.answer.blocks)) == []
    return outcome.answer.text


def test_an_approval_is_kept_shown_and_carried_out(bench: Bench) -> None:
    """By whom is said as people call them; it is in the audit chain."""
    outcome = bench.press(APPROVE)

    assert said(outcome).startswith("You approved search/indexer.")
    assert (outcome.changed, outcome.team, outcome.right_size) == (KEPT.id, "checkout", KEPT.id)
    assert bench.decided == [("approve", "Ana", "")]
    [fact] = bench.audited
    assert fact.actor == "slack/T1/UANA"
    assert fact.subject == "search/indexer: CPU request 2 → 1200m"


def test_a_reason_is_asked_for_and_then_kept(bench: Bench) -> None:
    """The modal comes before anything else; nothing is decided until it comes back."""
    asked = bench.press(REJECT)
    assert asked.modal is not None
    assert view_problems(asked.modal, "modal") == []
    assert json.loads(asked.modal["private_metadata"]) == {"id": KEPT.id, "channel": "C1", "ts": "1.1"}
    assert bench.decided == []
    assert "three seconds" in said(asked)  # for when Slack takes no modal any more
    assert asked.answer is not None
    assert asked.answer.blocks[-1]["elements"][0]["value"] == KEPT.id

    outcome = bench.reject("sized for the sale\n in December, <!channel> INC-1234")
    assert "rejected search/indexer" in said(outcome)
    assert (outcome.changed, outcome.right_size) == (KEPT.id, "")
    assert bench.decided == [("reject", "Ana", "sized for the sale in December, <!channel> INC-1234")]
    again = bench.reject("another reason")
    assert said(again).startswith("You have rejected this already, on 23 Nov, 09:05 UTC: sized for the sale")
    assert again.right_size == ""
    later = said(bench.press(APPROVE, "UBEA"))
    assert "Ana has rejected this already, on 23 Nov, 09:05 UTC: sized for the sale" in later
    assert "<!channel>" not in later


@pytest.mark.parametrize(
    "reason", ["", " \n ", "ab", "\u200b\u200b\u200b\u200b", "x" * (MOST_REASON + 1), "x" * 8_000]
)
def test_a_reason_that_says_nothing_or_too_much_is_asked_for_again(bench: Bench, reason: str) -> None:
    """Slack's own client does not send one: somebody forged it."""
    outcome = bench.reject(reason)

    assert "a reason has 3 to 500 characters" in said(outcome)
    assert bench.decided == []


def test_what_a_reason_hides_is_seen(bench: Bench) -> None:
    """Direction marks and letters of no width do not reach the next reader."""
    bench.reject("fine \u202eetorw sa\u200b dna")

    [(_, _, kept)] = bench.decided
    assert "\u202e" not in kept
    assert "\u200b" not in kept


def test_a_snooze_says_until_when(bench: Bench) -> None:
    """Two weeks; once more changes nothing."""
    first = bench.press(SNOOZE)
    again = bench.press(SNOOZE, "UBEA", at=NOW + timedelta(days=3))

    assert said(first) == said(again)
    assert "snoozed until 7 December" in said(first)
    kept = bench.records.recommendations.find(KEPT.id)
    assert kept is not None
    assert kept.snoozed_until == NOW + timedelta(weeks=2)
    assert bench.decided == []


def test_why_tells_all_that_is_known(bench: Bench) -> None:
    """To every member, approver or not; nothing is decided by it."""
    outcome = bench.press(WHY, "UEVE")
    text = json.dumps(outcome.answer.blocks if outcome.answer else (), ensure_ascii=False)

    said(outcome)
    for part in (
        "CPU request 2 → 1200m",
        "apps/indexer.yaml",
        "$58.40 a month",
        "$20.10 a month",
        "$38.30 of it stays on the bill",
        "pool-7",
        "0.81 cores a pod",
        "14 days, 99 % measured",
        "On a busy node",
        "3 of 31 pods",
        "Put the value back",
        "Confidence high",
    ):
        assert part in text, part
    assert (outcome.changed, bench.decided) == ("", [])


@pytest.mark.parametrize("action", [APPROVE, REJECT, SNOOZE, WHY])
@pytest.mark.parametrize(
    "value", ["", "0" * 32, "x" * 3_000, "<!channel>", '{"id": 1}', "\x00", "' OR 1=1 --", "\ud800"]
)
def test_a_forged_or_deleted_id_does_nothing(bench: Bench, action: str, value: str) -> None:
    """And its text is not said again."""
    outcome = bench.press(action, value=value)

    assert "not known any more" in said(outcome)
    assert outcome == Outcome(outcome.answer)
    assert bench.decided == []


@pytest.mark.parametrize("action", [APPROVE, REJECT, SNOOZE])
def test_what_is_no_longer_found_is_not_decided(bench: Bench, action: str) -> None:
    """Its digest is written anew."""
    bench.records.recommendations.replace(scan(NOW + timedelta(hours=1)), [])
    outcome = bench.press(action)

    assert "no longer proposed" in said(outcome)
    assert (outcome.changed, outcome.modal, outcome.right_size) == (KEPT.id, None, "")
    assert "no longer proposed" in said(bench.reject())
    assert bench.decided == []


@pytest.mark.parametrize("action", [APPROVE, REJECT, SNOOZE, WHY])
def test_a_guest_a_stranger_or_whoever_left_is_told_nothing(bench: Bench, action: str) -> None:
    """Even where they are in the group."""
    bench.people.outsiders = {"UANA"}

    assert "full members" in said(bench.press(action))
    assert "full members" in said(bench.reject())
    assert bench.decided == []
    assert bench.press(action).modal is None


@pytest.mark.parametrize(
    ("team", "told"),
    [
        pytest.param(TEAM, "is not yours to decide: `sre` or <@UDORA> may.", id="not in the group"),
        pytest.param(
            replace(TEAM, approvers=Approvers(slack_group="S0604QSJC")),
            "is not yours to decide: <!subteam^S0604QSJC> may.",
            id="a group by its id",
        ),
        pytest.param(replace(TEAM, approvers=Approvers()), "names no `slack_group`", id="nobody named"),
        pytest.param(
            replace(TEAM, approvers=Approvers(slack_group="gone")),
            "the Slack group `gone` cannot be read",
            id="unreadable group",
        ),
        pytest.param(
            replace(TEAM, approvers=Approvers(slack_users=("<!channel>",))), "names no", id="not a user's id"
        ),
        pytest.param(
            Team("other", approvers=TEAM.approvers), "no team of `tuppence.yaml` owns it", id="no team"
        ),
    ],
)
def test_nobody_but_an_approver_decides(bench: Bench, team: Team, told: str) -> None:
    """They learn who may."""
    bench.teams = (team,)

    for outcome in (
        *(bench.press(action, "UEVE") for action in (APPROVE, REJECT, SNOOZE)),
        bench.reject(user="UEVE"),
    ):
        assert told in said(outcome)
        assert (outcome.modal, outcome.changed) == (None, "")
    assert bench.decided == []


def test_what_no_team_owns_nobody_decides(bench: Bench) -> None:
    """Not even where a team without a name is made up."""
    bench.records.recommendations.replace(scan(NOW), [replace(KEPT, team="")])
    bench.teams = (replace(TEAM, name=""),)

    assert "Nobody can decide" in said(bench.press(APPROVE))


def test_somebody_who_just_left_the_group_does_not_decide(bench: Bench) -> None:
    """What is remembered of them opens the modal, and no more than that."""
    bench.people.group, bench.people.remembered = set(), {"UANA"}

    assert bench.press(REJECT).modal is not None
    assert "not yours to decide" in said(bench.reject())
    assert "not yours to decide" in said(bench.press(APPROVE))
    assert "not yours to decide" in said(bench.press(SNOOZE))
    assert bench.decided == []


def test_somebody_who_has_just_become_a_guest_does_not_decide(bench: Bench) -> None:
    """Nor who has just left the workspace, as whose member they are remembered."""
    bench.people.outsiders = bench.people.remembered = {"UANA"}

    assert bench.press(REJECT).modal is not None
    for outcome in (bench.reject(), bench.press(APPROVE), bench.press(SNOOZE)):
        assert "full members" in said(outcome)
        assert outcome == Outcome(outcome.answer)
    assert bench.decided == []


def test_a_named_person_decides_without_a_group(bench: Bench) -> None:
    """As on plans that have none."""
    assert bench.press(APPROVE, "UDORA").right_size == KEPT.id


def test_what_has_changed_since_is_not_approved(bench: Bench) -> None:
    """And it is said what."""
    bench.different = "the CPU request is 1 now, not 2 <!channel>"
    outcome = bench.press(APPROVE)

    assert "the CPU request is 1 now, not 2" in said(outcome)
    assert "<!channel>" not in said(outcome)
    assert (bench.decided, outcome.right_size) == ([], "")
    assert "rejected" in said(bench.reject())  # which harms nobody


def test_an_outage_decides_nothing(bench: Bench) -> None:
    """It is told as what it is, by whoever tries again."""
    bench.down = True
    with pytest.raises(GitHubUnavailable):
        bench.press(APPROVE)
    bench.people.down = True
    with pytest.raises(SlackUnavailable):
        bench.reject()
    assert bench.decided == []


def test_nothing_is_approved_where_nothing_opens_pull_requests(bench: Bench) -> None:
    """Rather than promised."""
    given = bench.given()._replace(check_stale=None)
    outcome = press(click(APPROVE, "UANA", KEPT.id), given, NOW)

    assert "without a GitHub App" in said(outcome)
    assert bench.decided == []


def test_a_click_again_is_told_so_and_carried_out_again(bench: Bench) -> None:
    """Whoever heard nothing presses again; the work has an id of its own, so it is done once."""
    bench.press(APPROVE)
    again = bench.press(APPROVE, at=NOW + timedelta(minutes=3))

    assert said(again) == "You have approved this already, on 23 Nov, 09:05 UTC"
    assert again.right_size == KEPT.id
    assert len(bench.decided) == 1


@pytest.mark.parametrize("user", ["UBEA", "UDORA"])
def test_who_comes_second_is_told_who_was_first(bench: Bench, user: str) -> None:
    """Whatever they wanted, also in a modal that was open already; nothing follows from it."""
    bench.press(APPROVE)

    for outcome in (bench.press(APPROVE, user), bench.press(SNOOZE, user), bench.reject(user=user)):
        assert said(outcome) == "Ana has approved this already, on 23 Nov, 09:05 UTC"
        assert (outcome.changed, outcome.right_size) == (KEPT.id, "")
    assert bench.decided == [("approve", "Ana", "")]


class LookedUpBefore:
    """Decisions as they were looked up before anybody decided; by now somebody has."""

    def __init__(self, kept: RecommendationDecisions) -> None:
        self._kept = kept
        self.decide, self.rejected, self.since = kept.decide, kept.rejected, kept.since

    def of(self, _ids: Collection[str]) -> dict[str, RecommendationDecision]:
        return {}


@pytest.mark.parametrize("first", [APPROVE, REJECT])
def test_who_looked_before_somebody_decided_is_told_what_holds(bench: Bench, first: str) -> None:
    """The store has the last word: nothing follows from what came second, and it leaves no trace."""
    bench.reject() if first == REJECT else bench.press(APPROVE)
    given = bench.given()
    late = given._replace(decisions=LookedUpBefore(given.decisions))
    approval = press(click(APPROVE, "UBEA", KEPT.id), late, NOW + timedelta(seconds=1))
    modal = ModalSubmitted(Asker("T1", "UBEA"), MODAL, {REASON: "not now"}, json.dumps({"id": KEPT.id}))
    rejection = submit(modal, late, NOW + timedelta(seconds=1))

    verb = "rejected" if first == REJECT else "approved"
    for outcome in (approval, rejection):
        assert said(outcome).startswith(f"Ana has {verb} this already, on 23 Nov, 09:05 UTC")
        assert (outcome.changed, outcome.right_size) == (KEPT.id, "")
    assert len(bench.audited) == len(bench.decided) == 1


def test_of_two_in_the_same_instant_one_wins(bench: Bench) -> None:
    """On eight threads, without the queue that keeps them apart: the store decides."""
    start, outcomes = threading.Barrier(8), list[Outcome]()

    def decide(index: int) -> None:
        start.wait()
        user = "UANA" if index % 2 else "UBEA"
        outcomes.append(bench.press(APPROVE, user) if index % 2 else bench.reject(user=user))

    threads = [threading.Thread(target=decide, args=(index,)) for index in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(outcomes) == 8
    [(decision, winner, _)] = bench.decided
    for outcome in outcomes:
        assert f"{winner} has {decision}" in said(outcome) or said(outcome).startswith("You")
    approved = decision == "approve"
    assert {bool(outcome.right_size) for outcome in outcomes} == ({True, False} if approved else {False})
    assert len(bench.audited) == 1


@pytest.mark.parametrize(
    "metadata",
    ["", "null", "[]", "{", '"x"', '{"id": 7}', '{"id": "zz"}', "[" * 3_000, '{"id": ["a"]}', "\x00"],
)
def test_a_modal_that_carries_something_forged_decides_nothing(bench: Bench, metadata: str) -> None:
    """It is looked up like a button's id."""
    assert "not known any more" in said(bench.reject(metadata=metadata))
    assert "not known any more" in said(bench.reject(callback="something-else"))
    assert bench.decided == []


def test_edited_values_are_ignored(bench: Bench) -> None:
    """Nothing of a click counts but the id: another action's value is no way around the modal."""
    event = replace(click("recommendation-drop-database", "UANA", KEPT.id))
    assert "not known any more" in said(press(event, bench.given(), NOW))
    assert bench.decided == []
