"""What a merged change was said to cost, and what is told of it a week later."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.adapters.records import Records
from bot.errors import GitHubRefused, GitHubUnavailable, OutsideError
from bot.github_events import PullRequestClosed, PullRequestRef, Repository
from bot.handlers.measure_change import COVERED, GIVE_UP, WAIT, measure, remember
from bot.records import Prediction, PricedReport
from bot.report_json import dump_report
from estimators.allocate import allocate
from estimators.allocation import ClusterHour
from estimators.report import Report, Verdict
from tests.allocation_builders import container, deployment, node
from tests.bot.sample_reports import estimate, pods, report, row

MERGED = datetime(2026, 11, 11, 9, 30, tzinfo=UTC)
DUE = MERGED + WAIT
BEFORE = datetime(2026, 11, 5, tzinfo=UTC)
AFTER = datetime(2026, 11, 12, tzinfo=UTC)
WEEK = 6 * 24
HOUR = timedelta(hours=1)
REF = PullRequestRef(1, Repository(7, "acme", "shop", "https://example/acme/shop", "main"), 12)


def cut() -> Report:
    """Two replicas ask for half as many cores."""
    return report(
        [row("shop/api", estimate(pods("2"), "2", "1"), estimate(pods("2"), "1", "1"), Verdict.SAFE)]
    )


@dataclass
class Outside:
    """Our records, and a GitHub that remembers what was answered."""

    records: Records
    replies: list[tuple[str, str]] = field(default_factory=list)
    failure: OutsideError | None = None
    clusters: Collection[str] = ("",)

    def put(self, *_: object, **__: object) -> None:
        raise AssertionError("the comment stays as it is")

    def reply(self, _ref: PullRequestRef, body: str, key: str) -> None:
        if self.failure is not None:
            raise self.failure
        self.replies.append((key, body))

    def merge(self, found: Report, *, merged: bool = True) -> None:
        self.records.reports.keep(
            PricedReport(
                report_hash="r", repository=7, number=12, head_sha="a" * 40, base_sha="b" * 40,
                merge_base="c" * 40, report=dump_report(found), priced_at=MERGED, expires=DUE,
            )
        )  # fmt: skip
        # The delivery is worked on a day late: what counts is when it was merged.
        closed = PullRequestClosed(REF, "a" * 40, merged, None, MERGED.isoformat())
        late = MERGED + timedelta(days=1)
        remember(closed, reports=self.records.reports, predictions=self.records.predictions, at=late)

    def charge(
        self, start: datetime, cores: float, *, hours: int = WEEK, covered: float = 1.0, currency: str = "USD",
        skip: Sequence[int] = (),
    ) -> None:  # fmt: skip
        """Hours of two pods that ask for so many cores at 0.03 an hour, and use 1.2 each."""
        found = [
            ClusterHour(
                start + number * HOUR, (node(cores=16),),
                tuple(
                    container(deployment("api"), pod=f"api-{pod}", cpu=cores, cpu_used=1.2, memory=1, memory_used=0.5)
                    for pod in range(2)
                ),
                covered=covered,
            )
            for number in range(hours) if number not in skip
        ]  # fmt: skip
        self.records.costs.keep("main", [allocate(hour) for hour in found], currency=currency, at=DUE)

    def due(self, at: datetime = DUE) -> tuple[Prediction, ...]:
        return self.records.predictions.due(at)

    def measure(self, at: datetime = DUE) -> bool:
        [prediction] = self.due(at)
        return measure(
            prediction, costs=self.records.costs,
            kept_as=lambda cluster: "main" if cluster in self.clusters else None,
            comments=self, predictions=self.records.predictions, at=at,
        )  # fmt: skip

    @property
    def told(self) -> str:
        [(key, body)] = self.replies
        assert key == "measured"
        return body


@pytest.fixture
def outside(tmp_path: Path) -> Iterator[Outside]:
    records = Records(f"sqlite:///{tmp_path}/tuppence.db")
    records.prepare()
    yield Outside(records)
    records.close()


def test_a_merge_is_measured_a_week_later_and_told_once(outside: Outside) -> None:
    """2 x 0.8 cores less at $0.03 for 730 h; 0.2 of each are used beyond what they ask for now."""
    outside.merge(cut())
    outside.merge(cut())
    outside.charge(BEFORE, 2)
    outside.charge(AFTER, 1)

    assert outside.measure()
    assert outside.told.splitlines()[:4] == [
        "Predicted **−$46.15** a month for `shop/api`, measured **−$35.04**.",
        "",
        "* By this change **−$43.80**: CPU request 2\N{NO-BREAK SPACE}→\N{NO-BREAK SPACE}1 core",
        "* By all else **+$8.76**: CPU used beyond its request 0\N{NO-BREAK SPACE}→\N{NO-BREAK SPACE}0.2 cores",
    ]
    assert "12 to 17 November, against 5 to 10 November (merged on 11 November)" in outside.told
    assert "100\N{NO-BREAK SPACE}% of the hours" in outside.told
    assert outside.due() == ()


def test_what_happened_on_the_day_of_the_merge_does_not_count(outside: Outside) -> None:
    """Nor do the days before those that are compared, nor those after."""
    outside.merge(cut())
    outside.charge(BEFORE - 24 * HOUR, 9, hours=24)
    outside.charge(BEFORE, 2)
    outside.charge(AFTER - 24 * HOUR, 9, hours=24)
    outside.charge(AFTER, 1)
    outside.charge(AFTER + WEEK * HOUR, 9, hours=24)
    outside.measure()

    assert "measured **−$35.04**" in outside.told


@pytest.mark.parametrize(
    ("before", "after"),
    [((), range(15)), (range(15), ()), ((), range(WEEK)), (range(WEEK), range(WEEK))],
    ids=["hours after", "hours before", "nothing after", "nothing"],
)
def test_while_too_little_is_known_nothing_is_told(
    outside: Outside, before: Sequence[int], after: Sequence[int]
) -> None:
    """It is tried again, and on the last day it is told why it could not be measured."""
    outside.merge(cut())
    outside.charge(BEFORE, 2, skip=before)
    outside.charge(AFTER, 1, skip=after)

    assert not outside.measure()
    assert not outside.measure(DUE + GIVE_UP - HOUR)
    assert (outside.replies, len(outside.due())) == ([], 1)
    assert outside.measure(DUE + GIVE_UP)
    assert outside.told.startswith("Predicted −$46.15 a month. It could not be measured: only ")
    assert "was measured, and it takes 90\N{NO-BREAK SPACE}%" in outside.told
    assert outside.due(DUE + GIVE_UP) == ()


def test_hours_that_come_late_are_measured(outside: Outside) -> None:
    """The job that keeps them asks again."""
    outside.merge(cut())
    outside.charge(BEFORE, 2)
    assert not outside.measure()
    outside.charge(AFTER, 1, skip=range(3))

    assert outside.measure(DUE + 24 * HOUR)
    assert "measured **−$35.04**" in outside.told
    assert "98\N{NO-BREAK SPACE}% of the hours" in outside.told


@pytest.mark.parametrize(("covered", "enough"), [(COVERED, True), (COVERED - 0.01, False)])
def test_samples_that_are_missing_within_hours_count(outside: Outside, covered: float, enough: bool) -> None:
    """An hour of which half was scraped is half known."""
    outside.merge(cut())
    outside.charge(BEFORE, 2)
    outside.charge(AFTER, 1, covered=covered)

    assert outside.measure() == enough


@pytest.mark.parametrize(
    ("cluster", "why"),
    [
        ("", "no Prometheus is set up for it, see `PROMETHEUS_URL`."),
        ("moon", "the cluster `moon` has no Prometheus in `tuppence.yaml`."),
    ],
)
def test_without_prometheus_it_is_said_at_once_that_nothing_was_measured(
    outside: Outside, cluster: str, why: str
) -> None:
    """No number is made up."""
    outside.clusters = ()
    outside.merge(replace(cut(), clusters={"": cluster}))

    assert outside.measure()
    assert outside.told.rstrip() == f"Predicted −$46.15 a month. It could not be measured: {why}"
    assert outside.due() == ()


def test_of_two_clusters_the_one_that_is_measured_is_told(outside: Outside) -> None:
    """And what is left out, with what was predicted of it."""
    more, most = (estimate(pods(count), "1", "1") for count in "12")
    both = [*cut().rows, row("lab/api", more, most, Verdict.SAFE, environment="lab")]
    outside.merge(replace(report(both), clusters={"": "", "lab": "moon"}))
    outside.charge(BEFORE, 2)
    outside.charge(AFTER, 1)

    assert outside.measure()
    assert outside.told.startswith("Predicted **−$46.15** a month for `shop/api`, measured **−$35.04**.")
    assert (
        "Not measured, predicted +$26.17: `lab: lab/api`, because the cluster `moon` has no" in outside.told
    )


def test_two_names_of_one_cluster_are_one(outside: Outside) -> None:
    """The same workload, found in two environments, is counted once."""
    outside.clusters = ("", "prod")
    both = [
        *cut().rows,
        replace(cut().rows[0], identity=cut().rows[0].identity._replace(environment="production")),
    ]
    outside.merge(replace(report(both), clusters={"": "", "production": "prod"}))
    outside.charge(BEFORE, 2)
    outside.charge(AFTER, 1)

    assert outside.measure()
    assert "measured **−$35.04**" in outside.told


def test_another_currency_is_not_compared(outside: Outside) -> None:
    """Prices of the policy and those of the cluster may differ."""
    outside.merge(cut())
    outside.charge(BEFORE, 2, currency="EUR")
    outside.charge(AFTER, 1, currency="EUR")

    assert outside.measure()
    assert "could not be measured: its cluster is charged in EUR" in outside.told


def test_what_never_ran_under_its_name_is_not_measured(outside: Outside) -> None:
    """An operator's own pods, say."""
    outside.merge(
        report([row("shop/other", None, estimate(pods("2"), "1", "1"), Verdict.SAFE, status="added")])
    )
    outside.charge(BEFORE, 2)
    outside.charge(AFTER, 1)

    assert outside.measure()
    assert "could not be measured: nothing of that name was charged before or after" in outside.told


def test_while_github_is_down_it_stays_due(outside: Outside) -> None:
    """And is told when it is there again."""
    outside.merge(cut())
    outside.charge(BEFORE, 2)
    outside.charge(AFTER, 1)
    outside.failure = GitHubUnavailable("GitHub did not answer")
    with pytest.raises(GitHubUnavailable):
        outside.measure()
    outside.failure = None

    assert outside.measure()
    assert outside.told


def test_what_github_refuses_is_given_up_at_last(outside: Outside) -> None:
    """Whoever removed the app may bring it back, but not for ever."""
    outside.clusters = ()
    outside.merge(cut())
    outside.failure = GitHubRefused("GitHub refused", 404)
    with pytest.raises(GitHubRefused):
        outside.measure(DUE + GIVE_UP - HOUR)

    assert outside.measure(DUE + GIVE_UP)
    assert (outside.replies, outside.due(DUE + GIVE_UP)) == ([], ())


def test_what_was_given_up_or_changes_nothing_is_not_measured(outside: Outside) -> None:
    """Nor is anything due before its week is over."""
    outside.merge(cut(), merged=False)
    outside.merge(report([]))
    assert outside.due() == ()
    outside.merge(cut())
    assert outside.due(DUE - HOUR) == ()
    assert len(outside.due()) == 1


def test_what_an_earlier_version_kept_is_let_go(outside: Outside) -> None:
    """It did not say where its workloads run."""
    kept = Prediction(
        repository=7, number=12, report_hash="r", reference={}, merged_at=MERGED, due_at=DUE,
        predicted={"currency": "USD", "expected": "1", "workloads": {"shop/Deployment/api": "1"}},
    )  # fmt: skip
    outside.records.predictions.keep(kept)

    assert outside.measure()
    assert (outside.replies, outside.due()) == ([], ())
