"""What a week's digest tells beside the answer: idle GPUs, what nobody owns, days of every team, a ledger."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimators.allocation import WorkloadCost
from estimators.allocation_days import DayCost, WorkloadDay
from estimators.ownership import Owners
from estimators.showback import Charge, GroupBy, GroupKind, Kind, Parts
from estimators.showback_answer import Question, Selection, charged
from estimators.showback_days import daily, daily_by_group
from estimators.showback_ledger import ledger
from estimators.showback_shared import SharedRule, Split
from estimators.showback_week import GpuIdle, gpu_idle, gpu_measured_share, unallocated_share
from estimators.usage import WorkloadKey
from tests.week_samples import WEEK, costs

TEAM = GroupBy(GroupKind.TEAM)
OWNERS = Owners()
RULE = SharedRule(("kube-system",))


def holder(name: str, cost: int, held: float, busy: float, measured: float) -> Charge:
    """A workload that held GPUs for so many hours."""
    key = WorkloadKey("ml", "Job", name)
    one = WorkloadCost(key, gpu=cost, gpus=held, gpu_busy=busy, gpu_measured=measured)
    return Charge(Kind.TENANT, "prod", one, Parts(gpu=cost))


@pytest.mark.parametrize(
    ("holders", "idle", "known"),
    [
        ([holder("a", 1000, 100, 25, 100)], GpuIdle(75, 750), 1),
        ([holder("a", 1000, 100, 25, 50)], GpuIdle(25, 250), 0.5),
        ([holder("a", 1000, 100, 0, 0)], None, 0),
        ([holder("a", 1000, 10, 10, 10), holder("b", 600, 6, 1, 6)], GpuIdle(5, 500), 1),
        ([], None, None),
    ],
    ids=["a quarter busy", "half of it measured", "not measured", "two", "no GPU"],
)
def test_gpus_that_were_held_and_not_used(
    holders: list[Charge], idle: GpuIdle | None, known: float | None
) -> None:
    """Hours whose use was not measured are neither busy nor idle, and it is known how many those are."""
    assert gpu_idle(holders) == idle
    assert gpu_measured_share(holders) == known


def test_the_unallocated_share_is_of_the_bill() -> None:
    """Of all charges, what has a workload without a team."""
    owned = WorkloadCost(WorkloadKey("shop", "Deployment", "web"), cpu=60, labels={"team": "checkout"})
    lost = replace(owned, labels={})
    found = [
        Charge(Kind.TENANT, "prod", owned, Parts(cpu=60)),
        Charge(Kind.TENANT, "prod", lost, Parts(cpu=20, idle_share=5)),
        Charge(Kind.IDLE, "prod", None, Parts(idle_share=15)),
    ]
    assert unallocated_share(found, OWNERS) == 0.25
    assert unallocated_share([], OWNERS) is None


def days(count: int = 7) -> tuple[DayCost, ...]:
    """Those of the week of a made-up shop."""
    return tuple(costs().days("prod", WEEK.end - timedelta(days=count), WEEK.end))


def test_every_team_day_by_day_is_each_team_day_by_day() -> None:
    """Without asking for one after the other."""
    read = {"prod": days(20)}
    found = daily_by_group(Question(TEAM, None, OWNERS, RULE), read)
    assert {"", "checkout", "research"} <= set(found)
    for team in ("checkout", "research"):
        assert found[team] == daily(Question(TEAM, Selection(TEAM, team), OWNERS, RULE), read)


@given(
    st.sampled_from(Split),
    st.lists(st.sampled_from(["kube-system", "shop", "payments", "ml"]), unique=True).map(tuple),
    st.integers(1, 7),
)
@settings(deadline=None)  # the first one makes the samples
def test_a_ledger_adds_up_to_every_charge(split: Split, shared: tuple[str, ...], count: int) -> None:
    """Exactly: for each workload, and for what is nobody's, whoever shares what."""
    rule = SharedRule(shared, split)
    window = costs().window("prod", WEEK.end - timedelta(days=count), WEEK.end)
    owed: dict[object, int] = {}
    for charge in charged(Question(TEAM, None, OWNERS, rule), [window]):
        key = charge.workload.workload if charge.workload else None
        owed[key] = owed.get(key, 0) + sum(charge.parts)
    lines: dict[object, int] = {}
    for line in ledger(window, days(count), rule):
        lines[line.workload] = lines.get(line.workload, 0) + line.usage + line.idle + line.shared
        assert min(line.usage, line.idle, line.shared) >= 0
    assert lines == {key: amount for key, amount in owed.items() if amount}
    assert sum(lines.values()) == window.bill


def test_days_of_workloads_that_are_not_known_are_even() -> None:
    """What is owed is never lost, though nothing tells when."""
    window = costs().window("prod", WEEK.start, WEEK.end)
    unknown = [replace(day, workloads=tuple[WorkloadDay, ...](())) for day in days()]
    found = list(ledger(window, unknown, RULE))
    assert sum(line.usage + line.idle + line.shared for line in found) == window.bill
