"""What a comment comes to that is asked at the wrong time, on records of its own."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from bot.adapters.records import Records
from bot.approvals import APPROVALS_LAST, standing, stored_consent
from bot.github_events import CommandWritten, PullRequestRef, Repository
from bot.handlers.comment_commands import Answer, obey
from bot.ports import People, PullRequests
from bot.pull_requests import PullRequestFacts
from bot.records import PricedReport

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
HEAD = "4f2c9ab" + "0" * 33
REF = PullRequestRef(1, Repository(2, "acme", "shop", "https://github.com/acme/shop.git", "main"), 3)
FACTS = PullRequestFacts(
    ref=REF,
    open=True,
    draft=False,
    merged=False,
    merged_at=None,
    head_sha=HEAD,
    base_ref="main",
    base_sha="b" * 40,
    merge_sha=None,
    author="author",
    author_id=10,
    title="Raise",
)
REPORT = {
    "guardrails": [{"key": "k", "why": "it costs more", "approvers": ["ann", "author"]}],
    "monthly": {"change": {"expected": "69.23"}},
    "workloads": [],
}
APPROVED = CommandWritten(REF, 77, "ann", 11, "MEMBER", f"/tuppence approve {HEAD[:7]}")


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    with closing(Records(f"sqlite:///{tmp_path / 'tuppence.db'}")) as made:
        made.prepare()
        made.reports.keep(
            PricedReport(
                report_hash="a" * 64,
                repository=2,
                number=3,
                head_sha=HEAD,
                base_sha="b" * 40,
                merge_base="b" * 40,
                report=json.dumps(REPORT),
                priced_at=NOW - timedelta(days=14),
                expires=NOW,
            )
        )
        yield made


def asked(
    records: Records, written: CommandWritten, *, at: datetime, told: PullRequestFacts = FACTS
) -> Answer:
    return obey(
        written,
        pulls=cast("PullRequests", SimpleNamespace(facts=lambda _: told)),
        people=cast("People", SimpleNamespace()),  # who is named by login is looked up nowhere
        reports=records.reports,
        decisions=records.decisions,
        now=lambda: at,
    )


def test_a_report_can_be_decided_about_until_it_expires(records: Records) -> None:
    """Prices and use are others two weeks later."""
    late = asked(records, APPROVED, at=NOW)
    assert "too old to decide about" in late.text
    assert records.decisions.on(2, 3) == ()
    assert "approved" in asked(records, APPROVED, at=NOW - timedelta(seconds=1)).text


def test_nothing_is_decided_about_a_closed_pull_request(records: Records) -> None:
    """Be it merged or given up."""
    closed = asked(records, APPROVED, at=NOW - timedelta(days=1), told=replace(FACTS, open=False))
    assert "is closed" in closed.text
    assert records.decisions.on(2, 3) == ()


@pytest.mark.parametrize("login", ["tuppence[bot]", "other[bot]"])
def test_programs_are_not_obeyed(records: Records, login: str) -> None:
    """Even where a policy names one, or it repeats a person's words."""
    assert asked(records, replace(APPROVED, author=login), at=NOW - timedelta(days=1)).text == ""


def test_an_author_decides_nothing_about_their_own_change(records: Records) -> None:
    """Even where the policy names them, and under whatever name they have by now."""
    own = replace(APPROVED, author="author", author_id=FACTS.author_id)
    assert "Whoever wrote the change" in asked(records, own, at=NOW - timedelta(days=1)).text
    assert records.decisions.on(2, 3) == ()


@pytest.mark.parametrize(("later", "counts"), [(APPROVALS_LAST / 2, True), (APPROVALS_LAST, False)])
def test_an_approval_counts_for_two_weeks(records: Records, later: timedelta, counts: bool) -> None:
    """Of the same commits as well: what was approved is a month's cost at the prices of that day."""
    at = NOW - timedelta(days=1)
    asked(records, APPROVED, at=at)
    [report] = filter(None, [records.reports.newest(2, 3)])
    held = standing(
        FACTS,
        stored_consent(report),
        ["k"],
        reports=records.reports,
        decisions=records.decisions,
        at=at + later,
    )
    assert ("k" in held.approvals) is counts
