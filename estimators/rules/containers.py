"""The containers of a change, each beside its old self, with effective requests and limits."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal

from estimators.change import Side, WorkloadChange
from estimators.money import ZERO
from estimators.objects import Path
from estimators.rules.observed import ContainerHistory, history_of
from estimators.workload import Container, PodGroup, Resources

_NONE: Resources = {}


@dataclass(frozen=True, slots=True)
class ContainerChange:
    """A container that runs after the change, and what it asked for before.

    `before` is None where the container is new. Requests and limits are effective: gaps are filled
    from limits and LimitRanges.
    """

    change: WorkloadChange
    group: PodGroup
    container: Container
    before: Container | None
    old_requests: Resources
    old_limits: Resources
    requests: Resources
    limits: Resources

    @property
    def history(self) -> ContainerHistory | None:
        """Its live history."""
        return history_of(self.change, self.history_name)

    @property
    def history_name(self) -> str:
        """The name history knows it by: its own, or the one it had before."""
        name = self.container.name
        if self.before is None or self.before.name == name or history_of(self.change, name):
            return name
        return self.before.name

    @property
    def touched(self) -> bool:
        """Whether it is new, or asks for something else than before."""
        return self.before is None or self.requests != self.old_requests or self.limits != self.old_limits

    def request_lowered(self, resource: str) -> bool:
        """Whether it asked for more before; an absent request is nothing, an unreadable one not known."""
        return not self.unreadable(resource) and self.requests.get(resource, ZERO) < self.old_requests.get(
            resource, ZERO
        )

    def unreadable(self, resource: str) -> bool:
        """Whether what it asks for is a value that nobody here can read, such as a placeholder."""
        parts = {self.path("requests", resource), self.path("limits", resource)}
        problems = self.change.side.workload.problems
        return resource not in self.requests and any(problem.path in parts for problem in problems)

    def limit_tightened(self, resource: str) -> bool:
        """Whether the limit falls, or stands where there was none."""
        new, old = self.limits.get(resource), self.old_limits.get(resource)
        return new is not None and (old is None or new < old)

    def path(self, part: str, resource: str) -> Path:
        """Where the `requests` or `limits` of a resource stand."""
        return (*self.container.path, "resources", part, resource)


def containers(change: WorkloadChange) -> Iterator[ContainerChange]:
    """Every container that runs after the change, native sidecars included; none for a removed workload."""
    after = change.after
    if after is None:
        return
    before = change.before
    for group in after.workload.groups:
        old = _earlier(before, group) if before else {}
        for container in group.template.running:
            earlier = old.get(container.name)
            known = before if earlier else None
            was = effective_name(known, group, earlier) if known and earlier else ""
            now = effective_name(after, group, container)
            yield ContainerChange(
                change,
                group,
                container,
                earlier,
                known.requests.get(was, _NONE) if known else _NONE,
                known.limits.get(was, _NONE) if known else _NONE,
                after.requests.get(now, _NONE),
                after.limits.get(now, _NONE),
            )


def effective_name(side: Side, group: PodGroup, container: Container) -> str:
    """What a container is called in `Side.requests`: with its group's name where there are several groups."""
    return container.name if len(side.workload.groups) == 1 else f"{group.name}/{container.name}"


def touched_containers(change: WorkloadChange) -> Iterator[ContainerChange]:
    """The containers that are new or ask for something else than before."""
    return (item for item in containers(change) if item.touched)


def _earlier(before: Side, group: PodGroup) -> dict[str, Container]:
    """What each container of the group was before, by its name now. A sole container may be renamed."""
    old = next((item.template.running for item in before.workload.groups if item.name == group.name), ())
    now = group.template.running
    if len(old) == len(now) == 1:
        return {now[0].name: old[0]}
    return {container.name: container for container in old}


def gone_containers(change: WorkloadChange) -> Iterator[str]:
    """The names of containers that ran before and are not there after, for a workload that stays."""
    before, after = change.before, change.after
    if before is None or after is None:
        return
    groups = {group.name: group for group in after.workload.groups}
    for group in before.workload.groups:
        now = groups.get(group.name)
        names = {item.name for item in now.template.running} if now else set()
        kept = {item.name for name, item in _earlier(before, now).items() if name in names} if now else set()
        yield from (item.name for item in group.template.running if item.name not in kept)


def asked(resources: Resources, resource: str) -> Decimal:
    """What is asked for of a resource, 0 where nothing is."""
    return resources.get(resource, ZERO)
