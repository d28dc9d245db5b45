"""Whoever may not decide, and whatever is forged, is refused over HTTP: nothing is decided, nothing is written."""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import pytest

from bot.recommendation_slack import APPROVE, REASON, REJECT, SNOOZE
from tests.end_to_end.approvals import (
    APPROVED,
    REASONED,
    Case,
    Town,
    be_shown,
    deciding,
    no_longer_found,
)
from tests.github.service import github
from tests.slack.delivery import Acknowledged, Signing
from tests.slack.model import User
from tests.slack.service import slack

TEAMS = ("victim", "mine", "closed", "nobody", "genuine")


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """Some teams; in the end GitHub and the audit trail tell of the genuine approval alone."""
    folder = tmp_path_factory.mktemp("attacks")
    with (
        github(folder / "github") as hub,
        slack() as service,
        deciding(hub, service, TEAMS, folder, without_approvers=["nobody"]) as made,
    ):
        yield made
        decided = [row["action"] for row in made.bot.audit() if "recommendation" in row["action"]]
        pulls = [case.name for case in made.cases if case.pulls or case.branches]
        hub.assert_clean()
        service.assert_clean()
    assert (decided, pulls) == (["recommendation.approve"], ["genuine"])


@pytest.fixture
def victim(town: Town) -> Iterator[Case]:
    """Whose saving must wait: its digest is as it was."""
    case = named(town, "victim")
    before = town.shown(case)
    yield case
    assert town.shown(case) == before


def named(town: Town, name: str) -> Case:
    """A team."""
    return next(case for case in town.cases if case.name == name)


def told_next(town: Town, case: Case, user: User, act: Callable[[], object]) -> str:
    """What somebody is told about what they did."""
    before = len(town.told(case, user))
    act()
    town.slack.wait(lambda: len(town.told(case, user)) > before)
    [said] = town.told(case, user)[before:]
    return said


@dataclass(frozen=True, slots=True)
class Stranger:
    """Who is in the team's group all the same, and what Slack says about them."""

    flag: str = ""
    elsewhere: bool = False


STRANGERS = {
    "a guest": Stranger("is_restricted"),
    "a guest of one channel": Stranger("is_ultra_restricted"),
    "somebody of another company in a shared channel": Stranger("is_stranger", elsewhere=True),
    "a member of another workspace": Stranger(elsewhere=True),
    "somebody who has left": Stranger("deleted"),
    "a bot": Stranger("is_bot"),
}


@pytest.mark.parametrize("action", [APPROVE, REJECT, SNOOZE])
@pytest.mark.parametrize("who", STRANGERS.values(), ids=STRANGERS)
def test_only_whole_members_decide(town: Town, victim: Case, who: Stranger, action: str) -> None:
    """Even where the group of approvers has somebody else."""
    other = town.slack.workspace(f"evil-{secrets.token_hex(3)}")
    user = town.slack.person("eve", team=other if who.elsewhere else None)
    if who.flag:
        setattr(user, who.flag, True)
    victim.group.members.append(user.id)
    victim.channel.members.add(user.id)

    def press() -> None:
        town.slack.people.click(
            user, town.digest(victim), action, value=victim.kept.id, team=other if who.elsewhere else None
        )

    assert "full members" in told_next(town, victim, user, press)
    assert town.slack.views(user) == []


def test_a_member_who_is_in_no_group_may_not(town: Town, victim: Case) -> None:
    """Nor who approves for another team, nor who has just left."""
    other, gone = named(town, "mine").ana, victim.bea
    victim.channel.members.add(other.id)
    assert "is not yours to decide" in told_next(
        town, victim, other, lambda: town.press(victim, APPROVE, other)
    )
    town.press(victim, REJECT, gone)  # Slack is asked who she is, and the answer is remembered
    town.slack.wait(lambda: town.slack.views(gone))
    victim.group.members.remove(gone.id)
    assert "is not yours to decide" in told_next(
        town, victim, gone, lambda: town.slack.people.submit(gone, {REASON: REASONED})
    )
    assert "is not yours to decide" in told_next(
        town, victim, gone, lambda: town.press(victim, APPROVE, gone)
    )


@pytest.mark.parametrize(
    "forged",
    [
        pytest.param(secrets.token_hex(16), id="made up"),
        pytest.param("", id="empty"),
        pytest.param("' or 1=1 --", id="a query"),
        pytest.param("\0", id="a NUL"),
        pytest.param("f" * 2000, id="long"),
        pytest.param("\ud800".encode("utf-8", "surrogatepass").decode("utf-8", "replace"), id="no text"),
        pytest.param("<!channel>", id="a mention"),
    ],
)
@pytest.mark.parametrize("action", [APPROVE, REJECT])
def test_a_value_that_names_nothing_is_refused(town: Town, victim: Case, forged: str, action: str) -> None:
    """By whoever may decide otherwise."""
    said = told_next(
        town,
        victim,
        victim.ana,
        lambda: town.slack.people.click(
            victim.ana, town.digest(victim), action, value=victim.kept.id, forged=forged
        ),
    )
    assert "is not known any more" in said


def test_the_id_of_another_teams_saving_is_theirs(town: Town, victim: Case) -> None:
    """Sent by a button of one's own digest, or in the modal that one's own digest has opened."""
    mine = named(town, "mine")
    forged = victim.kept.id
    said = told_next(
        town,
        mine,
        mine.ana,
        lambda: town.slack.people.click(
            mine.ana, town.digest(mine), APPROVE, value=mine.kept.id, forged=forged
        ),
    )
    assert "is not yours to decide" in said

    town.press(mine, REJECT)
    town.slack.wait(lambda: town.slack.views(mine.ana))
    carried = json.loads(town.slack.views(mine.ana)[-1].view["private_metadata"])
    town.slack.views(mine.ana)[-1].view["private_metadata"] = json.dumps({**carried, "id": forged})
    assert "is not yours to decide" in told_next(
        town, mine, mine.ana, lambda: town.slack.people.submit(mine.ana, {REASON: REASONED})
    )


@pytest.mark.parametrize(
    "metadata",
    ["", "null", "[]", "{", '{"id": 7}', '{"id": "' + "0" * 32 + '"}', "[" * 2900],
    ids=["none", "null", "a list", "broken", "a number", "made up", "deep"],
)
def test_a_modal_that_carries_something_else_is_refused(town: Town, victim: Case, metadata: str) -> None:
    """It is said in a direct message, as nothing tells where it was opened."""
    ana = victim.ana
    town.press(victim, REJECT)
    town.slack.wait(lambda: town.slack.views(ana))
    town.slack.views(ana)[-1].view["private_metadata"] = metadata
    direct = town.slack.world.direct(ana)
    before = len(town.slack.messages(direct))
    town.slack.people.submit(ana, {REASON: REASONED})
    town.slack.wait(lambda: len(town.slack.messages(direct)) > before)
    assert "is not known any more" in town.slack.messages(direct)[-1].text


def test_what_is_no_longer_found_cannot_be_decided(town: Town) -> None:
    """The newest look at the repository does not propose it."""
    case = named(town, "closed")
    no_longer_found(town, case)
    digest = town.digest(case)  # clients lag behind: its buttons can be pressed when they are gone
    old = replace(digest)
    for action in (APPROVE, REJECT, SNOOZE):
        click = partial(town.slack.people.click, case.ana, old, action, value=case.kept.id)
        assert "no longer proposed" in told_next(town, case, case.ana, click)
    assert "*No longer proposed*" in town.shown(case)


def test_where_no_group_is_named_nobody_decides(town: Town) -> None:
    """And it is said where one is to be named."""
    case = named(town, "nobody")
    said = told_next(town, case, case.ana, lambda: town.press(case))
    assert said.startswith("Nobody can decide about payments/api in Slack")


@pytest.mark.parametrize("how", ["an outage", "a scope that is missing", "a plan without groups"])
def test_a_group_that_cannot_be_read_lets_nobody_in(town: Town, victim: Case, how: str) -> None:
    """And says so: who may is not told that they may not."""
    service = town.slack
    if how == "an outage":
        fault = service.fault("usergroups.users.list", "500", times=None, about=(victim.group.id,))
    elif how == "a scope that is missing":
        service.scopes.discard("usergroups:read")
    else:
        service.user_groups = False
    try:
        said = told_next(town, victim, victim.ana, lambda: town.press(victim))
    finally:
        service.scopes.add("usergroups:read")
        service.user_groups = True
        if how == "an outage":
            service.faults.remove(fault)
    service.journal.violations[:] = [one for one in service.journal.violations if "missing_scope" not in one]
    assert "usergroups" in said or "cannot be read" in said
    assert "not yours" not in said


@pytest.mark.parametrize(
    "signing",
    [
        pytest.param(Signing(age=301), id="301 seconds old"),
        pytest.param(Signing(age=-330), id="of the future"),
        pytest.param(Signing(secret="another"), id="signed by somebody else"),
        pytest.param(Signing(signature="v0=" + "0" * 64), id="made up"),
        pytest.param(Signing(signature="v0=ä"), id="not ASCII"),
        pytest.param(Signing(timestamp="abc"), id="no time"),
        pytest.param(Signing(timestamp="9" * 5000), id="5,000 digits"),
    ],
)
def test_what_slack_has_not_just_signed_is_nothing(town: Town, victim: Case, signing: Signing) -> None:
    """401, and nobody is told anything."""
    before = dict(town.slack.journal.calls)
    came = town.slack.people.click(
        victim.ana, town.digest(victim), APPROVE, value=victim.kept.id, signing=signing
    )
    assert came.status == 401
    assert dict(town.slack.journal.calls) == before


def test_a_genuine_click_is_done_once_however_often_it_is_replayed(town: Town) -> None:
    """The same bytes with their own signature: at once, and by a replica of the network later."""
    case = named(town, "genuine")
    sent: Acknowledged = town.slack.people.click(case.ana, town.digest(case), APPROVE, value=case.kept.id)
    again = [town.slack.people.replay(sent) for _ in range(3)]
    assert [sent.status, *(one.status for one in again)] == [200] * 4
    be_shown(town, lambda _: APPROVED, [case])
    assert len(town.told(case, case.ana)) == 1
