"""One side of a change, sorted: workloads, and what scales, protects, feeds and defaults them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TypeVar

from estimators.autoscaler_reader import read_horizontal, read_scaled_object, read_vertical
from estimators.costless import costs_nothing, is_configuration, is_load_balancer
from estimators.kinds import read_workload
from estimators.objects import Body, Identity, ManifestObject, Source, dig, mapping, sequence, text
from estimators.pod_reader import read_claim, read_limit_range, read_resources
from estimators.pod_request import ContainerDefaults, all_defaults
from estimators.workload import (
    Autoscaler,
    DisruptionBudget,
    Problem,
    Resources,
    VerticalAutoscaler,
    VolumeClaim,
    Workload,
)

Namespace = tuple[str, str]
"""Environment and namespace."""
Target = tuple[str, str, str, str]
"""Environment, namespace, kind and name of what an autoscaler acts on."""

LIVE = Source("", 0)
"""Where live objects come from."""
_MOST_BUDGETS = 10
"""Kubernetes evicts no pod that has two. Thousands for each of thousands of workloads took minutes."""


@dataclass(frozen=True, slots=True)
class Inventory:
    """Everything of one side that pricing and judging looks up, by what it is looked up with."""

    workloads: Mapping[Identity, Workload]
    claims: Mapping[Identity, tuple[ManifestObject, VolumeClaim]]
    load_balancers: Mapping[Identity, ManifestObject]
    others: Mapping[Identity, ManifestObject]
    """Kinds we know no price of, which may well cost something, and configuration that may size what does."""
    autoscalers: Mapping[Target, Autoscaler]
    verticals: Mapping[Target, VerticalAutoscaler]
    budgets: Mapping[Namespace, Mapping[str, DisruptionBudget]]
    services: Mapping[Namespace, Mapping[str, ManifestObject]]
    ingresses: Mapping[Namespace, Mapping[str, ManifestObject]]
    defaults: Mapping[Namespace, Mapping[str, ContainerDefaults]]
    overheads: Mapping[str, Resources]
    """Pod overhead by RuntimeClass."""
    storage_classes: Mapping[str, Body]
    namespaces: Mapping[Namespace, Body]
    devices: Sequence[ManifestObject] = field(default_factory=tuple)
    """ResourceClaims, ResourceClaimTemplates and DeviceClasses."""

    def autoscaler(self, identity: Identity) -> Autoscaler | None:
        """What scales this workload's replicas; a live one where the manifests have none."""
        return _for_target(self.autoscalers, identity)

    def vertical(self, identity: Identity) -> VerticalAutoscaler | None:
        """What sets this workload's requests."""
        return _for_target(self.verticals, identity)

    def budgets_of(self, workload: Workload) -> tuple[DisruptionBudget, ...]:
        """The PodDisruptionBudgets that select its pods, `_MOST_BUDGETS` of them at the most."""
        labels = workload.groups[0].template.labels
        budgets = _at(self.budgets, workload.identity)
        found = (item for item in budgets if item.selector is not None and selects(item.selector, labels))
        return tuple(islice(found, _MOST_BUDGETS))

    def services_of(self, workload: Workload) -> tuple[str, ...]:
        """`Service api`, `Ingress shop`: what sends traffic to its pods."""
        labels = workload.groups[0].template.labels
        services = [
            item.identity.name
            for item in _at(self.services, workload.identity)
            if (wanted := mapping(dig(item.body, "spec", "selector"))) and wanted.items() <= labels.items()
        ]
        ingresses = [
            item.identity.name
            for item in _at(self.ingresses, workload.identity)
            if not _backends(item.body).isdisjoint(services)
        ]
        return (*(f"Service {name}" for name in services), *(f"Ingress {name}" for name in ingresses))

    def defaults_of(self, identity: Identity) -> ContainerDefaults:
        """What the namespace's LimitRanges fill gaps with."""
        return all_defaults([*_at(self.defaults, identity)])

    def namespace_of(self, identity: Identity) -> Body:
        """The Namespace object, an empty one where it is not known."""
        place = ("", identity.namespace)
        return self.namespaces.get(identity[:2]) or self.namespaces.get(place, {})


_Found = TypeVar("_Found")


def _for_target(known: Mapping[Target, _Found], identity: Identity) -> _Found | None:
    """By exact target, else a live one: those have no environment and always have a namespace."""
    return known.get(identity) or known.get(("", identity.namespace or "default", *identity[2:]))


def _at(known: Mapping[Namespace, Mapping[str, _Found]], identity: Identity) -> Iterable[_Found]:
    """Everything of a namespace; a manifest of the same name hides the live object."""
    here = known.get(identity[:2], {})
    live = known.get(("", identity.namespace), {}) if identity.environment else {}
    return {**live, **here}.values()


def selects(selector: Body, labels: Mapping[str, str]) -> bool:
    """Whether a label selector matches; an empty one matches everything."""
    if not mapping(selector.get("matchLabels")).items() <= labels.items():
        return False
    for item in map(mapping, sequence(selector.get("matchExpressions"))):
        key, values = text(item.get("key")), sequence(item.get("values"))
        present = key in labels
        holds = {
            "In": present and labels.get(key) in values,
            "NotIn": not present or labels[key] not in values,
            "Exists": present,
            "DoesNotExist": not present,
        }.get(text(item.get("operator")), False)
        if not holds:
            return False
    return True


def take_inventory(objects: Iterable[ManifestObject], live: Iterable[Body] = ()) -> Inventory:
    """Sort the objects of one side. `live` objects fill in where the manifests are silent.

    Live objects act on workloads (autoscalers, budgets, LimitRanges, Services) but are never
    rows: only what a repository declares is priced.
    """
    sorting = _Sorting()
    for body in live:
        sorting.take_acting(live_object(body))
    for thing in objects:
        if not sorting.take_acting(thing):
            sorting.take_priced(thing)
    return sorting.finish()


class _Sorting:
    """Inventory in the making."""

    def __init__(self) -> None:
        self.workloads: dict[Identity, Workload] = {}
        self.claims: dict[Identity, tuple[ManifestObject, VolumeClaim]] = {}
        self.load_balancers: dict[Identity, ManifestObject] = {}
        self.others: dict[Identity, ManifestObject] = {}
        self.autoscalers: dict[Target, Autoscaler] = {}
        self.verticals: dict[Target, VerticalAutoscaler] = {}
        self.budgets: dict[Namespace, dict[str, DisruptionBudget]] = defaultdict(dict)
        self.services: dict[Namespace, dict[str, ManifestObject]] = defaultdict(dict)
        self.ingresses: dict[Namespace, dict[str, ManifestObject]] = defaultdict(dict)
        self.defaults: dict[Namespace, dict[str, ContainerDefaults]] = defaultdict(dict)
        self.overheads: dict[str, Resources] = {}
        self.storage_classes: dict[str, Body] = {}
        self.namespaces: dict[Namespace, Body] = {}
        self.devices: dict[Identity, ManifestObject] = {}

    def take_acting(self, thing: ManifestObject) -> bool:
        """Take an object that acts on workloads; False where it is none of those."""
        identity = thing.identity
        place, kind = identity[:2], identity.kind
        if kind == "HorizontalPodAutoscaler":
            self._take_autoscaler(read_horizontal(thing))
        elif kind == "ScaledObject":
            self._take_autoscaler(read_scaled_object(thing))
        elif kind == "VerticalPodAutoscaler":
            vertical = read_vertical(thing)
            if vertical:
                self.verticals[*place, vertical.target_kind, vertical.target_name] = vertical
        elif kind == "PodDisruptionBudget":
            self.budgets[place][identity.name] = _budget(thing)
        elif kind == "LimitRange":
            self.defaults[place][identity.name] = read_limit_range(thing.body)
        elif kind == "Ingress":
            self.ingresses[place][identity.name] = thing
        elif kind == "RuntimeClass":
            self.overheads[identity.name] = read_resources(dig(thing.body, "overhead", "podFixed"), (), [])
        elif kind == "StorageClass":
            self.storage_classes[identity.name] = thing.body
        elif kind == "Namespace":
            self.namespaces[identity.environment, identity.name] = thing.body
        elif thing.group == "resource.k8s.io":
            self.devices[identity] = thing
        else:
            return self._take_service(thing)
        return True

    def _take_service(self, thing: ManifestObject) -> bool:
        """Services select pods; those of type LoadBalancer are also priced."""
        if thing.identity.kind != "Service" or thing.group:
            return False
        self.services[thing.identity[:2]][thing.identity.name] = thing
        if is_load_balancer(thing) and thing.source != LIVE:
            self.load_balancers[thing.identity] = thing
        return True

    def _take_autoscaler(self, found: Autoscaler | None) -> None:
        if found:
            self.autoscalers[*found.object.identity[:2], found.target_kind, found.target_name] = found

    def take_priced(self, thing: ManifestObject) -> None:
        """Take a workload or a volume claim; remember a kind we have no price for."""
        if thing.identity.kind == "PersistentVolumeClaim":
            problems: list[Problem] = []
            claim = read_claim(thing.body, thing.identity.name, (), problems)
            self.claims[thing.identity] = (thing, claim)
            return
        if costs_nothing(thing):
            return
        workload = None if is_configuration(thing) else read_workload(thing)
        if workload:
            self.workloads[thing.identity] = workload
        else:
            self.others[thing.identity] = thing

    def finish(self) -> Inventory:
        """The inventory, with Rollouts given the templates they refer to."""
        return Inventory(
            workloads=_with_referred_templates(self.workloads),
            claims=self.claims,
            load_balancers=self.load_balancers,
            others=self.others,
            autoscalers=self.autoscalers,
            verticals=self.verticals,
            budgets=self.budgets,
            services=self.services,
            ingresses=self.ingresses,
            defaults=self.defaults,
            overheads=self.overheads,
            storage_classes=self.storage_classes,
            namespaces=self.namespaces,
            devices=tuple(self.devices.values()),
        )


def _budget(thing: ManifestObject) -> DisruptionBudget:
    spec = mapping(thing.body.get("spec"))
    least, most = spec.get("minAvailable"), spec.get("maxUnavailable")
    return DisruptionBudget(
        object=thing,
        selector=None if spec.get("selector") is None else mapping(spec["selector"]),
        min_available=least if isinstance(least, int | str) else None,
        max_unavailable=most if isinstance(most, int | str) else None,
    )


def live_object(body: Body) -> ManifestObject:
    """An object known from the cluster alone."""
    metadata = mapping(body.get("metadata"))
    identity = Identity(
        "", text(metadata.get("namespace")), text(body.get("kind")), text(metadata.get("name"))
    )
    return ManifestObject(identity, text(body.get("apiVersion")), body, LIVE, lambda _path: LIVE)


def _backends(ingress: Body) -> set[str]:
    """The names of the Services an Ingress sends to."""
    paths = [
        mapping(path)
        for rule in sequence(dig(ingress, "spec", "rules"))
        for path in sequence(dig(rule, "http", "paths"))
    ]
    names = [text(dig(path, "backend", "service", "name")) for path in paths]
    return {*names, text(dig(ingress, "spec", "defaultBackend", "service", "name"))} - {""}


def _with_referred_templates(workloads: Mapping[Identity, Workload]) -> Mapping[Identity, Workload]:
    """An Argo Rollout may take its template from a Deployment, which it then runs in its place."""
    found = dict(workloads)
    for identity, workload in workloads.items():
        reference = dig(workload.object.body, "spec", "workloadRef")
        other = identity._replace(kind=text(dig(reference, "kind")), name=text(dig(reference, "name")))
        if identity.kind != "Rollout" or other not in workloads:
            continue
        template = workloads[other].groups[0].template
        group = replace(workload.groups[0], template=template)
        found[identity] = replace(workload, groups=(group,))
        if text(dig(reference, "scaleDown")) != "never":
            found.pop(other, None)
    return found
