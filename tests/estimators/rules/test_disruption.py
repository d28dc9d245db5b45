"""PodDisruptionBudgets against the pods that are sure to run."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from estimators.change import Side, WorkloadChange
from estimators.report import Finding
from estimators.workload import DisruptionBudget
from tests.builders import autoscaler, budget, change, container, fired, side, workload

BLOCKS, IMPOSSIBLE = "pdb-blocks-drain", "pdb-impossible"


def pods(count: int, *budgets: DisruptionBudget, scaled: bool = False) -> Side:
    """A workload of `count` pods, by `minReplicas` where it is scaled."""
    if scaled:
        return side(workload(container(), replicas=None), autoscaler=autoscaler(count, 50), budgets=budgets)
    return side(workload(container(), replicas=count), budgets=budgets)


def both(judged: WorkloadChange) -> list[Finding]:
    """What either rule finds."""
    return [*fired(judged, BLOCKS), *fired(judged, IMPOSSIBLE)]


@pytest.mark.parametrize(
    ("bounds", "count", "rule"),
    [
        pytest.param((2, None), 3, None, id="one may go"),
        pytest.param((3, None), 3, BLOCKS, id="all must stay"),
        pytest.param((4, None), 3, IMPOSSIBLE, id="more than there are"),
        pytest.param(("50%", None), 3, None, id="50 % of 3 rounds up to 2"),
        pytest.param(("67%", None), 3, BLOCKS, id="67 % of 3 rounds up to 3"),
        pytest.param(("34%", None), 1, BLOCKS, id="a third of one is one"),
        pytest.param(("100%", None), 10, BLOCKS, id="100 %"),
        pytest.param(("150%", None), 10, IMPOSSIBLE, id="150 %"),
        pytest.param((None, 0), 3, BLOCKS, id="maxUnavailable 0"),
        pytest.param((None, "1%"), 3, None, id="1 % of 3 rounds up to 1"),
        pytest.param((None, "0%"), 3, BLOCKS, id="maxUnavailable 0 %"),
        pytest.param((None, 9), 3, None, id="all may go"),
        pytest.param(("half", None), 3, None, id="unreadable"),
        pytest.param((None, None), 3, None, id="no bound"),
        pytest.param((1, None), 0, None, id="no pods"),
    ],
)  # fmt: skip
def test_a_new_budget_is_held_against_the_pods(
    bounds: tuple[int | str | None, int | str | None], count: int, rule: str | None
) -> None:
    """Percentages round up, as in the disruption controller."""
    for scaled in (False, True) if count else (False,):
        found = both(change(pods(count, scaled=scaled), pods(count, budget(*bounds), scaled=scaled)))
        assert [item.rule for item in found] == ([rule] if rule else [])


@pytest.mark.parametrize(
    ("old", "new", "rules"),
    [
        pytest.param(pods(3, budget(3)), pods(3, budget(3)), [], id="untouched"),
        pytest.param(pods(3, budget(2)), pods(2, budget(2)), [BLOCKS], id="the count falls"),
        pytest.param(pods(3, budget(3)), pods(2, budget(3)), [IMPOSSIBLE], id="from bad to worse"),
        pytest.param(pods(2, budget(3)), pods(3, budget(3)), [], id="from worse to bad"),
        pytest.param(pods(3, budget(1)), pods(3, budget(3)), [BLOCKS], id="the budget rises"),
        pytest.param(pods(3, budget(3)), pods(3), [], id="the budget goes"),
        pytest.param(None, pods(1, budget(1)), [BLOCKS], id="new"),
    ],
)
def test_only_what_the_change_worsens_is_found(old: Side | None, new: Side, rules: list[str]) -> None:
    """What blocked drains before and still does is no news."""
    assert [item.rule for item in both(change(old, new))] == rules


def test_the_finding_stands_where_the_change_is() -> None:
    """At the count where the count fell, at the budget where the budget rose."""
    [fell] = both(change(pods(3, budget(2)), pods(2, budget(2))))
    [scaled] = both(change(pods(3, budget(2), scaled=True), pods(2, budget(2), scaled=True)))
    [rose] = both(change(pods(3, budget(1)), pods(3, budget(3))))

    assert (fell.path, fell.source.file, fell.safe_value) == ("spec.replicas", "api.yaml", "3")
    assert (scaled.path, scaled.source.file, scaled.safe_value) == ("spec.minReplicas", "scaler.yaml", "3")
    assert (rose.path, rose.source.file, rose.safe_value) == ("spec.minAvailable", "budget.yaml", "2")


BOUNDS = st.one_of(
    st.tuples(st.one_of(st.integers(0, 12), st.integers(0, 120).map("{}%".format)), st.none()),
    st.tuples(st.none(), st.one_of(st.integers(0, 12), st.integers(0, 120).map("{}%".format))),
)


@given(BOUNDS, st.integers(1, 12), st.integers(1, 12))
def test_a_safe_value_lets_a_pod_go(
    bounds: tuple[int | str | None, int | str | None], old: int, new: int
) -> None:
    """Whether it is a count or a bound."""
    was = pods(old, budget(*bounds))
    found = both(change(was, pods(new, budget(*bounds))))
    for item in (one for one in found if one.safe_value):
        assert not both(change(was, pods(int(item.safe_value), budget(*bounds))))


@given(BOUNDS, st.integers(1, 12))
def test_a_safe_bound_lets_a_pod_go(bounds: tuple[int | str | None, int | str | None], count: int) -> None:
    """The budget is new, so its bound is what to mend."""
    found = both(change(pods(count), pods(count, budget(*bounds))))
    for item in (one for one in found if one.safe_value):
        safe = int(item.safe_value)
        mended = budget(safe) if bounds[0] is not None else budget(None, safe)
        assert not both(change(pods(count), pods(count, mended)))


def test_the_evidence_names_the_bound_that_the_budget_sets() -> None:
    """And not the other one, which is not there."""
    [found] = both(change(pods(3), pods(3, budget("100%"))))

    assert found.evidence["minAvailable"] == "100%"
    assert "maxUnavailable" not in found.evidence
