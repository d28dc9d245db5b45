"""The contract of clusters' hours, held by SQLite and PostgreSQL alike."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from bot import cost_ports
from bot.adapters.records import Records
from bot.adapters.records_allocation_tables import of_nodes, of_workloads
from bot.cost_ports import KeptHour
from bot.errors import UserError
from estimators.allocate import allocate
from estimators.allocation import (
    ADDED_UP,
    NANO,
    Charged,
    ClusterHour,
    ContainerHour,
    HourCost,
    NodeCost,
    NodeHour,
    VolumeHour,
    WorkloadCost,
    sum_of_workloads,
)
from estimators.prices import Provenance
from estimators.usage import WorkloadKey

ROOT = Path(__file__).resolve().parents[2]
MONDAY = datetime(2026, 11, 16, tzinfo=UTC)
LATER = MONDAY + timedelta(days=9, minutes=12, microseconds=7)
HOUR = timedelta(hours=1)
API = WorkloadKey("payments", "Deployment", "api")
_FRACTIONS = [
    name
    for name in ADDED_UP
    if name.startswith(("cpu_", "memory_", "gpu_")) or name in {"gpus", "replica_hours"}
]


def amount(chance: random.Random) -> int:
    """Money with all its nano-units, large enough that a float would lose some."""
    return chance.randrange(10**15, 2 * 10**15)


def workload(chance: random.Random, name: str, **labels: str) -> WorkloadCost:
    """One with every number set."""
    whole = {field: amount(chance) for field in of_workloads.added if field not in _FRACTIONS}
    parts = {field: chance.random() for field in _FRACTIONS}
    models = {"A100": whole["gpu"] // 3, "": whole["gpu"] - whole["gpu"] // 3}
    key = WorkloadKey(name.partition("/")[0], "Deployment", name.partition("/")[2])
    return WorkloadCost(key, **whole, **parts, gpu_models=models, labels=labels)  # type: ignore[arg-type]


def node(chance: random.Random, name: str) -> NodeCost:
    """One with every fact."""
    money = {field: amount(chance) for field in of_nodes.added if field != "hours"}
    facts = {"zone": "a", "pool": "ü'\"\\"}
    return NodeCost(
        name,
        **money,
        hours=chance.random(),
        labels=facts,
        spot=True,
        gpu_model="A100",
        source="OpenCost",
        provenance=Provenance.ASSUMED,
    )


def an_hour(at: datetime, covered: float = 1.0, seed: int = 0) -> HourCost:
    """Three workloads and two nodes; the same hour and seed is the same cost."""
    chance = random.Random(at.timestamp() + seed)
    return HourCost(
        hour=at,
        workloads=(
            workload(chance, "payments/api", team="checkout"),
            workload(chance, "payments/worker"),
            workload(chance, "shop/web", team="shop"),
        ),
        nodes=(node(chance, "n1"), node(chance, "n2")),
        control_plane=amount(chance),
        orphans=amount(chance),
        covered=covered,
        notes=("GPU use is not measured",),
    )


def measured(chance: random.Random, at: datetime) -> ClusterHour:
    """Two nodes, one of them asked for more than it has, and a volume that nobody claims."""
    nodes = tuple(
        NodeHour(name, chance.random(), 4.0, 16.0, 0.0, Decimal("0.031611"), Decimal("0.004237"), Decimal(0))
        for name in ("n1", "n2")
    )
    containers = tuple(
        ContainerHour(
            f"n{index % 2 + 1}",
            WorkloadKey("x", "Deployment", f"w{index % 3}"),
            f"p{index}",
            "main",
            hours=1.0,
            cpu_requested=chance.random() * (1 + index % 2),
            cpu_used=chance.random(),
            memory_requested=chance.random(),
            memory_used=None,
        )
        for index in range(9)
    )
    orphan = VolumeHour("", "", None, "gp3", 33.3, 1.0, Decimal("0.0001095890410958904"))
    return ClusterHour(at, nodes, containers, (orphan,), control_plane=Decimal("0.1"))


def hours(start: datetime, count: int) -> list[HourCost]:
    """Some in a row."""
    return [an_hour(start + HOUR * index) for index in range(count)]


def money(charged: Charged) -> tuple[int, ...]:
    """What must add up."""
    attributed = sum(item.idle for item in charged.workloads)
    return (charged.bill, charged.tenants, charged.idle, charged.control_plane, charged.orphans, attributed)


def added(charged: Sequence[HourCost]) -> tuple[int, ...]:
    """The same of several hours, by Python's integers."""
    return tuple(map(sum, zip(*map(money, charged), strict=True)))


@pytest.fixture
def records(database_url: str) -> Iterator[Records]:
    """An empty store."""
    with closing(Records(database_url)) as store:
        store.prepare()
        yield store


@pytest.fixture
def costs(records: Records) -> cost_ports.CostHours:
    """What mypy holds the store to."""
    return records.costs


def keep(
    costs: cost_ports.CostHours, some: Sequence[HourCost], cluster: str = "prod", at: datetime = LATER
) -> None:
    costs.keep(cluster, some, currency="EUR", at=at)


def test_every_number_of_a_workload_has_a_column() -> None:
    """Whoever adds one to the type hears of it here."""
    assert set(of_workloads.added) == set(ADDED_UP)


def test_an_hour_comes_back_as_it_was(costs: cost_ports.CostHours) -> None:
    """To the nano-unit and the last bit, with labels and facts."""
    hour = an_hour(MONDAY, covered=0.75)
    keep(costs, [hour])
    found = costs.window("prod", MONDAY, MONDAY + HOUR)
    assert (found.workloads, found.nodes) == (hour.workloads, hour.nodes)
    assert money(found) == money(hour)
    assert (found.covered, found.notes, found.cluster, found.currency) == (0.75, hour.notes, "prod", "EUR")


@pytest.mark.parametrize(
    ("first", "last"),
    [
        pytest.param(0, 96, id="whole days"),
        pytest.param(5, 90, id="from an hour to an hour"),
        pytest.param(24, 48, id="one day"),
        pytest.param(30, 40, id="within a day"),
        pytest.param(40, 60, id="over midnight"),
        pytest.param(24, 50, id="a day and two hours"),
        pytest.param(22, 48, id="two hours and a day"),
        pytest.param(95, 96, id="one hour"),
        pytest.param(40, 40, id="no hour"),
    ],
)
def test_a_window_is_the_sum_of_its_hours(costs: cost_ports.CostHours, first: int, last: int) -> None:
    """Wherever it is cut: days and hours are added up by the database, to the nano-unit."""
    every = hours(MONDAY, 96)
    for day in (3, 1, 0, 2):
        keep(costs, every[day * 24 : day * 24 + 24])
    inside = every[first:last]
    found = costs.window("prod", MONDAY + HOUR * first, MONDAY + HOUR * last)
    assert money(found) == (added(inside) if inside else (0,) * 6)
    by_hand = sum_of_workloads(item for hour in inside for item in hour.workloads)
    assert [item.workload for item in found.workloads] == [item.workload for item in by_hand]
    for mine, theirs in zip(found.workloads, by_hand, strict=True):
        assert mine.gpu_models == theirs.gpu_models
        assert [getattr(mine, name) for name in ADDED_UP] == pytest.approx(
            [getattr(theirs, name) for name in ADDED_UP], rel=1e-12
        )
    assert found.covered == (1.0 if inside else 0.0)


def test_what_was_charged_still_adds_up(costs: cost_ports.CostHours) -> None:
    """Tenants, idle and the control plane are the bill, with prices that no binary fraction has."""
    chance = random.Random(7)
    charged = [allocate(measured(chance, MONDAY + HOUR * index)) for index in range(52)]
    keep(costs, charged)
    found = costs.window("prod", MONDAY + HOUR, MONDAY + HOUR * 52)
    assert found.bill == found.tenants + found.idle + found.control_plane == added(charged[1:])[0]
    assert 0 < found.idle < found.bill
    for day in costs.days("prod", MONDAY + HOUR, MONDAY + HOUR * 52):
        assert day.bill == day.tenants + day.idle + day.control_plane


def test_days_are_the_window_cut_at_midnight(costs: cost_ports.CostHours) -> None:
    """The first and the last may be parts; a day without hours is there and covers nothing."""
    every = hours(MONDAY, 30)
    keep(costs, every)
    found = costs.days("prod", MONDAY + HOUR * 20, MONDAY + HOUR * 80)
    assert [(day.start, day.end) for day in found] == [
        (MONDAY + HOUR * 20, MONDAY + HOUR * 24),
        (MONDAY + HOUR * 24, MONDAY + HOUR * 48),
        (MONDAY + HOUR * 48, MONDAY + HOUR * 72),
        (MONDAY + HOUR * 72, MONDAY + HOUR * 80),
    ]
    assert [day.covered for day in found] == [1.0, 6 / 24, 0.0, 0.0]
    assert [(day.bill, day.tenants, day.idle, day.control_plane) for day in found] == [
        added(every[20:24])[:4],
        added(every[24:30])[:4],
        (0, 0, 0, 0),
        (0, 0, 0, 0),
    ]
    for day in found:
        assert sum(item.direct for item in day.workloads) == day.tenants
    whole = costs.whole_days("prod", MONDAY + HOUR * 20, MONDAY + HOUR * 80)
    assert list(whole) == [replace(day, workloads=()) for day in found]


def test_an_hour_that_is_written_again_replaces_itself_in_its_day(costs: cost_ports.CostHours) -> None:
    """A repair: workloads that were wrongly there are gone from the sums too."""
    every = hours(MONDAY, 24)
    keep(costs, every)
    poor = HourCost(hour=MONDAY + HOUR * 7, workloads=(), nodes=(), covered=0.0)
    keep(costs, [poor])
    keep(costs, [every[7]], at=LATER + HOUR)
    assert money(costs.window("prod", MONDAY, MONDAY + HOUR * 24)) == added(every)
    repaired = an_hour(MONDAY + HOUR * 7, seed=1)
    keep(costs, [repaired], at=LATER + HOUR)
    found = costs.window("prod", MONDAY, MONDAY + HOUR * 24)
    assert money(found) == added([*every[:7], repaired, *every[8:]])
    [kept] = costs.kept("prod", MONDAY + HOUR * 7, MONDAY + HOUR * 8)
    assert kept == KeptHour(MONDAY + HOUR * 7, 1.0, 4, LATER + HOUR)


def test_asking_in_vain_is_counted_and_changes_nothing_else(costs: cost_ports.CostHours) -> None:
    """For the pause before it is tried again."""
    keep(costs, [an_hour(MONDAY, covered=0.5), an_hour(MONDAY + HOUR)])
    costs.asked("prod", [MONDAY, MONDAY + HOUR * 9], LATER + HOUR)
    assert costs.kept("prod", MONDAY, MONDAY + HOUR * 24) == [
        KeptHour(MONDAY, 0.5, 2, LATER + HOUR),
        KeptHour(MONDAY + HOUR, 1.0, 1, LATER),
    ]


def test_missing_hours_are_told_and_not_made_up(costs: cost_ports.CostHours) -> None:
    """A window that is half empty costs what is known, and says that half is."""
    keep(costs, [an_hour(MONDAY), an_hour(MONDAY + HOUR, covered=0.5)])
    assert costs.window("prod", MONDAY, MONDAY + HOUR * 3).covered == 0.5
    nowhere = costs.window("staging", MONDAY, MONDAY + HOUR * 3)
    assert (nowhere.covered, nowhere.workloads, nowhere.bill) == (0.0, (), 0)
    assert costs.kept("staging", MONDAY, MONDAY + HOUR) == []


def test_a_workload_that_changed_hands_has_a_row_for_each(costs: cost_ports.CostHours) -> None:
    """Whoever had it in an hour pays for that hour."""
    hour = an_hour(MONDAY)
    given = replace(hour.workloads[0], labels={"team": "growth"})
    keep(costs, [hour, replace(an_hour(MONDAY + HOUR), workloads=(given,))])
    rows = [
        item for item in costs.window("prod", MONDAY, MONDAY + HOUR * 2).workloads if item.workload == API
    ]
    assert [(item.labels, item.cpu) for item in rows] == [
        ({"team": "checkout"}, hour.workloads[0].cpu),
        ({"team": "growth"}, given.cpu),
    ]


def test_notes_are_those_of_the_newest_hours_and_say_how_many_there_are(costs: cost_ports.CostHours) -> None:
    """Each once."""
    every = [replace(hour, notes=("always", f"hour {index}")) for index, hour in enumerate(hours(MONDAY, 24))]
    keep(costs, every)
    notes = costs.window("prod", MONDAY, MONDAY + HOUR * 24).notes
    assert notes[:3] == ("always", "hour 23", "hour 22")
    assert notes[-1] == "5 more notes about older hours"
    assert len(notes) == 21


def test_clusters_do_not_mix(costs: cost_ports.CostHours) -> None:
    """The same names in two of them."""
    here, there = hours(MONDAY, 24), [an_hour(MONDAY, seed=5)]
    keep(costs, here)
    keep(costs, there, cluster="staging")
    assert costs.clusters() == ["prod", "staging"]
    assert money(costs.window("prod", MONDAY, MONDAY + HOUR * 24)) == added(here)
    assert money(costs.window("staging", MONDAY, MONDAY + HOUR * 24)) == added(there)


def test_another_currency_is_refused(costs: cost_ports.CostHours) -> None:
    """Euros and dollars have no sum."""
    keep(costs, [an_hour(MONDAY)])
    with pytest.raises(UserError, match=r"cluster prod is kept in EUR .* in USD now: give"):
        costs.keep("prod", [an_hour(MONDAY + HOUR)], currency="USD", at=LATER)
    assert len(costs.kept("prod", MONDAY, MONDAY + HOUR * 9)) == 1


def test_an_hour_that_costs_too_much_is_refused_with_all_others(costs: cost_ports.CostHours) -> None:
    """Before a database would have to add up what 64 bits do not hold."""
    huge = HourCost(hour=MONDAY + HOUR, workloads=(), nodes=(), orphans=400_000_000 * NANO)
    with pytest.raises(UserError, match="2026-11-16 01:00 costs 400000000: check the prices"):
        keep(costs, [an_hour(MONDAY), huge])
    assert costs.kept("prod", MONDAY, MONDAY + HOUR * 9) == []


def test_names_that_strangers_chose_are_kept(costs: cost_ports.CostHours) -> None:
    """What PostgreSQL cannot store is replaced, and still one workload a name."""
    cost = an_hour(MONDAY).workloads[0]
    names = ["a'; DROP TABLE cost_hours; --", "b\0", "b\ud800", "ü" * 3000]
    odd = tuple(
        replace(cost, workload=WorkloadKey("x", "Deployment", name), labels={name: name}) for name in names
    )
    keep(costs, [replace(an_hour(MONDAY), workloads=odd)])
    found = costs.window("prod", MONDAY, MONDAY + HOUR)
    assert sorted(item.workload.name for item in found.workloads) == sorted(
        [names[0], "b\ufffd", "b\ufffd", names[3]]
    )
    assert found.tenants == sum(item.direct for item in odd)


def test_a_window_begins_and_ends_with_an_hour(costs: cost_ports.CostHours) -> None:
    """Anything else is a mistake of ours."""
    for start in (MONDAY + timedelta(minutes=1), MONDAY.replace(tzinfo=None)):
        with pytest.raises(ValueError, match="not the beginning of an hour"):
            costs.window("prod", start, MONDAY + HOUR * 9)


def test_replicas_may_write_the_same_hours_at_once(database_url: str) -> None:
    """Each hour is there once, with its sums."""
    every = hours(MONDAY, 24)
    with closing(Records(database_url)) as records:
        records.prepare()

        def write(_: int) -> None:
            with closing(Records(database_url)) as mine:
                keep(mine.costs, every)

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(write, range(4)))
        assert money(records.costs.window("prod", MONDAY, MONDAY + HOUR * 24)) == added(every)
        assert {kept.asks for kept in records.costs.kept("prod", MONDAY, MONDAY + HOUR * 24)} == {4}


KILLED = """
import os, sys
from bot.adapters import records_allocation_writes as writes
from bot.adapters.records import Records
from tests.adapters.test_records_allocation import MONDAY, hours, keep

added = writes._add_up
def die_on_tuesday(connection, sums, cluster, day):
    added(connection, sums, cluster, day)
    if day * 86_400 > MONDAY.timestamp():
        os.kill(os.getpid(), 9)
writes._add_up = die_on_tuesday
records = Records(sys.argv[1])
keep(records.costs, hours(MONDAY, 24))
keep(records.costs, hours(MONDAY + 24 * (hours(MONDAY, 2)[1].hour - MONDAY), 24))
"""


def test_a_killed_writer_leaves_whole_days(database_url: str) -> None:
    """Killed when a day's hours and some of its sums were written: none of it is there, and it can be done again."""
    with closing(Records(database_url)) as records:
        records.prepare()
        done = subprocess.run([sys.executable, "-c", KILLED, database_url], cwd=ROOT, check=False)
        assert done.returncode == -signal.SIGKILL
        two_days = (MONDAY, MONDAY + HOUR * 48)
        every = hours(MONDAY, 48)
        assert money(records.costs.window("prod", *two_days)) == added(every[:24])
        keep(records.costs, every[24:])
        assert money(records.costs.window("prod", *two_days)) == added(every)


def test_purging_removes_whole_days_and_what_only_they_named(records: Records) -> None:
    """A day stays until it is old from its first hour to its last."""
    gone = replace(an_hour(MONDAY), workloads=(workload(random.Random(1), "old/old"),))
    every = [gone, *hours(MONDAY + HOUR, 71)]
    keep(records.costs, every)
    before = MONDAY + timedelta(days=1, hours=23)
    assert records.purge(before=before, now=LATER)["cost_hours"] == 24
    left = records.costs.window("prod", MONDAY, MONDAY + HOUR * 72)
    assert money(left) == added(every[24:])
    assert records.purge(before=before, now=LATER)["cost_hours"] == 0
    keep(records.costs, [gone])
    assert money(records.costs.window("prod", MONDAY, MONDAY + HOUR * 72)) == added([gone, *every[24:]])
