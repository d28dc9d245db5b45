"""What stands under an answer about cost: how much was measured, whose prices, and how it was reckoned."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from bot.cost_answer import CostAnswer
from bot.cost_commands import OF_NODES
from bot.cost_words import column, moment, share, window_before
from bot.words import count, number

ALIKE = 0.9
"""A window of which less than this share of the other's hours was measured is no measure for it."""
_MOST_NOTES = 2
_ASSUMED = 0.01
_SPLITS = {
    "proportional": "shared costs are split by cost",
    "even": "shared costs are split evenly over namespaces",
    "fixed": "shared costs are split by fixed percentages",
    "central": "shared costs are kept central",
}


def is_compared(answer: CostAnswer) -> bool:
    """Whether as much was measured of the window before, so that a change says something."""
    found = answer.found
    return found.previous_parts is not None and _alike(found.covered, found.previous_covered)


def not_compared(answer: CostAnswer) -> str:
    """Why a change is not told."""
    before = window_before(answer.question.window, answer.windows)
    covered = answer.found.previous_covered
    return f"not compared: of {before} {share(covered) if covered else 'nothing'} was measured"


def _alike(now: float, then: float) -> bool:
    return min(now, then) >= ALIKE * max(now, then)


def small_print(answer: CostAnswer) -> Iterator[str]:
    """One short remark at a time, without a full stop."""
    found, asked = answer.found, answer.question
    covered = "Every hour" if found.covered > 0.9995 else f"{share(found.covered)} of the hours"
    yield f"{covered} measured, until {moment(answer.until)}"
    if not is_compared(answer):
        yield not_compared(answer)
    yield from _prices(answer)
    if found.serves_all:
        yield "it serves everybody: this is what it costs itself, and others share it"
    elif answer.shares_something and asked.kind not in OF_NODES:
        yield _SPLITS[answer.split]
    if asked.kind not in OF_NODES and not asked.name and answer.whole:
        parts = (found.tenants, found.idle, found.shared)
        (tenants, idle, shared), bill = column(parts, answer.currency)
        yield f"bill {bill} = tenants {tenants} + idle {idle} + shared {shared}"
    if not answer.whole and not asked.name:
        yield "only of namespaces that you may see"
    if answer.month is not None:
        left = number(Decimal(str(round(answer.month.days_left, 1))), 1)
        days = count(answer.month.basis_days, "full day")
        yield f"{answer.until:%B}: what was measured, and {left} days like the mean of the last {days}"
    yield from found.notes[:_MOST_NOTES]
    if len(found.notes) > _MOST_NOTES:
        yield count(len(found.notes) - _MOST_NOTES, "more remark")


def _prices(answer: CostAnswer) -> Iterator[str]:
    sources = tuple(dict.fromkeys(price.source for price in answer.prices))
    if not sources:
        return
    more = f" and {count(len(sources) - 1, 'more')}".removesuffix("s") if len(sources) > 1 else ""
    yield f"prices: {sources[0]}{more}"
    cost = sum(price.cost for price in answer.prices)
    assumed = sum(price.cost for price in answer.prices if price.assumed)
    if cost and assumed / cost >= _ASSUMED:
        yield f"{share(assumed / cost)} of what nodes cost is by assumed prices"
