"""A report on a terminal: what the comment shows at a glance; with `details`, what it folds away as well."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.padding import Padding
from rich.style import Style
from rich.table import Table as Grid
from rich.text import Text

from bot import words
from bot.inert import address
from bot.page import Page, Size, compose, is_quiet
from bot.page_arithmetic import RowArithmetic, Sum
from bot.page_details import Links, RowFindings
from bot.page_rows import RowWords, Table
from estimators.guardrail import CrossedGuardrail
from estimators.report import Report

_GLANCE = Size(table=10, others=0, arithmetic=0, findings=0, unpriced=5, text=300)
_DETAILS = Size(table=10, others=1000, arithmetic=10, findings=100, unpriced=1000, text=300)
_WIDE = 110
"""Columns from which the rows stand in a table; below, each is a small paragraph."""
_NARROW = 60
"""Columns below which a spread stands under its amount: beside it no room is left for a name."""
_STYLES = {"Risky": "bold red", "Caution": "yellow", "Unknown": "bright_black", "Safe": "green"}


def show_report(
    report: Report,
    console: Console,
    *,
    links: Links,
    crossed: Sequence[CrossedGuardrail] = (),
    details: bool = False,
) -> None:
    """Print `report`. Colours and links appear where `console` is a terminal that has them."""
    if is_quiet(report, crossed):
        console.print(Text(f"No cost or reliability impact at {words.revision(report.head)}."))
        return
    page = compose(report, _DETAILS if details else _GLANCE, links=links, crossed=crossed)
    for part in _parts(page, console.width, details=details):
        console.print(part)


def report_as_text(
    report: Report,
    *,
    width: int,
    links: Links,
    crossed: Sequence[CrossedGuardrail] = (),
    details: bool = False,
) -> str:
    """The same as plain text of at most `width` columns, for files and pipes."""
    console = Console(file=io.StringIO(), width=width, color_system=None, force_terminal=False)
    with console.capture() as capture:
        show_report(report, console, links=links, crossed=crossed, details=details)
    return "".join(f"{line.rstrip()}\n" for line in capture.get().splitlines())


Part = Text | Grid | Padding


def _parts(page: Page, width: int, *, details: bool) -> Iterable[Part]:
    verdict = page.headline.partition(" · ")[0]
    yield Text(page.headline, style=_STYLES.get(verdict, "bold"))
    worst = [f"{page.worst[0]}: {page.worst[1]}."] if page.worst[0] else []
    if told := " ".join([*worst, *page.sentences]):
        yield Text(told)
    if page.gaps:
        yield Text(f"Incomplete: {'; '.join(page.gaps)}.", style="yellow")
    yield from _rows(page.table, page, width)
    if page.others_title:
        yield _title(page.others_title)
    if details:
        yield from _details(page)
    yield from _closing(page)
    if page.table.rows and not details:
        findings = f", {page.findings_title} with evidence" if page.findings_left else ""
        others = f", {words.count(page.others_left, 'more workload')}" if page.others_left else ""
        yield Text(f"with --details: how these numbers were made{findings}{others}", "dim")


def _details(page: Page) -> Iterable[Part]:
    if page.others.rows:
        yield _short_rows(page)
    yield from _left(page.others_left, "more")
    if page.arithmetic.rows or page.notes:
        yield _title("How these numbers were made")
    yield from (_indented(f"{line}.", 2, "dim") for line in page.arithmetic.basis)
    for item in page.arithmetic.rows:
        yield from _arithmetic(item, page)
    yield from (_item(note) for note in page.notes)
    if page.findings:
        yield _title(f"{page.findings_title}, with evidence")
    for row in page.findings:
        yield from _findings(row, page)
    yield from _left(page.findings_left, "more workloads with findings")


def _closing(page: Page) -> Iterable[Part]:
    if page.unpriced_count:
        yield _title(f"Not priced: {page.unpriced_count:,}")
    for item in page.unpriced:
        name = " ".join(filter(None, (item.kind, item.name, f"in {item.file}" if item.file else "")))
        yield _item(f"{name}: {item.reason}")
    yield from _left(page.unpriced_left, "more")
    if page.doubts:
        yield _title("Doubts about these numbers")
    yield from (_item(text) for text in page.doubts)
    for index, crossed in enumerate(page.crossed):
        approvers = f" Needs approval by {' or '.join(crossed.approvers)}." if crossed.approvers else ""
        told = Text().append("Guardrail crossed:", "bold red")
        told.append(f" {crossed.why}. {crossed.message}".rstrip() + approvers)
        yield Padding(told, (0 if index else 1, 0, 0, 0))
    yield _title(" · ".join([f"{page.head} against {page.base}", *page.footer]), "dim")


def _title(text: str, style: str = "bold") -> Padding:
    return Padding(Text(text, style=style), (1, 0, 0, 0))


def _indented(text: str | Grid, by: int = 2, style: str = "") -> Padding:
    return Padding(Text(text, style=style) if isinstance(text, str) else text, (0, 0, 0, by))


def _item(text: str) -> Grid:
    grid = Grid.grid(padding=(0, 1, 0, 0))
    grid.add_row(Text("  -"), Text(text))
    return grid


def _left(count: int, what: str) -> Iterable[Part]:
    if count:
        yield _indented(f"{count:,} {what}, not shown here")


def _name(row: RowWords, page: Page) -> Text:
    url = address(row.url)
    name = Text().append(row.name, style=Style(bold=True, link=url or None))
    beside = " ".join(filter(None, (row.kind, row.environment if page.with_environment else "")))
    return name.append(f" {beside}") if beside else name


def _amount(row: RowWords, *, between: str = " ") -> Text:
    spread = f"{between}({row.spread})" if row.spread else ""
    return Text().append(row.amount, style="bold").append(spread, "dim")


def _rows(table: Table, page: Page, width: int) -> Iterable[Part]:
    if not table.rows:
        return
    yield Text()
    if width >= _WIDE:
        yield _wide(table, page)
        return
    for row in table.rows:
        grid = Grid.grid(padding=(0, 2, 0, 0), expand=True)
        grid.add_column(width=9, no_wrap=True)
        grid.add_column(ratio=1, overflow="fold")
        grid.add_column(justify="right", no_wrap=True)
        amount = _amount(row, between="\n" if width < _NARROW else " ")
        grid.add_row(Text(row.verdict, style=_STYLES.get(row.verdict, "")), _name(row, page), amount)
        yield grid
        told = (", ".join(row.changes) + (f" · seen: {row.seen}" if row.seen else ""), row.why)
        yield from (_indented(text, 11) for text in told if text)
        if row.place:
            yield _indented(row.place, 11, "dim")


def _wide(table: Table, page: Page) -> Grid:
    grid = Grid(box=None, padding=(0, 2, 0, 0), show_edge=False, header_style="dim", expand=True)
    grid.add_column("")
    grid.add_column("Workload", overflow="fold", ratio=5)
    grid.add_column("Per month", justify="right", no_wrap=True)
    grid.add_column("Change", overflow="fold", ratio=5)
    if table.with_seen:
        grid.add_column("Seen live", overflow="fold", ratio=4)
    grid.add_column("Why, and where" if table.with_why else "Where", overflow="fold", ratio=9)
    for row in table.rows:
        cells = [Text(row.verdict, style=_STYLES.get(row.verdict, "")), _name(row, page)]
        cells.append(_lines(Text().append(row.amount, style="bold"), row.spread))
        cells.append(Text("\n".join(row.changes)))
        cells += [Text(row.seen)] if table.with_seen else []
        cells.append(_lines(Text(row.why), row.place))
        grid.add_row(*cells)
    return grid


def _lines(first: Text, second: str) -> Text:
    return Text("\n").join(text for text in (first, Text(second, style="dim")) if text)


def _short_rows(page: Page) -> Grid:
    grid = Grid.grid(padding=(0, 2, 0, 0), expand=True)
    grid.add_column(width=11, no_wrap=True)
    grid.add_column(overflow="fold", ratio=3)
    grid.add_column(overflow="fold", ratio=4)
    grid.add_column(justify="right", no_wrap=True)
    for row in page.others.rows:
        verdict = Text(f"  {row.verdict}", style=_STYLES.get(row.verdict, ""))
        grid.add_row(verdict, _name(row, page), Text(", ".join(row.changes)), _amount(row))
    return grid


def _arithmetic(item: RowArithmetic, page: Page) -> Iterable[Part]:
    """One side under the other, which fits anywhere; the amounts stand in one column."""
    beside = f" {item.environment}" if item.environment and page.with_environment else ""
    yield _indented(f"{item.name}{beside}", 2, "bold")
    grid = Grid.grid(padding=(0, 2, 0, 0))
    grid.add_column()
    grid.add_column()
    grid.add_column(overflow="fold")
    grid.add_column(justify="right", no_wrap=True)
    for when in ("before", "after"):
        sums = [(line.label, line.before if when == "before" else line.after) for line in item.lines]
        for index, (label, told) in enumerate((label, told) for label, told in sums if told != Sum()):
            formula = told.formula or (f"between {told.spread.replace('…', ' and ')}" if told.spread else "")
            first = Text("" if index else when, "dim")
            grid.add_row(first, Text(label), Text(formula), Text(told.amount))
    yield _indented(grid, 4)
    yield from (_indented(note, 4, "dim") for note in item.notes)


def _findings(row: RowFindings, page: Page) -> Iterable[Part]:
    beside = f" {row.environment}" if row.environment and page.with_environment else ""
    yield _indented(f"{row.name}{beside}", 2, "bold")
    for finding in row.findings:
        place = f" ({finding.place})" if finding.place else ""
        safe = f" {finding.safe}." if finding.safe else ""
        yield _indented(f"{finding.severity}: {finding.message}.{safe}{place}", 4)
        if finding.evidence:
            yield _indented(f"evidence: {finding.evidence}", 6, "dim")
        if finding.how_to_know:
            yield _indented(f"to know: {finding.how_to_know}", 6)
    if row.blast_radius:
        yield _indented(f"blast radius: {row.blast_radius}", 4)
