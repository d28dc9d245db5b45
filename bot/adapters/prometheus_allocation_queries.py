"""What is asked about some hours of a cluster: five plans of queries, none of them with a subquery.

* Every raw sample once, a value an hour: what has to be exact. How long containers and nodes lived,
  what nodes cost meanwhile, how busy GPUs were.
* One sample every 5 minutes, in the middle of each: working sets, volumes, load balancers.
* One sample every quarter of an hour, at its ends: CPU counters, whose difference loses nothing
  between them; sizes and labels of nodes.
* One sample every hour, at its ends: what seldom changes, which is nodes, owners and requests of pods.
* By name, every raw sample: containers that lived within an hour only.

A plain selector costs the server one sample a step, where a function over a range costs all of them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from bot.adapters.prometheus_api import PrometheusApi, RangeSeries, is_kubernetes_name, matcher
from bot.adapters.prometheus_discovery import CPU, GPU_METRICS, MEMORY, Layout
from bot.adapters.prometheus_facts import Tagged, by_tag
from bot.adapters.prometheus_ksm_nodes import PRICE_METRICS
from bot.adapters.prometheus_owners import CONTROLS, JOB_OWNERS, REPLICASET_OWNERS
from bot.adapters.prometheus_queries import PREFIXES, RENAMED, Scope, any_of, tagged

HOUR = timedelta(hours=1)
HOUR_SECONDS = 3600
COARSE, FINE = 900, 300
"""Steps in seconds."""
COARSE_AN_HOUR, FINE_AN_HOUR = HOUR_SECONDS // COARSE, HOUR_SECONDS // FINE
PAST_HOUR = "[3599999ms]"
"""Not quite an hour: servers before Prometheus 3.0 count a sample at either end of a range."""

RUNNING, NODE_INFO, POD_INFO = "kube_pod_container_status_running", "kube_node_info", "kube_pod_info"
NAMESPACES = "kube_namespace_created"
REQUESTS, INIT_REQUESTS = (
    "kube_pod_container_resource_requests",
    "kube_pod_init_container_resource_requests",
)
CAPACITY, NODE_LABELS, IS_SPOT = "kube_node_status_capacity", "kube_node_labels", "kubecost_node_is_spot"
CONTROL_PLANE = "kubecost_cluster_management_cost"
VOLUME_SIZES, VOLUME_INFO, VOLUME_PRICES = (
    "kube_persistentvolume_capacity_bytes",
    "kube_persistentvolume_info",
    "pv_hourly_cost",
)
CLAIM_INFO, CLAIM_SIZES, CLAIM_PODS = (
    "kube_persistentvolumeclaim_info",
    "kube_persistentvolumeclaim_resource_requests_storage_bytes",
    "kube_pod_spec_volumes_persistentvolumeclaims_info",
)
SERVICES, INGRESSES, BALANCER_PRICES = (
    "kube_service_spec_type",
    "kube_service_status_load_balancer_ingress",
    "kubecost_load_balancer_cost",
)
_ALWAYS_THERE = 'namespace=~"default|kube-system"'
_NOT_PRICED = 'resource!~"ephemeral_storage|hugepages_.*|pods|attachable_volumes_.*"'
_NAMES_AT_ONCE = 250
"""Prometheus looks names up in its index up to 256 of them; more are matched as a pattern."""
_GROUPS_AT_ONCE = 4
_MOST_NAMED = 10_000
_VALUES_AT_ONCE = 600_000
"""Values asked for in one request: about 20 MB of JSON."""


@dataclass(frozen=True, slots=True)
class Hours:
    """Full hours of one UTC day, the first of which begins at `start`."""

    start: datetime
    count: int

    @property
    def end(self) -> datetime:
        """When the last one ends."""
        return self.start + self.count * HOUR


class Grid(NamedTuple):
    """The moments at which values are asked for."""

    first: datetime
    last: datetime
    step_seconds: int


def hourly(hours: Hours) -> Grid:
    """The end of every hour, for what looks back over it."""
    return Grid(hours.start + HOUR, hours.end, HOUR_SECONDS)


def fine(hours: Hours) -> Grid:
    """The middle of every 5 minutes."""
    half = timedelta(seconds=FINE / 2)
    return Grid(hours.start + half, hours.end - half, FINE)


def coarse(hours: Hours) -> Grid:
    """Every quarter of an hour, the beginning and the end included."""
    return Grid(hours.start, hours.end, COARSE)


def edges(hours: Hours) -> Grid:
    """Every full hour, the beginning of the first and the end of the last included."""
    return Grid(hours.start, hours.end, HOUR_SECONDS)


def both_ends(hours: Hours) -> Grid:
    """When the first hour begins and the last one ends."""
    return Grid(hours.start, hours.end, hours.count * HOUR_SECONDS)


def ask(api: PrometheusApi, grid: Grid, vectors: Iterable[str]) -> Tagged:
    """The answers to tagged vectors in one request. An `or` looks at all of its left side at every step."""
    some = list(vectors)
    return by_tag(_range(api, any_of(some), grid, 1)) if some else {}


def ask_apart(
    api: PrometheusApi, grid: Grid, metrics: Mapping[str, Sequence[str]], series: int
) -> dict[str, list[RangeSeries]]:
    """The answers to the selectors of each metric of about as many series, in a request of its own."""
    return {
        metric: _range(api, any_of(selectors), grid, series)
        for metric, selectors in metrics.items()
        if selectors
    }


def _range(api: PrometheusApi, query: str, grid: Grid, series: int) -> list[RangeSeries]:
    most = max(1, _VALUES_AT_ONCE // max(1, series))
    first, last, step = grid
    return api.range(query, start=first, end=last, step_seconds=step, most_points=most)


def ask_scrapes(api: PrometheusApi, scope: Scope, layout: Layout, hours: Hours) -> list[RangeSeries]:
    """How often kube-state-metrics was scraped, by job and instance, in each of the last 24 hours or more.

    More than `hours`, as in an hour with a gap nobody can tell how long the interval is. Two
    namespaces that every cluster has stand for what it exports.
    """
    always = [scope.series(NAMESPACES, prefix, prefix + _ALWAYS_THERE) for prefix in layout.state]
    if not always:
        return []
    vectors = [f"max by (job, instance) (count_over_time({series}{PAST_HOUR}))" for series in always]
    first = hours.end - max(hours.count, 24) * HOUR + HOUR
    return api.range(any_of(vectors), start=first, end=hours.end, step_seconds=HOUR_SECONDS)


def lived_vectors(scope: Scope, layout: Layout) -> Iterator[str]:
    """In how many scrapes a container was running."""
    for prefix in layout.state:
        by = f"job, instance, uid, {prefix}namespace, {prefix}pod, {prefix}container"
        yield tagged(RUNNING, f"max by ({by}) (sum_over_time({scope.series(RUNNING, prefix)}{PAST_HOUR}))")


def measured_vectors(scope: Scope, layout: Layout) -> Iterator[str]:
    """The same by cAdvisor's samples, where kube-state-metrics does not say."""
    for prefix in layout.cadvisor:
        by = f"job, instance, node, {prefix}namespace, {prefix}pod, {prefix}container"
        selector = scope.containers(MEMORY, prefix)
        yield tagged(RUNNING, f"max by ({by}) (count_over_time({selector}{PAST_HOUR}))")


def hourly_vectors(scope: Scope) -> Iterator[str]:
    """Lives and prices of nodes, and GPUs: few series, read in full."""
    by = f"job, instance, node, {RENAMED}node"
    yield tagged(NODE_INFO, f"max by ({by}) (count_over_time({scope.cluster(NODE_INFO)}{PAST_HOUR}))")
    for metric in PRICE_METRICS:
        yield tagged(metric, f"avg_over_time({scope.cluster(metric)}{PAST_HOUR})")
    yield tagged(CONTROL_PLANE, f"max(avg_over_time({scope.cluster(CONTROL_PLANE)}{PAST_HOUR}))")
    for prefix in PREFIXES:
        foreign = () if prefix else ('container!~".*exporter.*"',)
        for metric in GPU_METRICS:
            selector = scope.series(metric, prefix, f'{prefix}pod!=""', *foreign)
            yield tagged(metric, f"avg_over_time({selector}{PAST_HOUR})")


def memory_selectors(scope: Scope, layout: Layout) -> dict[str, list[str]]:
    """Working sets."""
    return {MEMORY: [scope.containers(MEMORY, prefix) for prefix in layout.cadvisor]}


def cpu_selectors(scope: Scope, layout: Layout) -> dict[str, list[str]]:
    """CPU counters."""
    return {CPU: [scope.containers(CPU, prefix) for prefix in layout.cadvisor]}


def pod_selectors(scope: Scope, layout: Layout) -> dict[str, list[str]]:
    """Nodes and owners of pods, and what they requested."""
    return {
        POD_INFO: [scope.series(POD_INFO, prefix) for prefix in layout.state],
        REQUESTS: [scope.series(REQUESTS, prefix, _NOT_PRICED) for prefix in layout.state],
        INIT_REQUESTS: [scope.series(INIT_REQUESTS, prefix, _NOT_PRICED) for prefix in layout.state],
    }


def replicaset_selectors(scope: Scope, layout: Layout) -> dict[str, list[str]]:
    """Owners of ReplicaSets, of which a Deployment keeps ten that are old."""
    return {REPLICASET_OWNERS: [scope.series(REPLICASET_OWNERS, prefix, CONTROLS) for prefix in layout.state]}


def fine_vectors(scope: Scope, layout: Layout) -> Iterator[str]:
    """Volumes and load balancers, which come and go at any time."""
    yield tagged(VOLUME_SIZES, scope.cluster(VOLUME_SIZES))
    for prefix in PREFIXES:
        yield tagged(BALANCER_PRICES, scope.series(BALANCER_PRICES, prefix))
    for prefix in layout.state:
        yield tagged(SERVICES, scope.series(SERVICES, prefix, 'type="LoadBalancer"'))
        yield tagged(INGRESSES, scope.series(INGRESSES, prefix))
        yield tagged(CLAIM_SIZES, scope.series(CLAIM_SIZES, prefix))
        always = scope.series(NAMESPACES, prefix, prefix + _ALWAYS_THERE)
        yield tagged(NAMESPACES, f"group({always})")


def coarse_vectors(scope: Scope, layout: Layout) -> Iterator[str]:
    """What seldom changes: sizes and labels of nodes, claims of volumes, owners of Jobs."""
    for metric in (IS_SPOT, NODE_LABELS, VOLUME_INFO, VOLUME_PRICES):
        yield tagged(metric, scope.cluster(metric))
    yield tagged(CAPACITY, scope.cluster(CAPACITY, _NOT_PRICED))
    for prefix in layout.state:
        yield tagged(JOB_OWNERS, scope.series(JOB_OWNERS, prefix, CONTROLS))
        for metric in (CLAIM_INFO, CLAIM_PODS):
            yield tagged(metric, scope.series(metric, prefix))


def ask_named(
    api: PrometheusApi, scope: Scope, layout: Layout, hours: Hours, pods: Iterable[str]
) -> dict[str, list[RangeSeries]]:
    """The last that was seen of some pods within each hour; of all pods where they are too many.

    A request for every thousand of them.
    """
    names = sorted(name for name in set(pods) if is_kubernetes_name(name))
    found: dict[str, list[RangeSeries]] = defaultdict(list)
    for groups in _in_groups("pod", names):
        vectors = [one for group in groups for one in _named_vectors(scope, layout, group)]
        for tag, rows in ask(api, hourly(hours), vectors).items():
            found[tag] += rows
    return found


def _named_vectors(scope: Scope, layout: Layout, named: str) -> Iterator[str]:
    for prefix in layout.state:
        for metric in (POD_INFO, REQUESTS):
            selector = scope.series(metric, prefix, *filter(None, [named and prefix + named]))
            yield tagged(metric, f"last_over_time({selector}{PAST_HOUR})")
    for prefix in layout.cadvisor:
        for metric, function in ((CPU, "last_over_time"), (MEMORY, "avg_over_time")):
            selector = scope.containers(metric, prefix)
            if named:
                selector = f"{selector[:-1]},{prefix}{named}}}"
            yield tagged(metric, f"{function}({selector}{PAST_HOUR})")


def ask_nodes(api: PrometheusApi, scope: Scope, hours: Hours, nodes: Iterable[str]) -> Tagged:
    """The last that was seen of some nodes within each hour."""
    names = sorted(name for name in set(nodes) if is_kubernetes_name(name))
    if not names:
        return {}
    named = () if len(names) > _NAMES_AT_ONCE else (matcher("node", *names),)
    return ask(
        api,
        hourly(hours),
        [
            tagged(metric, f"last_over_time({scope.cluster(metric, *named)}{PAST_HOUR})")
            for metric in (CAPACITY, NODE_LABELS)
        ],
    )


def _in_groups(label: str, names: Sequence[str]) -> Iterator[list[str]]:
    """Matchers of names, as many as one request may hold; an empty one for all where they are too many."""
    if len(names) > _MOST_NAMED:
        yield [""]
        return
    groups = [
        matcher(label, *names[first : first + _NAMES_AT_ONCE])
        for first in range(0, len(names), _NAMES_AT_ONCE)
    ]
    for first in range(0, len(groups), _GROUPS_AT_ONCE):
        yield groups[first : first + _GROUPS_AT_ONCE]
