"""Whether a week is told in one line. Pure."""

from __future__ import annotations

from decimal import Decimal

from bot.digest import Digest

LITTLE, LITTLE_MONEY, MUCH_MONEY = Decimal("0.02"), Decimal(10), Decimal(250)
"""A change of less than two percent is nothing to read about, unless it is 250 in the currency, about a
thousand a month; nor is one of less than ten in the currency, however little was spent.

A share alone, of the total or of the budget, would keep a thousand a month out of a large bill, and tell
every dime of a small one. In a currency of small units more weeks are told in full, which loses nothing."""
WHOLE = Decimal("0.9")
"""A week of which less than this share was measured is never quiet: that itself is to be told."""


def is_quiet(digest: Digest) -> bool:
    """Whether little moved, nothing is to be approved, nothing came of anything, and no budget is in danger.

    What moved up in one place and down in another has moved, though the total has not.
    """
    if digest.total is None or digest.previous is None or digest.coverage < WHOLE:
        return False
    little = max(LITTLE_MONEY, min(LITTLE * digest.previous, MUCH_MONEY))
    moved = [digest.total - digest.previous, *(mover.change for mover in digest.movers)]
    moved += [row.total - (row.previous or Decimal(0)) for row in digest.teams]
    over = any(course is not None and course > budget for course, budget in digest.budgets)
    news = digest.recommendations or digest.merged or digest.approvals
    return all(abs(change) < little for change in moved) and not over and not news
