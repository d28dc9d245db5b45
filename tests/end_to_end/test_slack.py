"""Questions in Slack to `tuppence serve`: a process of its own, a fake Slack on loopback, kept hours of cost."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import Any

import pytest
import requests

from bot.adapters.records import Records
from bot.cost_slack import CHART, SHARE
from bot.manifests import documents
from estimators.allocate import allocate
from estimators.allocation import ClusterHour
from tests.allocation_builders import container, deployment
from tests.cost_samples import cluster_hour
from tests.end_to_end.bots import Bot, running
from tests.slack.model import Channel, Message, User
from tests.slack.service import Slack, slack

CONFIG = """
teams:
  - {name: checkout, namespaces: [payments, shop], budget_monthly: 900}
  - {name: research, namespaces: [ml]}
access:
  finance: ["*"]
  shop-people: [shop, payments]
"""
DAYS = 16
CROWDED = timedelta(hours=3)
MANIFEST = Path(__file__).parents[2] / "deploy" / "slack-app.yaml"
PATIENCE = 60.0
"""Seconds: other tests keep the machine busy."""


@pytest.fixture(scope="session")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with two weeks of a shop's cost, until now."""
    file = tmp_path_factory.mktemp("kept") / "tuppence.db"
    now = datetime.now(UTC)
    end = now.replace(minute=0, second=0, microsecond=0)
    with closing(Records(f"sqlite:///{file}")) as records:
        records.prepare()
        measured = (cluster_hour(end - timedelta(hours=back)) for back in range(24 * DAYS, 0, -1))
        hours = (allocate(_crowded(hour) if hour.hour > end - CROWDED else hour) for hour in measured)
        for _, some in groupby(hours, lambda hour: hour.hour.date()):
            records.costs.keep("prod", list(some), currency="USD", at=now)
    return file


def _crowded(hour: ClusterHour) -> ClusterHour:
    """With workloads whose names fill more than a table of Slack's."""
    many = (
        container(deployment(f"{index:02}-{'long' * 50}", "m" * 60), "n2", cpu=0.01, memory=0.02)
        for index in range(60)
    )
    return replace(hour, containers=(*hour.containers, *many))


@contextmanager
def asked(hub: Slack, kept: Path, folder: Path, config: str = CONFIG, **more: str) -> Iterator[Bot]:
    """The bot with a copy of those records."""
    (folder / "tuppence.db").write_bytes(kept.read_bytes())
    (folder / "tuppence.yaml").write_text(config)
    surroundings = {
        "SLACK_BOT_TOKEN": hub.bot_token,
        "SLACK_SIGNING_SECRET": hub.signing_secret,
        "SLACK_API_URL": hub.api_url,
        **more,
    }
    options = ("--config", str(folder / "tuppence.yaml"))
    with running(None, folder, options=options, **surroundings) as bot:
        hub.events_url = f"{bot.url}/slack/events"
        yield bot


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
    [shared] = hub.wait(lambda: hub.messages(channel), PATIENCE)
    assert "payments cost $" in shared.text
    assert f"Shared by <@{ana.id}>" in str(shared.blocks[-1])
    hub.wait(lambda: "shared this answer" in hub.ephemerals(ana, channel)[0].text, PATIENCE)
    settled(hub)
    assert len(hub.messages(channel)) == 1


def test_a_typo_gets_a_question_to_press(hub: Slack, ana: User) -> None:
    """Which is then answered."""
    channel = hub.channel("typos", ana)
    hub.people.command(ana, "/cost", "namspace payments", channel=channel)
    [said] = said_to(hub, ana, channel)
    assert said.text == "There is no namspace."
    hub.people.click(ana, said, "cost_ask_0")
    hub.wait(lambda: any("payments cost $" in it.text for it in hub.ephemerals(ana, channel)), PATIENCE)


def test_a_chart_takes_the_answers_place(hub: Slack, ana: User) -> None:
    """As a picture with words for those who do not see it, still for them alone."""
    channel = hub.channel("charts", ana)
    hub.people.command(ana, "/cost", "namespace payments", channel=channel)
    [answer] = said_to(hub, ana, channel)
    hub.people.click(ana, answer, CHART)

    def image() -> list[dict[str, Any]]:
        return [block for block in hub.ephemerals(ana, channel)[0].blocks if block["type"] == "image"]

    [shown] = hub.wait(image, PATIENCE)
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
    hub.wait(lambda: hub.home(ana), PATIENCE)
    hub.people.open_home(people["guest"])
    hub.wait(lambda: hub.home(people["guest"]), PATIENCE)
    [mine, others] = [str(home.blocks) for each in (ana, people["guest"]) if (home := hub.home(each))]
    assert "*checkout* $" in mine
    assert "*research* $" in mine
    assert "full members" in others
    assert "$" not in others


def test_groups_that_cannot_be_read_have_nobody(kept: Path, tmp_path: Path) -> None:
    """As on a free plan: refused, not shown."""
    with slack() as free, asked(free, kept, tmp_path):
        free.user_groups = False
        eva = free.person("eva")
        free.people.command(eva, "/cost", "namespace payments")
        [said] = free.wait(lambda: free.ephemerals(eva), PATIENCE)
        assert said.text == ("What payments costs is not yours to see. People in finance or shop-people may.")
        free.assert_clean()


def test_the_same_request_twice_is_answered_once(hub: Slack, ana: User) -> None:
    """Slack itself sends again what was answered late."""
    channel = hub.channel("twice", ana)
    hub.people.replay(hub.people.command(ana, "/cost", "top 3", channel=channel))
    said_to(hub, ana, channel)
    settled(hub)
    assert len(hub.ephemerals(ana, channel)) == 1


def test_an_answer_that_came_too_late_is_told_in_the_channel(kept: Path, tmp_path: Path) -> None:
    """By the app itself where it is a member; elsewhere nothing more can be done."""
    with slack() as late, asked(late, kept, tmp_path, config="") as bot:
        late.install(documents.read(MANIFEST.read_bytes()).documents[0].body)
        ana = late.person("ana")
        here, there = late.channel("here", ana), late.channel("there", ana, with_bot=False)
        late.fault("response_url", "ratelimited", times=2, retry_after=1)
        for channel in (here, there):
            late.people.command(ana, "/cost", "top 3", channel=channel)
        late.wait(lambda: late.journal.calls["response_url"], PATIENCE)
        late.advance(31 * 60)
        [said] = late.wait(lambda: late.ephemerals(ana, here), PATIENCE)
        assert said.via == "chat.postEphemeral"
        late.wait(lambda: late.journal.of("chat.postEphemeral", channel=there.id), PATIENCE)
        assert late.ephemerals(ana, there) == []
        assert bot.ready()
        assert late.journal.used_scopes == {"users:read", "chat:write"}


def test_rows_that_a_message_cannot_hold_are_sent_as_a_file(kept: Path, tmp_path: Path) -> None:
    """To whoever asked, in their direct messages; with this every scope of the manifest was needed."""
    with slack() as hub, asked(hub, kept, tmp_path):
        hub.install(documents.read(MANIFEST.read_bytes()).documents[0].body)
        ana = hub.person("ana")
        hub.group("finance", ana)
        channel = hub.channel("crowded", ana)
        hub.people.command(ana, "/cost", "top 50", channel=channel)
        [said] = said_to(hub, ana, channel)
        assert "I sent you a file with all of them" in str(said.blocks[-1])
        [file] = hub.files()
        assert file.content is not None
        assert file.content.decode().count("\n") >= 50
        [place] = file.channels
        assert hub.world.direct(ana).id == place
        assert hub.unused_scopes() == {"chat:write"}  # for what comes too late
        hub.assert_clean()


def test_what_cannot_be_answered_is_said_in_plain_words_once(kept: Path, tmp_path: Path) -> None:
    """When Slack does not say who somebody is, nothing is shown."""
    with slack() as broken, asked(broken, kept, tmp_path, config=""):
        ana = broken.person("ana")
        broken.fault("users.info", "internal_error", times=None)
        broken.people.command(ana, "/cost", "top 3")
        [said] = broken.wait(lambda: broken.ephemerals(ana), PATIENCE)
        assert said.text.startswith("Sorry, that did not work: Slack could not do users.info now.")


def test_a_worker_that_dies_meanwhile_answers_once(kept: Path, tmp_path: Path) -> None:
    """Its successor goes on with what is stored."""
    with slack() as hub, asked(hub, kept, tmp_path, config="") as bot:
        ana = hub.person("ana")
        hub.fault("users.info", "timeout", times=1, seconds=8)
        hub.people.command(ana, "/cost", "top 3")
        hub.wait(lambda: hub.journal.calls["users.info"], PATIENCE)
        bot.kill_worker()
        [said] = hub.wait(lambda: hub.ephemerals(ana), PATIENCE)
        assert "cost" in said.text
        settled(hub)
        assert len(hub.ephemerals(ana)) == 1


def test_socket_mode_needs_no_address_of_ours(kept: Path, tmp_path: Path) -> None:
    """It connects again when Slack hangs up, and says so while it is not connected."""
    with slack() as hub:
        token = {"SLACK_SIGNING_SECRET": "", "SLACK_APP_TOKEN": hub.app_token}
        with asked(hub, kept, tmp_path, config="", **token) as bot:
            hub.events_url = None
            ana = hub.person("ana")
            assert hub.people.command(ana, "/cost", "top 3").in_time
            hub.wait(lambda: hub.ephemerals(ana), PATIENCE)
            for opened, hang_up in ((2, hub.sockets.disconnect), (3, hub.sockets.close)):
                hub.advance(120)  # Slack lets nobody connect more often than once a minute
                hang_up()
                hub.wait(partial(_connected, hub, opened), PATIENCE)
                hub.wait(bot.ready, PATIENCE)
            assert hub.people.command(ana, "/cost", "idle").in_time
            hub.wait(lambda: hub.ephemerals(ana)[1:], PATIENCE)
            assert requests.post(f"{bot.url}/slack/events", timeout=5).status_code == 404
            assert bot.end(signal.SIGTERM) == 0
        hub.assert_clean()


def _connected(hub: Slack, opened: int) -> bool:
    return hub.journal.calls["apps.connections.open"] >= opened and hub.sockets.connected == 1


def test_a_hundred_commands_at_once(kept: Path, tmp_path: Path) -> None:
    """Each is acknowledged within a second and answered; the processes do not grow."""
    with slack() as hub, asked(hub, kept, tmp_path, config="") as bot:
        people = [hub.person(f"person{number}") for number in range(100)]
        held = []
        for answers in (1, 2, 3):
            assert max(_ask_at_once(hub, people)) < 1
            hub.wait(partial(_all_have, hub, people, answers), PATIENCE)
            held.append(bot.megabytes())
        assert held[2] < held[0] * 1.1
        hub.assert_clean()


def _ask_at_once(hub: Slack, people: list[User]) -> list[float]:
    """How long each acknowledgement took, in seconds."""
    with ThreadPoolExecutor(len(people)) as at_once:
        came = at_once.map(lambda user: hub.people.command(user, "/cost", "namespace payments"), people)
        return [each.seconds for each in came]


def _all_have(hub: Slack, people: list[User], answers: int) -> bool:
    return all(len(hub.ephemerals(user)) == answers for user in people)


def said_to(hub: Slack, user: User, channel: Channel, least: int = 1) -> list[Message]:
    """What somebody alone sees in a channel, once that is so much."""
    hub.wait(lambda: hub.ephemerals(user, channel)[least - 1 :], PATIENCE)
    return hub.ephemerals(user, channel)


def settled(hub: Slack, seconds: float = 1.5) -> None:
    """Time in which a second answer would come."""
    before = dict(hub.journal.calls)
    time.sleep(seconds)
    assert dict(hub.journal.calls) == before
