"""What is opened after a scan: what somebody approved, and what the configuration lets pass without a click."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest

from bot.adapters.records import Records
from bot.github_events import Repository
from bot.handlers.automate_savings import due
from bot.recommendation_json import place_json
from bot.recommendation_ports import Place
from bot.recommendation_records import (
    POLICY,
    KeptRecommendation,
    PullState,
    RecommendationDecision,
    RightSizingPull,
    Scan,
    What,
    id_of,
    subject_of,
)
from bot.server_config import Automation
from estimators.objects import Identity
from estimators.recommendation import FieldChange, Recommendation
from tests import kept_recommendations

NOW = datetime(2026, 11, 16, 1, tzinfo=UTC)
DAY = timedelta(days=1)
PLACE = Place(3, Repository(7, "acme", "shop", "https://example/acme/shop.git", "main"))
RULE = Automation(("development",), ("cpu-request",), Decimal(50))
CPU = ("spec", "template", "spec", "containers", 0, "resources", "requests", "cpu")


def saving(name: str = "api", proposed: str = "700m", current: str = "1", least: int = 10) -> Recommendation:
    """A smaller CPU request in development, for at least so much a month."""
    key = Identity("development", "shop", "Deployment", name)
    change = FieldChange(key, CPU, "api", current, proposed)
    return replace(kept_recommendations.about(change, key=key), allocated=Decimal(-least))


class Kept:
    """Our records after a scan."""

    def __init__(self, records: Records) -> None:
        self.records = records
        self._at = NOW

    def scanned(self, *found: Recommendation, repository: int = 7) -> list[str]:
        """The newest scan finds these: their ids."""
        self._at += timedelta(minutes=1)
        scan = Scan(
            repository=repository,
            full_name="acme/shop",
            head_sha="a" * 40,
            at=self._at,
            left_alone={"rows": []},
            problems={"rows": []},
            realisable={},
        )
        rows = [_row(one, repository) for one in found]
        self.records.recommendations.replace(scan, rows)
        return [row.id for row in rows]

    def decided(self, found: Recommendation, what: What) -> None:
        """Somebody decides."""
        self.records.recommendation_decisions.decide(
            RecommendationDecision(
                id=id_of(7, found),
                repository=7,
                subject=subject_of(7, found.key),
                finder=found.finder,
                decision=what,
                actor="slack/T1/U1",
                said="Ann",
                reason="",
                about="shop/api",
                at=NOW,
            )
        )

    def pulled(self, found: Recommendation, state: PullState, because: str = "") -> None:
        """There is a pull request."""
        self.records.right_sizing.keep(
            RightSizingPull(
                repository=7,
                subject=subject_of(7, found.key),
                id=id_of(7, found),
                branch="tuppence/right-size-shop-api",
                number=12,
                address="https://example/12",
                head_sha="b" * 40,
                state=state,
                opened_at=NOW,
                closed_because=because,
            )
        )

    def due(self, *rules: Automation, at: datetime = NOW) -> list[str]:
        """What is to be opened now."""
        return due(
            7,
            rules=rules,
            recommendations=self.records.recommendations,
            decisions=self.records.recommendation_decisions,
            pulls=self.records.right_sizing,
            at=at,
        )


def _row(found: Recommendation, repository: int) -> KeptRecommendation:
    row = kept_recommendations.kept(found, repository=repository)
    return replace(row, place=place_json(PLACE), team="", cluster="", found_at=NOW)


@pytest.fixture
def kept(tmp_path: Path) -> Iterator[Kept]:
    """Of nothing yet."""
    with closing(Records(f"sqlite:///{tmp_path}/records.db")) as records:
        records.prepare()
        yield Kept(records)


def test_what_a_rule_covers_is_approved_by_the_policy_and_opened(kept: Kept) -> None:
    """The dearest first; the rule is in the audit trail, once however often it is looked at."""
    small, large, other = saving(), saving("web", least=90), saving("db", proposed="100m")
    first, second, _ = kept.scanned(small, large, other)

    assert kept.due(RULE) == kept.due(RULE) == [second, first]

    decisions = kept.records.recommendation_decisions.of([first])
    assert (decisions[first].actor, decisions[first].decision, decisions[first].said) == (
        POLICY,
        "approve",
        "automation",
    )
    assert decisions[first].reason == (
        "automation in tuppence.yaml: cuts of cpu-request by at most 50 % in development, "
        "confidence high or better"
    )
    with kept.records.audit.chain() as (_, rows):
        written = [(row.actor, row.action, row.subject) for row in rows]
    assert written == [
        (POLICY, "recommendation.approve", f"shop/{name}: CPU request 1 → 700m") for name in ("web", "api")
    ]


def test_without_a_rule_only_what_somebody_approved_is_opened(kept: Kept) -> None:
    """Of this repository, and while the newest scan still finds it."""
    one, other, gone = saving(), saving("web"), saving("gone")
    kept.scanned(one, other, gone)
    kept.decided(one, "approve")
    kept.decided(gone, "approve")
    [first, _] = kept.scanned(one, other)
    kept.scanned(one, repository=8)

    assert kept.due() == [first]
    kept.pulled(one, "open")
    assert kept.due() == []


def test_what_was_rejected_is_not_proposed_again_while_the_facts_are_the_same(kept: Kept) -> None:
    """A value that is a little different is the same proposal; another current value is another fact."""
    kept.scanned(saving())
    kept.decided(saving(), "reject")
    kept.scanned(saving())
    assert kept.due(RULE) == []
    kept.scanned(saving(proposed="690m"))
    assert kept.due(RULE) == []
    [changed] = kept.scanned(saving(proposed="1", current="1500m"))
    assert kept.due(RULE) == [changed]


def test_what_somebody_put_off_waits(kept: Kept) -> None:
    """Until the day that was said."""
    [one] = kept.scanned(saving())
    kept.records.recommendations.snooze(one, NOW + DAY, actor="slack/T1/U1", said="Ann", at=NOW)

    assert kept.due(RULE) == []
    assert kept.due(RULE, at=NOW + 2 * DAY) == [one]


def test_a_workload_has_one_pull_request_at_a_time(kept: Kept) -> None:
    """What is found anew while it is open waits; a click brings it into the one that is open."""
    newer = saving(proposed="650m")
    kept.scanned(saving())
    kept.pulled(saving(), "open")
    [one] = kept.scanned(newer)

    assert kept.due(RULE) == []
    kept.decided(newer, "approve")
    assert kept.due(RULE) == [one]


@pytest.mark.parametrize(
    ("state", "because", "opened"),
    [("closed", "", False), ("closed", "no longer true", True), ("merged", "", True)],
    ids=["a person closed it", "we closed it", "it was merged"],
)
def test_a_pull_request_that_a_person_closed_is_not_opened_again(
    kept: Kept, state: PullState, because: str, opened: bool
) -> None:
    """Under a value that is a little different."""
    kept.scanned(saving())
    kept.pulled(saving(), state, because)
    [one] = kept.scanned(saving(proposed="690m"))

    assert kept.due(RULE) == ([one] if opened else [])


@pytest.mark.parametrize(("because", "opened"), [("", False), ("the branch said otherwise", True)])
def test_what_we_closed_and_somebody_had_approved_is_opened_again(
    kept: Kept, because: str, opened: bool
) -> None:
    """Once a scan finds the very same values again; what a person closed stays closed."""
    [one] = kept.scanned(saving())
    kept.decided(saving(), "approve")
    kept.pulled(saving(), "closed", because)
    assert kept.due() == ([one] if opened else [])


def test_what_two_repositories_declare_is_nobodys_to_open_without_a_click(kept: Kept) -> None:
    """A fork or a mirror: which of them is deployed is not known."""
    [one] = kept.scanned(saving())
    assert kept.due() == []
    kept.scanned(saving(proposed="690m"), repository=8)
    assert kept.due(RULE) == []
    kept.scanned(saving("web"), repository=8)
    assert kept.due(RULE) == [one]


def test_a_click_that_came_first_holds(kept: Kept) -> None:
    """A rejection between looking and deciding is what is kept."""
    found = saving()
    kept.scanned(found)

    class Slow:
        """Decisions that were looked up before somebody rejected."""

        def __getattr__(self, name: str) -> object:
            return getattr(kept.records.recommendation_decisions, name)

        def of(self, _ids: object) -> dict[str, RecommendationDecision]:
            return {}

        def rejected(self, _repository: int) -> tuple[()]:
            kept.decided(found, "reject")
            return ()

    opened = due(
        7,
        rules=[replace(RULE)],
        recommendations=kept.records.recommendations,
        decisions=Slow(),  # type: ignore[arg-type]
        pulls=kept.records.right_sizing,
        at=NOW,
    )
    assert opened == []
