"""Every row of an answer about cost as CSV, for spreadsheets: unrounded amounts, a column a part."""

from __future__ import annotations

import csv
import io

from bot.cost_answer import CostAnswer
from bot.cost_json import GROUPS, decimal
from bot.inert import plain

_FORMULA = ("=", "+", "-", "@")
"""What a spreadsheet would reckon with if it came first in a cell."""


def cost_csv(answer: CostAnswer) -> str:
    """A line for each row, the dearest first, under a line of titles."""
    file = io.StringIO()
    lines = csv.writer(file, lineterminator="\n")
    parts = answer.found.total.parts._fields
    lines.writerow(("group", "kind", "currency", "cost", "previous", *parts, "efficiency"))
    for row in answer.found.rows:
        name = plain(row.group or GROUPS.get(row.kind, ""))
        lines.writerow(
            (
                f"'{name}" if name.startswith(_FORMULA) else name,
                row.kind.value,
                answer.currency,
                decimal(row.cost),
                "" if row.previous is None else decimal(row.previous),
                *map(decimal, row.parts),
                "" if row.efficiency is None else f"{row.efficiency:.4f}",
            )
        )
    return file.getvalue()
