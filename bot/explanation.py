"""How a workload's numbers and findings came about, read from a report as it was shown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from bot import words
from bot.page_arithmetic import COUNTED_BY, WITHOUT_PODS
from bot.page_details import safe_words, without_stop
from bot.rendering import render
from bot.server_words import as_the_bot_says
from estimators.money import Range, cents_of_parts
from estimators.report import Verdict
from estimators.safe_savings import SAVES

MOST = 5
"""Workloads in one answer."""
_MOST_NAMED = 20
_MOST_FINDINGS = 20

_ONE_SIDED = (("before", "added"), ("after", "removed"))

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class SideWords:
    """One side: how many `pods`, each line as `2 cores × 730 h × $0.031611 = $46.15`, and their sum.

    `pods` is `12 pods`, with what they were counted from; `""` where there are none to count.
    """

    title: str
    pods: str
    lines: tuple[str, ...]
    monthly: str


@dataclass(frozen=True, slots=True)
class Explained:
    """One workload in words; a finding is one of the report's, and what would be `safe` instead."""

    name: str
    kind: str
    environment: str
    verdict: str
    change: str
    spread: str
    sides: tuple[SideWords, ...]
    findings: Sequence[Json]
    findings_left: int
    unknown_because: str


def explain(report: Json, name: str = "", head: str = "") -> str:
    """The workloads called `name`, or the first of all where it is `""`, in Markdown.

    A workload is named as the comment names it, or with its kind, or by its bare name. Where none is
    called so, the answer says which there are.
    """
    rows = report["workloads"]
    wanted = name.strip("`'\"").casefold()
    found = [row for row in rows if not wanted or wanted in _names(row)]
    told = render(
        "github/explain.md.j2",
        name=name,
        head=words.revision(head),
        found=[_explained(row, report) for row in found[:MOST]],
        left=max(len(found) - MOST, 0),
        known=list(dict.fromkeys(_name(row) for row in rows))[:_MOST_NAMED],
    )
    return as_the_bot_says(told)


def _name(row: Json) -> str:
    return f"{row['namespace']}/{row['name']}" if row["namespace"] else str(row["name"])


def _names(row: Json) -> set[str]:
    name, bare, kind = _name(row), row["name"], row["kind"]
    return {each.casefold() for each in (name, bare, f"{kind}/{bare}", f"{kind}/{name}")}


def _explained(row: Json, report: Json) -> Explained:
    currency, change = report["currency"], _range(row["change"])
    known, amount = _is_known(row), words.money(change.expected, currency, signed=True)
    before, after = _by_label(row["before"]), _by_label(row["after"])
    cents_before = _cents(row["before"], before, {})
    same = {label: cents_before[label] for label in after if _same(before.get(label), after[label])}
    cents_after = _cents(row["after"], after, same)
    return Explained(
        name=_name(row),
        kind=row["kind"],
        environment=row["environment"],
        verdict=words.VERDICTS[Verdict(row["verdict"])],
        change=f"{amount} a month" if known else f"cost {words.NOT_KNOWN}",
        spread=words.spread(change, currency) if known else "",
        sides=tuple(
            _side(title, side, cents, row["kind"], report)
            for title, side, cents in (
                ("Before", row["before"], cents_before),
                ("After", row["after"], cents_after),
            )
            if side
        ),
        findings=[_finding(found) for found in row["findings"][:_MOST_FINDINGS]],
        findings_left=max(len(row["findings"]) - _MOST_FINDINGS, 0),
        unknown_because=row["unknown_because"],
    )


def _is_known(row: Json) -> bool:
    """Whether each side that exists has an estimate; the change is 0 where one has none."""
    before, after = (bool(row[side]) or row["status"] == other for side, other in _ONE_SIDED)
    return before and after


def _finding(found: Json) -> Json:
    """The finding with `safe`, in the words of the comment, and without evidence that is said there."""
    evidence = dict(found["evidence"])
    saving = evidence.pop(SAVES, "")
    message = without_stop(found["message"])
    safe = safe_words(found["safe_value"] or "", message, found["rule"], saving)
    return {**found, "message": message, "safe": safe, "evidence": evidence}


def _side(title: str, side: Json, cents: Mapping[str, Decimal], kind: str, report: Json) -> SideWords:
    monthly = _range(side["monthly"])
    between = words.spread(monthly, report["currency"], " ({}…{})", signed=False)
    return SideWords(
        title=title,
        pods="" if kind in WITHOUT_PODS else _pods(side["replicas"]),
        lines=tuple(_line(line, cents[label], report) for label, line in _by_label(side).items()),
        monthly=words.money(monthly.expected, report["currency"], cents=True) + between,
    )


def _pods(replicas: Json) -> str:
    """`12 pods`; `8.2 (4…10) pods, as observed`."""
    count = _range(replicas)
    how = replicas["note"] or COUNTED_BY.get(replicas["source"], replicas["source"])
    pods = f"{words.numbers(count)} {'pod' if count == Range.exactly(Decimal(1)) else 'pods'}"
    return f"{pods}, {how}" if how else pods


def _by_label(side: Json | None) -> dict[str, Json]:
    """Lines by their label; numbered, since two volumes may have the same."""
    lines = side["lines"] if side else ()
    return {f"{line['group']}: {line['label']} {number}": line for number, line in enumerate(lines)}


def _same(one: Json | None, other: Json) -> bool:
    return one is not None and (one["quantity"]["expected"], one["price"]) == (
        other["quantity"]["expected"],
        other["price"],
    )


def _cents(side: Json | None, lines: Mapping[str, Json], same: Mapping[str, Decimal]) -> dict[str, Decimal]:
    """As the comment shows them: what is the same on both sides has the same cents."""
    if side is None:
        return {}
    amounts = {label: Decimal(line["monthly"]["expected"]) for label, line in lines.items()}
    return cents_of_parts(amounts, Decimal(side["monthly"]["expected"]), same)


def _line(line: Json, amount: Decimal, report: Json) -> str:
    price = words.unit_price(Decimal(line["price"]), report["currency"])
    by_month = line["price_unit"].endswith("-month")
    hours = words.number(Decimal(report["hours_per_month"]))
    by = f"{price} a month" if by_month else f"{hours} h × {price}"
    label = f"{line['group']}: {line['label']}" if line["group"] else line["label"]
    quantity = words.units(Decimal(line["quantity"]["expected"]), line["unit"])
    return f"{label}: {quantity} × {by} = {words.money(amount, report['currency'], cents=True)}"


def _range(told: Json) -> Range:
    return Range(*(Decimal(told[end]) for end in ("floor", "expected", "ceiling")))
