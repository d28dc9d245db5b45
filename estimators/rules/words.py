"""How rules write: field paths, amounts in prose, tidy safe values, and the finding itself."""

from __future__ import annotations

import math
from collections.abc import Mapping
from decimal import Decimal

from estimators.change import WorkloadChange
from estimators.objects import ManifestObject, Path, Source, dig, dotted
from estimators.quantity import GIB, MIB
from estimators.report import Finding, Severity

ADD_HISTORY = "add --prometheus URL or --usage FILE"
ADD_NODES = "add --kube-context NAME, or --prometheus URL or --usage FILE with nodes"

_LONGEST_PIECE = 20
_LONGEST_MESSAGE = 90
_MEMORY_STEPS = ((512 * MIB, 16 * MIB), (4 * GIB, 64 * MIB), (32 * GIB, 256 * MIB))
_CPU_STEPS = (
    (Decimal("0.1"), Decimal("0.01")),
    (Decimal(1), Decimal("0.05")),
    (Decimal(10), Decimal("0.1")),
)


def finding(
    change: WorkloadChange,
    rule: str,
    severity: Severity,
    message: str,
    path: Path,
    *,
    evidence: Mapping[str, str] | None = None,
    safe_value: str = "",
    how_to_know: str = "",
    thing: ManifestObject | None = None,
) -> Finding:
    """A finding at `path` of `thing`, which is the workload's own object where it is not given.

    An object known from the cluster alone has no line; the workload's line stands in for it. What a VPA
    makes of the manifest's resources has no safe value that could be written there.
    """
    vertical = change.after.vertical if change.after and "resources" in path else None
    own = change.side.workload.object
    source = (thing or own).locate(path)
    value = dig((thing or own).body, *path)
    return Finding(
        rule=rule,
        severity=severity,
        message=clipped(message, _LONGEST_MESSAGE),
        path=dotted(path),
        source=source if source.file else Source(*own.source),
        evidence=evidence or {},
        safe_value="" if vertical and vertical.sets_requests else safe_value,
        how_to_know=how_to_know,
        value="" if value is None or isinstance(value, dict | list) else str(value),
    )


def clipped(words: str, most: int) -> str:
    """`words`, cut with an ellipsis where it is longer than `most` characters, not within a short word."""
    if len(words) <= most:
        return words
    whole, space, piece = words[:most].rpartition(" ")
    return (whole if space and len(piece) <= _LONGEST_PIECE else words[: most - 1]).rstrip() + "…"


def size_words(size: float | Decimal) -> str:
    """Bytes in prose: `683 MiB`, `1.5 GiB`."""
    mib = float(size) / 2**20
    if mib >= 1024:
        return f"{_number(mib / 1024, 2)} GiB"
    return f"{_number(mib, 0 if mib >= 10 else 1)} MiB"


def core_words(cores: float | Decimal) -> str:
    """Cores in prose: `0.81 cores`, `1 core`."""
    number = _number(float(cores), 2 if cores >= Decimal("0.1") else 3)
    if number == "0" and cores > 0:
        return "<0.001 cores"
    return f"{number} core" if number == "1" else f"{number} cores"


def percent_words(share: float) -> str:
    """A share in prose: `22 %`, `3.4 %`, `<0.1 %`."""
    percent = share * 100
    if 0 < percent < 0.1:
        return "<0.1 %"
    return f"{_number(percent, 1 if percent < 10 else 0)} %"


def count_words(count: float | Decimal, noun: str) -> str:
    """`1 pod`, `8.2 pods`, `2 OOM kills`."""
    number = _number(float(count), 1)
    return f"{number} {noun}" if number == "1" else f"{number} {noun}s"


def _number(value: float, places: int) -> str:
    text = f"{value:.{places}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def tidy_memory(size: float | Decimal) -> Decimal:
    """Bytes rounded up to what a person would write: steps of 16 MiB, 64 MiB, 256 MiB, then 1 GiB."""
    amount = Decimal(size)
    return _rounded_up(amount, next((step for top, step in _MEMORY_STEPS if amount <= top), GIB))


def tidy_cores(cores: float | Decimal) -> Decimal:
    """Cores rounded up to what a person would write: steps of 10m, 50m, 100m, then 500m."""
    amount = Decimal(cores)
    return _rounded_up(amount, next((step for top, step in _CPU_STEPS if amount <= top), Decimal("0.5")))


def _rounded_up(amount: Decimal, step: Decimal) -> Decimal:
    return max(math.ceil(amount / step), 1) * step


def memory_quantity(size: Decimal) -> str:
    """Bytes as a quantity that is never less: `832Mi`, `2Gi`."""
    mib = math.ceil(size / MIB)
    return f"{mib // 1024}Gi" if mib % 1024 == 0 else f"{mib}Mi"


def cpu_quantity(cores: Decimal) -> str:
    """Cores as a quantity that is never less: `250m`, `2`."""
    milli = math.ceil(cores * 1000)
    return str(milli // 1000) if milli % 1000 == 0 else f"{milli}m"


def window_words(change: WorkloadChange, coverage: float | None = None) -> str:
    """What the evidence was seen in: `14 days to 2026-11-16, 99 % measured`."""
    usage = change.cluster.usage
    if usage is None:
        return ""
    days = count_words(usage.window.days, "day")
    seen = f", {percent_words(coverage)} measured" if coverage is not None else ""
    return f"{days} to {usage.window.end:%Y-%m-%d}{seen}"
