"""Who is told which savings, and what is not offered any more."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest

from bot.adapters.records import Records
from bot.cost_access import EVERYTHING, Sight
from bot.cost_answer import CostRefusal
from bot.cost_commands import SAVINGS, CostQuestion
from bot.handlers.open_savings import NOT_LOOKED, answer_savings
from bot.savings_answer import SavingsAnswer
from tests import week_samples as samples


@pytest.fixture(scope="module")
def store() -> Iterator[Records]:
    with samples.records() as found:
        samples.remember(found)
        yield found


def asked(
    store: Records, name: str = "", sight: Sight = EVERYTHING, teams: frozenset[str] | None = None
) -> SavingsAnswer | CostRefusal:
    return answer_savings(
        CostQuestion(SAVINGS, name),
        recommendations=store.recommendations,
        decisions=store.recommendation_decisions,
        pulls=store.right_sizing,
        at=samples.NOW,
        sight=sight,
        teams=teams,
    )


def offered(store: Records, *more: object) -> list[str]:
    found = asked(store, *more)  # type: ignore[arg-type]  # handed on
    assert isinstance(found, SavingsAnswer)
    return [item.workload for item in found.items]


def test_the_most_worth_comes_first(store: Records) -> None:
    """By what leaves the bill and how sure it is, as in a digest."""
    found = offered(store)
    assert found[:3] == ["ml/notebook", "payments/api", "shop/web"]
    assert len(found) == len(samples.OPEN)


@pytest.mark.parametrize(
    ("name", "workloads"),
    [
        ("Research", ["ml/notebook"]),
        ("shop", ["shop/web"]),
        ("payments/tax", ["payments/tax"]),
        ("lost", ["lost/orphan"]),
        ("nowhere", []),
    ],
    ids=["team", "namespace", "workload", "nobody's", "unknown"],
)
def test_a_name_is_a_team_a_namespace_or_a_workload(store: Records, name: str, workloads: list[str]) -> None:
    """In any case of letters."""
    assert offered(store, name) == workloads


def test_nobody_is_told_of_a_namespace_that_they_may_not_see(store: Records) -> None:
    """Neither what is open there, nor what is under way, protected or counted, nor a name that is near."""
    found = asked(store, sight=Sight(("shop",)))
    assert isinstance(found, SavingsAnswer)
    assert [item.workload for item in found.items] == ["shop/web"]
    assert (found.under_way, found.left_alone, dict(found.left_counts)) == ((), (), {})
    hidden = asked(store, "nowhere", Sight(("shop",)))
    assert isinstance(hidden, SavingsAnswer)
    for name in ("payments", "paymets", "payments/queue"):
        assert asked(store, name, Sight(("shop",))) == replace(hidden, question=CostQuestion(SAVINGS, name))
    assert offered(store, "checkout", Sight(("shop",))) == ["shop/web"]
    assert offered(store, "", Sight(())) == []


def test_what_has_no_namespace_is_told_to_those_who_see_all() -> None:
    """As a volume of the whole cluster: fail closed."""
    whole = replace(samples.OPEN[0], namespace="", id="f" * 32)
    with samples.records() as other:
        other.recommendations.replace(samples.scan(), [whole])
        assert offered(other, "", Sight(("pay*", "?*"))) == []
        assert len(offered(other, "", Sight(("*",)))) == 1


def test_what_is_decided_is_told_and_not_offered(store: Records) -> None:
    """Under way with its pull request, rejected with the reason, snoozed with who did it."""
    found = asked(store, "payments")
    assert isinstance(found, SavingsAnswer)
    [busy] = found.under_way
    assert busy.workload == "payments/queue"
    assert busy.told == "approved by Ann, shop/manifests#31 is open"
    assert busy.address.endswith("/pull/31")
    told = {row.workload: row.reason for row in found.left_alone}
    assert told["payments/ledger"] == "Ann rejected it: month end needs it"
    assert told["payments/batch"] == "Ann snoozed it until 7 December 2026"
    assert told["payments/pay"].startswith("protected")


def test_a_workload_with_an_open_pull_request_is_not_offered_anew() -> None:
    """Also where its values have moved a little since it was approved."""
    with samples.records() as other:
        samples.remember(other)
        moved = samples.kept(samples.recommendation("queue", "-31", proposed="500Mi"))
        other.recommendations.replace(samples.scan(at=samples.NOW), [moved])
        found = asked(other)
        assert isinstance(found, SavingsAnswer)
        assert found.items == ()
        assert [busy.told for busy in found.under_way] == ["shop/manifests#31 is open"]


def test_an_approval_without_a_pull_request_is_told_as_one() -> None:
    """It is being opened, or to be done by hand."""
    with samples.records() as other:
        other.recommendations.replace(samples.scan(), [samples.APPROVED])
        other.recommendation_decisions.decide(
            samples.decision(samples.APPROVED, "approve", samples.NOW - timedelta(hours=1))
        )
        found = asked(other)
        assert isinstance(found, SavingsAnswer)
        assert [busy.told for busy in found.under_way] == ["approved by Ann, without a pull request yet"]


def test_teams_narrow_it_down(store: Records) -> None:
    """For whoever approves for them."""
    assert offered(store, "", EVERYTHING, frozenset({"research"})) == ["ml/notebook"]
    assert offered(store, "", Sight(("shop",)), frozenset({"research"})) == []


def test_a_name_that_is_nearly_there_gets_a_suggestion(store: Records) -> None:
    """Of what may be seen."""
    found = asked(store, "paymets")
    assert isinstance(found, CostRefusal)
    assert [near.text for near in found.suggestions] == ["savings payments"]


def test_before_the_first_look_that_is_said() -> None:
    """A look that failed is none."""
    with samples.records() as other:
        assert asked(other) == CostRefusal(NOT_LOOKED)
        other.recommendations.replace(replace(samples.scan(), head_sha=""), [])
        assert asked(other) == CostRefusal(NOT_LOOKED)


def test_currencies_are_not_added_up() -> None:
    """A cluster in euros and one in dollars."""
    one, two = samples.OPEN[:2]
    euros = replace(two, recommendation={**two.recommendation, "currency": "EUR"})
    with samples.records() as other:
        other.recommendations.replace(samples.scan(), [one, euros])
        found = asked(other)
        assert isinstance(found, CostRefusal)
        assert "EUR and USD" in found.sentences[0]
        assert offered(other, "shop") == ["shop/web"]
