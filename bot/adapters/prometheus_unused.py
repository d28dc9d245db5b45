"""Everything that stands in a cluster whether or not a manifest declares it: claims, volumes, load balancers.

Two requests more than `read_standing` takes, whatever the size of the cluster, none of them with a
subquery: whether volumes had a claim, a value a day; and what is there now, how large, and of what class.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from decimal import Decimal

import numpy as np

from bot.adapters.prometheus_api import PrometheusApi, Sample, is_kubernetes_name
from bot.adapters.prometheus_discovery import CLUSTER_LABELS
from bot.adapters.prometheus_facts import by_tag
from bot.adapters.prometheus_ksm_nodes import VOLUME_METRICS, storage_prices
from bot.adapters.prometheus_ksm_samples import Families, exact, highest
from bot.adapters.prometheus_queries import DAY, TAG, Scope, any_of, own_labels, tagged
from bot.adapters.prometheus_standing import SEEN_FOR, read_standing
from bot.adapters.prometheus_transport import AnswerTooLarge
from estimators.ownership import label_as_exported, may_name_an_owner
from estimators.rules.protection import FIELDS, PROTECT, UNTIL
from estimators.unused import CLAIM, SERVICE, VOLUME, StandingCluster, StandingThing
from estimators.usage import Series, Window

_CLAIMS = "kube_persistentvolumeclaim_info"
_CLAIM_SIZES = "kube_persistentvolumeclaim_resource_requests_storage_bytes"
_VOLUMES, _VOLUME_SIZES = "kube_persistentvolume_info", "kube_persistentvolume_capacity_bytes"
_MADE_FOR, _PHASES = "kube_persistentvolume_claim_ref", "kube_persistentvolume_status_phase"
_SERVICES, _ADDRESSES = "kube_service_spec_type", "kube_service_status_load_balancer_ingress"
_NAMESPACES = ("kube_namespace_annotations", "kube_namespace_labels")
_NAMESPACE = "Namespace"
_PROTECTED = {
    SERVICE: ("kube_service_annotations", "service"),
    CLAIM: ("kube_persistentvolumeclaim_annotations", "persistentvolumeclaim"),
    VOLUME: ("kube_persistentvolume_annotations", "persistentvolume"),
    _NAMESPACE: ("kube_namespace_annotations", "namespace"),
}
_LABELS, _DISKS = "kube_persistentvolumeclaim_labels", "kubevirt_vm_disk_allocated_size_bytes"
_GOLDEN = f"label_{label_as_exported('cdi.kubevirt.io/dataImportCron')}"
"""On the golden images that CDI imports: a driver clones disks from them without any pod."""
_EXPORTED = {f"annotation_{label_as_exported(name)}": name for name in (PROTECT, FIELDS, UNTIL)}
_PROTECTS = next(iter(_EXPORTED))
_THERE = tuple(
    dict.fromkeys(
        (_CLAIMS, _CLAIM_SIZES, _VOLUMES, _VOLUME_SIZES, _MADE_FOR, *VOLUME_METRICS, _ADDRESSES, *_NAMESPACES)
    )
)
_RECENT = "[10m]"
"""How far back what is there now is looked for: kube-state-metrics may be restarting."""
_A_DAY = "[86400s]"
_BOUND, _SEEN = "bound", "seen"
_NO_CLASS = "<none>"
_GIB = 2**30

_Key = tuple[str, ...]


def read_unused(api: PrometheusApi, *, window: Window) -> StandingCluster:
    """What stands in the cluster, and on which days of the window it was used.

    Nothing where the server warned that answers are not whole, where its limits allow no such question, and
    where it holds several clusters. Raises PrometheusUnavailable where there is no answer.
    """
    nothing = StandingCluster(window)
    standing = read_standing(api, window=window)
    if not window.whole_days or standing.partial or api.warnings:
        return nothing
    scope = Scope.of(api)
    try:
        bound = _bound(api, scope, window)
        families = _there_now(api, scope, window)
    except AnswerTooLarge:
        return nothing
    if api.warnings or _is_of_several(families):
        return nothing
    mounted: dict[_Key, Series] = {(item.namespace, item.name): item.mounted for item in standing.claims}
    ready: dict[_Key, Series] = {(item.namespace, item.name): item.ready for item in standing.balancers}
    protected = {kind: _annotations(families, kind) for kind in _PROTECTED}
    found = (
        *_claims(families, mounted, protected[CLAIM]),
        *_volumes(families, bound, protected[VOLUME]),
        *_balancers(families, ready, protected[SERVICE]),
    )
    return StandingCluster(
        window,
        things=tuple(thing for thing in found if _is_named(thing)),
        labels=_namespace_labels(families),
        annotations={name: notes for (_, name), notes in protected[_NAMESPACE].items()},
        storage_gib_hour=storage_prices(families),
    )


def _bound(api: PrometheusApi, scope: Scope, window: Window) -> dict[str, Series]:
    """The days on which each volume had a claim; NaN for those on which it was hardly seen."""
    phase = scope.cluster(_PHASES, 'phase="Bound"') + _A_DAY
    vectors = [
        tagged(tag, f"max by (persistentvolume) ({function}({phase}))")
        for tag, function in ((_BOUND, "max_over_time"), (_SEEN, "count_over_time"))
    ]
    first = window.end - (window.whole_days - 1) * DAY
    rows = by_tag(api.range(any_of(vectors), start=first, end=window.end, step_seconds=86_400))
    bound, seen = (
        {row.labels.get("persistentvolume", ""): row.values for row in rows.get(tag, ())}
        for tag in (_BOUND, _SEEN)
    )
    most = max((float(np.nanmax(counts)) for counts in seen.values()), default=0.0)
    return {
        name: np.where(days == 1, 1.0, np.where(seen[name] >= SEEN_FOR * most, 0.0, np.nan))
        for name, days in bound.items()
    }


def _there_now(api: PrometheusApi, scope: Scope, window: Window) -> Families:
    selectors = {metric: scope.cluster(metric) for metric in _THERE}
    selectors[_SERVICES] = scope.cluster(_SERVICES, 'type="LoadBalancer"')
    for metric, _ in _PROTECTED.values():
        selectors.setdefault(metric, scope.cluster(metric, f'{_PROTECTS}!=""'))
    selectors[_LABELS] = scope.cluster(_LABELS, f'{_GOLDEN}!=""')
    selectors[_DISKS] = scope.cluster(_DISKS)
    query = any_of([tagged(metric, f"last_over_time({one}{_RECENT})") for metric, one in selectors.items()])
    families: dict[str, list[Sample]] = defaultdict(list)
    for sample in api.instant(query, at=window.end):
        families[sample.labels.get(TAG, "")].append(Sample(own_labels(sample.labels), sample.value))
    return families


def _is_of_several(families: Families) -> bool:
    """Whether several clusters share the server and nothing tells which is meant: namesakes would be one."""
    samples = [sample for metric in (_CLAIMS, _VOLUMES, _SERVICES) for sample in families.get(metric, ())]
    told = ({sample.labels.get(label, "") for sample in samples} for label in CLUSTER_LABELS)
    return any(len(names - {""}) > 1 for names in told)


def _claims(
    families: Families, mounted: Mapping[_Key, Series], protected: Mapping[_Key, Mapping[str, str]]
) -> Iterator[StandingThing]:
    """Those that have a volume: one that waits for its first pod costs nothing."""
    sizes = highest(families.get(_VOLUME_SIZES, ()), "persistentvolume")
    asked = highest(families.get(_CLAIM_SIZES, ()), "namespace", "persistentvolumeclaim")
    keepers = dict(_keepers(families))
    labels = ("namespace", "persistentvolumeclaim", "volumename", "storageclass")
    for namespace, name, volume, storage_class in sorted(highest(families.get(_CLAIMS, ()), *labels)):
        place = (namespace, name)
        if volume and place in mounted:
            yield StandingThing(
                CLAIM,
                namespace,
                name,
                mounted[place],
                gib=_gib(sizes.get((volume,), asked.get(place))),
                storage_class=_class(storage_class),
                annotations=protected.get(place, {}),
                kept_by=keepers.get(place, ""),
            )


def _keepers(families: Families) -> Iterator[tuple[_Key, str]]:
    """What has a claim though no pod does: a virtual machine that may be stopped, else who imports images."""
    for kind, metric, name in (("DataImportCron", _LABELS, _GOLDEN), ("VirtualMachine", _DISKS, "name")):
        place = ("namespace", "persistentvolumeclaim")
        for namespace, claim, keeper in sorted(highest(families.get(metric, ()), *place, name)):
            if keeper:
                yield (namespace, claim), f"{kind} {keeper}"


def _volumes(
    families: Families, bound: Mapping[str, Series], protected: Mapping[_Key, Mapping[str, str]]
) -> Iterator[StandingThing]:
    """Those without a claim on the newest day: what has one is told as that."""
    sizes = highest(families.get(_VOLUME_SIZES, ()), "persistentvolume")
    claims = {
        volume: (namespace, name)
        for volume, namespace, name in highest(
            families.get(_MADE_FOR, ()), "persistentvolume", "claim_namespace", "name"
        )
    }
    for name, storage_class in sorted(
        highest(families.get(_VOLUMES, ()), "persistentvolume", "storageclass")
    ):
        if name in bound and bound[name][-1] == 0:
            namespace, claim = claims.get(name, ("", ""))
            yield StandingThing(
                VOLUME,
                namespace,
                name,
                bound[name],
                gib=_gib(sizes.get((name,))),
                storage_class=_class(storage_class),
                claim=claim,
                annotations=protected.get(("", name), {}),
            )


def _balancers(
    families: Families, ready: Mapping[_Key, Series], protected: Mapping[_Key, Mapping[str, str]]
) -> Iterator[StandingThing]:
    """Those that have an address, where any has: without one the cloud has made nothing to pay for."""
    addressed = highest(families.get(_ADDRESSES, ()), "namespace", "service")
    for place in sorted(highest(families.get(_SERVICES, ()), "namespace", "service")):
        if place in ready and (place in addressed or not addressed):
            namespace, name = place
            yield StandingThing(SERVICE, namespace, name, ready[place], annotations=protected.get(place, {}))


def _annotations(families: Families, kind: str) -> dict[_Key, dict[str, str]]:
    """Those that protect, under their own names, by namespace (`""` for what is in none) and name."""
    metric, label = _PROTECTED[kind]
    found: dict[_Key, dict[str, str]] = {}
    for sample in families.get(metric, ()):
        notes = {name: sample.labels[key] for key, name in _EXPORTED.items() if sample.labels.get(key)}
        if PROTECT in notes:
            namespace = sample.labels.get("namespace", "") if kind in {CLAIM, SERVICE} else ""
            found[namespace, sample.labels.get(label, "")] = notes
    return found


def _namespace_labels(families: Families) -> dict[str, dict[str, str]]:
    """Labels and annotations of each namespace, by the names that kube-state-metrics gives them."""
    found: dict[str, dict[str, str]] = defaultdict(dict)
    for metric, prefix in zip(_NAMESPACES, ("annotation_", "label_"), strict=True):
        for sample in families.get(metric, ()):
            found[sample.labels.get("namespace", "")] |= {
                name.removeprefix(prefix): value
                for name, value in sample.labels.items()
                if name.startswith(prefix) and value and may_name_an_owner(name.removeprefix(prefix))
            }
    return dict(found)


def _is_named(thing: StandingThing) -> bool:
    """Whether it can be named in a command that somebody copies."""
    return is_kubernetes_name(thing.name) and (not thing.namespace or is_kubernetes_name(thing.namespace))


def _class(told: str) -> str | None:
    return None if told in {"", _NO_CLASS} else told


def _gib(size: float | None) -> Decimal | None:
    return exact(size) / _GIB if size is not None and size > 0 else None
