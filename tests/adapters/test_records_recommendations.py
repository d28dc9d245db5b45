"""Recommendations and what became of them, in both databases."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from threading import Barrier, Event

import pytest
from sqlalchemy import text

from bot import recommendation_ports
from bot.adapters.records import Records
from bot.adapters.records_database import Database
from bot.errors import StoreUnavailable
from bot.recommendation_records import (
    KeptDigest,
    KeptRecommendation,
    RecommendationDecision,
    RightSizingPull,
    Scan,
)
from estimators.audit_chain import AuditRow, verify
from tests.postgres_server import Server

NOW = datetime(2026, 11, 23, 6, 0, 0, 123456, tzinfo=UTC)
WEEK = timedelta(days=7)
BIG = 2**40  # GitHub's ids left 32 bits behind
FOUND = KeptRecommendation(
    id="one",
    subject="subject",
    repository=BIG,
    place={"installation": 5, "repository": {"id": BIG}},
    head_sha="a" * 40,
    environment="production",
    namespace="payments",
    kind="Deployment",
    name="api",
    finder="requests",
    team="payments",
    cluster="prod",
    recommendation={"values": ["2Gi", "512Mi"], "risk": "\udfff\0"},
    open=True,
    found_at=NOW,
)
SCAN = Scan(
    repository=BIG,
    full_name="acme/shop",
    head_sha="a" * 40,
    at=NOW,
    left_alone={"rows": [{"team": "payments", "reason": "protected"}]},
    problems={"rows": []},
    realisable={"production": "-120.00"},
)
REJECTION = RecommendationDecision(
    id="one",
    repository=BIG,
    subject="subject",
    finder="requests",
    decision="reject",
    actor="slack/T1/U1",
    said="Ann",
    reason="limit was set after INC-1234",
    about="acme/shop payments/Deployment/api",
    at=NOW,
)
PULL = RightSizingPull(
    repository=BIG,
    subject="subject",
    id="one",
    branch="tuppence/right-size-payments-api-subject",
    number=12,
    address="https://github.com/acme/shop/pull/12",
    head_sha="c" * 40,
    state="open",
    opened_at=NOW,
)
DIGEST = KeptDigest(
    team="payments",
    week="2026-W47",
    channel="C1",
    content={"team": "payments", "workload": "\udfff\0"},
    begun_at=NOW,
)


@pytest.fixture
def records(database_url: str) -> Iterator[Records]:
    """An empty store."""
    with closing(Records(database_url)) as store:
        store.prepare()
        yield store


def ports_of(
    records: Records,
) -> tuple[
    recommendation_ports.Recommendations,
    recommendation_ports.RecommendationDecisions,
    recommendation_ports.RightSizingPulls,
    recommendation_ports.Digests,
]:
    """What mypy holds the store to."""
    return (
        records.recommendations,
        records.recommendation_decisions,
        records.right_sizing,
        records.digests,
    )


def audited(records: Records) -> list[AuditRow]:
    """The rows of a chain that is whole."""
    with records.audit.chain() as (head, rows):
        kept = list(rows)
    assert verify(kept, head).problems == ()
    return kept


def test_a_scan_is_remembered_and_closes_what_it_does_not_find(records: Records) -> None:
    """Of its own repository alone."""
    other, elsewhere = replace(FOUND, id="two"), replace(FOUND, id="three", repository=7)
    records.recommendations.replace(SCAN, [FOUND, other])
    records.recommendations.replace(replace(SCAN, repository=7), [elsewhere])
    later = replace(SCAN, at=NOW + WEEK, head_sha="b" * 40)
    records.recommendations.replace(later, [other])
    assert records.recommendations.open_ones() == (elsewhere, other)
    assert records.recommendations.find("one") == replace(FOUND, open=False)
    assert records.recommendations.find("four") is None
    assert records.recommendations.scans() == (replace(SCAN, repository=7), later)


def test_a_scan_that_finds_nothing_closes_everything(records: Records) -> None:
    """It is remembered all the same."""
    records.recommendations.replace(SCAN, [FOUND])
    records.recommendations.replace(replace(SCAN, at=NOW + WEEK), [])
    assert records.recommendations.open_ones() == ()
    assert len(records.recommendations.scans()) == 1


def test_what_is_found_again_is_as_old_and_as_snoozed_as_it_was(records: Records) -> None:
    """Even after a scan that did not find it; everything else is as it was found last."""
    until = NOW + 2 * WEEK
    records.recommendations.replace(SCAN, [FOUND])
    assert records.recommendations.snooze("one", until, actor="slack/T1/U1", said="Ann", at=NOW)
    records.recommendations.replace(replace(SCAN, at=NOW + timedelta(days=1)), [])
    moved = replace(FOUND, head_sha="b" * 40, team="core", found_at=NOW + WEEK)
    records.recommendations.replace(replace(SCAN, at=NOW + WEEK), [moved])
    kept = replace(moved, found_at=NOW, snoozed_until=until, snoozed_by="Ann")
    assert records.recommendations.find("one") == kept
    assert records.recommendations.open_ones("core") == (kept,)


def test_a_scan_that_comes_late_changes_nothing(records: Records) -> None:
    """A worker that hung for a day does not bring back what is gone."""
    newer = replace(SCAN, at=NOW + WEEK)
    records.recommendations.replace(newer, [])
    records.recommendations.replace(SCAN, [FOUND])
    assert records.recommendations.open_ones() == ()
    assert records.recommendations.scans() == (newer,)


def test_a_scan_is_remembered_whole_or_not_at_all(records: Records) -> None:
    """What was open stays so where the new rows cannot be written."""
    records.recommendations.replace(SCAN, [FOUND])
    bad = replace(FOUND, id="two", found_at=NOW.replace(tzinfo=None))
    with pytest.raises(StoreUnavailable, match="time zone"):
        records.recommendations.replace(replace(SCAN, at=NOW + WEEK), [bad])
    assert records.recommendations.open_ones() == (FOUND,)
    assert records.recommendations.scans() == (SCAN,)


def test_what_was_found_in_a_repository_that_is_gone_is_no_longer_open(records: Records) -> None:
    """Its scan is forgotten, the others stay; a decision keeps what it is about."""
    there = replace(FOUND, id="two", repository=7)
    records.recommendations.replace(SCAN, [FOUND])
    records.recommendations.replace(replace(SCAN, repository=7), [there])
    records.recommendation_decisions.decide(REJECTION)
    records.recommendations.keep_only([7, 8])
    assert records.recommendations.open_ones() == (there,)
    assert [scan.repository for scan in records.recommendations.scans()] == [7]
    assert records.recommendations.find("one") == replace(FOUND, open=False)
    assert records.recommendation_decisions.rejected(BIG) != ()
    records.recommendations.keep_only([])
    assert (records.recommendations.open_ones(), records.recommendations.scans()) == ((), ())


def test_a_large_repository_is_remembered(records: Records) -> None:
    """More recommendations than one question to a database may have values."""
    many = [replace(FOUND, id=f"{number:05}") for number in range(3000)]
    records.recommendations.replace(SCAN, many)
    records.recommendations.replace(replace(SCAN, at=NOW + WEEK), many[1:])
    assert len(records.recommendations.open_ones()) == 2999
    records.recommendation_decisions.decide(replace(REJECTION, id="02999"))
    assert set(records.recommendation_decisions.of([one.id for one in many])) == {"02999"}


@pytest.mark.parametrize(
    ("team", "ids"),
    [
        pytest.param(None, ["one", "two"], id="of all"),
        pytest.param("payments", ["one"], id="of a team"),
        pytest.param("", ["two"], id="of nobody"),
        pytest.param("core", [], id="of a team without any"),
    ],
)
def test_open_ones_are_told_by_team(records: Records, team: str | None, ids: list[str]) -> None:
    """Nobody's are a team's of their own."""
    records.recommendations.replace(SCAN, [FOUND, replace(FOUND, id="two", team="")])
    assert [one.id for one in records.recommendations.open_ones(team)] == ids


def test_what_is_snoozed_is_told_until_its_time_is_over(records: Records) -> None:
    """No longer found, too: what is found in its place may be as good as the same."""
    records.recommendations.replace(SCAN, [FOUND, replace(FOUND, id="two")])
    until = NOW + WEEK
    assert records.recommendations.snooze("one", until, actor="slack/T1/U1", said="Ann", at=NOW)
    records.recommendations.replace(replace(SCAN, at=NOW + timedelta(days=1)), [])
    [kept] = records.recommendations.snoozed(BIG, until - timedelta(seconds=1))
    assert kept == replace(FOUND, open=False, snoozed_until=until, snoozed_by="Ann")
    assert records.recommendations.snoozed(BIG, until) == ()
    assert records.recommendations.snoozed(7, NOW) == ()
    assert records.recommendations.snoozed(None, NOW) == (kept,)


def test_a_snooze_has_one_audit_row(records: Records) -> None:
    """A step that runs again writes no second one; what is not there is not snoozed."""
    records.recommendations.replace(SCAN, [FOUND])
    for _ in range(2):
        assert records.recommendations.snooze("one", NOW + WEEK, actor="slack/T1/U1", said="A\0", at=NOW)
    assert not records.recommendations.snooze("two", NOW + WEEK, actor="slack/T1/U1", said="Ann", at=NOW)
    [row] = audited(records)
    assert (row.actor, row.action) == ("slack/T1/U1", "recommendation.snooze")
    assert row.subject == "payments/Deployment/api"
    assert "2026-11-30T06:00:00.123456Z" in row.details


def test_the_first_decision_about_a_recommendation_holds(records: Records) -> None:
    """Deciding again, by whomever, gives the first and writes nothing."""
    later = NOW + timedelta(seconds=1)
    approval = replace(REJECTION, decision="approve", actor="policy", said="the policy", reason="", at=later)
    assert records.recommendation_decisions.decide(REJECTION) == REJECTION
    assert records.recommendation_decisions.decide(REJECTION) == REJECTION
    assert records.recommendation_decisions.decide(approval) == REJECTION
    other = replace(approval, id="two")
    assert records.recommendation_decisions.decide(other) == other
    asked = ["one", "two", "three", "one"]
    assert records.recommendation_decisions.of(asked) == {"one": REJECTION, "two": other}
    assert records.recommendation_decisions.of([]) == {}
    rows = audited(records)
    assert [(row.actor, row.action) for row in rows] == [
        ("slack/T1/U1", "recommendation.reject"),
        ("policy", "recommendation.approve"),
    ]
    assert "INC-1234" in rows[0].details


def test_decisions_are_told_with_what_they_are_about(records: Records) -> None:
    """The newest first; of a repository, of all, or since a moment; still found or not."""
    two, three = replace(FOUND, id="two"), replace(FOUND, id="three", repository=7)
    records.recommendations.replace(SCAN, [FOUND, two])
    records.recommendations.replace(replace(SCAN, repository=7), [three])
    second = replace(REJECTION, id="two", at=NOW + timedelta(hours=1))
    third = replace(REJECTION, id="three", repository=7, decision="approve", at=NOW + timedelta(hours=2))
    for decision in (REJECTION, second, third):
        records.recommendation_decisions.decide(decision)
    records.recommendations.replace(replace(SCAN, at=NOW + WEEK), [two])
    gone = replace(FOUND, open=False)
    assert records.recommendation_decisions.rejected(BIG) == ((two, second), (gone, REJECTION))
    assert records.recommendation_decisions.rejected(7) == ()
    assert records.recommendation_decisions.since(second.at) == ((three, third), (two, second))
    other = replace(third, id="four", decision="reject")
    records.recommendations.replace(replace(SCAN, repository=7, at=NOW + WEEK), [replace(three, id="four")])
    records.recommendation_decisions.decide(other)
    assert [said for _, said in records.recommendation_decisions.rejected()] == [other, second, REJECTION]


def test_what_strangers_write_can_be_stored(records: Records) -> None:
    """NUL and half a surrogate pair become a replacement character; the rest is kept to the letter."""
    reason = "'; DROP TABLE audit; -- \0 \ud800 | <!-- \u202e Ünïcödé 🐙"
    said = records.recommendation_decisions.decide(replace(REJECTION, reason=reason, said="A\0nn\udfff"))
    assert said.reason == reason.replace("\0", "\ufffd").replace("\ud800", "\ufffd")
    assert said.said == "A\ufffdnn\ufffd"
    records.recommendations.replace(SCAN, [replace(FOUND, name="a\0pi")])
    assert records.recommendation_decisions.rejected(BIG) == ((replace(FOUND, name="a\ufffdpi"), said),)
    assert len(audited(records)) == 1
    for forged in ("\0", "\ud800", "'; DROP TABLE audit; --", "x" * 3_000):
        assert records.recommendations.find(forged) is None


def test_approve_and_reject_in_the_same_instant_have_one_winner(records: Records) -> None:
    """Both are told the same, and the chain has that row alone."""
    rounds = 20
    together = Barrier(2)

    def click(decision: RecommendationDecision) -> list[RecommendationDecision]:
        told = []
        for number in range(rounds):
            together.wait(60)
            told.append(records.recommendation_decisions.decide(replace(decision, id=str(number))))
        return told

    with ThreadPoolExecutor(2) as pool:
        approvals, rejections = pool.map(click, [replace(REJECTION, decision="approve"), REJECTION])
    assert approvals == rejections
    actions = [f"recommendation.{one.decision}" for one in approvals]
    assert [row.action for row in audited(records)] == actions


def click_elsewhere(url: str, decision: RecommendationDecision, rounds: int) -> list[RecommendationDecision]:
    """What another replica does with clicks."""
    with closing(Records(url)) as records:
        return [
            records.recommendation_decisions.decide(replace(decision, id=str(number)))
            for number in range(rounds)
        ]


def test_two_processes_have_one_winner_too(database_url: str) -> None:
    """Each has connections of its own."""
    with closing(Records(database_url)) as records:
        records.prepare()
        with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
            approving = pool.submit(
                click_elsewhere, database_url, replace(REJECTION, decision="approve"), 100
            )
            rejecting = pool.submit(click_elsewhere, database_url, REJECTION, 100)
            assert approving.result(60) == rejecting.result(60)
        assert len(audited(records)) == 100


def test_a_decision_whose_audit_row_cannot_be_written_is_not_made(database_url: str) -> None:
    """Nobody approves without a trace."""
    with closing(Records(database_url)) as records, closing(Database(database_url)) as database:
        records.prepare()
        with database.writing() as connection:
            connection.execute(text("DROP TABLE audit"))
        with pytest.raises(StoreUnavailable):
            records.recommendation_decisions.decide(REJECTION)
        assert records.recommendation_decisions.of(["one"]) == {}


def test_a_snooze_whose_audit_row_cannot_be_written_is_not_one(database_url: str) -> None:
    """Nobody puts off without a trace."""
    with closing(Records(database_url)) as records, closing(Database(database_url)) as database:
        records.prepare()
        records.recommendations.replace(SCAN, [FOUND])
        with database.writing() as connection:
            connection.execute(text("DROP TABLE audit"))
        with pytest.raises(StoreUnavailable):
            records.recommendations.snooze("one", NOW + WEEK, actor="slack/T1/U1", said="Ann", at=NOW)
        assert records.recommendations.find("one") == FOUND


def test_of_a_subject_the_newest_pull_request_is_found(records: Records) -> None:
    """Each of them is found by its number: last month's, too, of which it is told what it saved."""
    assert records.right_sizing.find(BIG, "subject") is None
    merged = replace(PULL, number=11, state="merged", opened_at=NOW - WEEK)
    records.right_sizing.keep(PULL)
    records.right_sizing.keep(merged)
    elsewhere = replace(PULL, repository=7)
    records.right_sizing.keep(elsewhere)
    assert records.right_sizing.find(BIG, "subject") == PULL
    assert records.right_sizing.numbered(BIG, 12) == PULL
    assert records.right_sizing.numbered(BIG, 11) == merged
    assert records.right_sizing.numbered(BIG, 10) is None
    assert records.right_sizing.open_ones() == (elsewhere, PULL)
    assert records.right_sizing.open_ones(BIG) == (PULL,)
    closed = replace(PULL, state="closed", closed_at=NOW + WEEK, closed_because="the value is there")
    records.right_sizing.keep(closed)
    assert records.right_sizing.open_ones(BIG) == ()
    assert records.right_sizing.find(BIG, "subject") == closed


def test_a_digest_is_found_by_its_week_and_by_its_message(records: Records) -> None:
    """Before it was posted, no message is it."""
    assert records.digests.find("payments", "2026-W47") is None
    records.digests.keep(DIGEST)
    assert records.digests.find("payments", "2026-W47") == DIGEST
    assert records.digests.newest("payments", 1) == ()
    assert records.digests.posted_at("C1", "") is None
    posted = replace(DIGEST, timestamp="1700000000.000100", posted_at=NOW)
    records.digests.keep(posted)
    assert records.digests.find("payments", "2026-W47") == posted
    assert records.digests.posted_at("C1", posted.timestamp) == posted
    assert records.digests.posted_at("C2", posted.timestamp) is None


def test_the_newest_digests_are_those_of_the_newest_weeks(records: Records) -> None:
    """Week 53 before week 1, whichever was posted later; one that is only begun does not count."""
    posted = replace(DIGEST, timestamp="1", posted_at=NOW)
    for week in ("2027-W01", "2026-W53", "2026-W09"):
        records.digests.keep(replace(posted, week=week))
    records.digests.keep(replace(DIGEST, week="2027-W02"))
    records.digests.keep(replace(posted, week="2027-W03", team=""))
    assert [kept.week for kept in records.digests.newest("payments", 2)] == ["2027-W01", "2026-W53"]


def post_in_turn(url: str, name: str) -> str:
    """A replica posts the digest unless somebody has: what it finds in its turn."""
    with closing(Records(url)) as records, records.digests.turn("payments", "2026-W47"):
        kept = records.digests.find("payments", "2026-W47")
        if kept is None:
            kept = replace(DIGEST, timestamp=name)
            records.digests.keep(kept)
        return kept.timestamp


def test_one_at_a_time_posts_a_digest(records: Records) -> None:
    """Threads wait for each other; those of another team or week do not."""
    began, entered = Event(), Event()

    def follow() -> None:
        began.set()
        with records.digests.turn("payments", "2026-W47"):
            entered.set()

    with ThreadPoolExecutor() as pool:
        with records.digests.turn("payments", "2026-W47"):
            following = pool.submit(follow)
            began.wait(60)
            with records.digests.turn("core", "2026-W47"), records.digests.turn("payments", "2026-W48"):
                assert not entered.wait(0.1)
        following.result(60)
    assert entered.is_set()


def test_replicas_take_turns_on_postgresql(postgres: Server) -> None:
    """Four processes at once find the same digest posted."""
    url = postgres.new_database()
    with closing(Records(url)) as records:
        records.prepare()
    with ProcessPoolExecutor(4, mp_context=get_context("spawn")) as pool:
        assert len(set(pool.map(post_in_turn, [url] * 4, "abcd"))) == 1


def test_purging_keeps_what_is_open_and_what_a_decision_is_kept_about(records: Records) -> None:
    """Everything else goes when it is old."""
    old, before = NOW - timedelta(days=100), NOW - timedelta(days=90)
    ids = {
        "open": old,
        "gone": old,
        "decided": old,
        "decided long ago": old,
        "snoozed": old,
        "young": NOW,
    }
    rows = [replace(FOUND, id=name, found_at=at) for name, at in ids.items()]
    records.recommendations.replace(replace(SCAN, at=old), rows)
    records.recommendations.snooze("snoozed", NOW, actor="slack/T1/U1", said="Ann", at=old)
    records.recommendations.replace(SCAN, rows[:1])
    for name, at in {"decided": NOW, "decided long ago": old, "open": old}.items():
        records.recommendation_decisions.decide(replace(REJECTION, id=name, at=at))
    closed = replace(PULL, number=1, subject="b", opened_at=old, state="closed", closed_at=old)
    for pull in (replace(PULL, opened_at=old), closed, replace(closed, number=2, subject="c", closed_at=NOW)):
        records.right_sizing.keep(pull)
    for week, at in (("2026-W30", old), ("2026-W47", NOW)):
        records.digests.keep(replace(DIGEST, week=week, begun_at=at))

    removed = records.purge(before=before, now=NOW)
    assert removed["recommendation_decisions"] == 2
    assert removed["recommendations"] == 2
    assert removed["right_sizing_pulls"] == 1
    assert removed["digests"] == 1
    left = {name for name in ids if records.recommendations.find(name)}
    assert left == {"open", "decided", "snoozed", "young"}
    kept = [name for name in ("subject", "b", "c") if records.right_sizing.find(BIG, name)]
    assert kept == ["subject", "c"]
    assert [scan.at for scan in records.recommendations.scans()] == [NOW]


def test_what_was_rejected_before_a_purge_can_be_decided_again(records: Records) -> None:
    """With an audit row of its own, whether or not the old one is still there."""
    records.recommendation_decisions.decide(REJECTION)
    later = NOW + timedelta(days=800)
    records.recommendation_decisions.decide(replace(REJECTION, id="two", at=NOW + timedelta(days=799)))
    records.purge(before=NOW + timedelta(days=1), now=later)
    again = replace(REJECTION, decision="approve", at=later)
    assert records.recommendation_decisions.decide(again) == again
    assert [row.action for row in audited(records)][-1] == "recommendation.approve"
