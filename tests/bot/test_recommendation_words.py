"""Fields, changes and reasons in words."""

from __future__ import annotations

import pytest

from bot.digest import ProposedValue
from bot.recommendation_words import (
    change_words,
    changes_words,
    counted_words,
    field_words,
    finder_words,
    reason_words,
    value_words,
    values,
    workload_words,
)
from estimators.objects import Identity
from estimators.recommendation import FieldChange, Reason

CONTAINER = "spec.template.spec.containers[0].resources"
MEMORY = ProposedValue(f"{CONTAINER}.requests.memory", "main", "2Gi", "512Mi")
LIMIT = ProposedValue(f"{CONTAINER}.limits.memory", "main", "2Gi", "512Mi")
CPU = ProposedValue(f"{CONTAINER}.requests.cpu", "main", "2", "1200m")


@pytest.mark.parametrize(
    ("field", "words"),
    [
        (f"{CONTAINER}.requests.memory", "memory request"),
        (f"{CONTAINER}.limits.cpu", "CPU limit"),
        (f"{CONTAINER}.limits.nvidia.com/gpu", "nvidia.com/gpu limit"),
        ("spec.replicas", "replicas"),
        ("spec.resources.requests.storage", "volume size"),
        ("spec.minReplicas", "minimum replicas"),
        ("spec.maxReplicas", "maximum replicas"),
        ("spec.metrics[0].resource.target.averageUtilization", "CPU target"),
        (
            "spec.template.spec.nodeSelector.cloud.google.com/gke-spot",
            "node selector cloud.google.com/gke-spot",
        ),
        ("spec.somethingNew", "spec.somethingNew"),
        ("", "the object"),
    ],
)
def test_a_field_is_called_what_people_call_it(field: str, words: str) -> None:
    """A field that nobody thought of is named as it stands."""
    assert field_words(field) == words


def test_a_change_is_a_short_line() -> None:
    """Shares carry their percent sign, what was not there is none, what is to go is removed."""
    assert change_words(MEMORY) == "memory request 2Gi → 512Mi"
    assert change_words(MEMORY._replace(current="")) == "memory request none → 512Mi"
    assert change_words(ProposedValue("", "", "1", "")) == "the object 1 → removed"
    target = ProposedValue("spec.targetCPUUtilizationPercentage", "", "50", "70")
    assert change_words(target) == "CPU target 50 % → 70 %"
    assert value_words("spec.replicas", "", "nothing") == "nothing"


def test_a_request_and_a_limit_that_move_together_are_told_once() -> None:
    """And the container only where there are several."""
    assert changes_words([CPU, MEMORY, LIMIT]) == (
        "CPU request 2 → 1200m",
        "memory request and limit 2Gi → 512Mi",
    )
    apart = LIMIT._replace(current="4Gi")
    assert changes_words([MEMORY, apart]) == ("memory request 2Gi → 512Mi", "memory limit 4Gi → 512Mi")
    sidecar = CPU._replace(container="proxy", field=CPU.field.replace("[0]", "[1]"))
    assert changes_words([CPU, sidecar]) == ("main CPU request 2 → 1200m", "proxy CPU request 2 → 1200m")


def test_a_recommendations_changes_become_values() -> None:
    """Field, container, and both values."""
    path = ("spec", "template", "spec", "containers", 0, "resources", "requests", "cpu")
    change = FieldChange(Identity("", "shop", "Deployment", "api"), path, "main", "2", "1200m")
    assert values([change]) == (CPU,)


@pytest.mark.parametrize(
    ("reason", "facts", "words"),
    [
        (
            Reason.PROTECTED,
            {"reason": "INC-1234", "until": "2027-03-31"},
            "protected (INC-1234) until 31 March 2027",
        ),
        (Reason.PROTECTED, {"reason": "INC-1234"}, "protected (INC-1234)"),
        (Reason.PROTECTED, {"reason": "INC-1", "until": "spring"}, "protected (INC-1) until spring"),
        (Reason.FROZEN, {"why": "Black Friday."}, "nothing is to change here now: Black Friday"),
        (Reason.SWITCHED_OFF, {}, "it is switched off: no pods are declared, or it is suspended"),
        (Reason.RUNS_TO_COMPLETION, {}, "it runs to completion, and no run is like the other"),
        (Reason.SEVERAL_GROUPS, {}, "it has several groups of pods"),
        (Reason.TOO_YOUNG, {"days": "3.5", "needed": "14"}, "it is 3.5 days old, 14 are needed"),
        (
            Reason.NOT_AS_DECLARED,
            {"declared": "10 pods", "seen": "3 pods"},
            "other pods run than are declared: 10 pods declared, 3 pods seen",
        ),
        (Reason.SHORT_HISTORY, {"days": "9", "needed": "14"}, "the history has 9 days, 14 are needed"),
        (Reason.AUTOSCALER, {"resource": "cpu"}, "an autoscaler divides by the CPU request"),
        (
            Reason.AUTOSCALER,
            {"autoscaler": "api"},
            "the autoscaler api decides, and no manifest declares it",
        ),
        (Reason.OOM_KILLED, {"container": "main", "kills": "1 OOM kill"}, "main: 1 OOM kill is known"),
        (Reason.MEMORY_GROWS, {"container": "main", "a_day": "90 MiB"}, "main: memory grows by 90 MiB a day"),
        (
            Reason.THROTTLED,
            {"container": "main", "periods": "31 %"},
            "main: CPU is throttled in 31 % of periods",
        ),
        (Reason.RISKY, {"message": "no failover."}, "less would be risky: no failover"),
        (Reason.WAITS, {"for": "idle-gpu"}, "idle GPU comes first"),
        (
            Reason.COMES_BACK,
            {"idle for": "9 hours", "longest gap before": "14 hours"},
            "its GPU work comes back: idle for 9 hours, and before for 14 hours",
        ),
        (
            Reason.NO_SCHEDULER,
            {"hours": "Mon-Fri 06:00-18:00 UTC"},
            "it needs to run Mon-Fri 06:00-18:00 UTC alone, but no kube-downscaler is known to run",
        ),
        ("something-new", {}, "something new"),
    ],
)
def test_a_reason_says_what_holds_it_back(reason: Reason | str, facts: dict[str, str], words: str) -> None:
    """With the numbers and names behind it."""
    assert reason_words(reason, facts) == words


@pytest.mark.parametrize("reason", list(Reason))
def test_every_reason_can_be_told_and_counted(reason: Reason) -> None:
    """Also where its facts are missing, in one or in many."""
    assert reason_words(reason, {})
    assert counted_words(reason, 1).startswith("1 workload ")
    assert counted_words(reason, 1234).startswith("1,234 workloads ")


def test_names_are_short() -> None:
    """A namespace only where there is one; a finder that nobody thought of is named as it is."""
    assert workload_words(Identity("prod", "shop", "Deployment", "api")) == "shop/api"
    assert workload_words(Identity("", "", "Deployment", "api")) == "api"
    assert (finder_words("idle-gpu"), finder_words("something-new")) == ("idle GPU", "something new")
