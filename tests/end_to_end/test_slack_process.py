"""The bot in Slack as a process: under load, over a kill, while Slack is away, by each way to be reached."""

from __future__ import annotations

import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import pytest
import requests

from bot.manifests import documents
from tests.end_to_end.bots import ROOT, Bot
from tests.end_to_end.slack_bots import MANIFEST, asked, said_to, settled
from tests.end_to_end.stories import HURRIED
from tests.slack.delivery import PATIENCE
from tests.slack.model import User
from tests.slack.service import Slack, slack


def test_groups_that_cannot_be_read_have_nobody(kept: Path, tmp_path: Path) -> None:
    """As on a free plan: refused, not shown."""
    with slack() as free, asked(free, kept, tmp_path):
        free.user_groups = False
        eva = free.person("eva")
        free.people.command(eva, "/cost", "namespace payments")
        [said] = free.wait(lambda: free.ephemerals(eva))
        assert said.text == ("What payments costs is not yours to see. People in finance or shop-people may.")
        free.assert_clean()


def test_an_answer_that_came_too_late_is_told_in_the_channel(kept: Path, tmp_path: Path) -> None:
    """By the app itself where it is a member; elsewhere nothing more can be done."""
    with slack() as late, asked(late, kept, tmp_path, config="") as bot:
        late.install(documents.read(MANIFEST.read_bytes()).documents[0].body)
        ana = late.person("ana")
        here, there = late.channel("here", ana), late.channel("there", ana, with_bot=False)
        late.fault("response_url", "ratelimited", times=2, retry_after=1)
        for channel in (here, there):
            late.people.command(ana, "/cost", "top 3", channel=channel)
        late.wait(lambda: late.journal.calls["response_url"])
        late.advance(31 * 60)
        [said] = late.wait(lambda: late.ephemerals(ana, here))
        assert said.via == "chat.postEphemeral"
        late.wait(lambda: late.journal.of("chat.postEphemeral", channel=there.id))
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
        # Digests are posted, and looked for after a lost answer; an answer may come too late.
        assert hub.unused_scopes() == {"chat:write", "channels:history", "groups:history"}
        hub.assert_clean()


def test_what_cannot_be_answered_is_said_in_plain_words_once(kept: Path, tmp_path: Path) -> None:
    """When Slack does not say who somebody is, nothing is shown."""
    with slack() as broken, asked(broken, kept, tmp_path, config="", program=HURRIED):
        ana = broken.person("ana")
        broken.fault("users.info", "internal_error", times=None)
        broken.people.command(ana, "/cost", "top 3")
        [said] = broken.wait(lambda: broken.ephemerals(ana))
        assert said.text.startswith("Sorry, that did not work: Slack could not do users.info now. Please ask")


def test_a_token_that_was_revoked_is_told_as_that(kept: Path, tmp_path: Path) -> None:
    """At once: asking again would not help."""
    with slack() as revoked, asked(revoked, kept, tmp_path, config=""):
        ana = revoked.person("ana")
        revoked.revoke()
        revoked.people.command(ana, "/cost", "top 3")
        [said] = revoked.wait(lambda: revoked.ephemerals(ana))
        assert said.text == (
            "Sorry, that did not work: Slack refuses the bot's access at users.info (token_revoked); "
            "an administrator has to install the app again and set SLACK_BOT_TOKEN anew."
        )
        assert revoked.journal.calls["users.info"] == 1


def test_a_worker_that_dies_meanwhile_answers_once(kept: Path, tmp_path: Path) -> None:
    """Its successor goes on with what is stored."""
    with slack() as hub, asked(hub, kept, tmp_path, config="") as bot:
        ana = hub.person("ana")
        hub.fault("users.info", "hang", times=1, seconds=8)
        hub.people.command(ana, "/cost", "top 3")
        hub.wait(lambda: hub.journal.calls["users.info"])
        bot.kill_worker()
        [said] = hub.wait(lambda: hub.ephemerals(ana))
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
            hub.wait(lambda: hub.ephemerals(ana))
            for opened, hang_up in ((2, hub.sockets.disconnect), (3, hub.sockets.close)):
                hub.advance(120)  # Slack lets nobody connect more often than once a minute
                hang_up()
                hub.wait(partial(_connected, hub, opened))
                hub.wait(bot.ready)
            assert hub.people.command(ana, "/cost", "idle").in_time
            hub.wait(lambda: hub.ephemerals(ana)[1:])
            metrics = requests.get(f"{bot.url}/metrics", timeout=5).text
            assert 'tuppence_slack_requests_total{outcome="taken"} 2.0' in metrics
            assert "tuppence_slack_acknowledgement_seconds_count 2.0" in metrics
            assert requests.post(f"{bot.url}/slack/events", timeout=5).status_code == 404
            assert bot.end(signal.SIGTERM) == 0
        hub.assert_clean()


def test_slack_may_be_down_at_the_start(kept: Path, tmp_path: Path) -> None:
    """In Socket Mode the bot waits for it, and says that nobody is heard."""
    with slack() as hub:
        token = {"SLACK_SIGNING_SECRET": "", "SLACK_APP_TOKEN": hub.app_token}
        hub.fault("apps.connections.open", "internal_error", times=3)
        with asked(hub, kept, tmp_path, config="", **token):
            hub.events_url = None
            assert hub.journal.calls["apps.connections.open"] >= 3
            ana = hub.person("ana")
            hub.people.command(ana, "/cost", "help")
            hub.wait(lambda: hub.ephemerals(ana))


def _connected(hub: Slack, opened: int) -> bool:
    return hub.journal.calls["apps.connections.open"] >= opened and hub.sockets.connected == 1


def test_a_hundred_commands_at_once(kept: Path, tmp_path: Path) -> None:
    """Acknowledged together in a second, whatever the worker does, and answered; the processes do not grow."""
    with slack(late_after=PATIENCE) as hub, asked(hub, kept, tmp_path, config="") as bot:
        people = [hub.person(f"person{number}") for number in range(100)]
        held = []
        for answers in (1, 2, 3):
            before = bot.listening_seconds()
            with bot.worker_stands_still():
                _ask_at_once(hub, people)
            assert bot.listening_seconds() - before < 1
            hub.wait(partial(_all_have, hub, people, answers))
            held.append(bot.megabytes())
        assert held[2] < held[0] * 1.1
        hub.assert_clean()


def _ask_at_once(hub: Slack, people: list[User]) -> None:
    """Each until they are acknowledged."""
    with ThreadPoolExecutor(len(people)) as at_once:
        came = at_once.map(lambda user: hub.people.command(user, "/cost", "namespace payments"), people)
        assert {each.status for each in came} == {200}


def _all_have(hub: Slack, people: list[User], answers: int) -> bool:
    return all(len(hub.ephemerals(user)) == answers for user in people)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"SLACK_BOT_TOKEN": "xoxb-1"}, "SLACK_SIGNING_SECRET: not set"),
        ({"SLACK_SIGNING_SECRET": "s"}, "SLACK_BOT_TOKEN: not set"),
        ({"SLACK_APP_TOKEN": "xapp-1"}, "SLACK_BOT_TOKEN: not set"),
    ],
)
def test_half_a_slack_app_is_refused(given: dict[str, str], said: str, tmp_path: Path) -> None:
    """In one line, before anything listens."""
    bot = Bot(None, tmp_path, 0, **given)
    done = subprocess.run(
        [sys.executable, "-m", "bot", "serve"], cwd=ROOT, env=bot.environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stderr.count("\n") == 1
