"""Workloads that are removed or switched off while they are used."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from estimators.change import Side
from estimators.report import Verdict
from estimators.rules import judge
from estimators.usage import GpuUsage, RunHistory, WorkloadUsage
from estimators.verdict import row_verdict, unknown_because
from estimators.workload import JobTerms, Scaling
from tests.builders import autoscaler, change, container, fired, side, workload
from tests.usage_builders import STEPS_A_DAY, container_usage, history

RUNS = side(workload(container(requests={"cpu": "1", "memory": "1Gi"})))
OFF = side(workload(container(requests={"cpu": "1", "memory": "1Gi"}), replicas=0))
BUSY = np.full(STEPS_A_DAY, 0.1)


@pytest.mark.parametrize(
    ("after", "seen", "fires"),
    [
        pytest.param(None, history(container_usage(cpu=0.42)), True, id="in use"),
        pytest.param(OFF, history(container_usage(cpu=0.42)), True, id="scaled to 0 in use"),
        pytest.param(None, history(container_usage(cpu=0.001)), False, id="at 1m"),
        pytest.param(None, history(container_usage(cpu=0.0011)), True, id="just above 1m"),
        pytest.param(None, history(container_usage(cpu=0.0006), container_usage("b", cpu=0.0006)), True, id="together above 1m"),
        pytest.param(None, history(container_usage(cpu=0.0), gpu=GpuUsage(BUSY, BUSY)), True, id="a busy GPU"),
        pytest.param(None, history(container_usage(cpu=0.0), runs=RunHistory(3, 3, 60.0)), True, id="a job that ran"),
        pytest.param(None, None, False, id="no history"),
        pytest.param(RUNS, history(container_usage(cpu=0.42)), False, id="stays"),
    ],
)  # fmt: skip
def test_what_is_used_does_not_go_unnoticed(
    after: Side | None, seen: WorkloadUsage | None, fires: bool
) -> None:
    """Used is a p95 above the smallest CPU request there is, a busy GPU, or a run."""
    found = fired(change(RUNS, after, seen), "removed-in-use")

    assert fires == bool(found)


def test_a_cron_job_that_is_suspended_goes_away_too() -> None:
    """With the runs it had; one that never ran may go."""
    terms = JobTerms(None, Decimal(1), None, "0 3 * * *")
    before, after = (
        side(workload(container(), scaling=Scaling.CRON, job=replace(terms, suspended=suspended)))
        for suspended in (False, True)
    )
    idle = history(container_usage(cpu=0.0), replicas=0)
    ran = replace(idle, runs=RunHistory(14, 14, 840.0))

    [found] = fired(change(before, after, ran), "removed-in-use")
    assert (found.message, found.path) == ("suspended while in use: 14 runs in the window", "spec.suspend")
    assert not fired(change(before, after, idle), "removed-in-use")
    assert not fired(change(after, after, ran), "removed-in-use")


def test_the_use_is_in_the_message_and_the_evidence() -> None:
    """Mean and p95."""
    [found] = fired(change(RUNS, None, history(container_usage(cpu=0.42))), "removed-in-use")

    assert found.message == "removed while in use: 0.42 cores on average"
    assert found.evidence["CPU p95"] == "0.42 cores"


@pytest.mark.parametrize("after", [None, OFF], ids=["removed", "scaled to 0"])
@pytest.mark.parametrize(
    ("seen", "verdict"),
    [
        pytest.param(history(container_usage(cpu=0.42)), Verdict.CAUTION, id="in use"),
        pytest.param(history(container_usage(cpu=0.0)), Verdict.SAFE, id="idle"),
        pytest.param(history(container_usage(cpu=0.0, steps=STEPS_A_DAY)), Verdict.SAFE, id="idle for a day"),
        pytest.param(
            history(container_usage(cpu=0.0, steps=STEPS_A_DAY - 1)), Verdict.UNKNOWN, id="idle for less"
        ),
        pytest.param(None, Verdict.UNKNOWN, id="no history"),
    ],
)
def test_a_removal_is_safe_only_where_history_shows_it_idle(
    after: Side | None, seen: WorkloadUsage | None, verdict: Verdict
) -> None:
    """And unknown says what would tell."""
    judged = change(RUNS, after, seen)

    assert row_verdict(judged, judge(judged)) is verdict
    assert bool(unknown_because(judged)) == (verdict is Verdict.UNKNOWN)


def test_what_was_off_may_go() -> None:
    """No pods are taken away from nobody."""
    off = side(workload(container(), replicas=0), autoscaler=autoscaler())

    assert not fired(change(off, off, history(container_usage(cpu=1.0))), "removed-in-use")
