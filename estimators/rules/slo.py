"""Rules about service level objectives."""

from __future__ import annotations

from collections.abc import Iterator

from estimators.change import WorkloadChange
from estimators.report import Finding, Severity
from estimators.rules.losses import losses
from estimators.rules.words import finding

BURNING = 1.0
"""A burn rate of 1 uses up the error budget exactly by the end of its period (sloth, pyrra)."""


def slo_burning(change: WorkloadChange) -> Iterator[Finding]:
    """`slo-burning`: an error budget burns too fast, and the change takes something away."""
    burn = change.history.error_budget_burn if change.history else None
    if burn is None or burn <= BURNING:
        return
    taken = losses(change)
    if not taken:
        return
    yield finding(
        change,
        "slo-burning",
        Severity.RISKY,
        f"its error budget burns {burn:.1f} times too fast already, and this takes capacity away",
        taken[0].path,
        evidence={"burn rate": f"{burn:.2f}", "taken away": ", ".join(item.words for item in taken)},
    )
