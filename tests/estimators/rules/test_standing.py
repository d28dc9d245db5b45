"""What a pull request does to volumes and load balancers, judged by what is known of their use."""

from __future__ import annotations

from datetime import date

import pytest

from estimators.change import Cluster, Protection
from estimators.comparison import Revision, compare
from estimators.report import Row, Verdict
from tests.recommendation_builders import balancer_usage, claim_usage, cluster, usage
from tests.yaml_objects import deployment, objects

GIB = 2.0**30
CLAIM = """
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: data, namespace: payments}
spec: {resources: {requests: {storage: SIZE}}}
"""
SERVICE = """
apiVersion: v1
kind: Service
metadata: {name: front, namespace: payments}
spec: {type: LoadBalancer, selector: {app: api}}
"""
STATEFUL = deployment("db", kind="StatefulSet") + (
    "  volumeClaimTemplates:\n"
    "    - metadata: {name: data}\n"
    "      spec: {resources: {requests: {storage: SIZE}}}\n"
)


def row(before: str, after: str, known: Cluster) -> Row:
    """The one row of a change."""
    old, new = Revision("old", objects(before)), Revision("new", objects(after))
    [found] = compare(old, new, lambda _environment: known).rows
    return found


def findings(of: Row) -> list[tuple[str, str]]:
    """Rule and severity of each finding."""
    return [(item.rule, str(item.severity)) for item in of.findings]


@pytest.mark.parametrize(
    ("size", "verdict"), [("19Gi", Verdict.RISKY), ("20Gi", Verdict.CAUTION)], ids=["below", "at"]
)
@pytest.mark.parametrize(
    ("text", "claim"), [(CLAIM, "data"), (STATEFUL, "data-db-0")], ids=["claim", "template"]
)
def test_a_volume_is_not_to_shrink_below_what_was_on_it(
    text: str, claim: str, size: str, verdict: Verdict
) -> None:
    """20 GiB at the most: one GiB less is risky, and even that size needs a new volume."""
    known = cluster(usage("db", kind="StatefulSet"), claims=[claim_usage(claim, used=20 * GIB)])
    found = row(text.replace("SIZE", "100Gi"), text.replace("SIZE", size), known)

    assert (found.verdict, found.unknown_because) == (verdict, "")
    assert findings(found) == [("volume-shrinks", str(verdict))]
    assert found.findings[0].evidence["at the most"] == "20 GiB"


@pytest.mark.parametrize(("text", "claim"), [(CLAIM, "other"), (STATEFUL, "data-db-extra-0")])
def test_without_its_use_a_smaller_volume_is_unknown(text: str, claim: str) -> None:
    """Nobody knows how full it is."""
    known = cluster(usage("db", kind="StatefulSet"), claims=[claim_usage(claim, used=20 * GIB)])
    found = row(text.replace("SIZE", "100Gi"), text.replace("SIZE", "10Gi"), known)

    assert (found.verdict, findings(found)) == (Verdict.UNKNOWN, [])
    assert "look before you merge" in found.unknown_because


def test_a_larger_volume_is_safe() -> None:
    """Protected or not: nothing is taken away."""
    text = CLAIM.replace("namespace", "annotations: {tuppence.dev/protect: INC-1}, namespace")
    known = cluster(claims=[claim_usage(used=GIB)])

    assert row(text.replace("SIZE", "1Gi"), text.replace("SIZE", "9Gi"), known).verdict is Verdict.SAFE


@pytest.mark.parametrize(
    ("mounted", "days", "verdict"),
    [(0.0, 14, Verdict.CAUTION), ([0] * 13 + [1], 14, Verdict.UNKNOWN), (0.0, 13, Verdict.UNKNOWN)],
    ids=["never", "yesterday", "too short"],
)
def test_a_volume_that_goes_is_judged_by_who_mounted_it(
    mounted: float | list[float], days: int, verdict: Verdict
) -> None:
    """What it holds cannot come back: it is never safe."""
    known = cluster(usage(steps=288 * days), claims=[claim_usage(mounted=mounted, days=days)])
    found = row(CLAIM.replace("SIZE", "1Gi"), "", known)

    assert found.verdict is verdict
    assert bool(found.unknown_because) == (verdict is Verdict.UNKNOWN)


@pytest.mark.parametrize("after", ["", SERVICE.replace("LoadBalancer", "ClusterIP")], ids=["gone", "inside"])
def test_a_load_balancer_that_goes_is_judged_by_its_endpoints(after: str) -> None:
    """Whether it is removed or becomes another type."""
    unused, used = (cluster(balancers=[balancer_usage(ready=ready)]) for ready in (0.0, 1.0))

    assert findings(row(SERVICE, after, unused)) == [("unused-removed", "caution")]
    assert row(SERVICE, after, used).verdict is Verdict.UNKNOWN


def test_the_report_names_the_history_of_volumes_alone() -> None:
    """Where nothing else is known."""
    known = cluster(claims=[claim_usage()])
    old, new = Revision("old", objects(CLAIM.replace("SIZE", "1Gi"))), Revision("new", [])

    assert compare(old, new, lambda _environment: known).usage == "usage, 2026-11-02 to 2026-11-16"


@pytest.mark.parametrize(
    ("claim", "protections", "verdict"),
    [
        ("annotations: {tuppence.dev/protect: INC-1}, namespace", (), Verdict.RISKY),
        ("namespace", (Protection("payments/d*", "INC-1", until=date(2026, 12, 1)),), Verdict.RISKY),
        ("namespace", (Protection("payments/d*", "INC-1", until=date(2026, 11, 1)),), Verdict.CAUTION),
        ("namespace", (Protection("shop/*", "INC-1"),), Verdict.CAUTION),
    ],
    ids=["by itself", "by the policy", "until yesterday", "another one"],
)
def test_a_protected_volume_stays(claim: str, protections: tuple[Protection, ...], verdict: Verdict) -> None:
    """As a protected workload does."""
    known = cluster(claims=[claim_usage()], protections=protections, today=date(2026, 11, 16))

    assert row(CLAIM.replace("SIZE", "1Gi").replace("namespace", claim), "", known).verdict is verdict
