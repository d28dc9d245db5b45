"""What a week's allocation costs a real Prometheus, beside the plan of queries that OpenCost sends for the same.

Run by hand: `python -m tests.benchmarks.bench_allocation [FOLDER]`. The cluster of
`tests.simulated_cluster` (100 nodes, 3,000 pods, 60 s between scrapes) is written once into FOLDER.
The server reads every block once beforehand. All ratios are of one run.

OpenCost's plan (opencost/opencost, pkg/costmodel/allocation.go and allocation_helpers.go): for every
day the pods by a subquery of 5 minutes, then 45 queries over the day, five at a time. Network bytes
are not in the simulation, which spares OpenCost two reads of every pod.
"""

from __future__ import annotations

import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.adapters.prometheus_allocation import read_hours
from bot.adapters.prometheus_api import PrometheusApi
from estimators.allocate import allocate
from estimators.allocation import HourCost
from estimators.prices import BUILT_IN
from tests.allocation_past import BEGIN, GIB, Town
from tests.benchmarks.bench_utilisation import HEAD, Cost, Request, bare, timed
from tests.prometheus_blocks import write_blocks
from tests.prometheus_server import Written, serving
from tests.simulated_cluster import REPLICAS, simulated

DAYS = 7
START = datetime(2026, 3, 3, tzinfo=UTC)
END = START + timedelta(days=DAYS)
OPENCOST_WORKERS = 5
_OWN = ("container_memory_allocation_bytes", "container_cpu_allocation", "container_gpu_allocation")


def past(town: Town) -> Iterator[Written]:
    """The cluster, with what OpenCost's exporter adds for its own allocation."""
    yield from town.series()
    for pod in town.pods:
        own = {"job": "opencost", "instance": "oc", "namespace": pod.namespace, "pod": pod.name}
        labels = {**own, "container": "app", "node": pod.node}
        cores = max(pod.requests.get("cpu", 0.0), pod.used[0])
        gib = max(pod.requests.get("memory", 0.0), pod.used[1])
        yield town.flat(_OWN[0], labels, pod.runs, gib * GIB)
        yield town.flat(_OWN[1], labels, pod.runs, cores)
        if gpus := pod.requests.get("nvidia.com/gpu"):
            yield town.flat(_OWN[2], labels, pod.runs, gpus)


def prepared(folder: Path, replicas: int = REPLICAS) -> Path:
    """The storage folder with the history, generated unless it is there."""
    data = folder / f"allocation-100x3000x7x{replicas}"
    if not (data / "done").exists():
        print("generating a week of 100 nodes and 3,000 pods", file=sys.stderr, flush=True)
        write_blocks(data, past(simulated(int((END - BEGIN) / timedelta(hours=1)), replicas)))
        (data / "done").touch()
    return data


def opencost_plan() -> list[Request]:
    """Its queries, for every day of the week."""
    plan: list[Request] = []
    for day in range(DAYS):
        at = {"time": str((START + timedelta(days=day + 1)).timestamp())}
        plan += [("query", {"query": query, **at}) for query in opencost_queries()]
    return plan


def opencost_queries() -> Iterator[str]:
    """Those of one day."""
    ran = 'container!="",container!="POD"'
    on_node, used = f'{ran},node!=""', f'{ran},container_name!="POD"'
    by_node = "by (container, pod, namespace, node, cluster_id)"
    by_use = "by (container_name, container, pod_name, pod, namespace, instance, cluster_id)"
    cpu, memory = "container_cpu_usage_seconds_total", "container_memory_working_set_bytes"
    requests = "kube_pod_container_resource_requests"
    yield "avg(kube_pod_container_status_running{} != 0) by (pod, namespace, cluster_id)[1d:5m]"
    for metric in _OWN:
        yield f"avg(avg_over_time({metric}{{{on_node}}}[1d])) {by_node}"
    for name in ("memory", "cpu", "nvidia_com_gpu"):
        yield f'avg(avg_over_time({requests}{{resource="{name}",{on_node}}}[1d])) {by_node}'
    yield f"avg(avg_over_time({memory}{{{used}}}[1d])) {by_use}"
    yield f"max(max_over_time({memory}{{{used}}}[1d])) {by_use}"
    yield f"avg(rate({cpu}{{{used}}}[1d])) {by_use}"
    yield f"max(max_over_time(kubecost_container_cpu_usage_irate{{}}[1d])) {by_use}"
    yield f"max(max_over_time(irate({cpu}{{{ran}}}[10m])[1d:5m])) {by_use}"
    yield 'avg(avg_over_time(DCGM_FI_PROF_GR_ENGINE_ACTIVE{container!=""}[1d])) by (container, pod, namespace)'
    for part in ("cpu", "ram", "gpu"):
        yield f"avg(avg_over_time(node_{part}_hourly_cost[1d])) by (node, cluster_id, instance_type, provider_id)"
    yield "avg_over_time(kubecost_node_is_spot[1d])"
    yield from _opencost_volumes()
    yield from _opencost_network()
    for labels in (
        "node_labels",
        "namespace_labels",
        "namespace_annotations",
        "pod_labels",
        "pod_annotations",
    ):
        yield f"avg_over_time(kube_{labels}[1d])"
    for labels in ("service_selector_labels", "deployment_match_labels", "statefulSet_match_labels"):
        yield f"avg_over_time({labels}[1d])"
    for kind in ("DaemonSet", "Job", "ReplicaSet"):
        yield (
            f'sum(avg_over_time(kube_pod_owner{{owner_kind="{kind}"}}[1d])) '
            "by (pod, owner_name, namespace, cluster_id)"
        )
    for kind in ("<none>", "Rollout"):
        yield f'avg(avg_over_time(kube_replicaset_owner{{owner_kind="{kind}"}}[1d])) by (replicaset, namespace)'
    yield "avg(avg_over_time(kubecost_load_balancer_cost[1d])) by (namespace, service_name, ingress_ip)"
    yield "count(kubecost_load_balancer_cost) by (namespace, service_name, cluster_id)[1d:5m]"


def _opencost_volumes() -> Iterator[str]:
    claim = "persistentvolumeclaim, namespace, cluster_id"
    yield (
        'avg(kube_persistentvolumeclaim_info{volumename!=""}) '
        f"by (storageclass, volumename, {claim})[1d:5m]"
    )
    yield f"avg(avg_over_time(pod_pvc_allocation[1d])) by (persistentvolume, pod, {claim})"
    metric = "kube_persistentvolumeclaim_resource_requests_storage_bytes"
    yield f"avg(avg_over_time({metric}[1d])) by ({claim})"
    yield "count(kube_persistentvolume_capacity_bytes) by (persistentvolume, cluster_id)[1d:5m]"
    yield "avg(avg_over_time(kube_persistentvolume_capacity_bytes[1d])) by (persistentvolume, cluster_id)"
    yield "avg(avg_over_time(pv_hourly_cost[1d])) by (volumename, cluster_id)"
    yield "avg(avg_over_time(kubecost_pv_info[1d])) by (cluster_id, persistentvolume, provider_id)"


def _opencost_network() -> Iterator[str]:
    for reach in (
        'internet="false",same_region="true"',
        'internet="false",same_region="false"',
        'internet="true"',
    ):
        yield f"sum(increase(kubecost_pod_network_egress_bytes_total{{{reach}}}[1d])) by (pod_name, namespace)"
    for reach in ("zone", "region", "internet"):
        yield f"avg(avg_over_time(kubecost_network_{reach}_egress_cost[1d])) by (cluster_id)"
    for way in ("receive", "transmit"):
        yield f'sum(increase(container_network_{way}_bytes_total{{pod!=""}}[1d])) by (pod_name, pod, namespace)'


def ours(url: str) -> tuple[Cost, int]:
    """The week, read and charged; and the bill."""
    api = PrometheusApi(url, timeout_seconds=120)
    charged: list[HourCost] = []

    def read() -> None:
        charged.extend(map(allocate, read_hours(api, start=START, end=END, prices=BUILT_IN)))

    seconds, server = timed(url, read)
    api.close()
    assert len(charged) == DAYS * 24
    bill = sum(hour.bill for hour in charged)
    assert bill == sum(hour.tenants + hour.idle + hour.control_plane for hour in charged)
    counters = api.counters
    cost = Cost(seconds, server, counters.requests, counters.samples_processed, counters.peak_samples)
    return cost, bill


def ratios(name: str, theirs: Cost, cost: Cost) -> None:
    """How many times more theirs took."""
    print(
        f"{name}: {theirs.samples / cost.samples:.1f} times the samples, "
        f"{theirs.queries / cost.queries:.1f} times the queries, {theirs.seconds / cost.seconds:.1f} times "
        f"the time, {theirs.server / cost.server:.1f} times the server's CPU"
    )


def theirs(url: str, plan: Sequence[Request]) -> Cost:
    """OpenCost's queries, sent and decoded, nothing else."""
    return bare(url, plan, OPENCOST_WORKERS)


def main() -> None:
    """Measure and print."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(tempfile.gettempdir()) / "tuppence-benchmarks"
    with serving(prepared(folder)) as url:
        query = f'count(last_over_time({{__name__=~".+"}}[{DAYS}d]))'
        bare(url, [("query", {"query": query, "time": str(END.timestamp())})], 1)
        print(f"100 nodes, 3,000 pods, {DAYS} d at 60 s; load {os.getloadavg()[0]:.1f}\n{HEAD}")
        began = time.process_time()
        cost, bill = ours(url)
        own = time.process_time() - began
        print(cost.line("ours, cold, read and charged"))
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        plan = opencost_plan()
        whole = theirs(url, plan)
        print(whole.line("OpenCost's plan"))
        without = theirs(url, [one for one in plan if not any(own in one[1]["query"] for own in _OWN)])
        print(without.line("the same without its own exporter's metrics"))
        ratios("OpenCost's plan", whole, cost)
        ratios("without its own metrics", without, cost)
        print(f"the week's bill: {bill / 10**9:,.2f}; the reader took {own:.1f} s of CPU and {peak} MB")


if __name__ == "__main__":
    main()
