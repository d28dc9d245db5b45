"""What is told of a merged change a week later."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given

from bot.inert import Markdown, md
from bot.measured_comment import Gap, Outcome, days, render_measured
from estimators.allocation import NANO
from estimators.measured_change import MeasuredRow, PredictedRow, weeks_around
from estimators.showback_movers import Cause, Effect
from estimators.usage import WorkloadKey
from tests.bot import github_markdown as github
from tests.bot.strangers import texts

MERGED = datetime(2026, 11, 9, 14, tzinfo=UTC)
PODS = frozenset({Cause.REPLICAS, Cause.CPU_REQUEST, Cause.MEMORY_REQUEST})


def predicted(
    name: str = "shop/api", expected: str | None = "120", causes: Iterable[Cause] = PODS, *,
    replicas: str | None = "6", kind: str = "Deployment", environment: str = "",
) -> PredictedRow:  # fmt: skip
    namespace, _, own = name.rpartition("/")
    key = WorkloadKey(namespace, kind, own)
    return PredictedRow(
        environment=environment, cluster="", workload=key, was=key,
        expected=None if expected is None else Decimal(expected), causes=frozenset(causes),
        replicas=None if replicas is None else Decimal(replicas),
    )  # fmt: skip


def measured(
    row: PredictedRow, *effects: tuple[Cause, float, float, float], replicas: float = 6
) -> MeasuredRow:
    """Effects in units of the currency, with what was before and after."""
    made = tuple(Effect(cause, round(change * NANO), was, now) for cause, change, was, now in effects)
    return MeasuredRow(row, sum(effect.change for effect in made), made, replicas)


def outcome(
    *rows: MeasuredRow, gaps: Iterable[Gap] = (), currency: str = "USD", covered: float = 1.0
) -> Outcome:
    return Outcome(currency, MERGED, weeks_around(MERGED), covered, rows, tuple(gaps))


ONE = measured(
    predicted(), (Cause.REPLICAS, 101.2, 4, 5), (Cause.PRICE, -6.3, 1, 0.97), replicas=5
)  # fmt: skip
CUT = measured(
    predicted("shop/worker", "-310.5", replicas="4"),
    (Cause.CPU_REQUEST, -280.0, 2, 1),
    (Cause.MEMORY_REQUEST, -30.5, 4, 2),
    (Cause.CPU_USE, 41.25, 0, 0.3),
    replicas=4,
)
NEW = measured(
    predicted("ml/trainer", "90", {Cause.NEW}, replicas="3"), (Cause.NEW, 61.0, 0, 61), replicas=2.04
)
DATA = measured(
    predicted("shop/data", "8", {Cause.STORAGE}, kind="PersistentVolumeClaim", replicas="1"),
    (Cause.STORAGE, 8.0, 2, 10), replicas=0,
)  # fmt: skip
GONE = measured(
    predicted("shop/old", "-12", {Cause.GONE}, replicas=None), (Cause.GONE, -12.0, 12, 0), replicas=0
)
UNKNOWN = measured(predicted("shop/agent", None), (Cause.MEMORY_REQUEST, 4.2, 0.1, 0.2))
NO_PROMETHEUS = Markdown("the cluster `moon` has no Prometheus in `tuppence.yaml`")
OUTCOMES = {
    "one": outcome(ONE),
    "several": outcome(ONE, CUT, NEW, DATA, GONE, UNKNOWN, covered=0.973),
    "as-predicted": outcome(measured(predicted(), (Cause.REPLICAS, 120, 4, 6))),
    "not-rolled-out": outcome(measured(predicted(), (Cause.PRICE, 3.5, 1, 1.02), replicas=4)),
    "stayed": outcome(measured(predicted(), (Cause.CPU_REQUEST, 40, 1, 1.5), replicas=4)),
    "partly": outcome(
        ONE, gaps=[Gap(predicted(f"lab/{name}", "40"), NO_PROMETHEUS) for name in ("a", "b", "c", "d")]
    ),
    "not-measured": outcome(gaps=[Gap(predicted(), NO_PROMETHEUS)]),
}


@pytest.mark.parametrize("name", OUTCOMES)
def test_an_outcome_reads_as_its_golden_file(name: str, golden: Callable[[str, str], None]) -> None:
    """One for each thing that can come of a prediction."""
    text = render_measured(OUTCOMES[name])

    golden(f"measured-{name}.md", text)
    assert github.uneven_tables(text) == []


@given(texts)
def test_no_name_does_anything(text: str) -> None:
    """Neither of a workload nor of an environment."""
    row = predicted(f"shop/{text}", environment=text)
    found = outcome(
        measured(row, (Cause.REPLICAS, 5, 1, 2)),
        measured(predicted("shop/b"), (Cause.PRICE, 5, 1, 2)),
        gaps=[Gap(row, md(text))],
    )
    told = render_measured(found)

    assert github.noticed(told) == []
    assert github.foreign_html(told) == []
    assert github.block_types(told) == github.block_types(render_measured(OUTCOMES["several"]))
    assert github.uneven_tables(told) == []


def test_a_currency_is_that_of_the_report() -> None:
    """Everywhere."""
    told = render_measured(outcome(ONE, CUT, currency="EUR"))

    assert "$" not in told
    assert "EUR" in told


def test_days_of_two_months() -> None:
    """The last one is the day before the end."""
    start = datetime(2026, 11, 28, tzinfo=UTC)

    assert days(start, datetime(2026, 12, 4, tzinfo=UTC)) == "28 November to 3 December"
    assert days(start, datetime(2026, 11, 30, tzinfo=UTC)) == "28 to 29 November"
