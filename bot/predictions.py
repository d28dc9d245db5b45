"""What a report predicted, as it is kept until it is measured: a few facts of each row, in JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from estimators.measured_change import PredictedRow
from estimators.showback_movers import Cause
from estimators.usage import WorkloadKey

Json = Mapping[str, Any]

_OF_A_POD = (
    ("cpu_cores", Cause.CPU_REQUEST),
    ("memory_gib", Cause.MEMORY_REQUEST),
    ("gpus", Cause.GPUS),
)
_ATTACHED = (("storage", Cause.STORAGE), ("load balancer", Cause.NETWORK))
_PRICES = ("cpu_core_hour", "memory_gib_hour", "gpu_hour")


def prediction_of(report: Json) -> dict[str, Any] | None:
    """What to keep of a report (its JSON); None where it predicted that nothing changes."""
    rows = [_kept(row, report.get("clusters", {})) for row in report["workloads"]]
    if not any(row["expected"] is None or Decimal(row["expected"]) for row in rows):
        return None
    return {"currency": report["currency"], "rows": rows}


def predicted_rows(kept: Json) -> tuple[PredictedRow, ...]:
    """The rows of what was kept; none of what was kept by a version that could not measure it."""
    return tuple(
        PredictedRow(
            environment=row["environment"],
            cluster=row["cluster"],
            workload=WorkloadKey(*row["workload"]),
            was=WorkloadKey(*row["was"]),
            expected=None if row["expected"] is None else Decimal(row["expected"]),
            causes=frozenset(map(Cause, row["causes"])),
            replicas=None if row["replicas"] is None else Decimal(row["replicas"]),
            mounted_by=tuple(WorkloadKey(*key) for key in row["mounted_by"]),
        )
        for row in kept.get("rows", ())
    )


def _kept(row: Json, clusters: Json) -> dict[str, Any]:
    place, after = row["namespace"], row["after"]
    known = (row["before"] or row["status"] == "added") and (after or row["status"] == "removed")
    return {
        "environment": row["environment"],
        "cluster": clusters.get(row["environment"], ""),
        "workload": [place, row["kind"], row["name"]],
        "was": _was(row),
        "expected": row["change"]["expected"] if known else None,
        "causes": sorted(set(_causes(row))),
        "replicas": after["replicas"]["expected"] if after else None,
        "mounted_by": [[place, *who.split("/", 1)] for who in row.get("mounted_by", ())],
    }


def _was(row: Json) -> list[str]:
    """What it was called before: a report pairs a workload that was renamed with its old self."""
    renamed = next((change["old"] for change in row["changes"] if change["field"] == "metadata.name"), "")
    namespace, _, name = renamed.rpartition("/")
    return [namespace if name else row["namespace"], row["kind"], name or row["name"]]


def _causes(row: Json) -> Iterator[Cause]:
    """What the change asks for. Where its cost is not known, all that a change of fields can be."""
    before, after = row["before"], row["after"]
    if row.get("mounted_by"):
        yield Cause.STORAGE
    if row["status"] != "changed":
        yield Cause.NEW if row["status"] == "added" else Cause.GONE
        return
    if before is None or after is None:
        yield from (Cause.REPLICAS, *(cause for _, cause in _OF_A_POD))
        return
    was, now = (Decimal(side["replicas"]["expected"]) for side in (before, after))
    if was != now:
        yield Cause.REPLICAS
        yield from (cause for pods, cause in ((was, Cause.NEW), (now, Cause.GONE)) if not pods)
    yield from (cause for amount, cause in _OF_A_POD if before["pod"][amount] != after["pod"][amount])
    yield from (cause for label, cause in _ATTACHED if _monthly(before, label) != _monthly(after, label))
    if any(before["rates"][price] != after["rates"][price] for price in _PRICES):
        yield Cause.PRICE


def _monthly(side: Json, label: str) -> Decimal:
    lines = (line for line in side["lines"] if line["label"] == label)
    return sum((Decimal(line["monthly"]["expected"]) for line in lines), Decimal(0))
