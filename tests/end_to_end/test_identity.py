"""A workload is who it is, not where its file lies: what must hold for every comparison."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.end_to_end.commands import tuppence
from tests.end_to_end.contract import RANGE, checked
from tests.end_to_end.repositories import Files, Repository, deployment

KUSTOMIZATION = "resources: [api.yaml]\nnamespace: shop\n"
CHART: Files = {
    "chart/Chart.yaml": "apiVersion: v2\nname: search\nversion: 1.0.0\n",
    "chart/values.yaml": "replicas: 2\ncpu: 500m\n",
    "chart/templates/search.yaml": deployment(
        "search", replicas="{{ .Values.replicas }}", cpu="{{ .Values.cpu }}"
    ),
}
BEFORE: Files = {
    "raw/web.yaml": deployment("web", replicas=3),
    "overlay/kustomization.yaml": KUSTOMIZATION,
    "overlay/api.yaml": deployment("api"),
    **CHART,
}
"""One repository with all three: plain YAML, Kustomize, Helm."""
AFTER: Files = {
    **BEFORE,
    "raw/web.yaml": deployment("web", replicas=5),
    "overlay/api.yaml": deployment("api", cpu="250m"),
    "chart/values.yaml": "replicas: 4\ncpu: 500m\n",
}


@pytest.fixture(scope="module")
def mixed(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """Commits tagged with what they hold."""
    repository = Repository(tmp_path_factory.mktemp("mixed") / "mixed")
    commits: dict[str, Files] = {
        "nothing": {"README.md": "Nothing here.\n"},
        "before": BEFORE,
        "after": AFTER,
        "moved": {f"elsewhere/{path}": text for path, text in BEFORE.items()},
        "together": {**BEFORE, "raw/web.yaml": deployment("web", replicas=3) + "---\n" + deployment("more")},
        "renamed": {
            **BEFORE,
            "raw/web.yaml": deployment("web", replicas=3).replace("name: web", "name: site"),
        },
    }
    for tag, files in commits.items():
        repository.commit(files, only=True)
        repository.git("tag", tag)
    return repository


def diff(repository: Repository, base: str, head: str) -> Any:  # noqa: ANN401 - JSON
    """The report, checked."""
    ran = tuppence("diff", base, head, "--repo", repository.folder, "--format", "json")
    assert (ran.status, ran.err) == (0, "")
    return checked(ran.json)


def changes(report: Any) -> dict[str, Decimal]:  # noqa: ANN401 - JSON
    """The expected change of each workload."""
    return {row["name"]: Decimal(row["change"]["expected"]) for row in report["workloads"]}


def test_three_renderers_in_one_repository(mixed: Repository) -> None:
    """Each row names the file in which the change was written."""
    report = diff(mixed, "before", "after")
    sources = {row["name"]: [item["file"] for item in row["changes"]] for row in report["workloads"]}

    assert sources == {"web": ["raw/web.yaml"], "api": ["overlay/api.yaml"], "search": ["chart/values.yaml"]}
    assert changes(report)["web"] == changes(report)["search"]
    assert changes(report)["api"] < 0
    assert report["unpriced"] == []


@pytest.mark.parametrize("tag", ["before", "after", "nothing"])
def test_nothing_differs_from_itself(mixed: Repository, tag: str) -> None:
    """compare(a, a) is empty."""
    report = diff(mixed, tag, tag)

    assert (report["workloads"], report["unpriced"], report["verdict"]) == ([], [], "none")


@pytest.mark.parametrize(
    ("one", "other"),
    [("before", "after"), ("before", "together"), ("nothing", "before"), ("renamed", "after")],
)
def test_there_and_back_is_nothing(mixed: Repository, one: str, other: str) -> None:
    """compare(a, b) = -compare(b, a), for every workload and every point of its range."""
    there, back = diff(mixed, one, other), diff(mixed, other, one)

    for point in RANGE:
        forth = Decimal(there["monthly"]["change"][point])
        assert forth == -Decimal(back["monthly"]["change"][point])
        assert forth
    assert sorted(map(abs, changes(there).values())) == sorted(map(abs, changes(back).values()))


def test_moving_everything_costs_nothing(mixed: Repository) -> None:
    """Paths are no identities; a moved root keeps its environment."""
    report = diff(mixed, "before", "moved")

    assert (report["workloads"], report["verdict"]) == ([], "none")


def test_a_new_name_costs_nothing(mixed: Repository) -> None:
    """The same pods under another name are one row that says so."""
    report = diff(mixed, "before", "renamed")
    [row] = report["workloads"]

    assert Decimal(report["monthly"]["change"]["expected"]) == 0
    assert (row["name"], row["status"]) == ("site", "changed")
    assert [(item["label"], item["old"], item["new"]) for item in row["changes"]][:1] == [
        ("name", "shop/web", "shop/site")
    ]


def test_deleting_everything_is_minus_the_whole(mixed: Repository) -> None:
    """What stands before is what is saved."""
    gone, come = diff(mixed, "before", "nothing"), diff(mixed, "nothing", "before")

    assert {row["status"] for row in gone["workloads"]} == {"removed"}
    assert {row["status"] for row in come["workloads"]} == {"added"}
    for point in RANGE:
        whole = Decimal(come["monthly"]["after"][point])
        assert whole > 0
        assert Decimal(gone["monthly"]["change"][point]) == -whole
        assert Decimal(gone["monthly"]["before"][point]) == whole
        assert Decimal(gone["monthly"]["after"][point]) == 0


def test_changes_add_up_along_the_way(mixed: Repository) -> None:
    """Nothing to before and before to after is nothing to after."""
    steps = [diff(mixed, *pair)["monthly"]["change"] for pair in (("nothing", "before"), ("before", "after"))]
    whole = diff(mixed, "nothing", "after")["monthly"]["change"]

    assert all(sum(Decimal(step[point]) for step in steps) == Decimal(whole[point]) for point in RANGE)


def test_a_chart_that_cannot_be_rendered_leaves_the_rest(tmp_path: Path) -> None:
    """A row names it and says why; the other renderers' workloads are priced."""
    repository = Repository(tmp_path / "r")
    repository.commit(BEFORE)
    repository.commit({**AFTER, "chart/templates/bad.yaml": '{{ fail "no region is set" }}\n'})
    report = diff(repository, "HEAD~1", "HEAD")
    [unpriced] = report["unpriced"]

    assert set(changes(report)) == {"web", "api"}
    assert (unpriced["kind"], unpriced["file"]) == ("Root", "chart/Chart.yaml")
    assert "no region is set" in unpriced["reason"]
