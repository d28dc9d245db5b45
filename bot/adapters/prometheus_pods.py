"""CPU and memory of every container of every pod, a value a step.

Pods come one by one, not added up by the server: reading the samples is what costs it, and single
pods are needed for percentiles, for counting replicas and for finding the owners. Copies of one
container (two scrape jobs, two replicas of Prometheus) count once; the parts of one (before and
after a restart) are added up.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from bot.adapters.prometheus_api import PrometheusApi, RangeSeries
from bot.adapters.prometheus_discovery import CPU, MEMORY, Layout
from bot.adapters.prometheus_queries import Scope, Span, any_of, own_labels
from estimators.usage import Series

ContainerSeries = Mapping[tuple[str, str, str], Series]
"""By namespace, pod and container."""

VALUES_AT_ONCE = 300_000
"""Values asked for in one request: about 10 MB of JSON, and as many samples in the server's memory.

A day of more than twice this many is asked in parts.
"""

CHANGED_BY_RESTART = frozenset({"id", "name", "image", "cpu"})
"""Labels in which the parts of one container differ; cAdvisor once had a series for each core."""


@dataclass(frozen=True, slots=True)
class PodUsage:
    """CPU (cores, mean of the step) and memory (bytes, highest of the step) over `span`.

    Series have one step more than the span where it ends with a whole day, for the sake of the
    last one: a pod that is not there any more in the next step ended within it.
    """

    span: Span
    cpu: ContainerSeries
    memory: ContainerSeries


def chunks(span: Span, containers: int) -> list[Span]:
    """The span cut into whole days such that a request stays below `VALUES_AT_ONCE`."""
    days = max(1, VALUES_AT_ONCE // max(1, containers * span.steps_a_day))
    cuts = [*range(0, len(span.days), days), len(span.days)]
    return [
        Span(span.days[first:last], min(span.end, span.at(last * span.steps_a_day)), span.step_seconds)
        for first, last in pairwise(cuts)
    ]


def read_cpu(api: PrometheusApi, scope: Scope, layout: Layout, span: Span) -> ContainerSeries:
    """CPU by container, from the recording rule where there is one."""
    if layout.cpu_rule:
        return merged(_range(api, scope.containers(layout.cpu_rule, ""), span, layout.containers))
    window = max(span.step_seconds, layout.rate_seconds)
    rates = [f"rate({scope.containers(CPU, prefix)}[{window}s])" for prefix in layout.cadvisor]
    return merged(_range(api, any_of(rates), span, layout.containers), parts=CHANGED_BY_RESTART)


def read_memory(api: PrometheusApi, scope: Scope, layout: Layout, span: Span) -> ContainerSeries:
    """The highest working set of each step, by container."""
    window = max(span.step_seconds, 2 * layout.scrape_interval_seconds)
    peaks = [f"max_over_time({scope.containers(MEMORY, prefix)}[{window}s])" for prefix in layout.cadvisor]
    return merged(_range(api, any_of(peaks), span, layout.containers))


def _range(api: PrometheusApi, query: str, span: Span, containers: int) -> list[RangeSeries]:
    whole = span.steps % span.steps_a_day == 0
    return api.range(
        query,
        start=span.at(1),
        end=span.at(span.steps + 1 if whole else span.steps),
        step_seconds=span.step_seconds,
        most_points=2 * VALUES_AT_ONCE // max(1, containers),
    )


def merged(rows: Iterable[RangeSeries], parts: frozenset[str] = frozenset()) -> ContainerSeries:
    """One series a container: the sum of its parts, the highest of its copies."""
    copies: dict[tuple[tuple[str, str, str], frozenset[tuple[str, str]]], Series] = {}
    for row in rows:
        own = own_labels(row.labels)
        place = (own.pop("namespace", ""), own.pop("pod", ""), own.pop("container", ""))
        key = (place, frozenset(item for item in own.items() if parts and item[0] not in parts))
        known = copies.get(key)
        if known is None:
            copies[key] = row.values
        elif parts:
            copies[key] = np.where(np.isnan(known), row.values, known + np.nan_to_num(row.values))
        else:
            copies[key] = np.fmax(known, row.values)
    highest: dict[tuple[str, str, str], Series] = {}
    for (place, _), values in copies.items():
        highest[place] = np.fmax(highest[place], values) if place in highest else values
    return highest
