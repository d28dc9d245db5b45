"""Joins one workload of one revision with what acts on it, and prices it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from estimators.autoscaler_reader import read_vertical
from estimators.change import Cluster, Side, Simulation
from estimators.cost import estimate_workload
from estimators.devices import ClaimedDevices, device_requests
from estimators.inventory import Inventory, live_object
from estimators.money import NOTHING
from estimators.objects import Identity, dotted
from estimators.pod_request import EffectivePod, effective_pod
from estimators.rates import RateBook
from estimators.replicas import UnknownCount, count_pods, replay
from estimators.report import Estimate
from estimators.uptime import at_uptime, uptime_of
from estimators.usage import UsageSnapshot, WorkloadKey, WorkloadUsage
from estimators.workload import Autoscaler, Container, PodGroup, Resources, VerticalAutoscaler, Workload

ASK_FOR_LIVE = "add --kube-context NAME, or --usage FILE with the live VerticalPodAutoscaler"


@dataclass(slots=True)
class SideBuilder:
    """Builds the sides of one environment's workloads against one cluster."""

    cluster: Cluster
    book: RateBook = field(init=False)
    _recommended: dict[tuple[str, str, str], Mapping[str, Resources]] = field(init=False)
    _by_name: dict[tuple[str, str], list[WorkloadKey]] | None = None

    def __post_init__(self) -> None:
        self.book = RateBook(self.cluster)
        self._recommended = _recommendations(self.cluster)

    def history(self, identity: Identity) -> WorkloadUsage | None:
        """The workload's past. A manifest without a namespace is found where its name is unique."""
        usage = self.cluster.usage
        if usage is None:
            return None
        exact = usage.workloads.get(WorkloadKey(identity.namespace, identity.kind, identity.name))
        if exact or identity.namespace:
            return exact
        if self._by_name is None:
            self._by_name = _by_name(usage)
        same = self._by_name.get((identity.kind, identity.name), [])
        return usage.workloads[same[0]] if len(same) == 1 else None

    def build(
        self,
        workload: Workload,
        inventory: Inventory,
        history: WorkloadUsage | None,
        old: Side | None = None,
    ) -> Side:
        """One side. `old` is the base side: what was in charge while the history was recorded."""
        identity = workload.identity
        autoscaler, vertical = inventory.autoscaler(identity), self._vertical(inventory, identity)
        pods = {group.name: self._pod(group, workload, inventory, vertical, old) for group in workload.groups}
        simulation = self._replay(workload, autoscaler, pods, history, old)
        recorded = old.workload.job if old else None
        counts = {
            group.name: count_pods(workload, group, autoscaler, simulation, history, self.cluster, recorded)
            for group in workload.groups
        }
        uptime = uptime_of(workload, inventory.namespace_of(identity), self.cluster)
        counts = {name: at_uptime(count, uptime) for name, count in counts.items()}
        devices = {group.name: self._devices(group, identity, inventory) for group in workload.groups}
        earlier = old.estimate.replicas.count if old and old.estimate else NOTHING
        outcome = (
            _refused(workload)
            or _hidden_requests(vertical, old)
            or estimate_workload(workload, pods, counts, devices, self.cluster, self.book, earlier)
        )
        return Side(
            workload=workload,
            autoscaler=autoscaler,
            vertical=vertical,
            budgets=inventory.budgets_of(workload),
            requests=_together({name: pod.requests for name, pod in pods.items()}),
            limits=_together({name: pod.limits for name, pod in pods.items()}),
            pod_request={name: pod.pod for name, pod in pods.items()},
            estimate=None if isinstance(outcome, UnknownCount) else _noted(outcome, vertical),
            unknown_cost=outcome.reason if isinstance(outcome, UnknownCount) else "",
            simulation=simulation,
            services=inventory.services_of(workload),
            namespace_body=inventory.namespace_of(identity),
            limit_range=inventory.defaults_of(identity),
        )

    def _vertical(self, inventory: Inventory, identity: Identity) -> VerticalAutoscaler | None:
        """What sets its requests; what it recommends stands on the live object, not in a manifest."""
        found = inventory.vertical(identity)
        if found is None or found.targets:
            return found
        place = identity.namespace or "default", identity.kind, identity.name
        return replace(found, targets=self._recommended.get(place, {}))

    def _devices(self, group: PodGroup, identity: Identity, inventory: Inventory) -> ClaimedDevices:
        """GPUs claimed through Dynamic Resource Allocation."""
        claims = group.template.resource_claims
        if not claims:
            return ClaimedDevices()
        path = (*group.template.path, "resourceClaims")
        bodies = (thing.body for thing in inventory.devices)
        return device_requests(claims, path, identity.namespace, bodies)

    def _replay(
        self,
        workload: Workload,
        autoscaler: Autoscaler | None,
        pods: Mapping[str, EffectivePod],
        history: WorkloadUsage | None,
        old: Side | None,
    ) -> Simulation | None:
        group = workload.groups[0]
        if len(workload.groups) != 1 or group.replicas == 0 or self.cluster.usage is None:
            return None
        in_charge = old.autoscaler if old else autoscaler
        if old and old.simulation and _scales_alike(old, workload, autoscaler, pods[group.name]):
            return old.simulation
        return replay(
            autoscaler, pods[group.name], history, in_charge, self.cluster.usage.window.step_seconds
        )

    def _pod(
        self,
        group: PodGroup,
        workload: Workload,
        inventory: Inventory,
        vertical: VerticalAutoscaler | None,
        old: Side | None,
    ) -> EffectivePod:
        """One pod after admission; under a VPA that acts, the VPA's requests and not the manifest's."""
        template = group.template
        if vertical and vertical.sets_requests:
            in_force = vertical.targets or (_requests_in_force(old) if old else {})
            containers = (
                _resized(item, in_force.get(item.name, {}), limits=vertical.sets_limits(item.name))
                for item in template.containers
            )
            template = replace(template, containers=tuple(containers))
        return effective_pod(
            template,
            inventory.defaults_of(workload.identity),
            inventory.overheads.get(template.runtime_class),
        )


def _scales_alike(old: Side, workload: Workload, autoscaler: Autoscaler | None, pod: EffectivePod) -> bool:
    """Whether all that a replay depends on is as it was: bounds, metrics, and what they divide by."""
    if autoscaler is None or old.autoscaler is None or len(old.workload.groups) != 1:
        return False
    was, now = old.workload.groups[0].template, workload.groups[0].template
    resources = {metric.name for metric in autoscaler.metrics}
    return (
        replace(autoscaler, object=old.autoscaler.object) == old.autoscaler
        and was.pod_level == now.pod_level
        and old.requests.keys() == pod.requests.keys()
        and all(
            old.requests[name].get(resource) == requests.get(resource)
            for name, requests in pod.requests.items()
            for resource in resources
        )
    )


def _resized(container: Container, requests: Resources, *, limits: bool) -> Container:
    """The container as a VPA makes it: with its requests, and limits in their old proportion to them.

    A limit without a request is both (vertical-pod-autoscaler, `limits_scaling.go`).
    """
    kept = {
        name: requests[name] * limit / (container.requests.get(name) or limit)
        if limits and limit and name in requests
        else limit
        for name, limit in container.limits.items()
    }
    return replace(container, requests={**container.requests, **requests}, limits=kept)


def _noted(estimate: Estimate, vertical: VerticalAutoscaler | None) -> Estimate:
    """The estimate, with a word where a VPA and not the manifest sets what it rests on."""
    if vertical is None or not vertical.sets_requests:
        return estimate
    whose = "its recommendation" if vertical.targets else "the requests of the base"
    note = f"a VPA in mode {vertical.mode} sets the requests, limits in proportion: priced by {whose}"
    return replace(estimate, notes=(*estimate.notes, note))


def _recommendations(cluster: Cluster) -> dict[tuple[str, str, str], Mapping[str, Resources]]:
    """What live VPAs recommend, by namespace, kind and name of their targets."""
    bodies = cluster.usage.objects if cluster.usage else ()
    things = [live_object(body) for body in bodies if body.get("kind") == "VerticalPodAutoscaler"]
    found = [(thing.identity.namespace, read_vertical(thing)) for thing in things]
    return {(place, item.target_kind, item.target_name): item.targets for place, item in found if item}


def _hidden_requests(vertical: VerticalAutoscaler | None, old: Side | None) -> UnknownCount | None:
    """Whether a VPA comes or goes whose requests, unlike the manifest's, nobody here knows."""
    sides = (old.vertical if old else vertical, vertical)
    was, now = (item if item and item.sets_requests else None for item in sides)
    acting = now or was
    if acting is None or (was and now) or acting.targets:
        return None
    return UnknownCount(f"what its VPA recommends is not known: {ASK_FOR_LIVE}")


def _refused(workload: Workload) -> UnknownCount | None:
    """What the API server refuses never runs, so it has no cost that could be told; nor has a placeholder."""
    if not workload.problems:
        return None
    first = next((item for item in workload.problems if not item.is_placeholder), workload.problems[0])
    if first.is_placeholder:
        return UnknownCount(f"{dotted(first.path)}: {first.value} is filled in elsewhere: not known here")
    return UnknownCount(f"Kubernetes would refuse it, {dotted(first.path)}: {first.message}")


def _requests_in_force(old: Side) -> Mapping[str, Resources]:
    """Requests that a VPA keeps whatever the manifest says: those of the base, CPU and memory only."""
    if not old.vertical or not old.vertical.sets_requests:
        return {}
    return {
        name: {key: amount for key, amount in requests.items() if key in {"cpu", "memory"}}
        for name, requests in old.requests.items()
    }


def _together(groups: Mapping[str, Mapping[str, Resources]]) -> Mapping[str, Resources]:
    """Containers of all groups by name; a name that several groups use carries its group's."""
    if len(groups) == 1:
        return next(iter(groups.values()))
    return {f"{group}/{name}": found for group, named in groups.items() for name, found in named.items()}


def _by_name(usage: UsageSnapshot) -> dict[tuple[str, str], list[WorkloadKey]]:
    found: dict[tuple[str, str], list[WorkloadKey]] = {}
    for key in usage.workloads:
        found.setdefault((key.kind, key.name), []).append(key)
    return found
