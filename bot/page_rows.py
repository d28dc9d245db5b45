"""The rows of a page: their order, which are in sight, and each in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from bot import words
from bot.page_details import (
    REMEMBERED,
    SEVERITY_RANK,
    Links,
    name,
    place,
    remembered,
    safe_value,
    side,
    without_stop,
)
from estimators.compared_field import PRESENT
from estimators.objects import Unpriced
from estimators.quantity import GIB, show_bytes, show_cores
from estimators.report import Estimate, Row, Severity, Verdict

Amounts = Mapping[int, Decimal]
"""The cents shown for each row's expected change, by the row's `id`; together they are the headline's."""

_VERDICTS = {verdict: rank for rank, verdict in enumerate(Verdict)}
_WARNED = frozenset({Verdict.RISKY, Verdict.CAUTION, Verdict.UNKNOWN})


@dataclass(frozen=True, slots=True)
class RowWords:
    """One row of the table. `kind` is empty for a Deployment, which most are.

    `warning` is the verdict where somebody has to look; `""` where all is well. Two dots differ by colour
    alone, which not everybody sees.
    """

    dot: str
    verdict: str
    environment: str
    name: str
    kind: str
    url: str
    place: str
    changes: tuple[str, ...]
    seen: str
    amount: str
    spread: str
    warning: str
    why: str


@dataclass(frozen=True, slots=True)
class Table:
    """Rows, and whether any of them has something to say in the two columns that are often empty."""

    rows: tuple[RowWords, ...]
    with_seen: bool
    with_why: bool

    @classmethod
    def of(cls, rows: tuple[RowWords, ...]) -> Table:
        """The rows with the columns they need."""
        return cls(rows, any(row.seen for row in rows), any(row.warning or row.why for row in rows))


@dataclass(frozen=True, slots=True)
class UnpricedWords:
    """One thing without a price: its kind, `""` for a file; its name; its file where the name is another."""

    kind: str
    name: str
    file: str
    reason: str


def rank(row: Row) -> tuple[int, bool, Decimal, str]:
    """Worst first, then what is not known, then the largest amount."""
    return _VERDICTS[row.verdict], row.cost_known, -abs(row.change.expected), str(row.identity)


def may_hurt(row: Row) -> bool:
    """Whether a person should look before merging."""
    return row.verdict in {Verdict.RISKY, Verdict.CAUTION}


def choose(ranked: list[Row], most: int) -> tuple[list[Row], list[Row]]:
    """The rows in sight, and the rest: those without risk and below one dollar, unless all are so."""
    loud = [row for row in ranked if not _is_small(row)] or ranked
    shown = loud[:most]
    chosen = set(map(id, shown))
    return shown, [row for row in ranked if id(row) not in chosen]


def _is_small(row: Row) -> bool:
    amounts = (row.change.floor, row.change.expected, row.change.ceiling)
    harmless = row.verdict in {Verdict.SAFE, Verdict.NONE}
    return harmless and not remembered(row) and row.cost_known and all(abs(amount) < 1 for amount in amounts)


def row_words(row: Row, cents: Amounts, currency: str, links: Links) -> RowWords:
    """One row, linked to the line that changed."""
    source = row.changes[0].source if row.changes else row.source
    return RowWords(
        dot=words.DOTS[row.verdict],
        verdict=words.VERDICTS[row.verdict],
        environment=row.identity.environment,
        name=name(row),
        kind=row.identity.kind if row.identity.kind != "Deployment" else "",
        url=links(source, side(row)),
        place=place(source),
        changes=tuple(_changes(row)),
        seen=row.seen,
        amount=sum_words([row], cents, currency),
        spread=words.spread(row.change, currency) if row.cost_known else "",
        warning=words.VERDICTS[row.verdict] if row.verdict in _WARNED else "",
        why="; ".join(filter(None, (_why(row), *remembered(row)))),
    )


def _changes(row: Row) -> list[str]:
    """`memory limit 1Gi → 512Mi`, one text for each of the first few."""
    if row.status == "changed":
        alike: dict[tuple[str, str, str], list[str]] = {}
        for change in row.changes:
            thing, _, part = change.label.rpartition(" ")
            alike.setdefault((thing, change.old, change.new), []).append(part)
        told = [
            _one_change(f"{thing} {' and '.join(parts)}".lstrip(), old, new)
            for (thing, old, new), parts in alike.items()
        ]
        return [*told[:4], f"{len(told) - 4} more"] if len(told) > 4 else told or ["changed"]
    estimate = row.after or row.before
    size = _size(estimate) if estimate else ""
    return [f"{row.status}, {size}" if size else row.status]


def _size(estimate: Estimate) -> str:
    """`3 pods of 500m cpu, 1Gi memory`; `20Gi storage` for a volume."""
    pod = estimate.pod
    parts = [
        f"{show_cores(pod.cpu_cores)} cpu" if pod.cpu_cores else "",
        f"{show_bytes(pod.memory_gib * GIB)} memory" if pod.memory_gib else "",
        words.units(pod.gpus, "GPU") if pod.gpus else "",
    ]
    storage = f"{show_bytes(pod.storage_gib * GIB)} storage" if pod.storage_gib else ""
    if not any(parts):
        return storage
    pods = estimate.replicas.count.expected
    size = ", ".join(part for part in (*parts, storage) if part)
    return f"{words.number(pods)} {'pod' if pods == 1 else 'pods'} of {size}"


def _one_change(label: str, old: str, new: str) -> str:
    if old and new:
        return f"{label} {old} → {new}"
    value = "" if PRESENT in (old, new) else f" {old or new}"
    return f"{label}{value} {'added' if new else 'removed'}"


def _why(row: Row) -> str:
    """The worst finding in a few words, what would be safe instead, and how to know where we do not."""
    judged = [finding for finding in row.findings if finding.rule != REMEMBERED]
    finding = min(judged, key=lambda item: SEVERITY_RANK[item.severity], default=None)
    if finding is None or (finding.severity is Severity.INFO and row.unknown_because):
        return row.unknown_because
    if finding.severity is Severity.INFO and row.verdict in {Verdict.SAFE, Verdict.NONE}:
        return ""
    parts = [without_stop(finding.message), safe_value(finding)]
    if row.verdict is Verdict.UNKNOWN:
        parts += [row.unknown_because or finding.how_to_know]
    return "; ".join(part for part in parts if part)


def sum_words(rows: list[Row], cents: Amounts, currency: str) -> str:
    """The change of some rows together. What is not known is never shown as nothing."""
    known = [row for row in rows if row.cost_known]
    if not known:
        return words.NOT_KNOWN
    exact = sum((row.change.expected for row in known), Decimal(0))
    shown = sum((cents[id(row)] for row in known), Decimal(0))
    amount = words.in_cents(shown, exact, currency, signed=True)
    left = len(rows) - len(known)
    return f"{amount} and {left:,} not known" if left else amount


def others_title(others: list[Row], cents: Amounts, currency: str) -> str:
    """`3 more workloads, no risk, +$2.10`."""
    if not others:
        return ""
    verdicts = [row.verdict for row in others]
    risks = [
        f"{verdicts.count(verdict):,} {words.VERDICTS[verdict].lower()}"
        for verdict in (Verdict.RISKY, Verdict.CAUTION, Verdict.UNKNOWN)
        if verdict in verdicts
    ]
    how = ", ".join(risks) or "no risk"
    return f"{words.count(len(others), 'more workload')}, {how}, {sum_words(others, cents, currency)}"


def unpriced_words(item: Unpriced) -> UnpricedWords:
    """What has no price, with no path said twice."""
    alone = item.kind in {"File", "Root"}
    name = f"{item.namespace}/{item.name}" if item.namespace else item.name
    told = f"{item.file}/".startswith(f"{item.name}/") or item.reason.startswith(item.file)
    return UnpricedWords(
        kind="" if alone else item.kind,
        name=name,
        file="" if told else item.file,
        reason=item.reason.removeprefix(f"{item.name}/") if alone else item.reason,
    )
