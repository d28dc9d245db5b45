"""What a report says, read in the comment: which words, in which order, and what is said once."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.comment import render_comment
from estimators.objects import Source, Unpriced
from estimators.report import Severity, Verdict
from tests.bot import sample_reports
from tests.bot.sample_reports import comment_links, estimate, pods, report, row


def no_links(_source: Source, _side: str) -> str:
    """As on a laptop without a remote."""
    return ""


def test_an_outage_is_told_before_the_rows() -> None:
    """Whoever reads the first lines only must not take the verdict for the whole truth."""
    told = render_comment(sample_reports.outage(), links=comment_links)
    before_the_table = told.split("| |")[0]

    assert told.splitlines()[0].endswith("· no usage history · incomplete**")
    assert "**Incomplete:** no live numbers" in before_the_table
    assert "`--prometheus URL`" not in told


def test_a_doubt_about_the_cluster_stands_after_the_rows() -> None:
    """It is there on every pull request of that cluster."""
    told = render_comment(sample_reports.environments(), links=comment_links)

    assert "<details><summary>Doubts about these numbers: 1</summary>\n\n* 12 values were left out" in told


def test_without_usage_the_way_to_it_is_said_once_above_and_in_the_footer() -> None:
    """Not in every row, and not below every finding."""
    told = render_comment(sample_reports.unknown(), links=comment_links)
    above, below = (line for line in told.splitlines() if "`--prometheus URL`" in line)

    assert above.startswith(
        "Two changes could not be judged without live usage: add `--prometheus URL` or `--usage FILE`."
    )
    assert "usage: none, add `--prometheus URL` or `--usage FILE`" in below
    assert below.startswith("<sub>")


def test_another_way_out_stays_where_the_first_is_said_above() -> None:
    """Only a row knows what its manifest could say."""
    found = sample_reports.unknown()
    because = "its runs are not known: add --prometheus URL or --usage FILE, or set activeDeadlineSeconds"
    rows = tuple(replace(row, unknown_because=because) for row in found.rows)
    told = render_comment(replace(found, rows=rows), links=comment_links)

    assert "| **Unknown**: its runs are not known: set activeDeadlineSeconds |" in told.replace("\xa0", " ")


def test_a_report_of_nothing_but_failures_shows_them_at_once() -> None:
    """There is no table to look at first; where there is one, the list is folded away."""
    assert "<details open><summary>Not priced: 1" in render_comment(
        sample_reports.unreadable(), links=comment_links
    )
    assert "<details><summary>Not priced: 2" in render_comment(
        sample_reports.the_story(), links=comment_links
    )


@pytest.mark.parametrize(
    ("item", "line"),
    [
        pytest.param(
            Unpriced("Root", "", "over/prod", "over/prod/kustomization.yaml", "over/prod/kustomization.yaml:2: no base"),
            "* `over/prod`: kustomization.yaml:\u200b2: no base",
            id="the reason names the file",
        ),
        pytest.param(
            Unpriced("Root", "", "over/prod", "over/prod/kustomization.yaml", "base/kustomization.yaml: no base"),
            "* `over/prod`: base/kustomization.yaml: no base",
            id="the reason names another file",
        ),
        pytest.param(
            Unpriced("File", "", "a.yaml", "a.yaml", "line 1: a tab"), "* `a.yaml`: line 1: a tab", id="a file"
        ),
        pytest.param(
            Unpriced("Job", "shop", "once", "b.yaml", "no history"),
            "* Job `shop/once` in `b.yaml`: no history",
            id="an object",
        ),
    ],
)  # fmt: skip
def test_what_has_no_price_is_named_once(item: Unpriced, line: str) -> None:
    """With its file, unless its name is that already."""
    assert line in render_comment(report([], unpriced=(item,)), links=no_links).splitlines()


def test_an_unpriced_part_is_never_called_no_impact() -> None:
    """What was read has none; the rest is counted in the same line."""
    known = estimate(pods("1"), "1", "1")
    rows = [row("shop/cart", known, known, Verdict.NONE, [("PDB min available", "1", "2")])]
    broken = (Unpriced("File", "", "a.yaml", "a.yaml", "line 1: a tab"),)
    told = render_comment(report(rows, unpriced=broken), links=no_links)

    assert told.splitlines()[0] == (
        "**⚪ No impact found · no change in cost · confidence high · 1 not priced**"
    )


def test_a_range_around_no_change_is_told() -> None:
    """Bounds that move while the expected count stays."""
    before, after = (estimate(pods("2", "2", most), "1", "1") for most in ("4", "8"))
    told = render_comment(report([row("shop/web", before, after, Verdict.SAFE)]), links=no_links)

    assert "Safe · no change in cost expected · between $0 and +$105 ·" in told.splitlines()[0]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        pytest.param([("memory request", "1Gi", "2Gi"), ("memory limit", "1Gi", "2Gi")],
                     "memory request and limit 1Gi → 2Gi", id="alike"),
        pytest.param([("head cpu request", "1", "2"), ("worker cpu request", "1", "2")],
                     "head cpu request 1 → 2<br>worker cpu request 1 → 2", id="of two containers"),
        pytest.param([("container init", "present", "")], "container init removed", id="a whole part goes"),
        pytest.param([("replicas", "", "3")], "replicas 3 added", id="a value comes"),
        pytest.param([], "changed", id="nothing that could be read"),
    ],
)  # fmt: skip
def test_a_change_is_told_in_few_words(changes: list[tuple[str, str, str]], told: str) -> None:
    """What changed alike together, each thing apart."""
    known = estimate(pods("1"), "1", "1")
    comment = render_comment(report([row("a/b", known, known, Verdict.CAUTION, changes)]), links=no_links)

    assert f"| $0 | {told} |" in comment.replace("\xa0", " ")


@pytest.mark.parametrize(
    ("message", "rule", "evidence", "told"),
    [
        pytest.param("too small", "x", {}, "too small; 2 is safe |", id="plain"),
        pytest.param("too small", "x", {"saves": "13.92 USD"}, "too small; 2 is safe and saves $13.92 a month |",
                     id="what it saves"),
        pytest.param("too small for 22 pods", "x", {}, "too small for 22 pods; 2 is safe |", id="another number"),
        pytest.param("wants 2 pods", "x", {}, "wants 2 pods |", id="named already"),
        pytest.param("idle", "gpu-increase-while-idle", {}, "idle; 2 is enough |", id="more than is needed"),
    ],
)  # fmt: skip
def test_what_would_be_safe_stands_beside_the_finding(
    message: str, rule: str, evidence: dict[str, str], told: str
) -> None:
    """Once, and with what it would still save."""
    known = estimate(pods("1"), "1", "1")
    found = replace(sample_reports.finding(rule, Severity.CAUTION, message, evidence), safe_value="2")
    comment = render_comment(
        report([row("a/b", known, known, Verdict.CAUTION, findings=[found])]), links=no_links
    )

    assert told in comment.replace("\xa0", " ")


def test_what_all_rows_have_in_common_is_said_once() -> None:
    """Unit prices above the rows, and below a row only where they are others."""
    told = render_comment(sample_reports.the_story(), links=comment_links)

    assert told.count("pool general (measured)") == 1
    assert (
        told.count("<sub>unit prices: OpenCost in prod-eu, 2026-11-20, pool gpu-a100 (measured)</sub>") == 1
    )
