"""A Prometheus that knows three days of one Deployment, up to now, and one that does not work."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from urllib.request import urlopen

import numpy as np

from tests.prometheus_server import Written

SCRAPE = 60
STEP = 300
PODS = 3
DAY = 86_400
PEAK = 700 * 2**20
"""Bytes, at noon; 300 MiB at other times."""
CORE_HOUR, GIB_HOUR = 0.04, 0.005
"""What the node costs."""


def history(days: int = 3) -> Iterator[Written]:
    """`shop/api`: three pods of 0.2 cores, whose memory peaks at noon; and the node they run on.

    It goes on for some hours, since the tests take a while.
    """
    now = int(time.time())
    times = np.arange(now - days * DAY, now + DAY // 8, SCRAPE)
    noon = (times % DAY >= 12 * 3600) & (times % DAY < 13 * 3600)
    memory = np.where(noon, float(PEAK), 300.0 * 2**20)
    cpu = (times - times[0]) * 0.2
    for number in range(PODS):
        pod = {"namespace": "shop", "pod": f"api-1-{number}"}
        app = {**pod, "container": "app", "job": "kubelet"}
        yield Written("container_cpu_usage_seconds_total", app, times, cpu)
        yield Written("container_memory_working_set_bytes", app, times, memory)
        for metric, labels, value in _of_state(pod):
            yield Written(metric, {**labels, "job": "ksm"}, times, np.full(times.size, value))
    for metric, labels, value in _of_cluster():
        yield Written(metric, {**labels, "job": "ksm"}, times, np.full(times.size, value))


def _of_state(pod: Mapping[str, str]) -> Iterator[tuple[str, Mapping[str, str], float]]:
    owner = {"owner_kind": "ReplicaSet", "owner_name": "api-1", "owner_is_controller": "true"}
    yield "kube_pod_owner", {**pod, **owner}, 1.0
    yield "kube_pod_status_phase", {**pod, "phase": "Running"}, 1.0
    for resource, value in (("cpu", 0.5), ("memory", 512.0 * 2**20)):
        requested = {**pod, "container": "app", "node": "n1", "resource": resource}
        yield "kube_pod_container_resource_requests", requested, value


def _of_cluster() -> Iterator[tuple[str, Mapping[str, str], float]]:
    shop, node = {"namespace": "shop"}, {"node": "n1"}
    owner = {"owner_kind": "Deployment", "owner_name": "api", "owner_is_controller": "true"}
    yield "kube_replicaset_owner", {**shop, "replicaset": "api-1", **owner}, 1.0
    yield "kube_deployment_created", {**shop, "deployment": "api"}, 1.0
    yield "kube_node_info", node, 1.0
    yield "kube_node_labels", {**node, "label_kubernetes_io_arch": "amd64"}, 1.0
    for resource, value in (("cpu", 4.0), ("memory", 16.0 * 2**30), ("pods", 110.0)):
        yield "kube_node_status_allocatable", {**node, "resource": resource}, value
    for resource, price in (("cpu", CORE_HOUR), ("ram", GIB_HOUR), ("gpu", 0.0)):
        yield f"node_{resource}_hourly_cost", node, price
    yield "node_total_hourly_cost", node, 4 * CORE_HOUR + 16 * GIB_HOUR


def bytes_answered(url: str) -> int:
    """How much this Prometheus has answered to queries over time, as it counts it itself."""
    with urlopen(f"{url}/metrics", timeout=10) as answer:  # noqa: S310 - loopback
        text = answer.read().decode()
    counts = re.findall(
        r'^prometheus_http_response_size_bytes_sum\{handler="/api/v1/query_range"\} (\S+)', text, re.MULTILINE
    )
    return int(sum(map(float, counts)))


def same_window() -> None:
    """Wait for a new step where this one is almost over: what is compared must look back from one moment."""
    left = STEP - time.time() % STEP
    if left < 60:
        time.sleep(left + 0.1)


@contextmanager
def answering(status: int, body: bytes, content_type: str) -> Iterator[str]:
    """The URL of a server that gives everybody this answer."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            self.do_GET()

        def log_message(self, *_arguments: object) -> None:
            """Nothing is printed."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
