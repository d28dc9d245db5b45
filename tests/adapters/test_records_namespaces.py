"""What namespaces cost, kept beside their workloads: who asks about one reads no workload of another."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import datetime

import pytest
from alembic import command

from bot.adapters import records_allocation_writes as writes
from bot.adapters.records import Records
from bot.adapters.records_allocation_tables import ALL_SUMS, of_namespaces
from bot.adapters.records_database import Database, _migrations
from bot.cost_ports import CostHours
from estimators.allocation import ADDED_UP, HourCost, WindowCost, WorkloadCost
from estimators.allocation_days import WorkloadDay
from estimators.allocation_window import MONEY, others_added_up
from tests.adapters.test_records_allocation import HOUR, MONDAY, an_hour, hours, keep

WINDOW = (MONDAY + HOUR * 5, MONDAY + HOUR * 90)
"""Whole days, and parts of two more."""
BEFORE = tuple(sums for sums in ALL_SUMS if sums is not of_namespaces)
"""What versions of before these sums keep."""


@pytest.fixture
def costs(database_url: str) -> Iterator[CostHours]:
    """Four days, written in pieces that are no days."""
    with closing(Records(database_url)) as records:
        records.prepare()
        every = hours(MONDAY, 96)
        for first, last in ((40, 96), (0, 13), (13, 40)):
            keep(records.costs, every[first:last])
        yield records.costs


def same(window: WindowCost, other: WindowCost) -> None:
    """Money is, exactly; quantities to the last bits: a database adds up floats in any order."""
    assert replace(window, workloads=(), nodes=()) == replace(other, workloads=(), nodes=())
    assert [(each.node, each.bill, each.idle) for each in window.nodes] == [
        (each.node, each.bill, each.idle) for each in other.nodes
    ]
    for one, two in zip(window.workloads, other.workloads, strict=True):
        exact = ("workload", "labels", "gpu_models", *MONEY)
        assert [getattr(one, name) for name in exact] == [getattr(two, name) for name in exact]
        assert [getattr(one, name) for name in ADDED_UP] == pytest.approx(
            [getattr(two, name) for name in ADDED_UP], rel=1e-12
        )


def agree(costs: CostHours, start: datetime, end: datetime, *named: str) -> None:
    """What is read of the named is what is read of all, the others added up: the window and each of its days."""
    every, some = (costs.window("prod", start, end, which) for which in ((), named))
    same(some, replace(every, workloads=others_added_up(every.workloads, named)))
    days = costs.days("prod", start, end)
    for day, its in zip(days, costs.days("prod", start, end, named), strict=True):
        added = others_added_up(
            (WorkloadCost(who, cpu=cost, idle_cpu=idle, labels=of) for who, of, cost, idle in day.workloads),
            named,
        )
        whole = (WorkloadDay(item.workload, item.labels, item.direct, item.idle) for item in added)
        assert its == replace(day, workloads=tuple(whole))


@pytest.mark.parametrize("named", [["payments"], ["payments", "shop"], ["nowhere"]], ids=" ".join)
def test_others_are_the_sums_of_their_workloads(costs: CostHours, named: list[str]) -> None:
    """To the nano-unit, wherever a window is cut."""
    agree(costs, *WINDOW, *named)
    agree(costs, MONDAY + HOUR * 30, MONDAY + HOUR * 40, *named)


def test_a_repaired_hour_is_repaired_in_the_sums(costs: CostHours) -> None:
    """With another cost, without a namespace that was there, and with nothing."""
    repaired = an_hour(MONDAY + HOUR * 30, seed=1)
    keep(costs, [replace(repaired, workloads=repaired.workloads[:2])])
    agree(costs, *WINDOW, "payments")
    agree(costs, MONDAY + HOUR * 30, MONDAY + HOUR * 31, "payments")
    keep(costs, [HourCost(hour=MONDAY + HOUR * 31, workloads=(), nodes=(), covered=0.0)])
    agree(costs, *WINDOW, "payments")


def test_hours_of_before_have_their_sums_made(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the step that makes the tables: the same that are written with an hour."""
    with closing(Database(database_url)) as database:
        database.make_file()
        with database.writing() as connection:
            command.upgrade(_migrations(connection), "7")
    with closing(Records(database_url)) as records, monkeypatch.context() as patch:
        patch.setattr(writes, "ALL_SUMS", BEFORE)
        for cluster in ("prod", "staging"):
            keep(records.costs, hours(MONDAY, 50), cluster)
        records.prepare()
        agree(records.costs, *WINDOW, "shop")


def test_hours_that_the_version_before_writes_meanwhile_are_read_in_full(
    costs: CostHours, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pods are replaced one by one: an old one still writes hours, and knows nothing of these sums."""
    monkeypatch.setattr(writes, "ALL_SUMS", BEFORE)
    keep(costs, [an_hour(MONDAY + HOUR * 30, seed=1)])
    same(costs.window("prod", *WINDOW, ["shop"]), costs.window("prod", *WINDOW))
    assert costs.days("prod", *WINDOW, ["shop"]) == costs.days("prod", *WINDOW)
    later = (MONDAY + HOUR * 48, MONDAY + HOUR * 90)
    agree(costs, *later, "shop")
    monkeypatch.undo()
    keep(costs, [an_hour(MONDAY + HOUR * 30, seed=1)])
    agree(costs, *WINDOW, "shop")
