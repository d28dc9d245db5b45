"""What a HorizontalPodAutoscaler would have done over the history, step by step.

Follows the controller's published algorithm ("Horizontal Pod Autoscaling: algorithm details" and
"configurable scaling behavior"): desired = ceil(pods x ratio), unchanged within the tolerance,
the largest of several metrics, held for the stabilisation window, limited by policies, clamped.

One thing differs on purpose: the recommendation comes from a run that knows no lower bound. Inside
the tolerance the controller keeps the count it has, so with the bound a higher `minReplicas` could
lower the mean a little, which is noise and not a saving.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from estimators.change import Simulation
from estimators.usage import Series
from estimators.workload import Autoscaler, ScalingRules

SYNC_SECONDS = 15
"""`--horizontal-pod-autoscaler-sync-period`: how often the controller may act on its policies."""

_ROUNDING = 1e-9
_LARGEST = 1e30
"""More than this of anything was not measured; what it is divided by is a billionth at the least."""


class Demand(NamedTuple):
    """One metric's demand: its value over all pods per step, and what one pod may carry.

    With `percent` (a utilisation target) `unit` is one pod's request and the ratio is cut to whole
    percents first: `ratio = trunc(100 x total / (pods x unit)) / percent`. Without, `unit` is the
    target value per pod: `ratio = total / (pods x unit)`.
    """

    total: Series
    unit: float
    percent: float = 0.0


def simulate(
    autoscaler: Autoscaler,
    demands: Sequence[Demand],
    observed: Series,
    step_seconds: int,
    failed: Sequence[str] = (),
) -> Simulation:
    """Replay the autoscaler. A step has a result where at least one metric has data, else NaN.

    `observed` is the pod count that really ran, which is where the replay starts; `failed` names
    metrics that cannot be computed: they forbid going down, as in the controller.
    """
    most = max(int(autoscaler.most), 1)
    least = min(max(int(autoscaler.least), 0), most)
    seen = observed[~np.isnan(observed)]
    free = _within(int(seen[0]) if seen.size else least, 1, most)
    pods = _within(free, least, most)
    raw = _Recommendations(autoscaler, step_seconds)
    keeps = 1.0 - float(autoscaler.down.tolerance), 1.0 + float(autoscaler.up.tolerance)
    if len(demands) == 1 and not failed and not _limited(autoscaler):
        asked_for, steadied = _of_one_metric(demands[0], free, most, raw, keeps)
        return Simulation(pods=np.clip(steadied, least, most), wanted=asked_for)
    free_policies, policies = _Policies(autoscaler, step_seconds), _Policies(autoscaler, step_seconds)
    wanted, kept = [], []
    for ratios in _ratios_per_step(demands, observed.size):
        asked = _asked(ratios, free, keeps, may_go_down=not failed)
        if asked is None:
            wanted.append(math.nan)
            kept.append(math.nan)
            continue
        steady = raw.stabilised(asked, free)
        free = free_policies.moved(free, _within(steady, 1, most))
        pods = policies.moved(pods, _within(steady, least, most))
        wanted.append(float(asked))
        kept.append(float(pods))
    return Simulation(pods=np.array(kept), wanted=np.array(wanted), failed=tuple(failed))


def _limited(autoscaler: Autoscaler) -> bool:
    """Whether policies say how fast the count may move."""
    return any(rules.policies or rules.select == "Disabled" for rules in (autoscaler.up, autoscaler.down))


def _of_one_metric(
    demand: Demand, free: int, most: int, raw: _Recommendations, keeps: tuple[float, float]
) -> tuple[Series, Series]:
    """What was asked for per step, and that after stabilisation; both as the loop of `simulate` has them.

    Nearly every autoscaler has one metric and no policies, and a recommendation replays it often.
    """
    asked_for, steadied = [], []
    (low, high), unit, percent = keeps, demand.unit, demand.percent
    for value in _finite(demand):
        if math.isnan(value):
            asked_for.append(math.nan)
            steadied.append(math.nan)
            continue
        asked = _desired(value, free, unit, percent, low, high)
        steady = raw.stabilised(asked, free)
        free = most if steady > most else max(steady, 1)
        asked_for.append(float(asked))
        steadied.append(float(steady))
    return np.array(asked_for), np.array(steadied)


_StepRatios = Sequence[tuple[float, float, float]]
"""Of one step, per metric with data: total, unit and percent as in `Demand`."""


def _ratios_per_step(demands: Sequence[Demand], steps: int) -> Sequence[_StepRatios]:
    lists = [(_finite(item), item.unit, item.percent) for item in demands]
    return [
        [(values[step], unit, percent) for values, unit, percent in lists if not math.isnan(values[step])]
        for step in range(steps)
    ]


def _asked(metrics: _StepRatios, pods: int, keeps: tuple[float, float], *, may_go_down: bool) -> int | None:
    """The largest desired count of the metrics, None where none has data.

    A ratio within `keeps`, 1 less and more the tolerances, leaves the count as it is.
    """
    if not metrics:
        return None
    most = max(_desired(total, pods, unit, percent, *keeps) for total, unit, percent in metrics)
    return most if may_go_down else max(most, pods)


def _desired(total: float, pods: int, unit: float, percent: float, low: float, high: float) -> int:
    """What one metric asks for. The controller counts in thousandths, of which floats are a trifle short.

    Ratios of whole percents are compared as it does: 88 % of 80 % is just within a tenth, although
    88 / 80 - 1 is above 0.1.
    """
    if percent:
        ratio = math.trunc(100 * total / (pods * unit) + _ROUNDING) / percent
        return pods if low <= ratio <= high else math.ceil(pods * ratio)
    ratio = total / (pods * unit)
    if low - _ROUNDING <= ratio <= high + _ROUNDING:
        return pods
    return math.ceil(total / unit - _ROUNDING)


def _finite(demand: Demand) -> list[float]:
    """The values as a list: indexing numpy arrays one at a time would dominate the run."""
    values: list[float] = np.minimum(demand.total, _LARGEST).tolist()
    return values


class _Recommendations:
    """Past recommendations, for the stabilisation windows."""

    def __init__(self, autoscaler: Autoscaler, step_seconds: int) -> None:
        self._down: deque[int] = deque(maxlen=1 + _steps(autoscaler.down, step_seconds))
        self._up: deque[int] = deque(maxlen=1 + _steps(autoscaler.up, step_seconds))

    def stabilised(self, asked: int, pods: int) -> int:
        """Not below the highest of the down window, not above the lowest of the up window."""
        self._down.append(asked)
        self._up.append(asked)
        least = asked if self._up.maxlen == 1 else min(self._up)
        return min(max(pods, least), max(self._down))


def _steps(rules: ScalingRules, step_seconds: int) -> int:
    return math.ceil(rules.stabilization_seconds / step_seconds)


class _Policies:
    """`behavior.*.policies`: how fast the count may move. The defaults never bind at these steps."""

    def __init__(self, autoscaler: Autoscaler, step_seconds: int) -> None:
        self._up, self._down = autoscaler.up, autoscaler.down
        self._syncs = max(step_seconds // SYNC_SECONDS, 1)
        self._sync = 0
        periods = [policy.period_seconds for policy in (*self._up.policies, *self._down.policies)]
        self._memory = math.ceil(max(periods, default=0) / SYNC_SECONDS)
        self._events: deque[tuple[int, int]] = deque()
        """(sync, pods that came or went) within the longest period."""

    def moved(self, pods: int, goal: int) -> int:
        """Where the count is after one step's syncs on the way to `goal`."""
        if pods == goal:
            self._sync += self._syncs
            return pods
        rules = self._up if goal > pods else self._down
        end = self._sync + self._syncs
        while self._sync < end and pods != goal:
            self._sync += 1
            while self._events and self._events[0][0] <= self._sync - self._memory:
                self._events.popleft()
            limit = self._limit(rules, pods, goal)
            moved = min(goal, max(limit, pods)) if goal > pods else max(goal, min(limit, pods))
            if moved != pods:
                self._events.append((self._sync, moved - pods))
                pods = moved
        self._sync = end
        return pods

    def _limit(self, rules: ScalingRules, pods: int, goal: int) -> int:
        if rules.select == "Disabled":
            return pods
        if not rules.policies:
            return goal
        up = goal > pods
        limits = []
        for policy in rules.policies:
            since = self._sync - math.ceil(policy.period_seconds / SYNC_SECONDS)
            start = pods - sum(count for sync, count in self._events if sync > since)
            if policy.type == "Percent":
                share = 1 + float(policy.value) / 100 if up else 1 - float(policy.value) / 100
                limits.append(math.ceil(start * share) if up else math.floor(start * share))
            else:
                limits.append(start + int(policy.value) if up else start - int(policy.value))
        furthest = max if up == (rules.select != "Min") else min
        return furthest(limits)


def _within(value: int, least: int, most: int) -> int:
    return max(least, min(value, most))
