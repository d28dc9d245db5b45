"""The effective pod request, by the scheduler's rule."""

from decimal import Decimal

import pytest

from estimators.change import Cluster
from estimators.comparison import Revision, compare
from estimators.kinds import read_workload
from estimators.pod_request import ContainerDefaults, EffectivePod, effective_pod
from tests.usage_builders import container_usage, history, snapshot
from tests.yaml_objects import autoscaler, objects

NO_DEFAULTS = ContainerDefaults()


def pod(spec: str, defaults: ContainerDefaults = NO_DEFAULTS) -> EffectivePod:
    [thing] = objects(f"apiVersion: v1\nkind: Pod\nmetadata: {{name: p}}\nspec:\n  {spec.strip()}\n")
    workload = read_workload(thing)
    assert workload is not None
    return effective_pod(workload.groups[0].template, defaults)


@pytest.mark.parametrize(
    ("spec", "cpu"),
    [
        pytest.param("containers: [{name: a, resources: {requests: {cpu: 1}}}, {name: b, resources: {requests: {cpu: 500m}}}]", "1.5", id="containers add up"),
        pytest.param("containers: [{name: a, resources: {requests: {cpu: 1}}}]\n  initContainers: [{name: i, resources: {requests: {cpu: 3}}}]", "3", id="a larger init container counts"),
        pytest.param("containers: [{name: a, resources: {requests: {cpu: 2}}}]\n  initContainers: [{name: i, resources: {requests: {cpu: 1}}}]", "2", id="a smaller one does not"),
        pytest.param("containers: [{name: a, resources: {requests: {cpu: 1}}}]\n  initContainers: [{name: s, restartPolicy: Always, resources: {requests: {cpu: 500m}}}]", "1.5", id="a native sidecar runs all the time"),
        pytest.param("containers: [{name: a, resources: {requests: {cpu: 1}}}]\n  initContainers: [{name: s, restartPolicy: Always, resources: {requests: {cpu: 1}}}, {name: i, resources: {requests: {cpu: 3}}}]", "4", id="an init container runs beside sidecars started before it"),
        pytest.param("containers: [{name: a, resources: {requests: {cpu: 1}}}]\n  initContainers: [{name: i, resources: {requests: {cpu: 3}}}, {name: s, restartPolicy: Always, resources: {requests: {cpu: 1}}}]", "3", id="but not beside later ones"),
        pytest.param("containers: [{name: a, resources: {limits: {cpu: 2}}}]", "2", id="a request comes from the limit"),
        pytest.param("containers: [{name: a, resources: {requests: {cpu: 1}}}]\n  overhead: {cpu: 250m}", "1.25", id="overhead is added"),
        pytest.param("containers: [{name: a, resources: {requests: {cpu: 1}}}]\n  resources: {requests: {cpu: 4}}", "4", id="pod-level requests replace the sum"),
        pytest.param("containers: [{name: a}]\n  resources: {limits: {cpu: 3}}", "3", id="a pod-level limit fills what nobody asks for"),
        pytest.param("containers: [{name: a, resources: {requests: {cpu: 1}}}]\n  resources: {limits: {cpu: 3}}", "1", id="but not what a container asks for"),
    ],
)  # fmt: skip
def test_the_scheduler_reserves(spec: str, cpu: str) -> None:
    """Per resource: the larger of the running sum and each start-up phase, plus overhead."""
    assert Decimal(cpu) == pod(spec).pod["cpu"]


@pytest.mark.parametrize(
    ("containers", "pods"),
    [
        pytest.param("[{name: main}, {name: proxy}]", 10, id="the limit itself"),
        pytest.param(
            "[{name: main, resources: {requests: {cpu: 500m}}}, {name: proxy}]",
            20,
            id="what containers ask for",
        ),
    ],
)
def test_a_pod_level_limit_lets_an_autoscaler_compute_its_target(containers: str, pods: int) -> None:
    """The API server makes it the pod's request: the limit, or the sum of its containers' requests."""
    text = f"""
apiVersion: apps/v1
kind: Deployment
metadata: {{name: api, namespace: payments, labels: {{team: a}}}}
spec: {{template: {{spec: {{resources: {{limits: {{cpu: 1, memory: 1Gi}}}}, containers: {containers}}}}}}}
---{autoscaler(1, 50, 50)}"""
    used = history(container_usage("main", cpu=3.0), container_usage("proxy", cpu=2.0), replicas=10)
    known = Cluster(usage=snapshot(used))
    [row] = compare(Revision("a", []), Revision("b", objects(text)), lambda _name: known).rows

    assert row.after is not None
    assert row.after.replicas.source == "hpa-simulated"
    assert round(row.after.replicas.count.expected) == pods
    assert row.findings == ()


def test_a_limit_range_fills_what_is_left() -> None:
    """A namespace's defaults come after the container's own limit."""
    defaults = ContainerDefaults({"cpu": Decimal("0.1"), "memory": Decimal(100)}, {"memory": Decimal(500)})

    filled = pod("containers: [{name: a, resources: {limits: {cpu: 2}}}]", defaults)

    assert {"cpu": Decimal(2), "memory": Decimal(100)} == filled.pod
    assert Decimal(500) == filled.limits["a"]["memory"]


def test_what_nothing_says_is_assumed_and_not_zero_for_sure() -> None:
    """An absent request is named, so that no reader takes $0 for a price."""
    assert frozenset({"cpu", "memory"}) == pod("containers: [{name: a}]").assumed


def test_an_unreadable_quantity_is_a_problem_with_its_place() -> None:
    """The object is still read; the field is named."""
    [thing] = objects(
        "apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: a, resources: {requests: {cpu: 1 Gi}}}]}"
    )
    workload = read_workload(thing)

    assert workload is not None
    [problem] = workload.problems
    assert problem.path == ("spec", "containers", 0, "resources", "requests", "cpu")
    assert "'1 Gi' is not a quantity" in problem.message


@pytest.mark.parametrize(("value", "told"), [("true", 1), ("1", 1), ("'true'", 0), ("ssd", 0), ("", 0)])
def test_a_node_selector_that_is_no_text_is_refused(value: str, told: int) -> None:
    """The API server takes strings alone: without it the pod would be said to land anywhere."""
    text = f"apiVersion: v1\nkind: Pod\nmetadata: {{name: p}}\nspec: {{nodeSelector: {{spot: {value}}}, containers: [{{name: a}}]}}"
    [thing] = objects(text)
    workload = read_workload(thing)

    assert workload is not None
    assert [item.path for item in workload.problems] == [("spec", "nodeSelector", "spot")] * told
