"""What pods have now is compared with what is declared, and with what was measured."""

from __future__ import annotations

from decimal import Decimal

import pytest

from estimators.inventory import take_inventory
from estimators.objects import Body, Identity, Path
from estimators.recommendation import FieldChange
from estimators.running import RunningNow, changed_since, other_than_declared
from estimators.usage import ContainerField, WorkloadKey
from tests.yaml_objects import deployment, objects

API = Identity("", "payments", "Deployment", "api")
KEY = WorkloadKey("payments", "Deployment", "api")
CPU, MEMORY = ContainerField("main", "requests", "cpu"), ContainerField("main", "requests", "memory")
LIMIT = ContainerField("main", "limits", "memory")
MIB = 2**20


def amounts(*values: str) -> frozenset[Decimal]:
    """What different pods have."""
    return frozenset(map(Decimal, values))


@pytest.mark.parametrize(
    ("declared", "running", "other"),
    [
        ({"cpu": "2"}, {CPU: amounts("2")}, None),
        ({"cpu": "2"}, {CPU: amounts("1")}, (CPU, 2, 1)),
        ({"cpu": "2"}, {CPU: amounts("1", "0.5")}, (CPU, 2, 1)),
        ({"cpu": "2"}, {CPU: amounts("1", "2")}, None),
        ({"cpu": "0.0005"}, {CPU: amounts("0.001")}, None),
        ({"cpu": "100.4m"}, {CPU: amounts("0.101")}, None),
        ({"cpu": "100m"}, {CPU: amounts("0.102")}, (CPU, Decimal("0.1"), Decimal("0.102"))),
        ({"cpu": None}, {CPU: amounts("0.25")}, None),
        ({"memory": "1Gi"}, {MEMORY: amounts(str(512 * MIB))}, (MEMORY, 1024 * MIB, 512 * MIB)),
        ({"memory_limit": "1Gi"}, {LIMIT: amounts(str(2048 * MIB))}, (LIMIT, 1024 * MIB, 2048 * MIB)),
        ({"cpu": "2"}, {ContainerField("mesh", "requests", "cpu"): amounts("1")}, None),
        ({"cpu": "2"}, {}, None),
    ],
    ids=["as declared", "less", "less, of two", "one pod still has it", "a thousandth is the least", "rounded up", "a little more", "not declared", "memory", "a limit", "a container of somebody else", "not known"],
)  # fmt: skip
def test_a_value_that_no_pod_has_is_told(
    declared: dict[str, str | None],
    running: dict[ContainerField, frozenset[Decimal]],
    other: tuple[ContainerField, Decimal, Decimal] | None,
) -> None:
    """With what is declared and the most that runs."""
    workload = take_inventory(objects(deployment(**declared)), ()).workloads[API]  # type: ignore[arg-type]

    assert other_than_declared(workload, KEY, {KEY: running}) == other
    assert other_than_declared(workload, KEY, {KEY._replace(name="web"): running}) is None


RESOURCES = ("spec", "template", "spec", "containers", 0, "resources")
SCALER = Identity("", "payments", "HorizontalPodAutoscaler", "api")


def body(kind: str, spec: dict[str, int], namespace: str = "payments") -> Body:
    """A live object."""
    return {"kind": kind, "metadata": {"namespace": namespace, "name": "api"}, "spec": spec}


@pytest.mark.parametrize(
    ("path", "container", "current", "said"),
    [
        ((*RESOURCES, "requests", "cpu"), "main", "2", "1"),
        ((*RESOURCES, "requests", "cpu"), "main", "1000m", None),
        ((*RESOURCES, "requests", "cpu"), "main", "", None),
        ((*RESOURCES, "requests", "cpu"), "other", "2", None),
        ((*RESOURCES, "limits", "cpu"), "main", "2", None),
        (("spec", "replicas"), "", "4", "3"),
        (("spec", "replicas"), "", "3", None),
        (("spec", "template", "spec", "nodeSelector", "spot"), "", "true", None),
        ((), "", "", None),
    ],
    ids=["another request", "spelt otherwise", "not there before", "a container that is not known", "a limit that is not known", "other replicas", "the same replicas", "not a number", "it is to go"],
)  # fmt: skip
def test_a_change_begins_at_what_runs(path: Path, container: str, current: str, said: str | None) -> None:
    """A value that is not known to run is not judged."""
    change = FieldChange(API, path, container, current, "1", count=path == ("spec", "replicas"))
    now = RunningNow(
        {KEY: {CPU: amounts("1")}},
        (body("Deployment", {"replicas": 3}), body("Deployment", {"replicas": 9}, "elsewhere")),
    )

    found = list(changed_since([change], now))

    assert found == ([(change, Decimal(said))] if said else [])


def test_bounds_of_an_autoscaler_are_its_own() -> None:
    """Not those of the workload that has its name."""
    change = FieldChange(SCALER, ("spec", "minReplicas"), "", "6", "2", count=True)
    live = body("HorizontalPodAutoscaler", {"minReplicas": 4, "maxReplicas": 9})

    assert list(changed_since([change], RunningNow(objects=(live,)))) == [(change, Decimal(4))]
    assert list(changed_since([change], RunningNow(objects=(body("Deployment", {"minReplicas": 4}),)))) == []
