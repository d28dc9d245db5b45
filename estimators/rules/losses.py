"""What a change takes away, and whether usable history covers it.

Neither is a finding: together they tell `safe` from `unknown`.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import NamedTuple

import numpy as np

from estimators.change import Side, WorkloadChange
from estimators.objects import Path
from estimators.placement import untold_labels
from estimators.replicas import ASK_FOR_LABELS
from estimators.rules.containers import asked, containers, gone_containers
from estimators.rules.fewer_pods import may_want_fewer
from estimators.rules.observed import history_of, window_of
from estimators.rules.pods import fewest, fixed, most, only_group, replayed, scaled
from estimators.rules.removal import goes_away
from estimators.rules.standing import volume_shrinks
from estimators.rules.words import ADD_HISTORY, ADD_NODES, count_words
from estimators.sides import ASK_FOR_LIVE
from estimators.usage import Series
from estimators.workload import Scaling

USABLE_HOURS = 24
"""History shorter than a day has not seen the daily peak."""
_JOBS = (Scaling.JOB, Scaling.CRON)


class Loss(NamedTuple):
    """One thing taken away.

    `resource` is a resource name, or `pods`, `workload`, `nodes` (where it may land) or `storage`;
    `container` is `""` for what belongs to whole pods.
    """

    resource: str
    words: str
    path: Path
    container: str = ""


def losses(change: WorkloadChange) -> tuple[Loss, ...]:
    """Everything the change takes away; nothing for a workload that is new."""
    if change.before is None:
        return ()
    if goes_away(change):
        group = only_group(change.side)
        gone = change.after is None or group is None
        path: Path = ("metadata", "name") if gone or group is None else group.replicas_path
        return (Loss("workload", "the workload", path),)
    return tuple(_of_containers(change)) + tuple(_of_pods(change.before, change.side))


def _of_containers(change: WorkloadChange) -> Iterator[Loss]:
    for item in containers(change):
        if item.before is None or not item.touched:
            continue
        name = item.history_name
        for resource in item.old_requests:
            if item.request_lowered(resource):
                yield Loss(resource, f"{resource} request", item.path("requests", resource), name)
        for resource in item.limits:
            # An extended resource has its limit as its request: it is said once.
            lowered = "/" in resource and item.request_lowered(resource)
            if item.limit_tightened(resource) and not lowered:
                yield Loss(resource, f"{resource} limit", item.path("limits", resource), name)
    for name in gone_containers(change):
        path = (*change.side.workload.groups[0].template.path, "containers")
        yield Loss("cpu", "a container", path, name)


def _of_pods(before: Side, after: Side) -> Iterator[Loss]:
    path = _count_path(after)
    if _fewer_pods(before, after):
        yield Loss("pods", "pods", path)
    elif after.workload.scaling in _JOBS and _smaller_job(before, after):
        yield Loss("pods", "room to run", ("spec",))
    old = {group.name: group for group in before.workload.groups}
    for group in after.workload.groups:
        earlier = old.get(group.name)
        if earlier is None:
            continue
        was, now = earlier.template, group.template
        if (now.placement.node_selector, now.placement.affinity, now.placement.node_name) != (
            was.placement.node_selector,
            was.placement.affinity,
            was.placement.node_name,
        ):
            yield Loss("nodes", "nodes it may land on", now.path)
        for part, theirs, ours in (
            ("requests", was.pod_requests, now.pod_requests),
            ("limits", was.pod_limits, now.pod_limits),
        ):
            for resource in theirs:
                if asked(ours, resource) < theirs[resource] and (part == "requests" or resource in ours):
                    yield Loss(resource, f"{resource} of the pod", (*now.path, "resources", part, resource))
    yield from _of_storage(before, after)


def _of_storage(before: Side, after: Side) -> Iterator[Loss]:
    claims = {claim.name: claim for claim in after.workload.claims}
    for claim in before.workload.claims:
        left = claims.get(claim.name)
        # Volumes that are not kept go with their pods, and what they hold goes with them.
        dropped = left is not None and not left.kept_on_scale_down and _fewer_pods(before, after)
        if left is None or dropped or (claim.size and (left.size or 0) < claim.size):
            yield Loss("storage", f"storage of {claim.name}", left.path if left else ("spec",))


def _count_path(side: Side) -> Path:
    group = only_group(side)
    return group.replicas_path if group else side.workload.groups[0].template.path


def _fewer_pods(before: Side, after: Side) -> bool:
    """Whether at any moment fewer pods would run, as far as can be told.

    With both sides simulated step by step the steps decide; without, every change of the
    autoscaler that could lower the count is taken to do so.
    """
    if after.workload.scaling in _JOBS:
        return False
    if _lower_bounds(before, after) or _smaller_groups(before, after):
        return True
    if not scaled(after) or after.autoscaler is None or before.autoscaler is None:
        return False
    was, now = replayed(before), replayed(after)
    if was and now:
        return bool(now.unseen) or bool(np.any(now.pods < was.pods))
    return may_want_fewer(before, after)


def _lower_bounds(before: Side, after: Side) -> bool:
    """Whether the fewest or the most pods fall, as declared or as estimated."""
    bounds = [(bound(before), bound(after)) for bound in (fewest, most)]
    if before.estimate and after.estimate:
        old, new = before.estimate.replicas.count, after.estimate.replicas.count
        bounds += [(old.floor, new.floor), (old.ceiling, new.ceiling)]
    return any(_fell(old, new) for old, new in bounds)


def _fell(old: Decimal | None, new: Decimal | None) -> bool:
    """Whether a bound fell, or came where there was none."""
    return new is not None and (old is None or new < old)


def _smaller_groups(before: Side, after: Side) -> bool:
    """Whether one of several groups goes, or declares fewer pods: one that grows does not make up for it."""
    new = {group.name: group for group in after.workload.groups}
    for old in before.workload.groups if len(before.workload.groups) > 1 else ():
        group = new.get(old.name)
        if group is None:
            return True
        counts = (old.replicas, group.replicas), (old.least, group.least), (old.most, group.most)
        if any(_fell(*pair) for pair in counts):
            return True
    return False


def _smaller_job(before: Side, after: Side) -> bool:
    """Whether fewer pods run at once, or for a shorter time at the most."""
    old, new = before.workload.job, after.workload.job
    if old is None or new is None:
        return False
    shorter = new.deadline_seconds is not None and (
        old.deadline_seconds is None or new.deadline_seconds < old.deadline_seconds
    )
    return shorter or new.parallelism < old.parallelism or (new.alone and not old.alone)


def uncovered(change: WorkloadChange, taken: tuple[Loss, ...]) -> str:
    """Why history cannot say that what is taken away is not needed, with the way out; `""` where it can."""
    for loss in taken:
        if reason := _uncovered(change, loss):
            return reason
    return ""


def _uncovered(change: WorkloadChange, loss: Loss) -> str:
    if loss.resource in {"nodes", "storage"}:
        return _not_of_usage(change, loss)
    if change.cluster.usage is None or change.history is None:
        return _no_history(change)
    if loss.resource == "workload":
        return _too_short(change, "pods", _steps(change.history.replicas))
    if loss.resource == "pods":
        return _pods_uncovered(change)
    vertical = change.side.vertical
    if (
        loss.words.endswith(" limit")
        and vertical
        and vertical.sets_limits(loss.container)
        and not vertical.targets
    ):
        return f"limits are in proportion to what its VPA recommends, which is not known: {ASK_FOR_LIVE}"
    names = [loss.container] if loss.container else [item.history_name for item in containers(change)]
    return next(filter(None, (_resource_uncovered(change, name, loss.resource) for name in names)), "")


def _not_of_usage(change: WorkloadChange, loss: Loss) -> str:
    if loss.resource == "storage":
        if any(item.rule == "volume-shrinks" for item in volume_shrinks(change)):
            return ""
        return f"{loss.words} shrinks, and no history tells how full it is: look before you merge"
    if not change.cluster.nodes:
        return f"no nodes are known that it could land on: {ADD_NODES}"
    placements = (group.template.placement for group in change.side.workload.groups)
    untold = [name for one in placements for name in untold_labels(one, change.cluster.nodes)]
    return f"which nodes have {untold[0][:60]} is not known: {ASK_FOR_LABELS}" if untold else ""


def _no_history(change: WorkloadChange) -> str:
    if change.cluster.usage is None:
        return f"no usage history: {ADD_HISTORY}"
    return (
        "not in the usage history: new, renamed or not scraped; "
        "check that Prometheus has its namespace, or add it to --usage FILE"
    )


def _pods_uncovered(change: WorkloadChange) -> str:
    """Fewer pods need CPU and memory history of every container, and something to hold it against."""
    after, history = change.side, change.history
    if after.workload.scaling in _JOBS:
        ran = history is not None and history.runs is not None and history.runs.runs > 0
        return "" if ran else f"no finished run in the usage history: {ADD_HISTORY} with a longer --window"
    if scaled(after) and replayed(after) is None:
        return (
            "its autoscaler could not be replayed, its metrics are not in the usage history: "
            "add --prometheus URL, or autoscaler_metrics to --usage FILE"
        )
    if scaled(after) and (replay := replayed(after)) and replay.unseen:
        name = replay.unseen[0][:40]
        return f"how many pods {name} asks for now is in no usage history: look before you merge"
    for item in containers(change):
        for resource in ("cpu", "memory"):
            if item.before is not None and (
                reason := _resource_uncovered(change, item.history_name, resource)
            ):
                return reason
    if fixed(after) is not None and not any(
        part.get("cpu") for part in (*after.requests.values(), *after.limits.values())
    ):
        return "no CPU request or limit tells what one pod can carry: set one"
    return ""


def _resource_uncovered(change: WorkloadChange, container: str, resource: str) -> str:
    if "/" in resource:
        gpu = change.history.gpu if change.history else None
        return _too_short(change, f"{resource} of its pods", _steps(gpu.busy_ratio) if gpu else 0)
    history = history_of(change, container)
    if resource == "cpu":
        return _too_short(change, f"CPU of container {container}", history.cpu_steps if history else 0)
    if resource == "memory":
        return _too_short(change, f"memory of container {container}", history.memory_steps if history else 0)
    return f"no history of {resource} is kept"


def _steps(series: Series) -> int:
    return int(np.count_nonzero(~np.isnan(series)))


def _too_short(change: WorkloadChange, what: str, steps: int) -> str:
    """Less than a day of steps, in words."""
    window = window_of(change)
    seconds = steps * window.step_seconds if window else 0
    if seconds >= USABLE_HOURS * 3600:
        return ""
    if not steps:
        return f"no history of the {what}: check that Prometheus scrapes it, or add it to --usage FILE"
    return f"only {count_words(seconds / 3600, 'hour')} of history of the {what}, a day is needed: --window"
