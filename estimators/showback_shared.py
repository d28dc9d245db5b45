"""Costs that everybody shares: what serves all tenants, and how it is split among them.

Shared is the control plane and what workloads in shared namespaces claimed; the idle that those were
attributed moves along with it, and stays idle. The split is the same for every grouping of an answer,
so that a team pays the sum of what its namespaces pay.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import NamedTuple

from estimators.money import apportioned

_PERCENT = 10**6
"""Fixed percentages count to the sixth decimal."""


class Split(StrEnum):
    """How shared costs reach those who share them."""

    PROPORTIONAL = "proportional"
    EVEN = "even"
    FIXED = "fixed"
    CENTRAL = "central"


@dataclass(frozen=True, slots=True)
class SharedRule:
    """Which namespaces (patterns) serve everybody, and how what they cost is split.

    Proportional: by what each workload costs with its idle. Even: the same for every namespace. Fixed:
    `percents` by namespace pattern, the first that fits, those that fit one in proportion; what is not
    given out, or to nobody that is there, stays central. Central: all of it stays where it is.
    """

    namespaces: tuple[str, ...] = ()
    split: Split = Split.PROPORTIONAL
    percents: Mapping[str, Decimal] = field(default_factory=dict)

    def covers(self, namespace: str) -> bool:
        """Whether a namespace serves everybody."""
        return any(fnmatchcase(namespace, pattern) for pattern in self.namespaces)


class Tenant(NamedTuple):
    """What a workload of a namespace costs in nano-units: by itself, and its part in the idle."""

    namespace: str
    direct: int
    idle: int


class Shares(NamedTuple):
    """What sharing adds to each tenant, in their order, and what stays central. All in nano-units.

    `moved` are the tenants that are themselves shared: what they cost is within the others' shares.
    """

    moved: frozenset[int]
    shared: list[int]
    idle: list[int]
    central_shared: int
    central_idle: int


def share_out(tenants: Sequence[Tenant], control_plane: int, rule: SharedRule) -> Shares:
    """Split what `rule` calls shared, and the control plane, among the other tenants of one cluster.

    A namespace gets its share, and splits it among its workloads: what it gets does not depend on how many
    workloads it or another one has, to the last nano-unit.
    """
    serving = {name for name in {tenant.namespace for tenant in tenants} if rule.covers(name)}
    moved = frozenset(index for index, tenant in enumerate(tenants) if tenant.namespace in serving)
    pot = control_plane + sum(tenants[index].direct for index in moved)
    idle_pot = sum(tenants[index].idle for index in moved)
    paying: dict[str, list[int]] = {}
    for index, tenant in enumerate(tenants):
        if index not in moved:
            paying.setdefault(tenant.namespace, []).append(index)
    sharers = _sharers(sorted(paying), rule)
    given = sum(weight for weight, _ in sharers)
    central = max(100 * _PERCENT - given, 0) if rule.split is Split.FIXED else int(not given)
    weights = [*(weight for weight, _ in sharers), central]
    costs = {
        name: [tenants[index].direct + tenants[index].idle for index in some] for name, some in paying.items()
    }
    shared, idle = [0] * len(tenants), [0] * len(tenants)
    left = []
    for amount, found in ((pot, shared), (idle_pot, idle)):
        *parts, rest = apportioned(amount, weights)
        left.append(rest)
        for part, (_, names) in zip(parts, sharers, strict=True):
            each = _by_cost(part, [sum(costs[name]) for name in names])
            for name, its_part in zip(names, each, strict=True):
                for index, share in zip(paying[name], _by_cost(its_part, costs[name]), strict=True):
                    found[index] = share
    return Shares(moved, shared, idle, *left)


def _by_cost(part: int, costs: Sequence[int]) -> list[int]:
    """A part of what is shared by what each costs, and evenly where all of them are free."""
    return apportioned(part, costs if any(costs) else [1] * len(costs))


def _sharers(namespaces: Sequence[str], rule: SharedRule) -> list[tuple[int, list[str]]]:
    """Those who share: a weight, and the namespaces that it is of."""
    if rule.split is Split.CENTRAL or not namespaces:
        return []
    if rule.split is Split.PROPORTIONAL:
        return [(1, list(namespaces))]
    if rule.split is Split.EVEN:
        return [(1, [name]) for name in namespaces]
    fitting: dict[str, list[str]] = {pattern: [] for pattern in rule.percents}
    for name in namespaces:
        first = next((pattern for pattern in fitting if fnmatchcase(name, pattern)), None)
        if first is not None:
            fitting[first].append(name)
    return [(int(rule.percents[pattern] * _PERCENT), some) for pattern, some in fitting.items() if some]
