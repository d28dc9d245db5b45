"""Eight days of a small cluster, scraped every minute, of which everything is known.

Rates change with the 5-minute steps, so that the truth of a step is a formula.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from tests.prometheus_server import Written

BEGIN = datetime(2026, 3, 2, tzinfo=UTC)  # a Monday
DAYS = 8
END = BEGIN + timedelta(days=DAYS)
SCRAPE = 60
LATE = 7
"""Seconds after the full minute at which it scrapes: Prometheus counts both ends of a range."""
STEP = 300
STEPS = DAYS * 86_400 // STEP
MIB = 1024 * 1024

OOM_AT = BEGIN + timedelta(days=3, hours=14, minutes=7, seconds=30)
RENAMED_AT = BEGIN + timedelta(days=4)
RESTARTED_AT = BEGIN + timedelta(days=2, hours=10)
DOWN = (BEGIN + timedelta(days=5, hours=3), BEGIN + timedelta(days=5, hours=4))
"""Prometheus itself was not running."""
MOVED_AT = BEGIN + timedelta(days=6, hours=12)
"""kube-state-metrics and dcgm-exporter were replaced: all that they export are new series from here on."""
NIGHTLY_SECONDS = 420
LONELY_KILLS = (86_400 + 3600, 3 * 86_400 + 7200)
"""Seconds after BEGIN; without kube-state-metrics cAdvisor alone counts them."""

Curve = Callable[[NDArray[np.int64]], NDArray[np.float64]]
"""A value for each step number."""


def api_cores(step: NDArray[np.int64]) -> NDArray[np.float64]:
    """CPU of one `api` pod: 0.1 cores, 0.4 from noon to six, twice that on Saturday."""
    second = step * STEP
    busy = (second % 86_400 >= 12 * 3600) & (second % 86_400 < 18 * 3600)
    saturday = (second // 86_400) % 7 == 5
    return np.where(busy, np.where(saturday, 0.8, 0.4), 0.1)


def api_replicas(step: NDArray[np.int64]) -> NDArray[np.float64]:
    """Its autoscaler: 2 pods, 4 while it is busy."""
    return np.where(api_cores(step) > 0.1, 4.0, 2.0)


def api_bytes(step: NDArray[np.int64]) -> NDArray[np.float64]:
    """Its memory: 100 MiB, and 300 MiB at one step of the Thursday."""
    return np.where(step == 3 * 288 + 100, 300.0 * MIB, 100.0 * MIB)


def steady(value: float) -> Curve:
    """The same at every step."""
    return lambda step: np.full(step.size, value)


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod from `born` to `died` (seconds after BEGIN)."""

    namespace: str
    name: str
    owner: tuple[str, str]
    cores: Curve
    memory: Curve
    born: int = 0
    died: int = DAYS * 86_400
    throttled: float = 0.0
    restarted: int | None = None
    jobs: tuple[str, ...] = ("kubelet",)
    labels: Mapping[str, str] = field(default_factory=dict)
    renamed: bool = False
    """Whether Prometheus had to rename its labels to `exported_*`."""
    known_to_state_metrics: bool = True

    def series(self) -> Iterator[Written]:
        """What cAdvisor and kube-state-metrics say of it."""
        times = scrapes(self.born, self.died)
        for job in self.jobs:
            yield from self._cadvisor(times, job)
        if self.known_to_state_metrics:
            kind, name = self.owner
            owner = {"owner_kind": kind, "owner_name": name, "owner_is_controller": "true"}
            yield flat("kube_pod_owner", self._place("kube-state-metrics") | owner, times, 1)

    def _place(self, job: str, **more: str) -> dict[str, str]:
        own = {"namespace": self.namespace, "pod": self.name, **more}
        if self.renamed:
            own = {f"exported_{name}": value for name, value in own.items()}
            own |= {"namespace": "monitoring", "pod": "exporter-0"}
        return {**own, "job": job, **self.labels}

    def _cadvisor(self, times: NDArray[np.int64], job: str) -> Iterator[Written]:
        place = self._place(job, container="app")
        step = (times - int(BEGIN.timestamp())) // STEP
        increase = self.cores(step) * np.diff(times, prepend=times[0])
        life = np.zeros(times.size, dtype=np.int64)
        if self.restarted is not None:
            life = (times >= BEGIN.timestamp() + self.restarted).astype(np.int64)
        for run in np.unique(life):
            chosen = life == run
            part = np.cumsum(increase[chosen])
            labels = {**place, "id": f"/kubepods/{self.name}/{run}", "cpu": "total"}
            yield Written("container_cpu_usage_seconds_total", labels, times[chosen], np.round(part, 6))
        yield Written("container_memory_working_set_bytes", place, times, self.memory(step))
        # The pod's own sum and its pause container: whoever adds these up counts everything twice.
        for container in ("", "POD"):
            labels = self._place(job, container=container)
            yield flat("container_memory_working_set_bytes", labels, times, 1e12)
        if not self.known_to_state_metrics:
            kills = np.searchsorted(LONELY_KILLS, times - int(BEGIN.timestamp())).astype(np.float64)
            yield Written("container_oom_events_total", place, times, kills)
        if self.throttled:
            ticks = np.arange(times.size, dtype=np.float64) * SCRAPE * 10
            yield Written("container_cpu_cfs_periods_total", place, times, ticks)
            yield Written("container_cpu_cfs_throttled_periods_total", place, times, ticks * self.throttled)


def scrapes(born: int = 0, died: int = DAYS * 86_400) -> NDArray[np.int64]:
    """The times of the scrapes within a life, but for those that Prometheus missed."""
    begin = int(BEGIN.timestamp())
    times = np.arange(begin + LATE, begin + DAYS * 86_400 + LATE, SCRAPE)
    down = (times >= DOWN[0].timestamp()) & (times < DOWN[1].timestamp())
    return times[(times >= begin + born) & (times <= begin + died) & ~down]


def flat(metric: str, labels: Mapping[str, str], times: NDArray[np.int64], value: float) -> Written:
    """A series that never changes."""
    return Written(metric, labels, times, np.full(times.size, float(value)))


def moved(
    metric: str, labels: Mapping[str, str], value: float, *, born: int = 0, died: int = DAYS * 86_400
) -> Iterator[Written]:
    """A series that never changes, of an exporter that was replaced meanwhile."""
    cut = int((MOVED_AT - BEGIN).total_seconds())
    yield flat(metric, {**labels, "instance": "before"}, scrapes(born, min(died, cut - SCRAPE)), value)
    if died >= cut:
        yield flat(metric, {**labels, "instance": "after"}, scrapes(max(born, cut), died), value)


def past() -> Iterator[Written]:
    """Everything that happened."""
    for pod in _pods():
        yield from pod.series()
    yield from _owners()
    yield from _kills()
    yield from _autoscaler_and_slo()
    yield from _gpus()
    yield from _nightly_runs()
    rule = "node_namespace_pod_container:container_cpu_usage_seconds_total:sum_rate5m"
    for namespace in ("ruled", "half-ruled"):  # 0.6 instead of 0.5, to tell who was asked
        yield flat(rule, {"namespace": namespace, "pod": "a", "container": "app"}, scrapes(), 0.6)
    yield flat("kube_node_info", {"node": "n1", "job": "kube-state-metrics"}, scrapes(), 1)


def _pods() -> Iterator[Pod]:
    day = 86_400
    twice = ("kubelet", "kubelet-again")
    for number in range(2):
        restarted = int((RESTARTED_AT - BEGIN).total_seconds()) if number == 0 else None
        yield Pod(
            "shop", f"api-1-{number}", ("ReplicaSet", "api-1"), api_cores, api_bytes,
            throttled=0.3, restarted=restarted, jobs=twice,
        )  # fmt: skip
    for number in range(DAYS):
        for extra in ("x", "y"):
            yield Pod(
                "shop", f"api-1-{extra}{number}", ("ReplicaSet", "api-1"), api_cores, api_bytes,
                born=number * day + 12 * 3600, died=number * day + 18 * 3600 + 120, throttled=0.3, jobs=twice,
            )  # fmt: skip
    renamed = int((RENAMED_AT - BEGIN).total_seconds())
    yield Pod(
        "shop", "old-1-a", ("ReplicaSet", "old-1"), steady(0.2), steady(64.0 * MIB), died=renamed - SCRAPE
    )
    yield Pod("shop", "new-1-a", ("ReplicaSet", "new-1"), steady(0.3), steady(64.0 * MIB), born=renamed)
    yield Pod("shop", "db-0", ("StatefulSet", "db"), steady(1.0), steady(500.0 * MIB))
    yield Pod("shop", "debug", ("<none>", "<none>"), steady(0.01), steady(MIB))
    for number in range(DAYS):
        born = number * day + 2 * 3600
        yield Pod(
            "shop", f"nightly-{number}-z", ("Job", f"nightly-{number}"), steady(0.5), steady(32.0 * MIB),
            born=born, died=born + NIGHTLY_SECONDS,
        )  # fmt: skip
    yield Pod("legacy", "web-1-a", ("ReplicaSet", "web-1"), steady(0.7), steady(MIB * 10.0), renamed=True)
    yield Pod(
        "unowned", "lonely-1-a", ("", ""), steady(0.5), steady(MIB * 5.0),
        jobs=twice, known_to_state_metrics=False,
    )  # fmt: skip
    for cluster in ("east", "west"):
        yield Pod(
            "twins", "web-1-a", ("StatefulSet", "web"), steady(0.5), steady(MIB * 5.0),
            died=6 * day, labels={"cluster": cluster},
        )  # fmt: skip
    for namespace, pods in (("ruled", ("a",)), ("half-ruled", ("a", "b"))):
        for name in pods:
            yield Pod(namespace, name, ("StatefulSet", "it"), steady(0.5), steady(MIB * 5.0))
    late = (DAYS * 86_400) - 2 * 3600
    for namespace, count in (("few", 2), ("many", 40)):
        for number in range(count):
            yield Pod(
                namespace, f"w{number}-0", ("StatefulSet", f"w{number}"), steady(0.5), steady(MIB * 5.0), born=late
            )  # fmt: skip


def _owners() -> Iterator[Written]:
    renamed = int((RENAMED_AT - BEGIN).total_seconds())
    for replicaset, deployment, born, died in (
        ("api-1", "api", 0, DAYS * 86_400),
        ("old-1", "old-name", 0, renamed - SCRAPE),
        ("new-1", "new-name", renamed, DAYS * 86_400),
    ):
        labels = {"namespace": "shop", "replicaset": replicaset, "job": "kube-state-metrics"}
        labels |= {"owner_kind": "Deployment", "owner_name": deployment, "owner_is_controller": "true"}
        yield flat("kube_replicaset_owner", labels, scrapes(born, died), 1)
    legacy = {"exported_namespace": "legacy", "namespace": "monitoring", "replicaset": "web-1"}
    owner = {"owner_kind": "Deployment", "owner_name": "web", "owner_is_controller": "true"}
    yield flat("kube_replicaset_owner", {**legacy, **owner, "job": "ksm"}, scrapes(), 1)


def _kills() -> Iterator[Written]:
    place = {"namespace": "shop", "pod": "db-0", "container": "app", "job": "kube-state-metrics"}
    after = scrapes(int((OOM_AT - BEGIN).total_seconds()))
    reason, timestamp = (
        f"kube_pod_container_status_last_terminated_{what}" for what in ("reason", "timestamp")
    )
    yield flat(reason, {**place, "reason": "OOMKilled"}, after, 1)
    yield flat(timestamp, place, after, OOM_AT.timestamp())
    # Killed before the window: the reason is still there all the time.
    earlier = {**place, "pod": "debug"}
    yield flat(reason, {**earlier, "reason": "OOMKilled"}, scrapes(), 1)
    yield flat(timestamp, earlier, scrapes(), (BEGIN - timedelta(days=9)).timestamp())
    # No timestamp: kube-state-metrics is old.
    yield from moved(reason, {**place, "pod": "new-1-a", "reason": "OOMKilled"}, 1, born=6 * 86_400)


def _autoscaler_and_slo() -> Iterator[Written]:
    hpa = {"namespace": "shop", "horizontalpodautoscaler": "api", "job": "kube-state-metrics"}
    target = {"scaletargetref_kind": "Deployment", "scaletargetref_name": "api"}
    yield flat("kube_horizontalpodautoscaler_info", {**hpa, **target}, scrapes(), 1)
    metric = "kube_horizontalpodautoscaler_status_target_metric"
    for kind, value in (("average", 17.0), ("value", 34.0)):
        yield from moved(metric, {**hpa, "metric_name": "rps", "metric_target_type": kind}, value)
    total = {**hpa, "metric_name": "queue", "metric_target_type": "value"}
    yield flat(metric, total, scrapes(), 900)
    yield flat(metric, {**hpa, "metric_name": "cpu", "metric_target_type": "average"}, scrapes(), 1)
    yield flat("slo:current_burn_rate:ratio", {"sloth_service": "api", "sloth_slo": "ok"}, scrapes(), 3)
    yield flat("requests:burnrate1h", {"slo": "db", "job": "db"}, scrapes(), 0.02)
    yield flat("pyrra_objective", {"slo": "db"}, scrapes(), 0.99)


def _gpus() -> Iterator[Written]:
    for pod, share in (("db-0", 0.25), ("debug", 0.25)):
        labels = {"exported_namespace": "shop", "exported_pod": pod, "UUID": "GPU-1", "job": "dcgm"}
        labels |= {"namespace": "gpu", "pod": "dcgm-exporter-7", "container": "dcgm-exporter"}
        for metric, value in (("PROF_GR_ENGINE_ACTIVE", share), ("DEV_GPU_UTIL", 90), ("DEV_FB_USED", 2048)):
            yield from moved(f"DCGM_FI_{metric}", labels, value)
    # A MIG slice has no profiling metric here, and its utilisation is always 0; a GPU has it since Wednesday.
    ours = {"namespace": "shop", "job": "dcgm"}
    sliced = {**ours, "pod": "api-1-0", "UUID": "GPU-2", "GPU_I_ID": "7"}
    late = {**ours, "pod": "new-1-a", "UUID": "GPU-3"}
    yield flat("DCGM_FI_DEV_GPU_UTIL", sliced, scrapes(), 0)
    yield flat("DCGM_FI_DEV_GPU_UTIL", late, scrapes(4 * 86_400), 50)
    yield flat("DCGM_FI_PROF_GR_ENGINE_ACTIVE", late, scrapes(5 * 86_400 + 12 * 3600), 0.75)


def _nightly_runs() -> Iterator[Written]:
    for number in range(DAYS):
        born = number * 86_400 + 2 * 3600
        died = born + NIGHTLY_SECONDS
        place = {"namespace": "shop", "job": "kube-state-metrics"}
        owner = {"owner_kind": "CronJob", "owner_name": "nightly", "owner_is_controller": "true"}
        pod = {**place, "pod": f"nightly-{number}-z"}
        kept = scrapes(born, died + 3 * 3600)
        yield flat("kube_job_owner", {**place, "job_name": f"nightly-{number}", **owner}, kept, 1)
        yield flat("kube_pod_start_time", pod, kept, BEGIN.timestamp() + born)
        yield flat("kube_pod_completion_time", pod, scrapes(died, died + 3 * 3600), BEGIN.timestamp() + died)
