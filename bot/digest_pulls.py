"""What a week's digest says of merged pull requests: what was predicted beside what was measured. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import NamedTuple

from bot.measured_comment import name_of
from bot.predictions import predicted_rows
from bot.records import Prediction
from estimators.measured_change import PredictedRow
from estimators.usage import WorkloadKey


class Came(NamedTuple):
    """A month's change as it was predicted and as it was measured (None: not yet, or never if `told`)."""

    predicted: Decimal
    measured: Decimal | None
    told: bool


def pull_name(prediction: Prediction) -> str:
    """`shop/manifests#12`."""
    return f"{_full_name(prediction)}#{prediction.number}"


def pull_address(prediction: Prediction, web: str) -> str:
    """Where people look at it; `""` where they cannot."""
    return f"{web}/{_full_name(prediction)}/pull/{prediction.number}" if web else ""


def what_came(prediction: Prediction, belongs: Callable[[WorkloadKey], bool], currency: str) -> Came | None:
    """The part of a pull request that belongs to a team; None where nothing of it does, or is known.

    Of one that was measured in part, both amounts are of what was.
    """
    if prediction.predicted.get("currency") != currency:
        return None
    mine = [row for row in predicted_rows(prediction.predicted) if belongs(row.workload) or belongs(row.was)]
    found = (prediction.measured or {}).get("workloads", {})
    measured = [Decimal(found[name]) for row in mine if (name := name_of(row)) in found]
    if measured:
        return Came(
            _predicted([row for row in mine if name_of(row) in found]), sum(measured, Decimal(0)), told=True
        )
    if not any(row.expected is not None for row in mine):
        return None
    return Came(_predicted(mine), None, told=prediction.measured is not None)


def _predicted(rows: Sequence[PredictedRow]) -> Decimal:
    return sum((row.expected or Decimal(0) for row in rows), Decimal(0))


def _full_name(prediction: Prediction) -> str:
    repository = prediction.reference["repository"]
    return f"{repository['owner']}/{repository['name']}"
