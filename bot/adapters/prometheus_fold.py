"""Pods into the days of their workloads."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import date

import numpy as np
from numpy.typing import NDArray

from bot.adapters.prometheus_facts import Facts
from bot.adapters.prometheus_pods import PodUsage
from bot.adapters.sketch_store import Place
from bot.adapters.usage_sketches import (
    ContainerDay,
    DaySketch,
    GpuDay,
    Run,
    Steps,
    WorkloadDay,
    histogram,
)
from estimators.usage import Series, WorkloadKey

Pod = tuple[str, str]
Flags = NDArray[np.bool_]


def fold(
    usage: PodUsage, facts: Facts, facts_begin: date, namespaces: Iterable[str]
) -> dict[Place, DaySketch]:
    """The sketches of the days of `usage`: of `namespaces`, and of every other that had pods.

    `facts` may reach over more days; `facts_begin` is their first.
    """
    span, offset = usage.span, (usage.span.days[0] - facts_begin).days
    known, present = _presence(usage, facts, offset * span.steps_a_day)
    sketches: dict[Place, DaySketch] = {}
    for index, day in enumerate(span.days):
        fold_day = _Day(usage, facts, index, offset + index)
        workloads = fold_day.workloads(known, present)
        flags = _cut(known.astype(np.float64), index, span.steps_a_day)
        steps = np.nan_to_num(flags).astype(np.float32)
        by_namespace: dict[str, dict[WorkloadKey, WorkloadDay]] = {name: {} for name in namespaces}
        for key, workload in workloads.items():
            by_namespace.setdefault(key.namespace, {})[key] = workload
        sketches |= {Place(name, day): DaySketch(steps, own) for name, own in by_namespace.items()}
    return sketches


def _presence(usage: PodUsage, facts: Facts, first_step: int) -> tuple[Flags, dict[Pod, Flags]]:
    """At which steps anything was scraped, and at which each pod ran."""
    steps = usage.span.steps
    pods: dict[Pod, Flags] = {}
    for containers in (usage.memory, usage.cpu):
        for (namespace, pod, _), values in containers.items():
            there = ~np.isnan(values)
            pods[namespace, pod] = pods[namespace, pod] | there if (namespace, pod) in pods else there
    length = next((flags.size for flags in pods.values()), steps)
    known = np.zeros(length, dtype=np.bool_)
    scraped = facts.scraped[first_step : first_step + length]
    known[: scraped.size] = scraped
    for flags in pods.values():
        known |= flags
    # A pod is seen for the rest of the step in which it ended; it ran at its end only if it is seen later.
    later = np.append(known[1:], False)
    return known[:steps], {
        place: (flags & (np.append(flags[1:], False) | ~later))[:steps] for place, flags in pods.items()
    }


def _cut(values: Series, day: int, steps_a_day: int) -> Steps:
    """One day of a series, filled up with NaN."""
    part = values[day * steps_a_day : (day + 1) * steps_a_day]
    whole = np.full(steps_a_day, np.nan, dtype=np.float32)
    whole[: part.size] = part
    return whole


class _Day:
    """One day of `usage`: the `index`-th of its span, the `fact_index`-th of the facts."""

    def __init__(self, usage: PodUsage, facts: Facts, index: int, fact_index: int) -> None:
        self._usage = usage
        self._facts = facts
        self._index = index
        self._fact_index = fact_index
        self._steps_a_day = usage.span.steps_a_day
        self._last = min((index + 1) * self._steps_a_day, usage.span.steps)

    def workloads(self, known: Flags, present: Mapping[Pod, Flags]) -> dict[WorkloadKey, WorkloadDay]:
        """All workloads that had a pod, a finished run or an autoscaler's metric on this day."""
        replicas = self._replicas(known, present)
        containers = self._containers()
        gpus = self._gpus()
        metrics = self._metrics()
        runs = self._runs()
        nobody = np.where(self._part(known.astype(np.float64)) > 0, 0.0, np.nan)
        return {
            key: WorkloadDay(
                replicas=self._whole(replicas.get(key, nobody)),
                containers=containers.get(key, {}),
                metrics=metrics.get(key, {}),
                gpu=gpus.get(key),
                runs=tuple(runs.get(key, ())),
            )
            for key in {*replicas, *containers, *gpus, *metrics, *runs}
        }

    def _part(self, values: Series) -> Series:
        return values[self._index * self._steps_a_day : self._last]

    def _fact_part(self, values: Series) -> Series:
        first = self._fact_index * self._steps_a_day
        return values[first : first + self._last - self._index * self._steps_a_day]

    def _whole(self, part: Series) -> Steps:
        return _cut(part, 0, self._steps_a_day)

    def _key(self, namespace: str, pod: str) -> WorkloadKey:
        return self._facts.owners.workload(namespace, pod, self._fact_index)

    def _replicas(self, known: Flags, present: Mapping[Pod, Flags]) -> dict[WorkloadKey, Series]:
        here = slice(self._index * self._steps_a_day, self._last)
        counts: dict[WorkloadKey, Series] = {}
        for (namespace, pod), flags in present.items():
            if flags[here].any():
                key = self._key(namespace, pod)
                counts[key] = counts.get(key, 0) + flags[here].astype(np.float64)
        return {key: np.where(known[here], count, np.nan) for key, count in counts.items()}

    def _containers(self) -> dict[WorkloadKey, dict[str, ContainerDay]]:
        groups: dict[tuple[WorkloadKey, str], list[tuple[str, str, str]]] = defaultdict(list)
        for place in {**self._usage.memory, **self._usage.cpu}:
            if any(self._seen(series.get(place)) for series in (self._usage.memory, self._usage.cpu)):
                groups[self._key(*place[:2]), place[2]].append(place)
        found: dict[WorkloadKey, dict[str, ContainerDay]] = defaultdict(dict)
        for (key, name), places in groups.items():
            found[key][name] = self._container(places)
        return found

    def _seen(self, values: Series | None) -> bool:
        return values is not None and not np.isnan(self._part(values)).all()

    def _container(self, places: list[tuple[str, str, str]]) -> ContainerDay:
        nothing = np.full(self._last - self._index * self._steps_a_day, np.nan)
        cpus = [self._part(self._usage.cpu[place]) for place in places if place in self._usage.cpu]
        cpu = np.asarray(cpus or [nothing])
        peaks = [self._part(self._usage.memory[place]) for place in places if place in self._usage.memory]
        facts, day = self._facts, self._fact_index
        midnight = self._usage.span.at(self._index * self._steps_a_day).timestamp()
        kills = sorted(time for place in places for time in facts.kill_times.get(place, ()))
        return ContainerDay(
            cpu=self._whole(np.where(np.isnan(cpu).all(axis=0), np.nan, np.nansum(cpu, axis=0))),
            memory=self._whole(np.fmax.reduce(np.asarray(peaks or [nothing]))),
            cpu_histogram=histogram(cpu.ravel()),
            throttled=sum(float(facts.throttled[place][day]) for place in places if place in facts.throttled),
            periods=sum(float(facts.periods[place][day]) for place in places if place in facts.periods),
            oom_times=tuple(time for time in kills if midnight <= time < midnight + 86_400),
            oom_events=round(
                sum(float(facts.kill_counts[place][day]) for place in places if place in facts.kill_counts)
            ),
        )

    def _gpus(self) -> dict[WorkloadKey, GpuDay]:
        groups = defaultdict(list)
        holders = defaultdict(set)
        for gpu in self._facts.gpus:
            if not np.isnan(self._fact_part(gpu.busy)).all():
                groups[self._key(gpu.namespace, gpu.pod)].append(gpu)
                holders[gpu.device].add((gpu.namespace, gpu.pod))
        found: dict[WorkloadKey, GpuDay] = {}
        for key, gpus in groups.items():
            busy = np.asarray([self._fact_part(gpu.busy) for gpu in gpus])
            held = (~np.isnan(busy)).sum(axis=0)
            mean = np.nansum(busy, axis=0) / np.where(held == 0, np.nan, held)
            memory = np.fmax.reduce(np.asarray([self._fact_part(gpu.memory) for gpu in gpus]))
            shared = any(len(holders[gpu.device]) > 1 for gpu in gpus)
            found[key] = GpuDay(self._whole(np.minimum(mean, 1.0)), self._whole(memory), shared)
        return found

    def _metrics(self) -> dict[WorkloadKey, dict[str, Steps]]:
        return {
            key: {name: self._whole(self._fact_part(values)) for name, values in metrics.items()}
            for key, metrics in self._facts.autoscaler_metrics.items()
        }

    def _runs(self) -> dict[WorkloadKey, list[Run]]:
        midnight = self._usage.span.at(self._index * self._steps_a_day).timestamp()
        found: dict[WorkloadKey, list[Run]] = defaultdict(list)
        for (namespace, pod), ends in self._facts.finished.items():
            owner = self._facts.owners.direct(namespace, pod, self._fact_index)
            if owner[0] == "Job":
                key = self._key(namespace, pod)
                found[key] += [
                    Run(owner[1], end, seconds)
                    for end, seconds in ends
                    if midnight <= end < midnight + 86_400
                ]
        return {key: runs for key, runs in found.items() if runs}
