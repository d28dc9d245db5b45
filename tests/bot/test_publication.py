"""What is said about a pull request, as data."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from bot.policy import CommentRules
from bot.publication import MOST_SUMMARY, Publication, compose_publication, report_hash
from bot.records import Decision
from estimators.approval import consent_to, still_covers
from estimators.guardrail import CrossedGuardrail
from estimators.money import Range
from estimators.report import Report, Severity
from tests.bot import sample_reports
from tests.bot.sample_reports import comment_links

CROSSED = (CrossedGuardrail("production: 1 workload is risky", "", ("acme/sre",)),)


def decision(by: str) -> Decision:
    return Decision(
        repository=7, number=1, head_sha="4f2c9ab", report_hash="r", decision="approve", approver_id=1,
        approver=by, reason="", comment_id=1, pull_request="acme/shop#1", at=datetime(2026, 11, 21, tzinfo=UTC),
    )  # fmt: skip


def publication(report: Report, *crossed: CrossedGuardrail, by: str = "", **rules: Any) -> Publication:  # noqa: ANN401 - the rules of the policy
    return compose_publication(
        report,
        crossed,
        CommentRules(**rules),
        comment_links,
        head_sha="4f2c9ab",
        decision=decision(by) if by else None,
    )


@pytest.mark.parametrize(
    ("report", "crossed", "by", "conclusion"),
    [
        pytest.param(sample_reports.savings(), (), "", "success", id="a safe saving never fails"),
        pytest.param(sample_reports.quiet(), (), "", "success", id="no impact"),
        pytest.param(sample_reports.the_story(), (), "", "neutral", id="risky, and no guardrail says stop"),
        pytest.param(sample_reports.unknown(), (), "", "neutral", id="unknown blocks nobody"),
        pytest.param(sample_reports.the_story(), CROSSED, "", "failure", id="a crossed guardrail"),
        pytest.param(sample_reports.the_story(), CROSSED, "ada", "success", id="approved"),
    ],
)
def test_a_check_fails_only_where_the_policy_says_so(
    report: Report, crossed: tuple[CrossedGuardrail, ...], by: str, conclusion: str
) -> None:
    """A doubt is neutral."""
    assert publication(report, *crossed, by=by).check.conclusion == conclusion


def test_it_survives_a_journey_as_json() -> None:
    """Durable workflows keep JSON."""
    told = publication(sample_reports.the_story(), *CROSSED)

    assert Publication.from_json(json.loads(json.dumps(told.to_json()))) == told


def test_each_size_is_smaller_than_the_one_before() -> None:
    """Should GitHub refuse the first, the next is tried."""
    sizes = [len(body) for body in publication(sample_reports.the_story()).comments]

    assert sizes == sorted(sizes, reverse=True)
    assert len({*sizes}) == len(sizes)


def test_findings_stand_on_their_lines_worst_first() -> None:
    """With the value that is safe, and the rule's name to look up."""
    found = publication(sample_reports.the_story()).check.annotations

    assert found[0].level == "failure"
    assert "is safe" in found[0].message
    assert [item.level for item in found] == sorted(
        (item.level for item in found), key=["failure", "warning", "notice"].index
    )


@pytest.mark.parametrize(
    ("report", "rules", "speak"),
    [
        pytest.param(sample_reports.the_story(), {}, True, id="a risk"),
        pytest.param(sample_reports.quiet(), {}, False, id="nothing"),
        pytest.param(sample_reports.quiet(), {"always": True}, True, id="nothing, but always"),
        pytest.param(sample_reports.savings(), {"min_change": Decimal(10**6)}, False, id="below the least change"),
        pytest.param(sample_reports.unreadable(), {}, True, id="what cannot be priced is not silence"),
        pytest.param(sample_reports.the_story(), {"min_change": Decimal(10**6), "min_severity": Severity.RISKY}, True, id="a risk speaks all the same"),
    ],
)  # fmt: skip
def test_a_first_comment_is_made_where_the_policy_wants_one(
    report: Report, rules: dict[str, Any], speak: bool
) -> None:
    """Silence rules never silence a severity they name."""
    assert publication(report, **rules).speak is speak


def test_the_hash_names_the_report_and_not_its_commits() -> None:
    """An approval holds for what was seen."""
    story = sample_reports.the_story()

    assert report_hash(replace(story, base="x", head="y")) == report_hash(story)
    assert report_hash(replace(story, after=story.before)) != report_hash(story)


def test_a_check_summary_fits() -> None:
    """GitHub takes 65,535 characters."""
    assert len(publication(sample_reports.the_story()).check.summary) < MOST_SUMMARY


def test_consent_ends_with_a_higher_cost_or_a_new_risk() -> None:
    """And survives a cheaper report with fewer risks."""
    story = sample_reports.the_story()
    given = consent_to(story)
    dearer = replace(story, after=story.after + Range.exactly(Decimal("0.01")))
    calmer = replace(story, rows=story.rows[1:])

    assert still_covers(given, given)
    assert still_covers(given, consent_to(calmer))
    assert not still_covers(given, consent_to(dearer))
    assert not still_covers(consent_to(calmer), given)
