"""What one node, or the node that labels describe, costs per core, GiB and GPU, and who says so."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_DOWN, Decimal, localcontext
from typing import NamedTuple

from estimators.gpu import gpus_of_node, is_gpu
from estimators.gpu_model import INSTANCE_TYPE_LABELS, gpu_price, gpu_product
from estimators.money import ZERO
from estimators.prices import BUILT_IN, PriceSheet, Provenance, Rates
from estimators.quantity import GIB
from estimators.usage import Node

Labels = Mapping[str, str]

REGION_LABELS = ("topology.kubernetes.io/region", "failure-domain.beta.kubernetes.io/region")
_SPOT = {
    "karpenter.sh/capacity-type": "spot",
    "eks.amazonaws.com/capacitytype": "spot",
    "cloud.google.com/gke-spot": "true",
    "cloud.google.com/gke-preemptible": "true",
    "cloud.google.com/gke-provisioning": "spot",
    "kubernetes.azure.com/scalesetpriority": "spot",
    "node.kubernetes.io/lifecycle": "spot",
}
"""Labels, in lower case, of nodes that can be taken away at short notice and cost less for it."""
_FINEST = Decimal("1e-15")


class NodeParts(NamedTuple):
    """A whole node's hourly price, split: the three add up to it exactly."""

    cpu: Decimal
    memory: Decimal
    gpu: Decimal


class Capacity(NamedTuple):
    """How large a node is; zero where that is not known."""

    cores: Decimal
    gib: Decimal
    gpus: Decimal


UNKNOWN_SIZE = Capacity(ZERO, ZERO, ZERO)


def is_spot(labels: Labels) -> bool:
    """Whether labels of a node, or labels a pod demands, say spot or preemptible."""
    return any(_SPOT.get(key.lower()) == value.lower() for key, value in labels.items())


def instance_type(labels: Labels) -> tuple[str, str]:
    """Machine type and region that labels name, `""` each where they do not."""
    kind = next((labels[key] for key in INSTANCE_TYPE_LABELS if labels.get(key)), "")
    return kind, next((labels[key] for key in REGION_LABELS if labels.get(key)), "")


def capacity_of(node: Node) -> Capacity:
    """The node's cores, GiB and whole physical GPUs."""
    size = node.capacity or node.allocatable
    return Capacity(size.get("cpu", ZERO), size.get("memory", ZERO) / GIB, gpus_of_node(node))


def split_node_price(
    total: Decimal,
    vcpus: Decimal,
    gib: Decimal,
    gpus: Decimal,
    sheet: PriceSheet,
    known_gpu_price: Decimal | None = None,
) -> NodeParts:
    """Split the price of a node in the sheet's ratios; the parts add up to `total` exactly.

    OpenCost's rule: with k = price per core (GPU) / price per GiB in the sheet, a GiB costs
    total / (gpus k_gpu + vcpus k_cpu + gib). A known GPU price comes off first, for every GPU; one
    that would leave nothing for the rest contradicts the total and is not used.
    """
    with localcontext() as context:
        context.prec = 60
        gpu, gpu_weight = ZERO, gpus * sheet.gpu_hour
        if known_gpu_price is not None and gpus * known_gpu_price < total:
            gpu, gpu_weight = (gpus * known_gpu_price).quantize(_FINEST, ROUND_DOWN), ZERO
        cpu_weight = vcpus * sheet.cpu_core_hour
        weight = cpu_weight + gib * sheet.memory_gib_hour + gpu_weight
        rest = total - gpu
        if not weight:  # A sheet of zeros, or a machine of no known size: nothing to go by.
            return NodeParts(rest, ZERO, gpu)
        cpu = (rest * cpu_weight / weight).quantize(_FINEST, ROUND_DOWN)
        gpu += (rest * gpu_weight / weight).quantize(_FINEST, ROUND_DOWN)
        return NodeParts(cpu, total - cpu - gpu, gpu)


def measured_rates(node: Node, capacity: Capacity, sheet: PriceSheet, as_of: str) -> Rates | None:
    """The prices OpenCost put on this node; None where it put none. A price of zero is not one.

    The GPU-hour is per physical GPU: what OpenCost says per advertised GPU is used as it is only
    where those are the same; else GPUs get what cores and memory leave of the node's total. What a
    sheet that a person named says of this model comes before both.
    """
    said = {key: price for key, price in node.hourly.items() if price > 0}
    cpu, memory, gpu, total = (said.get(key) for key in ("cpu", "memory", "gpu", "total"))
    known = _known_gpu(sheet, gpu_product(node.labels))
    named = known if sheet.explicit else None
    if cpu is None or memory is None:
        if total is None or not (capacity.cores and capacity.gib):
            return None
        parts = split_node_price(total, *capacity, sheet, gpu or known if named is None else named)
        cpu, memory, gpu = _per_unit(parts, capacity, sheet)
    elif total and capacity.gpus and (gpu is None or _advertised(node) != capacity.gpus):
        rest = total - cpu * capacity.cores - memory * capacity.gib
        gpu = rest / capacity.gpus if rest > 0 else None
    price = gpu or known if named is None else named
    gpu_hour = sheet.gpu_hour if price is None else price
    assumed = price is None and not sheet.names("gpu_hour")
    source = "OpenCost node prices"
    return Rates(cpu, memory, gpu_hour, source, as_of, Provenance.MEASURED, gpu_assumed=assumed)


def rates_of_node(node: Node, sheet: PriceSheet, as_of: str) -> tuple[Rates, Capacity]:
    """The prices of a node and its size: a sheet that a person named, OpenCost's prices, then the sheet.

    `as_of` is the date of OpenCost's prices, ISO 8601.
    """
    capacity = capacity_of(node)
    rates = sheet_rates(node.labels, sheet, capacity, node.name)
    if not sheet.explicit or rates.provenance is Provenance.ASSUMED:
        rates = measured_rates(node, capacity, sheet, as_of) or rates
    return rates, capacity


def _advertised(node: Node) -> Decimal:
    size = node.capacity or node.allocatable
    return sum((amount for name, amount in size.items() if is_gpu(name)), ZERO)


def sheet_rates(
    labels: Labels, sheet: PriceSheet, capacity: Capacity = UNKNOWN_SIZE, name: str = ""
) -> Rates:
    """What the sheet says of a node: its pool, its machine's price, spot, default, in this order.

    `labels` are the node's, or those a pod demands of a node that is not known. A bundled list
    price is one of on-demand machines: on spot it prices the GPUs only.
    """
    product = gpu_product(labels)
    pool = next((pool for pool in sheet.pools if pool.match.items() <= labels.items()), None)
    if pool:
        gpu = pool.gpu_hour if pool.gpu_hour is not None else _known_gpu(sheet, product)
        return Rates(
            pool.cpu_core_hour,
            pool.memory_gib_hour,
            sheet.gpu_hour if gpu is None else gpu,
            f"{sheet.source}, pool {pool.name}",
            sheet.as_of,
            _trust(sheet),
            pool.name,
            gpu_assumed=gpu is None and not sheet.names("gpu_hour"),
        )
    spot = is_spot(labels)
    own = _own_price(labels, sheet, capacity, name)
    if own:
        return own
    listed = _list_price(labels, sheet, capacity)
    if listed and not (spot and listed.provenance is Provenance.ASSUMED):
        return listed
    gpu = _known_gpu(sheet, product)
    assumed = gpu is None and (listed is not None or not sheet.names("gpu_hour"))
    if gpu is None:
        gpu = listed.gpu_hour if listed else sheet.gpu_hour
    return _default_rates(sheet, gpu, spot=spot, gpu_assumed=assumed)


def _default_rates(sheet: PriceSheet, gpu: Decimal, *, spot: bool, gpu_assumed: bool) -> Rates:
    cpu = sheet.spot_cpu_core_hour if spot else sheet.cpu_core_hour
    memory = sheet.spot_memory_gib_hour if spot else sheet.memory_gib_hour
    if sheet.names_defaults:
        source, as_of, trust = sheet.source, sheet.as_of, _trust(sheet)
    else:
        source, as_of, trust = BUILT_IN.source, BUILT_IN.as_of, Provenance.ASSUMED
    named = f"{source}, spot" if spot else source
    return Rates(cpu, memory, gpu, named, as_of, trust, gpu_assumed=gpu_assumed)


def _own_price(labels: Labels, sheet: PriceSheet, capacity: Capacity, name: str) -> Rates | None:
    """The price the sheet gives this very node, by its name or a label. GPUs with a price come on top."""
    if not sheet.machines or not (capacity.cores and capacity.gib):
        return None
    region = instance_type(labels)[1].lower()
    facts = {**labels, "metadata.name": name}
    for key in dict.fromkeys(key for key, _, _ in sheet.machines):
        value = facts.get(key, "").lower()
        hourly = sheet.machines.get((key, value, region), sheet.machines.get((key, value, "")))
        if value and hourly is not None:
            return _split_rates(
                hourly, capacity, sheet, gpu_product(labels), f"{sheet.source}, {key} {value}"
            )
    return None


def _list_price(labels: Labels, sheet: PriceSheet, capacity: Capacity) -> Rates | None:
    """The list price of the machine type, split over what the node has, or over the type's own shape."""
    kind, region = instance_type(labels)
    listed = sheet.instances.get((kind, region)) or sheet.instances.get((kind, ""))
    if listed is None:
        return None
    if not (capacity.cores and capacity.gib):
        capacity = Capacity(listed.vcpus, listed.memory_gib, listed.gpus)
    if not (capacity.cores and capacity.gib):
        return None
    product = gpu_product(labels) or listed.gpu_product
    if not listed.source:
        return _split_rates(listed.hourly, capacity, sheet, product, f"{sheet.source}, {kind}")
    parts = split_node_price(listed.hourly, *capacity, sheet, _known_gpu(sheet, product))
    elsewhere = f", assumed for {region}" if region and region != listed.region else ""
    return Rates(
        *_per_unit(parts, capacity, sheet),
        f"{listed.source} of {kind}, {listed.region}{elsewhere}, {listed.as_of}",
        listed.as_of,
        Provenance.ASSUMED,
    )


def _split_rates(hourly: Decimal, capacity: Capacity, sheet: PriceSheet, product: str, source: str) -> Rates:
    """Rates of a machine whose price in the sheet does not hold the GPUs that the sheet prices apart."""
    known = _known_gpu(sheet, product)
    total = hourly + capacity.gpus * (known or ZERO)
    parts = split_node_price(total, *capacity, sheet, known)
    return Rates(*_per_unit(parts, capacity, sheet), source, sheet.as_of, _trust(sheet))


def _per_unit(parts: NodeParts, capacity: Capacity, sheet: PriceSheet) -> tuple[Decimal, Decimal, Decimal]:
    gpu = parts.gpu / capacity.gpus if capacity.gpus else sheet.gpu_hour
    return parts.cpu / capacity.cores, parts.memory / capacity.gib, gpu


def _known_gpu(sheet: PriceSheet, product: str) -> Decimal | None:
    price = gpu_price(sheet, product)
    return price.hourly if price else None


def _trust(sheet: PriceSheet) -> Provenance:
    """A sheet is asked for by whoever gave it; OpenCost's defaults are an assumption of ours."""
    return Provenance.ASSUMED if sheet.source == BUILT_IN.source else Provenance.REQUESTED
