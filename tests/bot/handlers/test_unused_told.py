"""Whom a digest and an answer about savings tell what nothing uses, and in which sums it is not."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from bot.adapters.records import Records
from bot.cost_access import EVERYTHING, Sight
from bot.cost_answer import CostRefusal
from bot.cost_commands import SAVINGS, CostQuestion
from bot.digest import Digest, LeftRow
from bot.handlers.open_savings import NOT_LOOKED, answer_savings
from bot.savings_answer import SavingsAnswer
from bot.unused import NOT_ASKED, UnusedNow
from tests import week_samples as samples
from tests.week_samples import UNUSED

CACHES = [f"cache-{number}" for number in range(4)]
OF_CHECKOUT = ["data-ledger-old-0", "front-old", "pvc-0f3c2b1a", *CACHES]
AWAY = UnusedNow(None, ("Whether volumes and load balancers are used could not be asked.",))


@pytest.fixture(scope="module")
def store() -> Iterator[Records]:
    """A week's."""
    with samples.records() as found:
        samples.remember(found)
        yield found


def digest(team: str, store: Records, unused: UnusedNow = UNUSED) -> Digest:
    found = samples.reply(team, store, unused=unused)
    assert isinstance(found, Digest)
    return found


def reply(
    store: Records, name: str = "", sight: Sight = EVERYTHING, unused: UnusedNow = UNUSED
) -> SavingsAnswer | CostRefusal:
    return answer_savings(
        CostQuestion(SAVINGS, name),
        recommendations=store.recommendations,
        decisions=store.recommendation_decisions,
        pulls=store.right_sizing,
        at=samples.NOW,
        sight=sight,
        unused=unused,
    )


def answer(
    store: Records, name: str = "", sight: Sight = EVERYTHING, unused: UnusedNow = UNUSED
) -> SavingsAnswer:
    found = reply(store, name, sight, unused)
    assert isinstance(found, SavingsAnswer)
    return found


def names(found: Digest | SavingsAnswer) -> list[str]:
    assert found.unused is not None
    return [thing.name for thing in found.unused.things]


def test_a_teams_digest_has_that_of_the_team(store: Records) -> None:
    """Five of it, and the sum of all; what a repository declares is told by its finders alone."""
    found = digest("checkout", store)
    assert found.unused is not None
    assert names(found) == OF_CHECKOUT[:5]
    assert (found.unused.more, found.unused.monthly) == (2, Decimal("69.45"))


def test_finances_digest_has_everybodys_and_nobodys(store: Records) -> None:
    """What nobody owns stands in no other digest."""
    found = digest("", store)
    assert found.unused is not None
    assert names(found)[:1] == ["scratch"]
    assert found.unused.monthly == Decimal("193.45")


def test_it_is_in_no_sum_of_savings(store: Records) -> None:
    """All else is what it is without it."""
    for team in ("checkout", ""):
        without = digest(team, store, NOT_ASKED)
        assert replace(digest(team, store), unused=None, left_alone=without.left_alone) == without
    assert answer(store).allocated == answer(store, unused=NOT_ASKED).allocated


def test_what_is_left_as_it_is_stands_among_all_that_is(store: Records) -> None:
    """After what somebody said of workloads, to whom the rest is told; golden images belong to nobody."""
    archive = LeftRow(
        "volume claim payments/archive-2025 in prod",
        "protected (audit of 2025) until 31 March 2027, says the policy of shop/manifests",
    )
    assert [*digest("checkout", store, NOT_ASKED).left_alone, archive] == [
        *digest("checkout", store).left_alone
    ]
    assert digest("", store).left_alone[-2:] == (
        archive,
        LeftRow(
            "volume claim images/fedora-0 in prod and 3 more",
            "DataImportCron fedora keeps it",
        ),
    )
    assert answer(store, "payments").left_alone[-1] == archive
    assert archive not in answer(store, "shop").left_alone
    assert archive not in answer(store, sight=Sight(("shop",))).left_alone
    assert answer(store, "payments/archive-2025").left_alone == (archive,)


def test_before_any_repository_was_looked_at_the_cluster_is_told(tmp_path: Path) -> None:
    """All of it, for nobody knows what is declared; where nothing stands there either it is refused."""
    with closing(Records(f"sqlite:///{tmp_path / 'tuppence.db'}")) as nothing:
        nothing.prepare()
        found = answer(nothing, "payments")
        assert (found.repositories, found.looked_at, found.items) == (0, None, ())
        assert names(found)[0] == "declared"
        assert "archive-2025" in names(found)
        assert names(answer(nothing, "images")) == []
        assert answer(nothing, "images").left_alone
        for about, unused in (("", NOT_ASKED), ("", UnusedNow(())), ("nowhere", UNUSED)):
            assert reply(nothing, about, unused=unused) == CostRefusal(NOT_LOOKED)
        assert reply(nothing, unused=AWAY) == CostRefusal((*NOT_LOOKED, *AWAY.away))
        hidden = reply(nothing, sight=Sight(("lost",)))
        assert hidden == CostRefusal(NOT_LOOKED)


def test_not_known_is_not_nothing(store: Records) -> None:
    """None where nobody was asked or knows; why a cluster could not be asked is a note."""
    assert digest("checkout", store, NOT_ASKED).unused is None
    away = digest("checkout", store, AWAY)
    assert (away.unused, away.notes[-1]) == (None, AWAY.away[0])
    assert names(digest("checkout", store, UnusedNow(()))) == []
    found = answer(store, unused=AWAY)
    assert (found.unused, found.notes) == (None, AWAY.away)


def test_other_currencies_are_not_added_up(store: Records) -> None:
    """Nor do they keep the rest from being told."""
    euro = replace(UNUSED.found[0], currency="EUR") if UNUSED.found else None
    assert euro
    assert names(digest("checkout", store, UnusedNow((euro,)))) == []
    assert names(answer(store, unused=UnusedNow((euro,)))) == []
    alone = answer(store, "payments/data-ledger-old-0", unused=UnusedNow((euro,)))
    assert (names(alone), alone.currency) == (["data-ledger-old-0"], "EUR")


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("checkout", OF_CHECKOUT),
        ("shop", ["front-old"]),
        ("payments/cache-1", ["cache-1"]),
        ("Research", ["scratch"]),
    ],
)
def test_a_question_is_about_a_team_a_namespace_or_a_thing(
    store: Records, name: str, told: list[str]
) -> None:
    """All of it, the dearest first; where it is shown five are named."""
    assert names(answer(store, name)) == told


def test_nobody_is_told_of_what_they_may_not_see(store: Records) -> None:
    """What has no namespace is told to those who see all of them."""
    assert names(answer(store, sight=Sight(("shop",)))) == ["front-old"]
    assert names(answer(store, sight=Sight(()))) == []
    assert "pv-spare" in names(answer(store, sight=Sight(("*",))))
    hidden = answer(store, "payments/cache-1", Sight(("shop",)))
    nowhere = answer(store, "payments/nothing", Sight(("shop",)))
    assert names(hidden) == names(nowhere) == []


def test_a_name_that_only_something_unused_has_is_known(store: Records) -> None:
    """No other name is suggested for it."""
    assert isinstance(reply(store, "shop/front-old", unused=NOT_ASKED), SavingsAnswer)
    assert names(answer(store, "shop/front-old")) == ["front-old"]
    near = replace(UNUSED.found[1], namespace="payment") if UNUSED.found else None
    assert near
    assert isinstance(reply(store, "payment", unused=NOT_ASKED), CostRefusal)
    assert names(answer(store, "payment", unused=UnusedNow((near,)))) == ["front-old"]
