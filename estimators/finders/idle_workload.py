"""Workloads that did nothing for the whole window: replicas to 0, until somebody puts the number back."""

from __future__ import annotations

from collections.abc import Iterator

from estimators.finders.candidate import Candidate, Proposal, new_value
from estimators.recommendation import LeftAlone, Reason
from estimators.rules.pods import fixed, only_group
from estimators.rules.removal import IDLE_CORES, total_cpu
from estimators.rules.words import core_words, count_words
from estimators.usage import WorkloadUsage, coverage, observed, peak

FINDER = "idle-workload"


def idle_workload(candidate: Candidate) -> Iterator[Proposal | LeftAlone]:
    """A workload whose CPU never rose above 1m over all pods, not even for one step, nor its GPUs.

    A proxy or a queue's consumer that waits for its first request uses more than that: its probes and
    its runtime do. Still nobody can see from here whether it is kept for a bad day, so the risk says.
    """
    group, now = only_group(candidate.side), fixed(candidate.side)
    history = candidate.history
    cores = total_cpu(history)
    highest = peak(cores)
    if group is None or not now or highest is None or not _did_nothing(history):
        return
    if candidate.workload.claims:
        yield candidate.left(FINDER, Reason.RISKY, why="it has volumes of its own")
        return
    pods = observed(history.replicas)
    yield Proposal(
        FINDER,
        candidate,
        (new_value(candidate.workload.object, group.replicas_path, 0),),
        {
            "CPU peak": f"{core_words(highest)} over all pods",
            "pods": f"{count_words(float(pods.mean()), 'pod')} on average",
            "window": candidate.window(coverage(cores)),
            **_namespace(candidate),
        },
        risks=(
            "It may be kept for a bad day, or for work that comes less often than the window is long.",
            *(f"{name} sends traffic to it and will find nobody." for name in candidate.side.services),
        ),
        undo=f"Put replicas back to {now}; its pods start as they would on any node.",
    )


def _did_nothing(history: WorkloadUsage) -> bool:
    """Whether neither processor nor GPU did anything in any step, and no run was finished."""
    highest = peak(total_cpu(history))
    busy = peak(history.gpu.busy_ratio) if history.gpu else 0.0
    return highest is not None and highest <= IDLE_CORES and busy == 0 and not history.runs


def _namespace(candidate: Candidate) -> dict[str, str]:
    """Whether all that runs in the namespace is idle: then all of it may go, with what else costs there."""
    name, usage = candidate.history.key.namespace, candidate.usage
    others = [item for key, item in usage.workloads.items() if key.namespace == name]
    if len(others) < 2 or not all(_did_nothing(item) for item in others):
        return {}
    besides = [
        count_words(number, noun)
        for noun, things in (("volume", usage.claims), ("load balancer", usage.balancers))
        if (number := sum(item.namespace == name for item in things))
    ]
    also = f"; it also has {' and '.join(besides)}" if besides else ""
    return {"namespace": f"all {len(others)} workloads of {name} are idle{also}"}
