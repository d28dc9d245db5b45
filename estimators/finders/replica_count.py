"""Fewer replicas where the rest still carry the observed peak with one pod gone."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

from estimators.change import WorkloadChange
from estimators.finders.candidate import Candidate, Proposal, new_value
from estimators.objects import dig, mapping, sequence, text
from estimators.recommendation import LeftAlone, Reason
from estimators.rules.availability import no_failover
from estimators.rules.disruption import fewest_in_budget
from estimators.rules.pods import fixed, only_group
from estimators.rules.removal import total_cpu
from estimators.rules.words import core_words, count_words
from estimators.usage import coverage, peak
from estimators.workload import PodTemplate

FINDER = "replica-count"
_ZONE = "topology.kubernetes.io/zone"
_STATELESS = frozenset({"Deployment", "ReplicaSet", "Rollout"})
"""Members of a StatefulSet hold data and vote: how many there are is not a matter of load."""


def replica_count(candidate: Candidate) -> Iterator[Proposal | LeftAlone]:
    """The fewest replicas of which one may fail, as the rule `no-failover` counts them.

    That is CPU within requests and memory within limits at the highest use of the window, with the
    profile's CPU margin, spare pods and least pods on top. Only where nothing scales the workload, nor
    gives fewer pods larger requests: those would ask for as much together.
    """
    group, now = only_group(candidate.side), fixed(candidate.side)
    if group is None or now is None or candidate.identity.kind not in _STATELESS:
        return
    fewest = _fewest(candidate, int(now))
    used = peak(total_cpu(candidate.history))
    if fewest is None or fewest >= now or used is None:
        return
    if mode := candidate.resized_by:
        yield candidate.left(FINDER, Reason.VERTICAL_AUTOSCALER, mode=mode)
        return
    yield Proposal(
        FINDER,
        candidate,
        (new_value(candidate.workload.object, group.replicas_path, fewest),),
        {
            "CPU peak": f"{core_words(used)} over all pods",
            "pods that carry it": f"{fewest - 1} of {count_words(fewest, 'pod')}",
            "window": candidate.window(coverage(total_cpu(candidate.history))),
            "profile": candidate.profile.name,
        },
        risks=tuple(_risks(candidate, group.template)),
        undo="Put the number back; pods are added, none is restarted.",
    )


def _risks(candidate: Candidate, template: PodTemplate) -> Iterator[str]:
    yield "What the pods do beside using CPU and memory (connections, threads, queues) is not known."
    spread = dig(candidate.workload.object.body, *template.path, "topologySpreadConstraints")
    if any(text(mapping(item).get("topologyKey")) == _ZONE for item in sequence(spread)):
        yield "It is spread over zones: one that fails may take more pods than the one that may be gone."


def _fewest(candidate: Candidate, now: int) -> int | None:
    """The lowest count that holds; None where no count would do, or nothing tells what a pod can carry."""
    profile = candidate.profile
    carriers = 1
    for name, requests in candidate.side.requests.items():
        history = candidate.container(name)
        each = requests.get("cpu") or candidate.side.limits.get(name, {}).get("cpu")
        if history is None or history.cpu_total_peak is None or not each:
            return None
        carriers = max(carriers, math.ceil(history.cpu_total_peak * profile.cpu_margin / each))
    count = max(carriers + 1, profile.least_pods) + profile.spare_pods
    while count < now and (finding := next(no_failover(_with_replicas(candidate, count)), None)):
        if not finding.safe_value:
            return None
        count = max(int(finding.safe_value) + profile.spare_pods, count + 1)
    return fewest_in_budget(candidate.side, count, now)


def _with_replicas(candidate: Candidate, count: int) -> WorkloadChange:
    """The change to that many replicas, as far as the rule looks at it."""
    side = candidate.side
    groups = tuple(replace(item, replicas=Decimal(count)) for item in side.workload.groups)
    after = replace(side, workload=replace(side.workload, groups=groups))
    return replace(candidate.unchanged, after=after)
