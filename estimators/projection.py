"""What a month will cost: what was measured of it, and the mean of the last seven full days for the rest.

Seven days hold each day of the week once, so that a weekend ahead or behind does not bend the mean.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

FULL_DAY = 0.9
"""A day of which this share was measured shows what a day costs."""
BASIS_DAYS = 7


class DayAmount(NamedTuple):
    """What a UTC day cost in nano-units, and the share of its 24 hours that was measured (0-1)."""

    day: date
    amount: int
    covered: float


@dataclass(frozen=True, slots=True)
class Projection:
    """A month's cost: `spent` was measured, `a_day` (of `basis_days` days) stands for `days_left` more.

    Days left are those to come, and what was not measured of those that passed. All in nano-units.
    """

    amount: int
    spent: int
    a_day: int
    basis_days: int
    days_left: float


def project(days: Iterable[DayAmount], month: date) -> Projection | None:
    """Project the month that `month` lies in; None while no day was measured well enough.

    `days` may begin before the month, each at most once; at its beginning those before give the mean.
    """
    known = sorted(days)
    full = [day for day in known if day.covered >= FULL_DAY][-BASIS_DAYS:]
    if not full:
        return None
    a_day = sum(day.amount for day in full) / sum(day.covered for day in full)
    within = [day for day in known if (day.day.year, day.day.month) == (month.year, month.month)]
    spent = sum(day.amount for day in within)
    left = monthrange(month.year, month.month)[1] - sum(min(day.covered, 1.0) for day in within)
    return Projection(round(spent + left * a_day), spent, round(a_day), len(full), left)
