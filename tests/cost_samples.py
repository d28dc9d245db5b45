"""Made-up clusters whose costs are asked about: two weeks of a shop, hour by hour, with what changes in them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

from bot.cost_memory import HoursInMemory
from estimators.allocate import allocate
from estimators.allocation import BalancerHour, ClusterHour, ContainerHour, VolumeHour
from estimators.usage import WorkloadKey
from tests.allocation_builders import container, deployment, node

END = datetime(2026, 11, 22, 13, tzinfo=UTC)
NOW = END + timedelta(minutes=20)
HOUR = timedelta(hours=1)
CAMPAIGN = datetime(2026, 11, 17, 8, tzinfo=UTC)
"""From here on api has 13 replicas instead of 8, ledger asks for 4 GiB instead of 2, and search is new."""
_SHOP = {
    "team": "checkout",
    "app_kubernetes_io_part_of": "shop",
    "environment": "production",
    "business_unit": "Retail Banking",
}
LABELS = {
    deployment("api", "payments"): {**_SHOP, "tier": "backend"},
    deployment("ledger", "payments"): {**_SHOP, "tier": "backend"},
    deployment("web"): {**_SHOP, "tier": "web"},
    WorkloadKey("ml", "Job", "trainer"): {"team": "research", "app": "models", "env": "research"},
}


def _busy(at: datetime) -> float:
    """How busy people keep a shop: little at night, less at the weekend."""
    return (0.4 if at.hour < 7 else 1.0) * (0.6 if at.weekday() > 4 else 1.0)


def _containers(at: datetime) -> Iterator[ContainerHour]:
    late, busy = at >= CAMPAIGN, _busy(at)
    for index in range(13 if late else 8):
        yield container(
            deployment("api", "payments"), f"n{index % (4 if late else 3)}", pod=f"api-{index}", cpu=0.5, cpu_used=0.2 * busy,
            memory=1, memory_used=0.5,
        )  # fmt: skip
    yield container(
        deployment("ledger", "payments"), "n1", cpu=1, cpu_used=0.3, memory=4 if late else 2, memory_used=1.6
    )
    yield container(WorkloadKey("payments", "CronJob", "batch"), "n2", hours=0.25, cpu=0.5, cpu_used=0.4)
    for index in range(3):
        yield container(
            deployment("web"), f"n{index}", pod=f"web-{index}", cpu=1, cpu_used=0.7 * busy, memory=2
        )
    if late:
        yield container(deployment("indexer", "search"), "n3", cpu=2, cpu_used=0.8, memory=4, memory_used=3)
    yield container(
        WorkloadKey("ml", "Job", "trainer"), "g0", cpu=4, cpu_used=1, memory=32, memory_used=20, gpus=1,
        gpu_busy=0.22,
    )  # fmt: skip
    yield container(WorkloadKey("kube-system", "DaemonSet", "dns"), "n0", cpu=0.2, cpu_used=0.1, memory=0.2)


def cluster_hour(at: datetime) -> ClusterHour:
    """One hour: three nodes, from the campaign on four, and one with two GPUs of which one is held."""
    spread = {deployment("indexer", "search"): {"app": "search"}}
    return ClusterHour(
        at,
        (
            *(
                node(f"n{index}", cores=4, gib=16, cpu="0.0316", memory="0.0042")
                for index in range(4 if at >= CAMPAIGN else 3)
            ),
            node(
                "g0", cores=8, gib=64, gpus=2, cpu="0.0316", memory="0.0042", gpu="3.40", model="NVIDIA-A100"
            ),
        ),
        tuple(_containers(at)),
        (
            VolumeHour(
                "payments", "data", deployment("ledger", "payments"), "gp3", 500, 1, Decimal("0.00011")
            ),
            VolumeHour("", "", None, "gp3", 200, 1, Decimal("0.00011")),
        ),
        (BalancerHour("shop", "web", 1, Decimal("0.025")),),
        Decimal("0.10"),
        labels={**LABELS, **spread},
    )


def hours(
    days: int = 40, end: datetime = END, missing: frozenset[datetime] = frozenset()
) -> Iterator[ClusterHour]:
    """All hours until the end, but for those that nobody measured."""
    at = end - timedelta(days=days)
    while at < end:
        if at not in missing:
            yield cluster_hour(at)
        at += HOUR


def shop(days: int = 40, missing: frozenset[datetime] = frozenset(), cluster: str = "prod") -> HoursInMemory:
    """The cluster `prod`."""
    found = HoursInMemory(END)
    found.add(cluster, map(allocate, hours(days, missing=missing)), "USD")
    return found
