"""A hundred nodes and three thousand pods in a real Prometheus: every hour adds up, in few requests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from bot.adapters.prometheus_allocation import read_hours
from bot.adapters.prometheus_api import Counters, PrometheusApi
from estimators.allocate import allocate
from estimators.allocation import NANO, ClusterHour
from estimators.money import HOURS_PER_MONTH
from estimators.prices import BUILT_IN
from tests.allocation_past import BEGIN
from tests.prometheus_blocks import write_blocks
from tests.prometheus_server import serving
from tests.simulated_cluster import NODES, PODS, simulated
from tests.town_costs import town_cost

TOWN = simulated(hours=5)
START = BEGIN + timedelta(hours=1)
CENT = 0.005
Read = tuple[list[ClusterHour], Counters]


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Read]:
    """Four hours of it, and what was asked."""
    data: Path = tmp_path_factory.mktemp("large")
    write_blocks(data, TOWN.series())
    with serving(data, "--query.lookback-delta=90s") as url:
        api = PrometheusApi(url)
        hours = list(read_hours(api, start=START, end=START + timedelta(hours=4), prices=BUILT_IN))
        yield hours, api.counters
        api.close()


def test_it_is_as_large_as_it_should_be(read: Read) -> None:
    """At any time about 100 nodes and 3,000 pods."""
    for hour in read[0]:
        assert sum(node.hours for node in hour.nodes) == pytest.approx(NODES, abs=10)
        assert sum(item.hours for item in hour.containers) == pytest.approx(PODS, rel=0.05)


def test_it_takes_as_many_requests_as_a_small_one(read: Read) -> None:
    """None depends on the number of pods: 15 for a day or a part of it, and discovery."""
    assert read[1].requests <= 17


@pytest.mark.parametrize("window", [(1, 2), (2, 3), (3, 4), (4, 5), (1, 5)])
def test_everybody_pays_what_the_simulation_says(read: Read, window: tuple[int, int]) -> None:
    """To the cent: bill, idle, and each namespace's claims and its share of idle."""
    first, last = window
    charged = [allocate(hour) for hour in read[0][first - 1 : last - 1]]
    truth = town_cost(
        TOWN,
        first * 60,
        last * 60,
        gib_hour=float(BUILT_IN.storage_gib_month / HOURS_PER_MONTH),
        balancer_hour=float(BUILT_IN.load_balancer_hour),
    )
    direct, idle = Counter[str](), Counter[str]()
    for item in (item for hour in charged for item in hour.workloads):
        direct[item.workload.namespace] += item.direct
        idle[item.workload.namespace] += item.idle
    assert sum(hour.bill for hour in charged) / NANO == pytest.approx(truth.bill, abs=CENT)
    assert sum(hour.idle for hour in charged) / NANO == pytest.approx(truth.idle, abs=CENT)
    assert {name: cost / NANO for name, cost in direct.items()} == pytest.approx(truth.claims, abs=CENT)
    assert {name: cost / NANO for name, cost in idle.items() if cost} == pytest.approx(
        {name: cost for name, cost in truth.idle_shares.items() if cost > 1e-9}, abs=CENT
    )


@pytest.mark.parametrize("window", [1, 2, 3, 4])
def test_tenants_and_idle_are_the_bill_for_every_window(read: Read, window: int) -> None:
    """To the last nano-unit, whatever consecutive hours are added up; nothing is negative."""
    charged = [allocate(hour) for hour in read[0]]
    for first in range(len(charged) - window + 1):
        some = charged[first : first + window]
        tenants, idle = sum(hour.tenants for hour in some), sum(hour.idle for hour in some)
        shared = sum(hour.control_plane for hour in some)
        assert tenants + idle + shared == sum(hour.bill for hour in some)
        assert all(
            node.idle_cpu >= 0 and node.idle_memory >= 0 and node.idle_gpu >= 0
            for hour in some
            for node in hour.nodes
        )
        assert all(item.direct >= 0 and item.idle >= 0 for hour in some for item in hour.workloads)


def test_everything_has_its_case(read: Read) -> None:
    """The simulation is not spared: each case is there in some hour."""
    hours, _ = read
    charged = [allocate(hour) for hour in hours]
    assert any(0 < node.hours < 1 and node.spot for hour in hours for node in hour.nodes)
    assert any(node.idle_cpu == 0 and node.cpu for hour in charged for node in hour.nodes)
    assert any(0 < item.gpus < 1 for hour in hours for item in hour.containers)
    assert any(item.hours == pytest.approx(2 / 60) for hour in hours for item in hour.containers)
    assert any(item.container == "proxy" for hour in hours for item in hour.containers)
    assert any(volume.claim == "" for hour in hours for volume in hour.volumes)
    assert not any(item.pod.startswith("waits") for hour in hours for item in hour.containers)
    assert all(hour.control_plane == Decimal("0.1") for hour in hours)
    kinds = {item.workload.kind for item in hours[0].containers}
    assert kinds == {"Deployment", "StatefulSet", "DaemonSet", "CronJob", "Pod"}
