"""What a merged change did to what its workloads are charged, worked out by hand."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimators.allocation import WindowCost, WorkloadCost, as_money, as_nano
from estimators.measured_change import MeasuredRow, PredictedRow, Week, measure_rows, weeks_around
from estimators.money import to_cents
from estimators.showback_movers import Cause
from estimators.usage import WorkloadKey
from tests.allocation_builders import deployment

START = datetime(2026, 11, 10, tzinfo=UTC)
API = deployment("api")
CLAIM = WorkloadKey("shop", "PersistentVolumeClaim", "data")
ASKED = frozenset({Cause.REPLICAS, Cause.CPU_REQUEST})


def predicted(
    workload: WorkloadKey = API,
    expected: str | None = "0",
    causes: Iterable[Cause] = ASKED,
    *,
    was: WorkloadKey | None = None,
    mounted_by: tuple[WorkloadKey, ...] = (),
    replicas: str | None = None,
) -> PredictedRow:
    return PredictedRow(
        environment="", cluster="", workload=workload, was=was or workload,
        expected=None if expected is None else Decimal(expected), causes=frozenset(causes),
        replicas=None if replicas is None else Decimal(replicas), mounted_by=mounted_by,
    )  # fmt: skip


def pods(
    replicas: float = 2,
    request: float = 1,
    used: float = 0,
    *,
    price: str = "0.1",
    hours: int = 100,
    workload: WorkloadKey = API,
) -> WorkloadCost:
    """Replicas over some hours: cores that each requests and uses, at a price for a core-hour."""
    time = replicas * hours
    claimed = max(request, used) * time
    return WorkloadCost(
        workload, cpu=as_nano(Decimal(str(claimed)) * Decimal(price)), cpu_requested=request * time,
        cpu_used=used * time, cpu_claimed=claimed, cpu_measured=claimed, replica_hours=time,
    )  # fmt: skip


def week(*workloads: WorkloadCost, hours: int = 100) -> Week:
    window = WindowCost(start=START, end=START + timedelta(days=6), workloads=workloads, nodes=())
    return Week(window, hours)


def only(rows: Iterable[PredictedRow], before: Week, after: Week) -> MeasuredRow:
    [measured], unseen = measure_rows(rows, before, after)
    assert not unseen
    return measured


def amounts(row: MeasuredRow, *, own: bool) -> dict[Cause, str]:
    """Effects in units of the currency."""
    return {each.cause: str(to_cents(as_money(each.change))) for each in (row.own if own else row.others)}


@pytest.mark.parametrize(
    ("merged", "first", "last"),
    [
        ("2026-11-04T00:00:00", 5, 10),
        ("2026-11-04T10:30:00", 5, 10),
        ("2026-11-04T18:00:00", 5, 10),
        ("2026-11-04T18:00:01", 6, 10),
        ("2026-11-04T23:59:59", 6, 10),
    ],
    ids=["at midnight", "by day", "six hours are left", "in the evening", "just before midnight"],
)
def test_full_days_after_a_merge_beside_the_same_days_of_the_week_before(
    merged: str, first: int, last: int
) -> None:
    """Neither has a day of the rollout, and the later ones are over a week after the merge."""
    at = datetime.fromisoformat(merged).replace(tzinfo=UTC)
    weeks = weeks_around(at)
    start, end = weeks.before

    assert (weeks.start, weeks.end) == (
        datetime(2026, 11, first, tzinfo=UTC), datetime(2026, 11, last + 1, tzinfo=UTC),
    )  # fmt: skip
    assert (start, end) == (weeks.start - timedelta(days=7), weeks.end - timedelta(days=7))
    assert end <= at
    assert weeks.end <= at + timedelta(days=7)


@pytest.mark.parametrize(
    ("before", "after", "change", "own", "others"),
    [
        # 4 x 1 core x $0.10 x 730 h = $292; 5 of them $365.
        (pods(4), pods(5), "73.00", {Cause.REPLICAS: "73.00"}, {}),
        (pods(2, 2), pods(2, 1), "-146.00", {Cause.CPU_REQUEST: "-146.00"}, {}),
        # Half a core of each is used beyond what is asked for now.
        (
            pods(2, 2, 1.5), pods(2, 1, 1.5), "-73.00", {Cause.CPU_REQUEST: "-146.00"}, {Cause.CPU_USE: "73.00"},
        ),
        (pods(2), pods(2, price="0.12"), "29.20", {}, {Cause.PRICE: "29.20"}),
        # Two factors at once: each at the mean of the other. 73 x (1 + 2) / 2 and 73 x (2 + 3) / 2.
        (pods(2), pods(3, 2), "292.00", {Cause.CPU_REQUEST: "182.50", Cause.REPLICAS: "109.50"}, {}),
        (pods(2), pods(2), "0.00", {}, {}),
    ],
    ids=["replicas", "a request", "a request below its use", "a price", "replicas and a request", "nothing"],
)  # fmt: skip
def test_what_the_change_did_is_told_apart_from_what_else_happened(
    before: WorkloadCost, after: WorkloadCost, change: str, own: dict[Cause, str], others: dict[Cause, str]
) -> None:
    """A month of it, cause by cause."""
    row = only([predicted()], week(before), week(after))

    assert str(to_cents(as_money(row.change))) == change
    assert amounts(row, own=True) == own
    assert amounts(row, own=False) == others


def test_what_the_change_did_not_ask_for_is_somebody_elses() -> None:
    """Another merge, or an autoscaler of which the report knew nothing new."""
    row = only([predicted(causes={Cause.MEMORY_REQUEST})], week(pods(2)), week(pods(3)))

    assert amounts(row, own=False) == {Cause.REPLICAS: "73.00"}
    assert row.own == ()
    assert row.replicas == pytest.approx(3)


def test_hours_that_are_not_known_are_no_saving() -> None:
    """Half of the hours after the merge cost half as much, which is as much a month."""
    row = only([predicted()], week(pods(2)), week(pods(2, hours=50), hours=50))

    assert row.change == 0


@pytest.mark.parametrize(
    ("causes", "before", "after", "own"),
    [
        ({Cause.NEW}, (), (pods(2),), {Cause.NEW: "146.00"}),
        ({Cause.GONE}, (pods(2),), (), {Cause.GONE: "-146.00"}),
        (ASKED, (), (pods(2),), {}),
    ],
    ids=["added", "removed", "came by itself"],
)
def test_workloads_come_and_go(
    causes: set[Cause],
    before: tuple[WorkloadCost, ...],
    after: tuple[WorkloadCost, ...],
    own: dict[Cause, str],
) -> None:
    """By the change, or by something else."""
    row = only([predicted(causes=causes)], week(*before), week(*after))

    assert abs(as_money(row.change)) == Decimal(146)
    assert amounts(row, own=True) == own


def test_what_was_nowhere_is_not_measured() -> None:
    """It is no change of nothing."""
    row = predicted(deployment("other"))

    assert measure_rows([row], week(pods()), week(pods())) == ((), (row,))


def test_a_renamed_workload_is_one() -> None:
    """Under its old name before, and its new one after."""
    row = only(
        [predicted(deployment("web"), was=API)], week(pods(2)), week(pods(2, workload=deployment("web")))
    )

    assert row.change == 0


def test_labels_and_two_environments_of_one_workload_count_once() -> None:
    """A workload has a row for each set of labels in the store, and one for each environment in a report."""
    halves = (pods(2, hours=50), pods(2, hours=50))
    row = only([predicted(expected="5"), predicted(expected="7")], week(*halves), week(pods(3)))

    assert str(to_cents(as_money(row.change))) == "73.00"
    assert row.predicted.expected == Decimal(12)


@pytest.mark.parametrize(("places", "found"), [(("shop",), 1), (("shop", "ml"), 0)], ids=["one", "two"])
def test_a_workload_without_a_namespace_is_the_only_one_of_its_name(
    places: tuple[str, ...], found: int
) -> None:
    """Of two, nobody knows which is meant."""
    asked = predicted(WorkloadKey("", "Deployment", "api"))
    there = [pods(2, workload=deployment("api", place)) for place in places]
    measured, unseen = measure_rows([asked], week(*there), week(*there))

    assert len(measured) == found
    assert len(unseen) == 1 - found


STORED = [
    WorkloadCost(API, cpu=as_nano(Decimal(1)), storage=as_nano(Decimal(gib)), replica_hours=1)
    for gib in (1, 3)
]


def test_a_claim_is_measured_in_who_mounts_it() -> None:
    """By what that pays for storage: $1 and $3 for 100 hours."""
    claim = predicted(CLAIM, "14", {Cause.STORAGE}, mounted_by=(API,))
    row = only([claim], week(STORED[0]), week(STORED[1]))

    assert amounts(row, own=True) == {Cause.STORAGE: "14.60"}
    assert row.others == ()


def test_a_claim_and_who_mounts_it_are_one_row() -> None:
    """What is charged to the workload is expected of both."""
    claim = predicted(CLAIM, "14", {Cause.STORAGE}, mounted_by=(API,))
    row = only([claim, predicted(expected="2", replicas="3")], week(STORED[0]), week(STORED[1]))

    assert (row.predicted.workload, row.predicted.expected, row.predicted.replicas) == (
        API,
        Decimal(16),
        Decimal(3),
    )
    assert amounts(row, own=True) == {Cause.STORAGE: "14.60"}


def test_a_claim_that_nobody_mounts_is_measured_itself() -> None:
    """And one whose user is not known, and which is not charged itself, is not."""
    alone = [WorkloadCost(CLAIM, storage=as_nano(Decimal(gib))) for gib in (1, 3)]
    row = only([predicted(CLAIM, causes={Cause.STORAGE})], week(alone[0]), week(alone[1]))

    assert str(to_cents(as_money(row.change))) == "14.60"
    assert measure_rows([predicted(CLAIM)], week(STORED[0]), week(STORED[1]))[0] == ()


def test_a_load_balancer_that_is_new_is_its_own_row() -> None:
    """Under the name of its Service: $2.50 for 100 hours."""
    key = WorkloadKey("shop", "Service", "front")
    after = WorkloadCost(key, load_balancer=as_nano(Decimal("2.5")))
    row = only([predicted(key, "18.25", {Cause.NEW})], week(), week(after))

    assert amounts(row, own=True) == {Cause.NEW: "18.25"}


COSTS = st.builds(
    pods,
    st.integers(0, 30),
    st.floats(0, 64).map(lambda cores: round(cores, 3)),
    st.floats(0, 64).map(lambda cores: round(cores, 3)),
    price=st.sampled_from(["0.01", "0.031611", "0.4"]),
)


@given(COSTS, COSTS, st.integers(1, 144), st.integers(1, 144), st.sets(st.sampled_from(list(Cause))))
def test_own_and_other_effects_are_the_change(
    before: WorkloadCost, after: WorkloadCost, hours_before: int, hours_after: int, causes: set[Cause]
) -> None:
    """To the billionth, whoever asked for what; hours that were not measured are never a cause."""
    row = only([predicted(causes=causes)], week(before, hours=hours_before), week(after, hours=hours_after))

    assert sum(effect.change for effect in (*row.own, *row.others)) == row.change
    assert Cause.MEASURED_HOURS not in {effect.cause for effect in row.effects}
