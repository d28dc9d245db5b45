"""Which of the things that nothing uses are told: those that no repository declares that was looked at."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest

from bot.digest import LeftRow
from bot.recommendation_records import Scan
from bot.unused import MOST_NAMED, UnusedThings, declared, undeclared
from bot.unused_words import command, in_short, left_rows, since, what
from estimators.change import Protection
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


def scan(
    *rows: Sequence[str],
    looked: bool = True,
    repository: int = 1,
    named: Sequence[Sequence[str]] = (),
    clusters: Sequence[str] = ("prod",),
    protect: Sequence[tuple[str, str | None]] = (),
) -> Scan:
    """A look that found these declared and named: cluster, kind, namespace, name; pattern and day of a policy."""
    return Scan(
        repository=repository,
        full_name=f"acme/shop-{repository}",
        head_sha="a" * 40 if looked else "",
        at=AT,
        left_alone=NOTHING,
        problems=NOTHING,
        realisable={},
        declares={
            "rows": [list(row) for row in rows],
            "named": [list(row) for row in named],
            "clusters": list(clusters),
            "protect": [
                {"workload": pattern, "reason": "INC-7:\n audit", "until": until}
                for pattern, until in protect
            ],
        },
    )


def judged(*scans: Scan, found: Sequence[Unused] = (LEFT,)) -> UnusedThings:
    unused = undeclared(found, scans, AT.date())
    assert unused is not None
    return unused


def told(*scans: Scan, found: Sequence[Unused] = (LEFT,)) -> list[str]:
    return [thing.name for thing in judged(*scans, found=found).things]


def left(*scans: Scan, found: Sequence[Unused] = (LEFT,)) -> list[LeftRow]:
    """What is left as it is, and why; it is told nowhere else."""
    assert told(*scans, found=found) == []
    return list(left_rows(judged(*scans, found=found)))


def test_what_a_repository_declares_is_kept_by_cluster() -> None:
    """The claims of a StatefulSet as one; other kinds of Services are none. And what its policy protects."""
    protections = [
        Protection("shop/*", "INC-7", ("limits",), date(2027, 3, 31), ".tuppence.yaml"),
        Protection("bank/*", "audit"),
    ]
    found = declared(objects(MANIFESTS, "production"), {"production": "prod"}.__getitem__, protections)
    assert found["clusters"] == ["prod"]
    assert found["protect"] == [
        {"workload": "shop/*", "reason": "INC-7", "until": "2027-03-31"},
        {"workload": "bank/*", "reason": "audit", "until": None},
    ]
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
    before: tuple[dict[str, Any] | None, ...] = (None, {"rows": []})
    for older in before:
        assert undeclared((LEFT,), [scan(), replace(scan(repository=2), declares=older)], AT.date()) is None


@pytest.mark.parametrize(
    ("pattern", "until", "clusters", "thing", "is_left"),
    [
        ("shop/data-*", None, ("prod",), LEFT, True),
        ("shop/*", "2026-11-23", ("prod",), LEFT, True),
        ("shop/*", "2026-11-22", ("prod",), LEFT, False),
        ("shop/data", None, ("prod",), LEFT, False),
        ("bank/*", None, ("prod",), LEFT, False),
        ("shop/*", None, ("staging", ""), LEFT, True),
        ("shop/*", None, (), LEFT, True),
        ("shop/*", None, ("staging",), LEFT, False),
        ("shop/*", None, ("staging",), replace(LEFT, cluster=""), True),
        ("shop/front", None, ("prod",), FRONT, True),
        ("shop/data-old-*", None, ("prod",), RELEASED, True),
        ("shop/pvc-*", None, ("prod",), RELEASED, True),
        ("*", None, ("prod",), replace(RELEASED, namespace="", claim=""), True),
    ],
    ids=[
        "name", "last day", "over", "other name", "other namespace", "any cluster", "no manifests", "other cluster",
        "only cluster", "balancer", "volume of a claim", "volume", "never claimed",
    ],
)  # fmt: skip
def test_the_policy_of_any_repository_on_the_cluster_protects(
    pattern: str, until: str | None, clusters: Sequence[str], thing: Unused, is_left: bool
) -> None:
    """Who owns it nobody knows, so that each may say why it stays: the reason is told, and who says so."""
    looks = scan(), scan(repository=2, clusters=clusters, protect=[(pattern, until)])
    if not is_left:
        assert told(*looks, found=[thing]) == [thing.name]
        return
    day = " until 23 November 2026" if until else ""
    because = f"protected (INC-7: audit){day}, says the policy of acme/shop-2"
    [(name, told_because)] = left(*looks, found=[thing])
    assert (thing.name in name, told_because) == (True, because)


def test_what_protects_a_thing_itself_is_told_first() -> None:
    """Its annotation, before any policy; what needs it without a pod is a reason as well."""
    own = Protection("shop/data-db-0", "INC-1", source="its annotation")
    policy = scan(protect=[("*", None)])
    assert left(policy, found=[replace(LEFT, left=own)])[0][1] == "protected (INC-1), says its annotation"
    machine = replace(LEFT, left="VirtualMachine db keeps it")
    assert left(policy, found=[machine])[0][1] == "VirtualMachine db keeps it"


def test_a_claim_that_a_manifest_names_is_needed() -> None:
    """By a workload that runs seldom, or as what disks are cloned from; a volume that is released is not."""
    look = scan(named=[("prod", CLAIM, "", "data-db-0"), ("staging", CLAIM, "shop", "other")])
    assert left(look) == [("volume claim shop/data-db-0 in prod", "acme/shop-1 names it")]
    others = (replace(LEFT, name="other"), replace(RELEASED, claim="data-db-0"))
    assert told(look, found=others) == ["other", "pvc-0f3c"]


def test_what_is_left_for_one_reason_is_one_row() -> None:
    """The dearest is named."""
    kept = [
        (2, "DataImportCron f"),
        (5, "DataImportCron f"),
        (4, "VirtualMachine db"),
        (3, "DataImportCron f"),
    ]
    things = [replace(LEFT, name=f"disk-{n}", monthly=Decimal(n), left=f"{by} keeps it") for n, by in kept]
    assert left(found=things) == [
        ("volume claim shop/disk-5 in prod and 2 more", "DataImportCron f keeps it"),
        ("volume claim shop/disk-4 in prod", "VirtualMachine db keeps it"),
    ]
    alone = replace(RELEASED, cluster="default", left="VirtualMachine db keeps it")
    assert left(found=[alone]) == [("volume pvc-0f3c", "VirtualMachine db keeps it")]


def test_what_is_left_is_in_no_count_and_no_sum() -> None:
    """It is not said to be used by nothing."""
    found = judged(scan(protect=[("shop/front", None)]), found=[LEFT, FRONT])
    assert (found.count, found.monthly, found.named().count) == (1, Decimal(40), 1)


def test_the_dearest_are_named_and_the_others_counted() -> None:
    """The sum is of all of them, however many are named."""
    many = [replace(LEFT, name=f"claim-{n}", monthly=Decimal(n)) for n in range(1, 9)]
    found = undeclared([*many, FRONT], [], AT.date())
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
    unused = undeclared(found, [], AT.date())
    assert unused is not None
    assert in_short(unused, "USD") == words
