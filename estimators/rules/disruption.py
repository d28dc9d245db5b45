"""Rules about PodDisruptionBudgets: too strict a budget stops node drains and upgrades."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

from estimators.change import Side, WorkloadChange
from estimators.objects import ManifestObject, Path
from estimators.report import Finding, Severity
from estimators.rules.autoscaling import minimum
from estimators.rules.pods import fewest, scaled
from estimators.rules.words import count_words, finding
from estimators.workload import DisruptionBudget

_MOST_PODS_TRIED = 100
"""At 100 pods every whole percentage below 100 % leaves at least one pod."""


class _Standing(NamedTuple):
    """What a budget asks for of the pods that are sure to run, and how many may then go."""

    wanted: int
    allowed: int

    @property
    def rule(self) -> str:
        """The rule it breaks, `""` where pods may go."""
        if self.allowed > 0:
            return ""
        return "pdb-impossible" if self.allowed < 0 else "pdb-blocks-drain"


def disruption_budget(change: WorkloadChange) -> Iterator[Finding]:
    """`pdb-blocks-drain`: the budget lets no pod go. `pdb-impossible`: it wants more than are sure to run.

    Both count the fewest pods (the autoscaler's minimum, else replicas), as Polaris does;
    percentages round up, as in the disruption controller.
    """
    after = change.after
    if after is None or not after.budgets:
        return
    known = {budget.object.identity.name: budget for budget in change.before.budgets} if change.before else {}
    for budget in after.budgets:
        standing = _standing(budget, after)
        if standing is None or not standing.rule:
            continue
        old = known.get(budget.object.identity.name)
        was = _standing(old, change.before) if old and change.before else None
        if was is None or (was.allowed > standing.allowed and was.rule != standing.rule):
            unchanged = old is not None and _bounds(old) == _bounds(budget)
            yield _finding(change, after, budget, standing, unchanged=unchanged)


def _bounds(budget: DisruptionBudget) -> tuple[int | str | None, int | str | None]:
    return budget.min_available, budget.max_unavailable


def _standing(budget: DisruptionBudget, side: Side) -> _Standing | None:
    """None where the count is not known, is 0, or the budget bounds nothing that can be read."""
    pods = fewest(side)
    return _at(budget, int(pods)) if pods else None


def _at(budget: DisruptionBudget, pods: int) -> _Standing | None:
    least, most = (_scaled(bound, pods) for bound in _bounds(budget))
    if least is not None:
        return _Standing(least, pods - least)
    return _Standing(max(pods - most, 0), min(most, pods)) if most is not None else None


def _scaled(bound: int | str | None, pods: int) -> int | None:
    """A bound in pods, percentages rounded up; None where it is neither."""
    if isinstance(bound, int):
        return bound
    digits = bound.removesuffix("%") if bound else ""
    if not bound or digits == bound or not digits.isascii() or not digits.isdigit() or len(digits) > 9:
        return None
    return -(-int(digits) * pods // 100)


def _finding(
    change: WorkloadChange, side: Side, budget: DisruptionBudget, standing: _Standing, *, unchanged: bool
) -> Finding:
    pods = int(fewest(side) or 0)
    impossible = standing.rule == "pdb-impossible"
    path, thing, safe = _count_to_mend(side, budget, pods) if unchanged else _bound_to_mend(budget, pods)
    bounds = {"minAvailable": budget.min_available, "maxUnavailable": budget.max_unavailable}
    return finding(
        change,
        standing.rule,
        Severity.RISKY if impossible else Severity.CAUTION,
        f"the PodDisruptionBudget wants {count_words(standing.wanted, 'pod')}, sure to run: {pods}"
        if impossible
        else f"the PodDisruptionBudget keeps {_all_of(pods)}: no node can be drained",
        path,
        thing=thing,
        evidence={
            "budget": str(budget.object.identity),
            **{name: str(bound) for name, bound in bounds.items() if bound is not None},
            "pods sure to run": str(pods),
            "must stay": str(standing.wanted),
        },
        safe_value=safe,
    )


def _all_of(pods: int) -> str:
    return f"all {pods} pods" if pods > 1 else "the only pod"


_Mend = tuple[Path, ManifestObject | None, str]
"""A field, the object it is in (None: the workload), and its safe value."""


def _bound_to_mend(budget: DisruptionBudget, pods: int) -> _Mend:
    if budget.min_available is None:
        return ("spec", "maxUnavailable"), budget.object, "1"
    return ("spec", "minAvailable"), budget.object, str(pods - 1) if pods > 1 else ""


def _count_to_mend(side: Side, budget: DisruptionBudget, pods: int) -> _Mend:
    """The count fell under a budget that stayed: the finding belongs on the line that changed."""
    enough = _enough_pods(budget, pods)
    safe = "" if enough is None else str(enough)
    if side.autoscaler and scaled(side):
        return minimum(side.autoscaler), side.autoscaler.object, safe
    return side.workload.groups[0].replicas_path, None, safe


def _enough_pods(budget: DisruptionBudget, pods: int) -> int | None:
    """The least count of pods of which one may go; None where there is none."""
    least = budget.min_available
    if isinstance(least, int):
        return least + 1
    tried = range(pods + 1, _MOST_PODS_TRIED + 1)
    return next((count for count in tried if (now := _at(budget, count)) and now.allowed > 0), None)


def fewest_in_budget(side: Side, pods: int, now: int) -> int:
    """The lowest count from `pods` up at which every budget that lets a pod go of `now` still does."""
    budgets = [budget for budget in side.budgets if (held := _at(budget, now)) and held.allowed > 0]
    counts = range(pods, max(now, pods))
    return next((count for count in counts if all(_lets_go(budget, count) for budget in budgets)), now)


def _lets_go(budget: DisruptionBudget, pods: int) -> bool:
    standing = _at(budget, pods)
    return standing is None or standing.allowed > 0


def pods_kept(budget: DisruptionBudget, pods: Decimal) -> int | None:
    """How many of `pods` a budget keeps up, None where it says nothing that can be read."""
    standing = _at(budget, int(pods))
    return standing.wanted if standing else None
