"""An hour of a cluster is charged to the last nano-unit: worked tables by hand, and what always holds."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimators.allocate import allocate
from estimators.allocation import (
    BalancerHour,
    HourCost,
    VolumeHour,
    as_nano,
)
from estimators.gpu import physical_gpus
from estimators.money import apportioned
from estimators.usage import WorkloadKey
from tests.allocation_builders import by_name, cents, container, deployment, hour, node

RESOURCES = ("cpu", "memory", "gpu")


def charged(cost: HourCost, resource: str) -> dict[str, str]:
    """What each workload pays for a resource, in cents, by its name, and what is idle."""
    paid = {item.workload.name: cents(getattr(item, resource)) for item in cost.workloads}
    return {**paid, "idle": cents(sum(getattr(item, f"idle_{resource}") for item in cost.nodes))}


def test_a_container_pays_for_the_larger_of_request_and_use() -> None:
    """4 cores at 1.00: a asks 1 and uses 0.2, b asks 0.5 and uses 2; one core is nobody's."""
    cost = allocate(
        hour(
            node(cpu="1", memory="0"),
            container("a", cpu=1, cpu_used=0.2),
            container("b", cpu=0.5, cpu_used=2),
        )
    )
    assert charged(cost, "cpu") == {"a": "1.00", "b": "2.00", "idle": "1.00"}
    assert cents(cost.bill) == "4.00"


def test_the_larger_is_taken_per_container_not_per_workload() -> None:
    """Two pods of 1 core, one uses 0 and one 2: 3 core-hours are claimed, not max(2, 2)."""
    cost = allocate(
        hour(
            node(cpu="1", memory="0"),
            container("a", pod="a-0", cpu=1, cpu_used=0),
            container("a", pod="a-1", cpu=1, cpu_used=2),
        )
    )
    assert charged(cost, "cpu") == {"a": "3.00", "idle": "1.00"}
    assert by_name(cost.workloads)["a"].cpu_claimed == 3
    assert by_name(cost.workloads)["a"].cpu_used == 2


def test_claims_beyond_the_node_are_scaled_down_to_it() -> None:
    """4 cores at 1.00, claims of 6 and 2: 3.00 and 1.00, and nothing is idle."""
    cost = allocate(
        hour(
            node(cpu="1", memory="0"),
            container("a", cpu=1, cpu_used=6),
            container("b", cpu=2, cpu_used=None),
        )
    )
    assert charged(cost, "cpu") == {"a": "3.00", "b": "1.00", "idle": "0.00"}


def test_resources_are_full_one_by_one() -> None:
    """Memory is claimed twice over while CPU is half idle: each is shared out by itself."""
    cost = allocate(
        hour(
            node(cpu="1", memory="0.25"),
            container("a", cpu=1, memory=24),
            container("b", cpu=1, memory=8),
        )
    )
    assert charged(cost, "cpu") == {"a": "1.00", "b": "1.00", "idle": "2.00"}
    assert charged(cost, "memory") == {"a": "3.00", "b": "1.00", "idle": "0.00"}


def test_idle_goes_to_a_nodes_tenants_by_what_they_pay_there() -> None:
    """On n1 a and b pay 2 : 1 of a CPU with 1.00 idle; n2 has no tenant, its idle is nobody's."""
    cost = allocate(
        hour(
            node("n1", cpu="1", memory="0"),
            node("n2", cpu="1", memory="0"),
            container("a", cpu=2),
            container("b", cpu=1),
        )
    )
    workloads = by_name(cost.workloads)
    assert cents(workloads["a"].idle_cpu) == "0.67"
    assert cents(workloads["b"].idle_cpu) == "0.33"
    assert workloads["a"].idle + workloads["b"].idle == as_nano(Decimal(1))
    assert cents(cost.idle) == "5.00"


def test_each_node_charges_its_own_price() -> None:
    """The same core costs 0.0316 on demand and 0.0067 on spot."""
    cost = allocate(
        hour(
            node("n1", cores=100, cpu="0.031611", memory="0"),
            node("s1", cores=100, cpu="0.006655", memory="0", spot=True),
            container("a", on="n1", cpu=100),
            container("b", on="s1", cpu=100),
        )
    )
    assert charged(cost, "cpu") == {"a": "3.16", "b": "0.67", "idle": "0.00"}


def test_a_spot_node_swapped_in_mid_hour_charges_both_its_lives() -> None:
    """24 minutes at 1.00 and, under the same name, 36 at 0.50: 4 cores cost 1.60 + 1.20."""
    cost = allocate(
        hour(
            node(hours=0.4, cpu="1", memory="0"),
            node(hours=0.6, cpu="0.5", memory="0"),
            container("a", cpu=2),
        )
    )
    assert cents(cost.bill) == "2.80"
    assert charged(cost, "cpu") == {"a": "1.40", "idle": "1.40"}
    assert len(cost.nodes) == 1
    assert cost.nodes[0].hours == pytest.approx(1.0)


def test_a_pod_of_six_minutes_pays_for_six_minutes() -> None:
    """Two cores for a tenth of an hour at 1.00 are 0.20, and a tenth of a replica-hour."""
    cost = allocate(hour(node(cpu="1", memory="0"), container("a", hours=0.1, cpu=0.2)))
    assert charged(cost, "cpu") == {"a": "0.20", "idle": "3.80"}
    assert by_name(cost.workloads)["a"].replica_hours == pytest.approx(0.1)


def test_a_replica_is_a_pod_however_many_containers_it_has() -> None:
    """Two pods of two containers, the sidecar shorter lived: 1.5 replica-hours."""
    cost = allocate(
        hour(
            node(),
            container("a", pod="a-0", name="app"),
            container("a", pod="a-0", name="proxy", hours=0.9),
            container("a", pod="a-1", name="app", hours=0.5),
            container("a", pod="a-1", name="init", hours=0.1),
        )
    )
    assert by_name(cost.workloads)["a"].replica_hours == pytest.approx(1.5)


@pytest.mark.parametrize(
    ("resource", "labels", "paid", "idle"),
    [
        ("nvidia.com/gpu", {}, "3.40", "0.00"),
        ("nvidia.com/gpu", {"nvidia.com/gpu.replicas": "4"}, "0.85", "2.55"),
        ("nvidia.com/mig-1g.5gb", {}, "0.49", "2.91"),
        ("nvidia.com/mig-3g.20gb", {}, "1.46", "1.94"),
    ],
    ids=["whole", "time-sliced", "one slice of seven", "three slices of seven"],
)
def test_a_share_of_a_gpu_pays_its_share(resource: str, labels: dict[str, str], paid: str, idle: str) -> None:
    """One pod alone on a GPU of 3.40 an hour: what it does not hold is idle."""
    share = float(physical_gpus({resource: Decimal(1)}, [labels]).count)
    cost = allocate(hour(node(gpus=1, gpu="3.40", model="A100"), container("a", gpus=share)))
    assert charged(cost, "gpu") == {"a": paid, "idle": idle}
    assert {model: cents(nano) for model, nano in by_name(cost.workloads)["a"].gpu_models.items()} == {
        "A100": paid
    }


def test_sharers_of_a_gpu_and_its_idle_add_up_to_one() -> None:
    """Seven slices of 1/7 cost the whole 3.40 to the last nano-unit."""
    share = float(physical_gpus({"nvidia.com/mig-1g.5gb": Decimal(1)}, [{}]).count)
    slices = [container(f"w{i}", gpus=share) for i in range(7)]
    cost = allocate(hour(node(gpus=1, gpu="3.40"), *slices))
    assert sum(item.gpu for item in cost.workloads) + cost.nodes[0].idle_gpu == as_nano(Decimal("3.40"))
    assert cost.nodes[0].idle_gpu <= 1


def test_a_container_nobody_measured_pays_its_request_and_spoils_no_efficiency() -> None:
    """Its claim counts, the measured part of it is nothing."""
    cost = allocate(
        hour(
            node(cpu="1"),
            container("a", cpu=2, cpu_used=None),
            container("a", pod="a-1", cpu=1, cpu_used=0.5),
        )
    )
    found = by_name(cost.workloads)["a"]
    assert (found.cpu_claimed, found.cpu_measured, found.cpu_used) == (3, 1, 0.5)
    assert cents(found.cpu) == "3.00"


def test_volumes_and_load_balancers_are_charged_to_whose_they_are() -> None:
    """To who mounts it, else to the claim; what nobody claims is idle."""
    volume = VolumeHour("shop", "data", deployment("a"), "gp3", 1000, 1, Decimal("0.0001"))
    cost = allocate(
        hour(
            volume,
            replace(volume, workload=None, claim="unmounted", gib=2000),
            replace(volume, workload=None, namespace="", claim="", hours=0.5),
            BalancerHour("shop", "web", 0.5, Decimal("0.5")),
            control_plane="0.10",
        )
    )
    assert {item.workload: cents(item.direct) for item in cost.workloads} == {
        deployment("a"): "0.10",
        WorkloadKey("shop", "PersistentVolumeClaim", "unmounted"): "0.20",
        WorkloadKey("shop", "Service", "web"): "0.25",
    }
    assert (cents(cost.orphans), cents(cost.control_plane), cents(cost.bill)) == ("0.05", "0.10", "0.70")


def test_what_ran_on_a_node_without_a_price_is_said() -> None:
    """Unknown is not free: the workload is there with what it asked for, and a note names the node."""
    cost = allocate(
        hour(node("n1", cores=0, gib=0), container("a", on="n1", cpu=1), container("b", on="n9", cpu=1))
    )
    assert cost.bill == 0
    assert by_name(cost.workloads)["b"].cpu_claimed == 1
    assert cost.notes == ("no price or size is known of n1, n9: what ran there is not charged",)


@pytest.mark.parametrize(
    ("total", "weights", "expected"),
    [
        (10, [1, 1, 1], [4, 3, 3]),
        (2, [1, 1, 1], [1, 1, 0]),
        (7, [0, 2, 0], [0, 7, 0]),
        (100, [1, 2, 4], [14, 29, 57]),
        (5, [0, 0], [0, 0]),
        (5, [], []),
    ],
)
def test_a_total_is_shared_out_in_whole_units(total: int, weights: list[int], expected: list[int]) -> None:
    """The largest remainders get what rounding down leaves, the first of a tie first."""
    assert apportioned(total, weights) == expected


@given(st.integers(0, 10**14), st.lists(st.integers(0, 10**12), min_size=1, max_size=30))
def test_a_share_is_never_a_unit_off(total: int, weights: list[int]) -> None:
    """Parts add up, and each is within one unit of what it is exactly."""
    shares = apportioned(total, weights)
    if sum(weights):
        assert sum(shares) == total
        exact = [Fraction(total * weight, sum(weights)) for weight in weights]
        assert all(abs(share - want) < 1 for share, want in zip(shares, exact, strict=True))
