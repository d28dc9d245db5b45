"""Digests show what was decided about their recommendations, and what came of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from bot.adapters.slack_api import SlackApi
from bot.adapters.slack_files import SlackWebFiles
from bot.digest import ItemState
from bot.digest_json import digest_json
from bot.digest_slack import Picture
from bot.errors import SlackRefused
from bot.handlers.post_digest import post_digest
from bot.handlers.show_digest import content_with, rendered, show_became, tell_approver
from bot.recommendation_records import KeptDigest, RightSizingPull
from tests.bot.decidable import KEPT, scan
from tests.bot.digest_bench import MINE, NOW, Bench, digest_bench
from tests.bot.digest_messages import ITEMS


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with digest_bench(tmp_path) as made:
        yield made


def test_a_decision_is_shown_in_the_digest(bench: Bench) -> None:
    """In each of the last weeks, wherever it was clicked; the picture stays."""
    name = SlackWebFiles(SlackApi(bench.hub.bot_token, bench.hub.api_url)).picture("d.png", b"png", "days")
    content = content_with(digest_json(MINE), Picture(name, "days"))
    older = replace(bench.wanted(week="2026-W46"), content=content)
    first = post_digest(
        older,
        digests=bench.records.digests,
        messages=bench.messages,
        render=lambda each: rendered(each, {}),
        now=NOW,
    )
    bench.post()
    bench.decide("approve")

    assert bench.show(first.channel, first.timestamp) == 2
    for message in bench.hub.messages(bench.channel):
        assert "*Approved* by Ana Schmidt; its pull request is being opened" in str(message.blocks)
        assert KEPT.id not in str(message.blocks)
        assert ITEMS[1].id not in {each["value"] for each in message.elements}  # no longer found
    assert "slack_file" in str(bench.hub.messages(bench.channel)[0].blocks)

    pull = RightSizingPull(
        repository=KEPT.repository,
        subject=KEPT.subject,
        id=KEPT.id,
        branch="b",
        number=3,
        address="https://github.example/shop/manifests/pull/3",
        head_sha="a" * 40,
        state="open",
        opened_at=NOW,
    )
    bench.records.right_sizing.keep(pull)
    assert bench.show() == 2
    for message in bench.hub.messages(bench.channel):
        assert "pull/3|pull request>" in str(message.blocks)


def posted(bench: Bench, weeks: Iterable[int]) -> list[KeptDigest]:
    """The digests of these weeks of 2026."""
    found = []
    for week in weeks:
        found.append(bench.post(week=f"2026-W{week}"))
        bench.hub.advance(60)
    return found


def test_what_was_clicked_in_an_old_digest_is_shown_there(bench: Bench) -> None:
    """Older ones than those of the last weeks stay as they are."""
    old, *newer = posted(bench, range(41, 48))
    bench.decide("approve")

    assert bench.show(old.channel, old.timestamp) == 6
    asking = [message.ts for message in bench.hub.messages(bench.channel) if KEPT.id in str(message.blocks)]
    assert asking == [newer[0].timestamp]


def test_a_digest_that_somebody_deleted_keeps_no_other_from_being_written(bench: Bench) -> None:
    """What is to be done by hand is said below the newest that is there, once."""
    older, newer = posted(bench, range(46, 48))
    bench.hub.messages(bench.channel)[-1].deleted = True
    bench.decide("approve")

    assert bench.show() == 1
    bench.hub.fault("chat.postMessage", "thread_not_found")
    for _ in range(2):
        assert show_became(KEPT.id, ItemState("by-hand", why="two files set it"), "+ x", bench.showing, NOW)
    digest, below = bench.hub.messages(bench.channel)
    assert "*to be done by hand*: two files set it" in str(digest.blocks)
    assert (digest.ts, below.thread_ts) == (older.timestamp, older.timestamp)
    assert newer.timestamp not in {digest.ts, below.ts}


@pytest.mark.parametrize("state", ["reject", "snooze", "gone", "open"])
def test_each_thing_that_can_become_of_it_is_shown(bench: Bench, state: str) -> None:
    """Also where somebody forged the place of the message."""
    bench.post()
    if state == "reject":
        bench.decide("reject")
    elif state == "snooze":
        until = NOW + timedelta(days=14)
        bench.records.recommendations.snooze(KEPT.id, until, actor="a", said="Ana", at=NOW)
    elif state == "gone":
        bench.records.recommendations.replace(scan(NOW + timedelta(hours=1)), [])
    assert bench.show("C999", "1.1") == 1

    told = {
        "reject": "*Rejected* by Ana Schmidt: sized for the sale",
        "snooze": "*Snoozed* by Ana until ",
        "gone": "*No longer proposed*",
        "open": KEPT.id,
    }
    [message] = bench.hub.messages(bench.channel)
    assert told[state] in str(message.blocks)


def test_a_message_that_somebody_deleted_is_not_written_again(bench: Bench) -> None:
    """It is told, and no second one is posted."""
    kept = bench.post()
    bench.hub.messages(bench.channel)[0].deleted = True

    with pytest.raises(SlackRefused, match="message_not_found"):
        bench.show()
    assert bench.post().timestamp == kept.timestamp
    assert bench.hub.messages(bench.channel) == []


def test_what_has_to_be_done_by_hand_is_said_below_the_digest_once(bench: Bench) -> None:
    """With text to copy; the digest goes on saying so, whatever else is decided."""
    kept = bench.post()
    bench.decide("approve")
    patch = "--- a/x.yaml\n+++ b/x.yaml\n-      cpu: 2\n+      cpu: 1200m # ``` <!channel> & more\n"
    state = ItemState("by-hand", why="two values files set it <!here>")
    for _ in range(2):
        show_became(KEPT.id, state, patch, bench.showing, NOW)
    bench.show()

    digest, below = bench.hub.messages(bench.channel)
    assert "*Approved* by Ana Schmidt, *to be done by hand*: two values files set it" in str(digest.blocks)
    assert below.thread_ts == kept.timestamp
    assert "+      cpu: 1200m # ''' &lt;!channel&gt; &amp; more" in below.blocks[1]["text"]["text"]
    assert "<!" not in str(below.content)


def test_what_has_to_be_done_by_hand_is_said_below_one_digest(bench: Bench) -> None:
    """The newest; the older ones say that there is something to do."""
    _, newest = posted(bench, range(46, 48))
    bench.decide("approve")
    show_became(KEPT.id, ItemState("by-hand", why="two files set it"), "+ x", bench.showing, NOW)

    *digests, below = bench.hub.messages(bench.channel)
    assert below.thread_ts == newest.timestamp
    assert ["*to be done by hand*: two files set it" in str(digest.blocks) for digest in digests] == [
        True
    ] * 2


@pytest.mark.parametrize("state", ["opened", "stale"])
def test_what_became_of_an_approval_is_shown(bench: Bench, state: str) -> None:
    """Its pull request, or why there is none."""
    bench.post()
    bench.decide("approve")
    found = ItemState("opened") if state == "opened" else ItemState("stale", why="the value is there already")
    if state == "opened":
        bench.records.recommendations.replace(scan(NOW + timedelta(hours=1)), [])
    show_became(KEPT.id, found, "", bench.showing, NOW)

    [digest] = bench.hub.messages(bench.channel)
    told = "its pull request is being opened" if state == "opened" else "the value is there already"
    assert told in str(digest.blocks)


def test_nothing_is_shown_of_what_no_digest_told(bench: Bench) -> None:
    """As of what a policy approved before the first Monday."""
    for name in (KEPT.id, "0" * 32):
        assert not show_became(name, ItemState("by-hand", why="x"), "", bench.showing, NOW)
        tell_approver(name, ItemState("by-hand", why="x"), "", bench.showing)

    assert bench.hub.messages(bench.channel) == []


@pytest.mark.parametrize("state", ["by-hand", "opened", "stale", "merged"])
def test_what_no_digest_tells_is_told_to_whoever_approved_it(bench: Bench, state: str) -> None:
    """In direct messages; what becomes of the pull request then, it tells itself."""
    ana = bench.hub.person("ana")
    bench.decide("approve", actor=f"slack/T1/{ana.id}")
    address = "https://github.example/shop/manifests/pull/3" if state in {"opened", "merged"} else ""
    became = ItemState(state, why="two values <!here> set it", address=address)  # type: ignore[arg-type]
    tell_approver(KEPT.id, became, "+ cpu: 1200m", bench.showing)

    told = [str(message.content) for message in bench.hub.messages(bench.hub.world.direct(ana))]
    assert len(told) == (state != "merged")
    assert all("search/indexer" in each and "<!" not in each for each in told)
    if state == "opened":
        assert "*Approved* by you: <https://github.example/shop/manifests/pull/3|pull request>" in told[0]
