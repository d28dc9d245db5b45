"""The report as JSON, for programs: `tuppence.report/v1`, whose shape docs/json.md describes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

from estimators.guardrail import CrossedGuardrail
from estimators.money import Range
from estimators.objects import Source, Unpriced
from estimators.prices import Provenance, Rates
from estimators.report import CostLine, Estimate, FieldChange, Finding, PodAmounts, Report, Row

SCHEMA = "tuppence.report/v1"

_STRENGTH = (Provenance.MEASURED, Provenance.REQUESTED, Provenance.ASSUMED, Provenance.UNPRICED)
_SURROGATE = re.compile("[\ud800-\udfff]")

Json = dict[str, Any]


def dump_report(report: Report, crossed: Sequence[CrossedGuardrail] = ()) -> str:
    """The JSON text, in ASCII: whatever a name holds, a terminal shows it as it is written.

    A line for each key and each workload: readable enough, and several times faster than indented.
    """
    told = report_json(report, crossed)
    lines = (f"{json.dumps(key)}: {_lines(value)}" for key, value in told.items())
    return "{" + ",\n ".join(lines) + "}\n"


def _lines(value: object) -> str:
    if not isinstance(value, list):
        return json.dumps(value)
    return "[" + ",\n  ".join(map(json.dumps, value)) + "]"


def report_json(report: Report, crossed: Sequence[CrossedGuardrail] = ()) -> Json:
    """One object; amounts are strings of unrounded decimals, a month, in `currency`."""
    percent = report.percent
    return {
        "schema": SCHEMA,
        "currency": _text(report.currency),
        "hours_per_month": _number(report.hours_per_month),
        "base": _text(report.base),
        "head": _text(report.head),
        "verdict": report.verdict.value,
        "confidence": report.confidence.value,
        "monthly": {
            "before": _range(report.before),
            "after": _range(report.after),
            "change": _range(report.change),
            "percent": None if percent is None else _percent(percent),
        },
        "workloads": [_row(row) for row in report.rows],
        "unpriced": [_unpriced(item) for item in report.unpriced],
        "partial": _texts(report.partial),
        "guardrails": [_crossed(item) for item in crossed],
        "prices": _text(report.prices),
        "usage": _text(report.usage),
        "left_out_hooks": report.left_out_hooks,
        "notes": _texts(report.notes),
        "clusters": {_text(key): _text(value) for key, value in report.clusters.items()},
    }


def _row(row: Row) -> Json:
    return {
        "environment": _text(row.identity.environment),
        "namespace": _text(row.identity.namespace),
        "kind": _text(row.identity.kind),
        "name": _text(row.identity.name),
        "status": row.status,
        "source": _source(row.source),
        "verdict": row.verdict.value,
        "confidence": row.confidence.value,
        "before": _side(row.before),
        "after": _side(row.after),
        "change": _range(row.change),
        "findings": [_finding(finding) for finding in row.findings],
        "changes": [_field_change(change) for change in row.changes],
        "seen": _text(row.seen),
        "unknown_because": _text(row.unknown_because),
        "blast_radius": _text(row.blast_radius),
        "team": _text(row.team),
        "labels": {_text(key): _text(value) for key, value in row.labels.items()},
        "mounted_by": _texts(row.mounted_by),
    }


def _side(estimate: Estimate | None) -> Json | None:
    """One side with the provenance of every number beside it; a sum is as good as its weakest part."""
    if estimate is None:
        return None
    replicas, pod, rates = estimate.replicas, estimate.pod, estimate.rates
    sizes = _pod_provenance(pod)
    weakest = max((replicas.provenance, rates.provenance, *sizes.values()), key=_STRENGTH.index)
    return {
        "replicas": _range(replicas.count)
        | {"source": replicas.source, "provenance": replicas.provenance.value, "note": _text(replicas.note)},
        "pod": {field: _number(getattr(pod, field)) for field in sizes}
        | {"provenance": {field: provenance.value for field, provenance in sizes.items()}},
        "monthly": _range(estimate.monthly) | {"provenance": weakest.value},
        "rates": _rates(rates),
        "lines": [_line(line) for line in estimate.lines],
    }


def _pod_provenance(pod: PodAmounts) -> dict[str, Provenance]:
    fields = ("cpu_cores", "memory_gib", "gpus", "storage_gib")
    return {field: pod.provenance.get(field, Provenance.REQUESTED) for field in fields}


def _rates(rates: Rates) -> Json:
    return {
        "cpu_core_hour": _number(rates.cpu_core_hour),
        "memory_gib_hour": _number(rates.memory_gib_hour),
        "gpu_hour": _number(rates.gpu_hour),
        "source": _text(rates.source),
        "as_of": _text(rates.as_of),
        "provenance": rates.provenance.value,
        "pool": _text(rates.pool),
    }


def _line(line: CostLine) -> Json:
    return {
        "label": line.label,
        "group": _text(line.group),
        "per_pod": _number(line.per_pod),
        "unit": line.unit,
        "quantity": _range(line.quantity),
        "price": _number(line.price),
        "price_unit": line.price_unit,
        "monthly": _range(line.monthly),
        "source": _text(line.source),
    }


def _finding(finding: Finding) -> Json:
    return {
        "rule": finding.rule,
        "severity": finding.severity.value,
        "message": _text(finding.message),
        "field": _text(finding.path),
        **_source(finding.source),
        "evidence": {_text(key): _text(value) for key, value in finding.evidence.items()},
        "safe_value": _text(finding.safe_value),
        "how_to_know": _text(finding.how_to_know),
    }


def _field_change(change: FieldChange) -> Json:
    return {
        "label": _text(change.label),
        "old": _text(change.old),
        "new": _text(change.new),
        "field": _text(change.path),
        **_source(change.source),
    }


def _unpriced(item: Unpriced) -> Json:
    return {
        "kind": _text(item.kind),
        "namespace": _text(item.namespace),
        "name": _text(item.name),
        "file": _text(item.file),
        "reason": _text(item.reason),
        "environment": _text(item.environment),
    }


def _crossed(item: CrossedGuardrail) -> Json:
    return {
        "why": _text(item.why),
        "message": _text(item.message),
        "approvers": _texts(item.approvers),
        "key": item.key,
    }


def _source(source: Source) -> Json:
    return {"file": _text(source.file), "line": source.line}


def _range(amount: Range) -> Json:
    return {
        "floor": _number(amount.floor),
        "expected": _number(amount.expected),
        "ceiling": _number(amount.ceiling),
    }


def _number(value: Decimal) -> str:
    """Plain notation without exponent, without zeros that say nothing, and no minus before nothing."""
    text = f"{value:f}" if value else "0"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _percent(value: Decimal) -> str:
    text = f"{value:.1f}"
    return "0.0" if text == "-0.0" else text


def _texts(values: Iterable[str]) -> list[str]:
    return [_text(value) for value in values]


def _text(value: str) -> str:
    """`value` with half characters, which no JSON reader takes, as U+FFFD."""
    return _SURROGATE.sub("\ufffd", value)
