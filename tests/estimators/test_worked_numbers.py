"""Worked numbers to the cent: the method's, and those of the peers' public examples.

The objects are written anew from the published numbers. Where a peer is wrong, the test says why
ours differs.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from estimators.change import Cluster
from estimators.comparison import Revision, compare
from estimators.money import cents_that_add_up, to_cents
from estimators.prices import BUILT_IN, PriceSheet
from estimators.report import Estimate, Report
from tests.yaml_objects import autoscaler, deployment, objects


def sheet(cpu: str, memory: str, storage: str = "0.04") -> PriceSheet:
    return replace(
        BUILT_IN,
        cpu_core_hour=Decimal(cpu),
        memory_gib_hour=Decimal(memory),
        storage_gib_month=Decimal(storage),
        explicit=True,
    )


def added(text: str, prices: PriceSheet, hours: int = 730) -> Report:
    cluster = Cluster(prices=prices, hours_per_month=Decimal(hours))
    return compare(Revision("a", []), Revision("b", objects(text)), lambda _environment: cluster)


def estimate(report: Report, name: str) -> Estimate:
    [row] = [row for row in report.rows if row.identity.name == name]
    assert row.after is not None
    return row.after


def by_resource(found: Estimate) -> dict[str, str]:
    return {line.label: str(to_cents(line.monthly.expected)) for line in found.lines}


POD = """
apiVersion: v1
kind: Pod
metadata: {name: one, namespace: default}
spec: {containers: [{name: main, resources: {requests: {cpu: 350m, memory: 200Mi}}}]}
"""


def test_kubecosts_action_example() -> None:
    """Its screenshot shows 318.45 for these, since it counts the Deployment of three cores twice."""
    large = deployment("large", cpu="3", memory="2Gi", replicas=3)
    small = deployment("small", cpu="5m", memory="3Mi", replicas=3)

    found = added("---".join([large, POD, small]), sheet("0.021811", "0.002923"))

    assert by_resource(estimate(found, "large")) == {"cpu": "143.30", "memory": "12.80"}
    assert by_resource(estimate(found, "one")) == {"cpu": "5.57", "memory": "0.42"}
    assert by_resource(estimate(found, "small")) == {"cpu": "0.24", "memory": "0.02"}
    assert to_cents(found.after.expected) == Decimal("162.35")


def test_kubecosts_documented_prediction() -> None:
    """3 replicas x 10m and 10 MiB: 0.698218 + 0.091385 = 0.789603."""
    found = added(deployment(cpu="10m", memory="10Mi", replicas=3), sheet("0.0318821", "0.00427297"))
    cpu, memory = estimate(found, "api").lines

    assert Decimal("21.9") == cpu.quantity.expected * 730
    assert Decimal("0.698218") == round(cpu.monthly.expected, 6)
    assert Decimal("0.091385") == round(memory.monthly.expected, 6)
    assert Decimal("0.789603") == round(found.after.expected, 6)


def test_the_gke_estimators_autoscaled_deployment() -> None:
    """Per core-month and byte-month as it gives them; its "HPA buffer" of 697.99 knows no usage and is no cost."""
    prices = sheet("16.227823", str(Decimal("2.0257258e-9") * 2**30))
    found = added(
        deployment(cpu="2", memory="8Gi", replicas=4) + "---" + autoscaler(10, 20, 60), prices, hours=1
    )
    monthly = estimate(found, "api").monthly

    assert Decimal("498.565") == round(monthly.floor, 3)
    assert Decimal("997.130") == round(monthly.ceiling, 3)


@pytest.mark.parametrize(
    "version", ["autoscaling/v1", "autoscaling/v2beta1", "autoscaling/v2beta2", "autoscaling/v2"]
)
def test_every_autoscaling_version_is_read(version: str) -> None:
    """The GKE estimator stops on `autoscaling/v2`."""
    text = deployment() + "---" + autoscaler(10, 20).replace("autoscaling/v2", version)

    assert Decimal(10) == estimate(added(text, BUILT_IN), "api").replicas.count.floor


def test_the_gke_samples_wordpress_pods() -> None:
    """200m and 256Mi beside a proxy of 200m and 40Mi, under an autoscaler: a stale `replicas: 4` says nothing."""
    proxy = "        - name: proxy\n          resources: {requests: {cpu: 200m, memory: 40Mi}}\n"
    prices = sheet("16.227823", str(Decimal("2.0257258e-9") * 2**30))
    pods = deployment("wordpress", cpu="200m", memory="256Mi", replicas=4, extra=proxy)
    monthly = estimate(
        added(pods + "---" + autoscaler(2, 10, name="wordpress"), prices, hours=1), "wordpress"
    ).monthly

    assert (Decimal("14.2397"), Decimal("71.1987")) == (round(monthly.floor, 4), round(monthly.ceiling, 4))


@pytest.mark.parametrize(
    ("cpu", "rate", "hours", "amount"),
    [
        pytest.param("10", "0.0125", 24, "3.00", id="10 cores a day"),
        pytest.param("500m", "2.7108", 168, "227.71", id="half a core a week"),
    ],
)
def test_kosts_daily_and_weekly_cores(cpu: str, rate: str, hours: int, amount: str) -> None:
    """Kost's cost model tests, core by core."""
    found = added(deployment(cpu=cpu, memory="0", replicas=1), sheet(rate, "0"), hours)

    assert Decimal(amount) == to_cents(found.after.expected)


def test_kosts_weekly_memory() -> None:
    """Half a GiB at 0.167 for 168 h is 14.028."""
    assert (
        Decimal("14.028")
        == added(deployment(cpu="0", memory="512Mi", replicas=1), sheet("0", "0.167"), 168).after.expected
    )


def test_kosts_volumes_are_priced_per_gib() -> None:
    """2 x 7,500 GiB. Kost multiplies a price per GB by GiB and comes out 6.9 % low."""
    claims = """
  volumeClaimTemplates:
    - metadata: {name: data}
      spec: {resources: {requests: {storage: 7500Gi}}}"""
    prices = sheet("0", "0", "0.1")
    found = added(deployment(kind="StatefulSet", cpu="45", memory="320Gi", replicas=2) + claims, prices)

    assert Decimal(1500) == found.after.expected


LIMITS_ONLY_GPU = """
apiVersion: v1
kind: Pod
metadata: {name: NAME, namespace: default}
spec: {containers: [{name: main, resources: {limits: {RESOURCE: 1}}}]}
"""


@pytest.mark.parametrize("resource", ["nvidia.com/gpu", "amd.com/gpu", "gpu.intel.com/i915"])
def test_a_gpu_that_is_only_a_limit_costs_its_price(resource: str) -> None:
    """kubectl-cost printed 0 for each of these: a GPU's request is its limit."""
    found = added(LIMITS_ONLY_GPU.replace("NAME", "gpu").replace("RESOURCE", resource), BUILT_IN)

    assert Decimal("0.95") * 730 == found.after.expected


def test_every_container_and_replica_counts() -> None:
    """Wozz prices three replicas of two containers as one replica of the first."""
    sidecar = "        - name: proxy\n          resources: {requests: {cpu: 100m, memory: 128Mi}}\n"
    found = added(deployment(cpu="100m", memory="128Mi", replicas=3, extra=sidecar), sheet("1", "0"), hours=1)

    assert Decimal("0.6") == found.after.expected


def test_shown_cents_add_up() -> None:
    """Largest remainder: the rows of a table make its total."""
    amounts = [Decimal("143.2983"), Decimal("12.8027"), Decimal("5.5727"), Decimal("0.4167")]

    assert to_cents(sum(amounts, Decimal(0))) == sum(cents_that_add_up(amounts))
