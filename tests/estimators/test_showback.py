"""Answers: what groups pay, what moved them, and that every grouping adds up to the bill."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimators.allocate import allocate
from estimators.allocation import ClusterHour, NodeCost, VolumeHour, WindowCost, WorkloadCost
from estimators.allocation_days import DayCost, WorkloadDay
from estimators.allocation_window import window_of
from estimators.ownership import Owners, TeamRule
from estimators.projection import DayAmount
from estimators.showback import GroupBy, GroupKind, Kind, Row
from estimators.showback_answer import Answer, Question, Selection, answer
from estimators.showback_days import daily
from estimators.showback_movers import Cause
from estimators.showback_shared import SharedRule, Split
from estimators.usage import WorkloadKey
from tests.allocation_builders import HOUR, cents, cluster_hours, container, deployment, hour, node
from tests.estimators.test_showback_shared import rules

NAMESPACE, TEAM, WORKLOAD = (
    GroupBy(kind) for kind in (GroupKind.NAMESPACE, GroupKind.TEAM, GroupKind.WORKLOAD)
)
SYSTEM = SharedRule(("kube-system",))
OWNERS = Owners((TeamRule("checkout", ("shop",)),))
DNS, TRAINER = WorkloadKey("kube-system", "DaemonSet", "dns"), WorkloadKey("ml", "Job", "train")


def window(*hours: ClusterHour, cluster: str = "prod") -> WindowCost:
    """Hours in a row, as one window."""
    return window_of(map(allocate, hours), HOUR, HOUR + timedelta(hours=len(hours)), cluster)


def busy_hour(replicas: int = 2) -> ClusterHour:
    """Two nodes of 10 cores at 1.00, one empty; api takes 2 cores a replica, dns 1, train 3."""
    return hour(
        node("n1", cores=10, cpu="1", memory="0", gpus=2, gpu="4", model="A100"),
        node("n2", cores=10, cpu="1", memory="0"),
        *(container("api", pod=f"api-{i}", cpu=2, cpu_used=0.5) for i in range(replicas)),
        container(DNS, cpu=1, cpu_used=1),
        container(TRAINER, cpu=3, cpu_used=1, gpus=1, gpu_busy=0.4),
        VolumeHour("", "", None, "gp3", 10, 1, Decimal("0.05")),
        control_plane="0.10",
    )


def shown(rows: tuple[Row, ...]) -> dict[str, str]:
    """Costs in cents by group; those of nobody by their kind."""
    return {row.group or row.kind.value: cents(row.cost) for row in rows}


def asked(by: GroupBy, only: Selection | None = None, rule: SharedRule = SYSTEM) -> Answer:
    """An hour after which api has gone from two replicas to three."""
    return answer(Question(by, only, OWNERS, rule), [window(busy_hour(3))], [window(busy_hour(2))])


def test_namespaces_pay_for_themselves_their_idle_and_their_share() -> None:
    """By hand: dns and the control plane are split by cost, the idle of a node without tenants is nobody's.

    n1 has no CPU left: api 6.00, train 3.00 + 4.00 GPU + 4.00 idle GPU, dns 1.00 and the control
    plane's 0.10 shared 6 : 11; n2's 10.00 and the orphan's 0.50 are nobody's idle.
    """
    found = asked(NAMESPACE)
    assert shown(found.rows) == {"ml": "11.71", "shop": "6.39", "idle": "10.50"}
    assert (cents(found.tenants), cents(found.idle), cents(found.shared)) == ("13.00", "14.50", "1.10")
    assert cents(found.bill) == "28.60"
    assert [cents(part) for part in found.rows[0].parts] == [
        "3.00",
        "0.00",
        "4.00",
        "0.00",
        "0.00",
        "4.00",
        "0.71",
    ]


def test_a_total_is_compared_with_the_window_before() -> None:
    """The rows' previous costs add up to the bill of then; without a window before there are none."""
    found = asked(NAMESPACE)
    assert found.total.previous == window(busy_hour(2)).bill
    assert sum(row.previous or 0 for row in found.rows) == found.total.previous
    nothing = answer(Question(NAMESPACE), [window(busy_hour())], [])
    assert nothing.total.previous is None
    assert nothing.movers == ()
    assert all(row.previous is None for row in nothing.rows)


def test_a_group_that_is_gone_is_still_a_row() -> None:
    """With what it cost before and nothing now."""
    found = answer(Question(NAMESPACE), [window(hour(node()))], [window(busy_hour())])
    gone = {row.group: row.cost for row in found.rows if row.kind is Kind.TENANT}
    assert gone == {"ml": 0, "shop": 0, "kube-system": 0}


def test_teams_are_those_of_labels_and_patterns_and_the_rest_is_unallocated() -> None:
    """Nothing says whose `train` is: it is a row, with the namespace that causes it."""
    found = asked(TEAM)
    assert shown(found.rows) == {"checkout": "6.39", "unallocated": "11.71", "idle": "10.50"}
    assert [(cause.namespace, cause.workloads, cents(cause.cost)) for cause in found.unowned] == [
        ("ml", 1, "11.71")
    ]


def test_one_namespace_is_answered_by_its_workloads_and_what_moved_it() -> None:
    """A third replica: 2.00 more of CPU; less idle and less of what is shared."""
    found = asked(WORKLOAD, Selection(NAMESPACE, "shop"))
    assert shown(found.rows) == {"shop/api": "6.39"}
    assert cents(found.total.cost) == "6.39"
    assert [(mover.workload, mover.cause) for mover in found.movers] == [("shop/api", Cause.REPLICAS)]
    assert found.movers[0].effects[0][1:] == (2 * 10**9, 2, 3)
    assert found.total.efficiency == pytest.approx(0.25)
    assert found.total.replica_hours == 3
    monthly = found.total.monthly_per_replica
    assert monthly is not None
    assert round(monthly / 730, 2) == Decimal("2.13")
    assert cents(found.bill) == "28.60"


def test_a_namespace_that_serves_all_is_answered_with_what_it_costs_itself() -> None:
    """Its 1.00 is within the others' shares, and still an answer."""
    found = asked(WORKLOAD, Selection(NAMESPACE, "kube-system"))
    assert found.serves_all
    assert [cents(part) for part in found.total.parts[:6]] == ["1.00", *["0.00"] * 5]
    assert cents(found.shared) == "1.10"


def test_efficiency_is_weighted_by_cost_and_counts_gpus() -> None:
    """train: 1 of 3 cores at 1.00, 0.4 of a GPU at 4.00: (1 + 1.6) / (3 + 4)."""
    found = asked(WORKLOAD, Selection(NAMESPACE, "ml"))
    assert found.total.efficiency == pytest.approx(2.6 / 7)


def test_nodes_are_shown_with_their_idle() -> None:
    """n2 has nobody; n1 is full of CPU, and one of two GPUs is free."""
    found = asked(GroupBy(GroupKind.NODE))
    assert shown(found.rows) == {"n1": "18.00", "n2": "10.00"}
    assert {row.group: cents(row.parts.idle_share) for row in found.rows} == {"n1": "4.00", "n2": "10.00"}
    assert cents(found.bill) == "28.00"


def test_gpu_models_are_shown_with_their_use() -> None:
    """Two A100 of 4.00, one held and busy for 0.4."""
    found = asked(GroupBy(GroupKind.GPU_MODEL))
    assert shown(found.rows) == {"A100": "8.00"}
    assert found.rows[0].efficiency == pytest.approx(0.4)
    assert cents(found.bill) == "8.00"


@pytest.mark.parametrize("kind", [GroupKind.NODE, GroupKind.GPU_MODEL])
def test_nodes_are_not_asked_about_by_namespace(kind: GroupKind) -> None:
    """A node is nobody's alone."""
    with pytest.raises(ValueError, match="of everything"):
        asked(GroupBy(kind), Selection(NAMESPACE, "shop"))


def test_clusters_are_kept_apart_and_added_up() -> None:
    """A team's cost is that in all clusters; each splits what is its own."""
    windows = [window(busy_hour(), cluster=name) for name in ("prod", "test")]
    found = answer(Question(GroupBy(GroupKind.CLUSTER)), windows, [])
    assert shown(found.rows)["prod"] == shown(found.rows)["test"]
    assert found.bill == 2 * windows[0].bill
    nodes = answer(Question(GroupBy(GroupKind.NODE)), windows, [])
    assert {row.group for row in nodes.rows} == {"prod/n1", "prod/n2", "test/n1", "test/n2"}


def test_days_are_what_was_asked_about() -> None:
    """Own cost, idle and share; half a day half measured covers a quarter."""
    start = datetime(2026, 11, 2, tzinfo=UTC)
    workloads = (
        WorkloadDay(deployment("api"), {}, 60, 6),
        WorkloadDay(TRAINER, {}, 34, 0),
        WorkloadDay(DNS, {}, 20, 4),
    )
    day = DayCost(start, start + timedelta(hours=12), 134, 114, 10, 10, 0.5, workloads)
    for only, amount in (
        (None, 134),
        (Selection(NAMESPACE, "shop"), 60 + 6 + 20 + 3),
        (Selection(TEAM, "checkout"), 89),
    ):
        found = daily(Question(NAMESPACE, only, OWNERS, SYSTEM), {"prod": [day]})
        assert found == (DayAmount(date(2026, 11, 2), amount, 0.25),)
    twice = daily(Question(NAMESPACE), {"prod": [day], "test": []})
    assert twice == (DayAmount(date(2026, 11, 2), 134, 0.125),)


@settings(deadline=None)
@given(
    st.lists(cluster_hours, min_size=1, max_size=2),
    st.lists(cluster_hours, max_size=2),
    st.sampled_from(GroupKind),
    rules,
    st.dictionaries(st.sampled_from([*"abcdef"]), st.sampled_from(["x", "y"])),
)
def test_every_grouping_of_every_split_adds_up_to_the_bill(
    hours: list[ClusterHour],
    before: list[ClusterHour],
    kind: GroupKind,
    rule: SharedRule,
    teams: dict[str, str],
) -> None:
    """Tenants + idle + shared = bill, rows = bill, now and before, and nothing is negative."""
    labels = {
        WorkloadKey(namespace, which, name): {"team": team, "app": team}
        for name, team in teams.items()
        for namespace in ("shop", "kube-system")
        for which in ("Deployment", "Job")
    }
    windows = [window(replace(item, labels=labels), cluster=str(index)) for index, item in enumerate(hours)]
    old = [window(item, cluster=str(index)) for index, item in enumerate(before)]
    found = answer(Question(GroupBy(kind, "team"), None, Owners(), rule), windows, old)
    assert found.tenants + found.idle + found.shared == found.bill
    assert sum(row.cost for row in found.rows) == found.bill == found.total.cost
    if kind not in {GroupKind.NODE, GroupKind.GPU_MODEL}:
        assert found.bill == sum(item.bill for item in windows)
        assert sum(row.previous or 0 for row in found.rows) == sum(item.bill for item in old)
    assert min((part for row in found.rows for part in row.parts), default=0) >= 0
    assert len({(row.group, row.kind) for row in found.rows}) == len(found.rows)
    assert all(sum(effect.change for effect in mover.effects) == mover.change for mover in found.movers)


@given(cluster_hours, rules)
def test_what_each_namespace_is_told_adds_up_to_the_bill(measured: ClusterHour, rule: SharedRule) -> None:
    """Asked one by one, those who share and what is left to nobody are the whole."""
    windows = [window(measured)]
    rows = answer(Question(NAMESPACE, None, Owners(), rule), windows, []).rows
    alone = [
        answer(Question(WORKLOAD, Selection(NAMESPACE, row.group), Owners(), rule), windows, []).total.cost
        for row in rows
        if row.kind is Kind.TENANT
    ]
    assert alone == [row.cost for row in rows if row.kind is Kind.TENANT]


@given(cluster_hours, rules, st.sets(st.sampled_from(["shop", "kube-system", "ml"])))
def test_what_may_be_looked_at_costs_what_it_costs_for_all(
    measured: ClusterHour, rule: SharedRule, seen: set[str]
) -> None:
    """Hiding namespaces takes their rows away, and changes no other."""
    windows = [window(measured)]
    everything = answer(Question(NAMESPACE, None, Owners(), rule), windows, windows)
    found = answer(Question(NAMESPACE, None, Owners(), rule, seen.__contains__), windows, windows)
    assert found.rows == tuple(row for row in everything.rows if row.group in seen)
    assert found.total.cost == sum(row.cost for row in found.rows)
    assert found.total.previous == found.total.cost


def test_days_hide_what_may_not_be_looked_at() -> None:
    """A day costs what those of its workloads cost that are seen; nodes are nobody's alone."""
    start = datetime(2026, 11, 2, tzinfo=UTC)
    workloads = (WorkloadDay(deployment("api"), {}, 60, 6), WorkloadDay(TRAINER, {}, 34, 0))
    day = DayCost(start, start + timedelta(days=1), 110, 94, 10, 6, 1.0, workloads)
    asked_for = Question(NAMESPACE, None, OWNERS, SharedRule(), {"shop"}.__contains__)
    assert [found.amount for found in daily(asked_for, {"prod": [day]})] == [60 + 6 + 4]
    with pytest.raises(ValueError, match="of everything"):
        answer(replace(asked_for, by=GroupBy(GroupKind.NODE)), [window(busy_hour())], [])


def test_central_stays_a_row_of_its_own() -> None:
    """What nobody is charged is shown, never hidden."""
    found = asked(NAMESPACE, rule=SharedRule(("kube-system",), Split.CENTRAL))
    assert shown(found.rows) == {"ml": "11.00", "shop": "6.00", "idle": "10.50", "central": "1.10"}


def test_an_answer_needs_a_window() -> None:
    """Nothing measured is not an answer of nothing."""
    with pytest.raises(ValueError, match="needs a window"):
        answer(Question(NAMESPACE), [], [])


def test_costs_that_were_never_measured_have_no_efficiency() -> None:
    """And no cost per replica: unknown is not 0."""
    cost = WorkloadCost(deployment("a"), cpu=5, cpu_claimed=1)
    alone = WindowCost(workloads=(cost,), nodes=(NodeCost("n", 5, 0, 0, 0, 0, 0, 1),), start=HOUR, end=HOUR)
    found = answer(Question(WORKLOAD), [alone], [])
    assert found.total.efficiency is None
    assert found.total.monthly_per_replica is None
