"""What a namespace's LimitRange refuses, and what is proposed within one."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from estimators.change import Cluster
from estimators.comparison import Revision, compare
from estimators.report import Verdict
from tests.recommendation_builders import MIB, cluster, found, only, usage, values
from tests.usage_builders import snapshot
from tests.yaml_objects import deployment, objects

LIMITS = """
---
apiVersion: v1
kind: LimitRange
metadata: {name: bounds, namespace: payments}
spec:
  limits:
    - type: Container
      min: {cpu: 100m, memory: 512Mi}
      max: {cpu: "4", memory: 8Gi}
      maxLimitRequestRatio: {memory: "4"}
"""
BASE = deployment(cpu="1", memory="2Gi", memory_limit="4Gi") + LIMITS


@pytest.mark.parametrize(
    ("head", "path", "safe"),
    [
        (deployment(cpu="50m", memory="2Gi", memory_limit="4Gi"), "requests.cpu", "100m"),
        (deployment(cpu="1", memory="256Mi", memory_limit="1Gi"), "requests.memory", "512Mi"),
        (deployment(cpu="5", memory="2Gi", memory_limit="4Gi"), "requests.cpu", "4"),
        (deployment(cpu="1", memory="3Gi", memory_limit="9Gi"), "limits.memory", "8Gi"),
        (deployment(cpu="1", memory="1Gi", memory_limit="5Gi"), "requests.memory", "1280Mi"),
        (deployment(cpu="1", memory="512Mi", memory_limit="2Gi"), "", ""),
    ],
    ids=["below", "memory below", "above", "limit above", "too far apart", "at the bounds"],
)
def test_what_a_limit_range_refuses_is_risky(head: str, path: str, safe: str) -> None:
    """Each bound alone; the value that it takes is the safe one."""
    after = Revision("b", objects(head + LIMITS))
    report = compare(Revision("a", objects(BASE)), after, lambda _name: Cluster())

    fired = [item for row in report.rows for item in row.findings if item.rule == "outside-limit-range"]
    assert [(".".join(item.path.split(".")[-2:]), item.safe_value) for item in fired] == (
        [(path, safe)] if path else []
    )
    assert (report.verdict is Verdict.RISKY) is bool(path)


CPU, MEMORY = (
    f"""
---
apiVersion: v1
kind: LimitRange
metadata: {{name: for-{resource}, namespace: payments}}
spec:
  limits: [{{type: Container, defaultRequest: {{{resource}: {request}}}, default: {{{resource}: {limit}}}}}]
"""
    for resource, request, limit in (("cpu", "250m", 1), ("memory", "256Mi", "512Mi"))
)
NO_PODS = """
---
apiVersion: v1
kind: LimitRange
metadata: {name: for-volumes, namespace: payments}
spec: {limits: [{type: PersistentVolumeClaim, max: {storage: 10Gi}}]}
"""


@pytest.mark.parametrize("ranges", [CPU + MEMORY, MEMORY + CPU, CPU + MEMORY + NO_PODS])
@pytest.mark.parametrize("declared", [True, False], ids=["declared", "live"])
def test_all_limit_ranges_of_a_namespace_fill_gaps(ranges: str, *, declared: bool) -> None:
    """Kubernetes' own guide has one for CPU and one for memory; none hides the other."""
    bare = deployment(cpu=None, memory=None)
    live = () if declared else tuple(thing.body for thing in objects(ranges))
    known = Cluster(usage=replace(snapshot(), objects=live))
    head = Revision("b", objects(bare + ranges if declared else bare))
    [row] = compare(Revision("a", []), head, lambda _name: known).rows

    assert row.after is not None
    assert (row.after.pod.cpu_cores, row.after.pod.memory_gib) == (Decimal("0.25"), Decimal("0.25"))


def test_a_declared_limit_range_acts_beside_those_of_the_cluster() -> None:
    """And in place of the live one of its own name."""
    other = CPU.replace("250m", "500m")
    live = tuple(thing.body for thing in objects(CPU + MEMORY))
    known = Cluster(usage=replace(snapshot(), objects=live))
    head = Revision("b", objects(deployment(cpu=None, memory=None) + other, environment="prod"))
    [row] = compare(Revision("a", []), head, lambda _name: known).rows

    assert row.after is not None
    assert (row.after.pod.cpu_cores, row.after.pod.memory_gib) == (Decimal("0.5"), Decimal("0.25"))


def test_every_bound_of_several_limit_ranges_holds() -> None:
    """The highest minimum, the lowest maximum."""
    wide = LIMITS.replace("bounds", "another").replace("512Mi", "1Gi").replace("8Gi", "16Gi")
    head = deployment(cpu="1", memory="768Mi", memory_limit="9Gi")
    report = compare(
        Revision("a", objects(BASE + wide)),
        Revision("b", objects(head + LIMITS + wide)),
        lambda _name: Cluster(),
    )
    fired = [item for row in report.rows for item in row.findings if item.rule == "outside-limit-range"]

    assert {(item.path.rpartition("resources.")[2], item.safe_value) for item in fired} == {
        ("requests.memory", "1Gi"),
        ("limits.memory", "8Gi"),
        ("requests.memory", "2304Mi"),  # a quarter of the limit
    }


def test_what_was_refused_before_is_no_news() -> None:
    """Nor is a change of another resource."""
    low, lower = (deployment(cpu="50m", memory=size) + LIMITS for size in ("4Gi", "3Gi"))
    report = compare(Revision("a", objects(low)), Revision("b", objects(lower)), lambda _name: Cluster())

    assert [item for row in report.rows for item in row.findings if item.rule == "outside-limit-range"] == []


def test_nothing_is_recommended_that_a_limit_range_refuses() -> None:
    """It used 10m and 50 MiB: 100m and 512 MiB are the least, and a quarter of a limit that stays."""
    known = cluster(usage(cpu=0.02, memory=50 * MIB))
    equal = deployment(cpu="1", memory="2Gi", memory_limit="2Gi") + LIMITS

    assert values(only(BASE, known)) == {
        "requests.cpu": ("1", "100m"),
        "requests.memory": ("2Gi", "1Gi"),
    }
    assert values(only(equal, known))["limits.memory"] == ("2Gi", "512Mi")


def test_a_limit_range_that_only_the_cluster_knows_counts_too() -> None:
    """Most namespaces are made elsewhere."""
    [live] = [thing.body for thing in objects(LIMITS)]
    known = cluster(usage(cpu=0.02, memory=50 * MIB), live=[live])

    [one] = found(deployment(cpu="1", memory="2Gi"), known).recommendations
    assert values(one)["requests.cpu"] == ("1", "100m")
