"""What a week's digest says in sentences, wherever it is shown. Plain text: who shows it makes it inert."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

from bot.cost_words import Sentence, day, sentence, share, strong, trend
from bot.digest import ALL_TEAMS, Digest, MergedPull
from bot.recommendation_words import counted_words
from bot.unused_words import in_short
from bot.words import NOT_KNOWN, money, number, percent
from estimators.allocation import as_nano
from estimators.projection import DayAmount
from estimators.recommendation import Reason

_MOMENT = timedelta(microseconds=1)
_HALF_A_CENT = Decimal("0.005")


def headline(digest: Digest) -> Sentence:
    """What was spent, against the week before, and where the month goes."""
    if digest.quiet:
        budgets = (
            "" if not digest.budgets else " every budget holds," if digest.teams else " the budget holds,"
        )
        known = all(course is not None for course, _ in digest.budgets)
        holds = budgets if known else ""
        return sentence(*_spent(digest), f". Little moved,{holds} and there is nothing to approve.")
    return sentence(*_spent(digest), ". ", *_course(digest))


def shares(digest: Digest) -> Iterator[str]:
    """What of the money went nowhere."""
    if digest.idle_share is not None:
        yield f"Idle: {share(float(digest.idle_share))} of the cost"
    if digest.unallocated_share is not None:
        yield f"Unallocated: {share(float(digest.unallocated_share))}"
    if digest.gpu_idle_hours:
        cost = money(digest.gpu_idle_cost, digest.currency) if digest.gpu_idle_cost is not None else NOT_KNOWN
        yield f"GPUs sat idle for {number(digest.gpu_idle_hours, 0)} h ({cost})"


def origin(pull: MergedPull) -> str:
    """`right-sizing, approved by Ann`: whose idea a merged change was; `""` where it was not ours."""
    by = f"approved by {pull.approved_by}" if pull.approved_by else ""
    return ", ".join(filter(None, ("right-sizing" if pull.ours else "", by)))


def bars(digest: Digest) -> str:
    """The days of four weeks as a row of bars; `""` where too few were measured."""
    return trend(
        [DayAmount(at, as_nano(cost or Decimal(0)), float(cost is not None)) for at, cost in digest.trend]
    )


def counted(digest: Digest) -> list[str]:
    """What is left alone for reasons that no person gave: how many, and the names of some."""
    counts = sorted(digest.left_counts.items(), key=lambda item: (-item[1], item[0]))
    told = bool(digest.left_alone)
    return [
        counted_words(reason, left, digest.left_names.get(reason, ()))
        for reason, left in counts
        if reason != Reason.PROTECTED or not told
    ]


def notes(digest: Digest) -> Iterator[str]:
    """What makes the numbers less than certain."""
    if digest.total is not None and digest.coverage < 1:
        yield f"{share(float(digest.coverage))} of the week's hours were measured."
    yield from digest.notes
    if digest.quiet and digest.unused and digest.unused.count:
        yield in_short(digest.unused, digest.currency)


def dates(digest: Digest) -> str:
    """`16 to 22 November`."""
    last = digest.end - _MOMENT
    first = str(digest.start.day) if digest.start.month == last.month else day(digest.start)
    return f"{first} to {day(last)}"


def _spent(digest: Digest) -> Sentence:
    who = strong(digest.team if digest.team != ALL_TEAMS else "All teams")
    when = f"in week {digest.week.partition('-W')[2].lstrip('0')} ({dates(digest)})"
    if digest.total is None:
        return sentence(who, f": nothing was measured {when}")
    spent = sentence(who, " spent ", strong(money(digest.total, digest.currency)), f" {when}")
    if digest.previous is None:
        return spent
    moved = digest.total - digest.previous
    if abs(moved) < _HALF_A_CENT:
        return sentence(*spent, ", as much as the week before")
    told = money(moved, digest.currency, signed=True)
    part = f" ({percent(100 * moved / digest.previous)})" if digest.previous else ""
    return sentence(*spent, ", ", strong(f"{told}{part}"), " on the week before")


def _course(digest: Digest) -> Sentence:
    """Where the month goes, against the budget."""
    budget, projected, currency = digest.budget_monthly, digest.projected, digest.currency
    month = f"{digest.end - _MOMENT:%B}"
    if projected is None:
        return sentence(f"The budget is {money(budget, currency)} a month." if budget is not None else "")
    course = sentence("On course for ", strong(money(projected, currency)), f" in {month}")
    if budget is None:
        return sentence(*course, ".")
    apart = money(abs(projected - budget), currency)
    if projected > budget:
        return sentence(*course, ", ", strong(f"{apart} over its budget"), f" of {money(budget, currency)}.")
    return sentence(*course, f", {apart} under its budget of {money(budget, currency)}.")
