"""One workload before and after a change, with everything a rule may judge it by."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from estimators.money import HOURS_PER_MONTH
from estimators.objects import Body
from estimators.pod_request import NO_DEFAULTS, ContainerDefaults
from estimators.prices import BUILT_IN, PriceSheet
from estimators.report import Confidence, Estimate, FieldChange
from estimators.usage import Node, Series, UsageSnapshot, WorkloadUsage
from estimators.workload import Autoscaler, DisruptionBudget, Resources, VerticalAutoscaler, Workload


@dataclass(frozen=True, slots=True)
class Protection:
    """An exception somebody gave a reason for: these fields of this workload are not to be changed.

    `workload` is a glob over `namespace/name`; no `fields` means requests, limits, replicas and
    autoscaling. `until` ends it; `source` says where it was written.
    """

    workload: str
    reason: str
    fields: tuple[str, ...] = ()
    until: date | None = None
    source: str = ""


@dataclass(frozen=True, slots=True)
class Cluster:
    """What is known of the cluster an environment lands on.

    `runs_per_month(schedule, time_zone)` counts a cron schedule's runs in an average month, None
    for one that cannot be read. `today` is the day protections are judged on.
    """

    prices: PriceSheet = BUILT_IN
    usage: UsageSnapshot | None = None
    runs_per_month: Callable[[str, str], Decimal | None] = lambda _schedule, _time_zone: None
    hours_per_month: Decimal = HOURS_PER_MONTH
    protections: tuple[Protection, ...] = ()
    today: date = date.min

    @property
    def nodes(self) -> tuple[Node, ...]:
        """The nodes that are known, none without live facts."""
        return self.usage.nodes if self.usage else ()


@dataclass(frozen=True, slots=True)
class Simulation:
    """An autoscaler replayed over the history, one value a step, NaN where a step has no usage.

    `pods` is the count it would have kept, `wanted` the count the metrics asked for before the
    bounds clamped it. `failed` names metrics that cannot be computed and why; `doubt` says why the
    result deserves little confidence, `""` where nothing stands against it. `unseen` names metrics that
    may ask for fewer pods than before, of which no history tells how many.
    """

    pods: Series
    wanted: Series
    failed: tuple[str, ...] = ()
    doubt: str = ""
    unseen: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Side:
    """One workload at one revision, joined with what acts on it.

    `requests` and `limits` are effective, by container name (native sidecars included, filled from
    limits and LimitRanges); `pod_request` is the effective request of one pod of each group by
    group name. `services` are the names of Services and Ingresses that select its pods.
    """

    workload: Workload
    autoscaler: Autoscaler | None
    vertical: VerticalAutoscaler | None
    budgets: tuple[DisruptionBudget, ...]
    requests: Mapping[str, Resources]
    limits: Mapping[str, Resources]
    pod_request: Mapping[str, Resources]
    estimate: Estimate | None
    unknown_cost: str = ""
    """Why there is no estimate, and what would tell it."""
    simulation: Simulation | None = None
    services: tuple[str, ...] = ()
    namespace_body: Body = field(default_factory=dict)
    limit_range: ContainerDefaults = NO_DEFAULTS


@dataclass(frozen=True, slots=True)
class WorkloadChange:
    """What a rule judges. One of `before` and `after` may be None, never both."""

    before: Side | None
    after: Side | None
    changes: tuple[FieldChange, ...]
    history: WorkloadUsage | None
    confidence: Confidence
    cluster: Cluster

    @property
    def side(self) -> Side:
        """The side to speak of: after, or before where the workload is removed."""
        side = self.after or self.before
        if side is None:
            raise ValueError("a workload change has at least one side")
        return side
