"""Loads whose future is known: a fortnight to judge by, and the next one to be judged against."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from tests.usage_builders import END

STEPS_A_DAY = 288
STEPS = 14 * STEPS_A_DAY
PODS = 3
MIB = 2.0**20
GIB = 2.0**30

Pods = NDArray[np.float64]
"""One row a pod, one column a step of five minutes."""


@dataclass(frozen=True)
class Load:
    """One workload: what each pod used, and what each will use in the next fortnight."""

    name: str
    kind: str
    cpu: Pods
    memory: Pods
    next_cpu: Pods
    next_memory: Pods
    oom_times: tuple[datetime, ...] = ()
    scaled: bool = False

    @property
    def needed_cores(self) -> float:
        """Four fifths of the busiest hour of the busiest pod.

        A shorter burst, or a quarter more than the request, finds room on most nodes; more does not.
        """
        hours = self.next_cpu.reshape(PODS, -1, 12).mean(axis=2)
        return 0.8 * float(hours.max())

    @property
    def needed_bytes(self) -> float:
        """The highest working set: one byte less is an OOM kill."""
        return float(self.next_memory.max())


_Course = tuple[Pods, Pods]


def loads(each: int, seed: int = 1) -> list[Load]:
    """So many workloads of each kind, always the same ones."""
    random = np.random.default_rng(seed)
    return [make(f"{kind}-{number}", random) for kind, make in KINDS.items() for number in range(each)]


def _hours(steps: int = 2 * STEPS) -> NDArray[np.float64]:
    return np.arange(steps) / 12


def _noise(random: np.random.Generator, base: NDArray[np.float64], share: float) -> Pods:
    """The course for each pod, a little different each."""
    return np.clip(base * (1 + share * random.standard_normal((PODS, base.size))), 0, None)


def _split(name: str, kind: str, cpu: Pods, memory: Pods, **more: object) -> Load:
    return Load(name, kind, cpu[:, :STEPS], memory[:, :STEPS], cpu[:, STEPS:], memory[:, STEPS:], **more)  # type: ignore[arg-type]


def _flat(random: np.random.Generator) -> _Course:
    cores, size = random.uniform(0.1, 0.4), random.uniform(200, 500) * MIB
    wave = 1 + 0.4 * np.sin(_hours() / 24 * 2 * np.pi)
    return _noise(random, cores * wave, 0.05), _noise(random, np.full(wave.size, size), 0.01)


def _daily(name: str, random: np.random.Generator) -> Load:
    return _split(name, "daily wave", *_flat(random))


def _weekly(name: str, random: np.random.Generator) -> Load:
    """Two hours a week, four times the cores and three times the memory."""
    cpu, memory = _flat(random)
    start = random.uniform(0, 150)
    batch = (_hours() % 168 >= start) & (_hours() % 168 < start + 2)
    return _split(name, "weekly batch", cpu * np.where(batch, 4, 1), memory * np.where(batch, 3, 1))


def _one_of_them(name: str, random: np.random.Generator) -> Load:
    """Two hours a week, one pod takes five times the cores: whoever has the lock, or the largest tenant."""
    cpu, memory = _flat(random)
    start = random.uniform(0, 150)
    batch = (_hours() % 168 >= start) & (_hours() % 168 < start + 2)
    cpu[int(random.integers(PODS))] *= np.where(batch, 5, 1)
    return _split(name, "weekly batch on one pod", cpu, memory)


def _start_up(name: str, random: np.random.Generator) -> Load:
    """Ten minutes after a start, three times the memory; one start early in the fortnight, one in the next."""
    cpu, memory = _flat(random)
    for start in (int(random.integers(2, 6)) * STEPS_A_DAY, STEPS + 3 * STEPS_A_DAY):
        memory[:, start : start + 2] *= 3
        cpu[:, start : start + 2] *= 3
    return _split(name, "start-up spike", cpu, memory)


def _leak(name: str, random: np.random.Generator) -> Load:
    """Memory grows from start to start: a deploy every four days, then none for ten."""
    cpu, memory = _flat(random)
    hours = _hours()
    age = np.where(hours < 14 * 24, hours % 96, (hours - 14 * 24) % 240)
    return _split(name, "memory leak", cpu, memory * (1 + age / 96 * random.uniform(0.5, 1.0)))


def _killed(name: str, random: np.random.Generator) -> Load:
    """A monthly report that was OOM-killed 20 days ago, and comes again in the next fortnight."""
    cpu, memory = _flat(random)
    start = STEPS + 10 * STEPS_A_DAY
    memory[:, start : start + 6] *= 3.5
    return _split(name, "OOM a month ago", cpu, memory, oom_times=(END - timedelta(days=20),))


def _scaled(name: str, random: np.random.Generator) -> Load:
    """An autoscaler keeps each pod at its target, whatever the request is."""
    cpu, memory = _flat(random)
    return _split(name, "HPA-driven", cpu, memory, scaled=True)


KINDS: dict[str, Callable[[str, np.random.Generator], Load]] = {
    "daily": _daily,
    "weekly": _weekly,
    "locked": _one_of_them,
    "start-up": _start_up,
    "leak": _leak,
    "killed": _killed,
    "scaled": _scaled,
}


def gpu_courses(each: int, seed: int = 2) -> list[tuple[str, bool, NDArray[np.float64]]]:
    """Kind, whether work comes back, and how busy the GPU was."""
    random = np.random.default_rng(seed)
    hours = _hours(STEPS)
    found = []
    for _ in range(each):
        lasts, night = random.uniform(2, 8), (hours - random.uniform(0, 24)) % 24
        found.append(("resumes every night", True, np.where(night < lasts, 0.8, 0.0)))
        weekday = hours % 168 < 24 * random.integers(2, 5)
        found.append(("resumes every week", True, np.where(weekday, 0.8, 0.0)))
        ends = random.uniform(4, 9) * 24
        found.append(("stopped for good", False, np.where((night < lasts) & (hours < ends), 0.8, 0.0)))
    return found
