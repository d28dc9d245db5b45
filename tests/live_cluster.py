"""One small cluster as Kubernetes objects, with secrets in the places where real ones stand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Body = Mapping[str, Any]


def thing(api_version: str, kind: str, name: str, namespace: str = "", **parts: Any) -> Body:  # noqa: ANN401 - JSON
    """A Kubernetes object."""
    metadata = {"name": name, **({"namespace": namespace} if namespace else {}), **parts.pop("metadata", {})}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **parts}


def pod(name: str, namespace: str, phase: str, sidecar: str = "", **requests: str) -> Body:
    """A pod of one container, with an environment variable that must never be kept.

    `sidecar` is the CPU of a restartable init container; a plain one that is done stands before it.
    """
    container = {
        "name": "main",
        "env": [{"name": "PASSWORD", "value": "hunter2"}],
        "resources": {
            "requests": {key.replace("gpu", "nvidia.com/gpu"): value for key, value in requests.items()}
        },
    }
    spec: dict[str, Any] = {"containers": [container]}
    if sidecar:
        started = {"name": "set-up", "resources": {"requests": {"cpu": "10m"}}}
        proxy = {"name": "proxy", "restartPolicy": "Always", "resources": {"requests": {"cpu": sidecar}}}
        spec["initContainers"] = [started, proxy]
    return thing("v1", "Pod", name, namespace, spec=spec, status={"phase": phase})


def nodes() -> list[Body]:
    """A spot node of Karpenter, and a GPU node on EKS that repels other pods."""
    return [
        thing(
            "v1",
            "Node",
            "node-a",
            metadata={
                "labels": {
                    "karpenter.sh/capacity-type": "spot",
                    "node.kubernetes.io/instance-type": "m6g.xlarge",
                    "topology.kubernetes.io/region": "eu-west-1",
                    "topology.kubernetes.io/zone": "eu-west-1a",
                    "kubernetes.io/arch": "arm64",
                    "kubernetes.io/hostname": "node-a",
                    "team": "payments",
                }
            },
            spec={},
            status={
                "allocatable": {"cpu": "3920m", "memory": "15Gi", "pods": "58"},
                "capacity": {"cpu": "4", "memory": "16Gi", "pods": "58"},
            },
        ),
        thing(
            "v1",
            "Node",
            "node-b",
            metadata={
                "labels": {
                    "kubernetes.io/arch": "amd64",
                    "kubernetes.io/hostname": "node-b",
                    "node.kubernetes.io/instance-type": "p4d.24xlarge",
                    "topology.kubernetes.io/region": "eu-west-1",
                    "eks.amazonaws.com/capacityType": "ON_DEMAND",
                    "eks.amazonaws.com/nodegroup": "gpu",
                    "nvidia.com/gpu.product": "NVIDIA-A100-SXM4-80GB",
                    "cloud.google.com/gke-spot": "false",
                }
            },
            spec={"taints": [{"key": "nvidia.com/gpu", "value": "present", "effect": "NoSchedule"}]},
            status={
                "allocatable": {"cpu": "95", "memory": "1100Gi", "nvidia.com/gpu": "8", "hugepages-2Mi": "0"},
                "capacity": {"cpu": "96", "memory": "1152Gi", "nvidia.com/gpu": "8", "hugepages-2Mi": "0"},
            },
        ),
    ]


def _autoscaler() -> Body:
    """One metric of each kind that kube-state-metrics tells apart."""
    autoscaler = {
        "spec": {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "api"},
            "minReplicas": 2,
            "maxReplicas": 10,
            "metrics": [
                {
                    "type": "Resource",
                    "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 70}},
                },
                {
                    "type": "ContainerResource",
                    "containerResource": {
                        "name": "memory",
                        "container": "main",
                        "target": {"type": "AverageValue", "averageValue": "512Mi"},
                    },
                },
                {
                    "type": "External",
                    "external": {
                        "metric": {"name": "queue_depth"},
                        "target": {"type": "AverageValue", "averageValue": "30"},
                    },
                },
            ],
        },
        "status": {
            "currentReplicas": 4,
            "desiredReplicas": 5,
            "currentMetrics": [
                {
                    "type": "Resource",
                    "resource": {
                        "name": "cpu",
                        "current": {"averageUtilization": 81, "averageValue": "405m"},
                    },
                }
            ],
        },
    }
    return thing("autoscaling/v2", "HorizontalPodAutoscaler", "api", "payments", **autoscaler)


def _policies() -> list[Body]:
    """What protects, fills in and bounds the pods of a namespace."""
    budget = {
        "spec": {"minAvailable": 3, "selector": {"matchLabels": {"app": "api"}}},
        "status": {"disruptionsAllowed": 1, "currentHealthy": 4, "desiredHealthy": 3, "expectedPods": 4},
    }
    limits = [
        {
            "type": "Container",
            "default": {"cpu": "500m", "memory": "256Mi"},
            "defaultRequest": {"cpu": "100m", "memory": "128Mi"},
        }
    ]
    quota = {"hard": {"requests.cpu": "20"}, "used": {"requests.cpu": "2500m"}}
    return [
        thing("policy/v1", "PodDisruptionBudget", "api", "payments", **budget),
        thing("v1", "LimitRange", "defaults", "payments", spec={"limits": limits}),
        thing("v1", "ResourceQuota", "team", "payments", status=quota),
    ]


def objects() -> list[Body]:
    """What runs in two namespaces."""
    secret = {"kubectl.kubernetes.io/last-applied-configuration": '{"env": "hunter2"}'}
    template = {"spec": {"containers": [{"name": "main", "env": [{"name": "PASSWORD", "value": "hunter2"}]}]}}
    return [
        thing(
            "v1", "Namespace", "payments", metadata={"labels": {"kubernetes.io/metadata.name": "payments"}}
        ),
        thing("v1", "Namespace", "search", metadata={"labels": {"kubernetes.io/metadata.name": "search"}}),
        thing(
            "apps/v1",
            "Deployment",
            "api",
            "payments",
            metadata={"annotations": secret},
            spec={"replicas": 5, "template": template},
            status={"replicas": 4},
        ),
        thing("apps/v1", "StatefulSet", "db", "payments", spec={"replicas": 3}, status={"replicas": 3}),
        thing(
            "apps/v1",
            "DaemonSet",
            "agent",
            "search",
            status={"desiredNumberScheduled": 2, "currentNumberScheduled": 1},
        ),
        _autoscaler(),
        *_policies(),
        thing(
            "v1",
            "Service",
            "api",
            "payments",
            metadata={"labels": {"app.kubernetes.io/name": "api"}},
            spec={"type": "LoadBalancer", "selector": {"app": "api"}},
        ),
        thing(
            "storage.k8s.io/v1",
            "StorageClass",
            "gp3",
            provisioner="ebs.csi.aws.com",
            reclaimPolicy="Delete",
            volumeBindingMode="WaitForFirstConsumer",
        ),
    ]


def pods() -> list[Body]:
    """Two that run, one that waits and one that is done and reserves nothing any more."""
    return [
        pod("api-1", "payments", "Running", cpu="500m", memory="512Mi"),
        pod("db-0", "payments", "Running", "250m", cpu="1", memory="2Gi"),
        pod("train-1", "search", "Pending", cpu="4", memory="8Gi", gpu="1"),
        pod("migrate-1", "payments", "Succeeded", cpu="8", memory="8Gi"),
    ]
