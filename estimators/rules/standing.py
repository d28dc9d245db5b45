"""Rules about what costs while it stands: volumes and load balancers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import TypeVar

import numpy as np

from estimators.change import Cluster, WorkloadChange
from estimators.objects import Body, Identity, ManifestObject, Path, dotted
from estimators.report import Finding, Severity
from estimators.rules.protection import in_force
from estimators.rules.words import clipped, count_words, finding, size_words
from estimators.usage import BalancerUsage, ClaimUsage, Series, UsageSnapshot, observed
from estimators.workload import VolumeClaim, Workload

SEEN_DAYS = 14
"""Both of two weekly runs: what was not needed for as long is taken to be needed by nobody."""
_LONGEST_MESSAGE = 90
Kept = TypeVar("Kept", ClaimUsage, BalancerUsage)
_NOTHING_SHRINKS = "Kubernetes lets no volume shrink: a new one has to be made and the data copied"


def claim_usage(usage: UsageSnapshot | None, identity: Identity) -> ClaimUsage | None:
    """What is known of a claim. One whose manifest names no namespace is found where its name is unique."""
    return _named(usage.claims if usage else (), identity)


def balancer_usage(usage: UsageSnapshot | None, identity: Identity) -> BalancerUsage | None:
    """What is known of a load balancer, found in the same way."""
    return _named(usage.balancers if usage else (), identity)


def claims_of_template(
    usage: UsageSnapshot | None, workload: Workload, claim: VolumeClaim
) -> list[ClaimUsage]:
    """The claims that a StatefulSet made of one template: `data-db-0`, `data-db-1` and so on."""
    identity = workload.identity
    name = re.compile(rf"{re.escape(claim.name)}-{re.escape(identity.name)}-[0-9]+")
    return [
        item
        for item in (usage.claims if usage else ())
        if name.fullmatch(item.name) and identity.namespace in {"", item.namespace}
    ]


def used_peak(claims: Iterable[ClaimUsage]) -> Decimal | None:
    """The most bytes that were ever on one of the volumes; None where none of them was measured."""
    seen = [observed(item.used_peak_bytes) for item in claims]
    highest = [float(values.max()) for values in seen if values.size]
    return Decimal(int(max(highest))) if highest else None


def known_days(days: Series) -> int:
    """How many of the last days are known without a gap."""
    unknown = np.flatnonzero(np.isnan(days))
    return int(days.size - 1 - unknown[-1]) if unknown.size else days.size


def unused_days(days: Series) -> int:
    """For how many of the last days it is known to be unused; 0 for too few, or for use on any day."""
    known = known_days(days)
    return known if known >= SEEN_DAYS and not (days > 0).any() else 0


def volume_shrinks(change: WorkloadChange) -> Iterator[Finding]:
    """`volume-shrinks`: a claim or a claim template asks for less than before, and its use is known."""
    before, after = change.before, change.after
    if before is None or after is None:
        return
    claims = {claim.name: claim for claim in after.workload.claims}
    for old in before.workload.claims:
        new = claims.get(old.name)
        peak = used_peak(claims_of_template(change.cluster.usage, before.workload, old))
        if new and (words := _shrinks(old, new, peak)):
            severity, message, evidence = words
            yield finding(change, "volume-shrinks", severity, message, new.path, evidence=evidence)


def judge_claim(
    old: tuple[ManifestObject, VolumeClaim] | None,
    new: tuple[ManifestObject, VolumeClaim] | None,
    namespace: Body,
    cluster: Cluster,
) -> tuple[Finding, ...]:
    """`volume-shrinks`, `unused-removed` and `protected` for a PersistentVolumeClaim, worst first."""
    if old is None:
        return ()
    thing, claim = old
    usage = claim_usage(cluster.usage, thing.identity)
    if new is None:
        days = unused_days(usage.mounted) if usage else 0
        return (
            *_protected(thing, namespace, cluster, ("metadata", "name")),
            *_unused(thing, days, "no pod had it among its volumes", "what it holds goes with it"),
        )
    words = _shrinks(claim, new[1], used_peak([usage] if usage else ()))
    if words is None:
        return ()
    severity, message, evidence = words
    shrinks = _finding(new[0], "volume-shrinks", severity, message, new[1].path, evidence)
    return (*_protected(new[0], namespace, cluster, new[1].path), shrinks)


def judge_balancer(
    old: ManifestObject | None, new: ManifestObject | None, namespace: Body, cluster: Cluster
) -> tuple[Finding, ...]:
    """`unused-removed` and `protected` for a Service of type LoadBalancer that goes, or is one no more."""
    if old is None:
        return ()
    usage = balancer_usage(cluster.usage, old.identity)
    days = unused_days(usage.ready) if usage else 0
    path: Path = ("metadata", "name") if new is None else ("spec", "type")
    return (
        *_protected(old, namespace, cluster, path),
        *_unused(old, days, "no endpoint of it was ready", "its address goes with it"),
    )


def _shrinks(
    old: VolumeClaim, new: VolumeClaim, peak: Decimal | None
) -> tuple[Severity, str, Mapping[str, str]] | None:
    if peak is None or old.size is None or new.size is None or new.size >= old.size:
        return None
    evidence = {"new size": size_words(new.size), "at the most": size_words(peak)}
    if new.size < peak:
        words = f"the new size is below the {size_words(peak)} that were on it"
        return Severity.RISKY, words, evidence
    return Severity.CAUTION, _NOTHING_SHRINKS, evidence


def _unused(thing: ManifestObject, days: int, seen: str, lost: str) -> Iterator[Finding]:
    if days:
        message = f"{seen} on any of {count_words(days, 'day')}; {lost}"
        evidence = {"days without use": str(days)}
        yield _finding(thing, "unused-removed", Severity.CAUTION, message, ("metadata", "name"), evidence)


def _protected(thing: ManifestObject, namespace: Body, cluster: Cluster, path: Path) -> Iterator[Finding]:
    for protection in in_force(thing, namespace, cluster):
        reason = " ".join(protection.reason.split()) or "no reason given"
        evidence = {
            "reason": reason,
            "protected by": protection.source or "the policy",
            "fields": dotted(path),
            **({"until": protection.until.isoformat()} if protection.until else {}),
        }
        yield _finding(thing, "protected", Severity.RISKY, f"protected: {reason}", path, evidence)


def _finding(
    thing: ManifestObject,
    rule: str,
    severity: Severity,
    message: str,
    path: Path,
    evidence: Mapping[str, str],
) -> Finding:
    words = clipped(message, _LONGEST_MESSAGE)
    return Finding(rule, severity, words, dotted(path), thing.locate(path), evidence)


def _named(items: Iterable[Kept], identity: Identity) -> Kept | None:
    same = [item for item in items if item.name == identity.name]
    exact = [item for item in same if item.namespace == identity.namespace]
    if exact or identity.namespace:
        return exact[0] if exact else None
    return same[0] if len(same) == 1 else None
