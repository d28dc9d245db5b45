"""The JSON contract, key by key: what programs outside rely on, written down apart from the product.

Each shape names every key that must be there. More keys may be added, so others are let pass; a
value of another type, an unknown word or an amount that is no plain decimal is a failure.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

Json = Any
Check = Callable[[Json, str], None]

_DECIMAL = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?")


def text(value: Json, at: str) -> None:
    """Any string."""
    assert isinstance(value, str), (at, value)


def line(value: Json, at: str) -> None:
    """A line number; a bool is not one, though Python takes it for one."""
    assert type(value) is int, (at, value)
    assert value >= 0, (at, value)


def amount(value: Json, at: str) -> None:
    """A decimal without exponent, without a needless zero in front, and never minus nothing."""
    text(value, at)
    assert _DECIMAL.fullmatch(value), (at, value)
    assert not (value.startswith("-") and Decimal(value) == 0), (at, value)


def percent(value: Json, at: str) -> None:
    """One decimal, or null."""
    if value is not None:
        amount(value, at)
        assert re.search(r"\.[0-9]$", value), (at, value)


def one_of(*words: str) -> Check:
    """One of these words."""

    def check(value: Json, at: str) -> None:
        assert value in words, (at, value)

    return check


def shape(**keys: Check) -> Check:
    """An object with these keys."""

    def check(value: Json, at: str) -> None:
        assert isinstance(value, dict), (at, value)
        assert keys.keys() <= value.keys(), (at, keys.keys() - value.keys())
        for key, inner in keys.items():
            inner(value[key], f"{at}.{key}")

    return check


def many(item: Check) -> Check:
    """A list of such."""

    def check(value: Json, at: str) -> None:
        assert isinstance(value, list), (at, value)
        for index, inner in enumerate(value):
            item(inner, f"{at}[{index}]")

    return check


def or_null(inner: Check) -> Check:
    """Such a value, or null."""

    def check(value: Json, at: str) -> None:
        if value is not None:
            inner(value, at)

    return check


def evidence(value: Json, at: str) -> None:
    """Words by name."""
    assert isinstance(value, dict), (at, value)


VERDICT = one_of("safe", "caution", "risky", "unknown", "none")
CONFIDENCE = one_of("high", "medium", "low", "none")
PROVENANCE = one_of("measured", "requested", "assumed")
RANGE: Mapping[str, Check] = {"floor": amount, "expected": amount, "ceiling": amount}
SIDE = shape(
    replicas=shape(
        **RANGE,
        source=one_of("manifest", "hpa-simulated", "hpa-bounds", "observed", "nodes", "schedule"),
        provenance=PROVENANCE,
    ),
    pod=shape(
        cpu_cores=amount,
        memory_gib=amount,
        gpus=amount,
        storage_gib=amount,
        provenance=shape(
            cpu_cores=PROVENANCE, memory_gib=PROVENANCE, gpus=PROVENANCE, storage_gib=PROVENANCE
        ),
    ),
    monthly=shape(**RANGE, provenance=PROVENANCE),
    rates=shape(
        cpu_core_hour=amount,
        memory_gib_hour=amount,
        gpu_hour=amount,
        source=text,
        as_of=text,
        provenance=PROVENANCE,
    ),
)
WORKLOAD = shape(
    environment=text,
    namespace=text,
    kind=text,
    name=text,
    status=one_of("added", "removed", "changed"),
    source=shape(file=text, line=line),
    verdict=VERDICT,
    confidence=CONFIDENCE,
    before=or_null(SIDE),
    after=or_null(SIDE),
    change=shape(**RANGE),
    findings=many(
        shape(
            rule=text,
            severity=one_of("info", "caution", "risky"),
            message=text,
            field=text,
            file=text,
            line=line,
            evidence=evidence,
        )
    ),
)
REPORT = shape(
    schema=one_of("tuppence.report/v1"),
    currency=text,
    hours_per_month=amount,
    base=text,
    head=text,
    verdict=VERDICT,
    confidence=CONFIDENCE,
    monthly=shape(before=shape(**RANGE), after=shape(**RANGE), change=shape(**RANGE), percent=percent),
    workloads=many(WORKLOAD),
    unpriced=many(shape(kind=text, namespace=text, name=text, file=text, reason=text)),
    partial=many(text),
)


def checked(report: Json) -> Json:
    """The report, whose shape is right and whose sums add up."""
    REPORT(report, "report")
    for row in report["workloads"]:
        _is_difference(row["change"], row["before"], row["after"])
        both = row["before"] is not None and row["after"] is not None
        assert both <= (row["status"] == "changed"), row
        if row["before"] is None and row["after"] is None:
            assert row["verdict"] in {"unknown", "caution", "risky"}, row
            assert row["name"] in {item["name"] for item in report["unpriced"]}, row
        if row["verdict"] == "unknown":
            assert row["unknown_because"], row
    monthly = report["monthly"]
    for point in RANGE:
        change = Decimal(monthly["change"][point])
        assert change == Decimal(monthly["after"][point]) - Decimal(monthly["before"][point])
        assert change == sum(Decimal(row["change"][point]) for row in report["workloads"])
    return report


def _is_difference(change: Json, before: Json, after: Json) -> None:
    """Pointwise: after minus before, where a side that is not there costs nothing."""
    sides = [
        {point: Decimal(side["monthly"][point]) if side else Decimal(0) for point in RANGE}
        for side in (before, after)
    ]
    for point in RANGE:
        assert Decimal(change[point]) == sides[1][point] - sides[0][point]
