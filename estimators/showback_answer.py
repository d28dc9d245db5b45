"""The answer to a question about cost: its total, where it goes, what moved it, and the bill behind it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import NamedTuple

from estimators.allocation import WindowCost
from estimators.allocation_days import DayCost
from estimators.ownership import Labels, Owners
from estimators.projection import DayAmount
from estimators.showback import (
    Charge,
    GroupBy,
    GroupKind,
    Parts,
    Row,
    charges,
    group_of,
    only_gpus,
    only_nodes,
)
from estimators.showback_movers import Mover, movers
from estimators.showback_rows import (
    Unowned,
    gpu_rows,
    node_rows,
    rows_of,
    total_of,
    unowned,
    with_previous,
)
from estimators.showback_shared import SharedRule, Tenant, share_out
from estimators.usage import WorkloadKey

_DAY = timedelta(days=1)


class Selection(NamedTuple):
    """What a question is about: a group's name, such as the namespace `payments`. Not a node or GPU model."""

    by: GroupBy
    name: str


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: rows by what, about what (None: everything), and who owns and shares what.

    `visible` tells which namespaces may be looked at (None: all); their workloads still carry what they
    owe of idle and shared costs. Rows of nodes and GPU models are of everything.
    """

    by: GroupBy
    only: Selection | None = None
    owners: Owners = field(default_factory=Owners)
    rule: SharedRule = field(default_factory=SharedRule)
    visible: Callable[[str], bool] | None = None

    @property
    def of_all(self) -> bool:
        """Whether it is about everything there is."""
        return self.only is None and self.visible is None

    def asks_for(self, group: str, namespace: str) -> bool:
        """Whether a workload of a namespace, and of a group of `only.by`, is what is asked about."""
        selected = self.only is None or group == self.only.name
        return selected and (self.visible is None or self.visible(namespace))


@dataclass(frozen=True, slots=True)
class Answer:
    """What a question's answer is made of; money in nano-units.

    `total` and `rows` are of what was asked. `tenants` + `idle` + `shared` = `bill` are of the clusters
    as a whole, exactly; asked about nodes, of nodes alone, asked about GPUs, of GPUs alone. Where nothing
    was selected the rows add up to the bill as well. `total.previous` is None where nothing was measured
    in the window before. `unowned` says what the unallocated row is made of. `covered` is the share of
    the samples that were there (0-1). `serves_all` is True where the question is about a namespace whose
    cost others share: the answer then is what it costs itself.
    """

    start: datetime
    end: datetime
    total: Row
    rows: tuple[Row, ...]
    movers: tuple[Mover, ...]
    unowned: tuple[Unowned, ...]
    bill: int
    tenants: int
    idle: int
    shared: int
    covered: float
    previous_covered: float
    serves_all: bool
    notes: tuple[str, ...]


def answer(question: Question, windows: Sequence[WindowCost], before: Sequence[WindowCost]) -> Answer:
    """Answer from one window a cluster, and the windows before them (none where there are none).

    All windows of a call have the same bounds. Raises ValueError for no window, and for nodes or GPU
    models of a selection: nodes are nobody's alone.
    """
    if not windows or (not question.of_all and _of_nodes(question)):
        raise ValueError("an answer needs a window, and rows of nodes are of everything")
    windows, before = _asked(question, windows), _asked(question, before)
    rule = SharedRule() if _serves_all(question) else question.rule
    now, then = (_selected(question, some, rule) for some in (windows, before))
    rows = _rows(question, windows, now)
    total = _total(question, windows, now)
    compared = any(window.covered for window in before)
    if compared:
        rows = with_previous(rows, _rows(question, before, then))
        (total,) = with_previous([total], [_total(question, before, then)])
    everything = [charge.parts for window in windows for charge in charges(window, question.rule)]
    whole = Parts(*map(sum, zip(Parts(), *everything, strict=True)))
    return Answer(
        windows[0].start,
        windows[0].end,
        total,
        rows,
        movers(then, now, _measured_hours(before), _measured_hours(windows)) if compared else (),
        unowned(now, question.by, question.owners) if not _of_nodes(question) else (),
        bill=sum(window.bill for window in windows),
        tenants=whole.direct,
        idle=whole.idle_share,
        shared=whole.shared_share,
        covered=_covered(windows),
        previous_covered=_covered(before),
        serves_all=_serves_all(question),
        notes=tuple(dict.fromkeys(note for window in windows for note in window.notes)),
    )


def daily(question: Question, clusters: Mapping[str, Sequence[DayCost]]) -> tuple[DayAmount, ...]:
    """What was asked about, day by day, in order: for a sparkline and `projection.project`.

    Shared costs are split day by day, so that the days add up to the total of a window only roughly
    under a proportional split. A day that one of several clusters did not measure is covered in part.
    """
    rule = SharedRule() if _serves_all(question) else question.rule
    amounts: defaultdict[date, int] = defaultdict(int)
    covered: defaultdict[date, float] = defaultdict(float)
    for cluster, days in clusters.items():
        for day in days:
            amounts[day.start.date()] += _of_day(question, rule, cluster, day)
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
    group_of_one = _selecting(question)
    tenants = [Tenant(item.workload.namespace, item.direct, item.idle) for item in day.workloads]
    shares = share_out(tenants, day.control_plane, rule)
    for index, item in enumerate(day.workloads):
        group = group_of_one(cluster, item.workload, item.labels)
        if index not in shares.moved and question.asks_for(group, item.workload.namespace):
            yield group, item.direct + item.idle + shares.shared[index] + shares.idle[index]


def charged(question: Question, windows: Sequence[WindowCost]) -> tuple[Charge, ...]:
    """Who pays for what is asked about, charge by charge."""
    return tuple(_selected(question, windows, question.rule))


def _of_nodes(question: Question) -> bool:
    return question.by.kind in {GroupKind.NODE, GroupKind.GPU_MODEL}


def _asked(question: Question, windows: Sequence[WindowCost]) -> Sequence[WindowCost]:
    match question.by.kind:
        case GroupKind.NODE:
            return [only_nodes(window) for window in windows]
        case GroupKind.GPU_MODEL:
            return [only_gpus(window) for window in windows]
        case _:
            return windows


def _serves_all(question: Question) -> bool:
    """Whether the question is about something whose cost others share; its own cost is the answer then."""
    if question.only is None or question.only.by.kind not in {GroupKind.NAMESPACE, GroupKind.WORKLOAD}:
        return False
    return question.rule.covers(question.only.name.partition("/")[0])


def _selected(question: Question, windows: Sequence[WindowCost], rule: SharedRule) -> list[Charge]:
    every = [charge for window in windows for charge in charges(window, rule)]
    if question.of_all:
        return every
    group = _selecting(question)
    return [
        charge
        for charge in every
        if charge.workload and question.asks_for(charge.group(group), charge.workload.workload.namespace)
    ]


def _selecting(question: Question) -> Callable[[str, WorkloadKey, Labels], str]:
    """The group that decides whether a workload is asked about."""
    return group_of((question.only or question).by, question.owners)


def _rows(question: Question, windows: Sequence[WindowCost], charged: Sequence[Charge]) -> tuple[Row, ...]:
    match question.by.kind:
        case GroupKind.NODE:
            return node_rows(windows)
        case GroupKind.GPU_MODEL:
            return gpu_rows(windows)
        case _:
            return rows_of(charged, question.by, question.owners)


def _total(question: Question, windows: Sequence[WindowCost], charged: Sequence[Charge]) -> Row:
    if question.of_all:
        return total_of("", charged, [item for window in windows for item in window.workloads])
    name = question.only.name if question.only else ""
    return total_of(name, charged, [charge.workload for charge in charged if charge.workload])


def _measured_hours(windows: Sequence[WindowCost]) -> dict[str, float]:
    return {
        window.cluster: window.covered * ((window.end - window.start) / timedelta(hours=1))
        for window in windows
    }


def _covered(windows: Sequence[WindowCost]) -> float:
    return sum(window.covered for window in windows) / len(windows) if windows else 0.0
