"""Two revisions compared: identities, ranges and what stays out of a report."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimators.change import Cluster
from estimators.comparison import Revision, compare
from estimators.money import NOTHING, Range
from estimators.objects import Unpriced
from estimators.prices import BUILT_IN, Provenance
from estimators.report import Report, Row, Verdict
from estimators.usage import ContainerUsage, Node, UsageSnapshot, Window, WorkloadKey, WorkloadUsage
from tests.yaml_objects import autoscaler, deployment, objects

STEPS = 4032
HOURLY = replace(BUILT_IN, cpu_core_hour=Decimal(1), memory_gib_hour=Decimal(0), explicit=True)


def report(before: str, after: str, cluster: Cluster | None = None) -> Report:
    known = cluster or Cluster()
    sides = [Revision(name, objects(text) if text else []) for name, text in (("a", before), ("b", after))]
    return compare(sides[0], sides[1], lambda _environment: known)


def only_row(found: Report) -> Row:
    [row] = found.rows
    return row


def history(
    cores: float | Callable[[np.ndarray[tuple[int], np.dtype[np.float64]]], object] = 1.0,
    pods: float = 4,
    name: str = "api",
    memory: float = 700 * 2**20,
) -> Cluster:
    """A cluster with 14 days of one workload: total cores, pods, and the peak memory of one pod."""
    hours = np.arange(STEPS) / 12
    load = np.asarray(cores(hours) if callable(cores) else np.full(STEPS, cores), dtype=np.float64)
    key = WorkloadKey("payments", "Deployment", name)
    used = ContainerUsage("main", load, np.full(STEPS, memory))
    end = datetime(2026, 11, 16, tzinfo=UTC)
    window = Window(end - timedelta(days=14), end, 300)
    workload = WorkloadUsage(key, np.full(STEPS, pods), (used,))
    return Cluster(prices=HOURLY, usage=UsageSnapshot(window, 30, {key: workload}))


def pods(found: Range) -> tuple[str, str, str]:
    floor, expected, ceiling = (
        f"{item.normalize():f}" for item in (found.floor, found.expected, found.ceiling)
    )
    return floor, expected, ceiling


def replicas(before: str, after: str, cluster: Cluster) -> tuple[tuple[str, str, str], tuple[str, str, str]]:
    row = only_row(report(before, after, cluster))
    assert row.before is not None
    assert row.after is not None
    return pods(row.before.replicas.count), pods(row.after.replicas.count)


def test_comparing_a_revision_with_itself_is_empty() -> None:
    """No rows, no change, verdict none."""
    text = deployment() + "---" + autoscaler()
    found = report(text, text)

    assert (found.rows, found.change, found.verdict) == ((), NOTHING, Verdict.NONE)


def test_a_change_of_an_image_has_no_row() -> None:
    """What neither costs nor risks is not reported."""
    assert report(deployment(), deployment().replace(":1\n", ":2\n")).rows == ()


def test_units_may_be_written_differently() -> None:
    """`1000m` is `1`, `1Gi` is `1024Mi`: no change."""
    assert report(deployment(cpu="1000m", memory="1Gi"), deployment(cpu="1", memory="1024Mi")).rows == ()


def test_a_rename_costs_nothing_and_keeps_its_history() -> None:
    """The renamed workload is compared with the old one, its autoscaler simulated over the old one's past."""
    before = deployment() + "---" + autoscaler()
    after = deployment(name="api-v2").replace("/api-v2:1", "/api:1") + "---" + autoscaler(name="api-v2")
    found = report(before, after, history())

    assert found.change == NOTHING
    assert [(c.label, c.old, c.new) for c in only_row(found).changes] == [
        ("name", "payments/api", "payments/api-v2")
    ]


def test_deleting_everything_is_minus_the_whole() -> None:
    """The whole is what the same manifests would add."""
    text = deployment() + "---" + deployment("web", replicas=5)

    assert report("", text).change == -report(text, "").change
    assert report(text, "").after == NOTHING


workload_texts = st.builds(
    deployment,
    cpu=st.sampled_from([None, "100m", "1", "2500m"]),
    memory=st.sampled_from([None, "64Mi", "1Gi", "1G"]),
    replicas=st.sampled_from([None, 0, 1, 7]),
    cpu_limit=st.sampled_from([None, "3"]),
    memory_limit=st.sampled_from([None, "2Gi"]),
)


@settings(max_examples=60, deadline=None)
@given(workload_texts, workload_texts, st.booleans(), st.booleans())
def test_swapping_the_sides_turns_the_sign(one: str, two: str, scaled_one: bool, scaled_two: bool) -> None:
    """compare(a, b) = -compare(b, a), and a change is the sum of its rows."""
    first = one + ("---" + autoscaler() if scaled_one else "")
    second = two + ("---" + autoscaler(1, 4, 80) if scaled_two else "")
    forth, back = (report(*sides, history(1.3)) for sides in ((first, second), (second, first)))

    assert forth.change == -back.change
    assert forth.before == back.after


@pytest.mark.parametrize(
    ("before", "after", "was", "now"),
    [
        pytest.param(autoscaler(), autoscaler(least=3), ("2", "4", "10"), ("3", "4", "10"), id="only min, below demand"),
        pytest.param(autoscaler(), autoscaler(least=6), ("2", "4", "10"), ("6", "6", "10"), id="only min, above demand"),
        pytest.param(autoscaler(), autoscaler(most=30), ("2", "4", "10"), ("2", "4", "30"), id="only max, above demand"),
        pytest.param(autoscaler(), autoscaler(most=3), ("2", "4", "10"), ("2", "3", "3"), id="only max, below demand"),
        pytest.param(autoscaler(), autoscaler(target=100), ("2", "4", "10"), ("2", "2", "10"), id="only the target"),
    ],
)  # fmt: skip
def test_an_edit_of_the_autoscaler_alone(before: str, after: str, was: object, now: object) -> None:
    """At a steady load of 1 core and 500m requests, 50 % asks for four pods."""
    found = replicas(deployment() + "---" + before, deployment() + "---" + after, history(1.0))

    assert (was, now) == found


def test_raising_only_the_request_lowers_the_count() -> None:
    """Twice the request, half the pods: the reservation stays."""
    row = only_row(
        report(deployment() + "---" + autoscaler(), deployment(cpu="1") + "---" + autoscaler(), history(1.0))
    )
    assert row.before is not None
    assert row.after is not None
    assert pods(row.after.replicas.count) == ("2", "2", "10")
    assert abs(row.after.monthly.expected - row.before.monthly.expected) < row.before.monthly.expected / 1000


def test_raising_a_request_twentyfold_does_not_cost_twenty_times() -> None:
    """878 replicas, 100m to 2000m under a CPU target: Kost keeps the 878 and shows +$30,988 per 720 h."""
    cluster = history(43.9, pods=878)
    cluster = replace(
        cluster,
        prices=replace(
            BUILT_IN, cpu_core_hour=Decimal("0.0258"), memory_gib_hour=Decimal("0.0029"), explicit=True
        ),
        hours_per_month=Decimal(720),
    )
    scaler = autoscaler(1, 2000, 50)
    row = only_row(
        report(deployment(cpu="100m") + "---" + scaler, deployment(cpu="2") + "---" + scaler, cluster)
    )

    assert row.before is not None
    assert row.after is not None
    assert pods(row.before.replicas.count)[1] == "878"
    assert row.after.monthly.expected < row.before.monthly.expected * Decimal("1.2")
    assert row.change.expected < 0
    # Of the $3,464 before, $1,833 are memory, which follows the pods: 44 instead of 878.
    assert Decimal(30988) > row.change.expected + 25000


EXTERNAL = autoscaler().replace(
    "type: Resource\n      resource: {name: cpu, target: {type: Utilization, averageUtilization: 50}}",
    "type: External\n      external: {metric: {name: queue}, target: {type: AverageValue, averageValue: 30}}",
)


def test_external_metrics_do_not_react_to_requests() -> None:
    """The queue is as long whatever a pod asks for, so the cost does rise twentyfold."""
    row = only_row(
        report(
            deployment(cpu="100m") + "---" + EXTERNAL,
            deployment(cpu="2") + "---" + EXTERNAL,
            history(1.0, pods=6),
        )
    )
    assert row.before is not None
    assert row.after is not None
    assert ("2", "6", "10") == pods(row.before.replicas.count) == pods(row.after.replicas.count)
    assert row.after.monthly.expected == 20 * row.before.monthly.expected


def test_without_history_the_minimum_is_assumed_and_said() -> None:
    """Bounds are known, the expected count is not."""
    row = only_row(report(deployment() + "---" + autoscaler(), deployment(cpu="1") + "---" + autoscaler()))

    assert row.after is not None
    assert (row.after.replicas.source, row.confidence) == ("hpa-bounds", "none")
    assert pods(row.after.replicas.count) == ("2", "2", "10")


@pytest.mark.parametrize(
    ("limit", "cluster", "verdict"),
    [
        pytest.param("512Mi", history(), Verdict.RISKY, id="below the observed peak"),
        pytest.param("2100Mi", history(), Verdict.SAFE, id="three times the peak"),
        pytest.param("512Mi", Cluster(), Verdict.UNKNOWN, id="no history, below"),
        pytest.param("2100Mi", Cluster(), Verdict.UNKNOWN, id="no history, above"),
    ],
)
def test_a_memory_limit_is_judged_by_the_peak(limit: str, cluster: Cluster, verdict: Verdict) -> None:
    """The peak is 700 MiB; without history nobody can tell."""
    found = report(
        deployment(memory="256Mi", memory_limit="3Gi"),
        deployment(memory="256Mi", memory_limit=limit),
        cluster,
    )

    assert verdict == only_row(found).verdict == found.verdict


def test_a_daemonset_runs_on_the_nodes_that_match() -> None:
    """Two GPU nodes of three: two pods."""
    nodes = tuple(Node(f"n{i}", {"gpu": "yes"} if i < 2 else {}, {"cpu": Decimal(8)}) for i in range(3))
    cluster = history()
    assert cluster.usage is not None
    cluster = replace(cluster, usage=replace(cluster.usage, nodes=nodes))
    text = deployment(kind="DaemonSet", replicas=None, extra="      nodeSelector: {gpu: 'yes'}")

    row = only_row(report("", text, cluster))

    assert row.after is not None
    assert (pods(row.after.replicas.count), row.after.replicas.source) == (("2", "2", "2"), "nodes")


def test_a_daemonset_without_nodes_is_unknown_and_named() -> None:
    """Never $0: no estimate, verdict unknown, and the way to an answer."""
    found = report("", deployment(kind="DaemonSet", replicas=None))
    row = only_row(found)

    assert (row.after, row.verdict) == (None, Verdict.UNKNOWN)
    [unpriced] = found.unpriced
    assert (unpriced.kind, unpriced.name) == ("DaemonSet", "api")
    assert "--kube-context" in unpriced.reason
    assert found.change == NOTHING


def test_a_replica_count_of_zero_switches_the_autoscaler_off() -> None:
    """Replicas 0 is exact, whatever the autoscaler's minimum."""
    row = only_row(
        report(deployment() + "---" + autoscaler(), deployment(replicas=0) + "---" + autoscaler(), history())
    )
    assert row.after is not None
    assert pods(row.after.replicas.count) == ("0", "0", "0")


VPA = """
apiVersion: autoscaling.k8s.io/v1
kind: VerticalPodAutoscaler
metadata: {name: api, namespace: payments}
spec: {targetRef: {apiVersion: apps/v1, kind: Deployment, name: api}, updatePolicy: {updateMode: MODE}}
"""


@pytest.mark.parametrize(
    ("mode", "changes"), [("Recreate", False), ("InPlaceOrRecreate", False), ("'Off'", True)]
)
def test_under_a_vpa_the_request_in_the_manifest_alone_changes_nothing(mode: str, changes: bool) -> None:
    """The VPA sets new pods' requests, unless it is off."""
    vpa = "---" + VPA.replace("MODE", mode)
    found = report(deployment() + vpa, deployment(cpu="2") + vpa)

    assert changes == bool(found.change)
    told = [note for row in found.rows if row.after for note in row.after.notes]
    assert changes != any("a VPA in mode" in note for note in told)


def test_a_scale_down_keeps_the_volumes_of_a_statefulset() -> None:
    """Unless whenScaled is Delete, three volumes stay for one pod."""
    claims = """
  volumeClaimTemplates:
    - metadata: {name: data}
      spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 10Gi}}}"""
    kept, deleted = (
        report(
            deployment(kind="StatefulSet", replicas=3) + claims + policy,
            deployment(kind="StatefulSet", replicas=1) + claims + policy,
        )
        for policy in ("", "\n  persistentVolumeClaimRetentionPolicy: {whenScaled: Delete}")
    )
    pod = Decimal("0.5") * BUILT_IN.cpu_core_hour * 730 + BUILT_IN.memory_gib_hour * 730
    assert kept.change == Range.exactly(-2 * pod)
    assert deleted.change == Range.exactly(-2 * pod - 20 * BUILT_IN.storage_gib_month)


def test_claims_and_load_balancers_are_rows() -> None:
    """Each has its price, and growth is safe."""
    claim = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data, namespace: payments}\nspec: {resources: {requests: {storage: SIZE}}}\n"
    service = (
        "apiVersion: v1\nkind: Service\nmetadata: {name: front, namespace: payments}\nspec: {type: TYPE}\n"
    )
    found = report(
        claim.replace("SIZE", "10Gi") + "---\n" + service.replace("TYPE", "ClusterIP"),
        claim.replace("SIZE", "30Gi") + "---\n" + service.replace("TYPE", "LoadBalancer"),
    )
    assert {"PersistentVolumeClaim": Decimal("0.80"), "Service": Decimal("18.25")} == {
        row.identity.kind: row.change.expected for row in found.rows
    }
    assert found.verdict == Verdict.SAFE


def test_a_claim_names_who_mounts_it() -> None:
    """In its own namespace, also where the mounting object stays as it is."""
    claim = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data, namespace: payments}\nspec: {resources: {requests: {storage: SIZE}}}\n"
    mounts = "      volumes: [{name: files, persistentVolumeClaim: {claimName: data}}]"
    pods = "---\n".join(
        ["", deployment(extra=mounts), deployment("other"), deployment(extra=mounts, namespace="elsewhere")]
    )
    row = only_row(report(claim.replace("SIZE", "10Gi") + pods, claim.replace("SIZE", "30Gi") + pods))

    assert row.mounted_by == ("Deployment/api",)


def test_the_price_of_a_claim_is_as_trusted_as_who_said_it() -> None:
    """OpenCost measured it: it is not an assumption of the built-in sheet."""
    claim = "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data}\nspec: {storageClassName: fast, resources: {requests: {storage: 10Gi}}}\n"
    end = datetime(2026, 11, 16, tzinfo=UTC)
    usage = UsageSnapshot(
        Window(end - timedelta(days=1), end, 300),
        30,
        {},
        storage_gib_hour={"fast": Decimal("0.0002")},
        prices_as_of="2026-11-15",
    )
    row = only_row(report("", claim, Cluster(usage=usage)))

    assert row.after is not None
    assert (row.after.rates.provenance, row.after.rates.as_of) == (Provenance.MEASURED, "2026-11-15")


@pytest.mark.parametrize(
    ("edit", "changes"),
    [
        (("10Gi", "10Gi"), []),
        (("10Gi", "10240Mi"), []),
        (("standard", "premium"), [("storage class", "standard", "premium")]),
    ],
    ids=["untouched", "same size in another unit", "another class"],
)
def test_a_claim_is_a_row_only_where_its_size_or_class_changes(
    edit: tuple[str, str], changes: list[tuple[str, str, str]]
) -> None:
    """A claim that stands beside the change is not part of it."""
    claim = (
        "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data, namespace: payments}\n"
        "spec: {storageClassName: standard, resources: {requests: {storage: 10Gi}}}\n"
    )
    found = report(claim, claim.replace(*edit))

    assert [(item.label, item.old, item.new) for row in found.rows for item in row.changes] == changes


def test_an_accelerator_without_a_price_is_counted_as_not_priced() -> None:
    """The row is priced without it, so the report says what is missing."""
    text = deployment(memory_limit="1Gi").replace("limits: {", "limits: {nvidia.com/vgpu: COUNT, ")
    found = report(text.replace("COUNT", "1"), text.replace("COUNT", "2"))

    [missing] = found.unpriced
    assert (missing.kind, missing.name) == ("Deployment", "api")
    assert "nvidia.com/vgpu" in missing.reason


def test_what_has_no_price_is_named_only_when_it_changes() -> None:
    """An unknown kind is listed with its reason; a ConfigMap is not."""
    widget = "apiVersion: example.com/v1\nkind: Widget\nmetadata: {name: foo, namespace: x}\nspec: {size: N}\n---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\ndata: {n: 'N'}\n"

    changed = report(widget.replace("N", "1"), widget.replace("N", "2"))
    same = report(widget, widget)

    assert [(item.kind, item.name) for item in changed.unpriced] == [("Widget", "foo")]
    assert same.unpriced == ()


def test_configuration_is_named_only_where_it_asks_for_what_costs() -> None:
    """An EnvoyProxy sizes the gateway's pods; a changed Gateway listener costs nothing; a quota is only a cap."""
    text = """
apiVersion: gateway.envoyproxy.io/v1alpha1
kind: EnvoyProxy
metadata: {name: proxy}
spec: {provider: {kubernetes: {envoyDeployment: {container: {resources: {limits: {memory: 1Gi}}}}}}}
---
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: front}
spec: {listeners: [{port: 80}]}
---
apiVersion: v1
kind: ResourceQuota
metadata: {name: quota}
spec: {hard: {memory: 1Gi}}
"""
    [unpriced] = report(text, text.replace("1Gi", "2Gi").replace("80", "443")).unpriced

    assert unpriced.kind == "EnvoyProxy"
    assert unpriced.reason.endswith("container.resources.limits.memory 1Gi → 2Gi")


def test_what_an_operator_is_asked_for_besides_its_pods_is_named() -> None:
    """Two of its deployments have a count, only one of them a template."""
    operator = """
apiVersion: operator.example.com/v1
kind: Config
metadata: {name: config}
spec:
  web: {replicas: 1, template: {spec: {containers: [{name: web, resources: {requests: {cpu: 1}}}]}}}
  watcher: {spec: {replicas: 2}}
"""
    found = report(operator, operator.replace("replicas: 2", "replicas: 1"))
    priced = report(operator, operator.replace("{replicas: 1, t", "{replicas: 3, t"))

    assert [item.reason for item in found.unpriced] == [
        "besides the pods that we know of: spec.watcher.spec.replicas 2 → 1"
    ]
    assert (len(priced.rows), priced.unpriced) == (1, ())


def test_a_service_that_becomes_a_load_balancer_has_its_price() -> None:
    """It cost nothing before, which is known: the change is priced in both directions."""
    service = "apiVersion: v1\nkind: Service\nmetadata: {name: front, namespace: payments}\nspec: {type: ClusterIP}\n"
    balancer = service.replace("ClusterIP", "LoadBalancer")
    up, down = report(service, balancer), report(balancer, service)

    assert (up.change.expected, down.change.expected) == (Decimal("18.25"), Decimal("-18.25"))
    assert [only_row(found).status for found in (up, down)] == ["changed", "changed"]
    assert (up.unpriced, down.unpriced) == ((), ())


def test_what_neither_side_can_read_is_one_gap() -> None:
    """Its line may differ between the sides; two reasons of one side stay two."""
    gaps = [Unpriced("File", "", "a.yaml", "a.yaml", f"line {line}: a template") for line in (60, 63, 70)]
    found = compare(Revision("a", [], gaps[:1]), Revision("b", [], gaps[1:]), lambda _environment: Cluster())
    assert found.unpriced == tuple(gaps[1:])


def test_an_unknown_number_of_equal_pods_is_no_row() -> None:
    """A new image of a DaemonSet costs what the old one did, on however many nodes it runs."""
    text = deployment(kind="DaemonSet", replicas=None)
    assert report(text, text.replace(":1\n", ":2\n")).rows == ()
    assert report(text, text.replace("500m", "600m")).rows != ()


def test_an_autoscaler_whose_workload_is_elsewhere_is_named() -> None:
    """A change of cost that cannot be seen is not silence."""
    [unpriced] = report(autoscaler(2), autoscaler(5)).unpriced

    assert unpriced.reason == (
        "its target Deployment api is not among the manifests read: spec.minReplicas 2 → 5"
    )


def test_what_the_api_server_refuses_has_no_cost() -> None:
    """`1 Gi` is no quantity: the change would not be applied, so it saves nothing either."""
    found = report(deployment(), deployment(cpu="1 Gi"))
    row = only_row(found)

    assert (row.after, found.change, row.verdict) == (None, NOTHING, Verdict.RISKY)
    assert "containers[0].resources.requests.cpu: '1 Gi' is not a quantity" in found.unpriced[0].reason


def test_a_gap_of_the_change_is_told_apart_from_a_doubt_of_the_cluster() -> None:
    """Both are partial; what the change itself leaves untold has to stand out."""
    known = history()
    assert known.usage is not None
    doubtful = replace(known, usage=replace(known.usage, partial=("5 values were left out",)))
    sides = (Revision("a", objects(deployment())), Revision("b", objects(deployment(cpu="2"))))
    found = compare(*sides, lambda _environment: doubtful, ["no live numbers"])

    assert (found.gaps, found.partial) == (
        ("no live numbers",),
        ("no live numbers", "5 values were left out"),
    )
