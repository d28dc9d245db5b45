"""What a report says, in finished words and in reading order. The comment and the terminal lay it out.

Design: the worst first, at most ten rows in sight, the rest counted and behind them. Texts are
single visible lines; strangers' Markdown is still in them, and the templates escape it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields, is_dataclass, replace
from typing import Any, cast

from bot import words
from bot.inert import plain
from bot.page_arithmetic import Arithmetic, arithmetic
from bot.page_details import (
    SEVERITY_RANK,
    Links,
    RowFindings,
    name,
    row_findings,
    safe_value,
    without_stop,
)
from bot.page_rows import (
    Amounts,
    Table,
    UnpricedWords,
    choose,
    may_hurt,
    others_title,
    rank,
    row_words,
    sum_words,
    unpriced_words,
)
from estimators.guardrail import CrossedGuardrail
from estimators.money import cents_that_add_up, total
from estimators.replicas import ASK_FOR_USAGE
from estimators.report import Report, Row, Verdict


@dataclass(frozen=True, slots=True)
class Size:
    """How much of a report is told: rows in the table, further rows, rows of arithmetic, ..."""

    table: int
    others: int
    arithmetic: int
    findings: int
    unpriced: int
    text: int
    """Characters of one text a stranger may have written."""


@dataclass(frozen=True, slots=True)
class Page:
    """All that is said of one report. Empty texts and sequences are left out by whoever shows it."""

    dot: str
    headline: str
    worst: tuple[str, str]
    """Name of the worst row, and its worst finding with what would be safe."""
    sentences: tuple[str, ...]
    gaps: tuple[str, ...]
    """What the report as a whole lacks: told before the rows."""
    table: Table
    others: Table
    others_title: str
    others_left: int
    with_environment: bool
    arithmetic: Arithmetic
    findings: tuple[RowFindings, ...]
    findings_title: str
    findings_left: int
    unpriced: tuple[UnpricedWords, ...]
    unpriced_count: int
    unpriced_left: int
    crossed: tuple[CrossedGuardrail, ...]
    doubts: tuple[str, ...]
    """What else is missing or doubtful: told after the rows."""
    notes: tuple[str, ...]
    footer: tuple[str, ...]
    head: str
    base: str


def is_quiet(report: Report, crossed: Sequence[CrossedGuardrail] = ()) -> bool:
    """Whether there is nothing to say: no impact, and nothing that might hide one."""
    return report.verdict is Verdict.NONE and not (report.change or hides_something(report) or crossed)


def compose(report: Report, size: Size, *, links: Links, crossed: Sequence[CrossedGuardrail] = ()) -> Page:
    """The page of `report` at one size."""
    ranked = sorted(report.rows, key=rank)
    shown, others = choose(ranked, size.table)
    in_cents = cents_that_add_up([row.change.expected for row in ranked])
    cents = {id(row): amount for row, amount in zip(ranked, in_cents, strict=True)}

    def table(rows: Iterable[Row]) -> Table:
        return Table.of(tuple(row_words(row, cents, report.currency, links) for row in rows))

    with_findings = [row for row in ranked if row.findings]
    counted = [row for row in shown + others if row.change]
    doubts = [text for text in report.partial if text not in report.gaps]
    page = Page(
        dot=words.DOTS[report.verdict] or (words.DOTS[Verdict.UNKNOWN] if hides_something(report) else ""),
        headline=headline(report),
        worst=_worst(ranked),
        sentences=tuple(_sentences(report, ranked, cents)),
        gaps=tuple(without_stop(text) for text in report.gaps[: size.unpriced]),
        table=table(shown),
        others=table(others[: size.others]),
        others_title=others_title(others, cents, report.currency),
        others_left=max(0, len(others) - size.others),
        with_environment=len({row.identity.environment for row in ranked}) > 1,
        arithmetic=arithmetic(counted[: size.arithmetic], report),
        findings=tuple(row_findings(row, links) for row in with_findings[: size.findings]),
        findings_title=words.count(sum(len(row.findings) for row in with_findings), "finding"),
        findings_left=max(0, len(with_findings) - size.findings),
        unpriced=tuple(map(unpriced_words, report.unpriced[: size.unpriced])),
        unpriced_count=len(report.unpriced),
        unpriced_left=max(0, len(report.unpriced) - size.unpriced),
        crossed=tuple(crossed),
        doubts=tuple(map(without_stop, doubts[: size.unpriced])),
        notes=report.notes[: size.unpriced],
        footer=tuple(_footer(report)),
        head=words.revision(report.head),
        base=words.revision(report.base),
    )
    return cast("Page", _visible(page, size.text, _TOLD_ONCE if _lacks_usage(report) else ""))


_TOLD_ONCE = ASK_FOR_USAGE
"""Where a report has no usage at all, its first lines and its footer say how to add it, and no row has to."""


def _lacks_usage(report: Report) -> bool:
    return bool(report.rows) and not report.usage


def _visible(value: Any, most: int, once: str) -> Any:  # noqa: ANN401 - whatever a page is made of
    """The same with every text as one visible line of at most `most` characters; addresses stay whole.

    `once` is taken from the end of each text, or of a part of it: it is said elsewhere.
    """
    if isinstance(value, str):
        return plain(_without(value, once) if once else value, most)
    if isinstance(value, tuple):
        return tuple(_visible(item, most, once) for item in value)
    if is_dataclass(value) and not isinstance(value, type):
        texts = {item.name: getattr(value, item.name) for item in fields(value) if item.name != "url"}
        return replace(value, **{key: _visible(text, most, once) for key, text in texts.items()})
    return value


def _without(text: str, once: str) -> str:
    if text == once:
        return ""
    another_way = text.replace(f": {once}, or ", ": ")
    return re.sub(rf": {re.escape(once)}(?=; |$)", "", another_way)


def hides_something(report: Report) -> bool:
    """Whether an impact may be where nobody could look."""
    return bool(report.unpriced or report.gaps)


def headline(report: Report) -> str:
    """Verdict, change, range, confidence and what has no price, in one line that stands alone."""
    if not report.rows and hides_something(report):
        if not report.unpriced:
            return "Not known · incomplete"
        return f"Cost not known · {words.count(len(report.unpriced), 'change')} could not be priced"
    no_impact = report.verdict is Verdict.NONE and hides_something(report)
    parts = ["No impact found" if no_impact else words.VERDICTS[report.verdict], *_amounts(report)]
    parts.append(words.CONFIDENCES[report.confidence])
    if report.unpriced:
        parts.append(f"{len(report.unpriced):,} not priced")
    if report.gaps:
        parts.append("incomplete")
    return " · ".join(part for part in parts if part)


def _amounts(report: Report) -> Iterable[str]:
    change, currency = report.change, report.currency
    between = words.spread(change, currency, "between {} and {}")
    if not any(row.cost_known for row in report.rows) and not change:
        yield "cost not known" if report.rows else "no change in cost"
    elif not change.expected:
        yield "no change in cost expected" if between else "no change in cost"
    else:
        share = words.percent(report.percent)
        yield f"{words.money(change.expected, currency, signed=True)} a month ({share})"
    yield between


def _worst(ranked: list[Row]) -> tuple[str, str]:
    row = next((row for row in ranked if may_hurt(row) and row.findings), None)
    if row is None:
        return "", ""
    finding = min(row.findings, key=lambda item: SEVERITY_RANK[item.severity])
    return name(row), "; ".join(filter(None, (without_stop(finding.message), safe_value(finding))))


def _sentences(report: Report, ranked: list[Row], cents: Amounts) -> Iterable[str]:
    worst, _ = _worst(ranked)
    more = sum(map(may_hurt, ranked)) - bool(worst)
    if more > 0:
        who = words.counted(more, "more change" if worst else "change")
        yield f"{who} {_verb(more, 'needs', 'need')} a look."
    savings = [row.change for row in ranked if row.verdict is Verdict.SAFE and row.change.expected < 0]
    if savings:
        saved = words.money(-total(savings).expected, report.currency)
        who = words.counted(len(savings), "change")
        yield f"{who} {_verb(len(savings), 'is safe and saves', 'are safe and save')} {saved} a month."
    elif report.verdict is Verdict.SAFE:
        yield "Nothing in it looks risky."
    doubtful = sum(row.verdict is Verdict.UNKNOWN for row in ranked)
    if doubtful:
        yield f"{words.counted(doubtful, 'change')} could not be judged{_for_want_of(report)}."
    unknown = sum(not row.cost_known for row in ranked)
    if unknown and unknown < len(ranked):
        who = words.counted(unknown, "change").lower()
        yield f"The amount leaves out {who} whose cost is not known."
    yield from _by_environment(ranked, cents, report.currency)


def _for_want_of(report: Report) -> str:
    """What would have told; how to add it, unless it was asked for and did not answer."""
    if not _lacks_usage(report):
        return "; their rows say what is missing"
    return " without live usage" + ("" if report.gaps else f": {ASK_FOR_USAGE}")


def _by_environment(ranked: list[Row], cents: Amounts, currency: str) -> Iterable[str]:
    places: dict[str, list[Row]] = {}
    for row in ranked:
        places.setdefault(row.identity.environment, []).append(row)
    if 1 < len(places) <= 5:
        parts = (
            f"{place or 'no environment'} {sum_words(rows, cents, currency)}"
            for place, rows in places.items()
        )
        yield f"By environment: {', '.join(parts)}."


def _verb(amount: int, one: str, many: str) -> str:
    return one if amount == 1 else many


def _footer(report: Report) -> Iterable[str]:
    if report.prices:
        yield f"prices: {report.prices}"
    if report.usage:
        yield f"usage: {report.usage}"
    elif report.rows:
        yield "usage: none" if report.gaps else f"usage: none, {ASK_FOR_USAGE}"
    if not report.unpriced and all(row.cost_known for row in report.rows):
        yield "nothing left unpriced"
    if report.left_out_hooks:
        yield f"Helm hooks and tests left out: {report.left_out_hooks:,}"
    yield f"a month is {words.number(report.hours_per_month)} h"
