"""Nodes and unit prices from the metrics of kube-state-metrics and OpenCost."""

from __future__ import annotations

from collections import defaultdict
from decimal import Decimal

from bot.adapters.prometheus_ksm_names import kubernetes_resource
from bot.adapters.prometheus_ksm_samples import Families, exact, highest, object_labels
from estimators.usage import Node, Taint

NODE_METRICS = (
    "kube_node_info",
    "kube_node_labels",
    "kube_node_status_allocatable",
    "kube_node_status_capacity",
    "kube_node_spec_taint",
)
PRICE_METRICS = {
    "node_cpu_hourly_cost": "cpu",
    "node_ram_hourly_cost": "memory",
    "node_gpu_hourly_cost": "gpu",
    "node_total_hourly_cost": "total",
}
VOLUME_METRICS = ("pv_hourly_cost", "kube_persistentvolume_info")
_EVERY_NODE_HAS = "kubernetes.io/hostname"
"""The kubelet sets it: where it is not told, neither are others that nodes may have."""
_NODE_NAMES = ("node", "instance")
_LABELS_OF_OPENCOST = {
    "instance_type": "node.kubernetes.io/instance-type",
    "region": "topology.kubernetes.io/region",
    "arch": "kubernetes.io/arch",
}


def build_nodes(families: Families, partial: list[str]) -> tuple[Node, ...]:
    """Every node the metrics speak of, by name; what is doubtful about them is added to `partial`."""
    labels, doubtful = _node_labels(families)
    allocatable = _amounts(families, "kube_node_status_allocatable")
    capacity = _amounts(families, "kube_node_status_capacity")
    taints: dict[str, set[Taint]] = defaultdict(set)
    for node, key, value, effect in highest(
        families.get("kube_node_spec_taint", ()), "node", "key", "value", "effect"
    ):
        taints[node].add(Taint(key, value, effect))
    informed = {node for (node,) in highest(families.get("kube_node_info", ()), "node")}
    names = informed | labels.keys() | allocatable.keys() | capacity.keys()
    hourly, free = _hourly(families, names, labels)
    if doubtful:
        shown = ", ".join(sorted(doubtful)[:5])
        partial.append(
            f"kube-state-metrics replaces . / - by _ in labels, so these node labels may not match a "
            f"nodeSelector: {shown}; --kube-context reads them as they are"
        )
    if free:
        partial.append(
            f"OpenCost gives a price of 0 for {len(free)} nodes ({', '.join(sorted(free)[:3])}): "
            "taken as not known; check its cloud integration, or give --prices"
        )
    return tuple(
        Node(
            name=name,
            labels=labels.get(name, {}),
            allocatable=allocatable.get(name, {}),
            capacity=capacity.get(name, {}),
            taints=tuple(sorted(taints[name], key=lambda taint: (taint.key, taint.value, taint.effect))),
            hourly=hourly.get(name, {}),
            labels_known=_EVERY_NODE_HAS in labels.get(name, {}),
        )
        for name in sorted((names | hourly.keys()) - {""})
    )


def _node_labels(families: Families) -> tuple[dict[str, dict[str, str]], set[str]]:
    labels: dict[str, dict[str, str]] = defaultdict(dict)
    doubtful: set[str] = set()
    for sample in families.get("kube_node_labels", ()):
        known, unsure = object_labels(sample)
        labels[sample.labels.get("node", "")].update(known)
        doubtful.update(unsure)
    return labels, doubtful


def _amounts(families: Families, metric: str) -> dict[str, dict[str, Decimal]]:
    amounts: dict[str, dict[str, Decimal]] = defaultdict(dict)
    for (node, resource), value in highest(families.get(metric, ()), "node", "resource").items():
        amounts[node][kubernetes_resource(resource)] = exact(value)
    return amounts


def _hourly(
    families: Families, nodes: set[str], labels: dict[str, dict[str, str]]
) -> tuple[dict[str, dict[str, Decimal]], set[str]]:
    """Prices by node, and the nodes whose CPU, memory or whole is said to be free.

    A price metric also tells instance type, region and architecture: they go where a label is missing.
    """
    hourly: dict[str, dict[str, Decimal]] = defaultdict(dict)
    free: set[str] = set()
    for metric, part in PRICE_METRICS.items():
        for sample in families.get(metric, ()):
            # OpenCost puts the node into `node` and, still, into `instance`, which a scrape may overwrite.
            names = [name for label in _NODE_NAMES if (name := sample.labels.get(label, ""))]
            node = next((name for name in names if name in nodes), "" if nodes else "".join(names[:1]))
            if not node:
                continue
            if sample.value:
                price = exact(sample.value)
                hourly[node][part] = max(price, hourly[node].get(part, price))
            elif part != "gpu":
                free.add(node)
            for name, label in _LABELS_OF_OPENCOST.items():
                if sample.labels.get(name):
                    labels.setdefault(node, {}).setdefault(label, sample.labels[name])
    return hourly, free


def storage_prices(families: Families) -> dict[str, Decimal]:
    """The mean price of a GiB-hour over the volumes of each StorageClass."""
    classes = {
        volume: name
        for volume, name in highest(
            families.get("kube_persistentvolume_info", ()), "persistentvolume", "storageclass"
        )
        if name
    }
    prices: dict[str, list[Decimal]] = defaultdict(list)
    for (volume, name), value in highest(
        families.get("pv_hourly_cost", ()), "persistentvolume", "volumename"
    ).items():
        storage_class = classes.get(volume) or classes.get(name)
        if storage_class and value:
            prices[storage_class].append(exact(value))
    return {name: sum(found, Decimal(0)) / len(found) for name, found in sorted(prices.items())}
