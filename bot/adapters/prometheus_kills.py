"""When containers ran out of memory."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from bot.adapters.prometheus_api import RangeSeries
from bot.adapters.prometheus_queries import Scope, Span, own_labels, tagged
from estimators.usage import observed

_TIME = "kube_pod_container_status_last_terminated_timestamp"
_LAST_REASON = "kube_pod_container_status_last_terminated_reason"
_REASON = "kube_pod_container_status_terminated_reason"
"""Of a container that is not restarted, as those of Jobs."""


def kill_vectors(scope: Scope, prefix: str) -> Iterator[str]:
    """Tagged vectors of the containers whose end was an OOM kill: its time, and that it is known."""
    oom = 'reason="OOMKilled"'
    last = f"({scope.series(_LAST_REASON, prefix, oom)} == 1)"
    place = ", ".join(f"{prefix}{label}" for label in ("namespace", "pod", "container"))
    yield tagged(_TIME, f"{scope.series(_TIME, prefix)} and on ({place}) {last}")
    yield tagged(_LAST_REASON, last)
    yield tagged(_REASON, f"{scope.series(_REASON, prefix, oom)} == 1")


def kill_times(
    rows: Mapping[str, Sequence[RangeSeries]], span: Span, scraped: NDArray[np.bool_]
) -> dict[tuple[str, str, str], list[int]]:
    """Unix seconds of the OOM kills within the span, by container, each once.

    The reason stays until the next restart, so a kill is its timestamp. Where kube-state-metrics
    has none, it is the step in which the reason appeared, if the step before was `scraped`; rows
    and `scraped` begin a step before the span.
    """
    found: dict[tuple[str, str, str], set[int]] = defaultdict(set)
    timed = set()
    # Of one pod alone: a new kube-state-metrics tells the old reason as a new series.
    told: dict[tuple[tuple[str, str, str], str], NDArray[np.bool_]] = {}
    for row in rows.get(_TIME, ()):
        timed.add(place := _place(row))
        found[place].update(int(time) for time in set(observed(row.values).tolist()) if span.holds(time))
    for row in (*rows.get(_LAST_REASON, ()), *rows.get(_REASON, ())):
        pod, there = (_place(row), row.labels.get("uid", "")), ~np.isnan(row.values)
        told[pod] = told[pod] | there if pod in told else there
    for (place, _), there in told.items():
        first = int(np.argmax(there))
        if place not in timed and there.any() and first > 0 and scraped[first - 1]:
            found[place].add(int(span.at(first - 1).timestamp()))
    return {place: sorted(times) for place, times in found.items() if times}


def _place(row: RangeSeries) -> tuple[str, str, str]:
    own = own_labels(row.labels)
    return own.get("namespace", ""), own.get("pod", ""), own.get("container", "")
