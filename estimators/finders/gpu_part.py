"""Models that would fit into a slice of a GPU, or into turns on a shared one, that nodes already offer."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from estimators.finders.candidate import Candidate, Proposal, new_value
from estimators.gpu_shares import WHOLE, GpuPart, gpu_memory, parts_offered
from estimators.placement import fits, matching_nodes
from estimators.recommendation import FieldChange, LeftAlone, Reason
from estimators.rules.gpu import busiest
from estimators.rules.pods import only_group
from estimators.rules.words import percent_words, size_words
from estimators.usage import Node, coverage, observed, peak
from estimators.workload import Container

FINDER = "gpu-part"
RESERVED = 0.8
"""Share of a GPU's memory from which on it is taken to be reserved and not needed: TensorFlow and JAX take
all or three quarters at the start, vLLM 90 %."""
COVERED = 0.8


def gpu_part(candidate: Candidate) -> Iterator[Proposal | LeftAlone]:
    """The smallest part of a GPU that holds the memory peak and the busiest step, with the profile's margins.

    Of a container with one whole GPU of its own. What a framework reserves says nothing of its model, and
    is left.
    """
    group, gpu = only_group(candidate.side), candidate.history.gpu
    if group is None or gpu is None or gpu.shared or gpu.note:
        return
    containers = [item for item in group.template.running if item.limits.get(WHOLE)]
    if len(containers) != 1 or containers[0].limits[WHOLE] != 1:
        return
    nodes = matching_nodes(group.template.placement, candidate.cluster.nodes, tolerate_cordon=False)
    busy, memory, whole = busiest(candidate.history), peak(gpu.memory_peak_bytes), gpu_memory(nodes)
    fast = [part for part in parts_offered(nodes) if busy is not None and _is_fast(part, busy, candidate)]
    if not fast or busy is None or memory is None or not _is_measured(candidate):
        return
    facts = {"GPU memory at the most": size_words(memory), "busy at the most": percent_words(busy)}
    if whole is None or memory >= RESERVED * float(whole):
        of = "an unknown share" if whole is None else percent_words(memory / float(whole))
        why = f"it holds {of} of its GPU's memory: what a framework reserves does not tell what it needs"
        yield candidate.left(FINDER, Reason.RISKY, why=why, **facts)
        return
    part = next((part for part in fast if _holds(part, memory, candidate, nodes)), None)
    if part is None or part.memory_bytes is None:
        return
    yield Proposal(
        FINDER,
        candidate,
        tuple(_changes(candidate, containers[0], part)),
        {
            **facts,
            "memory of the part": size_words(part.memory_bytes),
            "share of the part": percent_words(float(part.share)),
            "window": candidate.window(coverage(gpu.memory_peak_bytes)),
            "profile": candidate.profile.name,
        },
        risks=tuple(_risks(part)),
        undo=f"Ask for {WHOLE}: 1 again; the pods are replaced, and a whole GPU has to be free.",
    )


def _is_measured(candidate: Candidate) -> bool:
    """Whether its GPU memory is known for most of the steps in which it ran."""
    gpu, ran = candidate.history.gpu, int(np.count_nonzero(candidate.history.replicas > 0))
    return gpu is not None and ran > 0 and observed(gpu.memory_peak_bytes).size >= COVERED * ran


def _is_fast(part: GpuPart, busy: float, candidate: Candidate) -> bool:
    """Whether the busiest step leaves the part as idle as the profile leaves a processor."""
    return busy <= float(part.share) * candidate.profile.target / 100


def _holds(part: GpuPart, memory: float, candidate: Candidate, nodes: tuple[Node, ...]) -> bool:
    """Whether the memory peak fits with the profile's margin, and the pod on a node that offers the part."""
    if part.memory_bytes is None or memory * float(candidate.profile.memory_margin) > part.memory_bytes:
        return False
    others = {name: amount for name, amount in candidate.pod.pod.items() if name != WHOLE}
    return any(node.allocatable.get(part.resource) and fits(others, node) for node in nodes)


def _changes(candidate: Candidate, container: Container, part: GpuPart) -> Iterator[FieldChange]:
    """No key can be taken out of a manifest, so the whole GPU stays there with none asked of it."""
    for kind, asked in (("limits", container.limits), ("requests", container.requests)):
        if WHOLE in asked:
            for resource, amount in ((WHOLE, "0"), (part.resource, "1")):
                path = (*container.path, "resources", kind, resource)
                yield new_value(candidate.workload.object, path, amount, container=container.name)


def _risks(part: GpuPart) -> Iterator[str]:
    yield "A larger batch or model than any in the window may not fit."
    yield "Bursts shorter than five minutes take longer."
    yield "Whether such a part is free is not known; until one is, new pods wait."
    if not part.is_slice:
        yield "Nothing keeps the memory of those who share the GPU apart: one of them can take it all."
