"""What is told of a merged change a week later: what was predicted, what was measured, and why."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

from bot.cost_causes import cause_in_words
from bot.cost_words import amount, column, share
from bot.inert import Markdown, md
from bot.rendering import render
from bot.words import NOT_KNOWN, count, money, number
from estimators.allocation import NANO, as_nano
from estimators.measured_change import MeasuredRow, PredictedRow, Weeks
from estimators.showback_movers import Cause, Effect

_MOST_CAUSES = 3
_MOST_ROWS = 5
_LITTLE = NANO // 200
"""Half a cent a month: less is not told."""
_PLAIN_KINDS = {"Deployment", "StatefulSet", "DaemonSet", "Rollout"}
_AMOUNT_IN_WORDS = {Cause.STORAGE, Cause.NETWORK}
_OF_PODS = {Cause.REPLICAS, Cause.NEW, Cause.GONE}
_WHOLE_FROM = Decimal(100)
"""As in the comment that predicted it."""
_NEAR = Decimal("0.05")
"""Replicas within a twentieth of what was predicted came as predicted."""


class Gap(NamedTuple):
    """A row that could not be measured, and why, in Markdown."""

    row: PredictedRow
    why: Markdown


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a prediction came to. `covered` is the share of the hours that was measured (0-1)."""

    currency: str
    merged_at: datetime
    weeks: Weeks
    covered: float
    rows: tuple[MeasuredRow, ...]
    gaps: tuple[Gap, ...]


class _Cause(NamedTuple):
    workload: str
    words: str


class _Told(NamedTuple):
    row: MeasuredRow
    effect: Effect
    words: str


class _Line(NamedTuple):
    what: str
    amount: str
    causes: Sequence[_Cause]
    left: str


class _Row(NamedTuple):
    workload: str
    others: str
    predicted: str
    measured: str


class _Unmeasured(NamedTuple):
    why: Markdown
    predicted: str
    workloads: Sequence[str]
    left: int


def render_measured(outcome: Outcome) -> str:
    """The reply. Where nothing could be measured, it says so and why."""
    currency, rows = outcome.currency, _by_size(outcome.rows)
    gaps = _gaps(outcome)
    if not rows:
        whole = sum((gap.row.expected or Decimal(0) for gap in outcome.gaps), Decimal(0))
        why = md("; ").join(dict.fromkeys(gap.why for gap in outcome.gaps))
        return render(
            "github/measured.md.j2",
            measured="",
            predicted=money(whole, currency, signed=True),
            why=Markdown(why),
        )
    own = sum(effect.change for row in rows for effect in row.own)
    others = sum(row.change for row in rows) - own
    (own_cell, other_cell), measured = _column([own, others], currency)
    alone = len(rows) == 1
    predicted, table = _table(rows, currency)
    by_us, by_others = (
        [told for row in rows for told in causes(row, currency)] for causes in (_own_causes, _other_causes)
    )
    lines = [
        _line("By this change", own_cell, by_us, currency, named=not alone),
        _line("By all else", other_cell, by_others, currency, named=not alone),
    ]
    return render(
        "github/measured.md.j2",
        measured=measured,
        predicted=predicted,
        alone=name_of(rows[0].predicted) if alone else "",
        lines=[line for line in lines if line.causes],
        doubt=_doubt(rows, outcome.weeks),
        gaps=gaps,
        table=() if alone else table,
        when=_when(outcome),
    )


def name_of(row: PredictedRow) -> str:
    """`production: shop/api`; with its kind where it is no usual workload: `shop/Service front`."""
    namespace, kind, name = row.workload
    known = name if kind in _PLAIN_KINDS else f"{kind} {name}"
    within = f"{namespace}/{known}" if namespace else known
    return f"{row.environment}: {within}" if row.environment else within


def _by_size(rows: Iterable[MeasuredRow]) -> list[MeasuredRow]:
    """Those first whose change or whose prediction is largest."""

    def size(row: MeasuredRow) -> tuple[int, str]:
        return -max(abs(row.change), abs(as_nano(row.predicted.expected or Decimal(0)))), name_of(
            row.predicted
        )

    return sorted(rows, key=size)


def _column(amounts: Sequence[int], currency: str) -> tuple[list[str], str]:
    return column(amounts, currency, signed=True, whole_from=_WHOLE_FROM)


def _line(what: str, cell: str, causes: Iterable[_Told], currency: str, *, named: bool) -> _Line:
    """The largest causes, each with its amount where it is not alone."""
    told = sorted(causes, key=lambda cause: -abs(cause.effect.change))
    shown = []
    for row, effect, words in told[:_MOST_CAUSES]:
        more = f" ({amount(effect.change, currency, signed=True)})"
        plain = len(told) == 1 or effect.cause in _AMOUNT_IN_WORDS or not effect.change
        shown.append(_Cause(name_of(row.predicted) if named else "", words if plain else words + more))
    left = len(told) - len(shown)
    return _Line(what, cell, shown, f"{left} more" if left > 0 else "")


def _own_causes(row: MeasuredRow, currency: str) -> Iterator[_Told]:
    """What the change did; where there are not the replicas that were predicted, that too."""
    wanted = row.predicted.replicas
    mean = Decimal(str(round(row.replicas, 3)))
    missed = wanted is not None and abs(mean - wanted) > _NEAR * wanted
    instead = f" instead of {number(wanted, 1)}" if wanted is not None and missed else ""
    for effect in row.own:
        words = cause_in_words(effect, currency)
        if instead and effect.cause is Cause.REPLICAS:
            words += f" on average{instead}"
        elif instead and effect.cause is Cause.NEW:
            words += f", with {number(mean, 1)} replicas on average{instead}"
        if abs(effect.change) >= _LITTLE:
            yield _Told(row, effect, words)
    asked = Cause.REPLICAS in row.predicted.causes
    if instead and asked and not any(effect.cause in _OF_PODS for effect in row.effects):
        words = f"replicas stayed at {number(mean, 1)}{instead}"
        yield _Told(row, Effect(Cause.REPLICAS, 0, row.replicas, row.replicas), words)


def _other_causes(row: MeasuredRow, currency: str) -> Iterator[_Told]:
    for effect in row.others:
        if abs(effect.change) >= _LITTLE:
            yield _Told(row, effect, cause_in_words(effect, currency))


def _table(rows: Sequence[MeasuredRow], currency: str) -> tuple[str, list[_Row]]:
    """What was predicted of all of them, and a line for each of the largest."""
    shown, rest = rows[:_MOST_ROWS], rows[_MOST_ROWS:]
    parts = [[row] for row in shown] + ([list(rest)] if rest else [])
    expected = [sum(as_nano(row.predicted.expected or Decimal(0)) for row in part) for part in parts]
    predicted, whole = _column(expected, currency)
    measured, _ = _column([sum(row.change for row in part) for part in parts], currency)
    lines: list[_Row] = []
    for part, was, now in zip(parts, predicted, measured, strict=True):
        known = any(row.predicted.expected is not None for row in part)
        name = name_of(part[0].predicted) if len(lines) < len(shown) else ""
        lines.append(_Row(name, "" if name else count(len(part), "other"), was if known else NOT_KNOWN, now))
    return whole, lines


def _doubt(rows: Sequence[MeasuredRow], weeks: Weeks) -> str:
    seen = any(abs(effect.change) >= _LITTLE for row in rows for effect in row.own)
    if seen or not any(row.predicted.expected for row in rows):
        return ""
    return f"Nothing of this change was seen: was it rolled out before {_day(weeks.start)}?"


def _gaps(outcome: Outcome) -> list[_Unmeasured]:
    by_why: dict[Markdown, list[PredictedRow]] = {}
    for row, why in outcome.gaps:
        by_why.setdefault(why, []).append(row)
    found = []
    for why, rows in by_why.items():
        known = [row.expected for row in rows if row.expected is not None]
        told = money(sum(known, Decimal(0)), outcome.currency, signed=True) if known else NOT_KNOWN
        names = [name_of(row) for row in rows]
        found.append(_Unmeasured(why, told, names[:_MOST_CAUSES], len(names[_MOST_CAUSES:])))
    return found


def _when(outcome: Outcome) -> str:
    weeks = outcome.weeks
    return (
        f"Charged {days(weeks.start, weeks.end)}, against {days(*weeks.before)} (merged on "
        f"{_day(outcome.merged_at)}), as a month of 730 hours, without idle and shared costs. "
        f"{share(outcome.covered)} of the hours were measured."
    )


def days(start: datetime, end: datetime) -> str:
    """Full days: `10 to 15 November`, `28 November to 3 December`."""
    last = end - timedelta(days=1)
    first = str(start.day) if (start.year, start.month) == (last.year, last.month) else _day(start)
    return f"{first} to {_day(last)}"


def _day(moment: datetime) -> str:
    return f"{moment.day} {moment:%B}"
