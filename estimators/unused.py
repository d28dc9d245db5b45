"""Volumes and load balancers that stand in a cluster and that nothing used: what they cost, and since when.

They are judged as the finders judge those that manifests declare: each of the last 14 days has to be known,
and one day of use in the whole window is enough to leave a thing alone.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from decimal import Decimal
from itertools import chain

from estimators.change import Cluster, Protection
from estimators.objects import Identity, ManifestObject, Source
from estimators.ownership import Labels, Owners
from estimators.rules.protection import in_force
from estimators.rules.standing import SEEN_DAYS, known_days, unused_days
from estimators.storage import storage_rate
from estimators.usage import Series, UsageSnapshot, Window, WorkloadKey

CLAIM, VOLUME, SERVICE = "PersistentVolumeClaim", "PersistentVolume", "Service"
_NOWHERE = Source("", 0)


@dataclass(frozen=True, slots=True)
class StandingThing:
    """A bound claim, a volume, or a load balancer, as it stands in a cluster now.

    `used` has a value for each whole day: 1 where a pod had the claim among its volumes, a claim had the
    volume, or an endpoint of the Service was ready; 0 where it is known that none did; else NaN. `gib` is
    None for a load balancer. A volume has the namespace and name of the claim that it was made for,
    `""` where none ever had it. `annotations` are those that protect; `kept_by` is what has a claim though
    no pod does, such as `VirtualMachine db`, `""` where nothing does.
    """

    kind: str
    namespace: str
    name: str
    used: Series
    gib: Decimal | None = None
    storage_class: str | None = None
    claim: str = ""
    annotations: Mapping[str, str] = field(default_factory=dict)
    kept_by: str = ""


@dataclass(frozen=True, slots=True)
class StandingCluster:
    """All that stands in a cluster. Namespaces' `labels` say whose they are, `annotations` protect.

    `storage_gib_hour` are OpenCost's prices by StorageClass.
    """

    window: Window
    things: tuple[StandingThing, ...] = ()
    labels: Mapping[str, Labels] = field(default_factory=dict)
    annotations: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    storage_gib_hour: Mapping[str, Decimal] = field(default_factory=dict)

    @property
    def is_known(self) -> bool:
        """Whether it is known of anything that it was used, or not, on each of the last 14 days."""
        return any(known_days(thing.used) >= SEEN_DAYS for thing in self.things)


@dataclass(frozen=True, slots=True)
class Unused:
    """A thing that nothing used from `since` on, or longer; `monthly` is what it costs, in `currency`.

    `team` is `""` for nobody's. `left` says why it is left as it is: who protects it, or what needs it, in
    words; `""` where nothing is known to stand against that it goes. For the others see `StandingThing`.
    """

    cluster: str
    team: str
    kind: str
    namespace: str
    name: str
    claim: str
    gib: Decimal | None
    storage_class: str
    monthly: Decimal
    currency: str
    since: date
    left: Protection | str = ""


def find_unused(name: str, standing: StandingCluster, cluster: Cluster, owners: Owners) -> Iterator[Unused]:
    """What nothing used in the cluster of that name; `cluster` has its prices, and today.

    Left out is what costs nothing, or has a size that nobody knows.
    """
    usage = UsageSnapshot(standing.window, 0, {}, storage_gib_hour=standing.storage_gib_hour)
    cluster = replace(cluster, usage=usage)
    for thing in standing.things:
        days = unused_days(thing.used)
        monthly = _monthly(thing, cluster)
        if not days or not monthly:
            continue
        labels = standing.labels.get(thing.namespace, {})
        yield Unused(
            cluster=name,
            team=owners.of(WorkloadKey(thing.namespace, thing.kind, thing.name), labels).team,
            kind=thing.kind,
            namespace=thing.namespace,
            name=thing.name,
            claim=thing.claim,
            gib=thing.gib,
            storage_class=thing.storage_class or "",
            monthly=monthly,
            currency=cluster.prices.currency,
            since=(standing.window.end - timedelta(days=days)).date(),
            left=_protection(thing, standing, cluster) or (thing.kept_by and f"{thing.kept_by} keeps it"),
        )


def protection_of(thing: Unused, protections: Iterable[Protection], today: date) -> Protection | None:
    """The first of a policy's protections that covers it on that day, None where none does.

    A volume is meant by its own name, and by that of the claim that it was made for.
    """
    policy = Cluster(protections=tuple(protections), today=today)
    names = filter(None, (thing.name, thing.claim))
    found = (in_force(_object(thing.kind, thing.namespace, name, {}), {}, policy) for name in names)
    return next(chain.from_iterable(found), None)


def _monthly(thing: StandingThing, cluster: Cluster) -> Decimal | None:
    """What it costs, priced as where a manifest declares it."""
    if thing.kind == SERVICE:
        return cluster.prices.load_balancer_hour * cluster.hours_per_month
    if thing.gib is None:
        return None
    return thing.gib * storage_rate(thing.storage_class, cluster).gib_month


def _protection(thing: StandingThing, standing: StandingCluster, cluster: Cluster) -> Protection | None:
    above = {"metadata": {"annotations": dict(standing.annotations.get(thing.namespace, {}))}}
    live = _object(thing.kind, thing.namespace, thing.name, thing.annotations)
    return next(in_force(live, above, cluster), None)


def _object(kind: str, namespace: str, name: str, annotations: Mapping[str, str]) -> ManifestObject:
    """The thing as if a manifest declared it, for the rule of pull requests."""
    body = {"metadata": {"annotations": dict(annotations)}}
    return ManifestObject(Identity("", namespace, kind, name), "v1", body, _NOWHERE, lambda _path: _NOWHERE)
