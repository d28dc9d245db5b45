"""What a change may break.

A rule is a function from a `WorkloadChange` to findings. It judges the change: what was wrong
before and is untouched is not reported. A rule without the history it needs is silent; the
verdict then says `unknown`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from estimators.change import WorkloadChange
from estimators.report import Finding, Severity
from estimators.rules.autoscaling import hpa_cannot_scale, hpa_ceiling, hpa_floor, replicas_with_hpa
from estimators.rules.availability import no_failover, single_replica
from estimators.rules.cpu import cpu_limit, cpu_request
from estimators.rules.declared import best_effort, invalid_quantity, limit_below_request, qos_downgrade
from estimators.rules.disruption import disruption_budget
from estimators.rules.gpu import gpu_below_usage, gpu_increase_while_idle, gpu_part_too_small
from estimators.rules.limit_range import outside_limit_range
from estimators.rules.memory import memory_limit, memory_request, oom_history
from estimators.rules.ownership import unowned
from estimators.rules.protection import protected
from estimators.rules.removal import removed_in_use
from estimators.rules.scheduling import node_headroom, spot_unready, unschedulable
from estimators.rules.slo import slo_burning
from estimators.rules.standing import volume_shrinks
from estimators.rules.uptime import off_hours_in_use

Rule = Callable[[WorkloadChange], Iterator[Finding]]

RULES: tuple[Rule, ...] = (
    memory_limit,
    memory_request,
    oom_history,
    cpu_limit,
    cpu_request,
    hpa_ceiling,
    hpa_floor,
    hpa_cannot_scale,
    replicas_with_hpa,
    no_failover,
    single_replica,
    disruption_budget,
    unschedulable,
    node_headroom,
    qos_downgrade,
    limit_below_request,
    outside_limit_range,
    best_effort,
    invalid_quantity,
    spot_unready,
    gpu_increase_while_idle,
    gpu_below_usage,
    gpu_part_too_small,
    removed_in_use,
    off_hours_in_use,
    volume_shrinks,
    protected,
    slo_burning,
    unowned,
)


class RuleText(NamedTuple):
    """A rule as docs/rules.md lists it. One function may know several rules."""

    id: str
    severities: tuple[Severity, ...]
    text: str


_INFO, _CAUTION, _RISKY = Severity.INFO, Severity.CAUTION, Severity.RISKY

RULE_TEXTS: tuple[RuleText, ...] = (
    RuleText("memory-limit-below-peak", (_RISKY,), "the new memory limit is below the highest working set"),
    RuleText("memory-limit-tight", (_CAUTION,), "the new memory limit leaves too little above the peak"),
    RuleText("memory-request-below-usage", (_CAUTION,), "the memory request falls below the p95 working set"),
    RuleText("oom-history", (_RISKY,), "OOM-killed in the window, and memory gets scarcer"),
    RuleText("cpu-limit-throttles", (_CAUTION, _RISKY), "the CPU limit falls below what a pod uses"),
    RuleText("cpu-request-below-usage", (_CAUTION,), "the CPU request falls below the median use"),
    RuleText("hpa-ceiling", (_CAUTION, _RISKY), "the load wants more pods than the maximum allows"),
    RuleText("hpa-floor", (_RISKY,), "the fewest pods fall too low"),
    RuleText("hpa-cannot-scale", (_RISKY,), "a target cannot be computed, or the bounds are the same"),
    RuleText("replicas-with-hpa", (_CAUTION,), "replicas set beside an autoscaler, or taken out"),
    RuleText("no-failover", (_RISKY,), "with one pod gone the rest cannot carry the observed peak"),
    RuleText("single-replica", (_CAUTION,), "the workload falls to one pod"),
    RuleText("pdb-blocks-drain", (_CAUTION,), "a PodDisruptionBudget lets no pod go"),
    RuleText("pdb-impossible", (_RISKY,), "a PodDisruptionBudget wants more pods than are sure to run"),
    RuleText("unschedulable", (_RISKY,), "no known node matches the pod or has room for it"),
    RuleText("node-headroom", (_CAUTION,), "the cluster could no longer lose its largest node"),
    RuleText("qos-downgrade", (_CAUTION,), "the pods' quality of service class falls"),
    RuleText("limit-below-request", (_RISKY,), "a limit contradicts its request"),
    RuleText("outside-limit-range", (_RISKY,), "a request or limit that the namespace's LimitRange refuses"),
    RuleText("best-effort", (_INFO, _CAUTION), "a container comes to lack CPU and memory requests"),
    RuleText("invalid-quantity", (_CAUTION, _RISKY), "a value the API server refuses, or nobody filled in"),
    RuleText("duplicate-object", (_CAUTION,), "one object is defined twice, and one definition is not used"),
    RuleText("spot-unready", (_CAUTION,), "moves to spot nodes without being ready to lose one"),
    RuleText("gpu-increase-while-idle", (_CAUTION,), "more GPUs while those held are mostly idle"),
    RuleText("gpu-below-usage", (_CAUTION, _RISKY), "fewer GPUs than its work took"),
    RuleText("gpu-part-too-small", (_CAUTION, _RISKY), "a part of a GPU holds less than was used"),
    RuleText("removed-in-use", (_CAUTION,), "removed or scaled to 0 while it is used"),
    RuleText("off-hours-in-use", (_CAUTION, _RISKY), "switched off at hours at which it worked"),
    RuleText("volume-shrinks", (_CAUTION, _RISKY), "a volume gets smaller, whose use is known"),
    RuleText("unused-removed", (_CAUTION,), "an unused volume or load balancer goes, and what it held"),
    RuleText("protected", (_RISKY,), "changes what somebody protected with a reason"),
    RuleText("slo-burning", (_RISKY,), "takes capacity from a service that burns its error budget"),
    RuleText("unowned", (_INFO,), "no label says who pays"),
    RuleText("remembered", (_INFO,), "somebody rejected a recommendation about it, with a reason"),
)

_WORST_FIRST = (_RISKY, _CAUTION, _INFO)


def judge(change: WorkloadChange) -> tuple[Finding, ...]:
    """All findings of one change, worst first, else in the order of the rules."""
    found = [item for rule in RULES for item in rule(change)]
    return tuple(sorted(found, key=lambda item: _WORST_FIRST.index(item.severity)))
