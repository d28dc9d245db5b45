"""What a merged change was said to cost, and what is told of it a week later."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.adapters.folder_tree import FolderTree
from bot.adapters.records import Records
from bot.errors import PrometheusUnavailable
from bot.github_events import PullRequestClosed, PullRequestRef, Repository
from bot.handlers.measure_change import Price, measure, remember
from bot.ports import Tree
from bot.pull_requests import PullRequestFacts
from bot.records import Prediction, PricedReport
from bot.report_json import dump_report
from estimators.money import Range
from estimators.report import Report
from tests.bot import sample_reports

MERGED = datetime(2026, 11, 1, tzinfo=UTC)
WEEK_LATER = datetime(2026, 11, 8, tzinfo=UTC)
REF = PullRequestRef(1, Repository(7, "acme", "shop", "https://example/acme/shop", "main"), 12)


@dataclass
class Outside:
    """Our records, a repository without files, and a GitHub that remembers what was answered."""

    records: Records
    folder: Path
    replies: dict[str, str] = field(default_factory=dict)
    asked: list[PullRequestFacts] = field(default_factory=list)

    def facts(self, ref: PullRequestRef) -> PullRequestFacts:
        return PullRequestFacts(
            ref=ref, open=False, draft=False, merged=True, merged_at=MERGED, head_sha="f" * 40, base_ref="main",
            base_sha="e" * 40, merge_sha="d" * 40, author="author", author_id=5, title="Change",
        )  # fmt: skip

    def open_ones(self, *_: object) -> list[PullRequestRef]:
        return []

    @contextmanager
    def trees(self, facts: PullRequestFacts) -> Iterator[tuple[Tree, Tree]]:
        self.asked.append(facts)
        tree = FolderTree(self.folder)
        yield tree, tree

    def put(self, *_: object, **__: object) -> None:
        raise AssertionError("the comment stays as it is")

    def reply(self, _ref: PullRequestRef, body: str, key: str) -> None:
        self.replies.setdefault(key, body)

    def due(self) -> tuple[Prediction, ...]:
        return self.records.predictions.due(WEEK_LATER)

    def measure(self, price: Price | None) -> str:
        [prediction] = self.due()
        measure(
            prediction, price=price, pulls=self, revisions=self, comments=self,
            predictions=self.records.predictions, at=WEEK_LATER,
        )  # fmt: skip
        return self.replies["measured"]


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[Outside]:
    records = Records(f"sqlite:///{tmp_path}/tuppence.db")
    records.prepare()
    records.reports.keep(
        PricedReport(
            report_hash="r", repository=7, number=12, head_sha="a" * 40, base_sha="b" * 40, merge_base="c" * 40,
            report=dump_report(sample_reports.savings()), priced_at=MERGED, expires=WEEK_LATER,
        )
    )  # fmt: skip
    folder = tmp_path / "files"
    folder.mkdir()
    yield Outside(records, folder)
    records.close()


def merge(outside: Outside, *, merged: bool = True) -> None:
    closed = PullRequestClosed(REF, "a" * 40, merged, None)
    remember(closed, reports=outside.records.reports, predictions=outside.records.predictions, at=MERGED)


def dearer() -> Report:
    """The savings, of which one turned out to be less."""
    report = sample_reports.savings()
    first = report.rows[0]
    assert first.after is not None
    after = replace(first.after, monthly=first.after.monthly + Range.exactly(first.after.monthly.expected))
    change = first.change + Range.exactly(first.after.monthly.expected)
    rows = [replace(first, after=after, change=change), *report.rows[1:]]
    return sample_reports.report(rows)


def test_a_merge_is_measured_a_week_later_and_told_once(outside: Outside) -> None:
    """With the workload that differs most; the same two commits are priced as before."""
    merge(outside)
    merge(outside)
    told = outside.measure(lambda *_: dearer())

    assert told.startswith("Predicted \u2212$")
    assert "measured" in told
    assert "mostly `search/Deployment/indexer`" in told
    assert [(facts.head_sha, facts.base_sha, facts.merge_sha) for facts in outside.asked] == [
        ("a" * 40, "b" * 40, None)
    ]
    assert outside.due() == ()


def test_what_came_as_predicted_is_told_so(outside: Outside) -> None:
    """To the cent."""
    merge(outside)

    assert outside.measure(lambda *_: sample_reports.savings()).endswith(": as predicted.")


def test_without_prometheus_it_is_said_once_that_nothing_was_measured(outside: Outside) -> None:
    """No number is made up."""
    merge(outside)

    assert "could not be measured" in outside.measure(None)
    assert outside.due() == ()


def test_while_prometheus_is_down_nothing_is_told(outside: Outside) -> None:
    """It is tried again another time."""
    merge(outside)
    gap = replace(sample_reports.savings(), partial=("no live numbers: Prometheus did not answer",))
    with pytest.raises(PrometheusUnavailable):
        outside.measure(lambda *_: gap)

    assert outside.replies == {}
    assert len(outside.due()) == 1


def test_what_was_given_up_is_not_measured(outside: Outside) -> None:
    """Nor is anything due before its week is over."""
    merge(outside, merged=False)
    assert outside.due() == ()
    merge(outside)
    assert outside.records.predictions.due(MERGED) == ()
