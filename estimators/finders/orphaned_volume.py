"""Volume claims that no pod had among its volumes: somebody may look once more and remove them."""

from __future__ import annotations

import re
from collections.abc import Iterator

from estimators.finders.candidate import Proposal, Standing, removal
from estimators.objects import text
from estimators.recommendation import LeftAlone, Reason
from estimators.rules.standing import unused_days, used_peak
from estimators.rules.words import count_words, memory_quantity, size_words
from estimators.storage import default_storage_class

FINDER = "orphaned-volume"
_LOST = "What is on it is lost; nobody can see from here whether somebody keeps it on purpose."


def orphaned_volume(standing: Standing) -> Iterator[Proposal | LeftAlone]:
    """A claim without a pod on any day of two weeks, and without a workload in the manifests that names it.

    A finished pod that still lies there counts as one, and so does one that waits. What a workload would
    mount that is switched off just now is left, and so is what disks are cloned from or snapshots are of.
    """
    claim = standing.claim
    if claim is None or claim.size is None or (standing.seen == 1).any():
        return
    if left := standing.not_known(FINDER):
        yield left
        return
    if user := _user(standing):
        yield standing.left(FINDER, Reason.RISKY, why=f"{user} mounts it when it runs")
        return
    if standing.named_by:
        yield standing.left(FINDER, Reason.RISKY, why=f"{standing.named_by} names it")
        return
    kept = _billed_on(standing)
    peak = used_peak([standing.used] if standing.used else ())
    yield Proposal(
        FINDER,
        standing,
        (removal(standing.object, memory_quantity(claim.size)),),
        {
            "mounted": f"on none of {count_words(unused_days(standing.seen), 'day')}",
            "size": size_words(claim.size),
            **({"on it at the most": size_words(peak)} if peak is not None else {}),
            "window": standing.window,
        },
        risks=tuple(filter(None, (_LOST, kept))),
        undo="None: what it held is gone. Take a snapshot first, and make the claim anew from it.",
        by_hand=True,
        billed_on=kept,
    )


def _user(standing: Standing) -> str:
    """The workload of the manifests that would mount it, `""` where there is none."""
    name = standing.identity.name
    for workload in standing.workloads():
        own = workload.identity
        made = [rf"{re.escape(claim.name)}-{re.escape(own.name)}-[0-9]+" for claim in workload.claims]
        if any(name in group.template.mounted_claims for group in workload.groups) or any(
            re.fullmatch(pattern, name) for pattern in made
        ):
            return f"{own.kind} {own.name}"
    return ""


def _billed_on(standing: Standing) -> str:
    """Why the disk stays when the claim goes, `""` where it goes as well."""
    claim = standing.claim
    named = claim.storage_class if claim else None
    name = default_storage_class(standing.cluster) if named is None else named
    known = standing.inventory.storage_classes.get(name or "", {})
    if text(known.get("reclaimPolicy")) == "Retain":
        return f"StorageClass {name} keeps the disk: it is billed until somebody deletes the volume too."
    return ""
