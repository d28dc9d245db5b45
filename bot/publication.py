"""What is to be said about a pull request, as data: the comment in each size, and the check run.

Nothing is sent from here; handlers carry it out, a dry run prints it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

from bot.comment import render_comment
from bot.comment_commands import CALL
from bot.inert import plain
from bot.page import headline, hides_something
from bot.page_details import Links, remembered, safe_value, without_stop
from bot.policy import CommentRules
from bot.records import Standing
from bot.report_json import report_json
from bot.server_words import as_the_bot_says
from bot.suggestions import Suggestion
from estimators.guardrail import CrossedGuardrail
from estimators.objects import Source
from estimators.report import Finding, Report, Severity, Verdict

CHECK_NAME = "Tuppence"
MOST_SUMMARY = 60_000
"""Characters; GitHub takes 65,535."""
_LEVELS = {Severity.INFO: "notice", Severity.CAUTION: "warning", Severity.RISKY: "failure"}
_SEVERITIES = (Severity.INFO, Severity.CAUTION, Severity.RISKY)


@dataclass(frozen=True, slots=True)
class Annotation:
    """A finding on the line that causes it. `level` is GitHub's: notice, warning or failure."""

    path: str
    line: int
    level: str
    title: str
    message: str


@dataclass(frozen=True, slots=True)
class CheckOutput:
    """A finished check run. `conclusion` is success, neutral or failure."""

    conclusion: str
    title: str
    summary: str
    annotations: tuple[Annotation, ...] = ()


@dataclass(frozen=True, slots=True)
class Publication:
    """All that is said of one head. It travels through durable workflows as JSON.

    `comments` holds the comment from its largest size to its smallest; `speak` says whether the
    policy wants one where none exists yet. `report_hash` names the report for approvals. `suggestions`
    are all that stand; None where the policy wants none, or what is known does not tell.
    """

    head_sha: str
    report_hash: str
    comments: tuple[str, ...]
    speak: bool
    check: CheckOutput
    suggestions: tuple[Suggestion, ...] | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain JSON, and back with `from_json`."""
        return asdict(self)

    @classmethod
    def from_json(cls, value: dict[str, Any]) -> Publication:
        """The publication that `to_json` wrote."""
        check = value["check"]
        annotations = tuple(Annotation(**item) for item in check["annotations"])
        suggestions = value.get("suggestions")
        return cls(
            **{
                **value,
                "comments": tuple(value["comments"]),
                "check": CheckOutput(**{**check, "annotations": annotations}),
                "suggestions": None
                if suggestions is None
                else tuple(Suggestion(**item) for item in suggestions),
            }
        )


def compose_publication(
    report: Report,
    crossed: Sequence[CrossedGuardrail],
    rules: CommentRules,
    links: Links,
    *,
    head_sha: str,
    decided: Standing = Standing(),  # noqa: B008 - it never changes
) -> Publication:
    """What to say about `report`; it turns green when every crossed guardrail was approved."""
    approve = f"{CALL} approve {head_sha[:7]}"
    comments = [
        as_the_bot_says(body)
        for body in _sizes(
            partial(render_comment, report, links=links, crossed=crossed, decided=decided, approve=approve)
        )
    ]
    return Publication(
        head_sha=head_sha,
        report_hash=report_hash(report, crossed),
        comments=tuple(comments),
        speak=_worth_a_comment(report, rules) or bool(crossed),
        check=CheckOutput(
            conclusion=_conclusion(report, crossed, decided),
            title=plain(f"{headline(report)}{_asked_for(crossed, decided)}", 250),
            summary=_summary(comments),
            annotations=tuple(_annotations(report)),
        ),
    )


def _sizes(comment: Callable[..., str]) -> list[str]:
    """The comment as large as it may be, and each smaller size, should GitHub refuse it."""
    comments = [comment()]
    while True:
        smaller = comment(most=len(comments[-1]) - 1)
        if len(smaller) >= len(comments[-1]):
            return comments
        comments.append(smaller)


def report_hash(report: Report, crossed: Sequence[CrossedGuardrail] = ()) -> str:
    """A name for exactly this report and the guardrails it crosses, whatever commits it is called after."""
    told = {**report_json(report, crossed), "base": "", "head": ""}
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()


def _conclusion(report: Report, crossed: Sequence[CrossedGuardrail], decided: Standing) -> str:
    """Failure only where a guardrail says so; a doubt is neutral and blocks nobody."""
    if crossed:
        return "success" if all(item.key in decided.approvals for item in crossed) else "failure"
    well = report.verdict is Verdict.SAFE or (report.verdict is Verdict.NONE and not hides_something(report))
    return "success" if well else "neutral"


def _asked_for(crossed: Sequence[CrossedGuardrail], decided: Standing) -> str:
    """Why a check is red or green again, for a list of checks that shows its title alone."""
    if not crossed:
        return ""
    if decided.rejection is not None:
        return " · rejected"
    given = sum(item.key in decided.approvals for item in crossed)
    if given == len(crossed):
        return " · approved"
    return f" · {given} of {len(crossed)} approvals" if given else " · needs approval"


def _summary(comments: Sequence[str]) -> str:
    return next((body for body in comments if len(body) < MOST_SUMMARY), comments[-1][:MOST_SUMMARY])


def _worth_a_comment(report: Report, rules: CommentRules) -> bool:
    """Whether the policy's silence rules let a first comment through; what people said is never silent."""
    if rules.always or any(map(remembered, report.rows)):
        return True
    worst = max(
        (_SEVERITIES.index(item.severity) for row in report.rows for item in row.findings), default=-1
    )
    if worst >= _SEVERITIES.index(rules.min_severity):
        return True
    change = report.change
    largest = max(abs(change.floor), abs(change.expected), abs(change.ceiling))
    return largest > rules.min_change or (bool(report.unpriced) and not report.rows)


def _annotations(report: Report) -> list[Annotation]:
    """Every finding with a line in a file of the head, worst first."""
    found: list[tuple[Finding, str]] = [
        (finding, str(row.identity))
        for row in report.rows
        for finding in row.findings
        if row.status != "removed" and _has_line(finding.source)
    ]
    found.sort(key=lambda item: -_SEVERITIES.index(item[0].severity))
    return [
        Annotation(
            path=finding.source.file,
            line=finding.source.line,
            level=_LEVELS[finding.severity],
            title=plain(whose, 250),
            message=plain(as_the_bot_says(_told(finding)), 2000),
        )
        for finding, whose in found
    ]


def _told(finding: Finding) -> str:
    told = ". ".join(filter(None, (without_stop(finding.message), safe_value(finding))))
    return f"{told}. ({finding.rule})"


def _has_line(source: Source) -> bool:
    return bool(source.file) and source.line > 0
