"""Writes the usage snapshot that `usage_file` reads; docs/usage-snapshot.md describes every key."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from bot.errors import UserError
from estimators.usage import (
    BalancerUsage,
    ClaimUsage,
    ContainerUsage,
    GpuUsage,
    Node,
    Series,
    UsageSnapshot,
    WorkloadUsage,
)

SCHEMA = "tuppence.usage/v1"


def write_snapshot(snapshot: UsageSnapshot, path: Path) -> None:
    """Write `snapshot` so that reading it gives the same snapshot; one workload a line.

    An earlier file stays as it was until the new one is complete. Raises UserError where the file
    cannot be written.
    """
    try:
        with _replacing(path) as stream:
            stream.writelines(_pieces(snapshot))
    except OSError as error:
        raise UserError(f"{path}: cannot be written: {error.strerror or error}") from error


@contextmanager
def _replacing(path: Path) -> Iterator[TextIO]:
    if path.exists() and not path.is_file():  # a pipe or /dev/stdout cannot be replaced
        with path.open("w", encoding="utf-8") as stream:
            yield stream
        return
    unfinished = path.with_name(f".{path.name}.unfinished")
    try:
        with unfinished.open("w", encoding="utf-8") as stream:
            yield stream
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def _pieces(snapshot: UsageSnapshot) -> Iterator[str]:
    """The document in pieces: a whole one would double the memory of a large namespace."""
    window = snapshot.window
    head = {
        "schema": SCHEMA,
        "window": {
            "start": _time(window.start),
            "end": _time(window.end),
            "step_seconds": window.step_seconds,
        },
        "scrape_interval_seconds": snapshot.scrape_interval_seconds,
        "source": snapshot.source,
        "prices_as_of": snapshot.prices_as_of,
        "partial": list(snapshot.partial),
        "requested": _decimals(snapshot.requested),
        "storage_gib_hour": _decimals(snapshot.storage_gib_hour),
    }
    yield "{" + ",\n".join(f"{_json(key)}: {_json(value)}" for key, value in head.items())
    yield from _lines("workloads", map(_workload, snapshot.workloads.values()))
    yield from _lines("nodes", map(_node, snapshot.nodes))
    yield from _lines("objects", snapshot.objects)
    yield from _lines("claims", map(_claim, snapshot.claims))
    yield from _lines("balancers", map(_balancer, snapshot.balancers))
    yield "}\n"


def _lines(key: str, items: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    yield f",\n{_json(key)}: ["
    separator = "\n"
    for item in items:
        yield separator + _json(item)
        separator = ",\n"
    yield "]"


def _json(value: object) -> str:
    return json.dumps(value, default=_plain, separators=(",", ":"))


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"a snapshot holds no {type(value).__name__}")


def _workload(usage: WorkloadUsage) -> dict[str, Any]:
    entry: dict[str, Any] = {
        **usage.key._asdict(),
        "replicas": _series(usage.replicas),
        "containers": [_container(container) for container in usage.containers],
    }
    if usage.gpu is not None:
        entry["gpu"] = _gpu(usage.gpu)
    if usage.runs is not None:
        runs = usage.runs
        entry["runs"] = {"pods": runs.pods, "runs": runs.runs, "pod_seconds": runs.pod_seconds}
    if usage.autoscaler_metrics:
        entry["autoscaler_metrics"] = {name: _series(s) for name, s in usage.autoscaler_metrics.items()}
    if usage.error_budget_burn is not None:
        entry["error_budget_burn"] = usage.error_budget_burn
    return entry


def _container(usage: ContainerUsage) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "name": usage.name,
        "cpu_cores": _series(usage.cpu_cores),
        "memory_peak_bytes": _series(usage.memory_peak_bytes),
        "oom_kills": usage.oom_kills,
        "throttled_ratio": usage.throttled_ratio,
    }
    if usage.oom_times:
        entry["oom_times"] = [_time(moment) for moment in usage.oom_times]
    if usage.cpu_pod_percentiles:
        entry["cpu_pod_percentiles"] = {str(percent): v for percent, v in usage.cpu_pod_percentiles.items()}
    return entry


def _gpu(usage: GpuUsage) -> dict[str, Any]:
    return {
        "busy_ratio": _series(usage.busy_ratio),
        "memory_peak_bytes": _series(usage.memory_peak_bytes),
        "shared": usage.shared,
        "note": usage.note,
    }


def _node(node: Node) -> dict[str, Any]:
    return {
        "name": node.name,
        "labels": node.labels,
        "labels_known": node.labels_known,
        "allocatable": _decimals(node.allocatable),
        "capacity": _decimals(node.capacity),
        "taints": [{"key": taint.key, "value": taint.value, "effect": taint.effect} for taint in node.taints],
        "hourly": _decimals(node.hourly),
    }


def _claim(usage: ClaimUsage) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "namespace": usage.namespace,
        "name": usage.name,
        "mounted": _series(usage.mounted),
        "used_peak_bytes": _series(usage.used_peak_bytes),
    }
    if usage.capacity_bytes is not None:
        entry["capacity_bytes"] = usage.capacity_bytes
    return entry


def _balancer(usage: BalancerUsage) -> dict[str, Any]:
    return {"namespace": usage.namespace, "name": usage.name, "ready": _series(usage.ready)}


def _series(series: Series) -> list[float | None]:
    """One number a step, `null` for a gap; whole numbers without a decimal point."""
    known = np.isfinite(series)
    seen = series[known]
    values: list[float] = series.tolist()
    whole = bool(np.all(seen == np.floor(seen))) and (not seen.size or float(seen.max()) < 2**53)
    if known.all():
        return [int(value) for value in values] if whole else [*values]
    return [
        None if not there else int(value) if whole else value
        for value, there in zip(values, known.tolist(), strict=True)
    ]


def _decimals(amounts: Mapping[str, Decimal]) -> dict[str, str]:
    return {name: f"{amount:f}" for name, amount in amounts.items()}


def _time(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")
