"""What a namespace's LimitRange refuses."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

from estimators.change import WorkloadChange
from estimators.pod_request import NO_DEFAULTS, ContainerDefaults
from estimators.report import Finding, Severity
from estimators.rules.containers import touched_containers
from estimators.rules.words import core_words, cpu_quantity, finding, memory_quantity, size_words
from estimators.workload import Resources

_CORE = ("cpu", "memory")


class _Refused(NamedTuple):
    part: str
    resource: str
    words: str
    safe: Decimal


def outside_limit_range(change: WorkloadChange) -> Iterator[Finding]:
    """`outside-limit-range`: a request or limit that the namespace's LimitRange comes to refuse.

    The object itself is accepted, its pods are not: a rollout stands still (Kubernetes "Limit Ranges").
    """
    after, before = change.after, change.before
    if after is None:
        return
    was = before.limit_range if before else NO_DEFAULTS
    for item in touched_containers(change):
        old = {found[:2] for found in _refused(was, item.old_requests, item.old_limits)}
        for refused in _refused(after.limit_range, item.requests, item.limits):
            if refused[:2] in old:
                continue
            yield finding(
                change,
                "outside-limit-range",
                Severity.RISKY,
                f"the namespace's LimitRange {refused.words}: its pods are refused",
                item.path(refused.part, refused.resource),
                evidence={
                    "container": item.container.name,
                    **_asked("request", refused.resource, item.requests),
                    **_asked("limit", refused.resource, item.limits),
                },
                safe_value=_QUANTITY[refused.resource](refused.safe),
            )


def _asked(what: str, resource: str, asked: Resources) -> dict[str, str]:
    return {what: _QUANTITY[resource](asked[resource])} if resource in asked else {}


def _refused(bounds: ContainerDefaults, requests: Resources, limits: Resources) -> Iterator[_Refused]:
    """What is out of bounds, at most one finding for a request and one for a limit of each resource."""
    for resource in _CORE:
        least, most = bounds.least.get(resource), bounds.most.get(resource)
        ratio = bounds.most_ratio.get(resource)
        request, limit = requests.get(resource), limits.get(resource)
        show = core_words if resource == "cpu" else size_words
        for part, value in (("requests", request), ("limits", limit)):
            if value is None:
                continue
            if least is not None and value < least:
                yield _Refused(part, resource, f"wants at least {show(least)}", least)
            elif most is not None and value > most:
                yield _Refused(part, resource, f"allows at most {show(most)}", most)
        if ratio and request and limit and limit > request * ratio:
            words = f"allows limits of {ratio.normalize():f} times the request"
            yield _Refused("requests", resource, words, limit / ratio)


_QUANTITY = {"cpu": cpu_quantity, "memory": memory_quantity}
