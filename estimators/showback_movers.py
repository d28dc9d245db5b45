"""Which workloads moved a total most, and why: the change of each in parts that add up to it exactly.

What a workload claims of a resource costs

    hours measured x mean replicas x claimed by a replica x price

A change of the product is attributed to its four factors by their symmetric Shapley mean: the effect
of one is its own change at the other factors' values before and after, averaged over every order in
which the factors could have changed. So no order has to be chosen, and the effects add up. The effect
of what a replica claims is split again, linearly, into what it requested and what it used beyond that.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from itertools import product
from typing import NamedTuple

from estimators.showback import Charge, Parts

MOST_MOVERS = 3
_ORDERS = (1 / 4, 1 / 12, 1 / 12, 1 / 4)
"""Of the orders of four factors, how many have a given set of 0, 1, 2, 3 others before one: s! (3-s)! / 4!"""


class Cause(StrEnum):
    """What changed. `measured hours` is a change of what was looked at, not of the workload."""

    NEW = "new"
    GONE = "gone"
    REPLICAS = "replicas"
    CPU_REQUEST = "cpu request"
    CPU_USE = "cpu use beyond the request"
    MEMORY_REQUEST = "memory request"
    MEMORY_USE = "memory use beyond the request"
    GPUS = "gpus"
    PRICE = "price"
    STORAGE = "storage"
    NETWORK = "network"
    IDLE_SHARE = "idle share"
    SHARED_SHARE = "shared share"
    MEASURED_HOURS = "measured hours"


_NOTHING = 1e-9
"""Claims are charged in billionths of a unit: what is less has no price."""
_CLAIM_CAUSES = (
    (Cause.CPU_REQUEST, Cause.CPU_USE),
    (Cause.MEMORY_REQUEST, Cause.MEMORY_USE),
    (Cause.GPUS, Cause.GPUS),
)
"""Of CPU, memory and GPUs: what a replica asks for, and what it uses beyond that (of GPUs, nothing)."""


class Effect(NamedTuple):
    """How much of a change (nano-units) a cause is answerable for, and what it was before and after.

    Replicas are means over the hours measured; requests and uses cores, GiB or GPUs of one replica; a
    price is 1 before, and after what the present claims cost against what they would have cost before;
    the others are amounts in nano-units.
    """

    cause: Cause
    change: int
    before: float
    after: float


class Mover(NamedTuple):
    """A workload that moved the total. The effects add up to its change, the largest first."""

    workload: str
    cluster: str
    before: int
    after: int
    effects: tuple[Effect, ...]

    @property
    def change(self) -> int:
        """What it costs more than before, in nano-units."""
        return self.after - self.before

    @property
    def cause(self) -> Cause:
        """The largest effect in the direction of the change."""
        towards = [effect for effect in self.effects if (effect.change > 0) == (self.change > 0)]
        return (towards or self.effects)[0].cause


class Claim(NamedTuple):
    """What of a resource was requested, and claimed in all, in hours of it."""

    requested: float = 0.0
    claimed: float = 0.0


@dataclass(frozen=True, slots=True)
class Spent:
    """One workload over one window: its claims of CPU, memory and GPUs, and all its parts."""

    hours: float
    replica_hours: float = 0.0
    claims: tuple[Claim, Claim, Claim] = (Claim(), Claim(), Claim())
    parts: Parts = field(default_factory=Parts)

    @property
    def cost(self) -> int:
        """All of it, in nano-units."""
        return sum(self.parts)


def movers(
    before: Iterable[Charge],
    after: Iterable[Charge],
    hours_before: Mapping[str, float],
    hours_after: Mapping[str, float],
    most: int = MOST_MOVERS,
) -> tuple[Mover, ...]:
    """The workloads whose cost changed most, the largest change first.

    `hours_*` are the hours that were measured of each cluster in the two windows.
    """
    old, new = _by_workload(before), _by_workload(after)
    changes = {key: _cost(new.get(key, ())) - _cost(old.get(key, ())) for key in {*old, *new}}
    moved = sorted((key for key in changes if changes[key]), key=lambda key: (-abs(changes[key]), key))
    found = []
    for workload, cluster in moved[:most]:
        was = spent_by(old.get((workload, cluster), ()), hours_before.get(cluster, 0.0))
        now = spent_by(new.get((workload, cluster), ()), hours_after.get(cluster, 0.0))
        found.append(Mover(workload, cluster, was.cost, now.cost, decompose(was, now)))
    return tuple(found)


def decompose(before: Spent, after: Spent) -> tuple[Effect, ...]:
    """What a change of cost is made of; the effects add up to it exactly, the largest first."""
    change = after.cost - before.cost
    if not _was_there(before) or not _was_there(after):
        cause = Cause.GONE if _was_there(before) else Cause.NEW
        return (Effect(cause, change, before.cost, after.cost),) if change else ()
    said = _before_and_after(before, after)
    effects = dict.fromkeys(said, 0.0)
    for resource in range(len(_CLAIM_CAUSES)):
        for cause, effect in _claim_effects(before, after, resource):
            effects[cause] += effect
    for cause, was, now in _amounts(before, after):
        effects[cause] += now - was
    whole = {cause: round(effect) for cause, effect in effects.items()}
    largest = max(whole, key=lambda cause: abs(whole[cause]))
    whole[largest] += change - sum(whole.values())  # Rounding: a few nano-units at most.
    found = [Effect(cause, effect, *said[cause]) for cause, effect in whole.items() if effect]
    return tuple(sorted(found, key=lambda effect: (-abs(effect.change), effect.cause)))


def _by_workload(charged: Iterable[Charge]) -> dict[tuple[str, str], list[Charge]]:
    """Charges by `namespace/name`, as answers name workloads, and cluster."""
    alike: dict[tuple[str, str], list[Charge]] = {}
    for charge in charged:
        if charge.workload:
            key = charge.workload.workload
            alike.setdefault((f"{key.namespace}/{key.name}", charge.cluster), []).append(charge)
    return alike


def _cost(charged: Iterable[Charge]) -> int:
    return sum(sum(charge.parts) for charge in charged)


def spent_by(charged: Sequence[Charge], hours: float) -> Spent:
    """Charges of one workload added up; `hours` are those that were measured."""
    costs = [charge.workload for charge in charged if charge.workload]
    return Spent(
        hours,
        sum(item.replica_hours for item in costs),
        (
            Claim(sum(item.cpu_requested for item in costs), sum(item.cpu_claimed for item in costs)),
            Claim(sum(item.memory_requested for item in costs), sum(item.memory_claimed for item in costs)),
            Claim(sum(item.gpus for item in costs), sum(item.gpus for item in costs)),
        ),
        Parts(*map(sum, zip(Parts(), *(charge.parts for charge in charged), strict=True))),
    )


def _was_there(spent: Spent) -> bool:
    return bool(spent.cost or spent.replica_hours)


class _Factors(NamedTuple):
    """Hours measured, mean replicas, what a replica claims, and the price of that (nano-units)."""

    hours: float
    replicas: float
    claimed: float
    price: float


class _Replica(NamedTuple):
    """What one replica claims of a resource: what it requests, and what it uses beyond that."""

    requested: float
    beyond: float


def _claim_effects(before: Spent, after: Spent, resource: int) -> Iterator[tuple[Cause, float]]:
    """The effects of the four factors of one resource, in nano-units."""
    old, new = _factors(before, after, resource), _factors(after, before, resource)
    weights = [_others(old, new, factor) for factor in range(3)]
    was, now = _replica(before, after, resource), _replica(after, before, resource)
    request, beyond = _CLAIM_CAUSES[resource]
    found = (
        (Cause.MEASURED_HOURS, weights[0] * (new.hours - old.hours)),
        (Cause.REPLICAS, weights[1] * (new.replicas - old.replicas)),
        (request, weights[2] * (now.requested - was.requested)),
        (beyond, weights[2] * (now.beyond - was.beyond)),
    )
    yield from found
    # The price's own effect is the rest: so a cost that no claim explains is not lost either.
    change = after.parts[resource] - before.parts[resource]
    yield Cause.PRICE, change - sum(effect for _, effect in found)


def _others(old: _Factors, new: _Factors, factor: int) -> float:
    """The product of the factors but one, averaged over all orders in which they could have changed."""
    pairs = [pair for index, pair in enumerate(zip(old, new, strict=True)) if index != factor]
    return sum(
        _ORDERS[sum(changed)] * math.prod(pair[side] for pair, side in zip(pairs, changed, strict=True))
        for changed in product((0, 1), repeat=3)
    )


def _factors(spent: Spent, other: Spent, resource: int) -> _Factors:
    """Where a window does not tell a factor, it is taken as in the other: it did not change."""
    hours = spent.hours or other.hours or 1.0
    told = spent if spent.claims[resource].claimed > _NOTHING else other
    claimed = told.claims[resource].claimed
    return _Factors(
        hours,
        spent.replica_hours / hours,
        sum(_replica(spent, other, resource)),
        told.parts[resource] / claimed if claimed > _NOTHING else 0.0,
    )


def _replica(spent: Spent, other: Spent, resource: int) -> _Replica:
    told = spent if spent.replica_hours > _NOTHING else other
    requested, claimed = told.claims[resource]
    pods = told.replica_hours if told.replica_hours > _NOTHING else 1.0
    return _Replica(requested / pods, (claimed - requested) / pods)


def _before_and_after(before: Spent, after: Spent) -> Mapping[Cause, tuple[float, float]]:
    found = {cause: (float(was), float(now)) for cause, was, now in _amounts(before, after)}
    old, new = (_factors(*pair, 0) for pair in ((before, after), (after, before)))
    found[Cause.MEASURED_HOURS] = (old.hours, new.hours)
    found[Cause.REPLICAS] = (old.replicas, new.replicas)
    then = now = 0.0
    for resource, (request, beyond) in enumerate(_CLAIM_CAUSES):
        one, two = _replica(before, after, resource), _replica(after, before, resource)
        found[beyond] = (one.beyond, two.beyond)
        found[request] = (one.requested, two.requested)
        claimed = after.claims[resource].claimed
        then += claimed * _factors(before, after, resource).price
        now += claimed * _factors(after, before, resource).price
    found[Cause.PRICE] = (1.0, now / then if then else 1.0)
    return found


def _amounts(before: Spent, after: Spent) -> Iterator[tuple[Cause, int, int]]:
    """The parts whose quantity is not kept: each is a cause of its own."""
    for cause, name in (
        (Cause.STORAGE, "storage"),
        (Cause.NETWORK, "network"),
        (Cause.IDLE_SHARE, "idle_share"),
        (Cause.SHARED_SHARE, "shared_share"),
    ):
        yield cause, getattr(before.parts, name), getattr(after.parts, name)
