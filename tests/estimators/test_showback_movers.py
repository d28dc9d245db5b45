"""Why a workload costs more than before: hand-made changes, and effects that always add up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimators.allocation import WorkloadCost
from estimators.showback import Charge, Kind, Parts
from estimators.showback_movers import Cause, Claim, Spent, decompose, movers
from tests.allocation_builders import deployment

WEEK = 168.0


def spent(
    replicas: float = 3, cores: float = 1, price: float = 10, used: float | None = None, **others: int
) -> Spent:
    """A week of a workload: replicas x cores a replica x price per core-hour, in nano-units."""
    pods = replicas * WEEK
    claimed = max(cores, used or 0)
    parts = Parts(cpu=round(pods * claimed * price), **others)
    return Spent(WEEK, pods, (Claim(pods * cores, pods * claimed), Claim(), Claim()), parts)


def effects(before: Spent, after: Spent) -> dict[str, int]:
    """Each effect by its cause, the largest first."""
    return {str(effect.cause): effect.change for effect in decompose(before, after)}


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (spent(3), spent(5), {"replicas": 3360}),
        (spent(cores=1), spent(cores=2), {"cpu request": 5040}),
        (spent(cores=1, used=1), spent(cores=1, used=1.5), {"cpu use beyond the request": 2520}),
        (spent(price=10), spent(price=12), {"price": 1008}),
        (spent(storage=7), spent(storage=17), {"storage": 10}),
        (spent(), spent(idle_share=30, shared_share=-20), {"idle share": 30, "shared share": -20}),
        (Spent(WEEK), spent(), {"new": 5040}),
        (spent(), Spent(WEEK), {"gone": -5040}),
        (spent(), spent(), {}),
        # 2 x 1 x 10 -> 4 x 3 x 10 a hour: +100, of which replicas 2 x 10 x (1+3)/2 = 40 and the request 60.
        (spent(2, 1), spent(4, 3), {"cpu request": 60 * 168, "replicas": 40 * 168}),
        # A request raised to what was used before changes nothing that is paid.
        (spent(cores=1, used=2), spent(cores=2, used=2), {"cpu request": 5040, "cpu use beyond the request": -5040}),
        # Scaled to nothing, with a volume that stays: what a replica claims is not said to change.
        (spent(storage=9), spent(0, storage=9), {"replicas": -5040}),
    ],
    ids=["replicas", "request", "use", "price", "storage", "shares", "new", "gone", "same", "two", "request of use", "to zero"],
)  # fmt: skip
def test_a_change_is_what_changed(before: Spent, after: Spent, expected: dict[str, int]) -> None:
    """One thing changed, one effect; two changed, each at the mean of the other before and after."""
    assert effects(before, after) == expected


def test_an_effect_says_from_what_to_what() -> None:
    """Means of replicas, cores of a replica, and prices relative to before."""
    found = {item.cause: (item.before, item.after) for item in decompose(spent(8, 1, 10), spent(13, 2, 11))}
    assert found == {Cause.REPLICAS: (8, 13), Cause.CPU_REQUEST: (1, 2), Cause.PRICE: (1, pytest.approx(1.1))}


def test_fewer_hours_measured_are_not_fewer_replicas() -> None:
    """Half a week of the same three replicas: the change is in what was measured."""
    half = Spent(84, 3 * 84, (Claim(252, 252), Claim(), Claim()), Parts(cpu=2520))
    assert effects(spent(), half) == {"measured hours": -2520}


def test_a_gpu_that_came_has_no_price_before() -> None:
    """All of it is the GPU, nothing the price."""
    after = Spent(WEEK, 3 * WEEK, (spent().claims[0], Claim(), Claim(504, 504)), Parts(cpu=5040, gpu=1000))
    assert effects(spent(), after) == {"gpus": 1000}


def charge(name: str, cost: int, cluster: str = "prod") -> Charge:
    """A charge of one replica all week."""
    workload = WorkloadCost(
        deployment(name), cpu=cost, cpu_claimed=WEEK, cpu_requested=WEEK, replica_hours=WEEK
    )
    return Charge(Kind.TENANT, cluster, workload, Parts(cpu=cost))


def test_the_workloads_that_moved_most_come_first() -> None:
    """By size whatever the direction; what did not change is none; clusters are kept apart."""
    before = [charge("api", 100), charge("old", 70), charge("same", 5), charge("web", 10)]
    after = [charge("api", 150), charge("same", 5), charge("web", 11), charge("api", 200, "test")]
    hours = {"prod": WEEK, "test": WEEK}
    found = movers(before, after, hours, hours)
    assert [(item.cluster, item.workload, item.change, item.cause) for item in found] == [
        ("test", "shop/api", 200, Cause.NEW),
        ("prod", "shop/old", -70, Cause.GONE),
        ("prod", "shop/api", 50, Cause.PRICE),
    ]
    assert len(movers(before, after, hours, hours, most=9)) == 4


def test_the_cause_is_the_largest_effect_in_the_direction_of_the_change() -> None:
    """Replicas +3 at a price that halved: it costs more because of the replicas."""
    (mover,) = movers(
        [charge("a", 1000)],
        [
            Charge(
                Kind.TENANT,
                "prod",
                WorkloadCost(
                    deployment("a"),
                    cpu=1100,
                    cpu_claimed=4 * WEEK,
                    cpu_requested=4 * WEEK,
                    replica_hours=4 * WEEK,
                ),
                Parts(cpu=1100),
            )
        ],
        {"prod": WEEK},
        {"prod": WEEK},
    )
    assert mover.cause is Cause.REPLICAS
    assert {effect.cause for effect in mover.effects} == {Cause.REPLICAS, Cause.PRICE}


_amount = st.floats(0, 1e4, allow_nan=False)
_claims = st.builds(
    lambda requested, beyond: Claim(requested, requested + beyond), _amount, _amount | st.just(0.0)
)
_anything = st.builds(
    Spent,
    st.sampled_from([0.0, 24.0, 167.5, 168.0]),
    _amount | st.just(0.0),
    st.tuples(_claims, _claims, _claims.map(lambda claim: Claim(claim.claimed, claim.claimed))),
    st.builds(Parts, *[st.integers(0, 10**13) | st.just(0)] * 7),
)
"""Also what no hour can give: costs without claims, claims without pods."""


@st.composite
def _workloads(draw: st.DrawFn) -> Spent:
    """Windows as hours add up to: what is claimed is claimed by pods, and what it costs is its price."""
    pods = draw(st.sampled_from([0.0, 1.5, 168.0, 900.0]))
    tenths = st.integers(0, 40).map(lambda value: value / 10)
    claims = [
        Claim(*(pods * part for part in (ask, ask + draw(tenths)))) for ask in (draw(tenths), draw(tenths))
    ]
    gpus = pods * draw(st.sampled_from([0.0, 0.25, 1.0, 8.0]))
    claims.append(Claim(gpus, gpus))
    costs = [round(claim.claimed * draw(st.integers(0, 10**9))) for claim in claims]
    rest = draw(st.tuples(*[st.integers(0, 10**9)] * 4))
    return Spent(
        draw(st.sampled_from([24.0, 168.0])), pods, (claims[0], claims[1], claims[2]), Parts(*costs, *rest)
    )


@given(_anything, _anything)
def test_effects_always_add_up_to_the_change(before: Spent, after: Spent) -> None:
    """To the nano-unit, whatever came, went or was not measured."""
    found = decompose(before, after)
    assert sum(effect.change for effect in found) == after.cost - before.cost
    assert len({effect.cause for effect in found}) == len(found)
    assert [abs(effect.change) for effect in found] == sorted(
        (abs(effect.change) for effect in found), reverse=True
    )


@given(_workloads(), _workloads())
def test_the_way_back_is_the_way_there_turned_around(before: Spent, after: Spent) -> None:
    """No order of the factors is preferred: every effect changes its sign, to a rounding."""
    there = {item.cause: item.change for item in decompose(before, after)}
    back = {item.cause: item.change for item in decompose(after, before)}
    turned = {Cause.NEW: Cause.GONE, Cause.GONE: Cause.NEW}
    for cause, change in there.items():
        assert -back.get(turned.get(cause, cause), 0) == pytest.approx(change, rel=1e-6, abs=100)
