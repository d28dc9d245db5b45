"""Rows that are not workloads: volume claims and load balancers. And what has no price at all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

from estimators.asks import changed_asks
from estimators.change import Cluster
from estimators.cost import volume_line
from estimators.costless import is_configuration, is_load_balancer
from estimators.inventory import LIVE, Inventory
from estimators.kinds import found_by_shape
from estimators.money import NOTHING, ZERO, Range, total
from estimators.objects import Identity, ManifestObject, Source, Unpriced, dig
from estimators.prices import BUILT_IN, Provenance, Rates
from estimators.quantity import GIB, show_bytes
from estimators.report import (
    Confidence,
    CostLine,
    Estimate,
    FieldChange,
    Finding,
    PodAmounts,
    ReplicaCount,
    Row,
    Verdict,
)
from estimators.rules.standing import judge_balancer, judge_claim
from estimators.storage import storage_rate
from estimators.verdict import worst_verdict
from estimators.workload import VolumeClaim

_ONE = Range.exactly(Decimal(1))
_TAKEN_AWAY = "what would be lost is not known: look before you merge"


def other_rows(before: Inventory, after: Inventory, cluster: Cluster) -> Iterator[Row]:
    """One row for each volume claim and load balancer whose cost changes."""
    for identity in dict.fromkeys([*before.claims, *after.claims]):
        old, new = before.claims.get(identity), after.claims.get(identity)
        sides = [_claim_estimate(item[1], cluster) if item else None for item in (old, new)]
        things = [item[0] if item else None for item in (old, new)]
        change = _size_change(old, new)
        if change:
            judged = judge_claim(old, new, before.namespace_of(identity), cluster)
            row = _row(identity, things, sides, change, judged)
            yield replace(row, mounted_by=_mounting(identity, before, after))
    for identity in dict.fromkeys([*before.load_balancers, *after.load_balancers]):
        balancers = [side.load_balancers.get(identity) for side in (before, after)]
        if balancers.count(None) == 1:
            services = [_declared_service(side, identity) for side in (before, after)]
            sides = [_service_estimate(item, cluster) if item else None for item in services]
            judged = judge_balancer(balancers[0], services[1], before.namespace_of(identity), cluster)
            yield _row(identity, services, sides, _type_change(services), judged)


def _mounting(claim: Identity, *sides: Inventory) -> tuple[str, ...]:
    """The workloads of either side that mount a claim."""
    return tuple(
        sorted(
            {
                f"{item.identity.kind}/{item.identity.name}"
                for side in sides
                for item in side.workloads.values()
                if item.identity[:2] == claim[:2]
                and any(claim.name in group.template.mounted_claims for group in item.groups)
            }
        )
    )


def unpriced_objects(before: Inventory, after: Inventory) -> Iterator[Unpriced]:
    """Changed objects of kinds we know no price of, and autoscalers whose workload is not to be seen."""
    for identity in dict.fromkeys([*before.others, *after.others]):
        old, new = before.others.get(identity), after.others.get(identity)
        thing = new or old
        if thing is None or not _differ(old, new):
            continue
        asked = _changed_asks(old, new)
        if asked or not is_configuration(thing):
            yield _unpriced(thing, f"has no pod template that we know of{asked}")
    yield from _besides_pods(before, after)
    for old_scalers, new_scalers in (
        (before.autoscalers, after.autoscalers),
        (before.verticals, after.verticals),
    ):
        for target in dict.fromkeys([*old_scalers, *new_scalers]):
            scalers = [found.get(target) for found in (old_scalers, new_scalers)]
            old, new = (item.object if item else None for item in scalers)
            known = Identity(*target)
            thing = new or old
            seen = known in before.workloads or known in after.workloads
            if thing and _differ(old, new) and not seen:
                reason = f"its target {known.kind} {known.name} is not among the manifests read"
                yield _unpriced(thing, reason + _changed_asks(old, new))


def _besides_pods(before: Inventory, after: Inventory) -> Iterator[Unpriced]:
    """What operators are asked for outside of the pod templates that we found."""
    for identity, new in after.workloads.items():
        old = before.workloads.get(identity)
        if old is None or not found_by_shape(new) or old.object.body == new.object.body:
            continue
        # Beside the template stands the number of its pods.
        priced = {group.template.path[:-2] for item in (old, new) for group in item.groups}
        if asked := changed_asks(old.object.body, new.object.body, priced):
            yield _unpriced(new.object, f"besides the pods that we know of: {asked}")


def _differ(old: ManifestObject | None, new: ManifestObject | None) -> bool:
    return old is None or new is None or old.body != new.body


def _changed_asks(old: ManifestObject | None, new: ManifestObject | None) -> str:
    asked = changed_asks(old.body if old else {}, new.body if new else {})
    return f": {asked}" if asked else ""


def _unpriced(thing: ManifestObject, reason: str) -> Unpriced:
    identity = thing.identity
    return Unpriced(
        identity.kind, identity.namespace, identity.name, thing.source.file, reason, identity.environment
    )


def _declared_service(side: Inventory, identity: Identity) -> ManifestObject | None:
    service = side.services.get(identity[:2], {}).get(identity.name)
    return service if service and service.source != LIVE else None


def _claim_estimate(claim: VolumeClaim, cluster: Cluster) -> Estimate | None:
    if claim.size is None:
        return None
    estimate = _estimate(tuple(volume_line(claim, _ONE, cluster)), claim.size / GIB, cluster)
    rate = storage_rate(claim.storage_class, cluster)
    return replace(estimate, rates=replace(estimate.rates, as_of=rate.as_of, provenance=rate.provenance))


def _service_estimate(service: ManifestObject, cluster: Cluster) -> Estimate:
    """A Service of any other type than LoadBalancer costs nothing."""
    if not is_load_balancer(service):
        return _estimate((), ZERO, cluster)
    sheet = cluster.prices
    named = sheet.names("load_balancer_hour")
    monthly = Range.exactly(sheet.load_balancer_hour * cluster.hours_per_month)
    line = CostLine(
        "load balancer",
        Decimal(1),
        "load balancer",
        _ONE,
        sheet.load_balancer_hour,
        "load-balancer-hour",
        monthly,
        sheet.source if named else BUILT_IN.source,
    )
    estimate = _estimate((line,), ZERO, cluster)
    if named:
        return estimate
    rates = replace(estimate.rates, as_of=BUILT_IN.as_of, provenance=Provenance.ASSUMED)
    return replace(estimate, rates=rates)


def _estimate(lines: tuple[CostLine, ...], gib: Decimal, cluster: Cluster) -> Estimate:
    sheet = cluster.prices
    return Estimate(
        replicas=ReplicaCount(_ONE, "manifest", Provenance.REQUESTED),
        pod=PodAmounts(ZERO, ZERO, ZERO, gib),
        rates=Rates(
            sheet.cpu_core_hour,
            sheet.memory_gib_hour,
            sheet.gpu_hour,
            lines[0].source if lines else sheet.source,
            sheet.as_of,
            Provenance.REQUESTED if sheet.explicit else Provenance.ASSUMED,
        ),
        lines=lines,
        monthly=total(line.monthly for line in lines),
    )


def _size_change(
    old: tuple[ManifestObject, VolumeClaim] | None, new: tuple[ManifestObject, VolumeClaim] | None
) -> FieldChange | None:
    """What changed about a claim: its size, else its class; None where neither did."""
    shown = [show_bytes(item[1].size) if item and item[1].size is not None else "" for item in (old, new)]
    here = new or old
    if here is None:
        return None
    if old is None or new is None or old[1].size != new[1].size:
        path = here[1].path
        return FieldChange("storage", shown[0], shown[1], ".".join(map(str, path)), here[0].locate(path))
    classes = [item[1].storage_class or "" for item in (old, new)]
    if classes[0] != classes[1]:
        path = ("spec", "storageClassName")
        return FieldChange("storage class", classes[0], classes[1], ".".join(path), here[0].locate(path))
    return None


def _type_change(services: list[ManifestObject | None]) -> FieldChange:
    words = [str(dig(item.body, "spec", "type") or "ClusterIP")[:40] if item else "" for item in services]
    thing = services[1] or services[0]
    path = ("spec", "type")
    source = thing.locate(path) if thing else Source("", 0)
    return FieldChange("service type", words[0], words[1], ".".join(path), source)


def _row(
    identity: Identity,
    things: list[ManifestObject | None],
    sides: list[Estimate | None],
    change: FieldChange,
    findings: tuple[Finding, ...],
) -> Row:
    old, new = sides
    difference = (new.monthly if new else NOTHING) - (old.monthly if old else NOTHING)
    unknown = any(thing and side is None for thing, side in zip(things, sides, strict=True))
    adds = difference.expected >= 0 and things[1] is not None and not unknown
    status = "changed" if all(things) else "removed" if things[0] else "added"
    thing = things[1] or things[0]
    return Row(
        identity=identity,
        status=status,
        source=change.source,
        verdict=worst_verdict(findings) or (Verdict.SAFE if adds else Verdict.UNKNOWN),
        confidence=Confidence.HIGH,
        before=old,
        after=new,
        change=NOTHING if unknown else difference,
        changes=(change,),
        findings=findings,
        unknown_because="its size is not stated" if unknown else "" if adds or findings else _TAKEN_AWAY,
        labels=thing.labels if thing else {},
    )
