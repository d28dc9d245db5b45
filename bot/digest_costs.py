"""What a week cost a team, or all of them, as a digest tells it: the ISO week beside the one before."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from bot.cost_access import EVERYTHING
from bot.cost_answer import CostAnswer, CostRefusal
from bot.cost_causes import causes_of
from bot.cost_commands import CostQuestion
from bot.cost_json import GROUPS
from bot.cost_ports import ChargedHours
from bot.cost_reading import CostReading
from bot.cost_small_print import is_compared
from bot.cost_windows import Hours, Windows, midnight, month_of
from bot.cost_words import share
from bot.digest import ALL_TEAMS, MOST_MOVERS, Bill, Digest, TeamWeek, WeekMover
from bot.server_config import ServerConfig, Team
from bot.weeks import IsoWeek
from estimators.allocation import as_money
from estimators.projection import FULL_DAY, DayAmount, project
from estimators.showback import Kind, Row
from estimators.showback_answer import Question, charged
from estimators.showback_week import gpu_idle, gpu_measured_share, unallocated_share
from estimators.usage import WorkloadKey

TREND = timedelta(days=28)
"""How far the trend goes back from the end of the week."""
_MOST_NOTES = 2
_GPUS_KNOWN = 0.9


class WeekCosts(NamedTuple):
    """A digest that tells what the week cost and nothing else yet, and whose a workload was."""

    digest: Digest
    owner_of: Callable[[WorkloadKey], str]


def hours_of_week(week: IsoWeek) -> Windows:
    """The week, and the one before it."""
    return Windows(Hours(week.start, week.end), Hours(week.before.start, week.start))


def hours_for_digest(week: IsoWeek) -> Hours:
    """All hours that the digest of a week reads: its trend, and each month that it lies in."""
    return Hours(min(week.end - TREND, week.start.replace(day=1)), week.end)


def read_week(
    team: str, week: IsoWeek, *, costs: ChargedHours, config: ServerConfig
) -> WeekCosts | CostRefusal:
    """What the week cost; a refusal where nobody knows the team, or several currencies cannot be added.

    Raises StoreUnavailable.
    """
    reading = CostReading(CostQuestion("team", team), costs, config, EVERYTHING, hours_of_week(week))
    if refusal := reading.refusal():
        return refusal
    only = reading.question.only
    nothing = Digest(
        team=only.name if only else ALL_TEAMS,
        week=str(week),
        start=week.start,
        end=week.end,
        currency="USD",
        coverage=Decimal(0),
        total=None,
        previous=None,
    )
    if not reading.windows:
        return WeekCosts(nothing, reading.owner_of)
    answer = reading.answer(since=hours_for_digest(week).start)
    return WeekCosts(_with_costs(nothing, reading, answer, week, config), reading.owner_of)


def _with_costs(
    digest: Digest, reading: CostReading, answer: CostAnswer, week: IsoWeek, config: ServerConfig
) -> Digest:
    found, total = answer.found, answer.found.total
    asked, of_all = reading.question, reading.question.of_all
    everybodys = charged(Question(asked.by, None, asked.owners, asked.rule), reading.windows)
    nobodys = unallocated_share(everybodys, asked.owners)
    mine = charged(asked, reading.windows)
    idle = gpu_idle(mine)
    return replace(
        digest,
        currency=answer.currency,
        coverage=_share(found.covered),
        total=as_money(total.cost) if found.covered else None,
        previous=_previous(answer),
        budget_monthly=answer.budget,
        projected=as_money(answer.month.amount) if answer.month else None,
        closed=_closed(answer.days, week),
        trend=tuple(_trend(answer.days, week)),
        movers=tuple(_movers(answer)) if is_compared(answer) else (),
        idle_share=_idle_share(total),
        unallocated_share=None if nobodys is None else _share(nobodys),
        gpu_idle_hours=Decimal(str(round(idle.hours, 2))) if idle else None,
        gpu_idle_cost=as_money(idle.cost) if idle else None,
        gpu_unheld_cost=_unheld(reading) if of_all else None,
        bill=Bill(*map(as_money, (found.bill, found.tenants, found.idle, found.shared))) if of_all else None,
        teams=tuple(_teams(reading, answer, week, config.teams)) if of_all else (),
        notes=(*_notes(answer, of_all=of_all), *_about_gpus(gpu_measured_share(mine))),
    )


def _movers(answer: CostAnswer) -> Iterator[WeekMover]:
    several = len(answer.clusters) > 1
    for mover in answer.found.movers[:MOST_MOVERS]:
        change, cause = as_money(mover.change), causes_of(mover, answer.currency)
        yield WeekMover(mover.workload, change, cause, mover.cluster if several else "")


def _about_gpus(measured: float | None) -> Iterator[str]:
    """That hours of GPUs are neither busy nor idle where nobody knows."""
    if measured is not None and measured < _GPUS_KNOWN:
        part = f"only for {share(measured)} of the hours that they were held" if measured else "for no hour"
        yield f"Whether GPUs were used is known {part}: dcgm-exporter measures it."


def _previous(answer: CostAnswer) -> Decimal | None:
    """None where so little was measured of one of the weeks that their difference says nothing."""
    previous = answer.found.total.previous
    return as_money(previous) if previous is not None and is_compared(answer) else None


def _idle_share(row: Row) -> Decimal | None:
    return _share(row.parts.idle_share / row.cost) if row.cost else None


def _share(part: float) -> Decimal:
    return Decimal(f"{part:.4f}")


def _closed(days: Sequence[DayAmount], week: IsoWeek) -> Decimal | None:
    """What the month came to that ended within the week; None where none did, or much was not measured."""
    month = week.start.replace(day=1)
    if month == week.end.replace(day=1):
        return None
    found = project(days, month.date())
    length = monthrange(month.year, month.month)[1]
    return as_money(found.amount) if found and found.days_left <= (1 - FULL_DAY) * length else None


def _unheld(reading: CostReading) -> Decimal | None:
    """What GPUs cost while no workload held them; None where there are no GPUs."""
    nodes = [node for window in reading.windows for node in window.nodes if node.gpu]
    return as_money(sum(node.idle_gpu for node in nodes)) if nodes else None


def _trend(days: Sequence[DayAmount], week: IsoWeek) -> Iterator[tuple[date, Decimal | None]]:
    """The days of four weeks; a day that was hardly measured is not known."""
    known = {day.day: day for day in days}
    day = midnight(week.end - TREND)
    while day < week.end:
        amount = known.get(day.date())
        whole = amount is not None and amount.covered >= FULL_DAY
        yield day.date(), as_money(amount.amount) if amount and whole else None
        day += timedelta(days=1)


def _teams(
    reading: CostReading, answer: CostAnswer, week: IsoWeek, teams: tuple[Team, ...]
) -> Iterator[TeamWeek]:
    """Every row, the dearest first; what is no team's last. They add up to the bill."""
    hours = hours_for_digest(week)
    days = reading.days_by_group(min(hours.start, week.start))
    compared = is_compared(answer)
    budgets = {team.name: team.budget_monthly for team in teams}
    for row in answer.found.rows:
        projected = project(days.get(row.group, ()), month_of(week.end).date())
        known = row.kind in {Kind.TENANT, Kind.UNALLOCATED} and projected is not None
        yield TeamWeek(
            team=row.group or GROUPS[row.kind],
            total=as_money(row.cost),
            previous=as_money(row.previous) if compared and row.previous is not None else None,
            budget_monthly=budgets.get(row.group) if row.kind is Kind.TENANT else None,
            projected=as_money(projected.amount) if projected and known else None,
            idle_share=_idle_share(row) if row.kind is Kind.TENANT else None,
            savings=Decimal(0),
            kind=row.kind.value,
            closed=_closed(days.get(row.group, ()), week) if known else None,
        )


def _notes(answer: CostAnswer, *, of_all: bool) -> Iterator[str]:
    """What the numbers do not tell by themselves, as sentences."""
    found = answer.found
    if found.covered and found.previous_covered and not is_compared(answer):
        then = share(found.previous_covered)
        yield f"Not compared with the week before, of which {then} was measured."
    elif found.covered and not is_compared(answer):
        yield "Not compared: nothing was measured the week before."
    kinds = {row.kind for row in found.rows}
    if of_all and Kind.UNALLOCATED in kinds and Kind.TENANT not in kinds:
        yield "No team is known: name teams in tuppence.yaml, or label workloads with team."
    assumed = sum(price.cost for price in answer.prices if price.assumed)
    priced = sum(price.cost for price in answer.prices)
    if priced and assumed / priced >= 0.01:
        part = f"{round(100 * assumed / priced)}\u00a0%"
        yield f"{part} of what nodes cost is by assumed prices: prices in tuppence.yaml sets yours."
    yield from found.notes[:_MOST_NOTES]
