"""A window's charges day by day, as a ledger: the lines of each workload add up to what it owes, exactly.

What a workload claimed, and the idle of its nodes, is known by the day. How shared costs are split is of the
window as a whole, so its share of them is laid over the days by what it cost on each.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import date
from typing import NamedTuple

from estimators.allocation import WindowCost
from estimators.allocation_days import DayCost
from estimators.money import apportioned
from estimators.ownership import Labels
from estimators.showback import Charge, Kind, charges
from estimators.showback_shared import SharedRule
from estimators.usage import WorkloadKey

_Key = tuple[WorkloadKey, tuple[tuple[str, str], ...]]


class Line(NamedTuple):
    """What one workload, or nobody (`workload` is None), owes for a day, in nano-units.

    `usage` is what was claimed, `idle` is of nodes, `shared` of what serves everybody.
    """

    day: date
    workload: WorkloadKey | None
    labels: Labels
    usage: int
    idle: int
    shared: int


def ledger(window: WindowCost, days: Sequence[DayCost], rule: SharedRule) -> Iterator[Line]:
    """The lines of one cluster; all of them are its bill. `days` are those of the window, each in order."""
    known: defaultdict[_Key, dict[int, tuple[int, int]]] = defaultdict(dict)
    for index, day in enumerate(days):
        for item in day.workloads:
            known[_key(item.workload, item.labels)][index] = (item.direct, item.idle)
    for charge in charges(window, rule):
        workload = charge.workload
        own = known.get(_key(workload.workload, workload.labels), {}) if workload else {}
        yield from _lines(charge, days, own)


def _key(workload: WorkloadKey, labels: Labels) -> _Key:
    return workload, tuple(sorted(labels.items()))


def _lines(charge: Charge, days: Sequence[DayCost], own: dict[int, tuple[int, int]]) -> Iterator[Line]:
    parts = charge.parts
    direct, idle = ([own.get(index, (0, 0))[which] for index in range(len(days))] for which in (0, 1))
    weights = [sum(pair) for pair in zip(direct, idle, strict=True)]
    if charge.kind is Kind.IDLE:
        weights = [day.idle - sum(item.idle for item in day.workloads) for day in days]
    elif charge.kind is Kind.CENTRAL:
        weights = [day.control_plane for day in days]
    usage = _laid_over(parts.direct, direct, weights)
    idles = _laid_over(parts.idle_share, idle, weights)
    shared = _laid_over(parts.shared_share, [0] * len(days), weights)
    for day, *amounts in zip(days, usage, idles, shared, strict=True):
        if any(amounts):
            key, labels = (
                (charge.workload.workload, charge.workload.labels) if charge.workload else (None, {})
            )
            yield Line(day.start.date(), key, labels, *amounts)


def _laid_over(whole: int, known: Sequence[int], weights: Sequence[int]) -> list[int]:
    """What is known of each day, and the rest of `whole` by weight: evenly where nothing has any."""
    rest = whole - sum(known)
    weights = [max(weight, 0) for weight in weights]
    more = apportioned(rest, weights if any(weights) else [1] * len(known))
    return [one + other for one, other in zip(known, more, strict=True)]
