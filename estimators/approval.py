"""What an approval covers, and whether it still covers a report of a later push."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from estimators.guardrail import CrossedGuardrail
from estimators.report import Finding, Report, Severity


@dataclass(frozen=True, slots=True)
class Consent:
    """What was agreed to: an expected change a month, and risks, each as `workload: rule`.

    `approvers` holds who may approve, once for each guardrail that was crossed.
    """

    change: Decimal
    risks: frozenset[str]
    approvers: frozenset[frozenset[str]] = frozenset()


def consent_to(report: Report, crossed: Sequence[CrossedGuardrail] = ()) -> Consent:
    """What somebody agrees to who approves this report as it stands."""
    risks = frozenset(
        f"{row.identity}: {finding.rule}"
        for row in report.rows
        for finding in row.findings
        if _counts(finding)
    )
    approvers = frozenset(frozenset(item.approvers) for item in crossed)
    return Consent(report.change.expected, risks, approvers)


def still_covers(given: Consent, asked: Consent, *, same_commits: bool = False) -> bool:
    """Whether nothing got dearer and no risk is new: else somebody has to look again.

    Nor may a guardrail be crossed that other people watch over. With `same_commits` the amount
    may move: the change is the one that was approved, only the cluster's utilisation went on.
    """
    cheap_enough = same_commits or asked.change <= given.change
    return cheap_enough and asked.risks <= given.risks and asked.approvers <= given.approvers


def _counts(finding: Finding) -> bool:
    return finding.severity is not Severity.INFO
