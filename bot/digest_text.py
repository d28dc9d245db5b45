"""A week's digest on a terminal, or as plain text for files and pipes."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import NamedTuple

from rich.console import Console, Group
from rich.padding import Padding
from rich.table import Table as Grid
from rich.text import Text

from bot.cost_terminal import section
from bot.cost_words import WHOLE_FROM, column, escaped, share
from bot.digest import ALL_TEAMS, Digest, DigestItem, MergedPull, TeamWeek
from bot.digest_words import bars, counted, drawn_days, headline, notes, origin, shares
from bot.inert import plain
from bot.recommendation_words import changes_words
from bot.unused_words import apart
from bot.words import CONFIDENCES, NOT_KNOWN, VERDICTS, count, money
from estimators.allocation import as_nano
from estimators.report import Confidence, Verdict

_LONGEST = 300
_BETWEEN = 3
"""Blanks after each column of a table."""
_NARROW = 60
"""Columns of a terminal below which rows are paragraphs."""
_LEAST_NAME = 20
_LESS_NEEDED = ("Before", "Idle", "Budget", "On course", "To save")
"""Columns of the table of teams that a narrow terminal goes without, the first of them first."""


class _Column(NamedTuple):
    title: str
    right: bool = False


def show_on_terminal(digest: Digest) -> None:
    """Print it on standard output, with its width and colours."""
    _show(digest, Console())


def digest_as_text(digest: Digest, *, width: int) -> str:
    """The same as plain text of at most `width` columns."""
    console = Console(file=io.StringIO(), width=width, color_system=None, force_terminal=False)
    with console.capture() as capture:
        _show(digest, console)
    return "".join(f"{line.rstrip()}\n" for line in capture.get().splitlines())


def _show(digest: Digest, console: Console) -> None:
    for part in _parts(digest, console.width):
        console.print(part)


def _parts(digest: Digest, width: int) -> Iterator[Text | Padding]:
    first = Text()
    for part in headline(digest):
        first.append(escaped(part.text, _line), "bold" if part.strong else "")
    yield first
    if not digest.quiet:
        about = [f"{days} {drawn_days(days)}" if (days := bars(digest)) else "", *shares(digest)]
        if told := " · ".join(filter(None, about)):
            yield Text(told)
        for told_apart in _sections(digest, width):
            yield Padding(told_apart, (1, 0, 0, 0))
    if small := list(notes(digest)):
        yield Padding(Text("\n".join(_line(note) for note in small), style="dim"), (1, 0, 0, 0))


def _sections(digest: Digest, width: int) -> Iterator[Group]:
    currency = digest.currency
    if digest.teams:
        yield _titled("Who spent it", _teams(digest.teams, currency, width))
    if digest.movers:
        moved = ((_signed(each.change, currency), each.place, each.cause) for each in digest.movers)
        columns = (_Column("", right=True), _Column(""), _Column(""))
        yield _titled("What moved", _grid(columns, moved, width))
    if digest.recommendations:
        yield _titled(_worth(digest), _recommendations(digest.recommendations, currency, width))
    if unused := apart(digest.unused, digest.currency, whose=digest.team == ALL_TEAMS):
        yield section(unused)
    if digest.merged:
        yield _titled("Merged (a month)", _merged(digest.merged, currency, width))
    if digest.approvals:
        yield _titled("Approved this week (a month)", _approvals(digest, width))
    left = [(row.workload, row.reason) for row in digest.left_alone]
    left += [("", told) for told in counted(digest)]
    if left:
        yield _titled("Left as it is", _grid((_Column(""), _Column("")), left))


def _titled(title: str, rows: Grid) -> Group:
    return Group(Text(title, style="bold"), Padding(rows, (0, 0, 0, 2)))


def _worth(digest: Digest) -> str:
    """The title, with what did not fit: `Worth approving (a month), and 3 more that would save $41`."""
    more = f", and {count(digest.more, 'more')}".removesuffix("s") if digest.more else ""
    saving = f" that would save {money(abs(digest.more_saving), digest.currency)}" if more else ""
    return f"Worth approving (a month){more}{saving}"


def _teams(rows: Sequence[TeamWeek], currency: str, width: int) -> Grid:
    """What each spent, and of what else is known as much as `width` columns take: no amount is ever cut."""
    cells, whole = column([as_nano(row.total) for row in rows], currency)
    least = WHOLE_FROM if "." in whole else Decimal(0)
    told = {
        "Week": [*cells, whole],
        "Before": _cells([row.previous for row in rows], currency, least),
        "Budget": _cells([row.budget_monthly for row in rows], currency, least),
        "On course": _cells([row.projected for row in rows], currency, least),
        "Idle": ["" if row.idle_share is None else share(float(row.idle_share)) for row in rows],
        "To save": _cells([abs(row.savings) or None for row in rows], currency, least),
    }
    told = {title: of for title, of in told.items() if any(of)}
    for title in filter(told.__contains__, _LESS_NEEDED):
        if _LEAST_NAME + sum(_wide(title, of) for title, of in told.items()) > width:
            del told[title]
    columns = (_Column("Team"), *(_Column(title, right=True) for title in told))
    grid = _grid(
        columns, zip([row.team for row in rows], *(of[: len(rows)] for of in told.values()), strict=True)
    )
    grid.add_row("Bill", whole, *[""] * (len(told) - 1), style="bold")
    return grid


def _wide(title: str, cells: Iterable[str]) -> int:
    """How many columns of a terminal its column takes."""
    return max(map(len, (title, *cells))) + _BETWEEN


def _recommendations(items: Sequence[DigestItem], currency: str, width: int) -> Grid:
    """What, how sure that is and where it stands, and why so much of it leaves the bill: a line each."""
    columns = (_Column("Allocated", right=True), _Column("Bill", right=True), _Column(""))
    rows = []
    for item in items:
        verdict, sure = VERDICTS[Verdict(item.verdict)], CONFIDENCES[Confidence(item.confidence)]
        what = Text(_line(f"{item.workload}: {', '.join(changes_words(item.values))}"))
        where = f"{item.environment}, " if item.environment else ""
        place = f"{item.repository} {item.source}".strip()
        what.append(f"\n{_line(f'{verdict}, {sure}; {where}{place}')}", "dim")
        if item.realisable_why:
            what.append(f"\n{_line(f'Bill: {item.realisable_why}')}", "dim")
        bill = NOT_KNOWN if item.realisable is None else money(item.realisable, currency, signed=True)
        rows.append((_signed(item.allocated, currency), bill, what))
    return _grid(columns, rows, width)


def _merged(merged: Sequence[MergedPull], currency: str, width: int) -> Grid:
    columns = (_Column(""), _Column("Predicted", right=True), _Column("Measured", right=True), _Column(""))
    return _grid(
        columns,
        (
            (
                pull.name,
                _signed(pull.predicted, currency),
                "not yet" if pull.measured is None else _signed(pull.measured, currency),
                origin(pull),
            )
            for pull in merged
        ),
        width,
    )


def _approvals(digest: Digest, width: int) -> Grid:
    columns = (_Column(""), _Column("Promised", right=True), _Column("Saved", right=True), _Column(""))
    return _grid(
        columns,
        (
            (
                each.workload if digest.team else f"{each.team} {each.workload}".strip(),
                _signed(each.allocated, digest.currency),
                "not known yet" if each.measured is None else _signed(each.measured, digest.currency),
                f"by {each.said}" + (f", pull request {each.state}" if each.state else ""),
            )
            for each in digest.approvals
        ),
        width,
    )


def _grid(columns: Sequence[_Column], rows: Iterable[Sequence[str | Text]], width: int = _NARROW) -> Grid:
    told = ([Text(_line(cell)) if isinstance(cell, str) else cell for cell in row] for row in rows)
    return _stacked(columns, told) if width < _NARROW else _side_by_side(columns, told)


def _stacked(columns: Sequence[_Column], rows: Iterable[Sequence[Text]]) -> Grid:
    """For a narrow terminal: what a row is about, and its amounts with their titles on a line of its own."""
    grid = Grid.grid()
    grid.add_column(overflow="fold")
    for row in rows:
        about = Text(" ").join(cell for (title, _), cell in zip(columns, row, strict=True) if not title)
        amounts = [f"{title} {cell}" for (title, _), cell in zip(columns, row, strict=True) if title]
        lines = [Text(" · ".join(amounts)), about] if columns[0].title else [about, Text(" · ".join(amounts))]
        grid.add_row(Text("\n").join(line for line in lines if line))
    return grid


def _side_by_side(columns: Sequence[_Column], rows: Iterable[Sequence[Text]]) -> Grid:
    titled = any(title for title, _ in columns)
    grid = Grid(
        box=None, padding=(0, _BETWEEN, 0, 0), show_edge=False, show_header=titled, header_style="dim"
    )
    for title, right in columns:
        grid.add_column(title, justify="right" if right else "left", overflow="fold", no_wrap=right)
    for row in rows:
        grid.add_row(*row)
    return grid


def _cells(amounts: Sequence[Decimal | None], currency: str, whole_from: Decimal) -> list[str]:
    """A column of amounts, `""` for what is not known."""
    cells, _ = column([as_nano(one or Decimal(0)) for one in amounts], currency, whole_from=whole_from)
    return ["" if one is None else cell for one, cell in zip(amounts, cells, strict=True)]


def _signed(amount: Decimal, currency: str) -> str:
    return money(amount, currency, signed=True)


def _line(text: str) -> str:
    return plain(text, _LONGEST) if text else ""
