"""What an approval covers, and whether it still covers a report of a later push."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from estimators.report import Finding, Report, Severity


@dataclass(frozen=True, slots=True)
class Consent:
    """What was agreed to: an expected change a month, and risks, each as `workload: rule`."""

    change: Decimal
    risks: frozenset[str]


def consent_to(report: Report) -> Consent:
    """What somebody agrees to who approves this report as it stands."""
    risks = frozenset(
        f"{row.identity}: {finding.rule}"
        for row in report.rows
        for finding in row.findings
        if _counts(finding)
    )
    return Consent(report.change.expected, risks)


def still_covers(given: Consent, asked: Consent, *, same_commits: bool = False) -> bool:
    """Whether nothing got dearer and no risk is new: else somebody has to look again.

    With `same_commits` the amount may move: the change is the one that was approved, only the
    cluster's utilisation went on.
    """
    return (same_commits or asked.change <= given.change) and asked.risks <= given.risks


def _counts(finding: Finding) -> bool:
    return finding.severity is not Severity.INFO
