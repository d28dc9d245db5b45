"""Which decisions of people hold for a pull request as it is now."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Decimal
from itertools import takewhile

from bot.ports import Decisions, Reports
from bot.pull_requests import PullRequestFacts
from bot.records import Decision, PricedReport, Standing
from estimators.approval import Consent, still_covers
from estimators.objects import Identity
from estimators.report import Severity

APPROVALS_LAST = timedelta(days=14)
"""How long a report can be approved, and how long its approval counts."""


def standing(
    facts: PullRequestFacts,
    asked: Consent,
    guardrails: Iterable[str],
    *,
    reports: Reports,
    decisions: Decisions,
    at: datetime,
) -> Standing:
    """The approvals of those guardrails (keys) that cover what is asked for, or the rejection of this head.

    A rejection holds for its head, whoever approves, and ends every approval before it.
    """
    decided = decisions.on(facts.ref.repository.id, facts.ref.number)
    for decision in decided:
        if decision.decision == "reject" and decision.head_sha == facts.head_sha:
            return Standing(rejection=decision)
    approvals: dict[str, Decision] = {}
    wanted = set(guardrails)
    for approval in takewhile(lambda each: each.decision == "approve", decided):
        if approval.guardrail in wanted - approvals.keys() and _covers(approval, facts, asked, reports, at):
            approvals[approval.guardrail] = approval
    return Standing(approvals=approvals)


def _covers(
    approval: Decision, facts: PullRequestFacts, asked: Consent, reports: Reports, at: datetime
) -> bool:
    approved = reports.find(approval.repository, approval.number, approval.report_hash)
    if approved is None or at >= approval.at + APPROVALS_LAST:
        return False
    same = (approval.head_sha, approved.base_sha) == (facts.head_sha, facts.base_sha)
    return still_covers(stored_consent(approved), asked, same_commits=same)


def stored_consent(report: PricedReport) -> Consent:
    """What somebody agrees to who approves a report, read from the report as it was shown."""
    told = json.loads(report.report)
    risks = {
        f"{Identity(row['environment'], row['namespace'], row['kind'], row['name'])}: {finding['rule']}"
        for row in told["workloads"]
        for finding in row["findings"]
        if finding["severity"] != Severity.INFO
    }
    return Consent(Decimal(told["monthly"]["change"]["expected"]), frozenset(risks))
