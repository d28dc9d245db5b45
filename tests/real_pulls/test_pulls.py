"""Every real pull request gives a report, and what its lines changed is in it or has a reason not to be.

The pull requests lie beside the repository, not in it; without them there is nothing to test here.
`changes` in `case.json` is what a reader of lines saw: it knows no templates, no overlays and no moves.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest

from bot.adapters.cron_runs import runs_per_month
from bot.adapters.folder_tree import FolderTree
from bot.adapters.price_list import default_sheet
from bot.handlers.price_change import price_change
from bot.manifests.render import make_renderer
from bot.policy import Policy
from estimators.prices import PriceSheet
from estimators.quantity import InvalidQuantityError, parse_quantity
from estimators.report import Report

PULLS = Path(__file__).resolve().parents[3] / "shared/data/pulls"
CASES = sorted(path.name for path in PULLS.glob("*") if path.is_dir())

pytestmark = pytest.mark.skipif(not CASES, reason="the pull requests are not on this machine")

SILENT = {
    # Documents of a release put in another order: no object differs in what it asks for.
    "microservices-demo-129e10ad": "release/kubernetes-manifests.yaml",
    "microservices-demo-18f3b732": "release/kubernetes-manifests.yaml",
    "microservices-demo-8e85c5bd": "release/kubernetes-manifests.yaml",
    "microservices-demo-9a4616e7": "release/kubernetes-manifests.yaml",
    "microservices-demo-fda80607": "release/kubernetes-manifests.yaml",
    # What an operator gives to pods that it may start one day, in a ConfigMap.
    "manifests-265848f2": "apps/katib/upstream/installs/",
}
"""Case -> the files, by the start of their path, whose changed lines are rightly not in the report."""


@dataclass(frozen=True, slots=True)
class Seen:
    """One changed line of a case."""

    file: str
    old: str
    new: str


class _ListPrices:
    def sheet(self, file: str, cluster: str) -> PriceSheet:
        assert (file, cluster) == ("", "")
        return default_sheet()


@cache
def report_of(case: str) -> Report:
    """What `tuppence diff` says of both folders, without live numbers."""
    return price_change(
        FolderTree(PULLS / case / "base"),
        FolderTree(PULLS / case / "head"),
        Policy(),
        today=date(2026, 11, 21),
        render=make_renderer(),
        prices=_ListPrices(),
        runs_per_month=runs_per_month,
    ).report


@pytest.mark.parametrize("case", CASES)
def test_a_real_pull_request_gives_a_sound_report(case: str) -> None:
    """Every row adds up and says what differs; every gap has a reason."""
    report = report_of(case)

    for row in report.rows:
        assert row.source.line >= 1
        if row.status == "changed":
            assert row.changes or row.findings, row.identity
        if row.before and row.after:
            assert row.change == row.after.monthly - row.before.monthly
        assert all(item.old != item.new for item in row.changes), row.changes
    assert all(gap.reason for gap in report.unpriced)
    assert len(set(report.unpriced)) == len(report.unpriced)


@pytest.mark.parametrize("case", CASES)
def test_what_the_lines_changed_is_reported_or_named(case: str) -> None:
    """A changed request, limit, replica or HPA field is a change of a row, or its file or root a gap."""
    report = report_of(case)
    told = {(_amount(item.old), _amount(item.new)) for row in report.rows for item in row.changes}
    named = {gap.file for gap in report.unpriced}
    roots = {str(Path(gap.file).parent) for gap in report.unpriced if gap.kind == "Root"}
    anew = {row.source.file for row in report.rows if row.status != "changed"}

    lost = [
        seen
        for seen in _seen(case)
        if (_amount(seen.old), _amount(seen.new)) not in told
        and seen.file not in named | anew
        and not _in_an_unrendered_root(seen.file, roots)
        and not (case in SILENT and seen.file.startswith(SILENT[case]))
    ]
    assert lost == []


def _seen(case: str) -> Iterator[Seen]:
    for item in json.loads((PULLS / case / "case.json").read_text())["changes"]:
        yield Seen(item["file"], item["old"], item["new"])


def _amount(written: str) -> Decimal | str:
    try:
        return parse_quantity(written)
    except InvalidQuantityError:
        return written


def _in_an_unrendered_root(file: str, roots: set[str]) -> bool:
    """Whether a root that could not be rendered may use the file: a base lies beside its overlays."""
    return any(Path(root).parent.parent in Path(file).parents for root in roots)
