"""Rules about what is declared, which need no history: absent, contradictory and unreadable values."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

from estimators.change import Side, WorkloadChange
from estimators.objects import ManifestObject
from estimators.report import Finding, Severity
from estimators.rules.containers import effective_name, touched_containers
from estimators.rules.observed import ContainerHistory
from estimators.rules.words import (
    ADD_HISTORY,
    core_words,
    cpu_quantity,
    finding,
    memory_quantity,
    size_words,
    tidy_cores,
    tidy_memory,
    window_words,
)
from estimators.workload import Container, PodGroup, Problem, Resources

_CORE = ("cpu", "memory")
_QOS = ("BestEffort", "Burstable", "Guaranteed")
"""From the first to be evicted to the last (Kubernetes "Pod Quality of Service Classes")."""


def best_effort(change: WorkloadChange) -> Iterator[Finding]:
    """`best-effort`: a container that comes to have no CPU and memory request (caution), or lacks one (info).

    A limit or a LimitRange stands in for a request; what the pod asks for itself covers all containers.
    """
    for item in touched_containers(change):
        pod = item.group.template.pod_level
        missing = [
            name
            for name in _CORE
            if not item.requests.get(name) and not pod.get(name) and not item.unreadable(name)
        ]
        if not missing:
            continue
        if item.before is not None and all(not item.old_requests.get(name) for name in missing):
            continue
        everything = len(missing) == len(_CORE)
        what = " and ".join("CPU" if name == "cpu" else name for name in missing)
        tail = "nothing is reserved for it" if everything else "none is reserved for it"
        seen = _seen(item.history, missing)
        yield finding(
            change,
            "best-effort",
            Severity.CAUTION if everything else Severity.INFO,
            f"no {what} request: {tail}" + (", and it is evicted first" if "memory" in missing else ""),
            (*item.container.path, "resources") if everything else item.path("requests", missing[0]),
            evidence={
                "container": item.container.name,
                **seen,
                **({"window": window_words(change)} if seen else {}),
            },
            safe_value="" if everything else _safe(item.history, missing[0]),
            how_to_know="" if seen else ADD_HISTORY,
        )


def _seen(history: ContainerHistory | None, resources: list[str]) -> dict[str, str]:
    """What the container uses of what it does not ask for."""
    if history is None:
        return {}
    found = {}
    if "cpu" in resources and history.cpu_p95 is not None:
        found["CPU used"] = f"p95 {core_words(history.cpu_p95)} a pod"
    if "memory" in resources and history.memory_peak is not None:
        found["memory used"] = f"peak {size_words(history.memory_peak)}"
    return found


def _safe(history: ContainerHistory | None, resource: str) -> str:
    if history and resource == "cpu" and history.cpu_p95 is not None:
        return cpu_quantity(tidy_cores(history.cpu_p95))
    if history and resource == "memory" and history.memory_peak is not None:
        return memory_quantity(tidy_memory(history.memory_peak))
    return ""


def qos_downgrade(change: WorkloadChange) -> Iterator[Finding]:
    """`qos-downgrade`: the pods' class falls from Guaranteed to Burstable, or to BestEffort."""
    before, after = change.before, change.after
    if before is None or after is None:
        return
    old = {group.name: group for group in before.workload.groups}
    for group in after.workload.groups:
        earlier = old.get(group.name)
        if earlier is None or (now := _qos(group, after)) >= (was := _qos(earlier, before)):
            continue
        touched = (item for item in touched_containers(change) if item.group is group)
        item = next(touched, None)
        yield finding(
            change,
            "qos-downgrade",
            Severity.CAUTION,
            f"pods fall from {_QOS[was]} to {_QOS[now]}: evicted earlier when the node runs short",
            (*item.container.path, "resources") if item else (*group.template.path, "containers"),
            evidence={"old class": _QOS[was], "new class": _QOS[now]},
        )


def _qos(group: PodGroup, side: Side) -> int:
    """The class as an index into `_QOS`; pod-level resources decide where there are any."""
    template = group.template
    if template.pod_requests or template.pod_limits:
        pairs: list[tuple[Resources, Resources]] = [
            ({**template.pod_limits, **template.pod_requests}, template.pod_limits)
        ]
    else:
        pairs = [_effective(item, group, side) for item in (*template.containers, *template.init_containers)]
    if not any(part.get(name) for pair in pairs for part in pair for name in _CORE):
        return 0
    guaranteed = all(
        limits.get(name) and requests.get(name) == limits[name]
        for requests, limits in pairs
        for name in _CORE
    )
    return 2 if guaranteed else 1


def _effective(container: Container, group: PodGroup, side: Side) -> tuple[Resources, Resources]:
    """Requests and limits; plain init containers are filled from their own limits only."""
    name = effective_name(side, group, container)
    if name in side.requests:
        return side.requests[name], side.limits.get(name, {})
    return {**container.limits, **container.requests}, container.limits


def limit_below_request(change: WorkloadChange) -> Iterator[Finding]:
    """`limit-below-request`: the API server refuses a limit below the request.

    For extended resources (those with a domain, as `nvidia.com/gpu`) it refuses any limit that is
    not the request.
    """
    for item in touched_containers(change):
        for name, limit in item.limits.items():
            request = item.requests.get(name)
            if request is None or not _contradicts(name, request, limit):
                continue
            old = item.old_requests.get(name), item.old_limits.get(name)
            if old == (request, limit):
                continue
            relation = "below" if limit < request else "above"
            asked, allowed = _amount(name, request), _amount(name, limit)
            yield finding(
                change,
                "limit-below-request",
                Severity.RISKY,
                f"limit {allowed} is {relation} its request {asked}: the API server refuses it",
                item.path("limits", name),
                evidence={
                    "container": item.container.name,
                    "resource": name,
                    "request": asked,
                    "limit": allowed,
                },
                safe_value=asked,
            )


def _contradicts(name: str, request: Decimal, limit: Decimal) -> bool:
    return limit != request if "/" in name else limit < request


def _amount(resource: str, amount: Decimal) -> str:
    """An exact quantity where Mi and millicores can say it, else one that is hardly more."""
    if resource == "cpu":
        return cpu_quantity(amount)
    return f"{amount.normalize():f}" if "/" in resource else memory_quantity(amount)


def invalid_quantity(change: WorkloadChange) -> Iterator[Finding]:
    """`invalid-quantity`: a value that cannot be read, which the API server would refuse too.

    A placeholder that another tool fills in later is a caution: nobody here knows its value.
    """
    if change.after is None:
        return
    old = {_key(problem) for _, problem in _problems(change.before)} if change.before else set()
    for thing, problem in _problems(change.after):
        if _key(problem) in old:
            continue
        short, _, _ = problem.message.partition(": ")
        later = problem.is_placeholder
        yield finding(
            change,
            "invalid-quantity",
            Severity.CAUTION if later else Severity.RISKY,
            f"{_field(problem)}{problem.value} is filled in elsewhere" if later else short,
            problem.path,
            evidence={} if later else {"reason": problem.message},
            thing=thing,
        )


def _field(problem: Problem) -> str:
    """`memory limit ` for what stands among the limits; `""` elsewhere."""
    among, last = (str(step) for step in ("", "", *problem.path)[-2:])
    sums = {"requests": "request", "limits": "limit"}
    return f"{last} {sums[among]} " if among in sums else ""


def _problems(side: Side) -> Iterator[tuple[ManifestObject, Problem]]:
    for problem in side.workload.problems:
        yield side.workload.object, problem
    if side.autoscaler:
        for problem in side.autoscaler.problems:
            yield side.autoscaler.object, problem


def _key(problem: Problem) -> tuple[str, ...]:
    """Path and reason, without list positions: a container that moves keeps its problem."""
    return (*(step for step in problem.path if isinstance(step, str)), problem.message)
