"""Half a month of two workloads in a real Prometheus, until now: one asks for far more than it uses."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

from tests.allocation_past import BEGIN, NodeLife, PodLife, Town
from tests.prometheus_blocks import write_blocks
from tests.prometheus_server import serving
from tests.yaml_objects import deployment as any_deployment

DAYS = 15
"""What a Prometheus keeps unless told otherwise."""
_LIFE = (0.0, (DAYS * 24 + 3) * 60.0)
"""Minutes: some hours more than until now, as long as the tests may take."""
_DEPLOYED = {name: ("ReplicaSet", f"{name}-1") for name in ("api", "tight")}
_ASKED = {"api": {"cpu": 2.0, "memory": 2.0}, "tight": {"cpu": 0.5, "memory": 0.625}}


def deployment(name: str = "api", cpu: str = "500m", memory: str = "640Mi") -> str:
    """With the container that the pods of the past have."""
    return any_deployment(name, cpu=cpu, memory=memory).replace("name: main", "name: app")


FILES = {
    "apps/api.yaml": deployment(cpu="2", memory="2Gi"),
    "apps/tight.yaml": deployment("tight"),
    "apps/new.yaml": deployment("new"),
}
"""`api` asks for too much, `tight` for what it needs, and nobody has seen `new`."""


@contextmanager
def half_a_month(folder: Path) -> Iterator[str]:
    """The address of its Prometheus, whose data is below `folder`."""
    later = int((datetime.now(UTC) - timedelta(days=DAYS) - BEGIN).total_seconds()) + 120
    write_blocks(folder, [replace(one, times=one.times + later) for one in _town().series()])
    with serving(folder, "--query.lookback-delta=150s") as address:
        yield address


def _town() -> Town:
    """Two pods of each workload use 0.4 cores and half a GiB each."""
    pods = tuple(
        PodLife("payments", f"{name}-1-{index}", "steady", _LIFE, owner, _ASKED[name], (0.4, 0.5))
        for name, owner in _DEPLOYED.items()
        for index in range(2)
    )
    above = {
        ("ReplicaSet", "payments", owner): ("Deployment", name) for name, (_, owner) in _DEPLOYED.items()
    }
    return Town(_LIFE[1], (NodeLife("steady", _LIFE, cores=16.0, gib=64.0),), pods, above=above, scrape=120)
