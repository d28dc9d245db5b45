"""Volumes and load balancers that cost while nobody uses them, and those that only seem unused."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimators.finders.oversized_volume import HEADROOM
from estimators.quantity import parse_quantity
from estimators.recommendation import FieldChange, Found, Realisable, Reason
from estimators.report import Verdict
from tests.recommendation_builders import (
    DAYS,
    balancer_usage,
    claim_usage,
    cluster,
    found,
    identity,
    left,
    only,
    usage,
    values,
)
from tests.yaml_objects import deployment

GIB = 2.0**30
NAN = float("nan")
CLAIM = """
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data, namespace: payments, labels: {team: checkout}}
spec: {resources: {requests: {storage: 200Gi}}}
"""
MOUNTS = "      volumes: [{name: files, persistentVolumeClaim: {claimName: data}}]"
SNAPSHOT = """
apiVersion: snapshot.storage.k8s.io/v1
kind: VolumeSnapshot
metadata: {name: nightly, namespace: payments}
spec: {source: {persistentVolumeClaimName: data}}
"""
STATEFUL = deployment("db", kind="StatefulSet") + (
    "  volumeClaimTemplates:\n"
    "    - metadata: {name: data}\n"
    "      spec: {resources: {requests: {storage: 200Gi}}}\n"
)
SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: front, namespace: payments, labels: {team: checkout}}
spec: {type: LoadBalancer, selector: {app: old-shop}}
"""
DATA, FRONT = identity("data", "PersistentVolumeClaim"), identity("front", "Service")


def standing(answer: Found) -> list[str]:
    """Which finders propose something."""
    return [item.finder for item in answer.recommendations]


def test_a_volume_that_nobody_mounts_may_go() -> None:
    """Its whole price, which no node waits for; what is on it is lost, so it is no safe change."""
    one = only(CLAIM, cluster(claims=[claim_usage()]))

    assert one.finder == "orphaned-volume"
    assert one.changes == (FieldChange(DATA, (), "", "200Gi", ""),)
    assert one.changes[0].removes
    assert one.allocated == Decimal("-8.00")
    assert one.realisable == Realisable(Decimal("-8.00"), "billed by itself, whatever the nodes cost")
    assert one.verdict is Verdict.CAUTION
    assert one.labels == {"team": "checkout"}
    assert one.evidence == {
        "mounted": "on none of 14 days",
        "size": "200 GiB",
        "window": "14 days to 2026-11-16",
        "prices": "OpenCost's default prices, the cluster's default StorageClass is not known, 2026-11-01",
    }
    assert one.risks[0] == "no pod had it among its volumes on any of 14 days; what it holds goes with it"
    assert one.undo.startswith("None: what it held is gone.")


def test_a_disk_that_its_class_keeps_is_billed_on() -> None:
    """The claim goes, the disk stays."""
    retained = {
        "kind": "StorageClass",
        "metadata": {"name": "slow", "annotations": {"storageclass.kubernetes.io/is-default-class": "true"}},
        "reclaimPolicy": "Retain",
    }
    answer = found(CLAIM, cluster(claims=[claim_usage()], live=[retained]))
    [one] = answer.recommendations

    assert one.risks[-1].startswith("StorageClass slow keeps the disk")
    assert one.allocated < 0
    assert one.realisable == Realisable(Decimal(0), one.risks[-1])
    assert answer.realisable == {}


@pytest.mark.parametrize(
    ("text", "mounted", "reason"),
    [
        (CLAIM, [0] * 13 + [1], None),
        (CLAIM, [NAN] * 10 + [0] * 4, Reason.TOO_YOUNG),
        (CLAIM, [0] * 10 + [NAN] + [0] * 3, Reason.POOR_HISTORY),
        (CLAIM, [NAN] * 14, Reason.POOR_HISTORY),
        (CLAIM + "---" + deployment(extra=MOUNTS, replicas=0), [0] * 14, Reason.RISKY),
        (CLAIM.replace("name: data", "name: data-db-7") + "---" + STATEFUL, [0] * 14, Reason.RISKY),
        (CLAIM + "---" + SNAPSHOT, [0] * 14, Reason.RISKY),
        (
            CLAIM.replace("labels:", "annotations: {tuppence.dev/protect: year-end}, labels:"),
            [0] * 14,
            Reason.PROTECTED,
        ),
    ],
    ids=[
        "a weekly run",
        "new",
        "a day unseen",
        "mounts unseen",
        "switched off",
        "an old member",
        "a snapshot's source",
        "protected",
    ],
)
def test_a_volume_that_may_be_needed_stays(text: str, mounted: list[float], reason: Reason | None) -> None:
    """One day of use, one day unknown, or a name in the manifests is enough."""
    name = "data-db-7" if "data-db-7" in text else "data"
    answer = found(text, cluster(claims=[claim_usage(name, mounted=mounted)]))

    assert "orphaned-volume" not in standing(answer)
    if reason:
        assert left(answer, reason).finder == "orphaned-volume"


def test_a_longer_window_asks_for_no_more_than_its_last_fortnight() -> None:
    """Five weeks, of which the server kept three, with a day missing in the first of them."""
    seen = [NAN] * 14 + [0] * 4 + [NAN] + [0] * 16
    used = [NAN] * 14 + [GIB] * 21
    claims = [claim_usage(mounted=seen, days=35), claim_usage("roomy", mounted=1.0, used=used, days=35)]
    known = cluster(usage(steps=288 * 35), claims=claims)
    answer = found(CLAIM + "---" + CLAIM.replace("name: data", "name: roomy"), known)

    assert sorted(standing(answer)) == ["orphaned-volume", "oversized-volume"]
    assert answer.recommendations[0].evidence["mounted"] == "on none of 16 days"


@pytest.mark.parametrize(
    ("days", "frozen", "reason"),
    [(13, "", Reason.SHORT_HISTORY), (14, "year-end", Reason.FROZEN)],
)
def test_nothing_is_said_of_a_volume_too_early_or_in_a_freeze(days: int, frozen: str, reason: Reason) -> None:
    """Fourteen days hold both of two weekly runs."""
    known = cluster(usage(steps=288 * days), claims=[claim_usage(days=days)])
    answer = found(CLAIM, known, frozen=frozen)

    assert (standing(answer), left(answer, reason).key) == ([], DATA)


def test_a_volume_nobody_asked_about_is_counted() -> None:
    """A file of an earlier version tells nothing of volumes."""
    assert left(found(CLAIM, cluster()), Reason.NOT_SEEN).key == DATA


def test_a_volume_that_was_never_half_full_is_named() -> None:
    """20 GiB at the most on 200: half as much again would do. Kubernetes shrinks nothing, and that is said."""
    used = [10 * GIB] * 6 + [20 * GIB] + [10 * GIB] * 6 + [20 * GIB]
    known = cluster(claims=[claim_usage(mounted=1.0, used=used)])
    one = only(CLAIM, known)

    assert (one.finder, one.verdict) == ("oversized-volume", Verdict.CAUTION)
    assert values(one) == {"requests.storage": ("200Gi", "30Gi")}
    assert one.allocated == Decimal("-6.80")
    assert one.risks[0].startswith("Kubernetes lets no volume shrink")
    assert one.evidence["on it at the most"] == "20 GiB"


def test_a_volume_that_fills_is_to_last_a_year() -> None:
    """0.1 GiB a day are 36.5 GiB more."""
    used = [(10 + day * 0.1) * GIB for day in range(DAYS)]
    one = only(CLAIM, cluster(claims=[claim_usage(mounted=1.0, used=used)]))

    assert values(one) == {"requests.storage": ("200Gi", "48Gi")}
    assert one.evidence["grows by"] == "102 MiB a day"


@pytest.mark.parametrize(
    ("used", "mounted"),
    [([70 * GIB] * 14, 1.0), ([10 * GIB] * 14, 0.0), ([NAN] * 14, 1.0), ([NAN] * 4 + [GIB] * 10, 1.0)],
    ids=["a third full", "nobody mounts it", "not measured", "measured on too few days"],
)
def test_a_size_that_may_be_right_is_left(used: list[float], mounted: float) -> None:
    """What is saved has to be worth copying the data, and what is proposed has to be known to do."""
    answer = found(CLAIM, cluster(claims=[claim_usage(mounted=mounted, used=used)]))

    assert "oversized-volume" not in standing(answer)


def test_the_fullest_volume_of_a_template_decides() -> None:
    """Three members of a StatefulSet of two; volumes of others do not count."""
    names = ["data-db-0", "data-db-1", "data-db-2", "data-other-0", "data-db-x"]
    used = [GIB, 30 * GIB, 2 * GIB, 190 * GIB, 190 * GIB]
    claims = [claim_usage(name, mounted=1.0, used=size) for name, size in zip(names, used, strict=True)]
    known = cluster(usage("db", kind="StatefulSet", cpu=1.0, memory=GIB), claims=claims)
    one = only(STATEFUL, known)

    assert values(one) == {"requests.storage": ("200Gi", "45Gi")}
    assert one.evidence["volumes"] == "3"
    assert one.allocated == 2 * Decimal(-155) * Decimal("0.04")
    assert one.realisable == Realisable(one.allocated, "billed by itself, whatever the nodes cost")


def test_members_of_which_one_is_not_measured_are_counted() -> None:
    """How full data-db-1 was is known for three days."""
    claims = [
        claim_usage("data-db-0", mounted=1.0, used=GIB),
        claim_usage("data-db-1", mounted=1.0, used=[NAN] * 11 + [GIB] * 3),
    ]
    answer = found(STATEFUL, cluster(usage("db", kind="StatefulSet", cpu=1.0, memory=GIB), claims=claims))

    assert left(answer, Reason.POOR_HISTORY).finder == "oversized-volume"


def test_what_a_file_can_say_does_not_wait_for_what_it_cannot() -> None:
    """CPU and memory of the StatefulSet save less than its volumes, and come first."""
    known = cluster(
        usage("db", kind="StatefulSet", cpu=0.2),
        claims=[claim_usage("data-db-0", mounted=1.0, used=GIB)],
    )
    answer = found(STATEFUL, known)

    assert standing(answer) == ["container-resources"]
    assert left(answer, Reason.WAITS).finder == "oversized-volume"


@given(used=st.lists(st.floats(0, 300) | st.just(NAN), min_size=DAYS, max_size=DAYS))
def test_no_size_is_ever_below_an_observed_peak(used: list[float]) -> None:
    """Nor below what leaves room above it, whatever was seen."""
    sizes = np.array(used) * GIB
    answer = found(CLAIM, cluster(claims=[claim_usage(mounted=1.0, used=sizes)]))

    for one in answer.recommendations:
        assert float(parse_quantity(one.changes[0].proposed)) >= np.nanmax(sizes) * float(HEADROOM) - 1
        assert one.verdict is Verdict.CAUTION


def test_a_load_balancer_in_front_of_nobody_may_go() -> None:
    """No endpoint in two weeks, and no workload of the manifests that it selects."""
    one = only(SERVICE + "---" + deployment(), cluster(balancers=[balancer_usage()]))

    assert (one.finder, one.key, one.verdict) == ("unused-balancer", FRONT, Verdict.CAUTION)
    assert one.changes == (FieldChange(FRONT, (), "", "LoadBalancer", ""),)
    assert one.allocated == Decimal("-18.25")
    assert one.evidence["ready endpoints"] == "none on any of 14 days"
    assert one.evidence["selects"] == "app=old-shop"


@pytest.mark.parametrize(
    ("text", "ready", "reason"),
    [
        (SERVICE, [0] * 13 + [1], None),
        (SERVICE, [0] * 13 + [NAN], Reason.POOR_HISTORY),
        (SERVICE.replace("selector: {app: old-shop}", "ports: []"), [0] * 14, Reason.RISKY),
        (SERVICE.replace("old-shop", "api") + "---" + deployment(replicas=0), [0] * 14, Reason.RISKY),
        (SERVICE.replace("type: LoadBalancer", "type: ClusterIP"), [0] * 14, None),
    ],
    ids=[
        "used last night",
        "a day unseen",
        "endpoints of others",
        "its pods are switched off",
        "costs nothing",
    ],
)
def test_a_load_balancer_that_may_be_needed_stays(
    text: str, ready: list[float], reason: Reason | None
) -> None:
    """One day with an endpoint, one day unknown, or pods in the manifests."""
    answer = found(text, cluster(balancers=[balancer_usage(ready=ready)]))

    assert "unused-balancer" not in standing(answer)
    if reason:
        assert left(answer, reason).finder == "unused-balancer"
