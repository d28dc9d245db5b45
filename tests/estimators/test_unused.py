"""What nothing used in a cluster: what it costs, whose it is, since when, and what is not said of."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import numpy as np
import pytest

from estimators.change import Cluster, Protection
from estimators.ownership import Owners, TeamRule
from estimators.prices import BUILT_IN
from estimators.unused import CLAIM, SERVICE, VOLUME, StandingCluster, StandingThing, Unused, find_unused
from estimators.usage import Series, Window

END = datetime(2026, 11, 23, 6, tzinfo=UTC)
WINDOW = Window(END - timedelta(days=35), END, 300)
OWNERS = Owners([TeamRule("checkout", ("shop",))])
PRICES = replace(
    BUILT_IN, currency="EUR", storage={"gp3": Decimal("0.08"), "free": Decimal(0)}, explicit=True
)
TODAY = Cluster(prices=PRICES, today=END.date())
NAN = float("nan")


def days(text: str) -> Series:
    """`?` not known, `0` not used, `1` used; the first one stands for all days before."""
    values = [{"?": NAN, "0": 0.0, "1": 1.0}[letter] for letter in text]
    return np.array([values[0]] * (35 - len(values)) + values)


def claim(used: str = "0", **more: object) -> StandingThing:
    """A claim of 100 GiB."""
    made = StandingThing(CLAIM, "shop", "data-db-0", days(used), gib=Decimal(100), storage_class="gp3")
    return replace(made, **more)  # type: ignore[arg-type]


def found(thing: StandingThing, **more: object) -> list[Unused]:
    standing = StandingCluster(WINDOW, (thing,), **more)  # type: ignore[arg-type]
    return list(find_unused("prod", standing, TODAY, OWNERS))


def test_a_claim_that_no_pod_had_is_told_with_its_price() -> None:
    """By the sheet's price of its class, in the sheet's currency; of the team that has the namespace."""
    assert found(claim()) == [
        Unused(
            cluster="prod",
            team="checkout",
            kind=CLAIM,
            namespace="shop",
            name="data-db-0",
            claim="",
            gib=Decimal(100),
            storage_class="gp3",
            monthly=Decimal("8.00"),
            currency="EUR",
            since=date(2026, 10, 19),
        )
    ]


@pytest.mark.parametrize(
    ("used", "since"),
    [
        ("0", date(2026, 10, 19)),
        ("?" + "0" * 20, date(2026, 11, 3)),
        ("?" + "0" * 14, date(2026, 11, 9)),
        ("?" + "0" * 13, None),
        ("?", None),
        ("1" + "0" * 30, None),
        ("0" * 34 + "1", None),
        ("0" * 20 + "?", None),
        ("0" * 18 + "?" + "0" * 16, date(2026, 11, 7)),
    ],
    ids=["window", "young", "fourteen", "thirteen", "unknown", "monthly", "today", "lost", "gap"],
)
def test_since_is_no_earlier_than_what_was_looked_at(used: str, since: date | None) -> None:
    """Fourteen days have to be known, and a day of use in the window is enough to be left alone."""
    assert [one.since for one in found(claim(used))] == ([since] if since else [])


def test_a_volume_without_a_claim_and_a_balancer_are_priced_as_well() -> None:
    """The volume by its default where its class is not known, the load balancer by the hour."""
    volume = claim(kind=VOLUME, name="pv-1", claim="data-db-0", storage_class=None)
    balancer = claim(kind=SERVICE, name="front", gib=None, storage_class=None)
    [one], [other] = found(volume), found(balancer)
    assert (one.monthly, one.claim) == (Decimal(4), "data-db-0")
    assert other.monthly == Decimal("0.025") * 730


def test_opencosts_price_of_a_class_counts_where_no_sheet_names_it() -> None:
    """As where a manifest declares the claim."""
    standing = StandingCluster(WINDOW, (claim(),), storage_gib_hour={"gp3": Decimal("0.0002")})
    [one] = find_unused("", standing, Cluster(today=END.date()), OWNERS)
    assert (one.monthly, one.currency) == (Decimal("14.6"), "USD")


@pytest.mark.parametrize("more", [{"storage_class": "free"}, {"gib": None}], ids=["free", "size"])
def test_what_costs_nothing_or_nobody_knows_what_is_not_told(more: dict[str, object]) -> None:
    """A price of 0 stands in the sheet of whoever has its own disks."""
    assert found(claim("0", **more)) == []


@pytest.mark.parametrize(
    ("own", "above", "why"),
    [
        ({}, {}, None),
        ({"tuppence.dev/protect": "INC-1"}, {}, ("INC-1", None, "its annotation")),
        ({}, {"tuppence.dev/protect": "audit"}, ("audit", None, "its namespace")),
        (
            {"tuppence.dev/protect": "INC-1", "tuppence.dev/protect-until": "2026-11-23"},
            {},
            ("INC-1", TODAY.today, "its annotation"),
        ),
        ({"tuppence.dev/protect": "INC-1", "tuppence.dev/protect-until": "2026-11-22"}, {}, None),
        (
            {"tuppence.dev/protect": "INC-1", "tuppence.dev/protect-until": "soon"},
            {},
            ("INC-1", None, "its annotation"),
        ),
    ],
    ids=["free", "own", "namespace", "last day", "over", "unreadable"],
)
def test_what_somebody_protects_is_left_with_the_reason(
    own: dict[str, str], above: dict[str, str], why: tuple[str, date | None, str] | None
) -> None:
    """By the rule of pull requests."""
    [one] = found(claim(annotations=own), annotations={"shop": above})
    left = one.left
    assert why == ((left.reason, left.until, left.source) if isinstance(left, Protection) else None)
    assert why or left == ""


def test_what_has_a_claim_without_a_pod_is_a_reason_to_leave_it() -> None:
    """A machine that is stopped, or whoever keeps golden images; what somebody protects is told before that."""
    machine = claim(kept_by="VirtualMachine db")
    [one], [protected] = (
        found(machine),
        found(replace(machine, annotations={"tuppence.dev/protect": "INC-1"})),
    )
    assert one.left == "VirtualMachine db keeps it"
    assert isinstance(protected.left, Protection)


def test_the_labels_of_its_namespace_say_whose_it_is() -> None:
    """Before what the file says of the namespace."""
    [one] = found(claim(), labels={"shop": {"team": "search"}})
    [nobody] = found(claim(namespace="lost"))
    assert (one.team, nobody.team) == ("search", "")


@pytest.mark.parametrize(
    ("things", "known"),
    [((), False), (("?",), False), (("?" + "0" * 13,), False), (("?", "1"), True), (("0",), True)],
    ids=["none", "unknown", "young", "one", "unused"],
)
def test_a_cluster_is_known_once_fourteen_days_of_anything_are(things: tuple[str, ...], known: bool) -> None:
    """Else that nothing is told says nothing."""
    assert StandingCluster(WINDOW, tuple(map(claim, things))).is_known is known
