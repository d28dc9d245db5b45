"""A week's digest as `tuppence.digest/v1`, and back: for programs, and for the records that keep it.

Amounts are strings of unrounded decimals in `currency`; savings are negative. More keys may be added;
those that are there keep their meaning. What is not known is null.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from bot.digest import (
    Approval,
    Bill,
    Digest,
    DigestItem,
    LeftRow,
    MergedPull,
    ProposedValue,
    TeamWeek,
    WeekMover,
)
from bot.unused_json import unused_from, unused_json

SCHEMA = "tuppence.digest/v1"
_SURROGATE = re.compile("[\ud800-\udfff]")
_SAME = (
    "id",
    "finder",
    "repository",
    "environment",
    "workload",
    "realisable_why",
    "confidence",
    "verdict",
    "evidence",
    "undo",
    "blast_radius",
    "source",
    "address",
)
"""What a recommendation's JSON has as it is."""

Json = dict[str, Any]


def dump_digest(digest: Digest) -> str:
    """The JSON text, in ASCII."""
    return json.dumps(digest_json(digest), indent=1) + "\n"


def digest_json(digest: Digest) -> Json:
    """One object."""
    told: Json = plain_json(
        {
            "schema": SCHEMA,
            "team": digest.team,
            "week": digest.week,
            "window": {"start": digest.start, "end": digest.end},
            "currency": digest.currency,
            "coverage": digest.coverage,
            "total": digest.total,
            "previous": digest.previous,
            "budget": digest.budget_monthly,
            "projected": digest.projected,
            "closed": digest.closed,
            "days": [{"day": day, "cost": cost} for day, cost in digest.trend],
            "movers": [mover._asdict() for mover in digest.movers],
            "idle_share": digest.idle_share,
            "unallocated_share": digest.unallocated_share,
            "gpu_idle": {
                "hours": digest.gpu_idle_hours,
                "cost": digest.gpu_idle_cost,
                "unheld": digest.gpu_unheld_cost,
            },
            "merged": [pull._asdict() for pull in digest.merged],
            "recommendations": [item_json(item) for item in digest.recommendations],
            "more": {"count": digest.more, "allocated": digest.more_saving},
            "left_alone": [row._asdict() for row in digest.left_alone],
            "left_counts": digest.left_counts,
            "left_names": digest.left_names,
            "unused": unused_json(digest.unused),
            "teams": [_team_json(row) for row in digest.teams],
            "bill": digest.bill._asdict() if digest.bill else None,
            "approvals": [approval._asdict() for approval in digest.approvals],
            "notes": digest.notes,
            "quiet": digest.quiet,
        }
    )
    return told


def digest_from(told: Mapping[str, Any]) -> Digest:
    """What `digest_json` told."""
    return Digest(
        team=told["team"],
        week=told["week"],
        start=datetime.fromisoformat(told["window"]["start"]),
        end=datetime.fromisoformat(told["window"]["end"]),
        currency=told["currency"],
        coverage=Decimal(told["coverage"]),
        total=_amount(told["total"]),
        previous=_amount(told["previous"]),
        budget_monthly=_amount(told["budget"]),
        projected=_amount(told["projected"]),
        closed=_amount(told.get("closed")),
        trend=tuple((date.fromisoformat(day["day"]), _amount(day["cost"])) for day in told["days"]),
        movers=tuple(
            WeekMover(each["workload"], Decimal(each["change"]), each["cause"], each.get("cluster", ""))
            for each in told["movers"]
        ),
        idle_share=_amount(told["idle_share"]),
        unallocated_share=_amount(told["unallocated_share"]),
        gpu_idle_hours=_amount(told["gpu_idle"]["hours"]),
        gpu_idle_cost=_amount(told["gpu_idle"]["cost"]),
        gpu_unheld_cost=_amount(told["gpu_idle"].get("unheld")),
        merged=tuple(map(_merged_from, told["merged"])),
        recommendations=tuple(map(_item_from, told["recommendations"])),
        more=told["more"]["count"],
        more_saving=Decimal(told["more"]["allocated"]),
        left_alone=tuple(LeftRow(row["workload"], row["reason"]) for row in told["left_alone"]),
        left_counts=told["left_counts"],
        left_names={reason: tuple(names) for reason, names in told.get("left_names", {}).items()},
        unused=unused_from(told.get("unused")),
        teams=tuple(map(_team_from, told["teams"])),
        bill=Bill(*(Decimal(told["bill"][name]) for name in Bill._fields)) if told["bill"] else None,
        approvals=tuple(map(_approval_from, told["approvals"])),
        notes=tuple(told["notes"]),
        quiet=told["quiet"],
    )


def item_json(item: DigestItem) -> Json:
    """A recommendation, before `plain_json`; `field`, `current`, `proposed` are those of the first value."""
    first = item.values[0] if item.values else ProposedValue("", "", "", "")
    return {
        **{name: getattr(item, name) for name in _SAME},
        "field": first.field,
        "current": first.current,
        "proposed": first.proposed,
        "values": [value._asdict() for value in item.values],
        "monthly_saving": {"allocated": item.allocated, "realisable": item.realisable},
        "risks": item.risks,
    }


def _item_from(told: Mapping[str, Any]) -> DigestItem:
    saving = told["monthly_saving"]
    return DigestItem(
        values=tuple(
            ProposedValue(*(each[name] for name in ProposedValue._fields)) for each in told["values"]
        ),
        allocated=Decimal(saving["allocated"]),
        realisable=_amount(saving["realisable"]),
        risks=tuple(told["risks"]),
        **{name: told[name] for name in _SAME},
    )


def _team_json(row: TeamWeek) -> Json:
    return {"budget" if name == "budget_monthly" else name: value for name, value in row._asdict().items()}


def _team_from(told: Mapping[str, Any]) -> TeamWeek:
    return TeamWeek(
        team=told["team"],
        total=Decimal(told["total"]),
        previous=_amount(told["previous"]),
        budget_monthly=_amount(told["budget"]),
        projected=_amount(told["projected"]),
        idle_share=_amount(told["idle_share"]),
        savings=Decimal(told["savings"]),
        kind=told["kind"],
        closed=_amount(told.get("closed")),
    )


def _merged_from(told: Mapping[str, Any]) -> MergedPull:
    amounts = {"predicted": Decimal(told["predicted"]), "measured": _amount(told["measured"])}
    return MergedPull(**{**told, **amounts})


def _approval_from(told: Mapping[str, Any]) -> Approval:
    amounts = {"allocated": Decimal(told["allocated"]), "measured": _amount(told["measured"])}
    return Approval(**{**told, **amounts, "at": datetime.fromisoformat(told["at"])})


def _amount(told: str | None) -> Decimal | None:
    return None if told is None else Decimal(told)


def plain_json(value: Any) -> Any:  # noqa: ANN401 - whatever a digest is made of
    """Decimals and moments as strings; half characters, which no JSON reader takes, as U+FFFD."""
    match value:
        case Decimal():
            return f"{value:f}"
        case datetime() | date():
            return value.isoformat()
        case str():
            return _SURROGATE.sub("\ufffd", value)
        case Mapping():
            return {plain_json(name): plain_json(item) for name, item in value.items()}
        case tuple() | list():
            return [plain_json(item) for item in value]
        case _:
            return value
