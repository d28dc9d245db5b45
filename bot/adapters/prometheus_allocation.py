"""Hours of a cluster, as Prometheus measured them: what `estimators.allocate` charges.

A day at a time, in as many requests for any number of workloads; docs/prometheus.md says what is
asked and what it costs the server.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np

from bot.adapters.prometheus_allocation_containers import Usage, container_hours
from bot.adapters.prometheus_allocation_labels import OwnershipLabels, ask_labels
from bot.adapters.prometheus_allocation_nodes import Nodes, control_plane, nodes_of, unpriced
from bot.adapters.prometheus_allocation_pods import (
    Life,
    PodPlace,
    Pods,
    lives_by_name,
    lives_of_pods,
    to_be_named,
    with_unlisted,
)
from bot.adapters.prometheus_allocation_queries import (
    HOUR,
    HOUR_SECONDS,
    RUNNING,
    Hours,
    ask,
    ask_apart,
    ask_named,
    ask_nodes,
    ask_scrapes,
    both_ends,
    coarse,
    coarse_vectors,
    cpu_selectors,
    edges,
    fine,
    fine_vectors,
    hourly,
    hourly_vectors,
    lived_vectors,
    measured_vectors,
    memory_selectors,
    pod_selectors,
    replicaset_selectors,
)
from bot.adapters.prometheus_allocation_time import Scrapes
from bot.adapters.prometheus_allocation_usage import (
    cpu_core_hours,
    exact_mean,
    gpu_busy,
    memory_bytes,
    scraped_steps,
)
from bot.adapters.prometheus_allocation_volumes import balancer_hours, volumes_of
from bot.adapters.prometheus_api import PrometheusApi
from bot.adapters.prometheus_discovery import CPU, MEMORY, Layout, discover
from bot.adapters.prometheus_facts import Tagged
from bot.adapters.prometheus_owners import Owners, pod_owners, with_jobs, with_replicasets
from bot.adapters.prometheus_queries import Scope, midnight
from bot.errors import UserError
from estimators.allocation import BalancerHour, ClusterHour, ContainerHour, VolumeHour
from estimators.money import HOURS_PER_MONTH
from estimators.ownership import LabelsNow
from estimators.prices import PriceSheet
from estimators.usage import Series, WorkloadKey

AT_ONCE = 2
"""Requests in flight: one is read while the server works on the other."""

Progress = Callable[[int, int], None]
"""Called with how many days are done, and of how many."""
_NO_LABELS = LabelsNow()


def read_hours(
    api: PrometheusApi,
    *,
    start: datetime,
    end: datetime,
    prices: PriceSheet,
    hours_per_month: Decimal = HOURS_PER_MONTH,
    labels: LabelsNow = _NO_LABELS,
    progress: Progress = lambda _done, _total: None,
) -> Iterator[ClusterHour]:
    """Every full hour of `[start, end)`, in order; one that nobody measured has `covered` 0.

    The cluster is the one that `api.selector` chooses. Prices are those of a sheet that a person
    named, then OpenCost's, then the sheet's; `hours_per_month` makes prices per month hourly. `labels`
    say whose a workload is where Prometheus does not. Raises PrometheusUnavailable where there is no
    answer, and UserError where several clusters are mixed.
    """
    days = list(days_of(start, end))
    if not days:
        return
    scope = Scope.of(api)
    layout = discover(api, scope, start=days[0].start, end=days[-1].end)
    if layout.mixed:
        raise UserError(layout.partial[0])
    progress(0, len(days))
    for done, hours in enumerate(days, start=1):
        dropped = api.counters.samples_dropped
        measured = _measure(api, scope, layout, hours)
        notes = [*layout.partial, *labels.missing, *api.warnings]
        if left_out := api.counters.samples_dropped - dropped:
            notes.append(f"{left_out:,} values of Prometheus were not numbers from 0 up and were left out")
        yield from _cluster_hours(measured, prices, hours_per_month, labels, tuple(notes))
        progress(done, len(days))


def days_of(start: datetime, end: datetime) -> Iterator[Hours]:
    """The full hours of `[start, end)`, by UTC day."""
    begin, until = start.astimezone(UTC), end.astimezone(UTC)
    first = begin.replace(minute=0, second=0, microsecond=0)
    first = first if first == begin else first + HOUR
    while first + HOUR <= until:
        next_day = midnight(first.date()) + timedelta(days=1)
        count = int((min(next_day, until) - first) / HOUR)
        yield Hours(first, count)
        first += count * HOUR


@dataclass(frozen=True, slots=True)
class _Answers:
    """What was said of some hours: over each, every 5 minutes, every quarter of an hour, at full hours."""

    hours: Hours
    scrapes: Scrapes
    hourly: Tagged
    fine: Tagged
    coarse: Tagged
    edges: Tagged
    running: Tagged
    labels: Tagged


@dataclass(frozen=True, slots=True)
class _Measured:
    """What some hours were, before anything is priced. `lived` is the share of each hour (0-1)."""

    said: _Answers
    nodes: Nodes
    pods: Pods
    lived: Mapping[Life, Series]
    usage: Usage
    owners: Owners

    def workload(self, pod: PodPlace) -> WorkloadKey:
        """The workload of a pod; the pod itself where nothing owns it."""
        facts = self.pods.facts.get(self.pods.known(pod))
        return self.owners.topmost(pod[0], pod[1], facts.owner if facts else ("", ""))

    def workload_by_name(self, namespace: str, name: str) -> WorkloadKey | None:
        """The workload of the pod that had the name last."""
        uids = self.pods.uids.get((namespace, name))
        return self.workload((namespace, name, uids[-1])) if uids else None

    def covered(self) -> Series:
        """The share of each hour that was seen (0-1)."""
        if self.said.scrapes.covered is not None:
            return self.said.scrapes.covered
        seen: Series = np.max([np.zeros(self.said.hours.count), *self.nodes.shares.values()], axis=0)
        return seen


def _ask(api: PrometheusApi, scope: Scope, layout: Layout, hours: Hours) -> _Answers:
    """What does not depend on other answers."""
    # Not a `with`: that would wait for the other requests after one has failed.
    pool = ThreadPoolExecutor(AT_ONCE)
    try:
        containers = layout.containers
        cpu = pool.submit(ask_apart, api, coarse(hours), cpu_selectors(scope, layout), containers)
        memory = pool.submit(ask_apart, api, fine(hours), memory_selectors(scope, layout), containers)
        pods = pool.submit(ask_apart, api, edges(hours), pod_selectors(scope, layout), containers)
        seldom = pool.submit(ask, api, coarse(hours), coarse_vectors(scope, layout))
        often = pool.submit(ask, api, fine(hours), fine_vectors(scope, layout))
        nodes = pool.submit(ask, api, hourly(hours), hourly_vectors(scope))
        running = pool.submit(ask, api, hourly(hours), lived_vectors(scope, layout))
        sets = pool.submit(ask_apart, api, both_ends(hours), replicaset_selectors(scope, layout), containers)
        labels = pool.submit(ask_labels, api, scope, layout, hours)
        return _Answers(
            hours,
            Scrapes(ask_scrapes(api, scope, layout, hours), hours.count),
            hourly=nodes.result(),
            fine={**often.result(), **memory.result()},
            coarse={**seldom.result(), **cpu.result(), **sets.result()},
            edges=pods.result(),
            running=running.result() or ask(api, hourly(hours), measured_vectors(scope, layout)),
            labels=labels.result(),
        )
    finally:
        pool.shutdown(wait=False, cancel_futures=True)


def _measure(api: PrometheusApi, scope: Scope, layout: Layout, hours: Hours) -> _Measured:
    """Ask for some hours of a day, and then for what those answers missed."""
    said = _ask(api, scope, layout, hours)
    pods, nodes = Pods(), nodes_of(said.hourly, said.coarse, said.scrapes)
    pods.learn(said.edges, at_edges=True)
    lived = said.scrapes.shares(said.running.get(RUNNING, ()), pods.life)
    memory, cpu = said.fine.get(MEMORY, ()), said.coarse.get(CPU, ())
    missed = to_be_named(lived, pods, memory, cpu, hours.count)
    named = ask_named(api, scope, layout, hours, missed)
    pods.learn(named, at_edges=False)
    nodes.learn(ask_nodes(api, scope, hours, nodes.unsized()))
    owners = pods.owners(pod_owners(said.coarse).above)
    past = hours.count * HOUR_SECONDS
    owners = with_replicasets(api, scope, layout, owners, end=hours.end, seconds=past)
    owners = with_jobs(api, scope, layout, owners, end=hours.end, seconds=past)
    lived = with_unlisted(lived, pods, memory, scraped_steps(said.fine, hours.count))
    used = cpu_core_hours(cpu, named.get(CPU, ()), lives_by_name(lived))
    usage = Usage(used, memory_bytes(memory, named.get(MEMORY, ())), gpu_busy(said.hourly))
    return _Measured(said, nodes, pods, lived, usage, owners)


def _cluster_hours(
    measured: _Measured,
    prices: PriceSheet,
    hours_per_month: Decimal,
    now: LabelsNow,
    notes: tuple[str, ...],
) -> Iterator[ClusterHour]:
    """The hours, priced."""
    said, count = measured.said, measured.said.hours.count
    as_of = said.hours.start.date().isoformat()
    nodes = [measured.nodes.hour(number, prices, as_of) for number in range(count)]
    containers: list[list[ContainerHour]] = [[] for _ in range(count)]
    for number, container in container_hours(
        measured.lived,
        measured.pods,
        measured.usage,
        workload_of=measured.workload,
        gpus_of=measured.nodes.gpus_of,
    ):
        containers[number].append(container)
    volumes = volumes_of(
        said.fine,
        said.coarse,
        measured.workload_by_name,
        lives_of_pods(measured.lived),
        count,
        sheet=prices,
        hours_per_month=hours_per_month,
    )
    balancers = balancer_hours(said.fine, count, prices)
    labels = OwnershipLabels(said.labels, measured.workload_by_name, now)
    management, covered = control_plane(said.hourly, count), measured.covered()
    for number in range(count):
        hour = said.hours.start + number * HOUR
        if covered[number] <= 0:  # what there is of other exporters is no hour of a cluster
            yield ClusterHour(hour, (), (), covered=0.0, notes=notes)
            continue
        attached = tuple(volumes.hour(number))
        charged = _charged(containers[number], attached, balancers[number])
        yield ClusterHour(
            hour=hour,
            nodes=nodes[number],
            containers=tuple(containers[number]),
            volumes=attached,
            balancers=balancers[number],
            control_plane=exact_mean(management[number]),
            covered=float(covered[number]),
            notes=(*notes, *unpriced(nodes[number])),
            labels=labels.hour(number, charged),
        )


def _charged(
    containers: Iterable[ContainerHour], volumes: Iterable[VolumeHour], balancers: Iterable[BalancerHour]
) -> set[WorkloadKey]:
    """Whatever pays for something in an hour, as `estimators.allocate` names it."""
    found = {item.workload for item in containers}
    for volume in volumes:
        if volume.claim:
            claim = WorkloadKey(volume.namespace, "PersistentVolumeClaim", volume.claim)
            found.add(volume.workload or claim)
    return found | {WorkloadKey(item.namespace, "Service", item.service) for item in balancers}
