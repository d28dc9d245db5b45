"""The rules that ours are compared with do what their sources say, worked out by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from tests.benchmarks.known_loads import MIB, PODS, STEPS, STEPS_A_DAY, Load
from tests.benchmarks.peer_rules import krr, vpa

FLAT = Load(
    "flat",
    "flat",
    cpu=np.full((PODS, STEPS), 0.5),
    memory=np.full((PODS, STEPS), 400 * MIB),
    next_cpu=np.full((PODS, STEPS), 0.5),
    next_memory=np.full((PODS, STEPS), 400 * MIB),
)


def test_a_flat_load_is_proposed_with_the_margins_of_each() -> None:
    """KRR: as it is, and 15 % on memory. VPA: 15 % on the upper edge of a bucket, 0.511 cores and 424 MiB."""
    assert krr(FLAT) == pytest.approx({"cpu": 0.5, "memory": 460 * MIB})
    assert vpa(FLAT) == pytest.approx({"cpu": 0.5878, "memory": 488.06 * MIB}, rel=1e-4)


def test_small_loads_get_the_least_of_each() -> None:
    """10m and 100 MiB; 25m and 250 MiB."""
    small = replace(FLAT, cpu=FLAT.cpu / 1000, memory=FLAT.memory / 100)

    assert krr(small) == {"cpu": 0.01, "memory": 100 * MIB}
    assert vpa(small) == {"cpu": 0.025, "memory": 250 * MIB}


def test_the_busiest_pod_counts_for_krr_and_all_alike_for_vpa() -> None:
    """One of three uses four times as much: it is a third of VPA's samples, more than the tenth above its target."""
    cpu = FLAT.cpu * np.array([[4.0], [1.0], [1.0]])

    assert krr(replace(FLAT, cpu=cpu))["cpu"] == 2.0
    assert vpa(replace(FLAT, cpu=cpu))["cpu"] > 2.0


def test_vpa_forgets_a_peak_of_last_week_and_krr_keeps_its_memory() -> None:
    """Of two hours six days before the end: 1.6 % of its weight is left; no percentile below 99 saw it."""
    busy = slice(STEPS - 6 * STEPS_A_DAY, STEPS - 6 * STEPS_A_DAY + 24)
    cpu, memory = FLAT.cpu.copy(), FLAT.memory.copy()
    cpu[:, busy] *= 4
    memory[:, busy] *= 3
    peaked = replace(FLAT, cpu=cpu, memory=memory)

    assert vpa(peaked) == vpa(FLAT)
    assert krr(peaked) == pytest.approx({"cpu": 0.5, "memory": 1380 * MIB})


def test_krr_says_nothing_of_cpu_that_an_autoscaler_divides_by() -> None:
    """VPA does not look."""
    scaled = replace(FLAT, scaled=True)

    assert krr(scaled).keys() == {"memory"}
    assert vpa(scaled) == vpa(FLAT)
