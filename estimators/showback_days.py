"""What was asked about, day by day: what a sparkline and a projection are made of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date, timedelta
from typing import TypeVar

from estimators.allocation_days import DayCost, NodesDay
from estimators.projection import DayAmount
from estimators.showback_answer import Question
from estimators.showback_shared import SharedRule, Tenant, share_out

_DAY = timedelta(days=1)
_Day = TypeVar("_Day", DayCost, NodesDay)


def daily(question: Question, clusters: Mapping[str, Sequence[DayCost]]) -> tuple[DayAmount, ...]:
    """What was asked about, day by day, in order: for a sparkline and `projection.project`.

    Shared costs are split day by day, so that the days add up to the total of a window only roughly
    under a proportional split. A day that one of several clusters did not measure is covered in part.
    """
    rule = question.shares_by
    return _by_day(clusters, lambda cluster, day: _of_day(question, rule, cluster, day))


def daily_of_nodes(
    clusters: Mapping[str, Sequence[NodesDay]], amount: Callable[[NodesDay], int]
) -> tuple[DayAmount, ...]:
    """The same of nodes; `amount` is which of a day's amounts was asked about."""
    return _by_day(clusters, lambda _, day: amount(day))


def _by_day(
    clusters: Mapping[str, Sequence[_Day]], amount: Callable[[str, _Day], int]
) -> tuple[DayAmount, ...]:
    amounts: defaultdict[date, int] = defaultdict(int)
    covered: defaultdict[date, float] = defaultdict(float)
    for cluster, days in clusters.items():
        for day in days:
            amounts[day.start.date()] += amount(cluster, day)
            covered[day.start.date()] += day.covered * ((day.end - day.start) / _DAY) / len(clusters)
    return tuple(DayAmount(day, amounts[day], min(covered[day], 1.0)) for day in sorted(amounts))


def daily_by_group(
    question: Question, clusters: Mapping[str, Sequence[DayCost]]
) -> dict[str, tuple[DayAmount, ...]]:
    """Every group of the question's rows day by day; all of them have the same days.

    As for `daily`; what no workload owes is in no group, unallocated workloads are in `""`.
    """
    amounts: defaultdict[str, defaultdict[date, int]] = defaultdict(lambda: defaultdict(int))
    covered: defaultdict[date, float] = defaultdict(float)
    for cluster, days in clusters.items():
        for day in days:
            covered[day.start.date()] += day.covered * ((day.end - day.start) / _DAY) / len(clusters)
            for group, amount in _by_group(question, question.rule, cluster, day):
                amounts[group][day.start.date()] += amount
    return {
        group: tuple(DayAmount(day, sums.get(day, 0), min(covered[day], 1.0)) for day in sorted(covered))
        for group, sums in amounts.items()
    }


def _of_day(question: Question, rule: SharedRule, cluster: str, day: DayCost) -> int:
    if question.of_all:
        return day.bill
    return sum(amount for _, amount in _by_group(question, rule, cluster, day))


def _by_group(question: Question, rule: SharedRule, cluster: str, day: DayCost) -> Iterator[tuple[str, int]]:
    """What each workload that is asked about owes for a day, with the group that decides that."""
    group_of_one = question.selecting
    tenants = [Tenant(item.workload.namespace, item.direct, item.idle) for item in day.workloads]
    shares = share_out(tenants, day.control_plane, rule)
    for index, item in enumerate(day.workloads):
        group = group_of_one(cluster, item.workload, item.labels)
        if index not in shares.moved and question.asks_for(group, item.workload.namespace):
            yield group, item.direct + item.idle + shares.shared[index] + shares.idle[index]
