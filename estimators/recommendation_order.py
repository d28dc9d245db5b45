"""In which order recommendations are shown: the most saving for the least risk first."""

from __future__ import annotations

from decimal import Decimal

from estimators.report import Confidence, Verdict

NOT_YET_MONEY = Decimal("0.25")
"""What a saving counts that is allocated but not realisable: no node goes away by it alone, though with
others one may. A quarter keeps a change that frees a node before one three times its size that frees none."""
_VERDICTS = {
    Verdict.SAFE: Decimal(1),
    Verdict.NONE: Decimal(1),
    Verdict.CAUTION: Decimal("0.5"),
    Verdict.UNKNOWN: Decimal(0),
    Verdict.RISKY: Decimal(0),
}
_CONFIDENCES = {
    Confidence.HIGH: Decimal(1),
    Confidence.MEDIUM: Decimal("0.6"),
    Confidence.LOW: Decimal("0.3"),
    Confidence.NONE: Decimal(0),
}
"""Judgement, not measurement: a change that is cautioned against has to save twice as much to come first, one
of little history three times as much. What may not be proposed at all counts nothing."""


def saving_for_risk(
    allocated: Decimal, realisable: Decimal | None, verdict: Verdict, confidence: Confidence
) -> Decimal:
    """How much a month's saving is worth showing, the larger the sooner; 0 or more.

    `(realisable + 0.25 x (allocated - realisable)) x verdict x confidence`, of savings as positive amounts;
    a realisable saving that nobody knows counts as none. Amounts are negative for a saving, as everywhere.
    """
    real = max(-(realisable or Decimal(0)), Decimal(0))
    rest = max(-allocated - real, Decimal(0))
    return (real + NOT_YET_MONEY * rest) * _VERDICTS[verdict] * _CONFIDENCES[confidence]
