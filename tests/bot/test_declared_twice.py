"""What two repositories declare is counted once: as left alone, until one of them is left out."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest

from bot.declared_twice import declared_twice
from bot.digest import LeftRow
from bot.digest_savings import savings
from bot.recommendation_records import Scan
from estimators.objects import Identity
from tests.kept_recommendations import NOW, about, kept, memory

ONE = kept(about(memory("2Gi", "1Gi")))
MIRRORED = kept(about(memory("2Gi", "1Gi")), repository=8)
OTHER = kept(about(memory("2Gi", "1Gi"), key=Identity("production", "payments", "Deployment", "web")))


def scan(repository: int, name: str) -> Scan:
    """The newest look at a repository."""
    nothing: dict[str, list[object]] = {"rows": []}
    return Scan(
        repository=repository, full_name=name, head_sha="a" * 40, at=NOW,
        left_alone=nothing, problems=nothing, realisable={},
    )  # fmt: skip


def test_a_workload_of_two_repositories_is_told_as_a_conflict() -> None:
    """Its saving is not added up twice, nor offered twice."""
    scans = (scan(7, "acme/shop"), scan(8, "acme/mirror"))
    told = savings((ONE, MIRRORED, OTHER), (), {}, scans, team=None)
    assert [item.workload for item in told.items] == ["payments/web"]
    assert sum((item.allocated for item in told.items), Decimal(0)) == Decimal(-30)
    assert told.left_alone == (
        LeftRow(
            "payments/api",
            "acme/mirror and acme/shop both declare it: leave one out in `repositories` of tuppence.yaml",
        ),
    )


@pytest.mark.parametrize(
    "other",
    [
        replace(MIRRORED, cluster="staging"),
        replace(MIRRORED, namespace="search"),
        replace(MIRRORED, kind="StatefulSet"),
        replace(MIRRORED, repository=7, environment="blue"),
    ],
    ids=["another cluster", "another namespace", "another kind", "the same repository"],
)
def test_what_runs_elsewhere_is_another_workload(other: object) -> None:
    """Only what runs in one place under one name can be declared twice."""
    assert declared_twice([ONE, other]) == {}  # type: ignore[list-item]
    assert declared_twice([ONE, MIRRORED]) == dict.fromkeys((ONE.id, MIRRORED.id), frozenset((7, 8)))
