"""What the scheduler reserves for one pod, and what each container asks for once gaps are filled.

Sources: Kubernetes "Pod Lifecycle: resource sharing within containers" (init containers and native
sidecars), "Pod Overhead", "Assign Pod-level resources", "Limit Ranges".
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from estimators.money import ZERO
from estimators.workload import Container, PodTemplate, Resources

CORE_RESOURCES = ("cpu", "memory")


@dataclass(frozen=True, slots=True)
class ContainerDefaults:
    """A namespace's LimitRange for containers: what an absent request or limit is filled with.

    And what the API server refuses: less than `least`, more than `most`, a limit of more than
    `most_ratio` times its request.
    """

    requests: Resources = field(default_factory=dict)
    limits: Resources = field(default_factory=dict)
    least: Resources = field(default_factory=dict)
    most: Resources = field(default_factory=dict)
    most_ratio: Resources = field(default_factory=dict)


NO_DEFAULTS = ContainerDefaults()


def all_defaults(ranges: Sequence[ContainerDefaults]) -> ContainerDefaults:
    """All LimitRanges of a namespace as one: the first that has a default gives it, and every bound holds.

    Which comes first is up to the API server; that several have a default for one resource is rare.
    """
    if len(ranges) < 2:
        return ranges[0] if ranges else NO_DEFAULTS
    return ContainerDefaults(
        requests=_each([one.requests for one in ranges], lambda found: found[0]),
        limits=_each([one.limits for one in ranges], lambda found: found[0]),
        least=_each([one.least for one in ranges], max),
        most=_each([one.most for one in ranges], min),
        most_ratio=_each([one.most_ratio for one in ranges], min),
    )


def _each(parts: Sequence[Resources], choose: Callable[[list[Decimal]], Decimal]) -> Resources:
    names = dict.fromkeys(name for part in parts for name in part)
    return {name: choose([part[name] for part in parts if name in part]) for name in names}


@dataclass(frozen=True, slots=True)
class EffectivePod:
    """One pod after admission.

    `requests` and `limits` are by container name, plain ones and native sidecars; `pod` is what the
    scheduler reserves. `assumed` names the core resources that no container, limit or LimitRange
    says anything of: they count as 0, which is an assumption, not a price.
    """

    requests: Mapping[str, Resources]
    limits: Mapping[str, Resources]
    pod: Resources
    assumed: frozenset[str]
    running: Resources
    """The sum over containers that run for the pod's life, which utilisation targets divide by."""
    pod_level: frozenset[str] = frozenset()
    """Resources that the pod itself asks for, whatever its containers say."""


def effective_pod(
    template: PodTemplate, defaults: ContainerDefaults = NO_DEFAULTS, overhead: Resources | None = None
) -> EffectivePod:
    """Fill the gaps and add up, per the scheduling rule.

    `overhead` is the RuntimeClass's; the template's own wins.
    """
    filled = {item.name: _filled(item, defaults) for item in template.running}
    inits = [item for item in template.init_containers if not item.restartable]
    running = _sum(requests for requests, _ in filled.values())
    pod = _peak_of_start_up(template, defaults, running) if inits else dict(running)
    pod = _with_pod_level(pod, template)
    for name, amount in (template.overhead or overhead or {}).items():
        pod[name] = pod.get(name, ZERO) + amount
    return EffectivePod(
        requests={name: requests for name, (requests, _) in filled.items()},
        limits={name: limits for name, (_, limits) in filled.items()},
        pod=pod,
        assumed=frozenset(name for name in CORE_RESOURCES if name not in pod),
        running=_with_pod_level(dict(running), template),
        pod_level=frozenset(template.pod_level),
    )


def _filled(container: Container, defaults: ContainerDefaults) -> tuple[Resources, Resources]:
    """Requests and limits of one container; a request is filled from its limit first."""
    if not defaults.requests and not defaults.limits:
        return {**container.limits, **container.requests}, container.limits
    limits = {**defaults.limits, **container.limits}
    requests = {**defaults.limits, **defaults.requests, **container.limits, **container.requests}
    return requests, limits


def _peak_of_start_up(
    template: PodTemplate, defaults: ContainerDefaults, running: Resources
) -> dict[str, Decimal]:
    """The larger of the running sum and each init container with the sidecars started before it."""
    most = dict(running)
    started: dict[str, Decimal] = {}
    for container in template.init_containers:
        requests, _ = _filled(container, defaults)
        if container.restartable:
            started = _sum((started, requests))
            continue
        for name, amount in requests.items():
            most[name] = max(most.get(name, ZERO), amount + started.get(name, ZERO))
    return most


def _with_pod_level(pod: dict[str, Decimal], template: PodTemplate) -> dict[str, Decimal]:
    """Pod-level requests replace the sum; a pod-level limit fills what no container asks for."""
    for name, amount in template.pod_limits.items():
        pod.setdefault(name, amount)
    pod.update(template.pod_requests)
    return pod


def _sum(parts: Iterable[Resources]) -> dict[str, Decimal]:
    added: dict[str, Decimal] = {}
    for part in parts:
        for name, amount in part.items():
            added[name] = added.get(name, ZERO) + amount
    return added
