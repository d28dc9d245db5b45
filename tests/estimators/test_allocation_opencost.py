"""Where an hour-by-hour allocation differs from OpenCost's published formula, and by how much.

The numbers are those of docs/allocation.md, which is read. OpenCost's formula is written down here as its
specification and `pkg/costmodel/allocation.go` have it: per container and window, the larger of the
mean request and the mean use, times the hours it ran, times the node's mean price in the window.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path
from statistics import fmean

import pytest

from estimators.allocate import allocate
from estimators.allocation import ClusterHour, as_money
from tests.allocation_builders import container, hour, node

CORE = 0.03
GUIDE = Path(__file__).parents[2] / "docs" / "allocation.md"


def opencost(hours: Sequence[ClusterHour]) -> tuple[dict[str, float], float]:
    """CPU cost by workload over the window, and idle, by the published formula."""
    ran: defaultdict[tuple[str, str, str], list[tuple[float, float, float]]] = defaultdict(list)
    prices: defaultdict[str, list[float]] = defaultdict(list)
    bill = 0.0
    for one in hours:
        for life in one.nodes:
            prices[life.node].append(float(life.cpu_core_hour))
            bill += life.cores * life.hours * float(life.cpu_core_hour)
        for item in one.containers:
            key = (item.node, item.workload.name, item.pod)
            ran[key].append((item.hours, item.cpu_requested, item.cpu_used or 0.0))
    costs: defaultdict[str, float] = defaultdict(float)
    for (on, name, _), lives in ran.items():
        run_hours = sum(life[0] for life in lives)
        requested, used = (sum(life[index] for life in lives) / run_hours for index in (1, 2))
        costs[name] += max(requested, used) * run_hours * fmean(prices[on])
    return dict(costs), bill - sum(costs.values())


def ours(hours: Sequence[ClusterHour]) -> tuple[dict[str, float], float]:
    """The same, as charged here."""
    charged = [allocate(one) for one in hours]
    costs: defaultdict[str, float] = defaultdict(float)
    for one in charged:
        for item in one.workloads:
            costs[item.workload.name] += float(as_money(item.cpu))
    return dict(costs), float(as_money(sum(item.idle for one in charged for item in one.nodes)))


def full(name: str = "n1", price: float = CORE) -> ClusterHour:
    """An hour of one node of 4 cores."""
    return hour(node(name, cpu=str(price), memory="0"))


def with_tenants(one: ClusterHour, **tenants: tuple[float, float]) -> ClusterHour:
    """The hour with containers by name: (requested, used) core-hours."""
    return hour(*one.nodes, *(container(name, cpu=ask, cpu_used=use) for name, (ask, use) in tenants.items()))


STEADY = [with_tenants(full(), a=(1, 0.5), b=(2, 1))] * 24
BUSY_BY_DAY = [with_tenants(full(), a=(1, 2))] * 12 + [with_tenants(full(), a=(1, 0.2))] * 12
OVERFULL = [with_tenants(full(), a=(3, 0.5), b=(1, 3))]
FULL_THEN_EMPTY = [with_tenants(full(), a=(3, 3), b=(3, 3))] * 12 + [full()] * 12
PRICE_FALLS = [with_tenants(full(price=1), a=(1, 1))] * 6 + [with_tenants(full(price=0.25), b=(1, 1))] * 18


@pytest.mark.parametrize(
    ("hours", "here", "idle_here", "there", "idle_there"),
    [
        (STEADY, {"a": 0.72, "b": 1.44}, 0.72, {"a": 0.72, "b": 1.44}, 0.72),
        (BUSY_BY_DAY, {"a": 1.08}, 1.80, {"a": 0.792}, 2.088),
        (OVERFULL, {"a": 0.06, "b": 0.06}, 0.0, {"a": 0.09, "b": 0.09}, -0.06),
        (FULL_THEN_EMPTY, {"a": 0.72, "b": 0.72}, 1.44, {"a": 1.08, "b": 1.08}, 0.72),
        (PRICE_FALLS, {"a": 6.0, "b": 4.5}, 31.5, {"a": 2.625, "b": 7.875}, 31.5),
    ],
    ids=["steady", "max of averages", "over-full", "full, then empty", "the price falls"],
)
def test_what_is_charged_here_and_by_the_published_formula(
    hours: Sequence[ClusterHour],
    here: dict[str, float],
    idle_here: float,
    there: dict[str, float],
    idle_there: float,
) -> None:
    """The same while nothing changes and all fits; different, by these amounts, where it does not."""
    costs, idle = ours(hours)
    assert costs == pytest.approx(here)
    assert idle == pytest.approx(idle_here)
    costs, idle = opencost(hours)
    assert costs == pytest.approx(there)
    assert idle == pytest.approx(idle_there)


def told(cell: str) -> dict[str, float]:
    """The amounts of a cell of the guide's table by whose they are."""
    found = re.findall(r"\b(a|b|idle) (−?)\$(\d+\.\d\d)", cell)
    return {name: float(amount) * (-1 if sign else 1) for name, sign, amount in found}


def test_the_guide_tells_these_numbers() -> None:
    """Both columns of its table, to the cent, row by row."""
    section = GUIDE.read_text(encoding="utf-8").partition("## Against OpenCost's formula")[2]
    rows = [line.split("|")[1:] for line in section.splitlines() if line.startswith("| ")][2:]
    cases = (STEADY, BUSY_BY_DAY, OVERFULL, FULL_THEN_EMPTY, PRICE_FALLS)
    for hours, (_, here, there, *_) in zip(cases, rows, strict=False):
        for cell, formula in ((here, ours), (here if "the same" in there else there, opencost)):
            costs, idle = formula(hours)
            amounts = {**costs, "idle": idle}
            in_guide = told(cell)
            assert in_guide.keys() >= costs.keys()
            assert in_guide == pytest.approx({name: amounts[name] for name in in_guide}, abs=0.00501)
    assert len(rows) > len(cases)
