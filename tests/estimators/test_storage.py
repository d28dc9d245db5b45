"""What volumes cost, and how many a claim template makes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from estimators.change import Cluster
from estimators.money import Range
from estimators.objects import Body
from estimators.prices import BUILT_IN, PriceSheet, Provenance
from estimators.storage import claim_count, default_storage_class, storage_rate
from estimators.usage import UsageSnapshot, Window
from estimators.workload import VolumeClaim

D = Decimal
START = datetime(2026, 11, 1, tzinfo=UTC)
GP3 = replace(
    BUILT_IN,
    source="price sheet ours.yaml",
    as_of="2026-10-01",
    names_defaults=True,
    storage={"gp3": D("0.08")},
    storage_gib_month=D("0.1"),
)
EXPLICIT = replace(GP3, explicit=True)


def storage_class(name: str, *, default: bool = False, created: str = "2026-01-01T00:00:00Z") -> Body:
    """A live StorageClass."""
    marks = {"storageclass.kubernetes.io/is-default-class": "true"} if default else {}
    return {
        "kind": "StorageClass",
        "metadata": {"name": name, "annotations": marks, "creationTimestamp": created},
    }


def cluster(prices: PriceSheet, *objects: Body, **gib_hour: str) -> Cluster:
    """A cluster with these live objects, and OpenCost's volume prices by class."""
    window = Window(START, START + timedelta(days=1), 300)
    measured = {name: D(price) for name, price in gib_hour.items()}
    return Cluster(
        prices,
        UsageSnapshot(window, 30, {}, objects=objects, storage_gib_hour=measured, prices_as_of="2026-11-20"),
    )


@pytest.mark.parametrize(
    ("known", "expected", "trust"),
    [
        (cluster(EXPLICIT, gp3="0.0002"), "0.08", Provenance.REQUESTED),
        (
            cluster(replace(EXPLICIT, storage={}, names_defaults=False), gp3="0.0002"),
            "0.146",
            Provenance.MEASURED,
        ),
        (cluster(GP3, gp3="0.0002"), "0.146", Provenance.MEASURED),
        (cluster(GP3, gp3="0"), "0.08", Provenance.REQUESTED),
        (cluster(GP3), "0.08", Provenance.REQUESTED),
        (cluster(replace(GP3, storage={})), "0.1", Provenance.ASSUMED),
        (Cluster(), "0.04", Provenance.ASSUMED),
    ],
    ids=[
        "explicit-sheet",
        "sheet-without-it",
        "opencost",
        "opencost-zero",
        "sheet-class",
        "sheet-default",
        "built-in",
    ],
)
def test_a_class_is_priced_by_who_is_trusted_most(known: Cluster, expected: str, trust: Provenance) -> None:
    """An explicit sheet, OpenCost x 730 hours, the sheet's class, its default, the built-in one."""
    rate = storage_rate("gp3", known)
    assert (rate.gib_month, rate.provenance) == (D(expected), trust)


def test_a_claim_without_a_class_gets_the_clusters_default_class() -> None:
    """The newest that is marked as default, as Kubernetes chooses."""
    known = cluster(
        GP3,
        storage_class("slow"),
        storage_class("gp3", default=True, created="2026-05-01T00:00:00Z"),
        storage_class("gp2", default=True),
    )
    assert default_storage_class(known) == "gp3"
    assert storage_rate(None, known).gib_month == D("0.08")


def test_an_unknown_default_class_is_named_and_assumed() -> None:
    """The default price stands in, visibly."""
    rate = storage_rate(None, cluster(GP3, storage_class("slow")))
    assert (rate.gib_month, rate.provenance) == (D("0.1"), Provenance.ASSUMED)
    assert "default StorageClass is not known" in rate.source


def test_a_class_without_a_price_is_named() -> None:
    """So that a person can add it to the sheet."""
    assert "no price of StorageClass io2" in storage_rate("io2", cluster(GP3)).source


TEMPLATE = VolumeClaim("data", (), "gp3", D(10**11))


def test_kept_volumes_are_whole_and_stay_when_pods_go() -> None:
    """3.4 pods on average have made four volumes; where there ever were five or nine, those are still there."""
    replicas = Range(D(2), D("3.4"), D(6))
    assert claim_count(TEMPLATE, replicas) == Range(D(2), D(4), D(6))
    assert claim_count(TEMPLATE, replicas, Range(D(1), D("4.2"), D(9))) == Range(D(2), D(5), D(9))
    assert claim_count(TEMPLATE, replicas, Range.exactly(D(9))) == Range.exactly(D(9))
    assert claim_count(TEMPLATE, replicas, replicas) == claim_count(TEMPLATE, replicas)
    assert claim_count(TEMPLATE, Range.exactly(D(3))) == Range.exactly(D(3))


def test_volumes_that_are_deleted_on_scale_down_follow_the_pods() -> None:
    """`whenScaled: Delete`."""
    replicas = Range(D(2), D("3.4"), D(6))
    assert claim_count(replace(TEMPLATE, kept_on_scale_down=False), replicas, Range.exactly(D(6))) == replicas
