"""What a cluster holds now, as its Kubernetes API tells it.

Of every object only the fields named here are kept: nothing of a pod but the sum of its requests,
no environment variables, no annotations that may repeat them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from bot.adapters.kubernetes_api import KubernetesApi, NotAllowed, NotServed, Refused, Resource
from estimators.objects import Body, dig, mapping, sequence, string_map, text
from estimators.pod_reader import read_resources, read_template
from estimators.pod_request import effective_pod
from estimators.usage import LiveFacts, Node, Taint
from estimators.workload import Problem

_ALL: None = None
"""In a tree of fields to keep: this one with everything below it."""
_METADATA = {
    "name": _ALL,
    "namespace": _ALL,
    "labels": _ALL,
    "annotations": {"storageclass.kubernetes.io/is-default-class": _ALL},
}
_REPLICAS = {
    "metadata": {**_METADATA, "generation": _ALL},
    "spec": {"replicas": _ALL},
    "status": {"replicas": _ALL, "updatedReplicas": _ALL, "observedGeneration": _ALL},
}
"""The count, and what tells that a rollout is in flight."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """A kind to read: where, in which versions, newest first, and which fields are kept."""

    kind: str
    plural: str
    group: str
    keep: Body
    versions: tuple[str, ...] = ("v1",)
    core: str = ""
    namespaced: bool = True
    optional: bool = False
    """Not every cluster has it: that it is not served is no news."""


_KINDS = (
    _Kind("Namespace", "namespaces", "", {}, core="namespace", namespaced=False),
    _Kind("Service", "services", "", {"spec": {"type": _ALL, "selector": _ALL}}, core="service"),
    _Kind("LimitRange", "limitranges", "", {"spec": {"limits": _ALL}}, core="limit_range"),
    _Kind(
        "ResourceQuota",
        "resourcequotas",
        "",
        {"spec": {"hard": _ALL}, "status": {"hard": _ALL, "used": _ALL}},
        core="resource_quota",
    ),
    _Kind("Deployment", "deployments", "apps", _REPLICAS),
    _Kind("StatefulSet", "statefulsets", "apps", _REPLICAS),
    _Kind(
        "DaemonSet",
        "daemonsets",
        "apps",
        {"status": {"desiredNumberScheduled": _ALL, "currentNumberScheduled": _ALL}},
    ),
    _Kind("Rollout", "rollouts", "argoproj.io", _REPLICAS, ("v1alpha1",), optional=True),
    _Kind(
        "HorizontalPodAutoscaler",
        "horizontalpodautoscalers",
        "autoscaling",
        {
            "spec": _ALL,
            "status": {"currentReplicas": _ALL, "desiredReplicas": _ALL, "currentMetrics": _ALL},
        },
        ("v2", "v1"),
    ),
    _Kind(
        "VerticalPodAutoscaler",
        "verticalpodautoscalers",
        "autoscaling.k8s.io",
        {"spec": _ALL, "status": {"recommendation": _ALL}},
        optional=True,
    ),
    _Kind(
        "PodDisruptionBudget",
        "poddisruptionbudgets",
        "policy",
        {
            "spec": _ALL,
            "status": {
                "disruptionsAllowed": _ALL,
                "currentHealthy": _ALL,
                "desiredHealthy": _ALL,
                "expectedPods": _ALL,
            },
        },
    ),
    _Kind(
        "Ingress",
        "ingresses",
        "networking.k8s.io",
        {"spec": {"ingressClassName": _ALL, "defaultBackend": _ALL, "rules": _ALL}},
    ),
    _Kind(
        "StorageClass",
        "storageclasses",
        "storage.k8s.io",
        {
            "provisioner": _ALL,
            "reclaimPolicy": _ALL,
            "volumeBindingMode": _ALL,
            "parameters": {"type": _ALL, "skuName": _ALL},
        },
        namespaced=False,
    ),
    _Kind(
        "RuntimeClass",
        "runtimeclasses",
        "node.k8s.io",
        {"handler": _ALL, "overhead": _ALL, "scheduling": _ALL},
        namespaced=False,
    ),
    _Kind(
        "DeviceClass",
        "deviceclasses",
        "resource.k8s.io",
        {"spec": {"selectors": _ALL, "extendedResourceName": _ALL}},
        ("v1", "v1beta1"),
        namespaced=False,
        optional=True,
    ),
    _Kind(
        "ResourceClaimTemplate",
        "resourceclaimtemplates",
        "resource.k8s.io",
        {"spec": {"spec": {"devices": {"requests": _ALL}}}},
        ("v1", "v1beta1"),
        optional=True,
    ),
)
_NODES = Resource("nodes", core="node", namespaced=False)
_PODS = Resource("pods", core="pod")
_NAMESPACE = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
"""A DNS-1123 label; a manifest may hold anything, and what is none stays out of URLs."""
_NOT_FINISHED = "status.phase!=Succeeded,status.phase!=Failed"


def read_live(api: KubernetesApi, *, namespaces: Sequence[str] = ()) -> LiveFacts:
    """The facts of this moment. Objects of `namespaces` only, of all where none is given.

    Nodes and the sum of requests are always the whole cluster's; the API knows no prices. What the
    credentials may not read is named in `partial`. Raises ClusterUnavailable where the server does
    not answer, and UserError where it refuses the credentials.
    """
    partial: list[str] = []
    nodes = _nodes(api, partial)
    objects = tuple(body for kind in _KINDS for body in _objects(api, kind, namespaces, partial))
    return LiveFacts(
        nodes=tuple(sorted(nodes, key=lambda node: node.name)),
        objects=objects,
        requested=_requested(api, partial),
        partial=tuple(partial),
    )


def _nodes(api: KubernetesApi, partial: list[str]) -> list[Node]:
    problems: list[Problem] = []

    def add(nodes: list[Node], body: Body) -> None:
        nodes.append(
            Node(
                name=text(dig(body, "metadata", "name")),
                labels=string_map(dig(body, "metadata", "labels")),
                allocatable=read_resources(dig(body, "status", "allocatable"), (), problems),
                capacity=read_resources(dig(body, "status", "capacity"), (), problems),
                taints=tuple(
                    Taint(text(taint.get("key")), text(taint.get("value")), text(taint.get("effect")))
                    for taint in map(mapping, sequence(dig(body, "spec", "taints")))
                ),
            )
        )

    try:
        nodes = api.fold(_NODES, list, add)
    except (NotAllowed, NotServed):
        partial.append(_grant(_NODES, "nodes, their prices and whether a pod fits are not known"))
        return []
    partial.extend(f"a node's size is left out: {problem.message}" for problem in problems[:1])
    return nodes


def _requested(api: KubernetesApi, partial: list[str]) -> dict[str, Decimal]:
    """What the scheduler has reserved for all pods that run or wait, by resource."""

    def add(requested: dict[str, Decimal], pod: Body) -> None:
        template = read_template({"spec": mapping(pod.get("spec"))}, (), [])
        for name, amount in effective_pod(template).pod.items():
            requested[name] = requested.get(name, Decimal(0)) + amount

    try:
        return api.fold(_PODS, dict, add, field_selector=_NOT_FINISHED)
    except (NotAllowed, NotServed):
        partial.append(_grant(_PODS, "headroom is not judged"))
        return {}


def _objects(
    api: KubernetesApi, kind: _Kind, namespaces: Sequence[str], partial: list[str]
) -> Iterator[Body]:
    for version in kind.versions:
        resource = Resource(kind.plural, kind.group, version, kind.core, kind.namespaced)
        try:
            found = _listed(api, resource, namespaces, partial)
        except NotServed:
            continue
        except NotAllowed:
            partial.append(_grant(resource, f"the cluster's {kind.plural} are not known"))
            return
        except Refused as error:
            partial.append(f"{error}: the cluster's {kind.plural} are not known")
            return
        api_version = f"{kind.group}/{version}" if kind.group else version
        head = {"apiVersion": api_version, "kind": kind.kind}
        tree = {"metadata": _METADATA, **kind.keep}
        yield from ({**head, **_kept(body, tree)} for body in found)
        return
    if not kind.optional:
        partial.append(f"the server has no {kind.plural}: they are not known")


def _listed(
    api: KubernetesApi, resource: Resource, namespaces: Sequence[str], partial: list[str]
) -> list[Body]:
    """All of a resource; within the namespaces alone where only that is allowed."""

    def add(found: list[Body], body: Body) -> None:
        metadata = mapping(body.get("metadata"))
        place = metadata.get("namespace") if resource.namespaced else metadata.get("name")
        belongs = resource.namespaced or resource.plural == "namespaces"
        if not namespaces or not belongs or place in namespaces:
            found.append(body)

    try:
        return api.fold(resource, _no_bodies, add)
    except NotAllowed:
        if not namespaces or not resource.namespaced:
            raise
    found: list[Body] = []
    refused = []
    for namespace in filter(_NAMESPACE.fullmatch, namespaces):
        try:
            here = api.fold(resource, _no_bodies, add, namespace=namespace)
        except NotAllowed:
            refused.append(namespace)
        else:
            found += here
    if refused:
        partial.append(
            _grant(resource, f"those of namespace {', '.join(refused[:3])} are not known")
            + f" ({len(refused)} of {len(namespaces)} namespaces)"
        )
    return found


def _no_bodies() -> list[Body]:
    return []


def _grant(resource: Resource, consequence: str) -> str:
    return f"not allowed to read {resource}, so {consequence}: grant the verb list on {resource}"


def _kept(value: Any, tree: Any) -> Any:  # noqa: ANN401 - JSON
    """The parts of `value` that `tree` names; in a list, of each item."""
    if tree is _ALL:
        return value
    if isinstance(value, list):
        return [_kept(item, tree) for item in value]
    return {name: _kept(value[name], below) for name, below in tree.items() if name in mapping(value)}
