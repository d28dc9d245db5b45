"""What is allocated less is a smaller bill only where a node goes away."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimators.change import Cluster
from estimators.comparison import Revision, compare
from estimators.node_release import NodeRelease
from estimators.recommendation import Realisable
from estimators.recommendation_candidates import candidates
from estimators.recommendation_terms import Terms
from estimators.report import Row
from estimators.usage import Node, Taint
from tests.recommendation_builders import cluster, hours, usage
from tests.usage_builders import Quantities, node
from tests.yaml_objects import autoscaler, deployment, objects

FOUR: Quantities = {"cpu": 4, "memory": "16Gi"}
NODE_A_MONTH = (4 * Decimal("0.031611") + 16 * Decimal("0.004237")) * 730


def nodes(count: int, size: Quantities = FOUR) -> list[Node]:
    """So many nodes of 4 cores and 16 GiB."""
    return [node(f"n{number}", size) for number in range(count)]


def release(before: str, after: str, known: Cluster) -> tuple[NodeRelease, list[Row]]:
    """The packed cluster, and the rows of the change."""
    old, new = objects(before), objects(after)
    report = compare(Revision("a", old), Revision("b", new), lambda _environment: known)
    return NodeRelease(candidates(old, known, Terms()).sides, known), list(report.rows)


def released(before: str, after: str, room: Sequence[Node], requested: Quantities) -> Realisable:
    """What one change releases."""
    known = cluster(usage(), nodes=room, requested=requested)
    packed, [row] = release(before, after, known)
    return packed.of(row)


def test_a_node_that_is_no_longer_needed_is_named_and_priced() -> None:
    """Eight pods of 1 core need two nodes of 4; of 500m they need one."""
    found = released(
        deployment(cpu="1", memory="1Gi", replicas=8),
        deployment(cpu="500m", memory="1Gi", replicas=8),
        nodes(2),
        {"cpu": 8, "memory": "8Gi"},
    )

    assert found.monthly == -NODE_A_MONTH
    assert len(found.nodes) == 1
    assert found.why.endswith("somebody, or an autoscaler of nodes, has to take it away")


def test_room_on_a_node_that_stays_is_no_saving() -> None:
    """Six pods of 700m still need two nodes."""
    found = released(
        deployment(cpu="1", memory="1Gi", replicas=8),
        deployment(cpu="700m", memory="1Gi", replicas=8),
        nodes(2),
        {"cpu": 8, "memory": "8Gi"},
    )

    assert (found.monthly, found.nodes) == (Decimal(0), ())
    assert found.why == "no node goes away, and the room is left for other pods"


def test_a_node_that_was_not_needed_before_is_not_the_change_s() -> None:
    """One of three stands empty already."""
    found = released(
        deployment(cpu="1", memory="1Gi", replicas=8),
        deployment(cpu="700m", memory="1Gi", replicas=8),
        nodes(3),
        {"cpu": 8, "memory": "8Gi"},
    )

    assert found.monthly == 0
    assert found.why.endswith("; 1 node is spare even without this change")


def test_memory_holds_a_node_as_well() -> None:
    """Cores for one node, memory for two."""
    found = released(
        deployment(cpu="1", memory="4Gi", replicas=8),
        deployment(cpu="100m", memory="4Gi", replicas=8),
        nodes(2),
        {"cpu": 8, "memory": "32Gi"},
    )

    assert found.monthly == 0


APART = """
      affinity:
        podAntiAffinity:
          requiredDuringSchedulingIgnoredDuringExecution:
            - {topologyKey: kubernetes.io/hostname, labelSelector: {matchLabels: {app: api}}}
"""
PORT = "          ports: [{containerPort: 80, hostPort: 80}]"


@pytest.mark.parametrize(
    ("rule", "gone"), [(APART, 0), (PORT, 0), ("", 2)], ids=["apart", "a port of the node", "together"]
)
def test_pods_that_must_not_share_a_node_hold_one_each(rule: str, gone: int) -> None:
    """Three small pods fit on one node, but each wants one of its own."""
    found = released(
        deployment(cpu="3", memory="1Gi", replicas=3, extra=rule),
        deployment(cpu="500m", memory="1Gi", replicas=3, extra=rule),
        nodes(3),
        {"cpu": 9, "memory": "3Gi"},
    )

    assert len(found.nodes) == gone


SPREAD = """
      topologySpreadConstraints:
        - {topologyKey: KEY, maxSkew: SKEW, WHEN labelSelector: {matchLabels: {app: APP}}}
"""
HOST, ZONE = "kubernetes.io/hostname", "topology.kubernetes.io/zone"


def spread(key: str, *, skew: int = 1, app: str = "api", when: str = "") -> str:
    """Pods of an app have to be spread over nodes or zones."""
    return SPREAD.replace("KEY", key).replace("SKEW", str(skew)).replace("APP", app).replace("WHEN", when)


@pytest.mark.parametrize(
    ("rule", "gone"),
    [
        (spread(HOST), 0),
        (spread(HOST, skew=2), 1),
        (spread(HOST, app="other"), 2),
        (spread(HOST, when="whenUnsatisfiable: ScheduleAnyway,"), 2),
        (spread(HOST, when="whenUnsatisfiable: DoNotSchedule,"), 0),
        (spread(ZONE), 2),
    ],
    ids=["over nodes", "two more on one", "other pods", "if it can be", "in so many words", "over zones"],
)
def test_pods_that_have_to_be_spread_over_nodes_hold_them(rule: str, gone: int) -> None:
    """Six small pods fit on one node of three; spread evenly there are two on each."""
    found = released(
        deployment(cpu="2", memory="1Gi", replicas=6, extra=rule),
        deployment(cpu="500m", memory="1Gi", replicas=6, extra=rule),
        nodes(3),
        {"cpu": 12, "memory": "6Gi"},
    )

    assert len(found.nodes) == gone


VOLUME = """
      volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]
"""


@pytest.mark.parametrize(
    ("zones", "rule", "is_told"),
    [
        ("ab", VOLUME, True),
        ("ab", spread(ZONE), True),
        ("aa", VOLUME, False),
        ("ab", spread(HOST, skew=9), False),
        ("ab", "", False),
    ],
    ids=["a volume", "spread over zones", "one zone", "spread over nodes", "bound to nothing"],
)
def test_pods_that_are_bound_to_a_zone_are_told_where_a_node_goes(
    zones: str, rule: str, is_told: bool
) -> None:
    """Where their volumes are, no manifest says."""
    found = released(
        deployment(cpu="1", memory="1Gi", replicas=8, extra=rule),
        deployment(cpu="500m", memory="1Gi", replicas=8, extra=rule),
        [node(f"n{number}", FOUR, labels={ZONE: zone}) for number, zone in enumerate(zones)],
        {"cpu": 8, "memory": "8Gi"},
    )

    assert len(found.nodes) == 1
    assert found.why.endswith("need room in theirs, which is not known") is is_told


@pytest.mark.parametrize(("pods", "gone"), [("6", 0), ("110", 1)], ids=["six a node", "as many as usual"])
def test_a_node_takes_no_more_pods_than_it_may(pods: str, gone: int) -> None:
    """Eight tiny pods need two nodes of which each takes six."""
    found = released(
        deployment(cpu="1", memory="1Gi", replicas=8),
        deployment(cpu="10m", memory="64Mi", replicas=8),
        nodes(2, {**FOUR, "pods": pods}),
        {"cpu": 8, "memory": "8Gi"},
    )

    assert len(found.nodes) == gone


def test_nodes_of_the_control_plane_stay() -> None:
    """Nothing of the manifests runs there, and no one takes them away."""
    label = {"node-role.kubernetes.io/control-plane": ""}
    taints = [Taint("node-role.kubernetes.io/control-plane", "", "NoSchedule")]
    found = released(
        deployment(cpu="1", memory="1Gi", replicas=8),
        deployment(cpu="700m", memory="1Gi", replicas=8),
        [*nodes(2), node("master", FOUR, labels=label, taints=taints)],
        {"cpu": 8, "memory": "8Gi"},
    )

    assert found == Realisable(Decimal(0), "no node goes away, and the room is left for other pods")


WAVE = 4 + 3.5 * np.sin(hours() / 24 * 2 * np.pi)
"""Cores: half a core at night, 7.5 at noon."""


def test_nodes_are_there_for_the_busiest_time() -> None:
    """Eleven pods at noon hold three nodes, though 6.5 of them, on average, would hold two."""
    text = deployment(cpu="1", memory="2Gi", replicas=None) + "---" + autoscaler(least=2, most=12, target=70)
    known = cluster(usage(cpu=WAVE, replicas=6), nodes=nodes(3), requested={"cpu": 7, "memory": "14Gi"})
    packed, [row] = release(text, text.replace("memory: 2Gi", "memory: 1Gi"), known)

    assert row.change.expected < 0
    assert packed.of(row) == Realisable(Decimal(0), "no node goes away, and the room is left for other pods")


def test_fewer_pods_between_busy_times_free_no_node_for_good() -> None:
    """A lower minimum saves at night; at noon every node is needed."""
    text = deployment(cpu="1", memory="2Gi", replicas=None) + "---" + autoscaler(least=8, most=12, target=70)
    known = cluster(usage(cpu=WAVE, replicas=8), nodes=nodes(3), requested={"cpu": 9, "memory": "18Gi"})
    packed, [row] = release(text, text.replace("minReplicas: 8", "minReplicas: 3"), known)

    assert row.change.expected < 0
    assert packed.of(row).monthly is None
    assert packed.of(row).why == "whether a node goes while fewer pods run is up to an autoscaler of nodes"


def test_the_order_of_the_nodes_does_not_matter() -> None:
    """Nodes of different sizes and prices, as a server happens to list them."""
    room = [node(f"n{number}", {"cpu": 2 + number, "memory": "16Gi"}) for number in range(4)]
    before, after = (deployment(cpu=cpu, memory="1Gi", replicas=8) for cpu in ("1", "300m"))
    asked: Quantities = {"cpu": 8, "memory": "8Gi"}

    assert released(before, after, room, asked) == released(before, after, room[::-1], asked)


def test_fewer_pods_release_a_node_too() -> None:
    """Four of eight pods go."""
    found = released(
        deployment(cpu="1", memory="1Gi", replicas=8),
        deployment(cpu="1", memory="1Gi", replicas=4),
        nodes(2),
        {"cpu": 8, "memory": "8Gi"},
    )

    assert len(found.nodes) == 1


def test_what_opencost_says_of_a_node_is_its_price() -> None:
    """0.2 an hour."""
    priced = [
        Node(item.name, allocatable=item.allocatable, hourly={"total": Decimal("0.2")}) for item in nodes(2)
    ]
    found = released(
        deployment(cpu="1", memory="1Gi", replicas=8),
        deployment(cpu="500m", memory="1Gi", replicas=8),
        priced,
        {"cpu": 8, "memory": "8Gi"},
    )

    assert found.monthly == Decimal(-146)


def test_a_pod_that_may_land_on_one_node_only_holds_it() -> None:
    """Whatever room others have."""
    pinned = "      nodeSelector: {disk: fast}"
    fast = node("fast", FOUR, labels={"disk": "fast"})
    found = released(
        deployment(cpu="1", memory="1Gi", replicas=4, extra=pinned),
        deployment(cpu="100m", memory="1Gi", replicas=4, extra=pinned),
        [fast, *nodes(1)],
        {"cpu": 8, "memory": "8Gi"},
    )

    assert found.nodes == ()


@pytest.mark.parametrize(
    ("room", "requested", "why"),
    [
        ([], {"cpu": 8, "memory": "8Gi"}, "no nodes are known"),
        (nodes(2, {"cpu": 4}), {"cpu": 8, "memory": "8Gi"}, "not every node says how much CPU and memory it has"),
        (nodes(2), None, "what other pods request is not known"),
        (nodes(9), {"cpu": 30, "memory": "8Gi"}, "most of what the cluster's pods request is not in these manifests"),
        (nodes(1), {"cpu": 8, "memory": "8Gi"}, "the pods of these manifests do not fit on the nodes that are known"),
    ],
    ids=["no nodes", "sizes", "requests", "others", "too few"],
)  # fmt: skip
def test_what_is_not_known_is_said(room: Sequence[Node], requested: Quantities, why: str) -> None:
    """None, and never 0."""
    found = released(
        deployment(cpu="1", memory="1Gi", replicas=8),
        deployment(cpu="500m", memory="1Gi", replicas=8),
        room,
        requested,
    )

    assert found == Realisable(None, why)


def test_a_change_that_asks_for_more_than_there_is_room_for_is_not_known() -> None:
    """Whether a node comes, and which, is the autoscaler's matter."""
    found = released(
        deployment(cpu="1", memory="1Gi", replicas=8),
        deployment(cpu="2", memory="1Gi", replicas=8),
        nodes(2),
        {"cpu": 8, "memory": "8Gi"},
    )

    assert found == Realisable(None, "it asks for more, and may need another node")


def test_a_daemon_s_request_leaves_with_its_node() -> None:
    """Six pods of 1 core need one node more while a daemon takes 1.5 of the 4 cores of each."""
    daemon = deployment("agent", kind="DaemonSet", cpu="1500m", memory="1Gi", replicas=None)
    web = deployment(cpu="1", memory="1Gi", replicas=6)
    known = cluster(usage(), nodes=nodes(3), requested={"cpu": "10.5", "memory": "9Gi"})
    packed, [row] = release(web + "---" + daemon, web + "---" + daemon.replace("1500m", "100m"), known)

    assert len(packed.of(row).nodes) == 1


def test_a_volume_is_billed_by_itself() -> None:
    """No node waits for it."""
    claim = """
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data, namespace: payments}
spec: {resources: {requests: {storage: 100Gi}}}
"""
    known = cluster(usage())
    packed, [row] = release(deployment() + "---" + claim, deployment(), known)

    assert packed.of(row) == Realisable(Decimal("-4.00"), "billed by itself, whatever the nodes cost")


def test_many_small_savings_release_together_what_none_releases_alone() -> None:
    """Four workloads of two cores each on two nodes; each falls by one core."""
    names = ["a", "b", "c", "d"]
    before = "---".join(deployment(name, cpu="1", memory="1Gi", replicas=2) for name in names)
    known = cluster(usage(), nodes=nodes(2), requested={"cpu": 8, "memory": "8Gi"})
    packed, rows = release(before, before.replace("cpu: 1,", "cpu: 500m,"), known)

    assert [packed.of(row).monthly for row in rows] == [0, 0, 0, 0]
    assert packed.together(rows).monthly == -NODE_A_MONTH


@given(
    sizes=st.lists(st.tuples(st.integers(1, 30), st.integers(1, 6)), min_size=1, max_size=8),
    cuts=st.lists(st.integers(0, 100), min_size=8, max_size=8),
    count=st.integers(1, 12),
)
@settings(max_examples=40, deadline=None)
def test_a_cut_never_costs_and_never_saves_more_than_the_nodes(
    sizes: list[tuple[int, int]], cuts: list[int], count: int
) -> None:
    """For any pods and nodes; and asking does not change the answer."""
    before = "---".join(
        deployment(f"w{place}", cpu=f"{tenths * 100}m", memory="512Mi", replicas=pods)
        for place, (tenths, pods) in enumerate(sizes)
    )
    after = "---".join(
        deployment(f"w{place}", cpu=f"{max(tenths * 100 * cut // 100, 1)}m", memory="512Mi", replicas=pods)
        for place, ((tenths, pods), cut) in enumerate(zip(sizes, cuts, strict=False))
    )
    cores = sum(tenths * pods for tenths, pods in sizes) / 10
    known = cluster(usage(), nodes=nodes(count), requested={"cpu": str(cores), "memory": "1Gi"})
    packed, rows = release(before, after, known)
    together = packed.together(rows)

    assert packed.together(rows) == together
    if together.monthly is not None:
        assert -NODE_A_MONTH * (count - 1) <= together.monthly <= 0
        assert all((packed.of(row).monthly or 0) <= 0 for row in rows)
