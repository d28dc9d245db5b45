"""A change in words: what a reader of the manifest would call it."""

from __future__ import annotations

import pytest

from estimators.change import Cluster
from estimators.comparison import Revision, compare
from estimators.report import Report
from tests.yaml_objects import objects

POD = """
apiVersion: v1
kind: Pod
metadata: {{name: api}}
spec: {{containers: [{{name: main, resources: {{{resources}}}}}]}}
"""


def report(before: str, after: str) -> Report:
    return compare(Revision("a", objects(before)), Revision("b", objects(after)), lambda _: Cluster())


def changes(before: str, after: str) -> list[str]:
    """`label old → new` of the one row."""
    [row] = report(before, after).rows
    return [f"{item.label} {item.old} → {item.new}" for item in row.changes]


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        pytest.param(
            "requests: {cpu: 100m}, limits: {cpu: 500m}",
            "limits: {cpu: 500m}",
            ["cpu request 100m → 500m (its limit)"],
            id="removed",
        ),
        pytest.param(
            "limits: {memory: 1Gi}",
            "requests: {memory: 256Mi}, limits: {memory: 1Gi}",
            ["memory request 1Gi (its limit) → 256Mi"],
            id="written below the limit",
        ),
        pytest.param(
            "requests: {cpu: 100m}",
            "requests: {memory: 1Gi}",
            ["cpu request 100m → ", "memory request  → 1Gi"],
            id="no limit",
        ),
        pytest.param(
            "requests: {cpu: 100m}, limits: {cpu: 500m}",
            "limits: {cpu: 600m}",
            ["cpu request 100m → 600m (its limit)", "cpu limit 500m → 600m"],
            id="the limit changes too",
        ),
    ],
)
def test_a_request_that_is_not_written_is_its_limit(before: str, after: str, said: list[str]) -> None:
    """Removing a request raises what is asked for, which `removed` would not tell."""
    assert changes(POD.format(resources=before), POD.format(resources=after)) == said


OPERATOR = """
apiVersion: ai.example.com/v1
kind: Graph
metadata: {name: graph}
spec:
  services:
    frontend:
      deployment:
        spec: {replicas: 1, template: {spec: {containers: [{name: main, resources: {requests: {cpu: 1}}}]}}}
    %s:
      %s:
        spec: {replicas: 2, template: {spec: {containers: [{name: main, resources: {requests: {cpu: 2}}}]}}}
  pools:
    - {replicas: 3, template: {spec: {containers: [{name: main, resources: {requests: {cpu: 3}}}]}}}
"""


def test_pods_of_an_unknown_kind_have_the_last_name_of_their_path() -> None:
    """`services.frontend.deployment.spec replicas` is more than a table has room for."""
    before = OPERATOR % ("worker", "group")
    after = before.replace("replicas: 1", "replicas: 4").replace("replicas: 3", "replicas: 5")
    assert changes(before, after) == ["deployment replicas 1 → 4", "pools 0 replicas 3 → 5"]


def test_a_last_name_that_two_groups_have_tells_neither() -> None:
    """Both keep their whole path."""
    before = OPERATOR % ("worker", "deployment")
    assert changes(before, before.replace("replicas: 1", "replicas: 4")) == [
        "services.frontend.deployment.spec replicas 1 → 4"
    ]


@pytest.mark.parametrize("value", ["{{.Values.cpu}}", "${CPU}", "$(CPU)"])
def test_a_placeholder_has_no_cost_that_is_known(value: str) -> None:
    """Kubernetes never sees it, so it refuses nothing."""
    before, after = (POD.format(resources=f"requests: {{cpu: {cpu!r}}}") for cpu in ("1", value))
    assert [item.reason for item in report(before, after).unpriced] == [
        f"spec.containers[0].resources.requests.cpu: {value!r} is filled in elsewhere: not known here"
    ]
