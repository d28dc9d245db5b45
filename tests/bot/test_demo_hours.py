"""The hours of the sample that `tuppence demo` tells of: they agree with its recording and its manifests."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from bot.app import DiffOptions, price
from bot.demo.hours import hours
from bot.demo.recording import END, recording
from bot.demo.story import make_sample
from estimators.allocate import allocate
from estimators.quantity import GIB


def test_pods_request_together_what_the_recording_says() -> None:
    """On the last day; else the digest would tell of another cluster than its savings."""
    last_day = [pod for hour in list(hours())[-24:] for pod in hour.containers]
    asked = recording().requested

    assert sum(pod.cpu_requested for pod in last_day) / 24 == pytest.approx(float(asked["cpu"]), rel=0.02)
    memory = sum(pod.memory_requested for pod in last_day) / 24
    assert memory == pytest.approx(float(asked["memory"] / GIB), rel=0.02)


def test_pods_request_what_their_manifests_say(tmp_path: Path) -> None:
    """Of each workload that the sample's pull request changes."""
    sample = make_sample(tmp_path / "demo")
    options = DiffOptions(base=sample.base, head=sample.head, repo=sample.repository, usage=sample.recording)
    report = price(options).report
    declared = {
        (row.identity.namespace, row.identity.name): (row.before.pod.cpu_cores, row.before.pod.memory_gib)
        for row in report.rows
        if row.before is not None
    }
    seen = {
        (pod.workload.namespace, pod.workload.name): (
            pod.cpu_requested / pod.hours,
            pod.memory_requested / pod.hours,
        )
        for hour in list(hours())[-24:]
        for pod in hour.containers
    }

    assert len(declared) == 6
    for name, requests in declared.items():
        assert seen[name] == pytest.approx(tuple(map(float, requests)))


def test_what_ran_fits_on_the_nodes() -> None:
    """No node is asked for more than it has: every claim is charged at its price."""
    for hour in hours():
        for node in hour.nodes:
            here = [pod for pod in hour.containers if pod.node == node.node]
            assert sum(max(pod.cpu_requested, pod.cpu_used or 0) for pod in here) <= node.cores
            assert sum(max(pod.memory_requested, pod.memory_used or 0) for pod in here) <= node.memory_gib
            assert sum(pod.gpus for pod in here) <= node.gpus


def test_the_nodes_of_the_last_hour_are_those_of_the_recording() -> None:
    """At the same prices, and the load test's has gone."""
    *_, last = hours()
    charged = allocate(last)

    assert (END - last.hour).total_seconds() == 3600
    assert {node.node for node in charged.nodes} == {node.name for node in recording().nodes}
    totals = [node.hourly["total"] for node in recording().nodes if "total" in node.hourly]
    general = [node.bill for node in charged.nodes if node.node.startswith("general")]
    assert [Decimal(bill).scaleb(-9) for bill in general] == totals
