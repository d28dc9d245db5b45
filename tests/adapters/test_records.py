"""The contract of our own records, held by SQLite and PostgreSQL alike."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest

from bot import ports
from bot.adapters.records import Records
from bot.errors import StoreUnavailable
from bot.records import (
    Decision,
    LastGoodPolicy,
    Prediction,
    PricedReport,
    PublishedCheck,
    PublishedComment,
    PublishedSuggestion,
    ShownPullRequest,
)
from estimators.allocation import HourCost

NOW = datetime(2026, 11, 21, 20, 54, 3, 123456, tzinfo=UTC)
BIG = 2**40  # GitHub's ids left 32 bits behind
COMMENT = PublishedComment(
    repository=BIG, number=12, comment_id=BIG + 1, body_hash="b" * 64, head_sha="a" * 40, order=5, at=NOW
)
SUGGESTION = PublishedSuggestion(
    repository=BIG, number=12, fingerprint="f", comment_id=BIG, resolved=False, at=NOW
)
CHECK = PublishedCheck(
    repository=BIG,
    head_sha="a" * 40,
    name="Tuppence",
    check_run_id=BIG,
    output_hash="o",
    status="queued",
    at=NOW,
)
SHOWN = ShownPullRequest(
    repository=BIG,
    number=12,
    name="acme/shop#12",
    address="https://github.com/acme/shop/pull/12",
    author="ana",
    told="Risky · +$2,894 a month · needs approval",
    blocked=True,
    open=True,
    at=NOW,
)
REPORT = PricedReport(
    report_hash="r" * 64,
    repository=BIG,
    number=12,
    head_sha="a" * 40,
    base_sha="b" * 40,
    merge_base="c" * 40,
    report='{"schema": "tuppence.report/v1"}\n',
    priced_at=NOW,
    expires=NOW + timedelta(days=30),
)
DECISION = Decision(
    repository=BIG,
    number=12,
    head_sha="a" * 40,
    report_hash="r" * 64,
    guardrail="money",
    decision="approve",
    approver_id=BIG + 7,
    approver="ann",
    reason="paid for by the spring campaign",
    comment_id=BIG + 8,
    pull_request="shop/manifests#12",
    at=NOW,
)
PREDICTION = Prediction(
    repository=BIG,
    number=12,
    report_hash="r" * 64,
    reference={"installation": 1, "number": 12},
    predicted={"expected": "120.00", "name": "\udfff\0"},
    merged_at=NOW,
    due_at=NOW + timedelta(days=7),
)
POLICY = LastGoodPolicy(repository=BIG, branch="main", base_sha="b" * 40, text="ignore: [docs/**]\n", at=NOW)


@pytest.fixture
def records(database_url: str) -> Iterator[Records]:
    """An empty store."""
    store = Records(database_url)
    store.prepare()
    yield store
    store.close()


def ports_of(
    records: Records,
) -> tuple[
    ports.Heads,
    ports.Publications,
    ports.Checks,
    ports.Reports,
    ports.Decisions,
    ports.Predictions,
    ports.Policies,
    ports.Audit,
    ports.Retention,
]:
    """What mypy holds the store to."""
    return (
        records.heads,
        records.publications,
        records.checks,
        records.reports,
        records.decisions,
        records.predictions,
        records.policies,
        records.audit,
        records,
    )


def test_a_new_head_gets_a_greater_order_and_the_newest_keeps_its_own(records: Records) -> None:
    """Even where the clock stands still or goes back, and where a push brings an old head back."""
    first = records.heads.see(BIG, 12, "a" * 40, NOW)
    again = records.heads.see(BIG, 12, "a" * 40, NOW + timedelta(hours=1))
    second = records.heads.see(BIG, 12, "b" * 40, NOW - timedelta(hours=1))
    third = records.heads.see(BIG, 12, "a" * 40, NOW)
    assert first == again
    assert first.order < second.order < third.order
    assert records.heads.newest(BIG, 12) == third
    assert records.heads.newest(BIG, 13) is None


def test_a_head_seen_after_a_purge_is_newer_than_all_before(records: Records) -> None:
    """The order is what a comment on GitHub is compared with, and that comment is not purged."""
    first = records.heads.see(BIG, 12, "a" * 40, NOW)
    later = NOW + timedelta(days=400)
    assert records.purge(before=NOW + timedelta(days=1), now=later)["heads"] == 1
    assert records.heads.newest(BIG, 12) is None
    assert records.heads.see(BIG, 12, "b" * 40, later).order > first.order


def test_a_comment_never_goes_back_to_an_older_head(records: Records) -> None:
    """The same order may say something new; a smaller one may not."""
    assert records.publications.comment(BIG, 12) is None
    assert records.publications.keep_comment(COMMENT)
    newer = replace(COMMENT, order=6, head_sha="b" * 40, body_hash="2")
    assert records.publications.keep_comment(newer)
    assert not records.publications.keep_comment(COMMENT)
    assert records.publications.comment(BIG, 12) == newer
    same = replace(newer, body_hash="3", at=NOW + timedelta(seconds=1))
    assert records.publications.keep_comment(same)
    assert records.publications.comment(BIG, 12) == same


def test_suggestions_are_remembered_by_fingerprint(records: Records) -> None:
    """Resolved ones too, so that none is made twice."""
    other = replace(SUGGESTION, fingerprint="g")
    for one in (other, SUGGESTION, replace(SUGGESTION, resolved=True), replace(SUGGESTION, number=13)):
        records.publications.keep_suggestion(one)
    assert records.publications.suggestions(BIG, 12) == (replace(SUGGESTION, resolved=True), other)


def test_a_check_run_is_one_for_each_commit_and_name(records: Records) -> None:
    """What is known of it is replaced."""
    assert records.checks.check(BIG, "a" * 40, "Tuppence") is None
    records.checks.keep_check(CHECK)
    records.checks.keep_check(replace(CHECK, status="completed"))
    records.checks.keep_check(replace(CHECK, head_sha="b" * 40))
    assert records.checks.check(BIG, "a" * 40, "Tuppence") == replace(CHECK, status="completed")


def test_reports_are_found_by_hash_and_by_pull_request(records: Records) -> None:
    """A report that comes back is of the newer commits; two pull requests may have the same."""
    later = replace(REPORT, report_hash="s", priced_at=NOW + timedelta(microseconds=1))
    elsewhere = replace(REPORT, number=13)
    for report in (later, replace(REPORT, head_sha="9" * 40), REPORT, elsewhere):
        records.reports.keep(report)
    assert records.reports.find(BIG, 12, REPORT.report_hash) == REPORT
    assert records.reports.find(BIG, 12, "t") is None
    assert records.reports.newest(BIG, 12) == later
    assert records.reports.newest(BIG, 13) == elsewhere
    assert records.reports.newest(BIG, 14) is None


def test_the_first_decision_on_a_report_head_and_guardrail_holds(records: Records) -> None:
    """Deciding again, by whomever, gives the first; another head or guardrail is decided anew."""
    reject = replace(DECISION, decision="reject", approver="bob", approver_id=2)
    assert records.decisions.decide(DECISION) == DECISION
    assert records.decisions.decide(DECISION) == DECISION
    assert records.decisions.decide(reject) == DECISION
    next_head = replace(reject, head_sha="b" * 40, at=NOW + timedelta(minutes=1))
    assert records.decisions.decide(next_head) == next_head
    next_part = replace(reject, guardrail="risk", at=NOW + timedelta(minutes=2))
    assert records.decisions.decide(next_part) == next_part
    assert records.decisions.on(BIG, 12) == (next_part, next_head, DECISION)
    assert records.decisions.on(BIG, 13) == ()


def test_a_decision_has_one_audit_row(records: Records) -> None:
    """Written with it; those who came too late have none."""
    records.decisions.decide(DECISION)
    records.decisions.decide(DECISION)
    records.decisions.decide(replace(DECISION, decision="reject"))
    with records.audit.chain() as (_, rows):
        [row] = rows
    assert (row.actor, row.action, row.subject) == ("ann", "approve", "shop/manifests#12")
    assert "paid for by the spring campaign" in row.details


def test_a_prediction_waits_until_it_was_posted(records: Records) -> None:
    """A merge that is delivered again changes nothing."""
    records.predictions.keep(PREDICTION)
    records.predictions.keep(replace(PREDICTION, due_at=NOW))
    earlier = replace(PREDICTION, number=11, due_at=NOW + timedelta(days=6))
    records.predictions.keep(earlier)
    assert records.predictions.due(NOW + timedelta(days=6, hours=23)) == (earlier,)
    assert records.predictions.due(NOW + timedelta(days=7)) == (earlier, PREDICTION)
    assert records.predictions.due(NOW + timedelta(days=7), most=1) == (earlier,)
    records.predictions.finish(BIG, 11, {"expected": "95.00"}, NOW + timedelta(days=7))
    assert records.predictions.due(NOW + timedelta(days=8)) == (PREDICTION,)


def test_predictions_of_a_week_are_those_merged_or_measured_in_it(records: Records) -> None:
    """The one merged first first; its end is the next week's."""
    week = timedelta(days=7)
    for number, merged_at in ((1, NOW - week), (2, NOW), (3, NOW + week), (4, NOW - timedelta(days=1))):
        records.predictions.keep(replace(PREDICTION, number=number, merged_at=merged_at))
    records.predictions.finish(BIG, 1, {"expected": "95.00"}, NOW + timedelta(days=1))
    records.predictions.finish(BIG, 2, {"expected": "5.00"}, NOW + week)
    found = [(one.number, one.posted_at is None) for one in records.predictions.within(NOW, NOW + week)]
    assert found == [(1, False), (2, False)]
    assert [one.number for one in records.predictions.within(NOW + week, NOW + 2 * week)] == [2, 3]
    assert records.predictions.find(BIG, 4) == replace(
        PREDICTION, number=4, merged_at=NOW - timedelta(days=1)
    )
    assert records.predictions.find(BIG, 5) is None


def test_a_branch_has_one_last_good_policy(records: Records) -> None:
    """The one that was kept last."""
    assert records.policies.last_good(BIG, "main") is None
    records.policies.keep(POLICY)
    newer = replace(POLICY, base_sha="d" * 40, text="ignore: []\n")
    records.policies.keep(newer)
    records.policies.keep(replace(POLICY, branch="release"))
    assert records.policies.last_good(BIG, "main") == newer


def test_what_strangers_write_can_be_stored(records: Records) -> None:
    """NUL and half a surrogate pair become a replacement character; the rest is kept to the letter."""
    reason = "'; DROP TABLE audit; -- \0 \ud800 | <!-- \u202e Ünïcödé 🐙"
    decided = records.decisions.decide(replace(DECISION, reason=reason, approver="a\0nn"))
    assert decided.reason == reason.replace("\0", "\ufffd").replace("\ud800", "\ufffd")
    assert decided.approver == "a\ufffdnn"
    assert records.decisions.on(BIG, 12) == (decided,)


def test_moments_are_the_same_in_every_time_zone(records: Records) -> None:
    """They come back in UTC; one without a time zone is a mistake of ours."""
    there = NOW.astimezone(timezone(timedelta(hours=5, minutes=45)))
    records.policies.keep(replace(POLICY, at=there))
    kept = records.policies.last_good(BIG, "main")
    assert kept is not None
    assert (kept.at, kept.at.tzinfo) == (NOW, UTC)
    with pytest.raises(StoreUnavailable, match="time zone"):
        records.policies.keep(replace(POLICY, at=NOW.replace(tzinfo=None)))


def test_what_is_shown_is_listed_while_it_is_open(records: Records) -> None:
    """The newest first; a state is noted of what was shown alone."""
    later = replace(SHOWN, number=13, at=NOW + timedelta(hours=1))
    for pull in (SHOWN, later, replace(SHOWN, told="Safe", blocked=False)):
        records.shown.keep(pull)
    assert records.shown.open_ones(9) == (later, replace(SHOWN, told="Safe", blocked=False))
    assert records.shown.open_ones(1) == (later,)
    records.shown.note_state(BIG, 13, is_open=False)
    records.shown.note_state(BIG, 14, is_open=True)
    assert [each.number for each in records.shown.open_ones(9)] == [12]
    records.shown.note_state(BIG, 13, is_open=True)
    assert records.shown.open_ones(9)[0] == later


def test_purging_removes_what_is_old_and_nothing_else(records: Records) -> None:
    """Policies stay: they are in force."""
    old, young = NOW - timedelta(days=100), NOW
    for number, at in ((1, old), (2, young)):
        records.heads.see(BIG, number, "a" * 40, at)
        records.publications.keep_comment(replace(COMMENT, number=number, at=at))
        records.publications.keep_suggestion(replace(SUGGESTION, number=number, at=at))
        records.checks.keep_check(replace(CHECK, name=str(number), at=at))
        records.shown.keep(replace(SHOWN, number=number, at=at))
        records.reports.keep(replace(REPORT, number=number, priced_at=at))
        records.decisions.decide(replace(DECISION, number=number, at=at))
        records.predictions.keep(replace(PREDICTION, number=number, due_at=at))
        hour = HourCost(hour=at.replace(minute=0, second=0, microsecond=0), workloads=(), nodes=())
        records.costs.keep("prod", [hour], currency="USD", at=at)
    records.policies.keep(replace(POLICY, at=old))
    removed = records.purge(before=NOW - timedelta(days=90), now=NOW)
    assert {name: count for name, count in removed.items() if count != 1} == dict.fromkeys(
        ("recommendation_decisions", "recommendations", "right_sizing_pulls", "digests"), 0
    )
    assert len(removed) == 14
    assert records.reports.newest(BIG, 1) is None
    assert records.reports.newest(BIG, 2) is not None
    assert records.policies.last_good(BIG, "main") is not None
    assert set(records.purge(before=NOW - timedelta(days=90), now=NOW).values()) == {0}
