"""What the first sentences of a digest say, read aloud."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from bot.cost_words import said
from bot.digest import Digest
from bot.digest_words import headline, shares
from tests.bot.digest_messages import QUIET, TEAM, finance


def after_its_end(digest: Digest) -> Digest:
    """The same in a week within which October ended."""
    start, end = datetime(2026, 10, 26, tzinfo=UTC), datetime(2026, 11, 2, tzinfo=UTC)
    return replace(digest, start=start, end=end, closed=Decimal(39900))


def with_its_end(digest: Digest, closed: Decimal | None) -> Digest:
    """The same in the last week of May."""
    start, end = datetime(2026, 5, 25, tzinfo=UTC), datetime(2026, 6, 1, tzinfo=UTC)
    return replace(digest, start=start, end=end, closed=closed)


def course(digest: Digest) -> str:
    """What is said after the week's cost."""
    return said(headline(digest)).partition("on the week before. ")[2]


@pytest.mark.parametrize(
    ("digest", "told"),
    [
        (TEAM, "On course for $38,400 in November, $860 under its budget of $39,260."),
        (
            replace(TEAM, budget_monthly=Decimal(30000)),
            "On course for $38,400 in November, $8,400 over its budget of $30,000.",
        ),
        (replace(TEAM, budget_monthly=None), "On course for $38,400 in November."),
        (replace(TEAM, projected=None), "The budget is $39,260 a month."),
        (replace(TEAM, projected=None, budget_monthly=None), ""),
        (
            after_its_end(TEAM),
            (
                "October came to $39,900, $640 over its budget of $39,260. "
                "On course for $38,400 in November, $860 under its budget of $39,260."
            ),
        ),
        (with_its_end(TEAM, Decimal(38400)), "May came to $38,400, $860 under its budget of $39,260."),
        (
            with_its_end(TEAM, None),
            "The budget is $39,260 a month.",
        ),
    ],
    ids=[
        "under budget", "over budget", "no budget", "no course", "neither", "a month ended in the week",
        "a month ended with the week", "hardly measured",
    ],
)  # fmt: skip
def test_where_the_month_goes_and_what_the_last_one_came_to(digest: Digest, told: str) -> None:
    """A month that is over is on course for nothing."""
    assert course(digest) == told


@pytest.mark.parametrize(
    ("one", "told"),
    [
        (
            TEAM,
            (
                "checkout: 7 changes are worth approving, −$2,650 a month. What was spent in week 47 "
                "(16 to 22 November) is not known: no hour of it was measured."
            ),
        ),
        (
            replace(TEAM, recommendations=TEAM.recommendations[:1], more=0, more_saving=Decimal(0)),
            (
                "checkout: 1 change is worth approving, −$58.40 a month. What was spent in week 47 "
                "(16 to 22 November) is not known: no hour of it was measured."
            ),
        ),
        (
            replace(TEAM, recommendations=()),
            "checkout: nothing was measured in week 47 (16 to 22 November). ",
        ),
    ],
    ids=["several", "one", "none"],
)
def test_where_nothing_was_measured_it_begins_with_what_is_worth_approving(one: Digest, told: str) -> None:
    """All that can be saved counts, with what did not fit."""
    unmeasured = replace(one, total=None, previous=None, projected=None, closed=None, budget_monthly=None)
    assert said(headline(unmeasured)) == told


def test_finance_is_told_whose_budget_breaks() -> None:
    """By most first, three by name; also those of a month that ended."""
    whole = finance()
    assert course(whole) == "On course for $86,400 in November. Going over budget: research by $470."
    rows = tuple(
        row._replace(
            budget_monthly=Decimal(100), projected=Decimal(100 + 10 * at), closed=Decimal(90 + 10 * at)
        )
        for at, row in enumerate(whole.teams)
    )
    many = after_its_end(replace(whole, teams=rows))
    assert course(many) == (
        "October came to $39,900. October ended over budget: idle by $50.00, unallocated by $40.00, "
        "data by $30.00 and 2 more. On course for $86,400 in November. Going over budget: idle by $60.00, "
        "unallocated by $50.00, data by $40.00 and 3 more."
    )


def test_a_quiet_week_says_that_budgets_hold() -> None:
    """Where there are some, and it is known where their month goes."""
    told = {
        "the budget holds,": QUIET,
        "every budget holds,": replace(finance(1), quiet=True),
        "moved, and": replace(QUIET, budget_monthly=None),
    }
    for words, digest in told.items():
        assert words in said(headline(digest))
    assert "holds" not in said(headline(replace(QUIET, projected=None)))


def test_what_went_nowhere_is_of_the_team_or_of_the_bill() -> None:
    """A team's own share of what is unallocated is nothing that anybody knows."""
    parts = [text.replace("\u00a0", " ") for text in shares(TEAM)]
    assert parts == [
        "Idle: 14 % of its cost", "Unallocated: 3 % of everybody's bill", "GPUs sat idle for 31 h ($105)",
    ]  # fmt: skip
    whole = replace(finance(), gpu_unheld_cost=Decimal("571.2"))
    assert [text.replace("\u00a0", " ") for text in shares(whole)] == [
        "Idle: 14 % of the bill", "Unallocated: 3 %", "GPUs sat idle for 31 h ($105)",
        "GPUs that nobody held: $571",
    ]  # fmt: skip
    nothing = replace(TEAM, idle_share=None, unallocated_share=Decimal(0), gpu_idle_hours=Decimal(0))
    assert list(shares(nothing)) == []
