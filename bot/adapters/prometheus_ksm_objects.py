"""Kubernetes objects in manifest shape, put together from the metrics of kube-state-metrics.

What the metrics do not say is left out of the body: a PodDisruptionBudget has no selector here,
and an HPA's metric that is neither CPU nor memory may be of type Pods, Object or External.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from bot.adapters.prometheus_api import Sample
from bot.adapters.prometheus_ksm_samples import Families, exact, highest, object_labels
from estimators.objects import Body

NAMESPACED_METRICS = (
    "kube_horizontalpodautoscaler_info",
    "kube_horizontalpodautoscaler_spec_min_replicas",
    "kube_horizontalpodautoscaler_spec_max_replicas",
    "kube_horizontalpodautoscaler_spec_target_metric",
    "kube_horizontalpodautoscaler_status_current_replicas",
    "kube_horizontalpodautoscaler_status_desired_replicas",
    "kube_horizontalpodautoscaler_status_target_metric",
    "kube_deployment_spec_replicas",
    "kube_deployment_status_replicas",
    "kube_statefulset_replicas",
    "kube_statefulset_status_replicas",
    "kube_daemonset_status_desired_number_scheduled",
    "kube_daemonset_status_current_number_scheduled",
    "kube_poddisruptionbudget_status_pod_disruptions_allowed",
    "kube_poddisruptionbudget_status_current_healthy",
    "kube_poddisruptionbudget_status_desired_healthy",
    "kube_poddisruptionbudget_status_expected_pods",
    "kube_limitrange",
    "kube_resourcequota",
    "kube_service_spec_type",
    "kube_service_labels",
    "kube_namespace_labels",
)
CLUSTER_METRICS = ("kube_storageclass_info",)

Key = tuple[str, str]
"""Namespace and name."""

_SELECTS_NOTHING = {"matchExpressions": [{"key": "unknown", "operator": "In", "values": []}]}
"""An empty selector would protect every pod of the namespace."""
_REPLICA_FIELDS = (
    ("Deployment", "deployment", "spec", "replicas", "kube_deployment_spec_replicas"),
    ("Deployment", "deployment", "status", "replicas", "kube_deployment_status_replicas"),
    ("StatefulSet", "statefulset", "spec", "replicas", "kube_statefulset_replicas"),
    ("StatefulSet", "statefulset", "status", "replicas", "kube_statefulset_status_replicas"),
    (
        "DaemonSet",
        "daemonset",
        "status",
        "desiredNumberScheduled",
        "kube_daemonset_status_desired_number_scheduled",
    ),
    (
        "DaemonSet",
        "daemonset",
        "status",
        "currentNumberScheduled",
        "kube_daemonset_status_current_number_scheduled",
    ),
)
_AUTOSCALER_FIELDS = (
    ("spec", "minReplicas", "kube_horizontalpodautoscaler_spec_min_replicas"),
    ("spec", "maxReplicas", "kube_horizontalpodautoscaler_spec_max_replicas"),
    ("status", "currentReplicas", "kube_horizontalpodautoscaler_status_current_replicas"),
    ("status", "desiredReplicas", "kube_horizontalpodautoscaler_status_desired_replicas"),
)
_BUDGET_FIELDS = (
    ("disruptionsAllowed", "kube_poddisruptionbudget_status_pod_disruptions_allowed"),
    ("currentHealthy", "kube_poddisruptionbudget_status_current_healthy"),
    ("desiredHealthy", "kube_poddisruptionbudget_status_desired_healthy"),
    ("expectedPods", "kube_poddisruptionbudget_status_expected_pods"),
)
_TARGET_KEYS = {"utilization": "averageUtilization", "average": "averageValue", "value": "value"}
_TARGET_TYPES = {"utilization": "Utilization", "average": "AverageValue", "value": "Value"}


def build_objects(families: Families) -> tuple[Body, ...]:
    """Every object the metrics speak of, sorted by kind, namespace and name."""
    found = _Found()
    _replicas(families, found)
    _autoscalers(families, found)
    _budgets(families, found)
    _limit_ranges(families, found)
    _quotas(families, found)
    _services_and_namespaces(families, found)
    for sample in families.get("kube_storageclass_info", ()):
        fields = {
            "provisioner": sample.labels.get("provisioner", ""),
            "reclaimPolicy": sample.labels.get("reclaim_policy", ""),
            "volumeBindingMode": sample.labels.get("volume_binding_mode", ""),
        }
        body = found.body("storage.k8s.io/v1", "StorageClass", ("", sample.labels.get("storageclass", "")))
        body.update({key: value for key, value in fields.items() if value})
    return tuple(found)


class _Found:
    """Bodies in the making, one for each kind, namespace and name."""

    def __init__(self) -> None:
        self._bodies: dict[tuple[str, str, str], dict[str, Any]] = {}

    def __iter__(self) -> Iterator[Body]:
        return (self._bodies[key] for key in sorted(self._bodies))

    def body(self, api_version: str, kind: str, key: Key) -> dict[str, Any]:
        """The object's body, made where it is new."""
        namespace, name = key
        metadata = {"name": name, "namespace": namespace} if namespace else {"name": name}
        fresh = {"apiVersion": api_version, "kind": kind, "metadata": metadata}
        return self._bodies.setdefault((kind, namespace, name), fresh)

    def part(self, api_version: str, kind: str, key: Key, part: str) -> dict[str, Any]:
        """Its `spec` or `status`."""
        found: dict[str, Any] = self.body(api_version, kind, key).setdefault(part, {})
        return found


def _replicas(families: Families, found: _Found) -> None:
    for kind, label, part, field, metric in _REPLICA_FIELDS:
        for (namespace, name), value in highest(families.get(metric, ()), "namespace", label).items():
            found.part("apps/v1", kind, (namespace, name), part)[field] = int(value)


def _autoscalers(families: Families, found: _Found) -> None:
    def part(key: Sequence[str], name: str) -> dict[str, Any]:
        return found.part("autoscaling/v2", "HorizontalPodAutoscaler", (key[0], key[1]), name)

    identity = ("namespace", "horizontalpodautoscaler")
    for where, field, metric in _AUTOSCALER_FIELDS:
        for key, value in highest(families.get(metric, ()), *identity).items():
            part(key, where)[field] = int(value)
    for sample in families.get("kube_horizontalpodautoscaler_info", ()):
        key = (sample.labels.get("namespace", ""), sample.labels.get("horizontalpodautoscaler", ""))
        part(key, "spec")["scaleTargetRef"] = {
            "apiVersion": sample.labels.get("scaletargetref_api_version", ""),
            "kind": sample.labels.get("scaletargetref_kind", ""),
            "name": sample.labels.get("scaletargetref_name", ""),
        }
    for key, targets in _scaling_metrics(families, "kube_horizontalpodautoscaler_spec_target_metric"):
        # A target is one number; several would be several entries of the same metric.
        entries = [
            _scaling_metric(
                *key[2:], "target", {"type": _TARGET_TYPES[kind], _TARGET_KEYS[kind]: _amount(kind, value)}
            )
            for kind, value in sorted(targets.items())
        ]
        part(key, "spec").setdefault("metrics", []).extend(entries)
    for key, seen in _scaling_metrics(families, "kube_horizontalpodautoscaler_status_target_metric"):
        current = {_TARGET_KEYS[kind]: _amount(kind, value) for kind, value in sorted(seen.items())}
        part(key, "status").setdefault("currentMetrics", []).append(
            _scaling_metric(*key[2:], "current", current)
        )


def _scaling_metrics(
    families: Families, metric: str
) -> Iterator[tuple[tuple[str, str, str, str], dict[str, float]]]:
    """By namespace, HPA, metric name and container: the values by target type.

    A metric of the whole pod has no container, and a scrape then puts kube-state-metrics' own there,
    as it does on the replica bounds, which never have one.
    """
    bounds = families.get("kube_horizontalpodautoscaler_spec_max_replicas", ())
    scraped = {container for (container,) in highest(bounds, "container")}
    labels = ("namespace", "horizontalpodautoscaler", "metric_name", "container", "metric_target_type")
    found: dict[tuple[str, str, str, str], dict[str, float]] = defaultdict(dict)
    for (namespace, name, of, container, kind), value in highest(families.get(metric, ()), *labels).items():
        if kind in _TARGET_KEYS:
            found[namespace, name, of, "" if container in scraped else container][kind] = value
    return iter(sorted(found.items()))


def _scaling_metric(name: str, container: str, part: str, values: dict[str, Any]) -> dict[str, Any]:
    if name not in {"cpu", "memory"}:
        return {"type": "External", "external": {"metric": {"name": name}, part: values}}
    if container:
        source = {"name": name, "container": container, part: values}
        return {"type": "ContainerResource", "containerResource": source}
    return {"type": "Resource", "resource": {"name": name, part: values}}


def _amount(target_type: str, value: float) -> int | str:
    return int(value) if target_type == "utilization" else _quantity(value)


def _quantity(value: float) -> str:
    return f"{exact(value):f}"


def _budgets(families: Families, found: _Found) -> None:
    for field, metric in _BUDGET_FIELDS:
        values = highest(families.get(metric, ()), "namespace", "poddisruptionbudget")
        for (namespace, name), value in values.items():
            body = found.body("policy/v1", "PodDisruptionBudget", (namespace, name))
            body["spec"] = {"selector": _SELECTS_NOTHING}
            body.setdefault("status", {})[field] = int(value)


def _limit_ranges(families: Families, found: _Found) -> None:
    labels = ("namespace", "limitrange", "type", "constraint", "resource")
    limits: dict[tuple[str, str], dict[str, dict[str, Any]]] = defaultdict(dict)
    for (namespace, name, of, constraint, resource), value in sorted(
        highest(families.get("kube_limitrange", ()), *labels).items()
    ):
        entry = limits[namespace, name].setdefault(of, {"type": of})
        entry.setdefault(constraint, {})[resource] = _quantity(value)
    for key, entries in limits.items():
        found.part("v1", "LimitRange", key, "spec")["limits"] = list(entries.values())


def _quotas(families: Families, found: _Found) -> None:
    labels = ("namespace", "resourcequota", "type", "resource")
    for (namespace, name, of, resource), value in sorted(
        highest(families.get("kube_resourcequota", ()), *labels).items()
    ):
        if of in {"hard", "used"}:
            status = found.part("v1", "ResourceQuota", (namespace, name), "status")
            status.setdefault(of, {})[resource] = _quantity(value)


def _services_and_namespaces(families: Families, found: _Found) -> None:
    for sample in families.get("kube_service_spec_type", ()):
        key = (sample.labels.get("namespace", ""), sample.labels.get("service", ""))
        found.part("v1", "Service", key, "spec")["type"] = sample.labels.get("type", "")
    for sample in families.get("kube_service_labels", ()):
        key = (sample.labels.get("namespace", ""), sample.labels.get("service", ""))
        _add_labels(found.body("v1", "Service", key), sample)
    for sample in families.get("kube_namespace_labels", ()):
        _add_labels(found.body("v1", "Namespace", ("", sample.labels.get("namespace", ""))), sample)


def _add_labels(body: dict[str, Any], sample: Sample) -> None:
    labels, _ = object_labels(sample)
    if labels:
        body["metadata"].setdefault("labels", {}).update(labels)
