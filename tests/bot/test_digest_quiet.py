"""Which weeks are one line: those that hide nothing."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from bot.digest import Digest, WeekMover
from bot.digest_quiet import is_quiet
from tests.bot.digest_messages import QUIET, TEAM, finance


def week(total: str, previous: str, **more: object) -> Digest:
    """Checkout's, with nothing in it but these amounts and `more`."""
    amounts = {"total": Decimal(total), "previous": Decimal(previous), "budget_monthly": None}
    return replace(QUIET, **{**amounts, **more})  # type: ignore[arg-type]


def moved(*changes: int) -> tuple[WeekMover, ...]:
    return tuple(WeekMover("payments/api", Decimal(change), "replicas 8 → 12") for change in changes)


@pytest.mark.parametrize(
    ("found", "quiet"),
    [
        (week("9", "1"), True),
        (week("11.00", "1"), False),
        (week("1019", "1000"), True),
        (week("1021", "1000"), False),
        (week("979", "1000"), False),
        (week("100200", "100000"), True),
        (week("101500", "100000"), False),
        (week("100000", "100000", movers=moved(249, -249)), True),
        (week("100000", "100000", movers=moved(1500, -1500)), False),
        (week("1000", "1000", coverage=Decimal("0.89")), False),
        (week("1000", "1000", budget_monthly=Decimal(4300), projected=Decimal(4300)), True),
        (week("1000", "1000", budget_monthly=Decimal(4300), projected=Decimal("4300.01")), False),
        (
            week("1", "1", budget_monthly=Decimal(4300), projected=Decimal(4), closed=Decimal("4300.01")),
            False,
        ),
        (week("1000", "1000", recommendations=TEAM.recommendations[:1]), False),
        (week("1000", "1000", merged=TEAM.merged[:1]), False),
        (week("1000", "1000", approvals=TEAM.approvals[:1]), False),
        (replace(week("1", "1"), total=None), False),
        (replace(week("1", "1"), previous=None), False),
    ],
    ids=[
        "less than ten", "eleven", "less than two percent", "more than that", "or less",
        "0.2 % of a large week", "1.5 % of a large week", "little each", "up and down by much",
        "a part was not measured", "just within its budget", "over its budget",
        "a month ended over its budget", "something to approve",
        "something was merged", "something was approved", "nothing was measured", "not compared",
    ],
)  # fmt: skip
def test_a_week_is_quiet_where_it_hides_nothing(found: Digest, quiet: bool) -> None:
    """A large team's two percent is much; what went up and down has moved, though the total has not."""
    assert is_quiet(found) is quiet


def test_teams_that_moved_are_not_quiet_together() -> None:
    """One spent more and another as much less; or one of them is over its budget."""
    plain = finance(2)
    rows = tuple(row._replace(previous=row.total, budget_monthly=None) for row in plain.teams)
    nothing = {"movers": (), "recommendations": (), "merged": (), "approvals": ()}
    alike = replace(plain, previous=plain.total, teams=rows, **nothing)  # type: ignore[arg-type]
    first, second, *rest = rows
    swapped = (first._replace(previous=first.total - 500), second._replace(previous=second.total + 500))
    over = first._replace(budget_monthly=Decimal(1))
    new = first._replace(previous=None)

    assert is_quiet(alike)
    assert not is_quiet(replace(alike, teams=(*swapped, *rest)))
    assert not is_quiet(replace(alike, teams=(over, second, *rest)))
    assert not is_quiet(replace(alike, teams=(new, second, *rest)))
