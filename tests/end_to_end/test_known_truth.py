"""What is recommended of workloads whose future is known, through a real Prometheus."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from estimators.finders import FINDERS
from estimators.finders.container_resources import container_resources
from estimators.finders.idle_gpu import idle_gpu
from estimators.recommendation import Found, Reason
from estimators.report import Verdict
from tests.benchmarks.known_loads import gpu_courses, loads
from tests.known_cluster import CURRENT, found_in, judged, known_cluster, manifests, proposals, seen_peak

LOADS = loads(1)
COURSES = gpu_courses(1)
GPUS = [(f"gpu-{number}", busy) for number, (_, _, busy) in enumerate(COURSES)]
ALLOWED = {
    "daily wave": {"cpu", "memory"},
    "weekly batch": {"cpu", "memory"},
    "weekly batch on one pod": {"cpu", "memory"},
    "start-up spike": {"cpu", "memory"},
    "memory leak": {"cpu"},
    "OOM a month ago": {"cpu"},
    "HPA-driven": {"memory"},
}
"""The requests that the truth allows to fall."""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A Prometheus that scraped one workload of each kind for a fortnight."""
    with known_cluster(LOADS, GPUS) as url:
        yield url


@pytest.fixture(scope="module", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="module")
def found(url: str) -> Found:
    """What the rules on requests and on GPUs propose, which others have rules on as well."""
    return found_in(url, manifests(LOADS, GPUS), (container_resources, idle_gpu))


@pytest.mark.parametrize("load", LOADS, ids=lambda load: load.kind)
def test_what_the_truth_allows_is_proposed_and_nothing_else(found: Found, load: object) -> None:
    """A leak and an old OOM kill keep their memory, an autoscaler's load its CPU request."""
    [one] = [item for item in LOADS if item is load]
    assert proposals(found).get(one.name, {}).keys() == ALLOWED[one.kind]


@pytest.mark.parametrize("finders", [(container_resources, idle_gpu), FINDERS], ids=["requests", "all"])
def test_nothing_is_proposed_below_an_observed_peak_or_what_comes(url: str, finders: tuple) -> None:  # type: ignore[type-arg]
    """Not by the peaks of the fortnight that was seen, nor by the next one's; and nothing is risky."""
    found = found_in(url, manifests(LOADS, GPUS), finders)
    proposed = proposals(found)
    assert proposed
    for load in LOADS:
        for resource, value in proposed.get(load.name, {}).items():
            assert value >= seen_peak(load, resource)
            assert judged(load, resource, value) == "right"
    assert {one.verdict for one in found.recommendations} <= {Verdict.SAFE, Verdict.CAUTION}


def test_a_kill_of_a_month_ago_is_remembered(found: Found) -> None:
    """Its pod and its ReplicaSet are gone since, and it lies before the fortnight."""
    [left] = [item for item in found.left_alone if item.reason is Reason.OOM_KILLED]
    assert left.key.name == "killed-0"
    assert CURRENT.keys() - proposals(found)["killed-0"].keys() == {"memory"}


def test_only_the_gpu_that_stopped_for_good_is_given_back(found: Found) -> None:
    """One that resumes every night, or every week, is held against its own gaps."""
    given = {one.key.name for one in found.recommendations if one.finder == "idle-gpu"}
    assert given == {name for (name, _), (_, resumes, _) in zip(GPUS, COURSES, strict=True) if not resumes}
