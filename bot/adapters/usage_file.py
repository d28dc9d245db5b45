"""The usage snapshot, `tuppence.usage/v1`: a JSON file that holds what was learnt of a cluster.

docs/usage-snapshot.md describes every key. Reading refuses what would change an answer silently
(a series of the wrong length, a workload given twice) and keeps what can be kept: single values
that cannot be true become gaps, and `partial` says how many.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from bot.adapters import strict_json
from bot.adapters.strict_json import Place
from bot.adapters.usage_writer import SCHEMA, write_snapshot
from estimators.usage import (
    BalancerUsage,
    ClaimUsage,
    ContainerUsage,
    GpuUsage,
    Node,
    RunHistory,
    Series,
    Taint,
    UsageSnapshot,
    Window,
    WorkloadKey,
    WorkloadUsage,
)

__all__ = ["SCHEMA", "read_snapshot", "write_snapshot"]

_MOST_BYTES = 512 * 2**20
_MOST_STEPS = 1_000_000
"""Minutes of almost two years; a longer window is a slip, and a series of gaps for nothing."""
_SCRAPE_INTERVAL = 30
"""Seconds, where the file does not say: what kube-prometheus uses."""
_SERIES = ("cpu_cores", "memory_peak_bytes", "replicas", "busy_ratio")
_NUMBERS = frozenset((float, int, type(None)))
_LARGEST = 10**300

T = TypeVar("T")


def read_snapshot(path: Path) -> UsageSnapshot:
    """The snapshot in `path`; only the keys of the contract need to be there.

    Raises UserError with the file, the JSON path, the value and what was expected instead.
    """
    reader = _Reader()
    root = strict_json.read(
        path,
        most_bytes=_MOST_BYTES,
        too_large="export one --namespace or a shorter --window",
        made_by="tuppence usage export writes a snapshot",
        seal=reader.pack,
    )
    return reader.snapshot(root)


class _Reader:
    """One reading: the length every series must have, and what was left out."""

    def __init__(self) -> None:
        self.gap: Series = np.empty(0)
        self.gap_of_days: Series = np.empty(0)
        self.dropped = 0
        self.first_dropped = ""

    def pack(self, entries: dict[str, Any]) -> None:
        """Turn long lists into arrays while reading: they take a quarter of the memory."""
        for key in _SERIES:
            values = entries.get(key)
            if isinstance(values, list):
                entries[key] = self.array(values)

    def array(self, values: list[Any]) -> Series | list[Any]:
        """The numbers with `null` as NaN, or the list as it came where an item is not a number."""
        if not _NUMBERS.issuperset(map(type, values)):
            return values
        try:
            series: Series = np.array(values, np.float64)
        except OverflowError:
            return values
        self.dropped += int(np.count_nonzero(np.isnan(series))) - values.count(None)
        return series

    def snapshot(self, root: Place) -> UsageSnapshot:
        """The whole document."""
        keys = root.keys(
            "schema", "window", "scrape_interval_seconds", "workloads", "nodes", "objects", "requested",
            "storage_gib_hour", "prices_as_of", "source", "partial", "claims", "balancers",
        )  # fmt: skip
        if keys["schema"].value != SCHEMA:
            keys["schema"].refuse(f'expected "{SCHEMA}", which `tuppence usage export` writes')
        window = _window(keys["window"])
        self.gap = np.full(window.steps, np.nan)
        self.gap.setflags(write=False)
        self.gap_of_days = np.full(window.whole_days, np.nan)
        workloads = _apart(keys["workloads"], self.workload, lambda usage: usage.key)
        interval = keys["scrape_interval_seconds"]
        partial = [item.text() for item in keys["partial"].items()]
        return UsageSnapshot(
            window=window,
            scrape_interval_seconds=_SCRAPE_INTERVAL if interval.value is None else interval.count(least=1),
            workloads={usage.key: usage for usage in workloads},
            nodes=tuple(_apart(keys["nodes"], _node, lambda node: node.name)),
            objects=tuple(item.mapping() for item in keys["objects"].items()),
            requested=_quantities(keys["requested"]),
            storage_gib_hour=_prices(keys["storage_gib_hour"]),
            prices_as_of=keys["prices_as_of"].text(),
            source=root.document.path.name if keys["source"].value is None else keys["source"].text(),
            claims=tuple(_apart(keys["claims"], self.claim, lambda claim: (claim.namespace, claim.name))),
            balancers=tuple(
                _apart(keys["balancers"], self.balancer, lambda item: (item.namespace, item.name))
            ),
            partial=(*partial, *self.remarks(root.document)),
        )

    def workload(self, place: Place) -> WorkloadUsage:
        """One entry of `workloads`."""
        keys = place.keys(
            "namespace", "kind", "name", "replicas", "containers", "gpu", "runs",
            "autoscaler_metrics", "error_budget_burn",
        )  # fmt: skip
        burn = keys["error_budget_burn"]
        return WorkloadUsage(
            key=WorkloadKey(keys["namespace"].text(), keys["kind"].name(), keys["name"].name()),
            replicas=self.series(keys["replicas"]),
            containers=tuple(_apart(keys["containers"], self.container, lambda usage: usage.name)),
            gpu=None if keys["gpu"].value is None else self.gpu(keys["gpu"]),
            runs=None if keys["runs"].value is None else _runs(keys["runs"]),
            autoscaler_metrics={n: self.series(metric) for n, metric in keys["autoscaler_metrics"].entries()},
            error_budget_burn=None if burn.value is None else burn.number(),
        )

    def container(self, place: Place) -> ContainerUsage:
        """One entry of a workload's `containers`."""
        keys = place.keys(
            "name", "cpu_cores", "memory_peak_bytes", "oom_kills", "throttled_ratio", "oom_times",
            "cpu_pod_percentiles",
        )  # fmt: skip
        kills, throttled = keys["oom_kills"], keys["throttled_ratio"]
        return ContainerUsage(
            name=keys["name"].name(),
            cpu_cores=self.series(keys["cpu_cores"]),
            memory_peak_bytes=self.series(keys["memory_peak_bytes"]),
            oom_kills=0 if kills.value is None else kills.count(),
            throttled_ratio=None if throttled.value is None else throttled.ratio(),
            oom_times=tuple(item.time() for item in keys["oom_times"].items()),
            cpu_pod_percentiles={
                _percent(name, value): value.number() for name, value in keys["cpu_pod_percentiles"].entries()
            },
        )

    def gpu(self, place: Place) -> GpuUsage:
        """A workload's `gpu`."""
        keys = place.keys("busy_ratio", "memory_peak_bytes", "shared", "note")
        return GpuUsage(
            busy_ratio=self.series(keys["busy_ratio"], most=1.0),
            memory_peak_bytes=self.series(keys["memory_peak_bytes"]),
            shared=keys["shared"].flag(),
            note=keys["note"].text(),
        )

    def claim(self, place: Place) -> ClaimUsage:
        """One entry of `claims`."""
        keys = place.keys("namespace", "name", "mounted", "used_peak_bytes", "capacity_bytes")
        capacity = keys["capacity_bytes"]
        return ClaimUsage(
            namespace=keys["namespace"].text(),
            name=keys["name"].name(),
            mounted=self.series(keys["mounted"], most=1.0, daily=True),
            used_peak_bytes=self.series(keys["used_peak_bytes"], daily=True),
            capacity_bytes=None if capacity.value is None else capacity.number(),
        )

    def balancer(self, place: Place) -> BalancerUsage:
        """One entry of `balancers`."""
        keys = place.keys("namespace", "name", "ready")
        ready = self.series(keys["ready"], most=1.0, daily=True)
        return BalancerUsage(keys["namespace"].text(), keys["name"].name(), ready)

    def series(self, place: Place, most: float = np.inf, *, daily: bool = False) -> Series:
        """One number a step (or a day), NaN for a gap; what is missing, `null` or `[]` is all gaps."""
        gap, unit = (self.gap_of_days, "day") if daily else (self.gap, "step")
        values = self.array(place.value) if isinstance(place.value, list) else place.value
        if isinstance(values, list):
            next(item for item in place.items() if not _is_number(item.value)).refuse(
                "expected a number, or null for a gap"
            )
        if values is None or (isinstance(values, np.ndarray) and not values.size):
            return gap
        if not isinstance(values, np.ndarray):
            place.refuse(f"expected a list with one number a {unit}")
        if values.size != gap.size:
            place.refuse(
                f"has {values.size} values but the window has {gap.size} {unit}s; null stands for a gap"
            )
        impossible = (values < 0) | np.isinf(values) | (values > most)
        if impossible.any():
            values = np.where(impossible, np.nan, values)
            self.dropped += int(np.count_nonzero(impossible))
            self.first_dropped = self.first_dropped or f", the first in {place.path}"
        return values

    def remarks(self, document: strict_json.Document) -> Iterator[str]:
        """What a person should know about this reading."""
        if self.dropped:
            yield (
                f"{document.path}: {self.dropped} impossible values (negative, infinite, NaN, or a ratio "
                f"above 1) were dropped{self.first_dropped}"
            )
        if document.unknown:
            shown = ", ".join(list(document.unknown)[:5])
            more = f" and {len(document.unknown) - 5} more" if len(document.unknown) > 5 else ""
            yield f"{document.path}: keys this version does not know were ignored: {shown}{more}"


def _apart(places: Place, read: Callable[[Place], T], identity: Callable[[T], Hashable]) -> list[T]:
    """The items of a list, each with an identity of its own."""
    first: dict[Hashable, str] = {}
    found = []
    for place in places.items():
        item = read(place)
        earlier = first.setdefault(identity(item), place.path)
        if earlier != place.path:
            place.refuse(f"is the same as {earlier}; merge them or drop one")
        found.append(item)
    return found


def _is_number(value: object) -> bool:
    return type(value) in _NUMBERS and not (isinstance(value, int) and abs(value) > _LARGEST)


def _window(place: Place) -> Window:
    keys = place.keys("start", "end", "step_seconds")
    window = Window(keys["start"].time(), keys["end"].time(), keys["step_seconds"].count(least=1))
    if window.end <= window.start:
        keys["end"].refuse("expected a time after window.start")
    if not 1 <= window.steps <= _MOST_STEPS:
        keys["step_seconds"].refuse(
            f"gives {window.steps} steps between window.start and window.end; expected 1 to {_MOST_STEPS}"
        )
    return window


def _runs(place: Place) -> RunHistory:
    keys = place.keys("pods", "runs", "pod_seconds")
    return RunHistory(keys["pods"].count(), keys["runs"].count(), keys["pod_seconds"].number())


def _percent(name: str, place: Place) -> int:
    if not (name.isascii() and name.isdigit() and int(name[:4]) <= 100):
        place.refuse("expected a percentile from 0 to 100 as the key")
    return int(name)


def _node(place: Place) -> Node:
    keys = place.keys("name", "labels", "labels_known", "allocatable", "capacity", "taints", "hourly")
    return Node(
        name=keys["name"].name(),
        labels={name: value.text() for name, value in keys["labels"].entries()},
        allocatable=_quantities(keys["allocatable"]),
        capacity=_quantities(keys["capacity"]),
        taints=tuple(_taint(item) for item in keys["taints"].items()),
        hourly=_prices(keys["hourly"]),
        labels_known=keys["labels"].value is not None
        and (keys["labels_known"].value is None or keys["labels_known"].flag()),
    )


def _taint(place: Place) -> Taint:
    keys = place.keys("key", "value", "effect", "timeAdded")
    return Taint(keys["key"].name(), keys["value"].text(), keys["effect"].text())


def _quantities(place: Place) -> dict[str, Decimal]:
    return {name: value.quantity() for name, value in place.entries()}


def _prices(place: Place) -> dict[str, Decimal]:
    return {name: value.price() for name, value in place.entries()}
