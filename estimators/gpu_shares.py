"""Parts of a GPU that nodes offer: MIG slices and turns on a shared one, with their share and memory.

Names and labels: NVIDIA's device plugin and GPU feature discovery. Memory labels are MiB.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from estimators.gpu import physical_gpus
from estimators.prices import Provenance
from estimators.quantity import MIB
from estimators.usage import Node

WHOLE = "nvidia.com/gpu"
TURNS = "nvidia.com/gpu.shared"
_MIG = re.compile(r"nvidia\.com/mig-[0-9]g\.([0-9]{1,3})gb")
_GB = Decimal(10**9)


@dataclass(frozen=True, slots=True)
class GpuPart:
    """One unit of a resource on some nodes: its share of a GPU (0-1) and the least memory it has there."""

    resource: str
    share: Fraction
    memory_bytes: Decimal | None

    @property
    def is_slice(self) -> bool:
        """Whether hardware keeps it apart from its neighbours."""
        return _MIG.fullmatch(self.resource) is not None


def is_part(resource: str) -> bool:
    """Whether a resource is a part of a GPU that we know the size of."""
    return resource == TURNS or _MIG.fullmatch(resource) is not None


def gpu_memory(nodes: Iterable[Node]) -> Decimal | None:
    """Bytes of one whole GPU, of the smallest that the nodes have; None where no label tells."""
    found = [
        size
        for node in nodes
        if node.allocatable.get(WHOLE) and (size := _mib(node, f"{WHOLE}.memory")) is not None
    ]
    return min(found, default=None)


def part_on(resource: str, nodes: Iterable[Node]) -> GpuPart | None:
    """One unit of a resource on those nodes that offer it; None where none does, or its size is not known."""
    parts = [_part(resource, node) for node in nodes if node.allocatable.get(resource)]
    known = [part for part in parts if part is not None]
    if not known or len(known) < len(parts):
        return None
    memories = [part.memory_bytes for part in known if part.memory_bytes is not None]
    memory = min(memories) if len(memories) == len(known) else None
    return GpuPart(resource, min(part.share for part in known), memory)


def parts_offered(nodes: Iterable[Node]) -> list[GpuPart]:
    """The parts that any of the nodes offers, the smallest share first."""
    there = list(nodes)
    names = {name for node in there for name, amount in node.allocatable.items() if amount and is_part(name)}
    found = (part_on(name, there) for name in names)
    return sorted((part for part in found if part), key=lambda part: (part.share, part.resource))


def _part(resource: str, node: Node) -> GpuPart | None:
    one = physical_gpus({resource: Decimal(1)}, [node.labels])
    if one.provenance is Provenance.ASSUMED or not 0 < one.count < 1:
        return None
    share = Fraction(one.count)
    if match := _MIG.fullmatch(resource):
        said = _mib(node, f"{resource}.memory")
        return GpuPart(resource, share, Decimal(match[1]) * _GB if said is None else said)
    whole = _mib(node, f"{WHOLE}.memory")
    return GpuPart(resource, share, None if whole is None else whole * one.count)


def _mib(node: Node, label: str) -> Decimal | None:
    value = node.labels.get(label, "")
    return int(value) * MIB if re.fullmatch(r"[1-9][0-9]{0,8}", value) else None
