"""OOM kills from before the window that usage is read of: a container does not forget what killed it last."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np

from bot.adapters.prometheus_api import PrometheusApi, RangeSeries, is_kubernetes_name, matcher
from bot.adapters.prometheus_discovery import Layout
from bot.adapters.prometheus_facts import by_tag
from bot.adapters.prometheus_kills import kill_times, kill_vectors
from bot.adapters.prometheus_owners import (
    CONTROLS,
    MOST_NAMES,
    POD_OWNERS,
    Owners,
    pod_owners,
    with_replicasets,
)
from bot.adapters.prometheus_queries import Scope, Span, any_of, own_labels, tagged
from estimators.usage import WorkloadKey, WorkloadUsage

STEP_SECONDS = 3600
"""The time of a kill stays until the container is restarted again, so an hour's look is enough for most."""

Kills = Mapping[WorkloadKey, Mapping[str, tuple[datetime, ...]]]


def read_old_kills(
    api: PrometheusApi, scope: Scope, layout: Layout, *, start: datetime, end: datetime
) -> Kills:
    """The OOM kills of `[start, end)` whose time is known, by workload and container.

    One request, and two to three more where there were any. Raises PrometheusUnavailable.
    """
    first, last = start.astimezone(UTC).date(), (end - timedelta(seconds=1)).astimezone(UTC).date()
    days = tuple(first + timedelta(days=count) for count in range((last - first).days + 1))
    span = Span(days, end, STEP_SECONDS)
    vectors = [vector for prefix in layout.state for vector in kill_vectors(scope, prefix)]
    if not vectors or span.steps < 1:
        return {}
    rows = by_tag(api.range(any_of(vectors), start=span.start, end=span.end, step_seconds=STEP_SECONDS))
    times = kill_times(rows, span, np.ones(span.steps + 1, dtype=np.bool_))
    if not times:
        return {}
    owners = _owners(api, scope, layout, sorted({place[:2] for place in times}), span)
    found: dict[WorkloadKey, dict[str, list[datetime]]] = defaultdict(lambda: defaultdict(list))
    for (namespace, pod, container), moments in times.items():
        key = owners.workload(namespace, pod, 0)
        found[key][container] += [datetime.fromtimestamp(moment, UTC) for moment in moments]
    return {
        key: {
            name: tuple(moment for moment in sorted(moments) if moment >= start)
            for name, moments in one.items()
        }
        for key, one in found.items()
    }


def with_old_kills(
    workloads: Mapping[WorkloadKey, WorkloadUsage], kills: Kills
) -> dict[WorkloadKey, WorkloadUsage]:
    """The histories with these kills added to their containers' own."""
    return {key: _with(usage, kills[key]) if key in kills else usage for key, usage in workloads.items()}


def _with(usage: WorkloadUsage, kills: Mapping[str, tuple[datetime, ...]]) -> WorkloadUsage:
    containers = tuple(
        replace(
            item,
            oom_times=(*kills.get(item.name, ()), *item.oom_times),
            oom_kills=item.oom_kills + len(kills.get(item.name, ())),
        )
        for item in usage.containers
    )
    return replace(usage, containers=containers)


def _owners(
    api: PrometheusApi, scope: Scope, layout: Layout, pods: list[tuple[str, str]], span: Span
) -> Owners:
    """What owned these pods, which may be long gone."""
    seconds = int((span.end - span.start).total_seconds())
    names = sorted({pod for _, pod in pods if is_kubernetes_name(pod)})
    vectors = []
    for prefix in layout.state:
        named = (matcher(f"{prefix}pod", *names),) if len(names) <= MOST_NAMES else ()
        selector = scope.series(POD_OWNERS, prefix, CONTROLS, *named)
        labels = ", ".join((f"{prefix}namespace", f"{prefix}pod", "owner_kind", "owner_name"))
        vectors.append(tagged(POD_OWNERS, f"group by ({labels}) (last_over_time({selector}[{seconds}s]))"))
    samples = api.instant(any_of(vectors), at=span.end)
    rows = [RangeSeries(own_labels(sample.labels), np.ones(1)) for sample in samples]
    owners = pod_owners({POD_OWNERS: rows})
    return with_replicasets(api, scope, layout, owners, end=span.end, seconds=seconds)
