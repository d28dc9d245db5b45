"""The verdict of a row and of a report, and why it is `unknown` where it is."""

from __future__ import annotations

from collections.abc import Iterable

from estimators.change import WorkloadChange
from estimators.report import Finding, Row, Severity, Verdict
from estimators.rules.containers import containers
from estimators.rules.losses import losses, uncovered

_BY_SEVERITY = {Severity.RISKY: Verdict.RISKY, Severity.CAUTION: Verdict.CAUTION}
_WORST_FIRST = tuple(Verdict)


def row_verdict(change: WorkloadChange, findings: Iterable[Finding]) -> Verdict:
    """The worst of risky > caution > unknown > safe > none.

    Without a finding of caution or worse: `unknown` where a cost is not known or history does not
    cover what is taken away, `none` where nothing that costs or risks changed, else `safe`.
    """
    if found := worst_verdict(findings):
        return found
    if unknown_because(change):
        return Verdict.UNKNOWN
    return Verdict.SAFE if _changes_anything(change) else Verdict.NONE


def worst_verdict(findings: Iterable[Finding]) -> Verdict | None:
    """Risky or caution as the worst of the findings says; None where they are information alone."""
    found = [_BY_SEVERITY[item.severity] for item in findings if item.severity in _BY_SEVERITY]
    return _worst(found) if found else None


def report_verdict(rows: Iterable[Row]) -> Verdict:
    """The worst verdict of the rows, `none` for no rows."""
    return _worst([row.verdict for row in rows])


def unknown_because(change: WorkloadChange) -> str:
    """What would have to be known, and the flag or setting that tells; `""` where nothing is missing."""
    for side in (change.after, change.before):
        if side is not None and side.estimate is None:
            return side.unknown_cost or "its cost is not known"
    return uncovered(change, losses(change))


def _worst(verdicts: list[Verdict]) -> Verdict:
    return min(verdicts, key=_WORST_FIRST.index, default=Verdict.NONE)


def _changes_anything(change: WorkloadChange) -> bool:
    before, after = change.before, change.after
    if before is None or after is None or change.changes or losses(change):
        return True
    if any(item.touched for item in containers(change)):
        return True
    old, new = before.estimate, after.estimate
    return old is not None and new is not None and old.monthly != new.monthly
