"""Decisions about recommendations in Slack to `tuppence serve`: a process of its own, a fake Slack on loopback."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.adapters.records import Records
from bot.adapters.slack_api import SlackApi
from bot.adapters.slack_messages import SlackWebMessages
from bot.digest_json import digest_json
from bot.handlers.post_digest import post_digest
from bot.handlers.show_digest import content_with, rendered
from bot.manifests import documents
from bot.recommendation_json import recommendation_json
from bot.recommendation_records import KeptDigest, KeptRecommendation, id_of
from bot.recommendation_slack import APPROVE, REASON, REJECT, SNOOZE, WHY
from tests.bot.decidable import FOUND, KEPT, scan
from tests.bot.digest_messages import ITEMS, TEAM
from tests.end_to_end.slack_bots import MANIFEST, asked
from tests.slack.model import Channel, Message, User
from tests.slack.service import Slack, slack

CONFIG = """
teams:
  - {name: checkout, namespaces: [search], approvers: {slack_group: sre}}
"""
CASES = ("rejected", "snoozed", "asked", "late", "approved")
LISTED = ("listed", "parked")
"""What no digest tells."""
NOW = datetime.now(UTC)


def recommendation(name: str) -> KeptRecommendation:
    """One for each test."""
    found = replace(FOUND, key=FOUND.key._replace(name=name))
    return replace(
        KEPT,
        id=id_of(7, found),
        subject=name,
        name=name,
        recommendation={**recommendation_json(found), "currency": "USD"},
    )


RECOMMENDATIONS = {name: recommendation(name) for name in (*CASES, *LISTED)}


@dataclass(slots=True)
class Monday:
    """A bot, a digest in its channel, and who reads it."""

    hub: Slack
    channel: Channel
    ana: User
    bea: User
    guest: User

    @property
    def digest(self) -> Message:
        [message] = self.hub.messages(self.channel)
        return message

    def press(self, user: User, action: str, name: str) -> None:
        came = self.hub.people.click(user, self.digest, action, value=RECOMMENDATIONS[name].id)
        assert (came.status, came.body) == (200, "")

    def told(self, user: User, count: int) -> str:
        """The newest of so many messages for somebody alone."""
        found: list[Message] = self.hub.wait(lambda: self.hub.ephemerals(user, self.channel)[count - 1 :])
        return found[0].text

    def shows(self, text: str) -> None:
        """Wait until the digest does."""
        self.hub.wait(lambda: text in json.dumps(self.digest.blocks, ensure_ascii=False))


@pytest.fixture(scope="module")
def monday(kept: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Monday]:
    """The app as its manifest declares it; who is in a group is made known before the bot asks."""
    folder = tmp_path_factory.mktemp("decisions")
    database = folder / "before.db"
    database.write_bytes(kept.read_bytes())
    with slack() as hub:
        hub.install(documents.read(MANIFEST.read_bytes()).documents[0].body)
        ana, bea, guest = hub.person("ana"), hub.person("bea"), hub.person("guest", guest=True)
        hub.group("sre", ana, guest)
        channel = hub.channel("checkout", ana, bea, guest)
        with closing(Records(f"sqlite:///{database}")) as records:
            records.recommendations.replace(scan(NOW), list(RECOMMENDATIONS.values()))
            told = (RECOMMENDATIONS[name] for name in CASES)
            items = tuple(replace(ITEMS[0], id=one.id, workload=one.name) for one in told)
            content = content_with(digest_json(replace(TEAM, recommendations=items)), None)
            post_digest(
                KeptDigest(
                    team="checkout", week=TEAM.week, channel=channel.id, content=content, begun_at=NOW
                ),
                digests=records.digests,
                messages=SlackWebMessages(SlackApi(hub.bot_token, hub.api_url)),
                render=lambda each: rendered(each, {}),
                now=NOW,
            )
        with asked(hub, database, folder, config=CONFIG):
            yield Monday(hub, channel, ana, bea, guest)
        hub.assert_clean()


def test_a_reason_is_asked_for_in_time_and_shown_to_all(monday: Monday) -> None:
    """Within the three seconds that Slack gives, and what is said is not markup."""
    began = time.time()
    monday.press(monday.ana, REJECT, "rejected")
    monday.hub.wait(lambda: monday.hub.views(monday.ana))
    assert monday.hub.journal.of("views.open")[0].at - began < 3
    monday.hub.people.submit(monday.ana, {REASON: "sized for <!channel> in December"})

    monday.shows("*Rejected* by Ana: sized for &lt;!channel&gt; in December")
    assert "You rejected search/rejected" in monday.told(monday.ana, 1)
    assert RECOMMENDATIONS["snoozed"].id in json.dumps(monday.digest.blocks)


def test_a_snooze_and_a_question(monday: Monday) -> None:
    """The one is shown to all, the answer to whoever asked."""
    before = len(monday.hub.ephemerals(monday.ana, monday.channel))
    monday.press(monday.ana, SNOOZE, "snoozed")
    monday.shows("*Snoozed* by Ana until ")
    assert "is snoozed until" in monday.told(monday.ana, before + 1)
    monday.press(monday.bea, WHY, "asked")
    assert monday.told(monday.bea, 1) == "Why search/asked?"


def test_a_modal_that_came_too_late_can_be_asked_for_again(monday: Monday) -> None:
    """By the button that comes with the answer; the digest is the one that is written anew."""
    before = len(monday.hub.ephemerals(monday.ana, monday.channel))
    monday.hub.fault("views.open", "expired_trigger_id")
    monday.press(monday.ana, REJECT, "late")
    assert "three seconds" in monday.told(monday.ana, before + 1)
    again = monday.hub.ephemerals(monday.ana, monday.channel)[before]
    opened = len(monday.hub.journal.of("views.open"))
    monday.hub.people.click(monday.ana, again, REJECT)
    monday.hub.wait(lambda: len(monday.hub.journal.of("views.open")) > opened)
    monday.hub.people.submit(monday.ana, {REASON: "not now"})

    monday.shows("*Rejected* by Ana: not now")


def test_savings_are_asked_for_and_decided_in_the_answer(monday: Monday) -> None:
    """Which is written anew: after a click, and after a reason that is asked for as everywhere."""
    hub, ana = monday.hub, monday.ana

    def says(text: str) -> Message:
        found: list[Message] = hub.wait(
            lambda: [one for one in hub.ephemerals(ana, monday.channel) if text in str(one.content)]
        )
        return found[-1]

    hub.people.command(ana, "/cost", "savings search/listed", channel=monday.channel)
    answer = says("*1 change* is worth approving in *search/listed*")
    hub.people.click(ana, answer, SNOOZE)
    says("Nothing is worth approving in *search/listed* now.")
    says("Ana snoozed it until")
    says("search/listed is snoozed until")
    assert not [one for one in hub.ephemerals(ana, monday.channel) if "1 change" in one.text]

    hub.people.command(ana, "/cost", "savings search/parked", channel=monday.channel)
    answer, opened = (
        says("*1 change* is worth approving in *search/parked*"),
        len(hub.journal.of("views.open")),
    )
    hub.people.click(ana, answer, REJECT)
    hub.wait(lambda: len(hub.journal.of("views.open")) > opened)
    hub.people.submit(ana, {REASON: "sized for the sale"})
    says("Nothing is worth approving in *search/parked* now.")
    says("Ana rejected it")
    says("You rejected search/parked")
    assert not [one for one in hub.ephemerals(ana, monday.channel) if "1 change" in one.text]


def test_nobody_else_decides(monday: Monday) -> None:
    """Whoever is in no group, a guest, and a button whose value was forged."""
    before = {
        user.id: len(monday.hub.ephemerals(user, monday.channel)) for user in (monday.bea, monday.guest)
    }
    monday.press(monday.bea, APPROVE, "approved")
    assert "is not yours to decide: `sre` may." in monday.told(monday.bea, before[monday.bea.id] + 1)
    monday.press(monday.guest, APPROVE, "approved")
    assert "full members" in monday.told(monday.guest, before[monday.guest.id] + 1)
    monday.hub.people.click(
        monday.bea, monday.digest, APPROVE, value=RECOMMENDATIONS["approved"].id, forged="<!channel>"
    )
    assert "not known any more" in monday.told(monday.bea, before[monday.bea.id] + 2)
    assert RECOMMENDATIONS["approved"].id in json.dumps(monday.digest.blocks)


def test_nothing_is_approved_that_nobody_would_carry_out(monday: Monday) -> None:
    """The bot here has no GitHub App."""
    before = len(monday.hub.ephemerals(monday.ana, monday.channel))
    monday.press(monday.ana, APPROVE, "approved")

    assert "without a GitHub App" in monday.told(monday.ana, before + 1)
    assert RECOMMENDATIONS["approved"].id in json.dumps(monday.digest.blocks)
