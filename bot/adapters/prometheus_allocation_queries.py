"""What is asked about some hours of a cluster: four plans of queries, none of them with a subquery.

* Every raw sample once, a value an hour: what has to be exact. How long containers and nodes lived,
  what nodes cost meanwhile, how busy GPUs were.
* One sample every 5 minutes, in the middle of each: working sets, volumes, load balancers.
* One sample every quarter of an hour, at its ends: CPU counters, whose difference loses nothing
  between them, and what seldom changes: requests, nodes and owners of pods, sizes and labels of nodes.
* By name, every raw sample: containers that lived or ended between two of those.

A plain selector costs the server one sample a step, where a function over a range costs all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.adapters.prometheus_api import PrometheusApi, RangeSeries, is_kubernetes_name, matcher
from bot.adapters.prometheus_discovery import CPU, GPU_METRICS, MEMORY, Layout
from bot.adapters.prometheus_facts import Tagged, by_tag
from bot.adapters.prometheus_ksm_nodes import PRICE_METRICS
from bot.adapters.prometheus_owners import CONTROLS, JOB_OWNERS
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
_MOST_NAMED = 1_000
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


def ask_hourly(api: PrometheusApi, hours: Hours, vectors: Sequence[str]) -> Tagged:
    """A value an hour for what the vectors, which look back, say of it."""
    if not vectors:
        return {}
    query = any_of(vectors)
    first = hours.start + HOUR
    return by_tag(api.range(query, start=first, end=hours.end, step_seconds=HOUR_SECONDS))


def ask_fine(api: PrometheusApi, hours: Hours, vectors: Sequence[str], containers: int) -> Tagged:
    """A value for the middle of every 5 minutes."""
    first, last = hours.start + timedelta(seconds=FINE / 2), hours.end - timedelta(seconds=FINE / 2)
    most = max(1, _VALUES_AT_ONCE // max(1, containers))
    return by_tag(api.range(any_of(vectors), start=first, end=last, step_seconds=FINE, most_points=most))


def ask_coarse(api: PrometheusApi, hours: Hours, vectors: Sequence[str], containers: int) -> Tagged:
    """A value for every quarter of an hour, its beginning and the end of the last one."""
    most = max(1, _VALUES_AT_ONCE // max(1, 4 * containers))
    rows = api.range(any_of(vectors), start=hours.start, end=hours.end, step_seconds=COARSE, most_points=most)
    return by_tag(rows)


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


def fine_vectors(scope: Scope, layout: Layout) -> Iterator[str]:
    """Working sets; volumes and load balancers, which come and go at any time."""
    for prefix in layout.cadvisor:
        yield tagged(MEMORY, scope.containers(MEMORY, prefix))
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
    """CPU counters, and what seldom changes."""
    for prefix in layout.cadvisor:
        yield tagged(CPU, scope.containers(CPU, prefix))
    for prefix in layout.state:
        yield tagged(POD_INFO, scope.series(POD_INFO, prefix))
        for metric in (REQUESTS, INIT_REQUESTS):
            yield tagged(metric, scope.series(metric, prefix, _NOT_PRICED))
        yield tagged(JOB_OWNERS, scope.series(JOB_OWNERS, prefix, CONTROLS))
        for metric in (CLAIM_INFO, CLAIM_PODS):
            yield tagged(metric, scope.series(metric, prefix))
    yield tagged(CAPACITY, scope.cluster(CAPACITY, _NOT_PRICED))
    for metric in (NODE_LABELS, IS_SPOT, VOLUME_INFO, VOLUME_PRICES):
        yield tagged(metric, scope.cluster(metric))


def named_vectors(scope: Scope, layout: Layout, pods: Sequence[str], nodes: Sequence[str]) -> Iterator[str]:
    """The last that was seen within the hour of some pods and nodes. Of all pods where they are too many."""
    names = sorted(name for name in set(pods) if is_kubernetes_name(name))
    for matchers in _in_groups("pod", names):
        for prefix in layout.state:
            for metric in (POD_INFO, REQUESTS):
                selector = scope.series(metric, prefix, *_renamed(matchers, prefix))
                yield tagged(metric, f"last_over_time({selector}{PAST_HOUR})")
        for prefix in layout.cadvisor:
            for metric, function in ((CPU, "last_over_time"), (MEMORY, "avg_over_time")):
                selector = scope.containers(metric, prefix)
                if matchers:
                    selector = f"{selector[:-1]},{''.join(_renamed(matchers, prefix))}}}"
                yield tagged(metric, f"{function}({selector}{PAST_HOUR})")
    for matchers in _in_groups("node", sorted(name for name in set(nodes) if is_kubernetes_name(name))):
        for metric in (CAPACITY, NODE_LABELS):
            yield tagged(metric, f"last_over_time({scope.cluster(metric, *matchers)}{PAST_HOUR})")


def _in_groups(label: str, names: Sequence[str]) -> Iterator[tuple[str, ...]]:
    if len(names) > _MOST_NAMED:
        yield ()
        return
    for first in range(0, len(names), _NAMES_AT_ONCE):
        yield (matcher(label, *names[first : first + _NAMES_AT_ONCE]),)


def _renamed(matchers: Sequence[str], prefix: str) -> tuple[str, ...]:
    return tuple(prefix + one for one in matchers)
