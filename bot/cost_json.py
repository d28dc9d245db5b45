"""An answer about cost as JSON, for programs: `tuppence.cost/v1`, whose shape docs/cost.md describes.

Amounts are strings of unrounded decimals in `currency`; what is not known is null, never 0.
"""

from __future__ import annotations

import json
import re
from typing import Any

from bot.cost_answer import CostAnswer
from bot.cost_causes import causes_of
from bot.cost_small_print import is_compared
from estimators.allocation import as_money
from estimators.showback import Kind, Parts, Row
from estimators.showback_movers import Mover

SCHEMA = "tuppence.cost/v1"
GROUPS = {Kind.UNALLOCATED: "unallocated", Kind.IDLE: "idle", Kind.CENTRAL: "shared"}
"""What rows are called that are no tenant's; `kind` tells them from a tenant of that name."""
_SURROGATE = re.compile("[\ud800-\udfff]")

Json = dict[str, Any]


def dump_cost(answer: CostAnswer) -> str:
    """The JSON text, in ASCII."""
    return json.dumps(cost_json(answer), indent=1) + "\n"


def cost_json(answer: CostAnswer) -> Json:
    """One object. `tenants` + `idle` + `shared` = `bill`, exactly."""
    found, total = answer.found, answer.found.total
    before = answer.windows.before
    return {
        "schema": SCHEMA,
        "question": _text(answer.question.text),
        "currency": _text(answer.currency),
        "window": {"start": found.start.isoformat(), "end": found.end.isoformat()},
        "previous_window": {"start": before.start.isoformat(), "end": before.end.isoformat()},
        "clusters": [_text(name) for name in answer.clusters],
        "coverage": _share(found.covered),
        "previous_coverage": _share(found.previous_covered),
        "comparable": is_compared(answer),
        "total": decimal(total.cost),
        "previous": _known(total.previous),
        "parts": _parts(total.parts),
        "previous_parts": None if found.previous_parts is None else _parts(found.previous_parts),
        "efficiency": None if total.efficiency is None else _share(total.efficiency),
        "bill": decimal(found.bill),
        "tenants": decimal(found.tenants),
        "idle": decimal(found.idle),
        "shared": decimal(found.shared),
        "rows": [_row(row) for row in found.rows],
        "movers": [_mover(mover, answer.currency) for mover in found.movers],
        "unallocated": [
            {"namespace": _text(one.namespace), "workloads": one.workloads, "cost": decimal(one.cost)}
            for one in found.unowned
        ],
        "month": _month(answer),
        "days": [
            {"day": day.day.isoformat(), "cost": decimal(day.amount), "coverage": _share(day.covered)}
            for day in answer.days
        ],
        "prices": [
            {"source": _text(one.source), "assumed": one.assumed, "cost": decimal(one.cost)}
            for one in answer.prices
        ],
        "notes": [_text(note) for note in found.notes],
    }


def decimal(nano: int) -> str:
    """Nano-units as a plain decimal, without zeros that say nothing."""
    text = f"{as_money(nano):f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _known(nano: int | None) -> str | None:
    return None if nano is None else decimal(nano)


def _row(row: Row) -> Json:
    return {
        "group": _text(row.group) or GROUPS.get(row.kind, ""),
        "kind": row.kind.value,
        "cost": decimal(row.cost),
        "previous": _known(row.previous),
        **_parts(row.parts),
        "efficiency": None if row.efficiency is None else _share(row.efficiency),
    }


def _parts(parts: Parts) -> Json:
    return {name: decimal(part) for name, part in parts._asdict().items()}


def _mover(mover: Mover, currency: str) -> Json:
    return {
        "workload": _text(mover.workload),
        "cluster": _text(mover.cluster),
        "change": decimal(mover.change),
        "cause": _text(causes_of(mover, currency)),
        "effects": [
            {"cause": effect.cause.value, "change": decimal(effect.change)} for effect in mover.effects
        ],
    }


def _month(answer: CostAnswer) -> Json | None:
    if answer.month is None:
        return None
    return {
        "projected": decimal(answer.month.amount),
        "spent": decimal(answer.month.spent),
        "basis_days": answer.month.basis_days,
        "budget": None if answer.budget is None else f"{answer.budget:f}",
    }


def _share(part: float) -> str:
    return f"{part:.4f}".rstrip("0").rstrip(".")


def _text(value: str) -> str:
    """`value` with half characters, which no JSON reader takes, as U+FFFD."""
    return _SURROGATE.sub("\ufffd", value)
