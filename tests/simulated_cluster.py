"""A cluster of 100 nodes and 3,000 pods at any time, with everything that makes its bill hard to split.

Spot nodes that are taken away within an hour and come back as others at another price, nodes that come
and go, nodes that are overcommitted, GPUs whole, in slices and in turns, pods that live for minutes,
pods that are done or wait, rollouts, volumes with and without users, load balancers.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain, cycle

import numpy as np

from tests.allocation_past import BalancerLife, NodeLife, PodLife, Span, Town, VolumeLife

NODES, PODS = 100, 3_000
NAMESPACES, REPLICAS = 30, 9
_ZONE = {"topology.kubernetes.io/region": "eu-west-1", "kubernetes.io/arch": "amd64"}
_SPOT = _ZONE | {"karpenter.sh/capacity-type": "spot", "node.kubernetes.io/instance-type": "m6i.4xlarge"}
_STEADY = _ZONE | {
    "karpenter.sh/capacity-type": "on-demand",
    "node.kubernetes.io/instance-type": "m6i.4xlarge",
}
_A100 = _ZONE | {"nvidia.com/gpu.product": "NVIDIA-A100-SXM4-80GB"}
_CORES = (0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.8, 1.2)
_GIB = (0.1, 0.25, 0.5, 1.0, 2.0, 3.5)
_REQUESTS = (0.05, 0.1, 0.25, 0.5, 1.0)


def simulated(hours: int, replicas: int = REPLICAS) -> Town:
    """Its past of that many hours; `replicas` are the pods of a Deployment or StatefulSet."""
    length = hours * 60
    random = np.random.default_rng(5)
    nodes = tuple(_nodes(length))
    long = tuple(_long_lived(random, nodes, length, replicas))
    pods = tuple(chain(long, _agents(nodes), _gpu_pods(length), _runs(length), _odd(length)))
    volumes = [
        VolumeLife(f"pv-{pod.namespace}-{pod.claims[0]}", (0, length), 20, (pod.namespace, pod.claims[0]))
        for pod in long
        if pod.claims and pod.runs[0] == 0
    ]
    volumes += [VolumeLife(f"pv-left-{number}", (0, length), 80, price=0.0001) for number in range(10)]
    balancers = tuple(BalancerLife(f"team-{number}", "web", (0, length), price=0.03) for number in range(15))
    labels = {("Namespace", f"team-{number}", ""): {"team": f"t{number}"} for number in range(NAMESPACES)}
    return Town(
        length,
        nodes,
        pods,
        volumes=tuple(volumes),
        balancers=balancers,
        above=dict(_above(pods)),
        labels=labels,
        management=0.1,
    )


def _nodes(length: float) -> Iterator[NodeLife]:
    for number in range(60):
        yield NodeLife(f"steady-{number}", (0, length), 16, 64, ((0, 0.034, 0.0045, 0),), _STEADY)
    for number in range(20):  # swapped at a minute of their own, again and again, by another at another price
        at, life = 95 + 7 * number, 0.0
        while life < length:
            until = min(length, life + at)
            price = 0.01 + 0.001 * (number % 7)
            prices = ((life, price, price / 8, 0), (life + at / 3, price * 1.25, price / 8, 0))
            yield NodeLife(f"spot-{number}-{int(life)}", (life, until), 16, 64, prices, _SPOT)
            life, at = until, 60 * 12 + 13 * number
    for number in range(10):  # for a third of each day only
        for life in range(60 + 11 * number, int(length), 1440):
            span = (life, min(length, life + 480))
            yield NodeLife(f"extra-{number}-{life}", span, 16, 64, ((0, 0.034, 0.0045, 0),), _STEADY)
    for number in range(4):
        yield NodeLife(f"whole-{number}", (0, length), 96, 1152, ((0, 0.034, 0.0045, 2.9),),
                       _A100 | {"nvidia.com/gpu.count": "8"}, {"nvidia.com/gpu": 8})  # fmt: skip
    for number in range(3):
        yield NodeLife(f"sliced-{number}", (0, length), 12, 170, ((0, 0.034, 0.0045, 2.9),),
                       _A100 | {"nvidia.com/gpu.count": "1", "nvidia.com/mig.strategy": "mixed"},
                       {"nvidia.com/mig-1g.10gb": 7})  # fmt: skip
        yield NodeLife(f"shared-{number}", (0, length), 12, 170, ((0, 0.034, 0.0045, 2.9),),
                       _A100 | {"nvidia.com/gpu.replicas": "4"}, {"nvidia.com/gpu.shared": 4})  # fmt: skip


def _long_lived(
    random: np.random.Generator, nodes: tuple[NodeLife, ...], length: float, replicas: int
) -> Iterator[PodLife]:
    """Deployments and StatefulSets. A tenth is rolled out anew on each day, a tenth of pods is on spot nodes."""
    homes = cycle([node.name for node in nodes if node.name.startswith("steady")][:-5])
    spot: dict[str, list[NodeLife]] = {}
    for node in nodes:
        if node.name.startswith("spot"):
            spot.setdefault(node.name.rsplit("-", 1)[0], []).append(node)
    for number in range(2_650):
        app, replica = divmod(number, replicas)
        if replica == 0:
            requests = {"cpu": random.choice(_REQUESTS), "memory": random.choice(_GIB)} if app % 12 else {}
            used = (float(random.choice(_CORES)), float(random.choice(_GIB)))
        namespace, workload, stateful = f"team-{app % NAMESPACES}", f"w{app}", app % 25 == 3
        if number % 10 == 1:
            lives = [(node.name, node.life) for node in spot[f"spot-{number % 20}"]]
            revisions = [0] * len(lives)
        elif app % 10 == 2:
            home, turn = next(homes), 200 + 1440 * (app // 10 % 7)
            lives, revisions = [(home, (0, min(turn, length))), (home, (turn, length))], [0, 1]
        else:
            lives, revisions = [(next(homes), (0, length))], [0]
        for serial, (home, life) in enumerate(lives):
            if life[0] >= life[1]:
                continue
            owner = (
                ("StatefulSet", workload) if stateful else ("ReplicaSet", f"{workload}-{revisions[serial]}")
            )
            yield PodLife(
                namespace,
                f"{workload}-{replica}" if stateful else f"{workload}-{serial}-{number}",
                home,
                life,
                owner,
                {name: float(amount) for name, amount in requests.items()},
                used,
                uid=f"{number}-{serial}",
                claims=(f"data-{number}",) if stateful else (),
                labels={"app.kubernetes.io/name": workload},
            )


def _agents(nodes: tuple[NodeLife, ...]) -> Iterator[PodLife]:
    """Two DaemonSets, and on five nodes a pod that uses more than the node has."""
    for node in nodes:
        for agent in ("logs", "metrics"):
            name = f"{agent}-{node.name}"
            yield PodLife(
                "kube-system", name, node.name, node.life, ("DaemonSet", agent), {"cpu": 0.1}, (0.05, 0.1)
            )
        if node.name in {f"steady-{number}" for number in range(55, 60)}:
            yield PodLife(
                "team-1",
                f"hog-{node.name}",
                node.name,
                node.life,
                ("ReplicaSet", "hog-1"),
                {"cpu": 9},
                (12, 50),
            )
            yield PodLife(
                "team-2",
                f"pig-{node.name}",
                node.name,
                node.life,
                ("ReplicaSet", "pig-1"),
                {"cpu": 9},
                (2, 30),
            )


def _gpu_pods(length: float) -> Iterator[PodLife]:
    life = (0, length)
    for node in range(4):
        for number in range(6):
            yield PodLife("ml", f"train-{node}-{number}", f"whole-{node}", life, ("StatefulSet", f"train-{node}"),
                          {"cpu": 8, "nvidia.com/gpu": 1}, (6, 40), busy=0.1 * number)  # fmt: skip
    for node in range(3):
        yield PodLife("ml", f"slice-{node}", f"sliced-{node}", life, ("StatefulSet", "slice"),
                      {"nvidia.com/mig-1g.10gb": 3}, (1, 4))  # fmt: skip
        for number in range(3):
            yield PodLife("ml", f"notebook-{node}-{number}", f"shared-{node}", life, ("StatefulSet", "notebook"),
                          {"nvidia.com/gpu.shared": 1}, (0.5, 4), busy=0.5 if number == 0 else None)  # fmt: skip


def _runs(length: float) -> Iterator[PodLife]:
    """Two dozen CronJobs an hour, some for two minutes; the pods of most stay for a while, done."""
    for hour in range(int(length // 60)):
        for number in range(24):
            start = hour * 60 + 1 + 2 * number
            runs = (start, start + 2 + 3 * (number % 4))
            known: Span | None = (start, min(length, runs[1] + 60)) if number % 3 else None
            name = f"cron{number}-{hour}"
            yield PodLife(f"team-{number}", f"{name}-a", f"steady-{number}", runs, ("Job", name),
                          {"cpu": 0.5, "memory": 0.5}, (0.35, 0.5), known=known)  # fmt: skip


def _odd(length: float) -> Iterator[PodLife]:
    """Pods that wait for a node, pods that nothing owns, and services with a sidecar."""
    always = (0, length)
    for number in range(10):
        yield PodLife(
            "team-3", f"waits-{number}", "", (0, 0), ("ReplicaSet", "waits-1"), {"cpu": 64}, known=always
        )
        yield PodLife("team-4", f"bare-{number}", f"steady-{number}", always, used=(0.1, 0.1))
        yield PodLife("team-5", f"meshed-{number}", f"steady-{number}", always, ("ReplicaSet", "meshed-1"),
                      {"cpu": 0.2}, (0.1, 0.1), sidecar="proxy")  # fmt: skip


def _above(pods: tuple[PodLife, ...]) -> Iterator[tuple[tuple[str, str, str], tuple[str, str]]]:
    """A Deployment for every ReplicaSet, a CronJob for every Job: their names without the last part."""
    kinds = {"ReplicaSet": "Deployment", "Job": "CronJob"}
    for kind, namespace, name in sorted({(pod.owner[0], pod.namespace, pod.owner[1]) for pod in pods}):
        if kind in kinds:
            yield (kind, namespace, name), (kinds[kind], name.rsplit("-", 1)[0])
