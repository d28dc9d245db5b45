"""What live history says about what changed."""

from __future__ import annotations

import numpy as np
import pytest

from estimators.change import Side
from estimators.seen import seen
from estimators.usage import GpuUsage, WorkloadUsage
from tests.builders import autoscaler, change, container, side, workload
from tests.usage_builders import container_usage, history

MEBI = 2**20
USED = history(
    container_usage(cpu=2.43, memory=683.0 * MEBI, oom_kills=2, throttled_ratio=0.31),
    container_usage("proxy"),
)


def limited(**limits: str) -> Side:
    """One container and its limits."""
    return side(workload(container(limits=limits)))


def both(limit: str) -> Side:
    """Two containers with the same limit."""
    parts = [container(name, limits={"memory": limit}) for name in ("api", "proxy")]
    return side(workload(*parts))


def bounded(least: int, most: int, target: int = 70) -> Side:
    """Pods under an autoscaler."""
    return side(workload(container(), replicas=None), autoscaler=autoscaler(least, most, target=target))


PODS = history(replicas=np.array([8.0] * 97 + [10.0] * 3 + [np.nan] * 5))
HALF_IDLE = np.full(4032, 0.22)
ON_GPUS = history(gpu=GpuUsage(HALF_IDLE, HALF_IDLE))


@pytest.mark.parametrize(
    ("before", "after", "usage", "expected"),
    [
        pytest.param(limited(memory="2Gi"), limited(memory="1Gi"), USED, "peak 683 MiB, 2 OOM kills", id="memory"),
        pytest.param(limited(cpu="2"), limited(cpu="1"), USED, "p95 0.81 cores, throttled 31 %", id="CPU"),
        pytest.param(both("2Gi"), both("1Gi"), USED, "api: peak 683 MiB, 2 OOM kills, proxy: peak 256 MiB", id="two containers"),
        pytest.param(bounded(2, 10), bounded(2, 30), PODS, "8.1 pods on average, at max 3 % of the time", id="bounds"),
        pytest.param(bounded(2, 10), bounded(2, 10, 50), PODS, "8.1 pods on average, at max 3 % of the time", id="target"),
        pytest.param(side(workload(container(), replicas=9)), side(workload(container(), replicas=8)), PODS, "8.1 pods on average", id="replicas"),
        pytest.param(limited(**{"nvidia.com/gpu": "1"}), limited(**{"nvidia.com/gpu": "2"}), ON_GPUS, "busy 22 % of 14 days", id="GPUs"),
        pytest.param(limited(), None, USED, "p95 2.73 cores, 3 pods on average", id="removed"),
        pytest.param(limited(memory="2Gi"), limited(memory="1Gi"), None, "", id="no history"),
        pytest.param(limited(), limited(), USED, "", id="nothing it knows of changed"),
    ],
)  # fmt: skip
def test_it_speaks_of_what_changed(
    before: Side, after: Side | None, usage: WorkloadUsage | None, expected: str
) -> None:
    """And of nothing else."""
    assert seen(change(before, after, usage)) == expected
