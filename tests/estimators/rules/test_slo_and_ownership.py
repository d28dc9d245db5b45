"""Burning error budgets, and costs nobody owns."""

from __future__ import annotations

import pytest

from estimators.change import Side
from estimators.report import Severity
from tests.builders import change, container, fired, manifest, side, workload
from tests.usage_builders import history

LARGE, SMALL = (side(workload(container(requests={"cpu": cpu}))) for cpu in ("2", "1"))


@pytest.mark.parametrize(
    ("before", "after", "burn", "fires"),
    [
        pytest.param(LARGE, SMALL, 1.01, True, id="burning, taken away"),
        pytest.param(LARGE, SMALL, 1.0, False, id="at its pace"),
        pytest.param(LARGE, SMALL, None, False, id="no objective"),
        pytest.param(SMALL, LARGE, 9.0, False, id="burning, given"),
        pytest.param(SMALL, SMALL, 9.0, False, id="untouched"),
        pytest.param(None, SMALL, 9.0, False, id="new"),
        pytest.param(SMALL, None, 9.0, True, id="removed"),
    ],
)
def test_nothing_is_taken_from_a_service_that_burns_its_error_budget(
    before: Side | None, after: Side | None, burn: float | None, fires: bool
) -> None:
    """Above a burn rate of 1."""
    found = fired(change(before, after, history(burn=burn)), "slo-burning")

    assert fires == bool(found)
    assert all(item.severity is Severity.RISKY for item in found)


def test_without_history_there_is_no_burn_rate() -> None:
    """The verdict says unknown instead."""
    assert not fired(change(LARGE, SMALL), "slo-burning")


def labelled(
    own: dict[str, str], pods: dict[str, str] | None = None, namespace: dict[str, str] | None = None
) -> Side:
    """A workload with labels on itself, its pods and its namespace."""
    return side(
        workload(container(), thing=manifest(labels=own), labels=pods or {}),
        namespace_body={"metadata": {"labels": namespace or {}}},
    )


@pytest.mark.parametrize(
    ("before", "after", "fires"),
    [
        pytest.param(None, labelled({}), True, id="new without a label"),
        pytest.param(None, labelled({"tier": "web"}), True, id="a label that says nothing of owners"),
        pytest.param(None, labelled({"team": "pay"}), False, id="team"),
        pytest.param(None, labelled({}, {"app.kubernetes.io/name": "api"}), False, id="on the pods"),
        pytest.param(None, labelled({}, None, {"environment": "prod"}), False, id="on the namespace"),
        pytest.param(labelled({"team": "pay"}), labelled({}), True, id="taken away"),
        pytest.param(labelled({}), labelled({}), False, id="untouched"),
        pytest.param(labelled({}), None, False, id="removed"),
    ],
)
def test_a_cost_without_an_owner_is_named(before: Side | None, after: Side | None, fires: bool) -> None:
    """For information only."""
    found = fired(change(before, after), "unowned")

    assert fires == bool(found)
    assert all(item.severity is Severity.INFO for item in found)
