"""A digest is in its channel once, whatever Slack answers."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.adapters.slack_api import SlackApi
from bot.adapters.slack_files import SlackWebFiles
from bot.digest_json import digest_json
from bot.errors import SlackRefused, SlackUnavailable
from bot.handlers.post_digest import KIND, attach_file, post_digest
from bot.handlers.show_digest import content_with, rendered
from bot.recommendation_records import KeptDigest
from tests.bot.digest_bench import NOW, Bench, digest_bench
from tests.bot.digest_messages import QUIET


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with digest_bench(tmp_path) as made:
        yield made


def test_a_digest_is_posted_and_known_by_its_message(bench: Bench) -> None:
    """With a mark that nobody sees."""
    kept = bench.post()

    [message] = bench.hub.messages(bench.channel)
    assert (kept.channel, kept.timestamp) == (bench.channel.id, message.ts)
    assert bench.records.digests.posted_at(bench.channel.id, message.ts) == kept
    assert message.metadata is not None
    assert message.metadata["event_type"] == KIND
    assert message.metadata["event_payload"].keys() == {"team", "week", "key"}


def test_a_team_may_have_a_name_of_any_length(bench: Bench) -> None:
    """What nobody sees of the message stays small, and finds it."""
    bench.hub.fault("chat.postMessage", "reset", after_effect=True)
    with pytest.raises(SlackUnavailable):
        bench.post(team="t" * 9_000)

    assert bench.post(team="t" * 9_000).timestamp == bench.hub.messages(bench.channel)[0].ts


def test_a_channel_may_be_given_by_its_name(bench: Bench) -> None:
    """What is kept is its id, which clicks name and updates need."""
    assert bench.post(channel="#checkout").channel == bench.channel.id


def test_posting_again_posts_nothing(bench: Bench) -> None:
    """Nor does it on eight threads at once."""
    start, found = threading.Barrier(8), list[KeptDigest]()

    def post() -> None:
        start.wait()
        found.append(bench.post())

    threads = [threading.Thread(target=post) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(found) == 8
    assert len({kept.timestamp for kept in found}) == 1
    assert len(bench.hub.messages(bench.channel)) == 1


@pytest.mark.parametrize("kind", ["503", "reset", "cut", "html", "internal_error"])
@pytest.mark.parametrize("taken", [True, False], ids=["taken", "not taken"])
def test_a_lost_answer_is_looked_up_before_it_is_sent_again(bench: Bench, kind: str, taken: bool) -> None:
    """Found, it is not sent; not found, it is. Another digest in the channel is not taken for it."""
    other = bench.wanted(week="2026-W46")
    post_digest(
        other,
        digests=bench.records.digests,
        messages=bench.messages,
        render=lambda content: rendered(content, {}),
        now=NOW,
    )
    bench.hub.fault("chat.postMessage", kind, after_effect=taken)
    with pytest.raises(SlackUnavailable):
        bench.post()

    kept = bench.post()
    again = bench.post()

    messages = bench.hub.messages(bench.channel)
    assert len(messages) == 2
    assert kept.timestamp == again.timestamp == messages[-1].ts
    assert bench.hub.journal.calls["conversations.history"] == 1


def test_what_was_begun_is_what_is_posted(bench: Bench) -> None:
    """A digest that was made anew after a lost answer does not take the place of the one that is kept."""
    bench.hub.fault("chat.postMessage", "503")
    with pytest.raises(SlackUnavailable):
        bench.post()
    newer = replace(
        bench.wanted(), content=content_with(digest_json(QUIET), None), begun_at=NOW + timedelta(minutes=1)
    )
    kept = post_digest(
        newer,
        digests=bench.records.digests,
        messages=bench.messages,
        render=lambda content: rendered(content, {}),
        now=NOW,
    )

    assert kept.content == bench.wanted().content
    assert "Worth approving" in str(bench.hub.messages(bench.channel)[0].blocks)


@pytest.mark.parametrize(
    ("reason", "told"),
    [
        ("channel_not_found", "Slack knows no such channel"),
        ("not_in_channel", "invite it"),
        ("is_archived", "the channel is archived"),
        ("invalid_blocks", "a mistake of Tuppence"),
        ("missing_scope", "no scope chat:write: add it, and install the app again"),
        ("token_revoked", "install the app again, set SLACK_BOT_TOKEN anew"),
    ],
)
def test_a_refusal_says_what_to_do_and_is_forgotten(bench: Bench, reason: str, told: str) -> None:
    """So that a channel that was put right gets it, with nothing searched."""
    fault = bench.hub.fault("chat.postMessage", reason, times=2)
    for _ in range(2):
        with pytest.raises(SlackRefused, match=told) as raised:
            bench.post(channel="#elsewhere")
        assert "The digest of checkout for 2026-W47" in str(raised.value)

    bench.post()

    assert fault.hits == 2
    assert len(bench.hub.messages(bench.channel)) == 1
    assert bench.hub.journal.calls["conversations.history"] == 0


def test_a_limit_is_waited_for_and_nothing_is_searched(bench: Bench) -> None:
    """Slack did not look at it; it says when to come again."""
    bench.hub.fault("chat.postMessage", "ratelimited", retry_after=7)
    with pytest.raises(SlackUnavailable) as raised:
        bench.post()
    bench.post()

    assert raised.value.retry_after == 7
    assert len(bench.hub.messages(bench.channel)) == 1
    assert bench.hub.journal.calls["conversations.history"] == 0


@pytest.mark.parametrize("reason", ["missing_scope", "not_in_channel", "channel_not_found"])
def test_where_the_channel_cannot_be_read_it_is_not_posted_again(bench: Bench, reason: str) -> None:
    """Twice is worse than a line in the log that says why."""
    bench.hub.fault("chat.postMessage", "reset", after_effect=True)
    with pytest.raises(SlackUnavailable):
        bench.post()
    bench.hub.fault("conversations.history", reason)
    with pytest.raises(SlackRefused, match=f"not posted again: .*{reason}.*channels:history"):
        bench.post()

    assert bench.post().timestamp  # once it can be read
    assert len(bench.hub.messages(bench.channel)) == 1


def attached(bench: Bench) -> bool:
    """Finance's file below the digest, if it is put there now."""
    files = SlackWebFiles(SlackApi(bench.hub.bot_token, bench.hub.api_url))
    about = ("checkout", "2026-W47", "costs.csv", b"a,b\n", "All rows")
    return attach_file(*about, digests=bench.records.digests, files=files)


def test_a_file_goes_below_the_digest_once(bench: Bench) -> None:
    """For finance: all rows, in the message's thread. Nothing is searched for that."""
    assert not attached(bench)
    kept = bench.post()

    assert attached(bench)
    assert not attached(bench)
    [file] = bench.hub.files()
    assert (file.name, file.content, file.channels) == ("costs.csv", b"a,b\n", [bench.channel.id])
    assert bench.hub.messages(bench.channel)[-1].thread_ts == kept.timestamp
    assert bench.hub.journal.calls["conversations.replies"] == 0


@pytest.mark.parametrize("taken", [True, False], ids=["taken", "not taken"])
@pytest.mark.parametrize("step", ["files.getUploadURLExternal", "files.completeUploadExternal"])
def test_a_file_whose_answer_was_lost_is_looked_for_below_the_digest(
    bench: Bench, step: str, taken: bool
) -> None:
    """As after a crash: found, it is not put there again."""
    bench.post()
    bench.hub.fault(step, "reset", after_effect=taken)
    with pytest.raises(SlackUnavailable):
        attached(bench)

    assert attached(bench) is not (taken and step == "files.completeUploadExternal")
    assert not attached(bench)
    shared = [message for message in bench.hub.messages(bench.channel) if message.files]
    assert len(shared) == 1
    assert bench.hub.journal.calls["conversations.replies"] == 1
