"""What holds for every recommendation, whatever the workload, its history and what acts on it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from typing import TypeVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from estimators.change import Cluster
from estimators.comparison import Revision, compare
from estimators.finders import FINDERS
from estimators.finders.candidate import Finder
from estimators.objects import ManifestObject
from estimators.proposed_objects import with_changes
from estimators.quantity import parse_quantity
from estimators.recommend import recommend
from estimators.recommendation import Found, Recommendation
from estimators.recommendation_terms import PROFILES, Profile, Terms
from estimators.report import Row, Verdict
from estimators.rules.memory import OOM_FACTOR
from estimators.usage import WorkloadUsage, peak
from tests.any_workloads import Anything, anything
from tests.yaml_objects import objects

profiles = st.sampled_from(sorted(PROFILES))
Thing = TypeVar("Thing")
often = settings(max_examples=60, deadline=None)


def found_for(one: Anything, profile: str, finder: Finder) -> tuple[list[ManifestObject], Found]:
    """The objects, and what one finder alone recommends for them."""
    things = objects(one.text)
    return things, _recommend(things, one.cluster, profile, finder)


def _recommend(things: list[ManifestObject], cluster: Cluster, profile: str, finder: Finder) -> Found:
    terms = Terms(PROFILES[profile])
    return recommend(things, lambda _name: cluster, lambda _name: terms, (finder,), ())


def _rows(things: list[ManifestObject], one: Recommendation, cluster: Cluster) -> list[Row]:
    """What `tuppence diff` says of a pull request that makes the change."""
    after = Revision("b", with_changes(things, one.changes))
    return list(compare(Revision("a", things), after, lambda _name: cluster).rows)


each_finder = pytest.mark.parametrize("finder", FINDERS, ids=lambda finder: finder.__name__)


@each_finder
@given(one=anything(), profile=profiles)
@often
def test_a_pull_request_with_it_is_not_risky_and_saves_what_was_said(
    finder: Finder, one: Anything, profile: str
) -> None:
    """The comparison that judges pull requests has the last word, to the last digit of the amount."""
    things, answer = found_for(one, profile, finder)

    for item in answer.recommendations:
        [row] = _rows(things, item, one.cluster)
        assert row.verdict in {Verdict.SAFE, Verdict.CAUTION}
        assert row.verdict is item.verdict
        assert row.change.expected == item.allocated
        assert item.allocated < 0 or _is_needed(item)
        assert item.realisable.monthly is None or item.realisable.monthly <= 0


def _is_needed(item: Recommendation) -> bool:
    """Whether it raises something for reliability's sake, which may cost."""
    return any(
        _raises(change.current, change.proposed) and change.path[-1] in {"memory", "maxReplicas"}
        for change in item.changes
    )


def _raises(current: str, proposed: str) -> bool:
    return bool(current) and parse_quantity(proposed) > parse_quantity(current)


@each_finder
@given(one=anything(), profile=profiles)
@often
def test_once_it_is_in_force_nothing_more_is_proposed(finder: Finder, one: Anything, profile: str) -> None:
    """The same finder with the same history has said all there is."""
    things, answer = found_for(one, profile, finder)

    for item in answer.recommendations:
        again = _recommend(with_changes(things, item.changes), one.cluster, profile, finder)
        assert [other.changes for other in again.recommendations] == []


@given(one=anything(), profile=profiles)
@settings(max_examples=200, deadline=None)
def test_no_value_is_below_what_was_seen_with_its_margin(one: Anything, profile: str) -> None:
    """Memory of any step of the largest pod, CPU of any step of one of the pods of now; whatever finder says it."""
    terms = Terms(PROFILES[profile])
    answer = recommend(objects(one.text), lambda _name: one.cluster, lambda _name: terms)
    [history] = one.cluster.usage.workloads.values() if one.cluster.usage else []

    for item in answer.recommendations:
        for change, least in _least_of(item, history, PROFILES[profile]):
            assert parse_quantity(change) >= least


def _least_of(
    item: Recommendation, history: WorkloadUsage, profile: Profile
) -> Iterator[tuple[str, Decimal]]:
    for change in item.changes:
        seen = history.container(change.container)
        if seen is None:
            continue
        if change.path[-1] == "memory":
            highest = peak(seen.memory_peak_bytes) or 0.0
            margin = OOM_FACTOR if _raises(change.current, change.proposed) else profile.memory_margin
            yield change.proposed, Decimal(int(highest)) * margin
        if change.path[-1] == "cpu":
            now = np.inf if item.key.kind == "DaemonSet" else history.replicas[-1]
            each = peak(seen.cpu_cores / np.minimum(history.replicas, now)) or 0.0
            yield (
                change.proposed,
                Decimal(max(each, *seen.cpu_pod_percentiles.values(), 0.0)) - Decimal("1e-9"),
            )


@given(one=anything(), chance=st.randoms(use_true_random=False))
@often
def test_the_order_in_which_things_are_told_does_not_matter(one: Anything, chance: random.Random) -> None:
    """Neither that of objects in files, nor that in which a server lists nodes, workloads and live objects."""
    things = objects(one.text)
    answer = recommend(things, lambda _name: one.cluster)

    assert (
        recommend(_shuffled(things, chance), lambda _name: _shuffled_cluster(one.cluster, chance)) == answer
    )


def _shuffled(things: list[Thing], chance: random.Random) -> list[Thing]:
    return chance.sample(things, len(things))


def _shuffled_cluster(cluster: Cluster, chance: random.Random) -> Cluster:
    usage = cluster.usage
    assert usage is not None
    workloads = dict(_shuffled(list(usage.workloads.items()), chance))
    nodes = tuple(_shuffled(list(usage.nodes), chance))
    return replace(cluster, usage=replace(usage, workloads=workloads, nodes=nodes))


@given(one=anything(), profile=profiles)
@often
def test_made_one_after_the_other_they_end_and_are_not_risky_together(one: Anything, profile: str) -> None:
    """Each is judged when the one before is in force, and all of them against what was there at first."""
    first = things = objects(one.text)
    terms = Terms(PROFILES[profile])
    for _ in range(len(FINDERS)):
        answer = recommend(things, lambda _name: one.cluster, lambda _name: terms)
        if not answer.recommendations:
            break
        things = with_changes(things, answer.recommendations[0].changes)

    assert recommend(things, lambda _name: one.cluster, lambda _name: terms).recommendations == ()
    report = compare(Revision("a", first), Revision("b", things), lambda _name: one.cluster)
    assert report.verdict in {Verdict.SAFE, Verdict.CAUTION, Verdict.NONE}
