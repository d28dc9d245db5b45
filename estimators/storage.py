"""What a volume costs a month, and how many volumes a claim template makes.

Sizes are GiB: `100G` is 93.13 of them. What clouds sell as a "GB-month" is a GiB-month.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal

from estimators.change import Cluster
from estimators.money import NOTHING, ZERO, Range
from estimators.objects import dig, text
from estimators.prices import BUILT_IN, Provenance
from estimators.workload import VolumeClaim

_DEFAULT_CLASS = (
    "storageclass.kubernetes.io/is-default-class",
    "storageclass.beta.kubernetes.io/is-default-class",
)


@dataclass(frozen=True, slots=True)
class StorageRate:
    """The price of one GiB for one month, and who says so."""

    gib_month: Decimal
    source: str
    as_of: str
    provenance: Provenance


def storage_rate(storage_class: str | None, cluster: Cluster) -> StorageRate:
    """The price of volumes of a StorageClass; None stands for the cluster's default class.

    Order of trust: a sheet that a person named, OpenCost's volume prices, the sheet's price of the
    class, the sheet's default. A named sheet without a price for it leaves it to OpenCost's.
    """
    sheet = cluster.prices
    name = default_storage_class(cluster) if storage_class is None else storage_class
    hourly = cluster.usage.storage_gib_hour.get(name or "", ZERO) if cluster.usage else ZERO
    named = sheet.explicit and (sheet.names("storage_gib_month") or name in sheet.storage)
    if hourly > 0 and cluster.usage and not named:
        return StorageRate(
            hourly * cluster.hours_per_month,
            f"OpenCost volume prices, {name}",
            cluster.usage.prices_as_of,
            Provenance.MEASURED,
        )
    given = Provenance.ASSUMED if sheet.source == BUILT_IN.source else Provenance.REQUESTED
    if name and name in sheet.storage:
        return StorageRate(sheet.storage[name], f"{sheet.source}, {name}", sheet.as_of, given)
    if name is None:
        doubt = ", the cluster's default StorageClass is not known"
    else:
        doubt = f", no price of StorageClass {name}" if name else ""
    if not sheet.names("storage_gib_month"):
        return StorageRate(
            sheet.storage_gib_month, BUILT_IN.source + doubt, BUILT_IN.as_of, Provenance.ASSUMED
        )
    trust = Provenance.ASSUMED if doubt else given
    return StorageRate(sheet.storage_gib_month, f"{sheet.source}, default{doubt}", sheet.as_of, trust)


def default_storage_class(cluster: Cluster) -> str | None:
    """The class that claims without one get: of several marked as default the newest, as Kubernetes does.

    None where no live StorageClass is known to be it.
    """
    marked = [
        (text(dig(body, "metadata", "creationTimestamp")), text(dig(body, "metadata", "name")))
        for body in (cluster.usage.objects if cluster.usage else ())
        if body.get("kind") == "StorageClass"
        and any(dig(body, "metadata", "annotations", key) == "true" for key in _DEFAULT_CLASS)
    ]
    return max(marked)[1] if marked else None


def claim_count(claim: VolumeClaim, replicas: Range, earlier: Range = NOTHING) -> Range:
    """How many volumes a claim template has made for `replicas` pods.

    A StatefulSet keeps the volumes of pods that went away, unless
    `persistentVolumeClaimRetentionPolicy.whenScaled` is `Delete`: then there are as many as pods.
    Kept volumes are whole, and at least those that the `earlier` pods had.
    """
    if not claim.kept_on_scale_down:
        return replicas
    now, then = _made(replicas), _made(earlier)
    return Range(max(now.floor, then.floor), max(now.expected, then.expected), max(now.ceiling, then.ceiling))


def _made(replicas: Range) -> Range:
    whole = replicas.expected.to_integral_value(rounding=ROUND_CEILING)
    return Range(replicas.floor, min(whole, replicas.ceiling), replicas.ceiling)
