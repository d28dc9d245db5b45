"""Which guardrails a report crosses, and which it never does."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimators.guardrail import Guardrail, judge
from estimators.money import NOTHING, Range, total
from estimators.objects import Identity, Source
from estimators.prices import Provenance, Rates
from estimators.report import Confidence, Estimate, PodAmounts, ReplicaCount, Report, Row, Verdict

ZERO = Decimal(0)
RATES = Rates(ZERO, ZERO, ZERO, "test", "2026-11-01", Provenance.ASSUMED)


def row(
    change: Decimal | int,
    *,
    before: Decimal | int = 0,
    environment: str = "production",
    team: str = "",
    verdict: Verdict = Verdict.SAFE,
) -> Row:
    """One changed workload; `before` and `change` are expected amounts a month."""
    monthly = Range.exactly(Decimal(before))
    estimate = Estimate(
        ReplicaCount(NOTHING, "manifest", Provenance.REQUESTED),
        PodAmounts(ZERO, ZERO, ZERO, ZERO),
        RATES,
        (),
        monthly,
    )
    expected = Decimal(change)
    return Row(
        identity=Identity(environment, "payments", "Deployment", "api"),
        status="changed",
        source=Source("api.yaml", 1),
        verdict=verdict,
        confidence=Confidence.HIGH,
        before=estimate,
        after=estimate,
        change=Range(expected - 1000, expected, expected + 1000),
        team=team,
    )


def report(*rows: Row) -> Report:
    """A report with these rows, in dollars."""
    before = total(row.before.monthly for row in rows if row.before)
    change = total(row.change for row in rows)
    return Report("USD", "base", "head", Verdict.SAFE, Confidence.HIGH, before, before + change, rows)


def test_an_expected_increase_above_the_line_crosses_and_says_which_number() -> None:
    """The expected change counts, not the ceiling; the sentence names both amounts."""
    guardrail = Guardrail(monthly_increase=Decimal(500), message="Ask first.", approvers=("acme/sre",))
    (crossed,) = judge(report(row(Decimal("506.40"))), [guardrail])
    assert crossed.why == "the expected change of +$506.40 a month is above $500"
    assert (crossed.message, crossed.approvers) == ("Ask first.", ("acme/sre",))


@pytest.mark.parametrize(
    ("guardrail", "rows", "crosses"),
    [
        pytest.param(Guardrail(monthly_increase=Decimal(500)), [row(500)], False, id="exactly on the line"),
        pytest.param(Guardrail(monthly_increase=Decimal(0)), [row(Decimal("0.01"))], True, id="no increase allowed"),
        pytest.param(Guardrail(monthly_increase=Decimal(0)), [row(0)], False, id="no change"),
        pytest.param(Guardrail(monthly_increase=Decimal(500)), [row(300), row(300)], True, id="rows add up"),
        pytest.param(Guardrail(monthly_increase=Decimal(500)), [row(900), row(-800)], False, id="a saving counts against"),
        pytest.param(Guardrail(percent=Decimal(10)), [row(11, before=100)], True, id="percent above"),
        pytest.param(Guardrail(percent=Decimal(10)), [row(10, before=100)], False, id="percent on the line"),
        pytest.param(Guardrail(percent=Decimal(10)), [row(10)], False, id="percent of nothing"),
        pytest.param(Guardrail(percent=Decimal(10)), [row(-90, before=100)], False, id="a saving of many percent"),
        pytest.param(Guardrail(verdict=Verdict.RISKY), [row(-90, verdict=Verdict.RISKY)], True, id="a risky saving"),
        pytest.param(Guardrail(verdict=Verdict.RISKY), [row(0, verdict=Verdict.CAUTION)], False, id="milder than asked"),
        pytest.param(Guardrail(verdict=Verdict.CAUTION), [row(0, verdict=Verdict.RISKY)], True, id="worse than asked"),
        pytest.param(Guardrail(verdict=Verdict.CAUTION), [row(0, verdict=Verdict.UNKNOWN)], False, id="unknown"),
        pytest.param(Guardrail(environments=("staging",), monthly_increase=Decimal(0)), [row(9)], False, id="elsewhere"),
        pytest.param(Guardrail(environments=("production",), monthly_increase=Decimal(0)), [row(9)], True, id="here"),
        pytest.param(Guardrail(teams=("web",), verdict=Verdict.RISKY), [row(0, team="data", verdict=Verdict.RISKY)], False, id="another team"),
        pytest.param(Guardrail(teams=("web",), verdict=Verdict.RISKY), [row(0, team="web", verdict=Verdict.RISKY)], True, id="this team"),
        pytest.param(Guardrail(), [row(9, verdict=Verdict.RISKY)], False, id="no threshold"),
    ],
)  # fmt: skip
def test_a_guardrail_is_crossed_only_by_what_it_speaks_of(
    guardrail: Guardrail, rows: list[Row], crosses: bool
) -> None:
    """Strictly above the line, in its own environments and teams, added up."""
    assert bool(judge(report(*rows), [guardrail])) is crosses


def test_every_reason_is_told_in_one_sentence() -> None:
    """A guardrail crossed twice over is one guardrail, with its scope named."""
    guardrail = Guardrail(
        environments=("production",),
        monthly_increase=Decimal(5),
        percent=Decimal(10),
        verdict=Verdict.CAUTION,
    )
    (crossed,) = judge(report(row(50, before=100, verdict=Verdict.RISKY)), [guardrail])
    assert crossed.why == (
        "production: the expected change of +$50.00 a month is above $5; "
        "the expected change of +50.0 % is above 10 %; 1 workload is caution or worse"
    )


def test_an_unpriced_side_is_no_increase() -> None:
    """A row whose cost is unknown adds nothing, and does not stop the others from being judged."""
    unknown = replace(row(0, verdict=Verdict.UNKNOWN), before=None, after=None, change=NOTHING)
    assert judge(report(unknown), [Guardrail(monthly_increase=Decimal(0), percent=Decimal(0))]) == ()
    assert judge(report(unknown, row(1)), [Guardrail(monthly_increase=Decimal(0))])


amounts = st.decimals(min_value=0, max_value=10**6, places=2)


@given(saving=amounts, before=amounts, limit=amounts)
def test_a_saving_never_crosses_an_amount(saving: Decimal, before: Decimal, limit: Decimal) -> None:
    """Whatever the line, and however large the saving."""
    guardrail = Guardrail(monthly_increase=limit, percent=limit)
    assert judge(report(row(-saving, before=before)), [guardrail]) == ()
