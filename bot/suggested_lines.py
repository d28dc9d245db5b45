"""Which lines hold a value that has a safe one, and what they would be with it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from bot import words
from bot.inert import code, md
from bot.manifests.value_on_line import LinesOfFile, Span, replaced
from bot.page_details import SEVERITY_RANK, name, safe_value, without_stop
from bot.ports import Tree
from bot.signed_marker import short_name
from bot.suggestions import Suggestion
from estimators.objects import Source
from estimators.quantity import parse_quantity
from estimators.report import Finding, Report, Row, Severity, Verdict
from estimators.safe_savings import SAVES

_MOST_FINDINGS = 50
_DOTS = {Severity.RISKY: words.DOTS[Verdict.RISKY], Severity.CAUTION: words.DOTS[Verdict.CAUTION]}
_AT_LEAST = frozenset(
    {
        "cpu-limit-throttles",
        "cpu-request-below-usage",
        "hpa-ceiling",
        "hpa-floor",
        "limit-below-request",
        "memory-limit-below-peak",
        "memory-limit-tight",
        "memory-request-below-usage",
        "no-failover",
        "oom-history",
        "single-replica",
    }
)
"""Rules for which what is more than their safe value is safe too."""


class _Told(NamedTuple):
    """A finding that has a safe value, and whose it is."""

    finding: Finding
    row: Row


def suggest(report: Report, base: Tree, head: Tree) -> tuple[Suggestion, ...]:
    """A suggestion for each line of a changed YAML file that holds a value with a safe one, worst first.

    A person must have written the line: what a template fills in has none of its own. A file that
    cannot be read gives nothing, since nothing proves that the right value would be replaced.
    """
    before, after = base.paths(), head.paths()
    found = [
        _Told(finding, row)
        for row in report.rows
        for finding in row.findings
        if row.status != "removed" and _is_offered(finding, before, after)
    ]
    found.sort(key=lambda one: (SEVERITY_RANK[one.finding.severity], one.row.identity, one.finding.path))
    lines: dict[Source, list[_Told]] = defaultdict(list)
    for one in found[:_MOST_FINDINGS]:
        lines[one.finding.source].append(one)
    files = {file: LinesOfFile(data) for file, data in head.read(sorted({source.file for source in lines}))}
    offered = (
        _on_line(source, after[source.file], files[source.file], told)
        for source, told in lines.items()
        if source.file in files
    )
    return tuple(suggestion for suggestion in offered if suggestion)


def _is_offered(finding: Finding, before: Mapping[str, str], after: Mapping[str, str]) -> bool:
    file = finding.source.file
    if not finding.safe_value or not finding.value or not file.endswith((".yaml", ".yml")):
        return False
    return file in after and after[file] != before.get(file)


def _on_line(source: Source, content: str, lines: LinesOfFile, found: Sequence[_Told]) -> Suggestion | None:
    """One suggestion for the whole line: GitHub applies no second one to it."""
    places: dict[Span, list[_Told]] = defaultdict(list)
    for one in found:
        finding = one.finding
        place = lines.value(source.line, finding.path, finding.value, finding.safe_value)
        if place:
            places[place].append(one)
    agreed = {place: best for place, alike in places.items() if (best := _agreed(alike))}
    written = lines.text(source.line)
    if not agreed or written is None:
        return None
    told = tuple(agreed.values())
    worst = told[0]
    return Suggestion(
        fingerprint=short_name("\n".join([source.file, str(worst.row.identity), worst.finding.path])),
        path=source.file,
        content=content,
        line=source.line,
        replacement=replaced(written, {place: one.finding.safe_value for place, one in agreed.items()}),
        reason="\n".join(map(_reason, told)),
        evidence="\n".join(map(_evidence, told)),
    )


def _agreed(found: Sequence[_Told]) -> _Told | None:
    """The one whose value is safe for all that share the line; None where there is no such value."""
    if len({one.finding.safe_value for one in found}) == 1:
        return found[0]
    if any(one.finding.rule not in _AT_LEAST for one in found):
        return None
    return max(found, key=lambda one: parse_quantity(one.finding.safe_value))


def _reason(one: _Told) -> str:
    """Like `🔴 **payments/api**: memory limit 512Mi is below the 683 MiB it peaked at. 832Mi is safe.`."""
    finding = one.finding
    dot = f"{_DOTS[finding.severity]} " if finding.severity in _DOTS else ""
    safe = safe_value(finding)
    more = f" {md(safe)}." if safe else ""
    return f"{dot}**{md(name(one.row))}**: {md(without_stop(finding.message))}.{more}"


def _evidence(one: _Told) -> str:
    facts = [f"{md(key)} {md(value)}" for key, value in one.finding.evidence.items() if key != SAVES]
    parts = [md(str(one.row.identity)), *facts, code(one.finding.rule)]
    return f"<sub>{' · '.join(parts)}</sub>"
