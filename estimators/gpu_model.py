"""Which model of GPU labels speak of, and what a price sheet asks for it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import NamedTuple

from estimators.prices import PriceSheet

Labels = Mapping[str, str]

PRODUCT_LABELS = (
    "nvidia.com/gpu.product",
    "amd.com/gpu.product-name",
    "cloud.google.com/gke-accelerator",
    "cloud.google.com/gke-tpu-accelerator",
    "karpenter.k8s.aws/instance-gpu-name",
    "karpenter.k8s.aws/instance-accelerator-name",
    "eks.amazonaws.com/instance-gpu-name",
    "karpenter.azure.com/sku-gpu-name",
    "gpu.nvidia.com/class",
    "nvidia.com/gpu_type",
    "k8s.amazonaws.com/accelerator",
)
INSTANCE_TYPE_LABELS = ("node.kubernetes.io/instance-type", "beta.kubernetes.io/instance-type")
_MODEL_OF_FAMILY = {
    "p3": "V100",
    "p3dn": "V100",
    "p4d": "A100-SXM4-40GB",
    "p4de": "A100-SXM4-80GB",
    "p5": "H100",
    "p5e": "H200",
    "p5en": "H200",
    "p6-b200": "B200",
    "p6-b300": "B300",
    "g4dn": "T4",
    "g5": "A10G",
    "g5g": "T4G",
    "g6": "L4",
    "gr6": "L4",
    "g6e": "L40S",
    "g4ad": "Radeon-Pro-V520",
    "inf1": "Inferentia",
    "inf2": "Inferentia2",
    "trn1": "Trainium",
    "trn1n": "Trainium",
    "trn2": "Trainium2",
}
"""Accelerator of AWS's instance families, for nodes that carry no label of a GPU plugin."""
_BRANDS = frozenset({"nvidia", "tesla", "amd", "aws", "instinct", "google", "geforce"})


class GpuPrice(NamedTuple):
    """The price of one GPU-hour in a sheet, under the key that matched the model."""

    hourly: Decimal
    product: str
    ambiguous: bool
    """Several keys match the model as little as it is known; this is the dearest of them."""


def gpu_product(labels: Labels) -> str:
    """The GPU model that node labels, or the labels a pod demands, name; `""` where none does.

    `-SHARED` and `-MIG-<profile>` are how it is cut up, not what it is, and are left out.
    """
    for key in PRODUCT_LABELS:
        if labels.get(key):
            return base_product(labels[key])
    machine = next((labels[key] for key in INSTANCE_TYPE_LABELS if labels.get(key)), "")
    return _MODEL_OF_FAMILY.get(machine.partition(".")[0], "")


def base_product(product: str) -> str:
    """A model name less its `-SHARED` and `-MIG-<profile>` endings."""
    return product.removesuffix("-SHARED").partition("-MIG-")[0]


def gpu_price(sheet: PriceSheet, product: str) -> GpuPrice | None:
    """The sheet's price for a model, however much of its name each side writes; None where it has none.

    `nvidia-tesla-t4`, `Tesla-T4` and `T4` are one model; `A10` and `A100` are not.
    """
    if not product:
        return None
    if product in sheet.gpus:
        return GpuPrice(sheet.gpus[product], product, ambiguous=False)
    words = _words(product)
    found = [(price, name) for name, price in sheet.gpus.items() if _same_model(words, _words(name))]
    if not found:
        return None
    price, name = max(found)
    return GpuPrice(price, name, ambiguous=len({price for price, _ in found}) > 1)


def _words(product: str) -> frozenset[str]:
    return frozenset(re.split(r"[-_ .]+", base_product(product).casefold())) - _BRANDS - {""}


def _same_model(left: frozenset[str], right: frozenset[str]) -> bool:
    return bool(left and right) and (left <= right or right <= left)
