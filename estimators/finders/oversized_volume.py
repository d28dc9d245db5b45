"""Volumes that were never half full: what size would have done, for whoever makes the next one.

No volume shrinks in Kubernetes, so nothing here can be written into a file and applied: a person makes
a smaller volume and copies the data. It is proposed only where that may be worth the trouble.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from decimal import Decimal

import numpy as np

from estimators.finders.candidate import Candidate, Proposal, Standing, new_value
from estimators.objects import ManifestObject
from estimators.quantity import GIB
from estimators.recommendation import FieldChange, LeftAlone, Reason
from estimators.rules.standing import SEEN_DAYS, claims_of_template, used_peak
from estimators.rules.words import count_words, memory_quantity, size_words
from estimators.usage import ClaimUsage, Series, coverage
from estimators.workload import VolumeClaim

FINDER = "oversized-volume"
HEADROOM = Decimal("1.5")
"""Times the peak. Kubecost leaves as much room on volumes of production."""
AHEAD_DAYS = 365
"""A volume that fills is to last a year at the pace at which the peaks of the two halves rose."""
WORTH = Decimal("0.5")
"""A size above this share of the present one is left: copying the data costs a person hours."""
COVERED = 0.8
_RISKS = (
    "Pods have to stop while the data is copied; what is not copied is lost.",
    "On some storage classes (gp2, pd-ssd) a smaller volume is also a slower one.",
)
_UNDO = "A volume can be made larger in place where its StorageClass allows expansion."


def oversized_claim(standing: Standing) -> Iterator[Proposal | LeftAlone]:
    """A PersistentVolumeClaim of its own that pods mount."""
    claim, used = standing.claim, standing.used
    if claim is None or used is None or not (standing.seen == 1).any():
        return
    if used_peak([used]) is not None and not _is_measured(used):
        yield standing.left(FINDER, Reason.POOR_HISTORY, window=count_words(used.used_peak_bytes.size, "day"))
        return
    if found := _smaller(standing.object, claim, [used]):
        change, evidence = found
        evidence = {**evidence, "window": standing.window}
        yield Proposal(FINDER, standing, (change,), evidence, risks=_RISKS, undo=_UNDO, by_hand=True)


def oversized_volumes(candidate: Candidate) -> Iterator[Proposal | LeftAlone]:
    """The claim templates of a StatefulSet: the fullest of all volumes of a template decides."""
    days = candidate.usage.window.whole_days
    changes: list[FieldChange] = []
    evidence: dict[str, str] = {}
    for claim in candidate.workload.claims:
        used = claims_of_template(candidate.usage, candidate.workload, claim)
        if not all(map(_is_measured, used)):
            if used_peak(used) is not None:
                yield candidate.left(FINDER, Reason.POOR_HISTORY, window=count_words(days, "day"))
            continue
        if found := _smaller(candidate.workload.object, claim, used):
            changes.append(found[0])
            prefix = f"{claim.name} " if len(candidate.workload.claims) > 1 else ""
            evidence |= {prefix + key: value for key, value in found[1].items()}
    if changes:
        evidence["window"] = f"{count_words(days, 'day')} to {candidate.usage.window.end:%Y-%m-%d}"
        yield Proposal(FINDER, candidate, tuple(changes), evidence, risks=_RISKS, undo=_UNDO, by_hand=True)


def _smaller(
    thing: ManifestObject, claim: VolumeClaim, used: Sequence[ClaimUsage]
) -> tuple[FieldChange, dict[str, str]] | None:
    """The size that would have done, None where the present one is not far above it."""
    peak = used_peak(used)
    if peak is None or claim.size is None:
        return None
    growth = max(_growth_a_day(item) for item in used)
    needed = max(peak * HEADROOM, peak + growth * AHEAD_DAYS, GIB)
    size = math.ceil(needed / GIB) * GIB
    if size > claim.size * WORTH:
        return None
    evidence = {"on it at the most": size_words(peak), "declared": size_words(claim.size)}
    if len(used) > 1:
        evidence["volumes"] = str(len(used))
    if growth:
        evidence["grows by"] = f"{size_words(growth)} a day"
    return new_value(thing, claim.path, memory_quantity(size)), evidence


def _since_measured(used: ClaimUsage) -> Series:
    """Its days from the first on that tells how full it was."""
    seen = ~np.isnan(used.used_peak_bytes)
    return used.used_peak_bytes[int(np.argmax(seen)) :] if seen.any() else np.empty(0)


def _is_measured(used: ClaimUsage) -> bool:
    """Whether it is known for two weeks or more how full it was, but for a few days."""
    days = _since_measured(used)
    return days.size >= SEEN_DAYS and coverage(days) >= COVERED


def _growth_a_day(used: ClaimUsage) -> Decimal:
    """How fast the peak of the later half of the days rises above that of the first half, in bytes."""
    days = _since_measured(used)
    halves = days[: days.size // 2], days[days.size // 2 :]
    if any(np.isnan(half).all() for half in halves):
        return Decimal(0)
    earlier, later = (float(np.nanmax(half)) for half in halves)
    return Decimal(int(max(later - earlier, 0.0) / (days.size / 2)))
