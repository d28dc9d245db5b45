"""GPUs asked for while those held are idle."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from estimators.change import Side, WorkloadChange
from estimators.usage import GpuUsage
from tests.builders import change, container, fired, side, workload, workload_of_groups
from tests.usage_builders import history


def gpus(count: int, replicas: int = 1, *, known: bool = True) -> Side:
    """Pods of so many GPUs each."""
    asked = container(limits={"nvidia.com/gpu": count})
    return side(workload(asked, replicas=replicas), gpus=Decimal(count), known=known)


def with_use(before: Side | None, after: Side, busy: float | None, *, shared: bool = False) -> WorkloadChange:
    """The GPUs it holds were busy for that share, in the steps that have data."""
    ratio = np.array([np.nan if busy is None else busy] * 287 + [np.nan])
    seen = history(gpu=GpuUsage(ratio, ratio, shared=shared, note="no pod labels" if shared else ""))
    return change(before, after, seen)


@pytest.mark.parametrize(
    ("before", "after", "busy", "safe"),
    [
        pytest.param(gpus(1), gpus(2), 0.22, "1", id="mostly idle"),
        pytest.param(gpus(1), gpus(2), 0.5, None, id="busy half the time"),
        pytest.param(gpus(1), gpus(2), 0.499, "1", id="just under half"),
        pytest.param(gpus(1, 2), gpus(1, 3), 0.22, "2", id="more pods"),
        pytest.param(gpus(2), gpus(1), 0.22, None, id="fewer"),
        pytest.param(gpus(2), gpus(2), 0.22, None, id="untouched"),
        pytest.param(None, gpus(2), 0.22, None, id="new"),
        pytest.param(gpus(1), gpus(2), None, None, id="no data"),
        pytest.param(gpus(1), gpus(2, known=False), 0.22, None, id="count not known"),
    ],
)
def test_more_gpus_need_busy_ones(
    before: Side | None, after: Side, busy: float | None, safe: str | None
) -> None:
    """Under half busy, the load would fit on half of them."""
    found = fired(with_use(before, after, busy), "gpu-increase-while-idle")

    assert [item.safe_value for item in found] == ([safe] if safe else [])


def test_the_finding_says_how_busy_they_are() -> None:
    """And whether the measure is of the pod's own share."""
    [found] = fired(with_use(gpus(1), gpus(2), 0.22, shared=True), "gpu-increase-while-idle")

    assert found.message == "more GPUs, while those it has are busy 22 % of the time"
    assert found.path == "spec.template.spec.containers[0].resources.limits.nvidia.com/gpu"
    assert found.evidence["note"] == "no pod labels"
    assert "others share" in found.evidence["measured"]


def test_without_history_the_rule_is_silent() -> None:
    """Nobody knows whether they are idle."""
    assert not fired(change(gpus(1), gpus(2)), "gpu-increase-while-idle")
    assert not fired(change(gpus(1), gpus(2), history()), "gpu-increase-while-idle")


def test_groups_of_pods_are_counted_together() -> None:
    """A Ray cluster whose workers grow."""
    one, three = (
        side(workload_of_groups(head=1, workers=count), gpus=Decimal(1), pods=1 + count) for count in (1, 3)
    )

    [found] = fired(with_use(one, three, 0.1), "gpu-increase-while-idle")

    assert (found.path, found.safe_value) == ("spec.template.spec", "")
