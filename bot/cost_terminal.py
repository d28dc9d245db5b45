"""An answer about cost on a terminal, or as plain text for files and pipes."""

from __future__ import annotations

import io
from collections.abc import Iterator

from rich.console import Console, Group
from rich.padding import Padding
from rich.table import Table as Grid
from rich.text import Text

from bot.cost_page import CostPage
from bot.cost_page_table import CostSection, CostTable
from bot.cost_words import Sentence, escaped
from bot.inert import plain

_BETWEEN = 3
"""Blanks after each column of a table."""
_LEAST_WORDS = 10


def show_page(page: CostPage, console: Console) -> None:
    """Print it. Colours appear where `console` is a terminal that has them."""
    for part in _parts(page, console.width):
        console.print(part)


def show_on_terminal(page: CostPage) -> None:
    """Print it on standard output, with its width and colours."""
    show_page(page, Console())


def page_as_text(page: CostPage, *, width: int) -> str:
    """The same as plain text of at most `width` columns."""
    console = Console(file=io.StringIO(), width=width, color_system=None, force_terminal=False)
    with console.capture() as capture:
        show_page(page, console)
    return "".join(f"{line.rstrip()}\n" for line in capture.get().splitlines())


def _parts(page: CostPage, width: int) -> Iterator[Text | Padding]:
    yield _line(page.headline)
    parts = [f"{name} {part}" for name, part in page.parts]
    if where := " · ".join(filter(None, (page.trend, *parts))):
        yield Text(where)
    for sentence in page.told:
        yield _line(sentence)
    if page.table:
        yield Padding(_rows(page.table, width), (1, 0, 0, 0))
    if apart := page.apart:
        yield Padding(section(apart), (1, 0, 0, 0))
    if page.small:
        small = Text("\n").join(Text(f"{plain(remark)}", style="dim") for remark in page.small)
        yield Padding(small, (1, 0, 0, 0))


def section(apart: CostSection) -> Group:
    """Its things below each other, each command on a line of its own so that it can be copied."""
    grid = Grid(box=None, padding=(0, 3, 0, 0), show_edge=False, show_header=False)
    grid.add_column(justify="right", no_wrap=True)
    grid.add_column(overflow="fold")
    for amount, told, command in apart.rows:
        grid.add_row(Text(plain(amount)), Text(plain(told)))
        if command:
            grid.add_row(Text(), Text(plain(command), style="dim"))
    title = Text(plain(apart.title), style="bold")
    return Group(title, Text(plain(apart.told)), Padding(grid, (0, 0, 0, 2)), Text(plain(apart.after, 700)))


def _line(sentence: Sentence) -> Text:
    text = Text()
    for part in sentence:
        text.append(escaped(part.text, lambda inner: plain(inner, 700)), "bold" if part.strong else "")
    return text


def _rows(table: CostTable, width: int) -> Grid:
    """Columns, or a paragraph a row on a terminal so narrow that amounts would be cut and words be towers."""
    needed = sum(
        max(len(title), *(len(row[at]) for row in _all_rows(table))) if table.is_number(at) else _LEAST_WORDS
        for at, title in enumerate(table.columns)
    )
    return _grid(table) if needed + _BETWEEN * (len(table.columns) - 1) <= width else _stacked(table)


def _all_rows(table: CostTable) -> tuple[tuple[str, ...], ...]:
    return (*table.rows, table.total) if table.total else table.rows


def _stacked(table: CostTable) -> Grid:
    grid = Grid.grid()
    grid.add_column(overflow="fold")
    titles = table.columns[1:]
    for name, *cells in _all_rows(table):
        told = " · ".join(f"{title} {plain(cell)}" for title, cell in zip(titles, cells, strict=True))
        grid.add_row(Text(plain(name), style="bold"))
        grid.add_row(Padding(Text(told), (0, 0, 0, 2)))
    return grid


def _grid(table: CostTable) -> Grid:
    grid = Grid(box=None, padding=(0, _BETWEEN, 0, 0), show_edge=False, header_style="dim")
    for index, title in enumerate(table.columns):
        right = table.is_number(index)
        grid.add_column(title, justify="right" if right else "left", overflow="fold", no_wrap=right)
    for row in table.rows:
        grid.add_row(*(Text(plain(cell)) for cell in row))
    if table.total:
        grid.add_row(*(Text(plain(cell), style="bold") for cell in table.total))
    return grid
