"""The table of an answer about cost: rows whose shown amounts add up to the total below them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from bot.cost_answer import CostAnswer
from bot.cost_commands import CostQuestion
from bot.cost_words import column, share
from estimators.showback import Kind, Parts, Row

NOT_KNOWN = "—"
_WORKLOAD, _CHANGE = "Workload", "Change"
_TITLES = {
    "namespace": "Namespace",
    "team": "Team",
    "application": "Application",
    "environment": "Environment",
    "business-unit": "Business unit",
    "gpu": "Model",
    "idle": "Node",
    "node": "Node",
}
_NOBODYS = {
    Kind.UNALLOCATED: "unallocated",
    Kind.IDLE: "idle, nobody's",
    Kind.CENTRAL: "shared, kept central",
}


@dataclass(frozen=True, slots=True)
class CostTable:
    """Columns of numbers are right-aligned; `words` are those of names and sentences.

    `total` is a last row; `left_out` is how many rows of things were put together into one.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    total: tuple[str, ...] = ()
    left_out: int = 0
    words: Collection[int] = (0,)

    def is_number(self, column: int) -> bool:
        """Whether a column is of numbers, which are right-aligned and never broken."""
        return column not in self.words


class CostSection(NamedTuple):
    """Things that are no part of the table and its sum: what each costs, what it is, and a command.

    `told` is to be read before them, `after` after them.
    """

    title: str
    told: str
    rows: tuple[tuple[str, str, str], ...]
    after: str


def part_names(question: CostQuestion) -> tuple[str, ...]:
    """What the parts of a cost are called, in the order of `Parts`; a node's idle is all its own."""
    its = "its share of " if question.name and question.kind != "node" else ""
    return ("CPU", "memory", "GPU", "storage", "load balancers", f"{its}idle", "shared costs")


def table_of(answer: CostAnswer, most: int, *, compared: bool) -> CostTable | None:
    """At most `most` rows of things, and those of nobody; None where there is nothing to list."""
    if answer.question.versus or answer.question.kind == "workload":
        return _of_parts(answer, compared=compared)
    things, nobodys = _sorted(answer)
    shown, rest = things[:most], things[most:]
    together = [_together(rest)] if rest else []
    rows = [*shown, *together, *nobodys]
    if not rows or (answer.question.name and len(rows) == 1):  # the headline says it already
        return None
    names = [
        *(_name(row, answer) for row in shown),
        *(f"{len(rest):,} more" for _ in together),
        *(_nobodys(row, answer) for row in nobodys),
    ]
    match answer.question.kind:
        case "idle":
            columns, total = _idle(rows, answer.currency)
        case "node":
            columns, total = _nodes(rows, answer, compared=compared)
        case "gpu":
            columns, total = _gpu(rows, answer.currency)
        case _:
            columns, total = _costs(rows, answer, compared=compared)
    title = _title(answer.question)
    cells = zip(names, *columns.values(), strict=True)
    last = ("Total", *total) if len(rows) > 1 else ()
    return CostTable((title, *columns), tuple(cells), last, len(rest))


def changes_of_workloads(table: CostTable | None) -> dict[str, str]:
    """What each workload of the table changed by, as it is shown there; nothing for other tables."""
    if table is None or table.columns[0] != _WORKLOAD or _CHANGE not in table.columns:
        return {}
    at = table.columns.index(_CHANGE)
    return {row[0]: row[at] for row in table.rows}


def _title(asked: CostQuestion) -> str:
    """What rows are of; a namespace's and a team's are workloads."""
    if asked.name and asked.kind != "node":
        return _WORKLOAD
    return _TITLES.get(asked.kind) or asked.label or _WORKLOAD


def _sorted(answer: CostAnswer) -> tuple[list[Row], list[Row]]:
    rows = [row for row in answer.found.rows if row.cost or row.previous]
    if answer.question.kind == "idle":
        rows.sort(key=lambda row: (-row.parts.idle_share, row.group))
    if answer.question.kind == "gpu":
        return rows, []
    things = [row for row in rows if row.kind is Kind.TENANT]
    return things, [row for row in rows if row.kind is not Kind.TENANT]


def _name(row: Row, answer: CostAnswer) -> str:
    asked = answer.question
    if asked.kind == "namespace" and asked.name:
        return row.group.removeprefix(f"{asked.name}/")
    return row.group or "model not known"


def _nobodys(row: Row, answer: CostAnswer) -> str:
    if row.kind is Kind.UNALLOCATED and answer.question.label:
        return "without the label"
    return _NOBODYS[row.kind]


def _together(rows: Sequence[Row]) -> Row:
    previous = [row.previous for row in rows]
    return Row(
        "",
        Kind.TENANT,
        Parts(*map(sum, zip(*(row.parts for row in rows), strict=True))),
        sum(row.used_cost for row in rows),
        sum(row.measured_cost for row in rows),
        previous=sum(each or 0 for each in previous) if previous[0] is not None else None,
    )


Columns = tuple[dict[str, list[str]], list[str]]
"""Cells by the title of their column, and the cells of the total."""


def _costs(rows: Sequence[Row], answer: CostAnswer, *, compared: bool) -> Columns:
    columns, total = _changes(rows, answer.currency, compared=compared)
    whole = answer.found.total.efficiency
    columns["Uses"] = [_use(row.efficiency) for row in rows]
    return columns, [*total, _use(whole)]


def _changes(rows: Sequence[Row], currency: str, *, compared: bool) -> Columns:
    """What they cost, and against the window before where that is a measure."""
    columns, total = {}, []
    columns["Cost"], cost = column([row.cost for row in rows], currency)
    total.append(cost)
    if compared:
        changes = [row.cost - (row.previous or 0) for row in rows]
        columns[_CHANGE], changed = column(changes, currency, signed=True)
        total.append(changed)
    return columns, total


def _nodes(rows: Sequence[Row], answer: CostAnswer, *, compared: bool) -> Columns:
    columns, total = _changes(rows, answer.currency, compared=compared)
    idle, (_, *of_all) = _idle(rows, answer.currency)
    return {**columns, **idle, "Cost": columns["Cost"]}, [*total, *of_all]


def _idle(rows: Sequence[Row], currency: str) -> Columns:
    costs, cost = column([row.cost for row in rows], currency)
    idle, all_idle = column([row.parts.idle_share for row in rows], currency)
    parts = [_use(row.parts.idle_share / row.cost if row.cost else None) for row in rows]
    whole = sum(row.cost for row in rows)
    part = _use(sum(row.parts.idle_share for row in rows) / whole if whole else None)
    return {"Cost": costs, "Idle": idle, "Idle share": parts}, [cost, all_idle, part]


def _gpu(rows: Sequence[Row], currency: str) -> Columns:
    costs, cost = column([row.cost for row in rows], currency)
    unheld, all_unheld = column([row.parts.idle_share for row in rows], currency)
    slack = [round(row.measured_cost - row.used_cost) for row in rows]
    idle, all_idle = column(slack, currency)
    idle = [cell if row.measured_cost else NOT_KNOWN for cell, row in zip(idle, rows, strict=True)]
    together = _together(rows)
    columns = {
        "Cost": costs,
        "Nobody held": unheld,
        "Held, not busy": idle,
        "Busy": [_use(row.efficiency) for row in rows],
    }
    last = all_idle if together.measured_cost else NOT_KNOWN
    return columns, [cost, all_unheld, last, _use(together.efficiency)]


def _of_parts(answer: CostAnswer, *, compared: bool) -> CostTable | None:
    """Part by part; beside the window before where that is a measure."""
    earlier = answer.found.previous_parts if compared else None
    names = part_names(answer.question)
    then = earlier or Parts()
    kept = [
        (name, now, before)
        for name, now, before in zip(names, answer.found.total.parts, then, strict=True)
        if now or before
    ]
    if not kept:
        return None
    currency = answer.currency
    costs, cost = column([now for _, now, _ in kept], currency)
    columns, total = {"Cost": costs}, ["Total", cost]
    if earlier:
        columns["Before"], before = column([before for _, _, before in kept], currency)
        changes = [now - before for _, now, before in kept]
        columns[_CHANGE], changed = column(changes, currency, signed=True)
        total += [before, changed]
    cells = zip((name for name, _, _ in kept), *columns.values(), strict=True)
    return CostTable(("Part", *columns), tuple(cells), tuple(total))


def _use(part: float | None) -> str:
    return NOT_KNOWN if part is None else share(part)
