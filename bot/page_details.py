"""What stands behind a row: the arithmetic of its cost, and its findings with their evidence."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from bot import words
from estimators.money import CENT, to_cents
from estimators.objects import Source
from estimators.prices import Provenance
from estimators.report import CostLine, Estimate, Finding, Report, Row, Severity

Side = Literal["before", "after"]
Links = Callable[[Source, Side], str]
"""The web address of a line on one side of the change, `""` where there is none."""

SEVERITY_RANK = {severity: rank for rank, severity in enumerate(reversed(Severity))}
SAVES = "saves"
"""The key of a finding's evidence that holds what its safe value would save a month."""

_COUNTED_BY = {
    "manifest": "from the manifest",
    "hpa-simulated": "autoscaler replayed",
    "hpa-bounds": "an autoscaler's bound",
    "observed": "observed",
    "nodes": "one on each node that fits",
    "schedule": "from its schedule",
}
_WITHOUT_PODS = {"PersistentVolumeClaim", "Service"}
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
    """How one row's cost is made. `notes` say where its numbers come from."""

    name: str
    environment: str
    lines: tuple[ArithmeticLine, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class FindingWords:
    """One finding; `evidence` is one line of names and values."""

    severity: str
    rule: str
    message: str
    safe: str
    evidence: str
    how_to_know: str
    place: str
    url: str


@dataclass(frozen=True, slots=True)
class RowFindings:
    """The findings of one row, worst first, and how far they would reach."""

    dot: str
    name: str
    environment: str
    findings: tuple[FindingWords, ...]
    blast_radius: str


def name(row: Row) -> str:
    """`payments/api`, or `api` where the manifest names no namespace."""
    identity = row.identity
    return f"{identity.namespace}/{identity.name}" if identity.namespace else identity.name


def place(source: Source) -> str:
    """`k8s/api.yaml:24`; `""` for what stands in no file."""
    return f"{source.file}:{source.line}" if source.file else ""


def side(row: Row) -> Side:
    """The side on which the row's object can be looked at."""
    return "before" if row.status == "removed" else "after"


def arithmetic(row: Row, report: Report) -> RowArithmetic:
    """Quantity x hours x unit price = amount, to the cent, for both sides of one row.

    A line that the change leaves alone says so after it, and the cents of each side add up to its total.
    """
    before, after = _by_label(row.before), _by_label(row.after)
    same = [label for label, line in after.items() if label in before and _same(line, before[label])]
    cents_before = _cents(row.before, before, {})
    cents_after = _cents(row.after, after, {label: cents_before[label] for label in same})
    lines = [ArithmeticLine("pods", _pods(row.before), _pods(row.after))]
    for label in {**before, **after}:
        was = _line(row.before, before[label], cents_before[label], report) if label in before else Sum()
        now = _line(row.after, after[label], cents_after[label], report) if label in after else Sum()
        lines.append(ArithmeticLine(label, was, Sum("the same") if label in same else now))
    lines.append(ArithmeticLine("a month", _monthly(row.before, report), _monthly(row.after, report)))
    has_pods = row.identity.kind not in _WITHOUT_PODS
    notes = _notes(row, with_pods=has_pods)
    return RowArithmetic(name(row), row.identity.environment, tuple(lines if has_pods else lines[1:]), notes)


def _by_label(estimate: Estimate | None) -> dict[str, CostLine]:
    """Lines under `cpu`, `workers: cpu`; numbered where a label comes twice, as with two volumes."""
    found: dict[str, CostLine] = {}
    for line in estimate.lines if estimate else ():
        label = f"{line.group}: {line.label}" if line.group else line.label
        same = sum(other == label or other.startswith(f"{label} ") for other in found)
        found[f"{label} {same + 1}" if same else label] = line
    return found


def _same(one: CostLine, other: CostLine) -> bool:
    return (one.quantity, one.price) == (other.quantity, other.price)


def _cents(
    estimate: Estimate | None, lines: Mapping[str, CostLine], settled: Mapping[str, Decimal]
) -> Mapping[str, Decimal]:
    """The cents of each line, those in `settled` as they are, together the side's rounded total."""
    if estimate is None:
        return {}
    cents = {label: to_cents(line.monthly.expected) for label, line in lines.items()} | dict(settled)
    free = [label for label in lines if label not in settled]
    missing = to_cents(estimate.monthly.expected) - sum(cents.values())
    towards = CENT.copy_sign(missing)
    for _ in range(int(abs(missing) / CENT) if free else 0):
        # The line that was rounded most the other way: one that is exact is never touched first.
        furthest = max(free, key=lambda label: (lines[label].monthly.expected - cents[label]) * towards)
        cents[furthest] += towards
    return cents


def _pods(estimate: Estimate | None) -> Sum:
    return Sum(words.numbers(estimate.replicas.count)) if estimate else Sum()


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


def _notes(row: Row, *, with_pods: bool) -> tuple[str, ...]:
    """Where the numbers come from; once where both sides agree."""
    sides = (("before", row.before), ("after", row.after))
    told = {when: _sources(estimate, with_pods=with_pods) for when, estimate in sides if estimate}
    if len(set(told.values())) == 1:
        return tuple(told.values())[:1]
    return tuple(f"{when}: {sources}" for when, sources in told.items())


def _sources(estimate: Estimate, *, with_pods: bool) -> str:
    """`pods from the manifest (requested) · sizes requested · prices of OpenCost, 2026-11-20 (measured)`."""
    replicas, rates = estimate.replicas, estimate.rates
    how = replicas.note or _COUNTED_BY.get(replicas.source, replicas.source)
    sizes: dict[Provenance, list[str]] = {}
    for field, label in _POD_FIELDS.items():
        if getattr(estimate.pod, field):
            sizes.setdefault(estimate.pod.provenance.get(field, Provenance.REQUESTED), []).append(label)
    several = len(sizes) > 1
    size = ", ".join(
        f"{', '.join(labels) if several else 'sizes'} {provenance}" for provenance, labels in sizes.items()
    )
    source = rates.source if with_pods else next((line.source for line in estimate.lines), rates.source)
    pool = f"pool {rates.pool}" if rates.pool and with_pods else ""
    place = ", ".join(filter(None, (source, rates.as_of, pool)))
    parts = (
        f"pods {how} ({replicas.provenance})" if with_pods else "",
        size,
        f"prices of {place} ({rates.provenance})",
        *estimate.notes,
    )
    return " · ".join(part for part in parts if part)


def row_findings(row: Row, links: Links) -> RowFindings:
    """Every finding of one row with what it rests on."""
    findings = sorted(row.findings, key=lambda finding: SEVERITY_RANK[finding.severity])
    return RowFindings(
        dot=words.DOTS[row.verdict],
        name=name(row),
        environment=row.identity.environment,
        findings=tuple(_finding(finding, links(finding.source, side(row))) for finding in findings),
        blast_radius=row.blast_radius,
    )


def _finding(finding: Finding, url: str) -> FindingWords:
    return FindingWords(
        severity=finding.severity.value,
        rule=finding.rule,
        message=without_stop(finding.message),
        safe=safe_value(finding),
        evidence=" · ".join(f"{key} {value}" for key, value in finding.evidence.items() if key != SAVES),
        how_to_know=finding.how_to_know,
        place=place(finding.source),
        url=url,
    )


def without_stop(message: str) -> str:
    """A message without its full stop, to be followed by more."""
    return message.rstrip().removesuffix(".")


def safe_value(finding: Finding) -> str:
    """`832Mi is safe and saves $14`, the saving where the evidence has it; `""` if the message names it."""
    if not finding.safe_value or finding.safe_value in finding.message:
        return ""
    saves = finding.evidence.get(SAVES, "")
    return f"{finding.safe_value} is safe" + (f" and saves {saves}" if saves else "")
