"""The metrics that kube-state-metrics and OpenCost make of the cluster in `live_cluster`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from estimators.quantity import parse_quantity
from tests import live_cluster
from tests.live_cluster import Body

Labels = Mapping[str, str]


class Metric(NamedTuple):
    """One sample of an exporter."""

    name: str
    labels: Labels
    value: float


def exported_label(name: str) -> str:
    """A Kubernetes label as kube-state-metrics names it (internal/store/utils.go)."""
    return "label_" + re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", re.sub(r"[^a-zA-Z0-9_]", "_", name)).lower()


def kube_state_metrics() -> Iterator[Metric]:
    """What kube-state-metrics exports of the cluster, with the labels of its version 2.20."""
    for node in live_cluster.nodes():
        yield from _node_metrics(node)
    for body in (*live_cluster.objects(), *live_cluster.pods()):
        identity = {"namespace": body["metadata"].get("namespace", "")}
        labels = {exported_label(key): value for key, value in body["metadata"].get("labels", {}).items()}
        yield from _EXPORTERS[body["kind"]](body, body["metadata"]["name"], identity, labels)


def opencost() -> Iterator[Metric]:
    """Prices of both nodes and of two volumes."""
    prices = {"node-a": (0.0335, 0.0045, 0.0, 0.206), "node-b": (0.04, 0.005, 2.5, 29.3)}
    for body in live_cluster.nodes():
        node, known = body["metadata"]["name"], body["metadata"]["labels"]
        labels = {
            "node": node,
            "instance": node,
            "instance_type": known["node.kubernetes.io/instance-type"],
            "region": known["topology.kubernetes.io/region"],
            "arch": known["kubernetes.io/arch"],
        }
        for name, value in zip(("cpu", "ram", "gpu", "total"), prices[node], strict=True):
            yield Metric(f"node_{name}_hourly_cost", labels, value)
    for volume, price in (("pv-1", 0.0001), ("pv-2", 0.0002)):
        yield Metric("pv_hourly_cost", {"persistentvolume": volume, "volumename": volume}, price)
        yield Metric("kube_persistentvolume_info", {"persistentvolume": volume, "storageclass": "gp3"}, 1)


def _node_metrics(node: Body) -> Iterator[Metric]:
    name = {"node": node["metadata"]["name"]}
    yield Metric("kube_node_info", {**name, "kernel_version": "6.1"}, 1)
    labels = {exported_label(key): value for key, value in node["metadata"]["labels"].items()}
    yield Metric("kube_node_labels", name | labels, 1)
    for taint in node["spec"].get("taints", ()):
        yield Metric("kube_node_spec_taint", name | taint, 1)
    for part in ("allocatable", "capacity"):
        for resource, amount in node["status"][part].items():
            sanitised = re.sub(r"[^a-zA-Z0-9_]", "_", resource)
            unit = {"cpu": "core", "memory": "byte"}.get(resource, "integer")
            yield Metric(
                f"kube_node_status_{part}", {**name, "resource": sanitised, "unit": unit}, _float(amount)
            )


def _float(amount: object) -> float:
    return float(parse_quantity(amount))


def _namespace(_body: Body, name: str, _identity: Labels, labels: Labels) -> Iterator[Metric]:
    yield Metric("kube_namespace_labels", {"namespace": name, **labels}, 1)


def _deployment(body: Body, name: str, identity: Labels, _labels: Labels) -> Iterator[Metric]:
    own = {**identity, "deployment": name}
    yield Metric("kube_deployment_spec_replicas", own, body["spec"]["replicas"])
    yield Metric("kube_deployment_status_replicas", own, body["status"]["replicas"])


def _stateful_set(body: Body, name: str, identity: Labels, _labels: Labels) -> Iterator[Metric]:
    own = {**identity, "statefulset": name}
    yield Metric("kube_statefulset_replicas", own, body["spec"]["replicas"])
    yield Metric("kube_statefulset_status_replicas", own, body["status"]["replicas"])


def _daemon_set(body: Body, name: str, identity: Labels, _labels: Labels) -> Iterator[Metric]:
    own = {**identity, "daemonset": name}
    status = body["status"]
    yield Metric("kube_daemonset_status_desired_number_scheduled", own, status["desiredNumberScheduled"])
    yield Metric("kube_daemonset_status_current_number_scheduled", own, status["currentNumberScheduled"])


def _autoscaler(body: Body, name: str, identity: Labels, _labels: Labels) -> Iterator[Metric]:
    own = {**identity, "horizontalpodautoscaler": name}
    spec, status, prefix = body["spec"], body["status"], "kube_horizontalpodautoscaler"
    target = spec["scaleTargetRef"]
    yield Metric(
        f"{prefix}_info",
        {
            **own,
            "scaletargetref_api_version": target["apiVersion"],
            "scaletargetref_kind": target["kind"],
            "scaletargetref_name": target["name"],
        },
        1,
    )
    yield Metric(f"{prefix}_spec_min_replicas", own, spec["minReplicas"])
    yield Metric(f"{prefix}_spec_max_replicas", own, spec["maxReplicas"])
    yield Metric(f"{prefix}_status_current_replicas", own, status["currentReplicas"])
    yield Metric(f"{prefix}_status_desired_replicas", own, status["desiredReplicas"])
    words = {"averageUtilization": "utilization", "averageValue": "average", "value": "value"}
    for part, values, items in (
        ("spec", "target", spec["metrics"]),
        ("status", "current", status["currentMetrics"]),
    ):
        for item in items:
            source = next(value for key, value in item.items() if key != "type")
            metric_name = source["name"] if "name" in source else source["metric"]["name"]
            for key, word in words.items():
                if key in source[values]:
                    labels = {"metric_name": metric_name, "metric_target_type": word}
                    labels |= {"container": source.get("container", "")}
                    amount = _float(source[values][key])
                    yield Metric(f"{prefix}_{part}_target_metric", own | labels, amount)


def _budget(body: Body, name: str, identity: Labels, _labels: Labels) -> Iterator[Metric]:
    own, status = {**identity, "poddisruptionbudget": name}, body["status"]
    prefix = "kube_poddisruptionbudget_status"
    yield Metric(f"{prefix}_pod_disruptions_allowed", own, status["disruptionsAllowed"])
    yield Metric(f"{prefix}_current_healthy", own, status["currentHealthy"])
    yield Metric(f"{prefix}_desired_healthy", own, status["desiredHealthy"])
    yield Metric(f"{prefix}_expected_pods", own, status["expectedPods"])


def _limit_range(body: Body, name: str, identity: Labels, _labels: Labels) -> Iterator[Metric]:
    for item in body["spec"]["limits"]:
        for constraint in ("default", "defaultRequest"):
            for resource, amount in item[constraint].items():
                own = {**identity, "limitrange": name, "type": item["type"], "resource": resource}
                yield Metric("kube_limitrange", {**own, "constraint": constraint}, _float(amount))


def _quota(body: Body, name: str, identity: Labels, _labels: Labels) -> Iterator[Metric]:
    for kind, amounts in body["status"].items():
        for resource, amount in amounts.items():
            own = {**identity, "resourcequota": name, "resource": resource, "type": kind}
            yield Metric("kube_resourcequota", own, _float(amount))


def _service(body: Body, name: str, identity: Labels, labels: Labels) -> Iterator[Metric]:
    own = {**identity, "service": name, "uid": f"uid-{name}"}
    yield Metric("kube_service_spec_type", {**own, "type": body["spec"]["type"]}, 1)
    yield Metric("kube_service_labels", {**own, **labels}, 1)


def _storage_class(body: Body, name: str, _identity: Labels, _labels: Labels) -> Iterator[Metric]:
    labels = {"storageclass": name, "provisioner": body["provisioner"]}
    labels |= {"reclaim_policy": body["reclaimPolicy"], "volume_binding_mode": body["volumeBindingMode"]}
    yield Metric("kube_storageclass_info", labels, 1)


def _pod(body: Body, name: str, identity: Labels, _labels: Labels) -> Iterator[Metric]:
    own = {**identity, "pod": name, "uid": f"uid-{name}"}
    for phase in ("Pending", "Running", "Succeeded", "Failed", "Unknown"):
        yield Metric("kube_pod_status_phase", {**own, "phase": phase}, phase == body["status"]["phase"])
    for container in body["spec"]["containers"]:
        for resource, amount in container["resources"]["requests"].items():
            labels = {"container": container["name"], "resource": re.sub(r"[^a-zA-Z0-9_]", "_", resource)}
            yield Metric("kube_pod_container_resource_requests", own | labels, _float(amount))
    for container in body["spec"].get("initContainers", ()):
        inside = own | {"container": container["name"]}
        running = body["status"]["phase"] == "Running" and container.get("restartPolicy") == "Always"
        yield Metric("kube_pod_init_container_status_running", inside, running)
        for resource, amount in container["resources"]["requests"].items():
            requests = inside | {"resource": resource}
            yield Metric("kube_pod_init_container_resource_requests", requests, _float(amount))


_EXPORTERS = {
    "Namespace": _namespace,
    "Deployment": _deployment,
    "StatefulSet": _stateful_set,
    "DaemonSet": _daemon_set,
    "HorizontalPodAutoscaler": _autoscaler,
    "PodDisruptionBudget": _budget,
    "LimitRange": _limit_range,
    "ResourceQuota": _quota,
    "Service": _service,
    "StorageClass": _storage_class,
    "Pod": _pod,
}
