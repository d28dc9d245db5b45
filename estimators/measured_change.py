"""What a merged change did to the cost of its workloads: what they were charged before it and after, and why.

A week without the day of the merge is compared with the same days of the week before, both as a month: by
the hours that were charged, so that an hour nobody measured is no saving. What is compared is what workloads
claim themselves (CPU, memory, GPUs, storage, load balancers), without idle and shared costs, as it was
predicted. The causes of a change are those of `showback_movers`; which of them the merged change asked for,
the prediction says.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

from estimators.allocation import WindowCost, WorkloadCost
from estimators.money import HOURS_PER_MONTH
from estimators.showback import Charge, Kind, Parts
from estimators.showback_movers import Cause, Claim, Effect, Spent, decompose, spent_by
from estimators.usage import WorkloadKey

WEEK = timedelta(days=7)
ROLLOUT = timedelta(hours=6)
"""How long after a merge its rollout may go on: Argo CD and Flux take minutes, a person an afternoon."""
_DAY = timedelta(days=1)
_MONTH = Fraction(HOURS_PER_MONTH)


class Weeks(NamedTuple):
    """Full UTC days `[start, end)` after a merge, and the same days a week earlier, which end before it."""

    start: datetime
    end: datetime

    @property
    def before(self) -> tuple[datetime, datetime]:
        """The days that they are compared with."""
        return self.start - WEEK, self.end - WEEK


@dataclass(frozen=True, slots=True, kw_only=True)
class PredictedRow:
    """A workload, claim or load balancer of a report. `expected` is its change a month, None where unknown.

    `workload` has the namespace `""` where the manifest names none; `was` is what it was called before.
    `causes` are those that the change asks for, `replicas` how many it was to have afterwards (None where
    that was not predicted). A claim that workloads mount is charged to them: `mounted_by`.
    """

    environment: str
    cluster: str
    workload: WorkloadKey
    was: WorkloadKey
    expected: Decimal | None
    causes: frozenset[Cause]
    replicas: Decimal | None = None
    mounted_by: tuple[WorkloadKey, ...] = ()


@dataclass(frozen=True, slots=True)
class MeasuredRow:
    """What became of a row, a month and in nano-units; `replicas` is their mean afterwards."""

    predicted: PredictedRow
    change: int
    effects: tuple[Effect, ...]
    replicas: float

    @property
    def own(self) -> tuple[Effect, ...]:
        """The effects of what the change asks for, the largest first."""
        return tuple(effect for effect in self.effects if effect.cause in self.predicted.causes)

    @property
    def others(self) -> tuple[Effect, ...]:
        """The effects of everything else: prices, use beyond requests, other changes."""
        return tuple(effect for effect in self.effects if effect.cause not in self.predicted.causes)


@dataclass(frozen=True, slots=True)
class Week:
    """What a cluster was charged over some days, and in how many hours of them it was."""

    window: WindowCost
    hours: int


def weeks_around(merged_at: datetime) -> Weeks:
    """The full days of the week after a merge without those of its rollout: six, or five after 18:00.

    `merged_at` is in UTC.
    """
    midnight = merged_at.replace(hour=0, minute=0, second=0, microsecond=0)
    rolled_out = merged_at + ROLLOUT - midnight
    days = -(-rolled_out // _DAY)
    return Weeks(midnight + days * _DAY, midnight + WEEK)


def measure_rows(
    rows: Iterable[PredictedRow], before: Week, after: Week
) -> tuple[tuple[MeasuredRow, ...], tuple[PredictedRow, ...]]:
    """What became of the rows of one cluster, and those of which nothing was charged in either week.

    Both weeks have hours. Rows of one and the same workload are one, and so is a claim and who mounts it.
    """
    charged = _Charged(before), _Charged(after)
    measured, unseen = [], []
    for row in _joined([_placed(row, charged) for row in rows]):
        was, now = (
            week.spent(keys, storage_only=bool(row.mounted_by))
            for week, keys in zip(charged, _keys(row), strict=True)
        )
        if was is None and now is None:
            unseen.append(row)
            continue
        was, now = was or Spent(float(_MONTH)), now or Spent(float(_MONTH))
        replicas = now.replica_hours / float(_MONTH)
        measured.append(MeasuredRow(row, now.cost - was.cost, decompose(was, now), replicas))
    return tuple(measured), tuple(unseen)


class _Charged:
    """A week by workload, as a month."""

    def __init__(self, week: Week) -> None:
        self._scale = _MONTH / week.hours
        self._cluster = week.window.cluster
        self._costs: defaultdict[WorkloadKey, list[WorkloadCost]] = defaultdict(list)
        for cost in week.window.workloads:
            self._costs[cost.workload].append(cost)

    def namespaces(self, workload: WorkloadKey) -> set[str]:
        """Where something of that kind and name was charged."""
        return {known.namespace for known in self._costs if known[1:] == workload[1:]}

    def spent(self, workloads: Iterable[WorkloadKey], *, storage_only: bool) -> Spent | None:
        """What they were charged a month; None where nothing was."""
        charges = [
            Charge(
                Kind.TENANT,
                self._cluster,
                replace(WorkloadCost(key), storage=cost.storage) if storage_only else cost,
                Parts(storage=cost.storage)
                if storage_only
                else Parts(cost.cpu, cost.memory, cost.gpu, cost.storage, cost.load_balancer),
            )
            for key in workloads
            for cost in self._costs.get(key, ())
            if cost.storage or not storage_only
        ]
        return self._a_month(spent_by(charges, 0.0)) if charges else None

    def _a_month(self, some: Spent) -> Spent:
        factor = float(self._scale)
        claims = [Claim(claim.requested * factor, claim.claimed * factor) for claim in some.claims]
        return Spent(
            float(_MONTH),
            some.replica_hours * factor,
            (claims[0], claims[1], claims[2]),
            Parts(*(round(part * self._scale) for part in some.parts)),
        )


def _keys(row: PredictedRow) -> tuple[Sequence[WorkloadKey], Sequence[WorkloadKey]]:
    """What to look at before and after."""
    if row.mounted_by:
        # Charged to the claim itself while nobody mounts it.
        return (*row.mounted_by, row.was), (*row.mounted_by, row.workload)
    return (row.was,), (row.workload,)


def _placed(row: PredictedRow, charged: Sequence[_Charged]) -> PredictedRow:
    """The row in the namespace that it runs in, where the manifest does not say and only one has its name."""
    if row.workload.namespace:
        return row
    asked = row.mounted_by or (row.was, row.workload)
    found = {namespace for week in charged for key in asked for namespace in week.namespaces(key)}
    if len(found) != 1:
        return row
    [namespace] = found
    return replace(
        row,
        workload=row.workload._replace(namespace=namespace),
        was=row.was._replace(namespace=row.was.namespace or namespace),
        mounted_by=tuple(key._replace(namespace=namespace) for key in row.mounted_by),
    )


def _joined(rows: Sequence[PredictedRow]) -> list[PredictedRow]:
    """Rows that are charged together as one."""
    alike: defaultdict[tuple[WorkloadKey, ...], list[PredictedRow]] = defaultdict(list)
    homes = {
        key: (row.was, row.workload) for row in rows if not row.mounted_by for key in (row.was, row.workload)
    }
    for row in rows:
        own = row.mounted_by or (row.was, row.workload)
        alike[next((homes[key] for key in row.mounted_by if key in homes), own)].append(row)
    return [_one(some) for some in alike.values()]


def _one(rows: Sequence[PredictedRow]) -> PredictedRow:
    """The row of the workload itself, with all that is expected of it."""
    if len(rows) == 1:
        return rows[0]
    own = [row for row in rows if not row.mounted_by]
    known = [row.expected for row in rows if row.expected is not None]
    return replace(
        (own or rows)[0],
        expected=sum(known, Decimal(0)) if known else None,
        causes=frozenset().union(*(row.causes for row in rows)),
        replicas=own[0].replicas if len(own) == 1 else None,
    )
