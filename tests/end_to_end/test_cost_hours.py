"""`tuppence serve` beside a real Prometheus: what the cluster cost is kept without anybody asking."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.adapters.records import Records
from bot.handlers.allocate_hours import settled_until
from estimators.allocation import WindowCost
from tests.allocation_past import BEGIN, NodeLife, PodLife, Town
from tests.end_to_end.bots import HOURS_COME_IN, running, wait_for
from tests.github.service import GitHub
from tests.prometheus_blocks import write_blocks
from tests.prometheus_server import serving

HOURS = 30
LIFE = (0.0, HOURS * 60.0)
END = settled_until(datetime.now(UTC))
START = END - timedelta(hours=HOURS)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A node and a pod since yesterday."""
    data: Path = tmp_path_factory.mktemp("prometheus")
    pod = PodLife("shop", "api-1", "steady", LIFE, ("StatefulSet", "api"), {"cpu": 1}, (0.5, 2))
    later = int((START - BEGIN).total_seconds())
    series = Town(LIFE[1], (NodeLife("steady", LIFE),), (pod,)).series()
    write_blocks(data, [replace(one, times=one.times + later) for one in series])
    with serving(data, "--query.lookback-delta=90s") as address:
        yield address


def kept(folder: Path) -> WindowCost:
    """What the bot knows by now."""
    with closing(Records(f"sqlite:///{folder / 'tuppence.db'}")) as records:
        return records.costs.window("default", START, END)


def test_the_cost_of_a_cluster_is_kept_over_a_kill(hub: GitHub, url: str, tmp_path: Path) -> None:
    """The worker is killed when the first day is there; the next one goes on with the others."""
    with running(hub, tmp_path, PROMETHEUS_URL=url) as bot:
        log = bot.log.read_text
        wait_for(lambda: kept(tmp_path).covered > 0, what="some hours", seconds=HOURS_COME_IN, told=log)
        bot.kill_worker()
        wait_for(lambda: kept(tmp_path).covered > 0.98, what="all hours", seconds=HOURS_COME_IN, told=log)
        assert bot.end(signal.SIGTERM) == 0
    found = kept(tmp_path)
    assert found.bill == found.tenants + found.idle + found.control_plane > 0
    [workload] = found.workloads
    assert workload.replica_hours == pytest.approx(HOURS, rel=0.02)
    assert 0 < found.idle < found.bill
