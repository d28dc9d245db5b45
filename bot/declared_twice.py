"""Workloads that two repositories declare, as forks and mirrors do: which one is deployed is not known."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from bot.recommendation_records import KeptRecommendation


def declared_twice(found: Sequence[KeptRecommendation]) -> Mapping[str, frozenset[int]]:
    """Of each recommendation (its id) whose workload others than its repository declare: all of these.

    Only what is recommended is seen: a saving that both would claim is what must not count twice.
    """
    places: dict[tuple[str, ...], set[int]] = defaultdict(set)
    for one in found:
        places[_running(one)].add(one.repository)
    return {one.id: frozenset(places[_running(one)]) for one in found if len(places[_running(one)]) > 1}


def _running(one: KeptRecommendation) -> tuple[str, ...]:
    """What runs, whatever repositories call its environment."""
    return one.cluster, one.namespace, one.kind, one.name
