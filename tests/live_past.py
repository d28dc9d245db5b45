"""Several clusters in one real Prometheus, each scraped in its own way; `cluster` tells them apart.

`plain` is scraped with honour of the exporter's labels; in `renamed` the target's labels won, and
the exporter's became `exported_*`; `twice` is scraped by two jobs; `restarting` has not been
scraped for seven minutes; `bare` exports no node labels, no prices and no HPA targets; `changing`
lost a node seven minutes ago; `odd` has labels of its own and free nodes; `unlabelled` has labels
from OpenCost alone; `hours` and `renamed hours` have Deployments of kube-downscaler, one without pods.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import numpy as np

from tests.kube_state_metrics import Labels, Metric, kube_state_metrics, opencost
from tests.prometheus_server import Written

AT = datetime(2026, 11, 2, 12, 0, tzinfo=UTC)
TARGET = {"namespace": "monitoring", "pod": "ksm-0", "container": "ksm", "service": "ksm", "node": "node-z"}
SEVEN_MINUTES = timedelta(minutes=7)
"""Longer than an instant query looks back."""
CLUSTERS = ("plain", "renamed", "twice", "restarting")
"""Those that tell everything."""


def past() -> Iterator[Written]:
    """All that was ever scraped."""
    everything = [*kube_state_metrics(), *opencost()]
    for metric in everything:
        own = metric.labels
        yield written(metric, honoured(own), "ksm", "plain")
        yield written(metric, renamed(own), "ksm", "renamed")
        yield written(metric, own, "ksm", "twice")
        yield written(metric, renamed(own), "another", "twice")
        yield written(metric, honoured(own), "ksm", "restarting", ended=SEVEN_MINUTES)
        gone = own.get("node") == "node-a"
        yield written(metric, own, "ksm", "changing", ended=SEVEN_MINUTES if gone else timedelta())
        if not ("hourly" in metric.name or "target_metric" in metric.name or metric.name.endswith("_info")):
            yield written(metric, {k: v for k, v in own.items() if not k.startswith("label_")}, "ksm", "bare")
    labels = {"node": "node-a", "label_my_company_com_pool": "big", "label_pool": "big"}
    yield written(Metric("kube_node_labels", labels, 1), labels, "ksm", "odd")
    for name in ("cpu", "ram", "total"):
        price = Metric(f"node_{name}_hourly_cost", {"node": "node-a"}, 0)
        yield written(price, price.labels, "opencost", "odd")
    only_node = {"node": "node-c", "resource": "cpu"}
    yield written(Metric("kube_node_status_allocatable", only_node, 2), only_node, "ksm", "unlabelled")
    told = {"node": "node-c", "instance_type": "m5.large", "region": "us-east-1", "arch": "amd64"}
    yield written(Metric("node_total_hourly_cost", told, 0.096), told, "opencost", "unlabelled")
    for name, replicas in (("py-kube-downscaler", 1), ("kube-downscaler-old", 0), ("coredns", 2)):
        own = {"namespace": "tools", "deployment": name}
        metric = Metric("kube_deployment_spec_replicas", own, replicas)
        yield written(metric, honoured(own), "ksm", "hours")
        yield written(metric, renamed(own), "ksm", "renamed hours")


def honoured(labels: Labels) -> Labels:
    """The labels after a scrape that prefers those of the exporter; an empty one is no label."""
    return {**TARGET, **{name: value for name, value in labels.items() if value}}


def renamed(labels: Labels) -> Labels:
    """The labels after a scrape that prefers those of the target."""
    own = {f"exported_{name}" if name in TARGET else name: value for name, value in labels.items() if value}
    return {**TARGET, **own}


def written(
    metric: Metric, labels: Labels, job: str, cluster: str, *, ended: timedelta = timedelta()
) -> Written:
    """A quarter of an hour of one series, with the labels that Prometheus adds."""
    end = int((AT - ended).timestamp())
    times = np.arange(end - 900, end + 1, 60)
    added = {"job": job, "cluster": cluster, "scraper": "10.0.0.1:8080"}
    return Written(metric.name, {**labels, **added}, times, np.full(times.size, float(metric.value)))
