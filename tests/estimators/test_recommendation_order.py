"""Which recommendation comes first."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimators.recommendation_order import saving_for_risk
from estimators.report import Confidence, Verdict

SAVINGS = st.decimals(-(10**6), 0, places=2)


def worth(
    allocated: str,
    realisable: str | None = "0",
    verdict: Verdict = Verdict.SAFE,
    confidence: Confidence = Confidence.HIGH,
) -> Decimal:
    """Of amounts as strings."""
    return saving_for_risk(
        Decimal(allocated), None if realisable is None else Decimal(realisable), verdict, confidence
    )


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (worth("-100", "-100"), worth("-300")),
        (worth("-100"), worth("-99")),
        (worth("-100"), worth("-199", verdict=Verdict.CAUTION)),
        (worth("-100"), worth("-160", confidence=Confidence.MEDIUM)),
        (worth("-100"), worth("-330", confidence=Confidence.LOW)),
        (worth("-1"), worth("-100", confidence=Confidence.NONE)),
        (worth("-1"), worth("-100", verdict=Verdict.RISKY)),
    ],
    ids=[
        "a node that goes away before three times as much on paper",
        "more before less",
        "safe before less than twice as much with a caution",
        "sure before less than 1.7 times as much of a week's history",
        "sure before three times as much of little history",
        "any before one that nothing is known of",
        "any before one that is risky",
    ],
)
def test_the_most_saving_for_the_least_risk_comes_first(first: Decimal, second: Decimal) -> None:
    """A pair at a time."""
    assert first > second


def test_a_realisable_saving_that_nobody_knows_counts_as_none() -> None:
    """And one larger than what is allocated counts whole."""
    assert worth("-100", None) == worth("-100", "0") == 25
    assert worth("-100", "-180") == 180


@given(SAVINGS, SAVINGS, SAVINGS, st.sampled_from(Verdict), st.sampled_from(Confidence))
def test_more_saving_is_never_worth_less(
    allocated: Decimal, real: Decimal, more: Decimal, verdict: Verdict, confidence: Confidence
) -> None:
    """Of either kind; and nothing is worth less than nothing."""
    known = saving_for_risk(allocated, real, verdict, confidence)
    assert known >= 0
    assert saving_for_risk(allocated + more, real, verdict, confidence) >= known
    assert saving_for_risk(allocated, real + more, verdict, confidence) >= known
