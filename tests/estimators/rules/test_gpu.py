"""GPUs asked for while those held are idle, and taken away while they work."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from estimators.change import Side, WorkloadChange
from estimators.report import Severity, Verdict
from estimators.rules import judge
from estimators.usage import GpuUsage
from estimators.verdict import row_verdict
from tests.builders import change, container, fired, side, workload, workload_of_groups
from tests.usage_builders import Values, container_usage, history, node, series, snapshot


def gpus(count: int, replicas: int = 1, *, known: bool = True) -> Side:
    """Pods of so many GPUs each."""
    asked = container(limits={"nvidia.com/gpu": count})
    return side(workload(asked, replicas=replicas), gpus=Decimal(count), known=known)


def with_use(before: Side | None, after: Side, busy: float | None, *, shared: bool = False) -> WorkloadChange:
    """The GPUs it holds were busy for that share, in the steps that have data."""
    ratio = np.array([np.nan if busy is None else busy] * 287 + [np.nan])
    used = GpuUsage(ratio, ratio, shared=shared, note="no pod labels" if shared else "")
    seen = history(container_usage(steps=288), gpu=used)
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


GIB = 2**30


def cut(
    before: Side,
    after: Side,
    busy: Values,
    *,
    memory: float | None = 30 * GIB,
    pods: float = 1,
    size: str | None = "81920",
    shared: bool = False,
) -> WorkloadChange:
    """A day of GPUs that were so busy and held so many bytes each, on nodes whose GPUs have `size` MiB."""
    held = np.full(288, np.nan if memory is None else memory)
    seen = history(
        container_usage(steps=288), replicas=pods, gpu=GpuUsage(series(busy, 288), held, shared=shared)
    )
    labels = {"nvidia.com/gpu.memory": size} if size else {}
    nodes = [node("n", {"cpu": 8, "memory": "32Gi", "nvidia.com/gpu": 8}, labels=labels)]
    return change(before, after, seen, usage=snapshot(seen, steps=288, nodes=nodes))


def at_times(share: float, much: float) -> Values:
    """As busy as that for a share of the day, else idle."""
    return [much] * round(288 * share) + [0.0] * (288 - round(288 * share))


@pytest.mark.parametrize(
    ("judged", "severity"),
    [
        pytest.param(cut(gpus(2), gpus(1), 0.9), Severity.RISKY, id="1.8 on one"),
        pytest.param(cut(gpus(2), gpus(1), 0.5), None, id="1.0 on one"),
        pytest.param(
            cut(gpus(2), gpus(1), at_times(0.4, 0.9)), Severity.CAUTION, id="less than half of the day"
        ),
        pytest.param(cut(gpus(2), gpus(1), at_times(0.04, 0.9)), None, id="less than a twentieth of it"),
        pytest.param(cut(gpus(1), gpus(0), 0.1), Severity.RISKY, id="none is left"),
        pytest.param(cut(gpus(1), gpus(0), 0.0), None, id="none is left of one that idled"),
        pytest.param(cut(gpus(1, 4), gpus(1, 2), 0.9, pods=4), Severity.RISKY, id="half of the pods"),
        pytest.param(cut(gpus(1, 4), gpus(1, 2), 0.4, pods=4), None, id="half of the pods, for 1.6 GPUs"),
        pytest.param(cut(gpus(2), gpus(2), 0.9), None, id="untouched"),
        pytest.param(cut(gpus(2, 3), gpus(1, 6), 0.9, pods=3), None, id="as many in more pods"),
        pytest.param(
            cut(gpus(2), gpus(1), 0.9, shared=True), Severity.CAUTION, id="shared: others use it too"
        ),
        pytest.param(cut(gpus(2), gpus(1), 0.1, memory=50 * GIB), Severity.RISKY, id="100 GiB on 80"),
        pytest.param(cut(gpus(2), gpus(1), 0.1, size=None), Severity.CAUTION, id="GPUs of unknown memory"),
        pytest.param(cut(gpus(2), gpus(1), 0.1, memory=None), Severity.CAUTION, id="memory was not measured"),
        pytest.param(
            cut(gpus(1, 2), gpus(1, 0), 0.9, pods=2), None, id="switched off, which another rule says"
        ),
    ],
)
def test_fewer_gpus_have_to_do_the_work(judged: WorkloadChange, severity: Severity | None) -> None:
    """Half of the time it is too little: risky; at peaks: caution; and what is in their memory has to fit."""
    found = fired(judged, "gpu-below-usage")

    assert [item.severity for item in found] == ([severity] if severity else [])


def test_busy_gpus_that_go_are_not_safe() -> None:
    """Whatever else is known of the pods."""
    judged = cut(gpus(2), gpus(1), 0.9)

    assert row_verdict(judged, judge(judged)) is Verdict.RISKY
    [found] = fired(judged, "gpu-below-usage")
    assert found.path == "spec.template.spec.containers[0].resources.limits.nvidia.com/gpu"
    assert found.message == "its work took more than the GPUs that are left, up to 1.8 at once"
    assert found.safe_value == "2"
