"""How fast two months of a cluster's hours are written, and a month's question read, in either database.

Run by hand: `python -m tests.benchmarks.bench_cost_hours`. Two minutes and half a gigabyte of /tmp. The
cluster has 300 workloads, of which 20 have GPUs, on 100 nodes. The PostgreSQL does not wait for its disk.
"""

from __future__ import annotations

import random
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import psycopg

from bot.adapters.records import Records
from bot.cost_ports import CostHours
from estimators.allocation import HourCost, NodeCost, WorkloadCost
from estimators.usage import WorkloadKey
from tests import postgres_server

BEGIN = datetime(2026, 9, 1, tzinfo=UTC)
DAYS, WORKLOADS, NODES = 60, 300, 100
QUESTION = timedelta(days=30)
END = BEGIN + timedelta(days=DAYS, hours=-7)
"""Within a day, as `30d` ends: both edges of the window are read by the hour."""
RUNS = 9


def an_hour(at: datetime, chance: random.Random) -> HourCost:
    """Every number but what has no GPU is some number."""
    return HourCost(
        hour=at,
        workloads=tuple(_workload(number, chance) for number in range(WORKLOADS)),
        nodes=tuple(_node(number, chance) for number in range(NODES)),
        control_plane=10**8,
    )


def _node(number: int, chance: random.Random) -> NodeCost:
    return NodeCost(
        f"ip-10-0-0-{number}.eu-west-1.compute.internal",
        cpu=chance.randrange(10**8),
        memory=chance.randrange(10**8),
        gpu=0,
        idle_cpu=chance.randrange(10**7),
        idle_memory=chance.randrange(10**7),
        idle_gpu=0,
        hours=1.0,
        labels={"topology.kubernetes.io/zone": "eu-west-1a", "pool": f"p{number % 5}"},
        source="OpenCost",
    )


def _workload(number: int, chance: random.Random) -> WorkloadCost:
    gpu = chance.randrange(10**9) if number < 20 else 0
    return WorkloadCost(
        WorkloadKey(f"namespace-{number % 25}", "Deployment", f"service-{number}"),
        cpu=chance.randrange(10**8),
        memory=chance.randrange(10**8),
        gpu=gpu,
        storage=chance.randrange(10**6),
        idle_cpu=chance.randrange(10**7),
        idle_memory=chance.randrange(10**7),
        cpu_requested=chance.random(),
        cpu_used=chance.random(),
        cpu_claimed=chance.random(),
        cpu_measured=chance.random(),
        memory_requested=chance.random(),
        memory_used=chance.random(),
        memory_claimed=chance.random(),
        memory_measured=chance.random(),
        replica_hours=10.0,
        gpu_models={"NVIDIA-A100-SXM4-80GB": gpu} if gpu else {},
        labels={"team": f"team-{number % 12}", "app.kubernetes.io/part-of": f"app-{number % 40}"},
    )


def measure(name: str, url: str, size: Callable[[], int]) -> None:
    """Fill a store, and print what it took."""
    chance = random.Random(1)
    with closing(Records(url)) as records:
        records.prepare()
        costs = records.costs
        writes = []
        for day in range(DAYS):
            hours = [an_hour(BEGIN + timedelta(days=day, hours=hour), chance) for hour in range(24)]
            writes.append(_seconds(partial(_keep, costs, hours)))
        an_old_one = [an_hour(END - timedelta(days=1), chance)]
        print(f"{name}: {size() / DAYS / 1e6:.1f} MB a day")
        _print("write a day", writes)
        _print("write an hour again", [_seconds(partial(_keep, costs, an_old_one)) for _ in range(RUNS)])
        _print("30 days, and the 30 before", [_seconds(partial(_ask, costs)) for _ in range(RUNS)])
        days = [_seconds(partial(costs.days, "prod", END - QUESTION, END)) for _ in range(RUNS)]
        _print("30 days, one by one", days)


def _keep(costs: CostHours, hours: list[HourCost]) -> None:
    costs.keep("prod", hours, currency="USD", at=END)


def _ask(costs: CostHours) -> None:
    """All workloads and nodes of both windows: what `namespace payments 30d` is worked out from."""
    found = costs.window("prod", END - QUESTION, END)
    before = costs.window("prod", END - 2 * QUESTION, END - QUESTION)
    assert len(found.workloads) == len(before.workloads) == WORKLOADS


def _seconds(what: Callable[[], object]) -> float:
    began = time.perf_counter()
    what()
    return time.perf_counter() - began


def _print(what: str, seconds: list[float]) -> None:
    print(f"  {what:28} {statistics.median(seconds) * 1e3:7.0f} ms, at most {max(seconds) * 1e3:.0f} ms")


def main() -> None:
    """Both databases."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "tuppence.db"
        measure("SQLite", f"sqlite:///{file}", lambda: file.stat().st_size)
    with postgres_server.serving() as server:
        url = server.new_database()

        def size() -> int:
            with psycopg.connect(url) as connection:
                row = connection.execute("SELECT pg_database_size(current_database())").fetchone()
                assert row is not None
                return int(row[0])

        measure("PostgreSQL", url, size)


if __name__ == "__main__":
    main()
