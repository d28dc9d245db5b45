"""A small cluster with everything that makes a bill hard to split, up to now; `tests.town_costs` knows its truth.

Spot nodes that are taken away within an hour, under the same name and under another, prices that change
within an hour, nodes that come and go, one that is claimed twice over, GPUs in slices and in turns, pods
of six minutes, rollouts, volumes with and without users, load balancers, a control plane. Days are alike,
so that every week costs the same; yesterday `payments/api` got a second replica.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain

from tests.allocation_past import BalancerLife, NodeLife, PodLife, Town, VolumeLife

DAYS = 15
DAY = 1440
LENGTH = DAYS * DAY
WEEK = (LENGTH - 7 * DAY, LENGTH)
WEEK_BEFORE = (LENGTH - 14 * DAY, LENGTH - 7 * DAY)
ALWAYS = (0, LENGTH)
GIB_HOUR, BALANCER_HOUR = 0.0001, 0.03
"""What volumes and load balancers cost; OpenCost exports it."""
_A100 = {"nvidia.com/gpu.product": "NVIDIA-A100-SXM4-80GB", "nvidia.com/gpu.count": "1"}
_PRICE = ((0, 0.02, 0.0025, 0),)
_GPU_PRICE = ((0, 0.02, 0.0025, 0.12),)
_SPOT = {"karpenter.sh/capacity-type": "spot"}
_API, _LEDGER, _DB = ("ReplicaSet", "api-1"), ("ReplicaSet", "ledger-1"), ("StatefulSet", "db")


def hard_town() -> Town:
    """Its past of `DAYS` days."""
    pods = tuple(chain(_steady(), _on_spot(), _in_turns(), _rolled_out(), _ticks()))
    return Town(
        LENGTH,
        tuple(_nodes()),
        pods,
        volumes=(
            VolumeLife("pv-data", ALWAYS, 100, ("payments", "data"), price=GIB_HOUR),
            VolumeLife("pv-kept", ALWAYS, 40, ("shop", "kept"), price=GIB_HOUR),
            VolumeLife("pv-left", ALWAYS, 50, price=GIB_HOUR),
        ),
        balancers=(
            BalancerLife("payments", "web", ALWAYS, price=BALANCER_HOUR),
            BalancerLife("shop", "pending", ALWAYS, address=False),
        ),
        above={
            ("ReplicaSet", "payments", "api-1"): ("Deployment", "api"),
            ("ReplicaSet", "payments", "ledger-1"): ("Deployment", "ledger"),
            ("ReplicaSet", "payments", "ledger-2"): ("Deployment", "ledger"),
        }
        | {(*_job(pod), pod.owner[1]): ("CronJob", "tick") for pod in pods if pod.owner[0] == "Job"},
        labels={("Namespace", "payments", ""): {"team": "checkout"}},
        management=0.02,
    )


def _job(pod: PodLife) -> tuple[str, str]:
    return pod.owner[0], pod.namespace


def _nodes() -> Iterator[NodeLife]:
    yield NodeLife("steady", ALWAYS, 6, 24, _PRICE)
    yield NodeLife("small", ALWAYS, 2, 8, _PRICE)
    yield NodeLife("sliced", ALWAYS, 4, 16, _GPU_PRICE, _A100 | {"nvidia.com/mig.strategy": "mixed"},
                   {"nvidia.com/mig-1g.10gb": 7})  # fmt: skip
    yield NodeLife("shared", ALWAYS, 4, 16, _GPU_PRICE, _A100 | {"nvidia.com/gpu.replicas": "4"},
                   {"nvidia.com/gpu.shared": 4})  # fmt: skip
    for day in range(DAYS):
        midnight, until = day * DAY, (day + 1) * DAY
        # Taken away at 12:34, and there again under its name at 12:41, at half the price; dearer from 18:20 on.
        yield NodeLife("spot", (midnight, midnight + 754), prices=((0, 0.02, 0.002, 0),), labels=_SPOT)
        again = ((midnight + 761, 0.01, 0.001, 0), (midnight + 1100, 0.016, 0.001, 0))
        yield NodeLife("spot", (midnight + 761, until), prices=again, labels=_SPOT)
        # Swapped at 6:25 for another.
        yield NodeLife(
            f"swap-a{day}", (midnight, midnight + 385), prices=((0, 0.012, 0.002, 0),), labels=_SPOT
        )
        yield NodeLife(f"swap-b{day}", (midnight + 385, until), prices=((0, 0.018, 0.002, 0),), labels=_SPOT)
        yield NodeLife(f"extra-{day}", (midnight + 490, midnight + 1013), prices=_PRICE)


def _steady() -> Iterator[PodLife]:
    yield PodLife("payments", "api-1-a", "steady", ALWAYS, _API, {"cpu": 1, "memory": 1}, (0.5, 2))
    yield PodLife("payments", "api-1-b", "steady", (LENGTH - DAY, LENGTH), _API, {"cpu": 1, "memory": 1},
                  (0.5, 2))  # fmt: skip
    yield PodLife(
        "payments", "db-0", "steady", ALWAYS, _DB, {"cpu": 0.5, "memory": 4}, (0.7, 3), claims=("data",)
    )
    yield PodLife("shop", "meshed-0", "steady", ALWAYS, ("StatefulSet", "meshed"), {"cpu": 0.5}, (0.2, 0.5),
                  sidecar="proxy")  # fmt: skip
    yield PodLife("shop", "debug", "steady", ALWAYS, used=(0.1, 0.25))
    yield PodLife("shop", "waits-a", "", (0, 0), ("StatefulSet", "waits"), {"cpu": 9}, known=ALWAYS)
    yield PodLife("shop", "done-a", "steady", (0, 300), ("StatefulSet", "done"), {"cpu": 3}, known=ALWAYS)
    # Two cores, of which five are claimed.
    yield PodLife("payments", "hungry-a", "small", ALWAYS, ("DaemonSet", "hungry"), {"cpu": 0.5}, (3, 5))
    yield PodLife("shop", "modest-a", "small", ALWAYS, ("DaemonSet", "modest"), {"cpu": 2}, (0.5, 6))


def _on_spot() -> Iterator[PodLife]:
    """A replica wherever there is a spot node, and on the one that comes and goes."""
    for day in range(DAYS):
        midnight, until = day * DAY, (day + 1) * DAY
        lives = {
            f"early-{day}": ("spot", (midnight, midnight + 754)),
            f"late-{day}": ("spot", (midnight + 763, until)),
            f"first-{day}": (f"swap-a{day}", (midnight, midnight + 385)),
            f"second-{day}": (f"swap-b{day}", (midnight + 387, until)),
            f"helped-{day}": (f"extra-{day}", (midnight + 492, midnight + 1013)),
        }
        for name, (node, life) in lives.items():
            namespace = "payments" if name[0] in "ef" else "shop"
            yield PodLife(
                namespace, name, node, life, ("StatefulSet", "worker"), {"cpu": 2, "memory": 3}, (1, 2)
            )


def _in_turns() -> Iterator[PodLife]:
    yield PodLife(
        "ml", "serve-0", "sliced", ALWAYS, ("StatefulSet", "serve"), {"nvidia.com/mig-1g.10gb": 2}, (1, 4)
    )
    yield PodLife("payments", "fraud-0", "sliced", ALWAYS, ("StatefulSet", "fraud"),
                  {"nvidia.com/mig-1g.10gb": 3}, (1, 4))  # fmt: skip
    for number, namespace in enumerate(("ml", "ml", "payments")):
        yield PodLife(namespace, f"notebook-{number}", "shared", ALWAYS, ("StatefulSet", "notebook"),
                      {"nvidia.com/gpu.shared": 1}, (0.5, 4), busy=0.5 if number == 0 else None)  # fmt: skip


def _rolled_out() -> Iterator[PodLife]:
    """A new revision with twice the memory, three days ago at a quarter to."""
    moment = LENGTH - 3 * DAY + 45
    yield PodLife(
        "payments", "ledger-1-a", "steady", (0, moment), _LEDGER, {"cpu": 0.5, "memory": 2}, (0.2, 1)
    )
    yield PodLife("payments", "ledger-2-a", "steady", (moment, LENGTH), ("ReplicaSet", "ledger-2"),
                  {"cpu": 0.5, "memory": 4}, (0.2, 1))  # fmt: skip


def _ticks() -> Iterator[PodLife]:
    """Six minutes of every hour; the Job stays for ten more."""
    for hour in range(DAYS * 24):
        start = hour * 60 + 17
        yield PodLife("payments", f"tick-{hour}-a", "steady", (start, start + 6), ("Job", f"tick-{hour}"),
                      {"cpu": 1, "memory": 0.5}, (0.6, 0.5), known=(start, start + 16))  # fmt: skip
