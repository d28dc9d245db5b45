"""Right, missed and harmful proposals of three sets of rules on the same loads, whose future is known.

python -m tests.benchmarks.bench_recommendations
"""

from __future__ import annotations

import time
from collections import Counter, defaultdict
from collections.abc import Mapping

import numpy as np

from estimators.change import Cluster
from estimators.finders.container_resources import container_resources
from estimators.finders.gpu_gaps import BUSY
from estimators.finders.idle_gpu import idle_gpu
from estimators.quantity import parse_quantity
from estimators.recommend import recommend
from estimators.usage import ContainerUsage, GpuUsage, WorkloadKey, WorkloadUsage
from tests.benchmarks.known_loads import GIB, PODS, STEPS, Load, gpu_courses, loads
from tests.benchmarks.peer_rules import krr, vpa
from tests.usage_builders import snapshot
from tests.yaml_objects import autoscaler, deployment, objects

EACH = 20
WORTH = 0.9
CURRENT = {"cpu": 2.0, "memory": 2 * GIB}
_OUTCOMES = ("right", "missed", "harmful")


def main() -> None:
    """Print both tables."""
    known = loads(EACH)
    began = time.process_time()
    ours = _ours(known)
    took = time.process_time() - began
    proposals: dict[str, Mapping[str, Mapping[str, float]]] = {
        "KRR": {item.name: krr(item) for item in known},
        "VPA": {item.name: vpa(item) for item in known},
        "Tuppence": ours,
    }
    print(f"{len(known)} workloads, CPU and memory of each; ours took {took:.1f} s of processor time\n")
    print("| Load |" + "".join(f" {name}: right, missed, harmful |" for name in proposals))
    print("| --- |" + " --- |" * len(proposals))
    for kind in dict.fromkeys(item.kind for item in known):
        counts = [
            _counted([item for item in known if item.kind == kind], found) for found in proposals.values()
        ]
        print(f"| {kind} |" + "".join(f" {_shown(count)} |" for count in counts))
    print("| all |" + "".join(f" {_shown(_counted(known, found))} |" for found in proposals.values()))
    print("\n| GPU | 0 % for 30 minutes: right, missed, harmful | Tuppence |\n| --- | --- | --- |")
    for kind, (theirs, mine) in _gpus().items():
        print(f"| {kind} | {_shown(theirs)} | {_shown(mine)} |")


def _ours(known: list[Load]) -> Mapping[str, Mapping[str, float]]:
    texts, used = [], []
    for item in known:
        text = deployment(item.name, cpu="2", memory="2Gi", memory_limit="2Gi", replicas=PODS)
        texts.append(text + ("---" + _scaler(item.name) if item.scaled else ""))
        container = ContainerUsage(
            "main",
            item.cpu.sum(axis=0),
            item.memory.max(axis=0),
            oom_kills=len(item.oom_times),
            oom_times=item.oom_times,
            cpu_pod_percentiles={
                percent: float(np.percentile(item.cpu, percent)) for percent in (50, 95, 99)
            },
        )
        key = WorkloadKey("payments", "Deployment", item.name)
        used.append(WorkloadUsage(key, np.full(STEPS, float(PODS)), (container,)))
    cluster = Cluster(usage=snapshot(*used, steps=STEPS))
    answer = recommend(objects("---".join(texts)), lambda _name: cluster, finders=(container_resources,))
    found: dict[str, dict[str, float]] = defaultdict(dict)
    for one in answer.recommendations:
        for change in one.changes:
            if change.path[-1] in CURRENT:
                found[one.key.name][str(change.path[-1])] = float(parse_quantity(change.proposed))
    return found


def _scaler(name: str) -> str:
    return autoscaler(least=PODS, most=PODS + 5, name=name)


def _counted(known: list[Load], found: Mapping[str, Mapping[str, float]]) -> Counter[str]:
    return Counter(
        _judged(item, resource, found.get(item.name, {}).get(resource))
        for item in known
        for resource in CURRENT
    )


def _judged(load: Load, resource: str, proposed: float | None) -> str:
    """Harmful is what the next fortnight does not fit in, and a CPU request that an autoscaler divides by."""
    needed = load.needed_cores if resource == "cpu" else load.needed_bytes
    current = CURRENT[resource]
    changes = proposed is not None and proposed < current * WORTH
    if load.scaled and resource == "cpu":
        return "harmful" if changes else "right"
    if changes:
        return "harmful" if proposed is not None and proposed < needed else "right"
    return "missed" if needed < current * WORTH else "right"


def _gpus() -> Mapping[str, tuple[Counter[str], Counter[str]]]:
    """The rule that others use, and ours, on GPUs of which the future is known."""
    found: dict[str, tuple[Counter[str], Counter[str]]] = {}
    for number, (kind, resumes, busy) in enumerate(gpu_courses(EACH)):
        fires = bool(np.all(busy[-6:] <= BUSY))
        counts = found.setdefault(kind, (Counter(), Counter()))
        for count, proposed in zip(counts, (fires, _gives_back(f"gpu-{number}", busy)), strict=True):
            outcome = ("harmful" if resumes else "right") if proposed else "right" if resumes else "missed"
            count[outcome] += 1
    return found


def _gives_back(name: str, busy: np.ndarray[tuple[int], np.dtype[np.float64]]) -> bool:
    text = deployment(name, cpu="4", memory="16Gi", replicas=1)
    text = text.replace("limits: {}", 'limits: {nvidia.com/gpu: "1"}')
    container = ContainerUsage("main", np.full(STEPS, 3.8), np.full(STEPS, 14 * GIB))
    gpu = GpuUsage(busy, np.full(STEPS, 10 * GIB))
    key = WorkloadKey("payments", "Deployment", name)
    cluster = Cluster(usage=snapshot(WorkloadUsage(key, np.ones(STEPS), (container,), gpu), steps=STEPS))
    return bool(recommend(objects(text), lambda _name: cluster, finders=(idle_gpu,)).recommendations)


def _shown(count: Counter[str]) -> str:
    return ", ".join(str(count[outcome]) for outcome in _OUTCOMES)


if __name__ == "__main__":
    main()
