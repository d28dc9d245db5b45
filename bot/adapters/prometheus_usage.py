"""Utilisation from Prometheus: a bounded number of queries, and only for days that are new.

The number of requests does not depend on the number of workloads, only on how much data there is:
see docs/prometheus.md for the queries and what they cost.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta

from bot.adapters.prometheus_api import PrometheusApi, is_kubernetes_name
from bot.adapters.prometheus_discovery import Layout, discover
from bot.adapters.prometheus_facts import read_facts
from bot.adapters.prometheus_fold import fold
from bot.adapters.prometheus_old_kills import read_old_kills, with_old_kills
from bot.adapters.prometheus_pods import PodUsage, chunks, read_cpu, read_memory
from bot.adapters.prometheus_queries import DAY, Scope, Span, midnight
from bot.adapters.prometheus_slo import read_burn
from bot.adapters.sketch_store import WHOLE_CLUSTER, Place, SketchStore
from bot.adapters.usage_assembly import assemble, days_of
from bot.adapters.usage_sketches import DaySketch
from estimators.usage import Window, WorkloadKey, WorkloadUsage

AT_ONCE = 2
"""Requests in flight: one is read while the server, on one of its cores, works on the other."""
SETTLES = timedelta(hours=6)
"""A day that ended later than this before the window's end is asked again: late samples may still come."""
FORMAT = 2
"""Changes when the meaning of stored sketches does."""

Progress = Callable[[int, int], None]
"""Called with how many parts of the reading are done, and of how many."""


@dataclass(frozen=True, slots=True)
class UsageHistory:
    """What Prometheus knew of the past; `partial` says for people what is missing or doubtful."""

    workloads: Mapping[WorkloadKey, WorkloadUsage] = field(default_factory=dict)
    scrape_interval_seconds: int = 60
    partial: tuple[str, ...] = ()


def read_usage(
    api: PrometheusApi,
    *,
    namespaces: Collection[str] | None,
    window: Window,
    store: SketchStore | None = None,
    progress: Progress = lambda _done, _total: None,
    kills_since: datetime | None = None,
) -> UsageHistory:
    """The history of every workload in `namespaces` (None: in all) over the window.

    OOM kills are looked for from `kills_since` on, where that is before the window.
    Days that `store` has are not asked for; whole days that are read are kept in it. The step
    must divide a day. Raises PrometheusUnavailable where the server does not answer.
    """
    names = sorted({name for name in namespaces or () if is_kubernetes_name(name)})
    partial = [
        f"namespace {name[:80]!r} has no valid name and was not asked about"
        for name in sorted(set(namespaces or ()) - set(names))
    ]
    if namespaces is not None and not names:
        return UsageHistory(partial=tuple(partial))
    reading = _Reading(api, names, window, store)
    layout = discover(api, reading.scope, start=reading.begin, end=window.end)
    partial += layout.partial
    if layout.cadvisor:
        reading.read(layout, progress)
    if dropped := api.counters.samples_dropped:
        partial.append(f"{dropped:,} values of Prometheus were not numbers from 0 up and were left out")
    workloads = assemble(reading.sketches, window)
    if workloads and kills_since is not None and layout.state:
        kills = read_old_kills(api, reading.scope, layout, start=kills_since, end=window.start)
        workloads = with_old_kills(workloads, kills)
    if workloads:
        burning = read_burn(api, reading.scope, at=window.end, keys=workloads, warn=partial.append)
        workloads |= {key: replace(workloads[key], error_budget_burn=rate) for key, rate in burning.items()}
    partial += [*api.warnings, *(store.notes if store is not None else ())]
    return UsageHistory(workloads, layout.scrape_interval_seconds, tuple(partial))


class _Reading:
    """One call of `read_usage` on its way through the days; `sketches` grow as it goes."""

    def __init__(
        self, api: PrometheusApi, names: Sequence[str], window: Window, store: SketchStore | None
    ) -> None:
        self.scope = Scope.of(api, names)
        self.sketches: dict[Place, DaySketch] = {}
        self._wanted = self.scope.namespaces or (WHOLE_CLUSTER,)
        self._api = api
        self._window = window
        self._store = store
        self._store_scope = f"{FORMAT} {window.step_seconds} {api.url} {' '.join(api.selector_matchers)}"
        days = days_of(window)
        self._load([day for day in days if self._settled(day)])
        self._missing = [day for day in days if self._misses(day)]

    @property
    def begin(self) -> datetime:
        """The first moment that is to be read."""
        return max(self._window.start, midnight(self._missing[0])) if self._missing else self._window.start

    def read(self, layout: Layout, progress: Progress) -> None:
        """Read the days that miss, and keep those that are over."""
        runs = [self._span(run) for run in _consecutive(self._missing)]
        parts = [(run, part) for run in runs for part in chunks(run, layout.containers)]
        total, done = len(runs) + len(parts), 0
        progress(done, total)
        # Not a `with`: that would wait for the other requests after one has failed.
        pool = ThreadPoolExecutor(AT_ONCE)
        try:
            facts = {run: pool.submit(read_facts, self._api, self.scope, layout, run) for run in runs}
            waiting = deque(
                (
                    run,
                    part,
                    pool.submit(read_cpu, self._api, self.scope, layout, part),
                    pool.submit(read_memory, self._api, self.scope, layout, part),
                )
                for run, part in parts
            )
            for future in facts.values():
                future.result()
                progress(done := done + 1, total)
            while waiting:  # what was folded is let go: a large cluster's days would fill the memory
                run, part, cpu, memory = waiting.popleft()
                usage = PodUsage(part, cpu.result(), memory.result())
                self._keep(fold(usage, facts[run].result(), run.days[0], self._wanted), layout)
                progress(done := done + 1, total)
        finally:
            pool.shutdown(wait=False, cancel_futures=True)

    def _load(self, settled: Collection[date]) -> None:
        """Take from the store what it has of the days that are over."""
        if self._store is None:
            return
        there = self._store.stored(self._store_scope, settled)
        whole = {place.day for place in there if place.namespace == WHOLE_CLUSTER}
        names = {*self.scope.namespaces, WHOLE_CLUSTER}
        if not self.scope.namespaces:
            names |= {place.namespace for place in there}
            there = frozenset(place for place in there if place.day in whole)
        wanted = {place for place in there if place.namespace in names}
        self.sketches |= self._store.read(self._store_scope, wanted)
        for place in [place for place in self.sketches if place.namespace == WHOLE_CLUSTER]:
            for name in self.scope.namespaces:  # without a row of its own it had no pod on that day
                self.sketches.setdefault(Place(name, place.day), DaySketch(self.sketches[place].known, {}))

    def _keep(self, found: Mapping[Place, DaySketch], layout: Layout) -> None:
        """Remember the days, and store those that are over unless something was missing in the answers."""
        self.sketches |= found
        if self._store is not None and layout.state and not self._api.warnings:
            over = {
                place: one for place, one in found.items() if self._settled(place.day) and one.known.any()
            }
            self._store.write(self._store_scope, over)

    def _settled(self, day: date) -> bool:
        return midnight(day) + DAY + SETTLES <= self._window.end

    def _misses(self, day: date) -> bool:
        return any(Place(name, day) not in self.sketches for name in self._wanted)

    def _span(self, days: Sequence[date]) -> Span:
        end = min(midnight(days[-1]) + DAY, self._window.end)
        return Span(tuple(days), end, self._window.step_seconds)


def _consecutive(days: Sequence[date]) -> list[list[date]]:
    runs: list[list[date]] = []
    for day in days:
        if runs and day - runs[-1][-1] == DAY:
            runs[-1].append(day)
        else:
            runs.append([day])
    return runs
