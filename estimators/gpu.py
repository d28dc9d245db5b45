"""GPUs and other accelerators: which resources they are, and how much of a device a share is.

One ledger: every encoding of a share (time-slicing, MPS, MIG, partitions, cores) is a fraction of a
physical device, rounded down at the 28th digit, so that sharers and idle add up to one device.
Label names: NVIDIA GPU feature discovery, GKE's GPU sharing, Karpenter, AMD's device plugin.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, ROUND_DOWN, Context, Decimal
from fractions import Fraction
from typing import NamedTuple

from estimators.gpu_model import INSTANCE_TYPE_LABELS
from estimators.money import ZERO
from estimators.prices import Provenance
from estimators.usage import Node
from estimators.workload import Container, Problem, Resources

Labels = Mapping[str, str]

_WHOLE = frozenset(
    {
        "nvidia.com/gpu",
        "amd.com/gpu",
        "gpu.intel.com/i915",
        "gpu.intel.com/xe",
        "google.com/tpu",
        "aws.amazon.com/neuron",
        "aws.amazon.com/neurondevice",
        "habana.ai/gaudi",
    }
)
_SLICED = ("nvidia.com/gpu", "nvidia.com/gpu.shared")
"""What slices are called under MIG's single strategy."""
_CORES = "aws.amazon.com/neuroncore"
_MIG_RESOURCE = re.compile(r"nvidia\.com/mig-(.+)")
_PROFILE = re.compile(r"(?:([0-9])c\.)?([0-9])g\.[0-9]{1,3}gb(?:[.+-][a-z.]+)?")
_PARTITION = re.compile(r"amd\.com/(spx|dpx|tpx|qpx|cpx)_nps[0-9]")
_LOOKS_LIKE_ONE = re.compile(r"gpu|cuda|neuron|tpu|npu|gaudi|ascend|fpga", re.IGNORECASE)

_MOST_SLICES = 7
_FOUR_SLICE_MODELS = ("A30", "RTX-PRO-6000")
_FOUR_SLICE_PROFILES = frozenset({"1g.6gb", "2g.12gb", "4g.24gb", "2g.48gb", "4g.96gb"})
"""MIG profiles that only models with four slices have (NVIDIA MIG user guide, supported profiles)."""
_PARTITIONS = {"spx": 1, "dpx": 2, "tpx": 3, "qpx": 4, "cpx": 8}
"""Accelerators an MI300X shows itself as in each compute partition mode; an MI300A has 6 in CPX."""
_CORES_OF = {"inf1": 4, "inf2": 2, "trn1": 2, "trn1n": 2, "trn2": 8}
"""NeuronCores of one Inferentia or Trainium device, by instance family."""

_EXACT_ENOUGH = Context(prec=28, rounding=ROUND_DOWN)


@dataclass(frozen=True, slots=True)
class GpuShare:
    """Physical accelerators one pod is charged for, what had to be assumed, and what has no price."""

    count: Decimal
    provenance: Provenance = Provenance.REQUESTED
    notes: tuple[str, ...] = ()
    unpriced: tuple[str, ...] = ()


class _Share(NamedTuple):
    fraction: Fraction
    doubt: str = ""


def is_gpu(resource: str) -> bool:
    """Whether a resource name is an accelerator or a share of one that can be priced."""
    return (
        resource.removesuffix(".shared") in _WHOLE
        or resource == _CORES
        or _PARTITION.fullmatch(resource) is not None
        or _mig_slices(resource) is not None
    )


def physical_gpus(resources: Resources, label_sets: Iterable[Labels]) -> GpuShare:
    """How many physical GPUs `resources` stand for, as the mean over the nodes the labels are of.

    `label_sets` are the labels of the nodes the pod may land on, or those it demands where no node is
    known. A share whose size nothing tells counts as a whole GPU, is `assumed`, and is noted.
    """
    wanted = {name: amount for name, amount in resources.items() if amount and "/" in name}
    gpus = {name: amount for name, amount in wanted.items() if is_gpu(name)}
    unpriced = tuple(
        f"{name} looks like an accelerator that has no price"
        for name in wanted
        if name not in gpus and _LOOKS_LIKE_ONE.search(name) and "monitor" not in name
    )
    if not gpus:
        return GpuShare(ZERO, unpriced=unpriced)
    kinds = Counter(frozenset(gpu_labels(labels).items()) for labels in label_sets) or Counter([frozenset()])
    total, doubts = Fraction(0), []
    for kind, weight in kinds.items():
        for name, amount in gpus.items():
            share = _share_of(name, dict(kind))
            total += Fraction(amount) * share.fraction * weight
            doubts.append(share.doubt)
    mean = total / kinds.total()
    assumed = list(dict.fromkeys(filter(None, doubts)))
    return GpuShare(
        _EXACT_ENOUGH.divide(Decimal(mean.numerator), Decimal(mean.denominator)),
        Provenance.ASSUMED if assumed else Provenance.REQUESTED,
        tuple(assumed),
        unpriced,
    )


def gpus_of_node(node: Node) -> Decimal:
    """How many physical GPUs a node has, whole ones, however they are advertised."""
    size, labels = node.capacity or node.allocatable, node.labels
    physical = physical_gpus(size, [labels]).count
    # Slices that no MIG geometry uses are on the node all the same.
    counted = ZERO
    if labels.get("nvidia.com/mig.strategy") == "mixed":
        counted = Decimal(_positive(labels.get("nvidia.com/gpu.count")) or 0)
    elif (piece := _single_strategy(labels.get("nvidia.com/gpu.product", ""), labels)) < 1:
        counted = sum((size.get(name, ZERO) / (_sharers(name, labels) or 1) for name in _SLICED), ZERO)
        counted /= 1 // piece
    return max(physical, counted).to_integral_value(rounding=ROUND_CEILING)


def gpu_labels(labels: Labels) -> Labels:
    """The labels that can change what a share is, so that like nodes count as one."""
    prefixes = ("nvidia.com/", "amd.com/", "aws.amazon.com/", "google.com/", "habana.ai/", "gpu.intel.com/")
    return {
        key: value
        for key, value in labels.items()
        if key.startswith(("cloud.google.com/gke-", *prefixes)) or key in INSTANCE_TYPE_LABELS
    }


def extended_resource_problems(container: Container) -> tuple[Problem, ...]:
    """What the API server refuses about a container's extended resources.

    They need a limit, a request must equal it, and both are whole numbers
    (`ValidateContainerResources` and the documentation of extended resources).
    """
    found = []
    names = {name: None for name in (*container.requests, *container.limits) if _is_extended(name)}
    for name in names:
        request, limit = container.requests.get(name), container.limits.get(name)
        path = (*container.path, "resources", "requests" if limit is None else "limits", name)
        if limit is None:
            found.append(Problem(path, f"{name} needs a limit; a request alone is refused"))
        elif request is not None and request != limit:
            found.append(
                Problem(path, f"the request of {name} ({request:f}) must equal its limit ({limit:f})")
            )
        amount = request if limit is None else limit
        if amount is not None and amount != amount.to_integral_value():
            found.append(Problem(path, f"{name} must be a whole number, not {amount:f}"))
    return tuple(found)


def mig_fraction(profile: str, product: str = "") -> Fraction | None:
    """The share of a GPU's compute a MIG profile such as `1g.5gb` is: g of G slices; None if it is none.

    G is 7, or 4 on an A30 and an RTX PRO 6000. `1c.3g.20gb` is one compute slice of an instance.
    """
    match = _PROFILE.fullmatch(profile)
    if match is None:
        return None
    plain = re.sub(r"^[0-9]c\.|[.+-](?:me|gfx|all).*$", "", profile)
    four = plain in _FOUR_SLICE_PROFILES or any(model in product for model in _FOUR_SLICE_MODELS)
    most = 4 if four else _MOST_SLICES
    slices = int(match[1] or match[2])
    return Fraction(slices, most) if 0 < slices <= most else None


def _share_of(resource: str, labels: Labels) -> _Share:
    if resource == _CORES:
        return _cores_share(labels)
    if partition := _PARTITION.fullmatch(resource):
        return _partition_share(partition[1], labels)
    product = labels.get("nvidia.com/gpu.product", "")
    profile = _mig_slices(resource)
    base = resource.removesuffix(".shared")
    if profile is not None:
        piece = mig_fraction(profile, product) or Fraction(1)
    elif base == "nvidia.com/gpu":
        piece = _single_strategy(product, labels)
    else:
        piece = Fraction(1)
    sharers = _sharers(resource, labels)
    if sharers is None:
        return _Share(
            piece,
            f"how many share one {base} is not known, it is counted whole"
            f" (the node label {base}.replicas tells)",
        )
    return _Share(piece / sharers)


def _single_strategy(product: str, labels: Labels) -> Fraction:
    """MIG whose slices keep the name `nvidia.com/gpu`: the product label or GKE's own says which."""
    profile = product.removesuffix("-SHARED").partition("-MIG-")[2]
    profile = profile or labels.get("cloud.google.com/gke-gpu-partition-size", "")
    return mig_fraction(profile, product) or Fraction(1)


def _sharers(resource: str, labels: Labels) -> int | None:
    """How many share one device (or slice); None where it is shared among nobody knows how many."""
    base = resource.removesuffix(".shared")
    keys = (f"{resource}.replicas", f"{base}.replicas", "cloud.google.com/gke-max-shared-clients-per-gpu")
    said = [count for count in (_positive(labels.get(key)) for key in keys) if count]
    if said:
        return said[0]
    shared = (
        resource != base
        or labels.get("nvidia.com/gpu.product", "").endswith("-SHARED")
        or labels.get("nvidia.com/gpu.sharing-strategy", "none") != "none"
        or "cloud.google.com/gke-gpu-sharing-strategy" in labels
    )
    return None if shared else 1


def _cores_share(labels: Labels) -> _Share:
    family = next((labels[key] for key in INSTANCE_TYPE_LABELS if key in labels), "").partition(".")[0]
    cores = _CORES_OF.get(family)
    if cores is None:
        return _Share(
            Fraction(1, 2),
            f"how many {_CORES} one device has is not known, two are assumed"
            " (the node label node.kubernetes.io/instance-type tells)",
        )
    return _Share(Fraction(1, cores))


def _partition_share(mode: str, labels: Labels) -> _Share:
    product = labels.get("amd.com/gpu.product-name", "")
    parts = 6 if mode == "cpx" and "MI300A" in product else _PARTITIONS[mode]
    if product or mode == "spx":
        return _Share(Fraction(1, parts))
    return _Share(
        Fraction(1, parts),
        f"an MI300X is assumed, of which a {mode} partition is 1/{parts}"
        " (the node label amd.com/gpu.product-name tells)",
    )


def _mig_slices(resource: str) -> str | None:
    match = _MIG_RESOURCE.fullmatch(resource.removesuffix(".shared"))
    return match[1] if match and _PROFILE.fullmatch(match[1]) else None


def _positive(value: str | None) -> int | None:
    return int(value) if value and re.fullmatch(r"[0-9]{1,6}", value) and int(value) > 0 else None


def _is_extended(name: str) -> bool:
    return "/" in name and "kubernetes.io/" not in name
