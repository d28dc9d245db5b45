"""What is declared: absent, contradictory and unreadable values."""

from __future__ import annotations

import pytest

from estimators.report import Severity
from estimators.rules import judge
from estimators.workload import Container, Problem
from tests.builders import autoscaler, change, container, fired, side, template, workload
from tests.usage_builders import container_usage, history

CAUTION, INFO = Severity.CAUTION, Severity.INFO
BOTH = {"cpu": "100m", "memory": "1Gi"}


@pytest.mark.parametrize(
    ("old", "new", "severity"),
    [
        pytest.param(container(requests=BOTH), container(), CAUTION, id="both go"),
        pytest.param(container(requests={"cpu": "1"}), container(), CAUTION, id="the last one goes"),
        pytest.param(container(requests=BOTH), container(requests={"cpu": "1"}), INFO, id="memory goes"),
        pytest.param(container(requests=BOTH), container(requests={"memory": "1Gi"}), INFO, id="CPU goes"),
        pytest.param(container(requests=BOTH), container(requests={"cpu": "0", "memory": "0"}), CAUTION, id="zeros"),
        pytest.param(container(requests=BOTH), container(limits=BOTH), None, id="a limit stands in"),
        pytest.param(container(), container(), None, id="untouched"),
        pytest.param(container(), container(requests={"cpu": "1"}), None, id="one comes"),
        pytest.param(None, container(), CAUTION, id="new without either"),
        pytest.param(None, container(requests={"cpu": "1"}), INFO, id="new without one"),
    ],
)  # fmt: skip
def test_a_container_without_requests_is_named(
    old: Container | None, new: Container, severity: Severity | None
) -> None:
    """Without either it is a caution, without one of them an information."""
    found = fired(change(side(workload(old)) if old else None, side(workload(new))), "best-effort")

    assert [item.severity for item in found] == ([severity] if severity else [])


def test_what_the_container_uses_is_shown_beside_it() -> None:
    """And is the safe value where one value is asked for."""
    seen = history(container_usage(cpu=0.9, memory=300 * 2**20))
    before = side(workload(container(requests=BOTH)))

    [found] = fired(change(before, side(workload(container())), seen), "best-effort")
    [cpu] = fired(change(before, side(workload(container(requests={"memory": "1Gi"}))), seen), "best-effort")

    assert found.evidence["CPU used"] == "p95 0.3 cores a pod"
    assert found.evidence["memory used"] == "peak 300 MiB"
    assert (cpu.path, cpu.safe_value) == ("spec.template.spec.containers[0].resources.requests.cpu", "300m")


def test_requests_of_the_pod_cover_its_containers() -> None:
    """Pod-level resources (Kubernetes 1.34)."""
    requests = template(container(requests=BOTH)).containers[0].requests

    assert not fired(change(None, side(workload(container(), pod_requests=requests))), "best-effort")


def test_a_placeholder_is_not_taken_for_nothing() -> None:
    """What another tool fills in is not known here: neither absent nor below what is used."""
    path = ("spec", "template", "spec", "containers", 0, "resources", "requests", "memory")
    before = side(workload(container(requests=BOTH)))
    after = side(
        workload(
            container(requests={"cpu": "100m"}), problems=[Problem(path, "'${MEMORY}' is not a quantity")]
        )
    )
    judged = change(before, after, history(container_usage(memory=2**29)))

    assert {item.rule for item in judge(judged)} == {"invalid-quantity"}


GUARANTEED = container(requests=BOTH, limits=BOTH)
BURSTABLE = container(requests={"cpu": "50m", "memory": "1Gi"}, limits=BOTH)
SIDECAR = container("proxy", requests={"cpu": "10m"})


@pytest.mark.parametrize(
    ("old", "new", "classes"),
    [
        pytest.param([GUARANTEED], [BURSTABLE], ("Guaranteed", "Burstable"), id="request below limit"),
        pytest.param([GUARANTEED], [container()], ("Guaranteed", "BestEffort"), id="nothing left"),
        pytest.param([BURSTABLE], [container()], ("Burstable", "BestEffort"), id="burstable, nothing left"),
        pytest.param([GUARANTEED], [GUARANTEED, SIDECAR], ("Guaranteed", "Burstable"), id="a sidecar without limits"),
        pytest.param([GUARANTEED], [container(limits=BOTH)], None, id="limits alone are requests too"),
        pytest.param([BURSTABLE], [GUARANTEED], None, id="better"),
        pytest.param([container()], [container()], None, id="untouched"),
    ],
)  # fmt: skip
def test_a_class_that_falls_is_named(
    old: list[Container], new: list[Container], classes: tuple[str, str] | None
) -> None:
    """Guaranteed needs CPU and memory limits, equal to the requests, in every container."""
    found = fired(change(side(workload(*old)), side(workload(*new))), "qos-downgrade")

    assert [(item.evidence["old class"], item.evidence["new class"]) for item in found] == (
        [classes] if classes else []
    )


def test_an_init_container_counts_for_the_class() -> None:
    """Every container of the pod does."""
    before = side(workload(GUARANTEED))
    after = side(workload(GUARANTEED, init_containers=(container("migrate"),)))

    assert fired(change(before, after), "qos-downgrade")


@pytest.mark.parametrize(
    ("requests", "limits", "safe"),
    [
        pytest.param({"memory": "1Gi"}, {"memory": "1023Mi"}, "1Gi", id="memory below"),
        pytest.param({"memory": "1Gi"}, {"memory": "1Gi"}, None, id="equal"),
        pytest.param({"cpu": "500m"}, {"cpu": "499m"}, "500m", id="CPU below"),
        pytest.param({"nvidia.com/gpu": 1}, {"nvidia.com/gpu": 2}, "1", id="a GPU above"),
        pytest.param({"nvidia.com/gpu": 2}, {"nvidia.com/gpu": 2}, None, id="GPUs equal"),
        pytest.param(
            {"ephemeral-storage": "2Gi"}, {"ephemeral-storage": "1Gi"}, "2Gi", id="another resource"
        ),
    ],
)
def test_a_limit_that_contradicts_its_request_is_refused(
    requests: dict[str, str], limits: dict[str, str], safe: str | None
) -> None:
    """Below it, or for an extended resource other than it; untouched it is no news."""
    wrong = side(workload(container(requests=requests, limits=limits)))
    before = side(workload(container(requests={"cpu": "100m"})))

    assert [item.safe_value for item in fired(change(before, wrong), "limit-below-request")] == (
        [safe] if safe else []
    )
    assert not fired(change(wrong, wrong), "limit-below-request")


def test_a_value_the_api_server_refuses_is_named_with_its_line() -> None:
    """Value in the message, reason in the evidence."""
    path = ("spec", "template", "spec", "containers", 0, "resources", "limits", "memory")
    problem = Problem(path, "'1 GB' is not a quantity: expected digits with an optional suffix")
    moved = Problem((*path[:4], 1, *path[5:]), problem.message)

    [found] = fired(
        change(side(workload(container())), side(workload(container(), problems=[problem]))),
        "invalid-quantity",
    )

    assert found.message == "'1 GB' is not a quantity"
    assert found.evidence["reason"] == problem.message
    assert (found.source.file, found.source.line) == ("api.yaml", 9)
    for same in (problem, moved):
        old, new = (
            side(workload(container(), problems=[problem])),
            side(workload(container(), problems=[same])),
        )
        assert not fired(change(old, new), "invalid-quantity")


@pytest.mark.parametrize("rule", ["qos-downgrade", "limit-below-request", "best-effort", "invalid-quantity"])
def test_a_workload_that_goes_has_no_such_findings(rule: str) -> None:
    """There is nothing left to mend."""
    assert not fired(change(side(workload(container())), None), rule)


@pytest.mark.parametrize(("cpu", "fires"), [("1", False), ("500m", True)])
def test_resources_of_the_pod_decide_its_class(cpu: str, fires: bool) -> None:
    """Where there are any, the containers' do not count."""
    limits = container(requests={"cpu": "1", "memory": "1Gi"}).requests
    requests = container(requests={"cpu": cpu, "memory": "1Gi"}).requests
    before = side(workload(GUARANTEED))
    after = side(workload(container(), pod_requests=requests, pod_limits=limits))

    assert fires == bool(fired(change(before, after), "qos-downgrade"))


def test_a_bad_value_of_an_autoscaler_is_named_in_its_own_file() -> None:
    """It stands on another object."""
    problem = Problem(("spec", "maxReplicas"), "'ten' is not a count: expected a whole number from 0")
    pods = workload(container(requests=BOTH), replicas=None)
    after = side(pods, autoscaler=autoscaler(problems=(problem,)))

    [found] = fired(change(side(pods, autoscaler=autoscaler()), after), "invalid-quantity")

    assert (found.path, found.source.file) == ("spec.maxReplicas", "scaler.yaml")


@pytest.mark.parametrize("value", ["'{{.ConfigItems.memory}}'", "'${MEMORY}'", "'$(MEMORY)'"])
def test_a_placeholder_is_not_called_a_mistake(value: str) -> None:
    """Something else fills it in; what it will be is not known here."""
    path = ("spec", "template", "spec", "containers", 0, "resources", "limits", "memory")
    problem = Problem(path, f"{value} is not a quantity: expected digits with an optional suffix")

    [found] = fired(change(None, side(workload(container(), problems=[problem]))), "invalid-quantity")

    assert found.severity is CAUTION
    assert found.message == f"memory limit {value} is filled in elsewhere"
    assert found.evidence == {}
