"""The verdict: worst finding, else unknown, safe or none."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimators.change import Side, WorkloadChange
from estimators.money import NOTHING
from estimators.objects import Source
from estimators.report import Confidence, FieldChange, Finding, Row, Severity, Verdict
from estimators.rules import judge
from estimators.usage import WorkloadUsage
from estimators.verdict import report_verdict, row_verdict, unknown_because
from tests.builders import change, container, manifest, side, workload
from tests.usage_builders import STEPS_A_DAY, container_usage, history, snapshot

MEBI = 2**20
WORST_FIRST = tuple(Verdict)
FIELD = FieldChange("memory limit", "1Gi", "2Gi", "spec", Source("api.yaml", 1))


def verdict(judged: WorkloadChange) -> Verdict:
    """With all rules."""
    return row_verdict(judged, judge(judged))


def pod(limit: str | None = "2Gi", cpu: str = "500m", memory: str = "64Mi", replicas: int | None = 3) -> Side:
    """One container, with a memory limit and requests."""
    limits = {"memory": limit} if limit else {}
    return side(
        workload(container(requests={"cpu": cpu, "memory": memory}, limits=limits), replicas=replicas)
    )


SEEN = history(container_usage(cpu=0.6, memory=60 * MEBI))


@pytest.mark.parametrize(
    ("limit", "seen", "expected"),
    [
        pytest.param("512Mi", 683, Verdict.RISKY, id="below the peak"),
        pytest.param("700Mi", 683, Verdict.CAUTION, id="hardly above the peak"),
        pytest.param("2049Mi", 683, Verdict.SAFE, id="three times the peak"),
        pytest.param("512Mi", None, Verdict.UNKNOWN, id="no history, low"),
        pytest.param("2049Mi", None, Verdict.UNKNOWN, id="no history, high"),
    ],
)
def test_a_lower_memory_limit(limit: str, seen: int | None, expected: Verdict) -> None:
    """Risky, caution, safe or unknown."""
    usage = history(container_usage(memory=seen * MEBI)) if seen else None

    assert verdict(change(pod("3Gi"), pod(limit), usage)) is expected


def test_a_workload_that_never_ran_has_no_history_to_be_safe_by() -> None:
    """Zeros of two weeks without a pod say nothing of what a pod needs."""
    nothing = history(container_usage(cpu=0, memory=0), replicas=0)

    assert verdict(change(pod("3Gi"), pod("64Mi"), nothing)) is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        pytest.param(None, pod(), Verdict.SAFE, id="new"),
        pytest.param(pod("1Gi"), pod("2Gi"), Verdict.SAFE, id="a higher limit"),
        pytest.param(pod(), pod(None), Verdict.SAFE, id="no limit any more"),
        pytest.param(pod(), pod(cpu="2"), Verdict.SAFE, id="a higher request"),
        pytest.param(pod(), pod(replicas=4), Verdict.SAFE, id="more pods"),
        pytest.param(pod(), pod(), Verdict.NONE, id="nothing"),
        pytest.param(pod(), pod(cpu="100m"), Verdict.UNKNOWN, id="a lower request"),
        pytest.param(pod(None), pod("9Gi"), Verdict.UNKNOWN, id="a limit where there was none"),
        pytest.param(pod(), pod(replicas=2), Verdict.UNKNOWN, id="fewer pods"),
        pytest.param(pod(), None, Verdict.UNKNOWN, id="removed"),
        pytest.param(pod(), pod(replicas=1), Verdict.CAUTION, id="a caution wins over unknown"),
    ],
)
def test_without_history_only_what_adds_is_safe(
    before: Side | None, after: Side | None, expected: Verdict
) -> None:
    """What takes away is unknown, and says what would tell."""
    judged = change(before, after)

    assert verdict(judged) is expected
    if expected is Verdict.UNKNOWN:
        assert "--usage FILE" in unknown_because(judged)


def test_a_change_of_nothing_that_costs_or_risks_is_none() -> None:
    """A listed field makes it safe."""
    assert verdict(change(pod(), pod(), changes=[FIELD])) is Verdict.SAFE
    assert verdict(change(pod(), replace(pod(), estimate=pod(cpu="1").estimate))) is Verdict.SAFE


def test_information_never_counts() -> None:
    """A finding of caution or worse decides."""
    judged = change(pod("1Gi"), pod("2Gi"))
    found = {item: Finding("x", item, "", "", Source("api.yaml", 1)) for item in Severity}

    assert row_verdict(judged, [found[Severity.INFO]]) is Verdict.SAFE
    assert row_verdict(judged, [found[Severity.INFO], found[Severity.CAUTION]]) is Verdict.CAUTION
    assert row_verdict(judged, list(found.values())) is Verdict.RISKY


@pytest.mark.parametrize(
    ("steps", "expected"), [(STEPS_A_DAY, Verdict.SAFE), (STEPS_A_DAY - 1, Verdict.UNKNOWN)]
)
@pytest.mark.parametrize(
    "after", [pod("1Gi"), pod(cpu="400m"), pod(memory="62Mi"), pod(replicas=2, cpu="900m")], ids=["limit", "CPU", "memory", "pods"]
)  # fmt: skip
def test_usable_history_is_a_day(steps: int, expected: Verdict, after: Side) -> None:
    """Of observed steps, of the container and the resource that are touched."""
    memory, cores = np.full(4032, np.nan), np.full(4032, np.nan)
    memory[:steps], cores[:steps] = 60 * MEBI, 0.6
    judged = change(pod(), after, history(container_usage(cpu=cores, memory=memory)))

    assert verdict(judged) is expected
    assert ("23.9 hours of history" in unknown_because(judged)) == (expected is Verdict.UNKNOWN)


def test_history_of_another_container_covers_nothing() -> None:
    """Nor does history of another workload."""
    other = history(container_usage("proxy"))

    assert verdict(change(pod(), pod("1Gi"), other)) is Verdict.UNKNOWN
    assert "container api" in unknown_because(change(pod(), pod("1Gi"), other))
    elsewhere = change(pod(), pod("1Gi"), usage=snapshot(other))
    assert "not in the usage history" in unknown_because(elsewhere)


AMOUNTS = st.one_of(st.none(), st.integers(1, 64))
ASKED = st.fixed_dictionaries({"cpu": AMOUNTS, "memory": AMOUNTS})
SHORT = history(container_usage(steps=STEPS_A_DAY - 1))


def _declared(requests: dict[str, int | None], limits: dict[str, int | None], replicas: int) -> Side:
    parts = ({"cpu": f"{part['cpu']}00m"} if part["cpu"] else {} for part in (requests, limits))
    cpu = tuple(parts)
    memory = tuple({"memory": f"{part['memory']}Gi"} if part["memory"] else {} for part in (requests, limits))
    return side(
        workload(
            container(requests={**cpu[0], **memory[0]}, limits={**cpu[1], **memory[1]}), replicas=replicas
        )
    )


@given(ASKED, ASKED, ASKED, ASKED, st.integers(1, 5), st.integers(1, 5), st.sampled_from([None, SHORT]))
def test_nothing_taken_away_is_safe_without_usable_history(
    requests: dict[str, int | None],
    limits: dict[str, int | None],
    new_requests: dict[str, int | None],
    new_limits: dict[str, int | None],
    pods: int,
    new_pods: int,
    seen: WorkloadUsage | None,
) -> None:
    """Whatever is lowered, and however little history there is."""
    before, after = _declared(requests, limits, pods), _declared(new_requests, new_limits, new_pods)
    old_request, request = before.requests["api"], after.requests["api"]
    old_limit, limit = before.limits["api"], after.limits["api"]
    taken = new_pods < pods or any(
        request.get(name, 0) < old_request.get(name, 0) or limit.get(name, 2**70) < old_limit.get(name, 2**70)
        for name in ("cpu", "memory")
    )
    found = verdict(change(before, after, seen))

    assert not taken or found not in {Verdict.SAFE, Verdict.NONE}


@given(
    peak=st.floats(1, 2000),
    old=st.integers(1, 4000),
    lower=st.integers(1, 4000),
    higher=st.integers(1, 4000),
    kills=st.integers(0, 1),
    resource=st.sampled_from(["cpu", "memory"]),
)
def test_a_limit_that_is_lowered_further_is_no_better(
    peak: float, old: int, lower: int, higher: int, kills: int, resource: str
) -> None:
    """Risky stays risky."""
    lower, higher, old = sorted((lower, higher, old + 8000))
    cores = np.array([peak / 1000] * 20 + [peak / 2000] * 280)
    seen = history(container_usage(cpu=cores, memory=peak * MEBI, steps=300, oom_kills=kills), replicas=1)
    unit = "m" if resource == "cpu" else "Mi"
    sides = [
        side(workload(container(limits={resource: f"{amount}{unit}"}))) for amount in (old, higher, lower)
    ]
    less, least = (WORST_FIRST.index(verdict(change(sides[0], after, seen))) for after in sides[1:])

    assert least <= less


def test_the_report_is_as_bad_as_its_worst_row() -> None:
    """And none without rows."""
    rows = {
        item: Row(manifest().identity, "changed", Source("a", 1), item, Confidence.NONE, None, None, NOTHING)
        for item in Verdict
    }
    assert report_verdict([]) is Verdict.NONE
    for index, worst in enumerate(WORST_FIRST):
        assert report_verdict([rows[item] for item in reversed(WORST_FIRST[index:])]) is worst


def test_a_cost_that_is_not_known_says_what_would_tell() -> None:
    """On either side, and whatever else is known."""
    unknown = side(workload(container()), known=False)

    for judged in (change(None, unknown), change(unknown, None, SEEN), change(unknown, pod(), SEEN)):
        assert row_verdict(judged, ()) is Verdict.UNKNOWN
        assert "--usage FILE" in unknown_because(judged)
