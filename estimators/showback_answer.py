"""The answer to a question about cost: its total, where it goes, what moved it, and the bill behind it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import NamedTuple

from estimators.allocation import WindowCost
from estimators.ownership import Labels, Owners
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
    sum_of_rows,
    total_of,
    unowned,
    with_previous,
)
from estimators.showback_shared import SharedRule
from estimators.usage import WorkloadKey


class Selection(NamedTuple):
    """What a question is about: a group's name, such as the namespace `payments`. Not a GPU model."""

    by: GroupBy
    name: str


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: rows by what, about what (None: everything), and who owns and shares what.

    About a node only rows of nodes can be told: which workload claimed what of it is not kept.

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

    @property
    def serves_all(self) -> bool:
        """Whether it is about something whose cost others share; its own cost is the answer then."""
        if self.only is None or self.only.by.kind not in {GroupKind.NAMESPACE, GroupKind.WORKLOAD}:
            return False
        return self.rule.covers(self.only.name.partition("/")[0])

    @property
    def shares_by(self) -> SharedRule:
        """How shared costs are split; what serves everybody keeps its own, and nodes have none."""
        return SharedRule() if self.serves_all or _of_nodes(self) else self.rule

    @property
    def selecting(self) -> Callable[[str, WorkloadKey, Labels], str]:
        """The group that decides whether a workload is asked about."""
        return group_of((self.only or self).by, self.owners)

    def asks_for(self, group: str, namespace: str) -> bool:
        """Whether a workload of a namespace, and of a group of `only.by`, is what is asked about."""
        selected = self.only is None or group == self.only.name
        return selected and (self.visible is None or self.visible(namespace))


@dataclass(frozen=True, slots=True)
class Answer:
    """What a question's answer is made of; money in nano-units.

    `total` and `rows` are of what was asked. `tenants` + `idle` + `shared` = `bill` are of the clusters
    as a whole, exactly; asked about nodes, of nodes alone, asked about GPUs, of GPUs alone. Where nothing
    was selected the rows add up to the bill as well. `total.previous` and `previous_parts` are None where
    nothing was measured in the window before. `unowned` says what the unallocated row is made of. `covered`
    is the share of the samples that were there (0-1). `serves_all` is True where the question is about a
    namespace whose cost others share: the answer then is what it costs itself.
    """

    start: datetime
    end: datetime
    total: Row
    previous_parts: Parts | None
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
    models of a selection other than a node: nodes are nobody's alone.
    """
    if not windows or (_of_nodes(question) and not (question.of_all or _of_one_node(question))):
        raise ValueError("an answer needs a window, and rows of nodes are of everything")
    windows, before = _asked(question, windows), _asked(question, before)
    everything = [charge for window in windows for charge in charges(window, question.rule)]
    now, then = _selected(question, windows, everything), _selected(question, before)
    rows = _rows(question, windows, now)
    total = _total(question, windows, now)
    compared = any(window.covered for window in before)
    earlier = _total(question, before, then) if compared else None
    if earlier:
        rows = with_previous(rows, _rows(question, before, then))
        (total,) = with_previous([total], [earlier])
    whole = Parts(*map(sum, zip(Parts(), *(charge.parts for charge in everything), strict=True)))
    return Answer(
        windows[0].start,
        windows[0].end,
        total,
        earlier.parts if earlier else None,
        rows,
        movers(then, now, _measured_hours(before), _measured_hours(windows)) if compared else (),
        unowned(now, question.by, question.owners) if not _of_nodes(question) else (),
        bill=sum(window.bill for window in windows),
        tenants=whole.direct,
        idle=whole.idle_share,
        shared=whole.shared_share,
        covered=_covered(windows),
        previous_covered=_covered(before),
        serves_all=question.serves_all,
        notes=tuple(dict.fromkeys(note for window in windows for note in window.notes)),
    )


def charged(question: Question, windows: Sequence[WindowCost]) -> tuple[Charge, ...]:
    """Who pays for what is asked about, charge by charge."""
    return tuple(_selected(question, windows))


def _of_nodes(question: Question) -> bool:
    return question.by.kind in {GroupKind.NODE, GroupKind.GPU_MODEL}


def _of_one_node(question: Question) -> bool:
    if question.only is None or question.visible is not None:
        return False
    return question.by.kind is question.only.by.kind is GroupKind.NODE


def _asked(question: Question, windows: Sequence[WindowCost]) -> Sequence[WindowCost]:
    match question.by.kind:
        case GroupKind.NODE:
            return [only_nodes(window) for window in windows]
        case GroupKind.GPU_MODEL:
            return [only_gpus(window) for window in windows]
        case _:
            return windows


def _selected(
    question: Question, windows: Sequence[WindowCost], everything: list[Charge] | None = None
) -> list[Charge]:
    """The charges that are asked about; `everything` is all of them by the question's own rule, if known."""
    if _of_one_node(question):
        return []
    rule = question.shares_by
    every = everything if rule is question.rule else None
    if every is None:
        every = [charge for window in windows for charge in charges(window, rule)]
    if question.of_all:
        return every
    group = question.selecting
    return [
        charge
        for charge in every
        if charge.workload and question.asks_for(charge.group(group), charge.workload.workload.namespace)
    ]


def _rows(question: Question, windows: Sequence[WindowCost], charged: Sequence[Charge]) -> tuple[Row, ...]:
    match question.by.kind:
        case GroupKind.NODE:
            return node_rows(windows, question.only.name if question.only else "")
        case GroupKind.GPU_MODEL:
            return gpu_rows(windows)
        case _:
            return rows_of(charged, question.by, question.owners)


def _total(question: Question, windows: Sequence[WindowCost], charged: Sequence[Charge]) -> Row:
    if question.of_all:
        return total_of("", charged, [item for window in windows for item in window.workloads])
    name = question.only.name if question.only else ""
    if _of_one_node(question):
        return sum_of_rows(name, node_rows(windows, name))
    return total_of(name, charged, [charge.workload for charge in charged if charge.workload])


def _measured_hours(windows: Sequence[WindowCost]) -> dict[str, float]:
    return {
        window.cluster: window.covered * ((window.end - window.start) / timedelta(hours=1))
        for window in windows
    }


def _covered(windows: Sequence[WindowCost]) -> float:
    return sum(window.covered for window in windows) / len(windows) if windows else 0.0
