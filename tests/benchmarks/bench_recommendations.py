"""Right, missed and harmful proposals of three sets of rules on the same loads, whose future is known.

python -m tests.benchmarks.bench_recommendations
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Mapping
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from estimators.finders.container_resources import container_resources
from estimators.finders.gpu_gaps import BUSY
from estimators.finders.idle_gpu import idle_gpu
from estimators.recommend import recommend
from tests.benchmarks.known_loads import Load, gpu_courses, loads
from tests.benchmarks.peer_rules import krr, vpa
from tests.known_cluster import CURRENT, cluster_in, judged, known_cluster, manifests, proposals
from tests.yaml_objects import objects

Course = tuple[str, bool, NDArray[np.float64]]
EACH = 20
_OUTCOMES = ("right", "missed", "harmful")


def main() -> None:
    """Print both tables."""
    known, courses = loads(EACH), gpu_courses(EACH)
    gpus = [(f"gpu-{number}", busy) for number, (_, _, busy) in enumerate(courses)]
    with (
        TemporaryDirectory(prefix="tuppence-bench-") as cache,
        known_cluster(known, gpus) as url,
    ):
        os.environ["XDG_CACHE_HOME"] = cache  # nothing that an earlier run has read
        began = time.perf_counter()
        cluster = cluster_in(url)
        read = time.perf_counter() - began
        things = objects(manifests(known, gpus))
        began = time.process_time()
        found = recommend(things, lambda _name: cluster, finders=(container_resources, idle_gpu))
        took = time.process_time() - began
    compared: dict[str, Mapping[str, Mapping[str, float]]] = {
        "KRR": {item.name: krr(item) for item in known},
        "VPA": {item.name: vpa(item) for item in known},
        "Tuppence": proposals(found),
    }
    print(
        f"{len(known)} workloads, CPU and memory of each, and {len(gpus)} with a GPU, from a real Prometheus: "
        f"read in {read:.1f} s, found in {took:.1f} s of processor time\n"
    )
    print("| Load |" + "".join(f" {name}: right, missed, harmful |" for name in compared))
    print("| --- |" + " --- |" * len(compared))
    for kind in dict.fromkeys(item.kind for item in known):
        counts = [
            _counted([item for item in known if item.kind == kind], theirs) for theirs in compared.values()
        ]
        print(f"| {kind} |" + "".join(f" {_shown(count)} |" for count in counts))
    print("| all |" + "".join(f" {_shown(_counted(known, theirs))} |" for theirs in compared.values()))
    print("\n| GPU | 0 % for 30 minutes: right, missed, harmful | Tuppence |\n| --- | --- | --- |")
    given = {one.key.name for one in found.recommendations if one.finder == "idle-gpu"}
    for kind, (theirs, mine) in _gpus(courses, given).items():
        print(f"| {kind} | {_shown(theirs)} | {_shown(mine)} |")


def _counted(known: list[Load], found: Mapping[str, Mapping[str, float]]) -> Counter[str]:
    return Counter(
        judged(item, resource, found.get(item.name, {}).get(resource))
        for item in known
        for resource in CURRENT
    )


def _gpus(courses: list[Course], given: set[str]) -> Mapping[str, tuple[Counter[str], Counter[str]]]:
    """The rule that others use, and ours, on GPUs of which the future is known."""
    found: dict[str, tuple[Counter[str], Counter[str]]] = {}
    for number, (kind, resumes, busy) in enumerate(courses):
        fires = bool(np.all(busy[-6:] <= BUSY))
        counts = found.setdefault(kind, (Counter(), Counter()))
        for count, proposed in zip(counts, (fires, f"gpu-{number}" in given), strict=True):
            outcome = ("harmful" if resumes else "right") if proposed else "right" if resumes else "missed"
            count[outcome] += 1
    return found


def _shown(count: Counter[str]) -> str:
    return ", ".join(str(count[outcome]) for outcome in _OUTCOMES)


if __name__ == "__main__":
    main()
