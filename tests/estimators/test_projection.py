"""What a month will cost, worked by hand."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from estimators.projection import DayAmount, project

NOVEMBER = date(2026, 11, 1)


def days(*amounts: int, first: date = NOVEMBER, covered: float = 1.0) -> list[DayAmount]:
    """Days in a row, each wholly measured unless said otherwise."""
    return [DayAmount(first + timedelta(days=i), amount, covered) for i, amount in enumerate(amounts)]


@pytest.mark.parametrize(
    ("known", "spent", "a_day", "basis", "left", "amount"),
    [
        (days(*[100] * 10), 1000, 100, 7, 20, 3000),
        (days(*[50] * 3, *[100] * 7), 850, 100, 7, 20, 2850),
        (days(100, 100), 200, 100, 2, 28, 3000),
        (days(*[70] * 7, first=date(2026, 10, 25)), 0, 70, 7, 30, 2100),
        ([*days(*[100] * 7), DayAmount(date(2026, 11, 8), 25, 0.25)], 725, 100, 7, 22.75, 3000),
        ([*days(*[100] * 7), DayAmount(date(2026, 11, 8), 95, 0.95)], 795, 100, 7, 22.05, 3000),
        ([*days(*[100] * 7), *days(100, first=date(2026, 11, 10))], 800, 100, 7, 22, 3000),
        (days(*[100] * 30), 3000, 100, 7, 0, 3000),
    ],
    ids=[
        "ten even days", "the last seven", "two days", "the month before", "today, a quarter done",
        "a day nearly whole", "a day that is missing", "a whole month",
    ],
)  # fmt: skip
def test_a_month_is_what_was_spent_and_the_mean_for_the_rest(
    known: list[DayAmount], spent: int, a_day: int, basis: int, left: float, amount: int
) -> None:
    """What was not measured counts as a mean day as well: a gap does not make a month cheaper."""
    found = project(known, date(2026, 11, 15))
    assert found is not None
    assert (found.spent, found.a_day, found.basis_days) == (spent, a_day, basis)
    assert found.days_left == pytest.approx(left)
    assert found.amount == amount


def test_without_one_good_day_nothing_is_projected() -> None:
    """Half-measured days show no day's cost."""
    assert project(days(10, 10, covered=0.5), NOVEMBER) is None
    assert project([], NOVEMBER) is None
