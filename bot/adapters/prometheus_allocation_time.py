"""How long things lived within an hour, by the scrapes in which they were seen.

The share of scrapes in which something was there is the share of the hour it lived: a gap of
Prometheus is taken to be like the rest of its hour. How much of the hour was seen is told apart.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping
from typing import TypeVar

import numpy as np

from bot.adapters.prometheus_api import RangeSeries
from bot.adapters.prometheus_discovery import usual_interval
from bot.adapters.prometheus_queries import own_labels
from estimators.usage import Series

_OVERLAP = 1.1
"""Two targets of a job that together saw more of an hour than this watched the same time."""
_HOUR = 3600

Key = TypeVar("Key", bound=Hashable)
ByTarget = dict[str, dict[str, Series]]
"""Scrapes by job and instance, a value an hour."""


class Scrapes:
    """How often the targets of each job were scraped in each of the last `hours` hours of `rows`.

    `covered` is the share of each hour that was seen (0-1); None where nothing tells.
    """

    def __init__(self, rows: Iterable[RangeSeries], hours: int) -> None:
        every: ByTarget = defaultdict(dict)
        for row in rows:
            _add(every, row)
        self._full = {job: _full(max(seen.max() for seen in found.values())) for job, found in every.items()}
        self._targets = {
            job: {instance: seen[-hours:] for instance, seen in found.items()} for job, found in every.items()
        }
        self.hours = hours
        covered = [self._covered(job) for job in self._targets]
        self.covered: Series | None = np.minimum(1.0, np.max(covered, axis=0)) if covered else None

    def shares(
        self, rows: Iterable[RangeSeries], key: Callable[[Mapping[str, str]], Key]
    ) -> dict[Key, Series]:
        """The share of each hour (0-1) in which each thing was seen, by `key` of its own labels.

        `rows` count the scrapes that saw it. Copies that several jobs, or replicas of one target,
        scraped count once; targets that followed each other are added up.
        """
        found: dict[Key, ByTarget] = defaultdict(lambda: defaultdict(dict))
        most: dict[str, float] = {}
        for row in rows:
            job = _add(found[key(own_labels(row.labels))], row)
            most[job] = max(most.get(job, 0.0), float(np.nan_to_num(row.values).max()))
        full = {job: _full(count) for job, count in most.items() if count} | self._full
        return {
            one: np.max([self._share(job, seen, full.get(job, 1.0)) for job, seen in jobs.items()], axis=0)
            for one, jobs in found.items()
        }

    def _share(self, job: str, seen: Mapping[str, Series], full: float) -> Series:
        targets = self._targets.get(job)
        counted = np.sum(list(seen.values()), axis=0)
        if targets is None or not seen.keys() <= targets.keys():
            # What tells how often it was scraped is missing: nothing is assumed of a gap.
            return np.asarray(np.minimum(1.0, counted / full))
        total = np.sum(list(targets.values()), axis=0)
        with np.errstate(divide="ignore", invalid="ignore"):
            together = np.nan_to_num(counted / total)
            apart = np.max([np.nan_to_num(seen[one] / targets[one]) for one in seen], axis=0)
        return np.asarray(np.minimum(1.0, np.where(total > _OVERLAP * full, apart, together)))

    def _covered(self, job: str) -> Series:
        seen = np.array(list(self._targets[job].values()))
        total = seen.sum(axis=0)
        covered: Series = np.where(total > _OVERLAP * self._full[job], seen.max(axis=0), total)
        return covered / self._full[job]


def _add(found: ByTarget, row: RangeSeries) -> str:
    """Count a row for its target; returns its job. Copies within a target, such as replicas, count once."""
    job, instance = row.labels.get("job", ""), row.labels.get("instance", "")
    target = found[job]
    seen = np.nan_to_num(row.values)
    target[instance] = np.maximum(target[instance], seen) if instance in target else seen
    return job


def _full(count: float) -> float:
    """Scrapes in an hour without a gap, where there are at most `count`."""
    return _HOUR / usual_interval(count, _HOUR)
