"""Exceptions that people gave a reason for, told again where a later pull request changes the same thing."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace

from bot.cost_words import day
from bot.page_details import REMEMBERED
from bot.recommendation_json import recommendation_from
from bot.recommendation_records import KeptRecommendation, RecommendationDecision
from bot.recommendation_words import changes_words, values
from estimators.objects import Identity
from estimators.recommendation import FieldChange as Proposed
from estimators.report import FieldChange, Finding, Report, Row, Severity

MOST = 3
"""Reasons told at one workload, the newest first."""
_INDEX = re.compile(r"((?:^|\.)(?:containers|initContainers))\[[0-9]+\]")

Rejected = tuple[KeptRecommendation, RecommendationDecision]


def with_exceptions(report: Report, rejected: Sequence[Rejected]) -> Report:
    """The report with a finding `remembered` where somebody gave a reason not to change what changes.

    `rejected` is what was rejected in the repository, the newest first. A reason is told where the same
    object of the same environment is removed, or the field changes that was to change then; a request and
    a limit of the same thing count as one. It is told, not judged: verdicts stay.
    """
    reasons: dict[Identity, list[Rejected]] = defaultdict(list)
    for kept, decision in rejected:
        if decision.reason.strip():
            key = Identity(kept.environment, kept.namespace, kept.kind, kept.name)
            reasons[key].append((kept, decision))
    if not reasons:
        return report
    rows = (
        replace(row, findings=(*row.findings, *_findings(row, reasons.get(row.identity, []))))
        for row in report.rows
    )
    return replace(report, rows=tuple(rows))


def _findings(row: Row, reasons: Sequence[Rejected]) -> Iterator[Finding]:
    told: set[tuple[str, str]] = set()
    left = MOST
    for kept, decision in reasons:
        again = list(_touched(row, recommendation_from(kept.recommendation).changes))
        things = {(_thing(proposed.field), proposed.container) for proposed, _ in again}
        if left and not things <= told:
            told |= things
            left -= 1
            yield _finding(row, again, decision)


def _touched(row: Row, proposed: Sequence[Proposed]) -> Iterator[tuple[Proposed, FieldChange | None]]:
    """What was to change and changes now, or goes with its workload."""
    for item in proposed:
        now = next((change for change in row.changes if _is_same(item, change, row.identity)), None)
        if now is not None or row.status == "removed":
            yield item, now


def _is_same(proposed: Proposed, now: FieldChange, workload: Identity) -> bool:
    """Whether a change is one of the proposed field, or of a part of the object that holds it."""
    was, here = _thing(proposed.field), _thing(now.path)
    if here == "spec":  # Of an autoscaler that comes or goes; no change of a workload is said of all of it.
        return proposed.object != workload
    if was != here and not was.startswith((f"{here}.", f"{here}[")):
        return False
    if not proposed.container or not _INDEX.search(now.path) or proposed.container in now.label.split():
        return True
    # Where a workload has one container, its changes do not name it.
    place, resources, _ = now.path.partition(".resources.")
    return bool(resources) and proposed.field.startswith(f"{place}.")


def _thing(field: str) -> str:
    """A field whatever the place of its container in the list is, a limit as the request of the same."""
    return _INDEX.sub(r"\1", field).replace(".limits.", ".requests.")


def _finding(
    row: Row, again: Sequence[tuple[Proposed, FieldChange | None]], decision: RecommendationDecision
) -> Finding:
    proposed, now = again[0]
    what = ", ".join(changes_words(values([item for item, _ in again])))
    when, why = f"{day(decision.at)} {decision.at.year}", " ".join(decision.reason.split())
    return Finding(
        rule=REMEMBERED,
        severity=Severity.INFO,
        message=f"{decision.said} rejected {what} on {when}: «{why}»",
        path=now.path if now else proposed.field,
        source=now.source if now else row.source,
    )
