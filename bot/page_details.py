"""What a row is called, and its findings with their evidence."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from bot import words
from estimators.objects import Source
from estimators.report import Finding, Row, Severity
from estimators.safe_savings import SAVES

Side = Literal["before", "after"]
Links = Callable[[Source, Side], str]
"""The web address of a line on one side of the change, `""` where there is none."""

SEVERITY_RANK = {severity: rank for rank, severity in enumerate(reversed(Severity))}
_SAVES = re.compile(r"([0-9]{1,12}\.[0-9]{2}) ([A-Z]{3})")
REMEMBERED = "remembered"
"""The rule of a finding that judges nothing: it tells a reason that somebody gave."""
_ENOUGH = {"gpu-increase-while-idle"}
"""Rules whose value is not the safe one of two, but all that is needed."""


@dataclass(frozen=True, slots=True)
class FindingWords:
    """One finding; `evidence` is one line of names and values."""

    severity: str
    rule: str
    message: str
    safe: str
    evidence: str
    how_to_know: str
    place: str
    url: str


@dataclass(frozen=True, slots=True)
class RowFindings:
    """The findings of one row, worst first, and how far they would reach."""

    dot: str
    name: str
    environment: str
    findings: tuple[FindingWords, ...]
    blast_radius: str


def name(row: Row) -> str:
    """`payments/api`, or `api` where the manifest names no namespace."""
    identity = row.identity
    return f"{identity.namespace}/{identity.name}" if identity.namespace else identity.name


def place(source: Source) -> str:
    """`k8s/api.yaml:24`; `""` for what stands in no file."""
    return f"{source.file}:{source.line}" if source.file else ""


def side(row: Row) -> Side:
    """The side on which the row's object can be looked at."""
    return "before" if row.status == "removed" else "after"


def row_findings(row: Row, links: Links) -> RowFindings:
    """Every finding of one row with what it rests on."""
    findings = sorted(row.findings, key=lambda finding: SEVERITY_RANK[finding.severity])
    return RowFindings(
        dot=words.DOTS[row.verdict],
        name=name(row),
        environment=row.identity.environment,
        findings=tuple(_finding(finding, links(finding.source, side(row))) for finding in findings),
        blast_radius=row.blast_radius,
    )


def _finding(finding: Finding, url: str) -> FindingWords:
    return FindingWords(
        severity=finding.severity.value,
        rule=finding.rule,
        message=without_stop(finding.message),
        safe=safe_value(finding),
        evidence=" · ".join(f"{key} {value}" for key, value in finding.evidence.items() if key != SAVES),
        how_to_know=finding.how_to_know,
        place=place(finding.source),
        url=url,
    )


def remembered(row: Row) -> tuple[str, ...]:
    """The reasons that somebody gave against such a change."""
    return tuple(found.message for found in row.findings if found.rule == REMEMBERED)


def without_stop(message: str) -> str:
    """A message without its full stop, to be followed by more."""
    return message.rstrip().removesuffix(".")


def safe_value(finding: Finding) -> str:
    """`832Mi is safe and saves $13.92 a month`, the saving where the evidence has it.

    `""` where nothing is safe, or where the message names the value already.
    """
    return safe_words(finding.safe_value, finding.message, finding.rule, finding.evidence.get(SAVES, ""))


def safe_words(value: str, message: str, rule: str, saving: str) -> str:
    """The same of a finding's parts, as a stored report has them; `saving` is `13.92 USD`."""
    if not value or re.search(rf"(?<!\w){re.escape(value)}(?!\w)", message):
        return ""
    how = "enough" if rule in _ENOUGH else "safe"
    saves = _SAVES.fullmatch(saving)
    saved = f" and saves {words.money(Decimal(saves[1]), saves[2])} a month" if saves else ""
    return f"{value} is {how}{saved}"
