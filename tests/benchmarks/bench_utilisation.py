"""What utilisation costs a real Prometheus, beside the plan of queries that KRR sends for the same.

Run by hand: `python -m tests.benchmarks.bench_utilisation [FOLDER]`. The history is generated once
into FOLDER (0.5 GB, ten minutes). All ratios are of one run; server CPU hardly depends on other load.

KRR's plan (robusta-dev/krr, strategies/simple.py and metrics/*.py): for each workload a percentile
of CPU and a maximum of memory by subqueries of 75 s over 14 days, and the number of points of each;
six at a time. Before that, the workload's pods by three more queries, which are timed apart.
"""

from __future__ import annotations

import json
import os
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import requests

from bot.adapters.prometheus_api import MAX_POINTS, PrometheusApi, RangeSeries, Sample
from bot.adapters.prometheus_usage import AT_ONCE, read_usage
from bot.adapters.sketch_store import SketchStore
from estimators.usage import Window
from tests.prometheus_server import Written, backfill, serving

BEGIN = datetime(2026, 3, 2, tzinfo=UTC)
SCRAPE = 30
KRR_WORKERS = 6
RUNS = 3
HEAD = f"{'':44}{'time':>11}{'server CPU':>11}{'queries':>9}{'samples':>16}{'held':>12}"

Request = tuple[str, Mapping[str, str]]
"""The end of an API's path, and its form."""


@dataclass(frozen=True, slots=True)
class Size:
    """A history: Deployments per namespace and pods (of one container) per Deployment."""

    name: str
    namespaces: int
    deployments: int
    pods: int
    days: int

    @property
    def window(self) -> Window:
        """All of it."""
        return Window(BEGIN, BEGIN + timedelta(days=self.days), 300)

    def places(self) -> Iterator[tuple[str, str, str, str]]:
        """Namespace, Deployment, ReplicaSet and pod of each pod."""
        for space in range(self.namespaces):
            for number in range(self.deployments):
                for pod in range(self.pods):
                    name = f"w{number:02d}"
                    yield f"bench-{space}", name, f"{name}-5d8f7", f"{name}-5d8f7-{pod:04d}"


ONE = Size("one namespace of 500 containers", namespaces=1, deployments=50, pods=10, days=14)
MANY = Size("1,000 workloads in 20 namespaces", namespaces=20, deployments=50, pods=1, days=3)


def a_day(size: Size, day: int) -> Iterator[Written]:
    """What is scraped on one day: busy in the afternoon, with noise; ten old ReplicaSets a Deployment."""
    random = np.random.default_rng(day)
    times = np.arange(day * 86_400, (day + 1) * 86_400, SCRAPE) + int(BEGIN.timestamp())
    hour = np.arange(times.size) * SCRAPE / 86_400
    once = np.ones(times.size)
    state = {"job": "kube-state-metrics", "instance": "10.0.0.9:8080"}
    owned = {"owner_is_controller": "true"}
    for index, (namespace, deployment, replicaset, pod) in enumerate(size.places()):
        own = {"namespace": namespace, "pod": pod}
        node = {"node": f"n{index % 10}", "job": "kubelet", "metrics_path": "/metrics/cadvisor"}
        labels = {**own, "container": "app", **node, "id": f"/kubepods/{index}", "image": "app:1"}
        cores = 0.05 + 0.2 * (1 + np.sin(2 * np.pi * (hour + index / 500))) * (
            0.5 + random.random(times.size)
        )
        used = np.round(np.cumsum(cores * SCRAPE) + day * 30_000, 6)
        memory = 2e8 + 1e8 * np.sin(2 * np.pi * hour) + 2e7 * random.random(times.size)
        periods = np.cumsum(once * 10 * SCRAPE) + day * 864_000
        yield Written("container_cpu_usage_seconds_total", {**labels, "cpu": "total"}, times, used)
        yield Written("container_memory_working_set_bytes", labels, times, np.rint(memory / 4096) * 4096)
        yield Written("container_cpu_cfs_periods_total", labels, times, periods)
        yield Written("container_cpu_cfs_throttled_periods_total", labels, times, np.rint(periods / 30))
        owner = {"owner_kind": "ReplicaSet", "owner_name": replicaset, **owned}
        yield Written("kube_pod_owner", {**state, **own, **owner}, times, once)
        yield Written("kube_pod_status_phase", {**state, **own, "phase": "Running"}, times, once)
        if pod.endswith("-0000"):
            owner = {"owner_kind": "Deployment", "owner_name": deployment, **owned, "namespace": namespace}
            for name in (replicaset, *(f"{deployment}-old{number}" for number in range(10))):
                yield Written("kube_replicaset_owner", {**state, **owner, "replicaset": name}, times, once)
    for number in range(10):
        yield Written("kube_node_info", {**state, "node": f"n{number}"}, times, once)


def prepared(folder: Path, size: Size) -> Path:
    """The storage folder with the history, generated unless it is there."""
    data = folder / f"{size.namespaces}x{size.deployments}x{size.pods}x{size.days}"
    done = data / "days-done"
    first = int(done.read_text()) if done.exists() else 0
    for day in range(first, size.days):
        print(f"generating day {day + 1} of {size.days}: {size.name}", file=sys.stderr, flush=True)
        backfill(data, a_day(size, day))
        done.write_text(str(day + 1))
    return data


class Recorder(PrometheusApi):
    """Remembers every request, to send it again bare."""

    def __init__(self, url: str) -> None:
        super().__init__(url, timeout_seconds=300)
        self.sent: list[Request] = []

    def instant(self, query: str, *, at: datetime) -> list[Sample]:
        """As asked."""
        self.sent.append(("query", {"query": query, "time": str(at.timestamp())}))
        return super().instant(query, at=at)

    def range(
        self, query: str, *, start: datetime, end: datetime, step_seconds: int, most_points: int = MAX_POINTS
    ) -> list[RangeSeries]:
        """As asked; a range that is asked in parts comes back here for each of them."""
        points = int((end - start).total_seconds()) // step_seconds + 1
        times = {"start": str(start.timestamp()), "end": str(end.timestamp()), "step": str(step_seconds)}
        if points <= min(most_points, MAX_POINTS):
            self.sent.append(("query_range", {"query": query, **times}))
        return super().range(query, start=start, end=end, step_seconds=step_seconds, most_points=most_points)


@dataclass(frozen=True, slots=True)
class Cost:
    """What something took: seconds, CPU seconds of the server, queries, samples processed and held."""

    seconds: float
    server: float
    queries: int
    samples: int
    peak: int

    def line(self, name: str) -> str:
        """For the table."""
        return (
            f"{name:44}{self.seconds:9.2f} s{self.server:9.2f} s{self.queries:9,}"
            f"{self.samples:16,}{self.peak:12,}"
        )


def bare(url: str, sent: Sequence[Request], workers: int) -> Cost:
    """Send requests and decode the answers, nothing else."""
    session = requests.Session()
    session.headers["Accept-Encoding"] = "identity"
    stats: list[Mapping[str, int]] = []

    def send(request: Request) -> None:
        path, form = request
        answer = session.post(f"{url}/api/v1/{path}", data={**form, "stats": "all"}, timeout=600)
        answer.raise_for_status()
        stats.append(json.loads(answer.content)["data"]["stats"]["samples"])

    def send_all() -> None:
        with ThreadPoolExecutor(workers) as pool:
            list(pool.map(send, sent))

    seconds, server = timed(url, send_all)
    session.close()
    total = sum(one["totalQueryableSamples"] for one in stats)
    return Cost(seconds, server, len(sent), total, max(one["peakSamples"] for one in stats))


def ours(url: str, size: Size, store: SketchStore) -> tuple[Cost, Recorder]:
    """`read_usage` on every namespace of a history."""
    api = Recorder(url)
    namespaces = {place[0] for place in size.places()}
    found = []

    def read() -> None:
        found.append(read_usage(api, namespaces=namespaces, window=size.window, store=store))

    seconds, server = timed(url, read)
    api.close()
    assert len(found[0].workloads) == size.namespaces * size.deployments, found[0].partial
    counters = api.counters
    cost = Cost(seconds, server, counters.requests, counters.samples_processed, counters.peak_samples)
    return cost, api


def timed(url: str, work: Callable[[], None]) -> tuple[float, float]:
    """Seconds, and CPU seconds of the server."""
    used, began = _server_cpu(url), time.perf_counter()
    work()
    return time.perf_counter() - began, _server_cpu(url) - used


def _server_cpu(url: str) -> float:
    text = requests.get(f"{url}/metrics", timeout=60).text
    found = re.search(r"^process_cpu_seconds_total (\S+)", text, re.MULTILINE)
    return float(found[1]) if found else float("nan")


def krr_plan(size: Size) -> tuple[list[Request], list[Request]]:
    """KRR's queries for every workload: those that find the pods, and those of the strategy."""
    at = {"time": str(size.window.end.timestamp())}
    span = f"{size.days}d"
    pods: dict[tuple[str, str, str], list[str]] = {}
    for namespace, deployment, replicaset, pod in size.places():
        pods.setdefault((namespace, deployment, replicaset), []).append(pod)
    lookups, strategy = [], []
    for (namespace, deployment, replicaset), names in pods.items():
        chosen = f'namespace="{namespace}"'
        any_pod = f'pod=~"{"|".join(names)}"'
        lookups += [
            f'kube_replicaset_owner{{owner_name="{deployment}",owner_kind="Deployment",{chosen}}}[{span}]',
            f'last_over_time(kube_pod_owner{{owner_name=~"{replicaset}",owner_kind="ReplicaSet",{chosen}}}[{span}])',
            f'kube_pod_status_phase{{phase="Running",{any_pod},{chosen}}} == 1',
        ]
        chosen = f'{chosen},{any_pod},container="app"'
        by, steps = "by (container, pod, job)", f"[{span}:75s]"
        cpu, memory = (
            f"{name}{{{chosen}}}"
            for name in ("container_cpu_usage_seconds_total", "container_memory_working_set_bytes")
        )
        strategy += [
            f"quantile_over_time(0.95, max(rate({cpu}[75s])) {by} {steps})",
            f"max_over_time(max({memory}) {by} {steps})",
            f"count_over_time(max({cpu}) {by} {steps})",
            f"count_over_time(max({memory}) {by} {steps})",
        ]
    return [("query", {"query": query, **at}) for query in lookups], [
        ("query", {"query": query, **at}) for query in strategy
    ]


def touch_all(url: str, size: Size) -> None:
    """Have the server read every block once: nobody shall pay for the disk."""
    query = f'count(last_over_time({{__name__=~".+"}}[{size.days}d]))'
    bare(url, [("query", {"query": query, "time": str(size.window.end.timestamp())})], 1)


def middle(costs: Sequence[Cost]) -> Cost:
    """The run that took the middle time."""
    return sorted(costs, key=lambda cost: cost.seconds)[len(costs) // 2]


def beside_krr(url: str, folder: Path) -> None:
    """One namespace: KRR's plan once, ours before and after it; the middle run of ours counts."""
    print(f"{ONE.name}, {ONE.days} d at {SCRAPE} s; load {os.getloadavg()[0]:.1f}\n{HEAD}")
    colds, warms, krr, plan = [], [], [], krr_plan(ONE)
    for run in range(2 * RUNS):
        if run == RUNS:
            krr = [bare(url, part, KRR_WORKERS) for part in plan]
        store = SketchStore(folder / f"usage-{run}.db")
        colds.append(ours(url, ONE, store)[0])
        warms.append(ours(url, ONE, store)[0])
        store.close()
    (lookups, strategy), cold, warm = krr, middle(colds), middle(warms)
    print(strategy.line("KRR's plan, pods known") + "\n" + lookups.line("KRR's search for the pods"))
    print(cold.line("ours, cold") + "\n" + warm.line("ours, warm (the last whole day is new)"))
    whole = strategy.seconds + lookups.seconds
    for name, seconds in (("KRR's plan", strategy.seconds), ("plan and search", whole)):
        print(f"faster than {name}: cold {seconds / cold.seconds:.1f}x, warm {seconds / warm.seconds:.1f}x")
    cpu = strategy.server + lookups.server
    print(f"less server CPU: cold {cpu / cold.server:.1f}x, warm {cpu / warm.server:.1f}x\n")


def beside_bare_queries(url: str, folder: Path) -> None:
    """Many namespaces: ours and the same queries without us, in turns."""
    print(f"{MANY.name}, {MANY.days} d at {SCRAPE} s; load {os.getloadavg()[0]:.1f}\n{HEAD}")
    wholes, queries = [], []
    for run in range(RUNS):
        store = SketchStore(folder / f"usage-{run}.db")
        whole, api = ours(url, MANY, store)
        wholes.append(whole)
        queries.append(bare(url, api.sent, AT_ONCE))
        store.close()
    whole, alone = middle(wholes), middle(queries)
    print(whole.line("ours, cold") + "\n" + alone.line("the same queries, decoded, nothing else"))
    print(f"{whole.seconds / alone.seconds:.2f} times the bare queries")


def main() -> None:
    """Measure and print."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.gettempdir()) / "tuppence-benchmarks"
    for size, compare in ((ONE, beside_krr), (MANY, beside_bare_queries)):
        with serving(prepared(folder, size)) as url, tempfile.TemporaryDirectory() as cache:
            touch_all(url, size)
            compare(url, Path(cache))


if __name__ == "__main__":
    main()
