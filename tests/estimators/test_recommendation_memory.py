"""Whether a rejection still covers what is found weeks later."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimators.recommendation import FieldChange, Recommendation
from estimators.recommendation_memory import said_of, speaks_for
from tests.kept_recommendations import API, about, memory

SCALER = API._replace(kind="HorizontalPodAutoscaler")


def group(index: int, proposed: str) -> FieldChange:
    """The memory of a container that several groups of pods have."""
    path = ("spec", "groups", index, "template", "spec", "containers", 0, "resources", "requests", "memory")
    return FieldChange(API, path, "main", "2Gi", proposed)


def count(current: str, proposed: str, path: tuple[str, ...] = ("spec", "replicas")) -> FieldChange:
    """A number of pods."""
    return FieldChange(API, path, "", current, proposed, count=True)


def removed() -> FieldChange:
    """The whole object."""
    return FieldChange(API, (), "", "", "")


REJECTED = about(memory("2Gi", "1000Mi"))
BOTH = about(memory("2Gi", "1000Mi"), memory("2Gi", "1000Mi", sum_of="limits"))


@pytest.mark.parametrize(
    ("rejected", "new"),
    [
        pytest.param(REJECTED, REJECTED, id="the same"),
        pytest.param(REJECTED, about(memory("2Gi", "1100Mi")), id="less deep"),
        pytest.param(REJECTED, about(memory("2Gi", "900Mi")), id="a tenth deeper"),
        pytest.param(REJECTED, about(memory("2048Mi", "1000Mi")), id="the current value in other words"),
        pytest.param(BOTH, REJECTED, id="fewer fields"),
        pytest.param(REJECTED, about(memory("2Gi", "1000Mi", index=1)), id="a sidecar came before it"),
        pytest.param(about(memory("1Gi", "2000Mi")), about(memory("1Gi", "2200Mi")), id="a tenth higher"),
        pytest.param(about(memory("1Gi", "2000Mi")), about(memory("1Gi", "1500Mi")), id="less high"),
        pytest.param(about(memory("", "1000Mi")), about(memory("", "1100Mi")), id="a new field, near"),
        pytest.param(about(count("3", "2")), about(count("3", "2")), id="replicas"),
        pytest.param(about(count("3", "0")), about(count("3", "1")), id="to fewer, not to none"),
        pytest.param(about(removed()), about(removed()), id="the whole object"),
        pytest.param(
            about(group(0, "1Gi"), group(1, "500Mi")),
            about(group(0, "1Gi"), group(1, "500Mi")),
            id="groups with a container of one name",
        ),
    ],
)
def test_a_rejection_covers_what_is_the_same_but_for_jitter(
    rejected: Recommendation, new: Recommendation
) -> None:
    """The facts did not change: nobody is asked again."""
    assert speaks_for(rejected, new)


@pytest.mark.parametrize(
    ("rejected", "new"),
    [
        pytest.param(REJECTED, about(memory("2Gi", "899Mi")), id="more than a tenth deeper"),
        pytest.param(REJECTED, about(memory("3Gi", "1000Mi")), id="another current value"),
        pytest.param(REJECTED, about(memory("", "1000Mi")), id="no current value any more"),
        pytest.param(REJECTED, about(memory("2Gi", "2200Mi")), id="the other way"),
        pytest.param(REJECTED, BOTH, id="another field as well"),
        pytest.param(REJECTED, about(memory("2Gi", "1000Mi", name="proxy")), id="another container"),
        pytest.param(REJECTED, replace(REJECTED, finder="idle-workload"), id="another finder"),
        pytest.param(REJECTED, about(*REJECTED.changes, key=API._replace(name="web")), id="another workload"),
        pytest.param(
            REJECTED,
            about(*REJECTED.changes, key=API._replace(environment="staging")),
            id="another environment",
        ),
        pytest.param(about(memory("1Gi", "2000Mi")), about(memory("1Gi", "2201Mi")), id="higher still"),
        pytest.param(about(memory("", "1000Mi")), about(memory("", "1101Mi")), id="a new field, further up"),
        pytest.param(about(memory("", "1000Mi")), about(memory("", "899Mi")), id="a new field, further down"),
        pytest.param(about(count("3", "2")), about(count("3", "1")), id="fewer replicas"),
        pytest.param(about(count("3", "1")), about(count("3", "0")), id="none at all"),
        pytest.param(
            about(count("3", "2")),
            about(replace(count("3", "2"), object=SCALER)),
            id="the same path of another object",
        ),
        pytest.param(about(count("3", "2")), about(removed()), id="all of it"),
        pytest.param(
            about(replace(count("a", "b"), count=False)),
            about(replace(count("a", "c"), count=False)),
            id="another name",
        ),
        pytest.param(
            about(group(0, "1Gi"), group(1, "500Mi")),
            about(group(0, "500Mi")),
            id="deeper in one of two groups",
        ),
    ],
)
def test_a_rejection_ends_where_the_facts_changed(rejected: Recommendation, new: Recommendation) -> None:
    """It may be proposed again."""
    assert not speaks_for(rejected, new)


def test_the_first_that_speaks_for_it_is_what_was_said() -> None:
    """Earlier ones come the newest first."""
    other = about(memory("3Gi", "1000Mi"))
    assert said_of(REJECTED, [(other, "no"), (BOTH, "newer"), (REJECTED, "older")]) == "newer"
    assert said_of(REJECTED, [(other, "no")]) is None


mebibytes = st.integers(1, 1 << 20)


@given(mebibytes, mebibytes)
def test_a_rejection_covers_itself(current: int, proposed: int) -> None:
    """Whatever the values, in whatever unit."""
    rejected = about(memory(f"{current}Mi", f"{proposed}Mi"))
    assert speaks_for(rejected, about(memory(str(current * 2**20), str(proposed * 2**20))))


@given(mebibytes, mebibytes, mebibytes)
def test_what_is_covered_is_covered_when_it_is_less_deep(current: int, proposed: int, new: int) -> None:
    """Between the current value and what is covered nothing is asked again; beyond a tenth everything is."""
    rejected = about(memory(f"{current}Mi", f"{proposed}Mi"))
    covered = speaks_for(rejected, about(memory(f"{current}Mi", f"{new}Mi")))
    halfway = about(memory(f"{current}Mi", f"{(current + new) // 2}Mi"))
    if covered:
        assert speaks_for(rejected, halfway)
    assert covered == (
        proposed * 9 <= new * 10 and new <= current
        if proposed <= current
        else current <= new and new * 10 <= proposed * 11
    )


@given(st.text(max_size=8), st.text(max_size=8), st.text(max_size=8))
def test_values_that_nobody_can_read_break_nothing(current: str, proposed: str, new: str) -> None:
    """They are covered to the letter alone, or as amounts where they are some."""
    rejected = about(memory(current, proposed))
    assert speaks_for(rejected, rejected)
    speaks_for(rejected, about(memory(current, new)))
