"""Hours of clusters in a real Prometheus, of which everything is known."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from bot.adapters.prometheus_allocation import read_hours
from bot.adapters.prometheus_api import PrometheusApi
from bot.errors import UserError
from estimators.allocate import allocate
from estimators.allocation import ClusterHour, ContainerHour, NodeHour, VolumeHour
from estimators.prices import BUILT_IN
from estimators.usage import WorkloadKey
from tests.allocation_past import (
    BEGIN,
    BalancerLife,
    NodeLife,
    PodLife,
    Town,
    VolumeLife,
    doubled,
    in_cluster,
    renamed,
    restarted,
    without,
)
from tests.prometheus_blocks import write_blocks
from tests.prometheus_server import Written, serving

END = 240
DEPLOYED, CRON = ("ReplicaSet", "api-1"), ("Job", "tick-1")
A100 = {"nvidia.com/gpu.product": "NVIDIA-A100-SXM4-80GB", "nvidia.com/gpu.count": "1"}
NODES = (
    NodeLife("steady", (0, END), prices=((0, 0.04, 0.005, 0), (150, 0.08, 0.005, 0))),
    NodeLife("spot-a", (0, 90), prices=((0, 0.01, 0.001, 0),), labels={"karpenter.sh/capacity-type": "spot"}),
    NodeLife("spot-b", (90, END), prices=((0, 0.02, 0.002, 0),)),
    NodeLife("blip", (126, 131)),
    NodeLife("small", (0, END), cores=2),
    NodeLife("whole", (0, END), prices=((0, 0.04, 0.005, 2.0),), labels=A100, devices={"nvidia.com/gpu": 1}),
    NodeLife(
        "sliced",
        (0, END),
        labels=A100 | {"nvidia.com/mig.strategy": "mixed"},
        devices={"nvidia.com/mig-1g.10gb": 7},
    ),
    NodeLife(
        "shared",
        (0, END),
        labels=A100 | {"nvidia.com/gpu.replicas": "4"},
        devices={"nvidia.com/gpu.shared": 4},
    ),
)
ALWAYS = (0, END)
PODS = (
    PodLife("shop", "api-1-a", "steady", ALWAYS, DEPLOYED, {"cpu": 1, "memory": 1}, (0.5, 2),
            labels={"team": "checkout"}),
    PodLife("shop", "tick-1-a", "steady", (66, 68), CRON, {"cpu": 0.2, "memory": 0.5}, (0.6, 1)),
    PodLife("shop", "late-0", "steady", (130, 151), ("StatefulSet", "late"), {"cpu": 0.1}, (0.4, 1)),
    PodLife("shop", "done-a", "steady", (0, 30), ("Job", "done"), {"cpu": 3, "memory": 8}, known=ALWAYS),
    PodLife("shop", "waits-a", "", (0, 0), DEPLOYED, {"cpu": 9}, known=ALWAYS),
    PodLife("shop", "debug", "steady", ALWAYS, used=(0.1, 0.25)),
    PodLife("shop", "db-0", "steady", (0, 80), ("StatefulSet", "db"), {"cpu": 1}, (0.5, 1), uid="1",
            claims=("data",)),
    PodLife("shop", "db-0", "spot-b", (100, END), ("StatefulSet", "db"), {"cpu": 1}, (0.5, 1), uid="2",
            claims=("data",)),
    PodLife("shop", "flaky", "steady", ALWAYS, used=(0.3, 0.25), restarts=(105, 107), wipes=(140,)),
    PodLife("shop", "meshed", "steady", ALWAYS, requests={"cpu": 0.5}, used=(0.2, 0.5), sidecar="proxy"),
    PodLife("busy", "hungry-a", "small", ALWAYS, ("DaemonSet", "hungry"), {"cpu": 0.5}, (3, 1)),
    PodLife("busy", "hungry-b", "small", ALWAYS, ("DaemonSet", "modest"), {"cpu": 1}, (0.5, 1)),
    PodLife("ml", "train-0", "whole", ALWAYS, ("StatefulSet", "train"), {"nvidia.com/gpu": 1}, busy=0.25),
    PodLife("ml", "serve-0", "sliced", ALWAYS, ("StatefulSet", "serve"), {"nvidia.com/mig-1g.10gb": 2}),
    PodLife("ml", "nb-0", "shared", ALWAYS, ("StatefulSet", "nb"), {"nvidia.com/gpu.shared": 1}, busy=0.5),
    PodLife("ml", "nb2-0", "shared", (120, END), ("StatefulSet", "nb2"), {"nvidia.com/gpu.shared": 1}),
    PodLife("shop", "reader-a", "steady", ALWAYS, ("StatefulSet", "reader"), claims=("common",)),
    PodLife("shop", "writer-a", "steady", ALWAYS, ("StatefulSet", "writer"), claims=("common",)),
    PodLife("shop", "wiki-0", "steady", ALWAYS, ("StatefulSet", "wiki"), claims=("pages",)),
    PodLife("shop", "dump-a", "steady", (66, 78), ("Job", "dump"), claims=("pages", "dumps"), known=(66, END)),
)  # fmt: skip
TOWN = Town(
    END,
    NODES,
    PODS,
    volumes=(
        VolumeLife("pv-data", ALWAYS, 100, ("shop", "data"), price=0.0001),
        VolumeLife("pv-common", ALWAYS, 10, ("shop", "common"), "efs"),
        VolumeLife("pv-pages", ALWAYS, 12, ("shop", "pages")),
        VolumeLife("pv-dumps", ALWAYS, 3, ("shop", "dumps")),
        VolumeLife("pv-kept", ALWAYS, 5, ("shop", "kept")),
        VolumeLife("pv-left", (0, 150), 50),
    ),
    balancers=(
        BalancerLife("shop", "web", ALWAYS),
        BalancerLife("shop", "dear", (90, END), price=0.04),
        BalancerLife("shop", "pending", ALWAYS, address=False),
    ),
    above={
        ("ReplicaSet", "shop", "api-1"): ("Deployment", "api"),
        ("Job", "shop", "tick-1"): ("CronJob", "tick"),
    },
    labels={
        ("Namespace", "shop", ""): {"team": "shop", "cost-center": "42"},
        ("Deployment", "shop", "api"): {"app.kubernetes.io/part-of": "store", "team": "payments"},
    },
    gaps=((200, 220),),
    management=0.1,
)
VARIANTS = ("plain", "renamed", "doubled", "restarted")


def everything() -> Iterator[Written]:
    """One town several times, scraped in different ways, and towns that lack something."""
    plain = list(TOWN.series())
    yield from in_cluster(plain, "plain")
    yield from in_cluster(renamed(plain), "renamed")
    yield from in_cluster(doubled(plain), "doubled")
    yield from in_cluster(restarted(plain, 75), "restarted")
    yield from in_cluster(
        without(plain, {"kube_pod_container_status_running", "kube_namespace_created", "kube_node_info"}),
        "bare",
    )
    yield from in_cluster(map(_spoilt, plain), "odd")
    poor = Town(END, NODES, PODS[:2], opencost=False)
    yield from in_cluster(poor.series(), "unpriced")


def _spoilt(one: Written) -> Written:
    """The series; the memory of one pod is not a number, and that of another below zero."""
    values = {"api-1-a": np.nan, "debug": -1.0}
    pod = one.labels.get("pod", "")
    if one.metric != "container_memory_working_set_bytes" or pod not in values:
        return one
    return replace(one, values=np.full(one.times.size, values[pod]))


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server that forgets what is gone as fast as one that scraped it: a backfill has no end marks."""
    data: Path = tmp_path_factory.mktemp("allocation")
    write_blocks(data, everything())
    with serving(data, "--query.lookback-delta=90s") as address:
        yield address


@pytest.fixture(scope="module")
def hours(url: str) -> dict[str, list[ClusterHour]]:
    """From 10:00 to 13:00, by cluster."""
    return {name: read(url, name) for name in (*VARIANTS, "bare", "unpriced", "odd")}


def read(url: str, cluster: str, **more: object) -> list[ClusterHour]:
    """The last three hours of a town."""
    api = PrometheusApi(url, selector={"cluster": cluster})
    start = BEGIN + timedelta(hours=1)
    try:
        settings = {"start": start, "end": start + timedelta(hours=3), "prices": BUILT_IN, **more}
        return list(read_hours(api, **settings))  # type: ignore[arg-type]  # handed on
    finally:
        api.close()


def container(hour: ClusterHour, pod: str, name: str = "app") -> ContainerHour:
    """The one container of that name."""
    (found,) = [item for item in hour.containers if (item.pod, item.container) == (pod, name)]
    return found


def node(hour: ClusterHour, name: str) -> NodeHour:
    """The one node of that name."""
    (found,) = [item for item in hour.nodes if item.node == name]
    return found


def volumes(hour: ClusterHour) -> dict[tuple[str, WorkloadKey | None], VolumeHour]:
    """By claim and workload."""
    return {(item.claim, item.workload): item for item in hour.volumes}


def test_each_full_hour_comes_once_in_order(hours: dict[str, list[ClusterHour]]) -> None:
    """Hours begin at full UTC hours."""
    assert [hour.hour for hour in hours["plain"]] == [BEGIN + timedelta(hours=number) for number in (1, 2, 3)]


@pytest.mark.parametrize("variant", VARIANTS[1:])
def test_how_it_was_scraped_does_not_matter(hours: dict[str, list[ClusterHour]], variant: str) -> None:
    """Renamed labels, two scrapers and a replica, or a new address in mid-hour: the same hours."""
    for plain, other in zip(hours["plain"], hours[variant], strict=True):
        assert _in_order(other) == _in_order(plain)


def _in_order(hour: ClusterHour) -> tuple[object, ...]:
    containers = sorted(hour.containers, key=lambda item: (item.pod, item.node, item.container))
    return containers, hour.nodes, sorted(hour.volumes, key=repr), hour.balancers, hour.labels, hour.covered


@pytest.mark.parametrize("number", range(3))
@pytest.mark.parametrize("variant", [*VARIANTS, "bare", "unpriced"])
def test_tenants_and_idle_are_the_bill(
    hours: dict[str, list[ClusterHour]], variant: str, number: int
) -> None:
    """Whatever is missing or doubled, what is charged adds up to nodes, volumes and load balancers."""
    hour = hours[variant][number]
    charged = allocate(hour)
    bill = hour.control_plane + sum(
        Decimal(node.hours)
        * (
            Decimal(node.cores) * node.cpu_core_hour
            + Decimal(node.memory_gib) * node.memory_gib_hour
            + Decimal(node.gpus) * node.gpu_hour
        )
        for node in hour.nodes
    )
    bill += sum(Decimal(item.gib) * Decimal(item.hours) * item.gib_hour for item in hour.volumes)
    bill += sum(Decimal(item.hours) * item.hourly for item in hour.balancers)
    assert charged.tenants + charged.idle + charged.control_plane == charged.bill
    assert charged.bill / 10**9 == pytest.approx(float(bill), abs=1e-7)


@pytest.mark.parametrize(
    ("number", "name", "lived", "cpu_price", "gpus"),
    [
        pytest.param(0, "steady", 1, "0.04", 0, id="all hour"),
        pytest.param(1, "steady", 1, "0.06", 0, id="price changed at half past"),
        pytest.param(0, "spot-a", 0.5, "0.01", 0, id="taken away at half past"),
        pytest.param(0, "spot-b", 0.5, "0.02", 0, id="came at half past"),
        pytest.param(1, "blip", 5 / 60, "0.04", 0, id="between two samples of its size"),
        pytest.param(2, "steady", 1, "0.08", 0, id="a gap of 20 minutes"),
        pytest.param(0, "whole", 1, "0.04", 1, id="a GPU"),
        pytest.param(0, "sliced", 1, "0.04", 1, id="a GPU in slices"),
        pytest.param(0, "shared", 1, "0.04", 1, id="a GPU in turns"),
    ],
)
def test_nodes_cost_for_the_time_they_lived(
    hours: dict[str, list[ClusterHour]], number: int, name: str, lived: float, cpu_price: str, gpus: float
) -> None:
    """At the mean price meanwhile, with whole GPUs."""
    found = node(hours["plain"][number], name)
    assert found.hours == pytest.approx(lived)
    assert found.cpu_core_hour == Decimal(cpu_price)
    assert (found.gpus, found.memory_gib) == (gpus, 16)


def test_a_node_that_is_gone_is_not_in_the_hour(hours: dict[str, list[ClusterHour]]) -> None:
    """Nor is one that did not exist yet; spot is told by its label."""
    first, second, _ = hours["plain"]
    assert {item.node for item in second.nodes} - {item.node for item in first.nodes} == {"blip"}
    assert {item.node for item in first.nodes} - {item.node for item in second.nodes} == {"spot-a"}
    assert {item.node for item in first.nodes if item.spot} == {"spot-a"}


SECOND = 1 / 3600


@pytest.mark.parametrize(
    ("number", "pod", "lived", "cpu", "memory"),
    [
        pytest.param(0, "api-1-a", 1, (1, 0.5), (1, 2), id="requests and uses"),
        pytest.param(0, "debug", 1, (0, 0.1), (0, 0.25), id="requests nothing"),
        pytest.param(0, "hungry-a", 1, (0.5, 3), (0, 1), id="uses more than its node has"),
        pytest.param(
            0,
            "tick-1-a",
            2 / 60,
            (0.2 * 2 / 60, 0.6 * 113 * SECOND),
            (0.5 * 2 / 60, 2 / 60),
            id="two minutes",
        ),
        pytest.param(
            1,
            "late-0",
            21 / 60,
            (0.1 * 21 / 60, 0.4 * (21 * 60 - 7) * SECOND),
            (0, 21 / 60),
            id="a third of it",
        ),
        pytest.param(2, "api-1-a", 1, (1, 0.5), (1, 2), id="a gap of 20 minutes"),
        pytest.param(2, "flaky", 1, (0, 0.3), (0, 0.25), id="after its counter was reset"),
    ],
)
def test_containers_claim_for_the_time_they_lived(
    hours: dict[str, list[ClusterHour]],
    number: int,
    pod: str,
    lived: float,
    cpu: tuple[float, float],
    memory: tuple[float, float],
) -> None:
    """Core-hours and GiB-hours, up to the last scrape (7 seconds before the full minute)."""
    found = container(hours["plain"][number], pod)
    assert found.hours == pytest.approx(lived)
    assert (found.cpu_requested, found.cpu_used) == pytest.approx(cpu)
    assert (found.memory_requested, found.memory_used) == pytest.approx(memory)


def test_a_restart_or_a_reset_loses_minutes_at_most(hours: dict[str, list[ClusterHour]]) -> None:
    """A life of two minutes between two restarts, and what was used since the last quarter before a reset."""
    used = [container(hour, "flaky").cpu_used for hour in hours["plain"]]
    assert used == pytest.approx([0.3 * (3600 - 127) * SECOND, 0.3 * (3600 - 300 - 7) * SECOND, 0.3])


@pytest.mark.parametrize("pod", ["done-a", "waits-a"])
def test_what_does_not_run_costs_nothing(hours: dict[str, list[ClusterHour]], pod: str) -> None:
    """A pod that is done or waits for a node still exports its requests."""
    assert all(item.pod != pod for hour in hours["plain"] for item in hour.containers)


def test_a_sidecar_among_the_init_containers_counts(hours: dict[str, list[ClusterHour]]) -> None:
    """Only cAdvisor sees it run, though kube-state-metrics lists it apart."""
    found = container(hours["plain"][0], "meshed", "proxy")
    assert (found.hours, found.cpu_requested, found.cpu_used) == pytest.approx((1, 0.1, 0.1))


def test_a_pod_that_comes_back_under_its_name_is_on_both_nodes(hours: dict[str, list[ClusterHour]]) -> None:
    """20 minutes each; what was measured under the name is split by time."""
    found = {item.node: item for item in hours["plain"][0].containers if item.pod == "db-0"}
    assert {name: item.hours for name, item in found.items()} == pytest.approx(
        {"steady": 1 / 3, "spot-b": 1 / 3}
    )
    assert [item.cpu_requested for item in found.values()] == pytest.approx([1 / 3, 1 / 3])
    assert sum(item.cpu_used or 0 for item in found.values()) == pytest.approx(0.5 * 40 / 60, rel=0.01)


@pytest.mark.parametrize(
    ("pod", "workload"),
    [
        ("api-1-a", WorkloadKey("shop", "Deployment", "api")),
        ("tick-1-a", WorkloadKey("shop", "CronJob", "tick")),
        ("debug", WorkloadKey("shop", "Pod", "debug")),
        ("hungry-a", WorkloadKey("busy", "DaemonSet", "hungry")),
    ],
    ids=["ReplicaSet", "Job, deleted at once", "nothing", "DaemonSet"],
)
def test_pods_belong_to_what_owns_them(
    hours: dict[str, list[ClusterHour]], pod: str, workload: WorkloadKey
) -> None:
    """The topmost owner, by owner references."""
    assert container(hours["plain"][0], pod).workload == workload


@pytest.mark.parametrize(
    ("pod", "gpus", "busy"),
    [
        pytest.param("train-0", 1, 0.25, id="whole"),
        pytest.param("serve-0", 2 / 7, None, id="two MIG slices"),
        pytest.param("nb-0", 0.25, 0.125, id="one of four in turns"),
        pytest.param("api-1-a", 0, None, id="none"),
    ],
)
def test_gpus_are_physical(
    hours: dict[str, list[ClusterHour]], pod: str, gpus: float, busy: float | None
) -> None:
    """A share counts as its fraction, and is as busy as its GPU was."""
    found = container(hours["plain"][0], pod)
    assert found.gpus == pytest.approx(gpus)
    assert found.gpu_busy == (None if busy is None else pytest.approx(busy))


def test_volumes_are_their_users(hours: dict[str, list[ClusterHour]]) -> None:
    """By pods where several workloads mount one; a claim without a pod, and a volume without a claim."""
    data, kept, left = (
        ("data", WorkloadKey("shop", "StatefulSet", "db")),
        ("kept", None),
        ("", None),
    )
    readers = [("common", WorkloadKey("shop", "StatefulSet", name)) for name in ("reader", "writer")]
    first, second, third = (volumes(hour) for hour in hours["plain"])
    assert first.keys() >= {data, kept, left, *readers}
    assert (first[data].gib, first[data].gib_hour) == (100, Decimal("0.0001"))
    assert [first[key].gib for key in readers] == [5, 5]
    assert first[kept].gib_hour == pytest.approx(Decimal("0.04") / 730)
    assert (first[left].hours, second[left].hours, left in third) == (1, 0.5, False)


def test_a_volume_is_shared_by_the_time_that_pods_ran(hours: dict[str, list[ClusterHour]]) -> None:
    """A finished Job's pod is kept and names the claim for hours; when nobody ran it is the day's users'."""
    wiki, dump = WorkloadKey("shop", "StatefulSet", "wiki"), WorkloadKey("shop", "Job", "dump")
    first, second, _ = (volumes(hour) for hour in hours["plain"])
    assert [first["pages", who].gib for who in (wiki, dump)] == pytest.approx([10, 2])
    assert second["pages", wiki].gib == 12
    assert ("pages", dump) not in second
    assert (first["dumps", dump].gib, second["dumps", dump].gib) == (3, 3)


def test_load_balancers_cost_once_they_have_an_address(hours: dict[str, list[ClusterHour]]) -> None:
    """At OpenCost's price where it has one."""
    first = {item.service: (item.hours, item.hourly) for item in hours["plain"][0].balancers}
    assert first == {"dear": (0.5, Decimal("0.04")), "web": (1, Decimal("0.025"))}


def test_a_sheet_without_load_balancers_leaves_them_to_opencost(url: str) -> None:
    """One that has a price of them wins."""
    own = replace(BUILT_IN, explicit=True, names_defaults=True)
    for borrowed, price in ((frozenset({"load_balancer_hour"}), "0.04"), (frozenset(), "0.025")):
        first, *_ = read(url, "plain", prices=replace(own, borrowed=borrowed))
        assert {item.service: item.hourly for item in first.balancers}["dear"] == Decimal(price)


def test_labels_of_the_pod_win(hours: dict[str, list[ClusterHour]]) -> None:
    """Over the workload's own, and those over the namespace's; hashes of controllers are left out."""
    labels = hours["plain"][0].labels
    own = {"team": "checkout", "app_kubernetes_io_part_of": "store", "cost_center": "42"}
    assert labels[WorkloadKey("shop", "Deployment", "api")] == own
    assert labels[WorkloadKey("shop", "Pod", "debug")] == {"team": "shop", "cost_center": "42"}
    assert WorkloadKey("ml", "StatefulSet", "train") not in labels


def test_a_gap_is_told(hours: dict[str, list[ClusterHour]]) -> None:
    """20 minutes without a scrape."""
    assert [hour.covered for hour in hours["plain"]] == pytest.approx([1, 1, 2 / 3])


def test_without_the_best_metrics_others_tell_the_lives(hours: dict[str, list[ClusterHour]]) -> None:
    """Samples of cAdvisor for containers, sizes by the quarter for nodes; nothing is assumed of a gap."""
    first, _, third = hours["bare"]
    assert container(first, "tick-1-a").hours == pytest.approx(2 / 60)
    assert container(first, "tick-1-a").workload == WorkloadKey("shop", "CronJob", "tick")
    assert (node(first, "spot-a").hours, node(first, "spot-b").hours) == pytest.approx((0.5, 0.5), abs=1 / 8)
    assert container(third, "api-1-a").hours == pytest.approx(2 / 3)


def test_an_assumed_price_is_told(hours: dict[str, list[ClusterHour]]) -> None:
    """Nobody gave a price; a spot node has that of spot."""
    first = hours["unpriced"][0]
    assert "nobody gave a price of 7 of 7 nodes" in first.notes[0]
    assert node(first, "spot-a").cpu_core_hour == BUILT_IN.spot_cpu_core_hour


def test_values_that_make_no_sense_are_left_out_and_counted(hours: dict[str, list[ClusterHour]]) -> None:
    """Not measured is not zero."""
    for hour in hours["odd"]:
        assert any("were not numbers from 0 up" in note for note in hour.notes)
        assert {container(hour, pod).memory_used for pod in ("api-1-a", "debug")} == {None}
        assert container(hour, "api-1-a").memory_requested == 1


def test_what_the_server_warns_of_is_noted(url: str) -> None:
    """A limit of ours leaves series out, and every hour says so."""
    api = PrometheusApi(url, selector={"cluster": "plain"}, max_series=5)
    start = BEGIN + timedelta(hours=1)
    hours = list(read_hours(api, start=start, end=start + timedelta(hours=1), prices=BUILT_IN))
    assert any("only 5 of" in note for note in hours[0].notes)
    api.close()


def test_an_hour_that_nobody_measured_covers_nothing(url: str) -> None:
    """Neither $0 nor an error."""
    api = PrometheusApi(url, selector={"cluster": "plain"})
    later = BEGIN + timedelta(hours=7)
    hours = list(read_hours(api, start=later, end=later + timedelta(hours=2), prices=BUILT_IN))
    assert [(hour.covered, hour.nodes) for hour in hours] == [(0, ()), (0, ())]
    api.close()


@pytest.mark.parametrize("before", [1, 9], ids=["a short time", "since midnight"])
def test_a_cluster_that_came_and_went_within_the_time_is_seen(
    url: str, hours: dict[str, list[ClusterHour]], before: int
) -> None:
    """Nothing of it is there at the first moment that is asked for, nor at the last."""
    found = read(url, "plain", start=BEGIN - timedelta(hours=before), end=BEGIN + timedelta(hours=6))
    then = {hour.hour: hour for hour in found}
    for hour in hours["plain"]:
        assert {(one.workload, one.container) for one in then[hour.hour].containers} == {
            (one.workload, one.container) for one in hour.containers
        }


def test_mixed_clusters_are_refused(url: str) -> None:
    """No number is better than that of two clusters added up."""
    api = PrometheusApi(url)
    start = BEGIN + timedelta(hours=1)
    with pytest.raises(UserError, match="clusters"):
        list(read_hours(api, start=start, end=start + timedelta(hours=1), prices=BUILT_IN))
    api.close()


def test_parts_of_hours_are_left_to_the_next_time(url: str) -> None:
    """Only hours that began and ended within the time are read, by UTC day."""
    api = PrometheusApi(url, selector={"cluster": "plain"})
    start = BEGIN + timedelta(minutes=30)
    hours = list(read_hours(api, start=start, end=start + timedelta(hours=2), prices=BUILT_IN))
    assert [hour.hour for hour in hours] == [BEGIN + timedelta(hours=1)]
    api.close()
