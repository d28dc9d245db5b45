"""What one Prometheus has and how it labels it, learnt in one small query or three."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from math import log

from bot.adapters.prometheus_api import PrometheusApi, Sample
from bot.adapters.prometheus_queries import PREFIXES, RENAMED, TAG, Scope, any_of, tagged
from estimators.usage import observed

CPU = "container_cpu_usage_seconds_total"
MEMORY = "container_memory_working_set_bytes"
RATE_RULE = "node_namespace_pod_container:container_cpu_usage_seconds_total:sum_rate5m"
IRATE_RULE = "node_namespace_pod_container:container_cpu_usage_seconds_total:sum_irate"
GPU_METRICS = ("DCGM_FI_PROF_GR_ENGINE_ACTIVE", "DCGM_FI_DEV_GPU_UTIL")

CLUSTER_LABELS = ("cluster", "cluster_id", "cluster_name")
_INTERVALS = (5, 10, 15, 20, 30, 60, 90, 120, 180, 240, 300, 600, 900)
_COUNTED_SECONDS = 900
_COVERS = 0.95
"""A recording rule that has fewer of the containers than this is not used."""

_LOOK_EVERY, _LOOKS, _LEAST_STEP = 6 * 3600, 8, 600
"""Every sixth hour, more often in a short time, but never oftener than every ten minutes."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How to ask one server about some namespaces.

    `cadvisor` and `state` are the prefixes that the labels of cAdvisor and kube-state-metrics have
    there; empty where there is nothing. `containers` is how many series one metric of cAdvisor has.
    `mixed`: it holds several clusters, and nothing tells which is meant.
    """

    cadvisor: tuple[str, ...] = ()
    state: tuple[str, ...] = ()
    scrape_interval_seconds: int = 60
    containers: int = 0
    cpu_rule: str = ""
    partial: tuple[str, ...] = ()
    mixed: bool = False

    @property
    def rate_seconds(self) -> int:
        """A rate needs four scrapes to survive one that failed."""
        return 4 * self.scrape_interval_seconds


def discover(api: PrometheusApi, scope: Scope, *, start: datetime, end: datetime) -> Layout:
    """Look at the last moment of the time to be read; all over it where there is nothing then.

    A cluster may have begun after the first moment and have gone before the last.
    """
    query = any_of(list(_probes(scope)))
    seen = api.instant(query, at=end)
    if not any(sample.labels.get(TAG, "").startswith("containers") for sample in seen):
        seconds = int((end - start).total_seconds())
        step = max(_LEAST_STEP, min(_LOOK_EVERY, seconds // _LOOKS))
        rows = api.range(query, start=start, end=end, step_seconds=step)
        seen = [
            Sample(row.labels, float(observed(row.values)[-1])) for row in rows if observed(row.values).size
        ]
    values = {sample.labels.get(TAG, ""): sample.value for sample in seen}
    mixed = tuple(_mixed_clusters(seen))
    cadvisor = () if mixed else tuple(prefix for prefix in PREFIXES if f"containers{prefix}" in values)
    state = tuple(prefix for prefix in PREFIXES if f"owners{prefix}" in values)
    rule = _cpu_rule(api, scope, values, start) if cadvisor else ""
    counts = [values[f"density{prefix}"] for prefix in cadvisor]
    return Layout(
        cadvisor=cadvisor,
        state=state,
        scrape_interval_seconds=usual_interval(max(counts), _COUNTED_SECONDS) if counts else 60,
        containers=int(sum(values[f"containers{prefix}"] for prefix in cadvisor)),
        cpu_rule=rule,
        partial=(*mixed, *_missing(api, values, rule=rule, mixed=bool(mixed))),
        mixed=bool(mixed),
    )


def _probes(scope: Scope) -> Iterator[str]:
    for prefix in PREFIXES:
        memory = scope.containers(MEMORY, prefix)
        yield tagged(f"density{prefix}", f"max(count_over_time({memory}[{_COUNTED_SECONDS}s]))")
        yield tagged(f"containers{prefix}", f"count({memory})")
        yield tagged(f"clusters{prefix}", f"group by ({', '.join(CLUSTER_LABELS)}) ({memory})")
        yield tagged(f"owners{prefix}", f"group({scope.series('kube_pod_owner', prefix)})")
    yield from _cpu_counts(scope)
    for metric in GPU_METRICS:
        yield tagged("gpus", f"group({scope.cluster(metric)})")
        for matchers in ((f'{RENAMED}pod!=""',), ('pod!=""', 'container!~".*exporter.*"')):
            yield tagged("gpu pods", f"group({scope.cluster(metric, *matchers)})")


def _cpu_counts(scope: Scope) -> Iterator[str]:
    by = ("namespace", "pod", "container")
    for prefix in PREFIXES:
        labels = ", ".join(f"{prefix}{label}" for label in by)
        yield tagged(f"{CPU}{prefix}", f"count(group by ({labels}) ({scope.containers(CPU, prefix)}))")
    for rule in (RATE_RULE, IRATE_RULE):
        yield tagged(rule, f"count(group by ({', '.join(by)}) ({scope.containers(rule, '')}))")


def _cpu_rule(api: PrometheusApi, scope: Scope, values: Mapping[str, float], start: datetime) -> str:
    """The recording rule that spares us the rates: if it is there, complete, and was so at the start."""
    if not any(f"{CPU}{prefix}" in values for prefix in PREFIXES):
        return next((rule for rule in (RATE_RULE, IRATE_RULE) if values.get(rule)), "")
    if not _complete(values):
        return ""
    early = api.instant(any_of(list(_cpu_counts(scope))), at=start + timedelta(minutes=10))
    then = {sample.labels.get(TAG, ""): sample.value for sample in early}
    return RATE_RULE if _complete(then) or not then else ""


def _complete(values: Mapping[str, float]) -> bool:
    containers = sum(values.get(f"{CPU}{prefix}", 0) for prefix in PREFIXES)
    return RATE_RULE in values and values[RATE_RULE] >= _COVERS * containers


def usual_interval(count: float, seconds: int) -> int:
    """The usual interval between scrapes that fits `count` samples within `seconds` best."""
    between = seconds / max(count, 1)
    return min(_INTERVALS, key=lambda usual: abs(log(usual / between)))


def _mixed_clusters(seen: Sequence[Sample]) -> Iterator[str]:
    """Pods of two clusters would be added up as one workload's: no number is better than that one."""
    for label in CLUSTER_LABELS:
        names = sorted({sample.labels[label] for sample in seen if sample.labels.get(label)})
        if len(names) > 1:
            yield (
                f"these namespaces are in {len(names)} clusters ({', '.join(names[:3])}), so their usage was "
                f"not read: choose one with prometheus_selector: {{{label}: {names[0]}}}"
            )


def _missing(api: PrometheusApi, values: Mapping[str, float], *, rule: str, mixed: bool) -> Iterator[str]:
    if mixed:
        return
    chosen = f" with {{{', '.join(api.selector_matchers)}}}" if api.selector else ""
    if not any(f"containers{prefix}" in values for prefix in PREFIXES):
        yield (
            f"{api.url} has no {MEMORY} of these namespaces{chosen}: nothing ran there, or the kubelet's "
            "/metrics/cadvisor is not scraped"
        )
    elif not any(f"owners{prefix}" in values for prefix in PREFIXES):
        yield (
            "kube_pod_owner of kube-state-metrics is not in this Prometheus, so no usage can be given to "
            "Deployments and the like: scrape kube-state-metrics"
        )
    if rule == IRATE_RULE:
        yield f"CPU is read from {IRATE_RULE}, which sees two scrapes in every five minutes"
    if "gpus" in values and "gpu pods" not in values:
        yield (
            "dcgm-exporter names no pods, so no GPU use can be given to workloads: start it with "
            "DCGM_EXPORTER_KUBERNETES=true"
        )
