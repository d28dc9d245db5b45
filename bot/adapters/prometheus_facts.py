"""What Prometheus knows of some days besides CPU and memory: two requests, seldom five.

One asks a value a day (owners, throttling, finished pods), one a value a step (kills, autoscalers'
metrics, GPUs, whether anything was scraped).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bot.adapters.prometheus_api import PrometheusApi, RangeSeries, is_kubernetes_name, matcher
from bot.adapters.prometheus_discovery import Layout
from bot.adapters.prometheus_gpus import GpuSeries, gpu_series, gpu_vectors
from bot.adapters.prometheus_kills import kill_times, kill_vectors
from bot.adapters.prometheus_owners import MOST_NAMES, Owners, owner_vectors, pod_owners, with_replicasets
from bot.adapters.prometheus_queries import DAY, TAG, Scope, Span, any_of, own_labels, tagged
from estimators.usage import Series, WorkloadKey, observed

Tagged = Mapping[str, Sequence[RangeSeries]]
ContainerPlace = tuple[str, str, str]
"""A namespace, a pod and a container."""

_THROTTLED, _PERIODS, _KILLS = "throttled", "periods", "kills"
_COMPLETED, _STARTED = "kube_pod_completion_time", "kube_pod_start_time"
_HPA_METRIC, _HPA_INFO = (
    "kube_horizontalpodautoscaler_status_target_metric",
    "kube_horizontalpodautoscaler_info",
)
_SCRAPED = "scraped"


@dataclass(frozen=True, slots=True)
class Facts:
    """Facts of one span. Series have a value a day or a value a step of it.

    `throttled`, `periods` and `kill_counts` are a day's, by container; `finished` holds the ends
    (Unix seconds) and run times of pods; `kill_times` are Unix seconds.
    """

    owners: Owners
    throttled: Mapping[ContainerPlace, Series]
    periods: Mapping[ContainerPlace, Series]
    kill_counts: Mapping[ContainerPlace, Series]
    kill_times: Mapping[ContainerPlace, Sequence[int]]
    finished: Mapping[tuple[str, str], Sequence[tuple[int, float]]]
    autoscaler_metrics: Mapping[WorkloadKey, Mapping[str, Series]]
    gpus: Sequence[GpuSeries]
    scraped: NDArray[np.bool_]


def read_facts(api: PrometheusApi, scope: Scope, layout: Layout, span: Span) -> Facts:
    """Ask for the facts of a span. Raises PrometheusUnavailable."""

    def daily_vectors(seconds: int) -> Iterator[str]:
        yield from owner_vectors(scope, layout, seconds)
        yield from _counter_vectors(scope, layout, seconds)

    daily = _daily(api, span, daily_vectors)
    stepwise = by_tag(
        api.range(
            any_of(list(_step_vectors(scope, layout, span.step_seconds))),
            start=span.start,
            end=span.at(span.steps),
            step_seconds=span.step_seconds,
        )
    )
    seconds = int((span.end - span.start).total_seconds())
    owners = with_replicasets(api, scope, layout, pod_owners(daily), end=span.end, seconds=seconds)
    scraped = np.zeros(span.steps + 1, dtype=np.bool_)
    for row in stepwise.get(_SCRAPED, ()):
        scraped |= ~np.isnan(row.values)
    return Facts(
        owners=owners,
        throttled=_summed(daily.get(_THROTTLED, ())),
        periods=_summed(daily.get(_PERIODS, ())),
        kill_counts=_summed(daily.get(_KILLS, ())),
        kill_times=kill_times(stepwise, span, scraped),
        finished=_finished(api, scope, layout, span, daily.get(_COMPLETED, ())),
        autoscaler_metrics=_autoscaler_metrics(api, scope, layout, span, stepwise.get(_HPA_METRIC, ())),
        gpus=gpu_series(stepwise),
        scraped=scraped[1:],
    )


def by_tag(rows: Iterable[RangeSeries]) -> Tagged:
    """The rows of an `or` by which part of it they were."""
    found: dict[str, list[RangeSeries]] = defaultdict(list)
    for row in rows:
        found[row.labels.get(TAG, "")].append(row)
    return found


def _daily(api: PrometheusApi, span: Span, vectors: Callable[[int], Iterable[str]]) -> Tagged:
    """A value a day; `vectors` are given how many seconds to look back. An unfinished day is asked apart."""
    whole = sum(span.at(span.steps_a_day * (day + 1)) <= span.end for day in range(len(span.days)))
    found: dict[str, list[RangeSeries]] = defaultdict(list)
    if whole and (query := any_of(list(vectors(86_400)))):
        rows = api.range(query, start=span.start + DAY, end=span.start + whole * DAY, step_seconds=86_400)
        for row in rows:
            values = np.append(row.values, [np.nan] * (len(span.days) - whole))
            found[row.labels.get(TAG, "")].append(RangeSeries(row.labels, values))
    elapsed = int((span.end - span.start).total_seconds()) - whole * 86_400
    if elapsed > 0 and (query := any_of(list(vectors(elapsed)))):
        for sample in api.instant(query, at=span.end):
            values = np.full(len(span.days), np.nan)
            values[-1] = sample.value
            found[sample.labels.get(TAG, "")].append(RangeSeries(sample.labels, values))
    return found


def _counter_vectors(scope: Scope, layout: Layout, seconds: int) -> Iterator[str]:
    counters = {
        _THROTTLED: "container_cpu_cfs_throttled_periods_total",
        _PERIODS: "container_cpu_cfs_periods_total",
    }
    if not layout.state:
        counters[_KILLS] = "container_oom_events_total"
    for prefix in layout.cadvisor:
        labels = ", ".join(f"{prefix}{label}" for label in ("namespace", "pod", "container"))
        for tag, metric in counters.items():
            selector = scope.containers(metric, prefix)
            # Copies of one container, by two jobs say, count once; its parts around a restart are added up.
            once = f"max by ({labels}, id, name) (increase({selector}[{seconds}s]))"
            yield tagged(tag, f"sum by ({labels}) ({once})")
    for prefix in layout.state:
        labels = f"{prefix}namespace, {prefix}pod"
        selector = scope.series(_COMPLETED, prefix)
        yield tagged(_COMPLETED, f"max by ({labels}) (last_over_time({selector}[{seconds}s]))")


def _step_vectors(scope: Scope, layout: Layout, step_seconds: int) -> Iterator[str]:
    yield tagged(_SCRAPED, f"group({scope.cluster('kube_node_info')})")
    for prefix in layout.state:
        yield from kill_vectors(scope, prefix)
        only = ('metric_name!~"cpu|memory"', 'metric_target_type="average"')
        yield tagged(_HPA_METRIC, scope.series(_HPA_METRIC, prefix, *only))
    yield from gpu_vectors(scope, step_seconds)


def _summed(rows: Iterable[RangeSeries]) -> dict[ContainerPlace, Series]:
    found: dict[ContainerPlace, Series] = {}
    for row in rows:
        place = container_place(row.labels)
        values = np.nan_to_num(row.values)
        found[place] = found[place] + values if place in found else values
    return found


def container_place(labels: Mapping[str, str]) -> ContainerPlace:
    """Which container a series is of."""
    own = own_labels(labels)
    return own.get("namespace", ""), own.get("pod", ""), own.get("container", "")


def _finished(
    api: PrometheusApi, scope: Scope, layout: Layout, span: Span, completed: Sequence[RangeSeries]
) -> dict[tuple[str, str], list[tuple[int, float]]]:
    """Ends and run times of the pods that finished within the span."""
    ends: dict[tuple[str, str], set[int]] = defaultdict(set)
    for row in completed:
        seen = observed(row.values).tolist()
        ends[container_place(row.labels)[:2]].update(int(time) for time in seen if span.holds(time))
    names = sorted({pod for (_, pod), times in ends.items() if times and is_kubernetes_name(pod)})
    if not names:
        return {}

    def vectors(seconds: int) -> Iterator[str]:
        for prefix in layout.state:
            named = (matcher(f"{prefix}pod", *names),) if len(names) <= MOST_NAMES else ()
            labels = f"{prefix}namespace, {prefix}pod"
            selector = scope.series(_STARTED, prefix, *named)
            yield tagged(_STARTED, f"max by ({labels}) (last_over_time({selector}[{seconds}s]))")

    finished: dict[tuple[str, str], list[tuple[int, float]]] = {}
    starts: dict[tuple[str, str], set[float]] = defaultdict(set)
    for row in _daily(api, span, vectors).get(_STARTED, ()):
        starts[container_place(row.labels)[:2]].update(observed(row.values).tolist())
    for place, times in ends.items():
        for end in sorted(times):
            began = max((start for start in starts[place] if start <= end), default=None)
            if began is not None:
                finished.setdefault(place, []).append((end, end - began))
    return finished


def _autoscaler_metrics(
    api: PrometheusApi, scope: Scope, layout: Layout, span: Span, rows: Sequence[RangeSeries]
) -> dict[WorkloadKey, dict[str, Series]]:
    """Averages of external and custom metrics per pod, by the workload that is scaled.

    A total (of a target of type Value) is not per pod, and is not asked for.
    """
    if not rows:
        return {}
    query = any_of([scope.series(_HPA_INFO, prefix) for prefix in layout.state])
    targets: dict[tuple[str, str], WorkloadKey] = {}
    for sample in api.instant(query, at=span.end):
        own = own_labels(sample.labels)
        place = (own.get("namespace", ""), own.get("horizontalpodautoscaler", ""))
        kind, name = own.get("scaletargetref_kind", ""), own.get("scaletargetref_name", "")
        targets[place] = WorkloadKey(place[0], kind, name)
    found: dict[WorkloadKey, dict[str, Series]] = defaultdict(dict)
    for row in rows:
        own = own_labels(row.labels)
        target = targets.get((own.get("namespace", ""), own.get("horizontalpodautoscaler", "")))
        if target is not None:
            metrics, name, values = found[target], own.get("metric_name", ""), row.values[1:]
            # Where kube-state-metrics was replaced, the rest of it is a series of its own.
            metrics[name] = np.fmax(metrics[name], values) if name in metrics else values
    return found
