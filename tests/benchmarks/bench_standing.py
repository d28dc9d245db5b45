"""Right, missed and harmful proposals for volumes and for hours at which nothing runs, the future known.

python -m tests.benchmarks.bench_standing
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from estimators.change import Cluster
from estimators.finders.off_hours import off_hours
from estimators.quantity import parse_quantity
from estimators.recommend import recommend
from estimators.recommendation_terms import DEVELOPMENT, Terms
from estimators.rules.uptime import minute_of_week
from estimators.uptime import read_uptime
from tests.recommendation_builders import STEPS, claim_usage, cluster, hours, usage
from tests.usage_builders import window
from tests.yaml_objects import deployment, objects

EACH = 20
DAYS = 14
GIB = 2.0**30
DECLARED = 200 * GIB
A_YEAR = 365
_OUTCOMES = ("right", "missed", "harmful")
_CLAIM = """
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data, namespace: payments}
spec: {resources: {requests: {storage: 200Gi}}}
"""
_CRON = """---
apiVersion: batch/v1
kind: CronJob
metadata: {name: report, namespace: payments}
spec:
  schedule: "0 3 1 * *"
  jobTemplate:
    spec:
      template:
        spec:
          containers: [{name: main, image: report}]
          volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]
"""
_CONTROLLER = {"kind": "Deployment", "metadata": {"name": "py-kube-downscaler", "namespace": "tools"}}

Days = NDArray[np.float64]


@dataclass(frozen=True)
class Volume:
    """A fortnight of one claim; `needed` bytes in the year after it, 0 where nobody mounts it again."""

    kind: str
    mounted: Days
    used: Days
    last_hours: float
    """Bytes on it in the last six hours."""
    needed: float
    text: str = _CLAIM


@dataclass(frozen=True)
class Quiet:
    """A fortnight of one workload in steps, and how busy it will be in the next."""

    kind: str
    cpu: NDArray[np.float64]
    next_cpu: NDArray[np.float64]


def main() -> None:
    """Print both tables."""
    random = np.random.default_rng(3)
    volumes, quiet = list(_volumes(random)), list(_quiet(random))
    print("| Volume | Unmounted now, or 1.5 times the last six hours | Tuppence |\n| --- | --- | --- |")
    for kind in dict.fromkeys(item.kind for item in volumes):
        mine = [item for item in volumes if item.kind == kind]
        print(f"| {kind} | {_shown(map(_theirs, mine))} | {_shown(map(_ours, mine))} |")
    print("\n| Development | Tuppence |\n| --- | --- |")
    for kind in dict.fromkeys(item.kind for item in quiet):
        print(f"| {kind} | {_shown(_hours_of(item) for item in quiet if item.kind == kind)} |")


def _shown(outcomes: Iterable[str]) -> str:
    count = Counter(outcomes)
    return ", ".join(str(count[outcome]) for outcome in _OUTCOMES)


def _volumes(random: np.random.Generator) -> Iterator[Volume]:
    day = np.arange(DAYS)
    for _ in range(EACH):
        size = float(random.uniform(5, 15)) * GIB
        flat, always, never = np.full(DAYS, size), np.ones(DAYS), np.zeros(DAYS)
        weekly = (day % 7 == random.integers(0, 7)).astype(float)
        yield Volume("left for good", never, np.full(DAYS, np.nan), 0, 0)
        yield Volume("run of twenty minutes a week", weekly, np.where(weekly, size, np.nan), 0, size)
        yield Volume("monthly run in the manifests", never, np.full(DAYS, np.nan), 0, size, _CLAIM + _CRON)
        yield Volume("monthly run of another repository", never, np.full(DAYS, np.nan), 0, size)
        yield Volume("a twentieth full", always, flat, size, size)
        yield Volume("full on one day a week", always, np.where(weekly, 12 * size, size), size, 12 * size)
        growth = float(random.uniform(0.05, 0.2)) * GIB
        filled: Days = np.asarray(size + growth * day, dtype=np.float64)
        yield Volume("fills", always, filled, float(filled[-1]), float(filled[-1]) + growth * A_YEAR)


def _theirs(volume: Volume) -> str:
    """An unmounted volume is abandoned; a mounted one needs half as much again as in the last six hours."""
    if not volume.mounted[-1]:
        return _judged(volume, 0.0)
    proposed = volume.last_hours * 1.5
    return _judged(volume, proposed if proposed < DECLARED / 2 else None)


def _ours(volume: Volume) -> str:
    claim = claim_usage(mounted=volume.mounted, used=volume.used)
    found = recommend(objects(volume.text), lambda _name: cluster(claims=[claim])).recommendations
    if not found:
        return _judged(volume, None)
    change = found[0].changes[0]
    return _judged(volume, 0.0 if change.removes else float(parse_quantity(change.proposed)))


def _judged(volume: Volume, proposed: float | None) -> str:
    """Harmful is what the next year does not fit in, and the removal of what is mounted again."""
    if proposed is None:
        spare = volume.needed == 0 or (volume.mounted.all() and volume.needed * 1.5 < DECLARED / 2)
        return "missed" if spare else "right"
    return "harmful" if proposed < volume.needed else "right"


def _quiet(random: np.random.Generator) -> Iterator[Quiet]:
    hour, day = hours() % 24, hours() // 24
    for _ in range(EACH):
        begin, rest = random.uniform(6, 9), 0.02
        office = (hour >= begin) & (hour < begin + 9) & (day % 7 < 5)
        night = (hour >= 2) & (hour < 2.5)
        cpu = np.where(office, random.uniform(0.5, 1), rest)
        yield Quiet("office hours", cpu, cpu)
        yield Quiet("a build every night", np.where(night, 0.6, cpu), np.where(night, 0.6, cpu))
        sunday = night & (day % 14 == 6)
        yield Quiet(
            "a test on one night in two weeks", np.where(sunday, 0.6, cpu), np.where(sunday, 0.6, cpu)
        )
        late = (hour >= 21) & (hour < 22) & (day == 3)
        yield Quiet("once late, in the next fortnight", cpu, np.where(late, 0.6, cpu))
        yield Quiet("busy at all times", np.where(office, 0.9, 0.3), np.where(office, 0.9, 0.3))


def _hours_of(quiet: Quiet) -> str:
    """Harmful is to be off in an hour of the next fortnight that has work."""
    known: Cluster = cluster(usage(cpu=quiet.cpu), live=[_CONTROLLER])
    terms = Terms(DEVELOPMENT)
    answer = recommend(objects(deployment()), lambda _name: known, lambda _name: terms, (off_hours,))
    said = answer.recommendations[0].changes[0].proposed if answer.recommendations else ""
    uptime, works = read_uptime(said), quiet.next_cpu > 0.1
    if uptime is None:
        return "right" if np.count_nonzero(works) * 2 > STEPS or works.all() else _left(works)
    return "right" if uptime.minutes[minute_of_week(window())[works]].all() else "harmful"


def _left(works: NDArray[np.bool_]) -> str:
    """Whether the same hours of each day could have been off for a quarter of the week."""
    busy = np.zeros((7, 24), dtype=bool)
    minutes = minute_of_week(window())[works]
    busy[minutes // 1440, minutes % 1440 // 60] = True
    return "missed" if np.count_nonzero(~busy.any(axis=0)) >= 8 else "right"


if __name__ == "__main__":
    main()
