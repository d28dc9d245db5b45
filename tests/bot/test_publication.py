"""What is said about a pull request, as data."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Literal

import pytest

from bot.policy import CommentRules
from bot.publication import MOST_SUMMARY, Publication, compose_publication, report_hash
from bot.records import Decision, Standing
from estimators.approval import consent_to, still_covers
from estimators.guardrail import CrossedGuardrail
from estimators.money import Range
from estimators.report import Report, Severity
from tests.bot import sample_reports
from tests.bot.sample_reports import comment_links

CROSSED = (CrossedGuardrail("production: 1 workload is risky", "", ("acme/sre",), "risk"),)
TWO = (*CROSSED, CrossedGuardrail("+$1,000 a month is above $500", "", ("acme/finops",), "money"))


def decision(by: str, guardrail: str = "risk", decided: Literal["approve", "reject"] = "approve") -> Decision:
    return Decision(
        repository=7, number=1, head_sha="4f2c9ab", report_hash="r", guardrail=guardrail, decision=decided,
        approver_id=1, approver=by, reason="too dear, @acme/all", comment_id=1, pull_request="acme/shop#1", at=datetime(2026, 11, 21, tzinfo=UTC),
    )  # fmt: skip


def approvals(**by: str) -> Standing:
    """By guardrail."""
    return Standing(approvals={key: decision(who, key) for key, who in by.items()})


def publication(
    report: Report,
    *crossed: CrossedGuardrail,
    decided: Standing = Standing(),  # noqa: B008 - it never changes
    **rules: Any,  # noqa: ANN401 - the rules of the policy
) -> Publication:
    return compose_publication(
        report,
        crossed,
        CommentRules(**rules),
        comment_links,
        head_sha="4f2c9ab",
        decided=decided,
    )


@pytest.mark.parametrize(
    ("report", "crossed", "decided", "conclusion"),
    [
        pytest.param(sample_reports.savings(), (), Standing(), "success", id="a safe saving never fails"),
        pytest.param(sample_reports.quiet(), (), Standing(), "success", id="no impact"),
        pytest.param(
            sample_reports.the_story(), (), Standing(), "neutral", id="risky, and no guardrail says stop"
        ),
        pytest.param(sample_reports.unknown(), (), Standing(), "neutral", id="unknown blocks nobody"),
        pytest.param(sample_reports.unreadable(), (), Standing(), "neutral", id="unread is not green"),
        pytest.param(sample_reports.the_story(), CROSSED, Standing(), "failure", id="a crossed guardrail"),
        pytest.param(sample_reports.the_story(), CROSSED, approvals(risk="ada"), "success", id="approved"),
        pytest.param(
            sample_reports.the_story(), TWO, approvals(risk="ada"), "failure", id="approved in part"
        ),
        pytest.param(
            sample_reports.the_story(), TWO, approvals(risk="ada", money="bob"), "success", id="each approved"
        ),
        pytest.param(
            sample_reports.the_story(), CROSSED, approvals(other="ada"), "failure", id="another was approved"
        ),
        pytest.param(
            sample_reports.the_story(), TWO, Standing(rejection=decision("ada")), "failure", id="rejected"
        ),
    ],
)
def test_a_check_fails_only_where_the_policy_says_so(
    report: Report, crossed: tuple[CrossedGuardrail, ...], decided: Standing, conclusion: str
) -> None:
    """A doubt is neutral."""
    assert publication(report, *crossed, decided=decided).check.conclusion == conclusion


@pytest.mark.parametrize(
    ("crossed", "decided", "title", "said"),
    [
        pytest.param(
            TWO,
            Standing(),
            "needs approval",
            ["Needs approval by **@acme/sre**.", "Needs approval by **@acme/finops**.", "To approve: `/tuppence approve 4f2c9ab`"],
            id="nobody yet",
        ),
        pytest.param(
            TWO,
            approvals(risk="ada"),
            "1 of 2 approvals",
            ["is risky. **Approved by `ada`.**", "Needs approval by **@acme/finops**.", "To approve: "],
            id="one of two",
        ),
        pytest.param(
            TWO,
            approvals(risk="ada", money="bob"),
            "approved",
            ["is risky. **Approved by `ada`.**", "$500. **Approved by `bob`.**"],
            id="both",
        ),
        pytest.param(
            TWO,
            Standing(rejection=decision("ada", decided="reject")),
            "rejected",
            ["is risky.\n", "$500.\n", "**Rejected by `ada`:** too dear, @\u200bacme/all"],
            id="rejected",
        ),
        pytest.param(
            (replace(CROSSED[0], approvers=()),),
            Standing(),
            "needs approval",
            ["The policy names nobody who may approve it."],
            id="by nobody",
        ),
    ],
)  # fmt: skip
def test_the_check_says_who_approved_what_and_what_is_missing(
    crossed: tuple[CrossedGuardrail, ...], decided: Standing, title: str, said: list[str]
) -> None:
    """Each guardrail with its own state; only those that are missing call anybody."""
    told = publication(sample_reports.the_story(), *crossed, decided=decided)

    assert told.check.title.endswith(f" · {title}")
    assert [words for words in said if words not in told.comments[0]] == []
    assert told.check.summary == told.comments[0]
    called = told.comments[0].count("**@")
    assert called == sum(words.startswith("Needs approval by **@") for words in said)
    assert ("To approve" in told.comments[0]) == any(words.startswith("To approve") for words in said)


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
