"""Which decision of a person holds for a pull request as it is now."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from decimal import Decimal

from bot.ports import Decisions, Reports
from bot.pull_requests import PullRequestFacts
from bot.records import Decision, PricedReport
from estimators.approval import Consent, still_covers
from estimators.objects import Identity
from estimators.report import Severity

APPROVALS_LAST = timedelta(days=14)
"""How long a report can be approved, and how long its approval counts."""


def decision_in_force(
    facts: PullRequestFacts, asked: Consent, *, reports: Reports, decisions: Decisions, at: datetime
) -> Decision | None:
    """The approval that covers what is asked for, or the rejection of this very head.

    A rejection ends every approval before it; a later approval ends the rejection.
    """
    for decision in decisions.on(facts.ref.repository.id, facts.ref.number):
        if decision.decision == "reject":
            return decision if decision.head_sha == facts.head_sha else None
        approved = reports.find(decision.repository, decision.number, decision.report_hash)
        if approved is None or at >= decision.at + APPROVALS_LAST:
            continue
        same = (decision.head_sha, approved.base_sha) == (facts.head_sha, facts.base_sha)
        if still_covers(stored_consent(approved), asked, same_commits=same):
            return decision
    return None


def stored_consent(report: PricedReport) -> Consent:
    """What somebody agrees to who approves a report, read from the report as it was shown."""
    told = json.loads(report.report)
    risks = {
        f"{Identity(row['environment'], row['namespace'], row['kind'], row['name'])}: {finding['rule']}"
        for row in told["workloads"]
        for finding in row["findings"]
        if finding["severity"] != Severity.INFO
    }
    approvers = {frozenset(item["approvers"]) for item in told["guardrails"]}
    change = Decimal(told["monthly"]["change"]["expected"])
    return Consent(change, frozenset(risks), frozenset(approvers))
