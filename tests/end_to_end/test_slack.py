"""Questions in Slack to `tuppence serve`: a process of its own, a fake Slack on loopback, kept hours of cost."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.cost_slack import CHART, SHARE
from tests.end_to_end.slack_bots import asked, said_to, settled
from tests.slack.model import User
from tests.slack.service import Slack, slack


@pytest.fixture(scope="module")
def hub(kept: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Slack]:
    """One bot for all tests that leave it as it is."""
    with slack() as service, asked(service, kept, tmp_path_factory.mktemp("bot")):
        yield service
        service.assert_clean()


@pytest.fixture(scope="module")
def people(hub: Slack) -> dict[str, User]:
    """Who is in which group; who belongs to them is remembered for a minute."""
    elsewhere = hub.workspace("elsewhere")
    found = {
        "ana": hub.person("ana"),
        "bea": hub.person("bea"),
        "guest": hub.person("guest", guest=True),
        "guest of one channel": hub.person("visitor", single_channel_guest=True),
        "stranger": hub.person("stranger", stranger=True, team=elsewhere),
        "gone": hub.person("gone", deleted=True),
    }
    hub.group("finance", *(user for name, user in found.items() if name != "bea"))
    hub.group("shop-people", found["bea"])
    return found


@pytest.fixture
def ana(people: dict[str, User]) -> User:
    """Who may see everything."""
    return people["ana"]


def test_a_question_is_answered_to_whoever_asked(hub: Slack, ana: User) -> None:
    """In the channel, and nobody else sees it."""
    channel = hub.channel("costs", ana)

    assert hub.people.command(ana, "/cost", "namespace payments", channel=channel).in_time

    [said] = said_to(hub, ana, channel)
    assert "payments cost $" in said.text
    assert hub.messages(channel) == []


def test_an_answer_is_shared_with_the_channel_once(hub: Slack, ana: User) -> None:
    """With who shared it, however often they press; what they alone saw says so."""
    channel = hub.channel("shared", ana, with_bot=False)
    hub.people.command(ana, "/cost", "namespace payments", channel=channel)
    [answer] = said_to(hub, ana, channel)
    for _ in range(2):
        hub.people.click(ana, answer, SHARE)
    [shared] = hub.wait(lambda: hub.messages(channel))
    assert "payments cost $" in shared.text
    assert f"Shared by <@{ana.id}>" in str(shared.blocks[-1])
    hub.wait(lambda: "shared this answer" in hub.ephemerals(ana, channel)[0].text)
    settled(hub)
    assert len(hub.messages(channel)) == 1


def test_a_typo_gets_a_question_to_press(hub: Slack, ana: User) -> None:
    """Which is then answered."""
    channel = hub.channel("typos", ana)
    hub.people.command(ana, "/cost", "namspace payments", channel=channel)
    [said] = said_to(hub, ana, channel)
    assert said.text == "There is no question called namspace."
    hub.people.click(ana, said, "cost_ask_0")
    hub.wait(lambda: any("payments cost $" in it.text for it in hub.ephemerals(ana, channel)))


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("environment PRODUCTION", "Environment production cost $"),
        ("label tier=web", "Workloads with tier=web cost $"),
        ("node n0", "Node n0 cost $"),
    ],
)
def test_costs_are_told_by_label_and_by_node(hub: Slack, ana: User, question: str, told: str) -> None:
    """As labels say it, in any case of letters."""
    channel = hub.channel(f"grouped by {question}", ana)
    hub.people.command(ana, "/cost", question, channel=channel)
    hub.wait(lambda: any(told in it.text for it in hub.ephemerals(ana, channel)))


def test_a_chart_takes_the_answers_place(hub: Slack, ana: User) -> None:
    """As a picture with words for those who do not see it, still for them alone."""
    channel = hub.channel("charts", ana)
    hub.people.command(ana, "/cost", "namespace payments", channel=channel)
    [answer] = said_to(hub, ana, channel)
    hub.people.click(ana, answer, CHART)

    def image() -> list[dict[str, Any]]:
        return [block for block in hub.ephemerals(ana, channel)[0].blocks if block["type"] == "image"]

    [shown] = hub.wait(image)
    assert shown["alt_text"].startswith("Bar chart of ")
    assert "payments" in shown["alt_text"]
    [file] = [it for it in hub.files() if it.id == shown["slack_file"]["id"]]
    assert file.content is not None
    assert file.content.startswith(b"\x89PNG")
    assert (file.channels, file.alt_text) == ([], shown["alt_text"])
    assert hub.messages(channel) == []


def test_whoever_may_not_see_a_namespace_learns_whom_to_ask(
    hub: Slack, ana: User, people: dict[str, User]
) -> None:
    """And nothing of it; nor do they by somebody else's button or one they forged."""
    bea = people["bea"]
    channel = hub.channel("refused", ana, bea)
    for words in ("namespace ml", "workload ml/trainer", "gpu", "idle", "namespace nowhere"):
        hub.people.command(bea, "/cost", words, channel=channel)
    told = said_to(hub, bea, channel, 5)
    assert {it.text for it in told} >= {
        "What ml costs is not yours to see. People in finance may.",
        "What nowhere costs is not yours to see. People in finance may.",
    }
    hub.people.command(bea, "/cost", "namespace payments", channel=channel)
    said_to(hub, bea, channel, 6)
    hub.people.click(bea, hub.ephemerals(bea, channel)[5], SHARE, forged="namespace ml")
    hub.people.click(bea, hub.ephemerals(bea, channel)[5], CHART, forged="workload ml/trainer chart")
    said_to(hub, bea, channel, 8)
    assert hub.messages(channel) == []
    assert not any("$" in it.text for it in hub.ephemerals(bea, channel) if "ml" in it.text)


@pytest.mark.parametrize(
    "forged",
    ["", "x" * 2000, "<!channel>", '{"question": "namespace ml"}', "\u202epayments", "namespace a b c"],
    ids=["nothing", "long", "mention", "JSON", "bidi", "too many words"],
)
def test_a_forged_button_is_a_question_nobody_understands(hub: Slack, ana: User, forged: str) -> None:
    """It is told so in words that hold no mention."""
    channel = hub.channel(f"forged{len(hub.world.channels)}", ana)
    hub.people.command(ana, "/cost", "namespace payments", channel=channel)
    [answer] = said_to(hub, ana, channel)
    hub.people.click(ana, answer, CHART, forged=forged)
    said = said_to(hub, ana, channel, 2)
    assert "<!channel>" not in str(said[1].content)
    assert hub.messages(channel) == []


@pytest.mark.parametrize("kind", ["guest", "guest of one channel", "stranger", "gone"])
def test_only_full_members_are_told_what_things_cost(
    hub: Slack, ana: User, people: dict[str, User], kind: str
) -> None:
    """Others are told whom to ask, in whatever group they are, whether they ask or press."""
    other = people[kind]
    channel = hub.channel(f"open{len(hub.world.channels)}", ana, other, shared=True)
    hub.people.command(other, "/cost", "namespace payments", channel=channel)
    [said] = said_to(hub, other, channel)
    assert said.text.startswith("Costs are told to full members of this workspace only.")
    hub.people.command(ana, "/cost", "namespace payments", channel=channel)
    [answer] = said_to(hub, ana, channel)
    hub.people.click(other, answer, SHARE, team=other.team)
    said_to(hub, other, channel, 2)
    assert hub.messages(channel) == []


def test_home_shows_what_is_somebodys_own(hub: Slack, ana: User, people: dict[str, User]) -> None:
    """Teams this month beside the last one, and nothing to a guest."""
    hub.people.open_home(ana)
    hub.wait(lambda: hub.home(ana))
    hub.people.open_home(people["guest"])
    hub.wait(lambda: hub.home(people["guest"]))
    [mine, others] = [str(home.blocks) for each in (ana, people["guest"]) if (home := hub.home(each))]
    assert "*checkout* $" in mine
    assert "*research* $" in mine
    assert "full members" in others
    assert "$" not in others


def test_the_same_request_twice_is_answered_once(hub: Slack, ana: User) -> None:
    """Slack itself sends again what was answered late."""
    channel = hub.channel("twice", ana)
    hub.people.replay(hub.people.command(ana, "/cost", "top 3", channel=channel))
    said_to(hub, ana, channel)
    settled(hub)
    assert len(hub.ephemerals(ana, channel)) == 1
