"""What a week's digest says in sentences, wherever it is shown. Plain text: who shows it makes it inert."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Literal

from bot.cost_words import Sentence, Words, day, sentence, share, strong, trend
from bot.digest import ALL_TEAMS, Digest, MergedPull, TeamWeek
from bot.inert import plain
from bot.recommendation_words import counted_words
from bot.unused_words import in_short
from bot.words import NOT_KNOWN, count, money, number, percent
from estimators.allocation import as_nano
from estimators.projection import DayAmount
from estimators.recommendation import Reason

_MOMENT = timedelta(microseconds=1)
_HALF_A_CENT = Decimal("0.005")
_MOST_OVER = 3
_DRAWN = 28
_LONGEST_NAME = 80


def headline(digest: Digest) -> Sentence:
    """What was spent, against the week before, and where the month goes; where nobody knows, what to save."""
    if digest.quiet:
        budgets = (
            "" if not digest.budgets else " every budget holds," if digest.teams else " the budget holds,"
        )
        known = all(course is not None for course, _ in digest.budgets)
        holds = budgets if known else ""
        return sentence(*_spent(digest), f". Little moved,{holds} and there is nothing to approve.")
    if digest.total is None and digest.recommendations:
        return _worth(digest)
    return sentence(*_spent(digest), ". ", *_course(digest))


def shares(digest: Digest) -> Iterator[str]:
    """What of the money went nowhere. Unallocated is always a part of the whole bill."""
    of_all = digest.team == ALL_TEAMS
    if digest.idle_share is not None:
        yield f"Idle: {share(float(digest.idle_share))} of {'the bill' if of_all else 'its cost'}"
    if digest.unallocated_share is not None and of_all:
        yield f"Unallocated: {share(float(digest.unallocated_share))}"
    elif digest.unallocated_share:
        yield f"Unallocated: {share(float(digest.unallocated_share))} of everybody's bill"
    if digest.gpu_idle_hours:
        cost = money(digest.gpu_idle_cost, digest.currency) if digest.gpu_idle_cost is not None else NOT_KNOWN
        yield f"GPUs sat idle for {number(digest.gpu_idle_hours, 0)} h ({cost})"
    if digest.gpu_unheld_cost:
        yield f"GPUs that nobody held: {money(digest.gpu_unheld_cost, digest.currency)}"


def origin(pull: MergedPull) -> str:
    """`right-sizing, approved by Ann`: whose idea a merged change was; `""` where it was not ours."""
    by = f"approved by {pull.approved_by}" if pull.approved_by else ""
    return ", ".join(filter(None, ("right-sizing" if pull.ours else "", by)))


def bars(digest: Digest) -> str:
    """The days of four weeks as a row of bars; `""` where too few were measured."""
    return trend(
        [DayAmount(at, as_nano(cost or Decimal(0)), float(cost is not None)) for at, cost in digest.trend]
    )


def drawn_days(drawn: str) -> str:
    """`four weeks`, or fewer days where nothing was measured before them."""
    return "four weeks" if len(drawn) == _DRAWN else f"{len(drawn)} days"


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


def week_words(week: str) -> str:
    """`week 7` of `2026-W07`."""
    return f"week {week.partition('-W')[2].lstrip('0')}"


def dates(digest: Digest) -> str:
    """`16 to 22 November`."""
    last = digest.end - _MOMENT
    first = str(digest.start.day) if digest.start.month == last.month else day(digest.start)
    return f"{first} to {day(last)}"


def _who(digest: Digest) -> Words:
    return strong(plain(digest.team, _LONGEST_NAME) if digest.team != ALL_TEAMS else "All teams")


def _when(digest: Digest) -> str:
    return f"in {week_words(digest.week)} ({dates(digest)})"


def _worth(digest: Digest) -> Sentence:
    """What is worth approving, where what was spent is not known."""
    saving = sum((item.allocated for item in digest.recommendations), digest.more_saving)
    found = len(digest.recommendations) + digest.more
    return sentence(
        _who(digest),
        f": {count(found, 'change')} {'is' if found == 1 else 'are'} worth approving, ",
        strong(f"{money(saving, digest.currency, signed=True)} a month"),
        f". What was spent {_when(digest)} is not known: no hour of it was measured.",
    )


def _spent(digest: Digest) -> Sentence:
    who, when = _who(digest), _when(digest)
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
    """What the month came to that ended, where the one that goes on will end, and whose budgets break."""
    last, budget = digest.end - _MOMENT, digest.budget_monthly
    told: list[str | Words] = []
    if digest.closed is not None:
        told += _against(f"{digest.start:%B} came to ", digest.closed, "", digest)
    told += _over(digest.teams, "closed", f" {digest.start:%B} ended over budget: ", digest.currency)
    if digest.projected is not None and digest.end.day > 1:  # else the month is over
        told += [" "] if told else []
        told += _against("On course for ", digest.projected, f" in {last:%B}", digest)
        told += _over(digest.teams, "projected", " Going over budget: ", digest.currency)
    if not told and budget is not None:
        told.append(f"The budget is {money(budget, digest.currency)} a month.")
    return sentence(*told)


def _against(lead: str, amount: Decimal, when: str, digest: Digest) -> list[str | Words]:
    """What a month comes to, against the budget."""
    budget, currency = digest.budget_monthly, digest.currency
    told: list[str | Words] = [lead, strong(money(amount, currency)), when]
    if budget is None:
        return [*told, "."]
    apart = money(abs(amount - budget), currency)
    if amount > budget:
        return [*told, ", ", strong(f"{apart} over its budget"), f" of {money(budget, currency)}."]
    return [*told, f", {apart} under its budget of {money(budget, currency)}."]


def _over(
    teams: Sequence[TeamWeek], month: Literal["closed", "projected"], lead: str, currency: str
) -> list[str | Words]:
    """The teams whose month breaks their budget, by most first; nothing where none does."""
    found = [
        (amount - row.budget_monthly, row.team)
        for row in teams
        if row.budget_monthly is not None and (amount := getattr(row, month)) is not None
    ]
    over = sorted((each for each in found if each[0] > 0), key=lambda each: (-each[0], each[1]))
    told: list[str | Words] = []
    for apart, team in over[:_MOST_OVER]:
        told += [", " if told else lead, strong(plain(team, _LONGEST_NAME)), f" by {money(apart, currency)}"]
    more = len(over) - _MOST_OVER
    return [*told, f" and {count(more, 'more')}".removesuffix("s") if more > 0 else "", "."] if told else []
