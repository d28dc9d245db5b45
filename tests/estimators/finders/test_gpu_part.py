"""Models that fit into a part of a GPU, and those of which nobody can tell."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimators.change import Cluster
from estimators.comparison import Revision, compare
from estimators.finders.gpu_part import gpu_part
from estimators.gpu_shares import parts_offered
from estimators.recommend import recommend
from estimators.recommendation import Found, Reason
from estimators.report import Row, Verdict
from estimators.usage import GpuUsage, Node, WorkloadUsage
from tests.recommendation_builders import STEPS, cluster, left, usage
from tests.usage_builders import Quantities, Values, node, series
from tests.yaml_objects import deployment, objects

GB = 10**9
A100 = {"nvidia.com/gpu.product": "NVIDIA-A100-SXM4-80GB", "nvidia.com/gpu.memory": "81920"}
ROOM: Quantities = {"cpu": 64, "memory": "512Gi"}
WHOLE = node("whole", {**ROOM, "nvidia.com/gpu": 8}, labels=A100)
SLICED = node(
    "sliced",
    {**ROOM, "nvidia.com/mig-1g.10gb": 7, "nvidia.com/mig-2g.20gb": 3},
    labels={**A100, "nvidia.com/mig.strategy": "mixed"},
)
TURNS = node(
    "turns",
    {**ROOM, "nvidia.com/gpu.shared": 4},
    labels={**A100, "nvidia.com/gpu.product": "NVIDIA-A100-SXM4-80GB-SHARED", "nvidia.com/gpu.replicas": "4"},
)
MODEL = deployment(cpu="4", memory="16Gi", replicas=1).replace("limits: {}", 'limits: {nvidia.com/gpu: "1"}')
FIELDS = "spec.template.spec.containers[0].resources"


def holding(memory: Values, busy: Values = 0.05, *, pods: int = 1, **fields: object) -> WorkloadUsage:
    """A model that holds bytes of GPU memory and is busy to a share."""
    gpu = GpuUsage(series(busy, STEPS), series(memory, STEPS), **fields)  # type: ignore[arg-type]
    return usage(cpu=3.9, memory=15.9 * 2**30, replicas=pods, gpu=gpu)


def fitting(known: WorkloadUsage, nodes: Sequence[Node] = (WHOLE, SLICED), text: str = MODEL) -> Found:
    """What the finder says."""
    there = cluster(known, nodes=nodes)
    return recommend(objects(text), lambda _name: there, finders=(gpu_part,))


def proposed(answer: Found) -> list[str]:
    """The resource that is proposed, where one is."""
    return [str(item.changes[1].path[-1]) for item in answer.recommendations]


def test_a_small_model_gets_the_smallest_slice_that_holds_it() -> None:
    """6 GB with a fifth more fit into 10 GB, at a seventh of the GPU; none is asked of whole ones."""
    [one] = fitting(holding(6 * GB)).recommendations

    assert [(item.field, item.current, item.proposed) for item in one.changes] == [
        (f"{FIELDS}.limits.nvidia.com/gpu", "1", "0"),
        (f"{FIELDS}.limits.nvidia.com/mig-1g.10gb", "", "1"),
    ]
    assert one.verdict is Verdict.SAFE
    assert one.allocated < -500
    assert one.evidence["share of the part"] == "14 %"


def test_a_request_beside_the_limit_follows_it() -> None:
    """The API server wants both to be the same."""
    text = MODEL.replace("requests: {", 'requests: {nvidia.com/gpu: "1", ')
    [one] = fitting(holding(6 * GB), text=text).recommendations

    assert [(item.path[-2], item.proposed) for item in one.changes] == [
        ("limits", "0"), ("limits", "1"), ("requests", "0"), ("requests", "1"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("known", "nodes", "resource"),
    [
        (holding(9 * GB), (WHOLE, SLICED), ["nvidia.com/mig-2g.20gb"]),
        (holding(6 * GB, 0.12), (WHOLE, SLICED), ["nvidia.com/mig-2g.20gb"]),
        (holding(6 * GB, 0.05, pods=3), (WHOLE, SLICED), ["nvidia.com/mig-2g.20gb"]),
        (holding(30 * GB), (WHOLE, SLICED), []),
        (holding(6 * GB, 0.4), (WHOLE, SLICED), []),
        (holding(6 * GB), (WHOLE,), []),
        (holding(6 * GB), (WHOLE, TURNS), ["nvidia.com/gpu.shared"]),
        (holding(6 * GB, shared=True), (WHOLE, SLICED), []),
        (holding(np.nan), (WHOLE, SLICED), []),
    ],
    ids=[
        "more memory",
        "more work",
        "one pod may do it all",
        "too much memory",
        "too much work",
        "nothing offered",
        "turns",
        "shared already",
        "memory not measured",
    ],
)
def test_a_part_has_room_for_the_peak_of_both(
    known: WorkloadUsage, nodes: Sequence[Node], resource: list[str]
) -> None:
    """Memory with the profile's margin, and the busiest step with its idle share."""
    text = MODEL.replace("replicas: 1", f"replicas: {int(known.replicas[0])}")

    assert proposed(fitting(known, nodes, text)) == resource


def test_memory_that_a_framework_reserves_says_nothing() -> None:
    """72 of 80 GB from the first minute on: how much the model needs is not told."""
    answer = fitting(holding(72 * GB))

    assert answer.recommendations == ()
    assert left(answer, Reason.RISKY).facts["why"].startswith("it holds 84 % of its GPU's memory")


def test_turns_are_said_to_share_the_memory() -> None:
    """Nothing keeps neighbours apart."""
    [one] = fitting(holding(6 * GB), (WHOLE, TURNS)).recommendations

    assert one.risks[-1].startswith("Nothing keeps the memory of those who share the GPU apart")


@pytest.mark.parametrize("labels", [{}, {"nvidia.com/gpu.replicas": "4"}], ids=["how many", "how large"])
def test_a_part_of_unknown_size_is_not_proposed(labels: dict[str, str]) -> None:
    """How many take turns, or how much memory there is, no label tells."""
    turns = node("turns", {**ROOM, "nvidia.com/gpu.shared": 4}, labels=labels)

    assert proposed(fitting(holding(6 * GB), (WHOLE, turns))) == []
    assert len(parts_offered([turns])) == len(labels)


@pytest.mark.parametrize(
    ("known", "verdict"),
    [
        (holding(9 * GB), Verdict.SAFE),
        (holding(11 * GB), Verdict.RISKY),
        (holding(np.where(np.arange(STEPS) == 100, 11 * GB, GB)), Verdict.RISKY),
        (holding(GB, 0.2), Verdict.RISKY),
        (holding(np.nan), Verdict.CAUTION),
    ],
    ids=["fits", "too much memory", "once", "too much work", "memory not measured"],
)
def test_a_pull_request_that_asks_for_a_slice_is_judged_by_the_peak(
    known: WorkloadUsage, verdict: Verdict
) -> None:
    """A slice of 10 GB and a seventh of the time."""
    found = row(known)

    assert found.verdict is verdict
    assert [item.rule for item in found.findings] == (
        [] if verdict is Verdict.SAFE else ["gpu-part-too-small"]
    )


def row(known: WorkloadUsage) -> Row:
    """Of a pull request that takes one slice in place of a GPU."""
    there: Cluster = cluster(known, nodes=(WHOLE, SLICED))
    after = MODEL.replace("nvidia.com/gpu:", "nvidia.com/mig-1g.10gb:")
    old, new = Revision("old", objects(MODEL)), Revision("new", objects(after))
    [found] = compare(old, new, lambda _environment: there).rows
    return found


@given(memory=st.floats(0, 80), busy=st.floats(0, 1), at=st.integers(0, STEPS - 1))
@settings(max_examples=60, deadline=None)
def test_no_part_is_ever_smaller_than_what_was_used(memory: float, busy: float, at: int) -> None:
    """Not even in one step."""
    spike = np.arange(STEPS) == at
    known = holding(np.where(spike, memory, 1) * GB, np.where(spike, busy, 0.01))
    for resource in proposed(fitting(known)):
        part = next(item for item in parts_offered([SLICED]) if item.resource == resource)
        assert part.memory_bytes is not None
        assert memory * GB <= part.memory_bytes
        assert busy <= part.share
