"""Who is who in Slack, asked of the fake Slack over HTTP."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from bot.adapters.slack_api import SlackApi
from bot.adapters.slack_people import SlackWebPeople
from bot.errors import SlackRefused, SlackUnavailable
from tests.slack.service import Slack, slack


@dataclass(slots=True)
class Clock:
    """Seconds that pass when a test says so."""

    now: float = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def hub() -> Iterator[Slack]:
    with slack() as running:
        yield running


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def people(hub: Slack, clock: Clock) -> SlackWebPeople:
    return SlackWebPeople(SlackApi(hub.bot_token, hub.api_url), clock)


def test_a_member_is_one_and_nobody_else(hub: Slack, people: SlackWebPeople) -> None:
    """No guest, stranger, bot, or whoever left; and nobody whom Slack does not know."""
    elsewhere = hub.workspace("elsewhere")
    others = [
        hub.person("guest", guest=True),
        hub.person("visitor", single_channel_guest=True),
        hub.person("stranger", team=elsewhere, stranger=True),
        hub.person("neighbour", team=elsewhere),
        hub.person("robot", is_bot=True),
        hub.person("gone", deleted=True),
    ]
    assert people.person(hub.person("ana").id).member
    assert not any(people.person(user.id).member for user in others)
    assert not people.person("U404").member
    assert people.person(hub.person("bea meyer").id).name == "Bea Meyer"
    assert people.person("U404").name == ""


def test_another_workspace_of_the_same_organisation_is_ours(hub: Slack, people: SlackWebPeople) -> None:
    """Of an Enterprise Grid; another organisation's is not."""
    hub.team.enterprise_id = "E1"
    sister, other = hub.workspace("sister", enterprise_id="E1"), hub.workspace("other", enterprise_id="E2")
    assert people.person(hub.person("bea", team=sister).id).member
    assert not people.person(hub.person("eve", team=other).id).member


def test_a_group_is_named_by_its_handle_or_its_id(hub: Slack, people: SlackWebPeople) -> None:
    """With or without the sign that people put before it."""
    ana, bea = hub.person("ana"), hub.person("bea")
    group = hub.group("finance", ana)
    for name in ("finance", "@finance", group.id):
        assert people.in_group(ana.id, name)
        assert not people.in_group(bea.id, name)
    assert not people.in_group(ana.id, "")
    assert not people.in_group(ana.id, "nobody-named-it")


def test_what_cannot_be_read_counts_against_them(hub: Slack, people: SlackWebPeople) -> None:
    """And is known not to be read: no groups on a free plan, no scope for them or for people."""
    ana = hub.person("ana")
    group = hub.group("finance", ana)
    hub.user_groups = False
    assert people.in_group(ana.id, group.id) is None
    hub.user_groups = True
    hub.scopes.difference_update({"usergroups:read", "users:read"})
    assert people.in_group(ana.id, group.id, fresh=True) is None
    with pytest.raises(SlackRefused, match="missing_scope, add the scope users:read and install"):
        people.person(ana.id)


@pytest.mark.parametrize("reason", ["invalid_auth", "token_revoked", "account_inactive"])
def test_a_token_that_slack_does_not_take_counts_against_nobody(
    hub: Slack, people: SlackWebPeople, reason: str
) -> None:
    """Whoever is in a group is not told that they are in none: an administrator has to renew it."""
    ana = hub.person("ana")
    group = hub.group("finance", ana)
    assert people.person(ana.id).member
    hub.fault("usergroups.users.list", reason)
    with pytest.raises(SlackRefused, match=rf"\({reason}\); an administrator has to install") as raised:
        people.in_group(ana.id, group.id)
    assert raised.value.denied
    assert hub.bot_token not in str(raised.value)


def test_an_outage_is_no_refusal(hub: Slack, people: SlackWebPeople) -> None:
    """It is tried again, instead of telling somebody that they may not see what they may."""
    ana = hub.person("ana")
    hub.fault("users.info", "internal_error")
    with pytest.raises(SlackUnavailable):
        people.person(ana.id)
    assert people.person(ana.id).member


def test_what_is_remembered_counts_for_questions_alone(
    hub: Slack, people: SlackWebPeople, clock: Clock
) -> None:
    """For a minute; what must hold now is asked anew."""
    ana = hub.person("ana")
    group = hub.group("finance", ana)
    assert people.in_group(ana.id, "finance")
    group.members.clear()
    assert people.in_group(ana.id, "finance")
    assert not people.in_group(ana.id, "finance", fresh=True)
    group.members.append(ana.id)
    assert not people.in_group(ana.id, "finance")
    clock.now += 61
    assert people.in_group(ana.id, "finance")


def test_who_has_become_a_guest_is_none_of_ours_when_it_must_hold_now(
    hub: Slack, people: SlackWebPeople
) -> None:
    """A question may be answered to them for some minutes more."""
    ana = hub.person("ana")
    assert people.person(ana.id).member
    ana.is_restricted = True
    assert people.person(ana.id).member
    assert not people.person(ana.id, fresh=True).member
    assert not people.person(ana.id).member
