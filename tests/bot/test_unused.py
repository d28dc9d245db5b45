"""Which of the things that nothing uses are told: those that no repository declares that was looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from bot.recommendation_records import Scan
from bot.unused import MOST_NAMED, declared, undeclared
from bot.unused_words import command, in_short, since, what
from estimators.unused import CLAIM, SERVICE, VOLUME, Unused
from tests.yaml_objects import deployment, objects

AT = datetime(2026, 11, 23, 5, tzinfo=UTC)
NOTHING: dict[str, Any] = {"rows": []}
LEFT = Unused(
    cluster="prod",
    team="checkout",
    kind=CLAIM,
    namespace="shop",
    name="data-db-0",
    claim="",
    gib=Decimal(500),
    storage_class="gp3",
    monthly=Decimal(40),
    currency="USD",
    since=date(2026, 10, 19),
)
FRONT = replace(LEFT, kind=SERVICE, name="front", gib=None, storage_class="", monthly=Decimal("18.25"))
RELEASED = replace(
    LEFT, kind=VOLUME, name="pvc-0f3c", claim="data-old-0", monthly=Decimal(8), gib=Decimal(100)
)
MANIFESTS = (
    deployment("db", kind="StatefulSet", namespace="shop")
    + "  volumeClaimTemplates:\n    - metadata: {name: data}\n"
    + "---\napiVersion: v1\nkind: Service\nmetadata: {name: front}\n"
    + "---\napiVersion: serving.knative.dev/v1\nkind: Service\nmetadata: {name: knative, namespace: shop}\n"
    + "---\napiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: files, namespace: shop}\n"
    + "---\napiVersion: v1\nkind: PersistentVolume\nmetadata: {name: disk}\n"
)


def scan(*rows: Sequence[str], looked: bool = True, repository: int = 1) -> Scan:
    """A look that found these declared: cluster, kind, namespace, name."""
    return Scan(
        repository=repository,
        full_name="acme/shop",
        head_sha="a" * 40 if looked else "",
        at=AT,
        left_alone=NOTHING,
        problems=NOTHING,
        realisable={},
        declares={"rows": [list(row) for row in rows]},
    )


def told(*scans: Scan, found: Sequence[Unused] = (LEFT,)) -> list[str]:
    unused = undeclared(found, scans)
    assert unused is not None
    return [thing.name for thing in unused.things]


def test_what_a_repository_declares_is_kept_by_cluster() -> None:
    """The claims of a StatefulSet as one; other kinds of Services are none."""
    found = declared(objects(MANIFESTS, "production"), {"production": "prod"}.__getitem__)
    assert found["rows"] == [
        ["prod", VOLUME, "", "disk"],
        ["prod", CLAIM, "shop", "data-db-*"],
        ["prod", CLAIM, "shop", "files"],
        ["prod", SERVICE, "", "front"],
    ]


@pytest.mark.parametrize(
    ("row", "is_told"),
    [
        (("prod", CLAIM, "shop", "data-db-0"), False),
        (("prod", CLAIM, "shop", "data-db-*"), False),
        (("prod", CLAIM, "", "data-db-0"), False),
        (("", CLAIM, "shop", "data-db-0"), False),
        (("staging", CLAIM, "shop", "data-db-0"), True),
        (("prod", CLAIM, "bank", "data-db-0"), True),
        (("prod", CLAIM, "shop", "data-*"), True),
        (("prod", SERVICE, "shop", "data-db-0"), True),
    ],
    ids=["itself", "template", "any namespace", "any cluster", "other cluster", "other namespace", "other template", "other kind"],
)  # fmt: skip
def test_what_a_repository_declares_is_told_by_its_finders_alone(row: Sequence[str], is_told: bool) -> None:
    """Never twice; where it is not known which cluster or namespace is meant, it may be this one."""
    assert told(scan(("prod", CLAIM, "shop", "other")), scan(row, repository=2)) == ["data-db-0"] * is_told


def test_the_one_cluster_may_have_no_name() -> None:
    """As where a URL was named on the command line."""
    row = ("default", CLAIM, "shop", "data-db-0")
    assert told(scan(row), found=(replace(LEFT, cluster=""),)) == []


def test_without_any_look_all_are_told() -> None:
    """A repository that could not be looked at declares nothing that is known."""
    assert told() == ["data-db-0"]
    assert told(replace(scan(looked=False), declares=None)) == ["data-db-0"]


def test_a_look_that_kept_none_of_it_says_nothing() -> None:
    """It was kept before that was: until the next look anything may be declared."""
    assert undeclared((LEFT,), [scan(), replace(scan(repository=2), declares=None)]) is None


def test_the_dearest_are_named_and_the_others_counted() -> None:
    """The sum is of all of them, however many are named."""
    many = [replace(LEFT, name=f"claim-{n}", monthly=Decimal(n)) for n in range(1, 9)]
    found = undeclared([*many, FRONT], [])
    assert found is not None
    few = found.named()
    assert [thing.name for thing in few.things] == ["front", *(f"claim-{n}" for n in (8, 7, 6, 5))]
    assert (len(few.things), few.more, few.more_monthly) == (MOST_NAMED, 4, Decimal(10))
    assert (few.count, few.monthly) == (found.count, found.monthly) == (9, Decimal("54.25"))
    assert few.named() == few


@pytest.mark.parametrize(
    ("thing", "words"),
    [
        (LEFT, ("volume claim shop/data-db-0, 500 GiB gp3, cluster prod", "no pod since 19 October", "kubectl -n shop describe pvc data-db-0")),
        (FRONT, ("load balancer shop/front, cluster prod", "no ready endpoint since 19 October", "kubectl -n shop describe service front")),
        (RELEASED, ("volume pvc-0f3c, of shop/data-old-0, which is gone, 100 GiB gp3, cluster prod", "no claim since 19 October", "kubectl describe pv pvc-0f3c")),
        (replace(LEFT, cluster="default", storage_class=""), ("volume claim shop/data-db-0, 500 GiB", "no pod since 19 October", "kubectl -n shop describe pvc data-db-0")),
        (replace(RELEASED, namespace="", claim="", cluster=""), ("volume pvc-0f3c, 100 GiB gp3", "no claim since 19 October", "kubectl describe pv pvc-0f3c")),
    ],
    ids=["claim", "balancer", "volume", "one cluster", "never claimed"],
)  # fmt: skip
def test_a_thing_is_told_with_what_shows_it(thing: Unused, words: tuple[str, str, str]) -> None:
    """The command only looks."""
    assert (what(thing), since(thing), command(thing)) == words


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ((LEFT,), "1 volume or load balancer that nothing uses costs $40.00 a month: cost savings names it."),
        ((LEFT, FRONT), "2 volumes and load balancers that nothing uses cost $58.25 a month: cost savings names them."),
    ],
    ids=["one", "two"],
)  # fmt: skip
def test_a_quiet_week_has_a_sentence_of_it(found: tuple[Unused, ...], words: str) -> None:
    """With the sum, and where they are named."""
    unused = undeclared(found, [])
    assert unused is not None
    assert in_short(unused, "USD") == words
