"""How a row's cost is made: quantity x hours x unit price = amount, to the cent, before and after."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from bot import words
from bot.page_details import name
from estimators.money import cents_of_parts
from estimators.prices import Provenance
from estimators.report import CostLine, Estimate, Report, Row

COUNTED_BY = {
    "manifest": "",
    "hpa-simulated": "autoscaler replayed",
    "hpa-bounds": "an autoscaler's bound",
    "observed": "as observed",
    "nodes": "one on each node that fits",
    "schedule": "from its schedule",
}
"""What a count that has no note of its own comes from; a manifest's own count needs no word."""
WITHOUT_PODS = {"PersistentVolumeClaim", "Service"}
_POD_FIELDS = {"cpu_cores": "cpu", "memory_gib": "memory", "gpus": "GPUs", "storage_gib": "storage"}


@dataclass(frozen=True, slots=True)
class Sum:
    """`formula` = `amount`, and the least and the most it may be; all empty where a side has no such line."""

    formula: str = ""
    amount: str = ""
    spread: str = ""


@dataclass(frozen=True, slots=True)
class ArithmeticLine:
    """One line of a row's arithmetic, before and after the change."""

    label: str
    before: Sum
    after: Sum


@dataclass(frozen=True, slots=True)
class RowArithmetic:
    """How one row's cost is made. `notes` say what is not as it is for most rows."""

    name: str
    environment: str
    lines: tuple[ArithmeticLine, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Arithmetic:
    """How the amounts are made: what all rows have in common, said once, and then each row."""

    basis: tuple[str, ...]
    rows: tuple[RowArithmetic, ...]


def arithmetic(rows: Sequence[Row], report: Report) -> Arithmetic:
    """The arithmetic of `rows`; a side that has no estimate stays empty."""
    if not rows:
        return Arithmetic((), ())
    prices = [_prices(estimate, row) for row in rows for _, estimate in _sides(row)]
    usual = Counter(prices).most_common(1)[0][0] if prices else ""
    hours = words.number(report.hours_per_month)
    basis = [f"Pods × what each asks for × {hours} h × the price of a unit an hour"]
    if usual:
        mostly = ", where nothing else is said" if len(set(prices)) > 1 else ""
        basis.append(f"Unit prices{mostly}: {usual}")
    return Arithmetic(tuple(basis), tuple(_row(row, report, usual) for row in rows))


def _sides(row: Row) -> Iterator[tuple[str, Estimate]]:
    yield from ((when, side) for when, side in (("before", row.before), ("after", row.after)) if side)


def _row(row: Row, report: Report, usual: str) -> RowArithmetic:
    """The cents of each side add up to its total; a line that the change leaves alone says so after it."""
    before, after = _by_label(row.before), _by_label(row.after)
    same = [label for label, line in after.items() if label in before and _same(line, before[label])]
    cents_before = _cents(row.before, before, {})
    cents_after = _cents(row.after, after, {label: cents_before[label] for label in same})
    lines = []
    for label in {**before, **after}:
        was = _line(row.before, before[label], cents_before[label], report) if label in before else Sum()
        now = _line(row.after, after[label], cents_after[label], report) if label in after else Sum()
        lines.append(_unrepeated(ArithmeticLine(label, was, now)))
    if row.identity.kind not in WITHOUT_PODS:
        lines.insert(0, _unrepeated(ArithmeticLine("pods", _pods(row.before), _pods(row.after))))
    lines.append(ArithmeticLine("per month", _monthly(row.before, report), _monthly(row.after, report)))
    return RowArithmetic(name(row), row.identity.environment, tuple(lines), tuple(_notes(row, usual)))


def _unrepeated(line: ArithmeticLine) -> ArithmeticLine:
    same = line.before == line.after and line.before != Sum()
    return ArithmeticLine(line.label, line.before, Sum("the same")) if same else line


def _by_label(estimate: Estimate | None) -> dict[str, CostLine]:
    """Lines under `cpu`, `workers: cpu`; numbered where a label comes twice, as with two volumes."""
    found: dict[str, CostLine] = {}
    for line in estimate.lines if estimate else ():
        label = f"{line.group}: {line.label}" if line.group else line.label
        same = sum(other == label or other.startswith(f"{label} ") for other in found)
        found[f"{label} {same + 1}" if same else label] = line
    return found


def _same(one: CostLine, other: CostLine) -> bool:
    return (one.quantity.expected, one.price) == (other.quantity.expected, other.price)


def _cents(
    estimate: Estimate | None, lines: Mapping[str, CostLine], settled: Mapping[str, Decimal]
) -> Mapping[str, Decimal]:
    if estimate is None:
        return {}
    amounts = {label: line.monthly.expected for label, line in lines.items()}
    return cents_of_parts(amounts, estimate.monthly.expected, settled)


def _pods(estimate: Estimate | None) -> Sum:
    """`6.38 (4…10): simulated over 4,032 of 4,032 steps`."""
    if estimate is None:
        return Sum()
    replicas = estimate.replicas
    how = replicas.note or COUNTED_BY.get(replicas.source, replicas.source)
    return Sum(words.numbers(replicas.count) + (f": {how}" if how else ""))


def _line(estimate: Estimate | None, line: CostLine, cents: Decimal, report: Report) -> Sum:
    """`11.6 x 0.5 cores x 730 h x $0.031611 = $133.84`."""
    money = words.in_cents(cents, line.monthly.expected, report.currency, whole=False)
    price = words.unit_price(line.price, report.currency)
    by_month = line.price_unit.endswith("-month")
    by = f"{price} a month" if by_month else f"{words.number(report.hours_per_month)} h × {price}"
    pods = estimate.replicas.count.expected if estimate else Decimal(1)
    if pods != 1 and line.per_pod * pods == line.quantity.expected:
        quantity = f"{words.number(pods)} × {words.units(line.per_pod, line.unit)}"
    else:
        quantity = words.units(line.quantity.expected, line.unit)
    return Sum(f"{quantity} × {by}", money)


def _monthly(estimate: Estimate | None, report: Report) -> Sum:
    if estimate is None:
        return Sum()
    expected = words.money(estimate.monthly.expected, report.currency, cents=True)
    return Sum("", expected, words.spread(estimate.monthly, report.currency, signed=False))


def _notes(row: Row, usual: str) -> Iterator[str]:
    """What is not usual about a row's prices and sizes; once where both sides agree."""
    told = {when: _unusual(estimate, row, usual) for when, estimate in _sides(row)}
    if len(set(told.values())) == 1:
        yield from filter(None, list(told.values())[:1])
        return
    yield from (f"{when}: {note}" for when, note in told.items() if note)


def _unusual(estimate: Estimate, row: Row, usual: str) -> str:
    sizes: dict[Provenance, list[str]] = {}
    for field, label in _POD_FIELDS.items():
        known = estimate.pod.provenance.get(field, Provenance.REQUESTED)
        if getattr(estimate.pod, field) and known is not Provenance.REQUESTED:
            sizes.setdefault(known, []).append(label)
    prices = _prices(estimate, row)
    parts = (
        *(f"{' and '.join(labels)} {known}" for known, labels in sizes.items()),
        f"unit prices: {prices}" if prices != usual else "",
        *estimate.notes,
    )
    return " · ".join(part for part in parts if part)


def _prices(estimate: Estimate, row: Row) -> str:
    """`OpenCost, 2026-11-20, pool general (measured)`."""
    rates, with_pods = estimate.rates, row.identity.kind not in WITHOUT_PODS
    source = rates.source if with_pods else next((line.source for line in estimate.lines), rates.source)
    pool = f"pool {rates.pool}" if rates.pool and with_pods else ""
    return f"{', '.join(filter(None, (source, rates.as_of, pool)))} ({rates.provenance})"
