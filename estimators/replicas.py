"""How many pods: floor, expected and ceiling, and where the numbers come from."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

import numpy as np

from estimators.change import Cluster, Simulation
from estimators.demand import demands_of
from estimators.hpa_simulation import simulate
from estimators.money import HOURS_PER_MONTH, ZERO, Range
from estimators.placement import matching_nodes, untold_labels
from estimators.pod_request import EffectivePod
from estimators.prices import Provenance
from estimators.report import ReplicaCount
from estimators.usage import Series, WorkloadUsage, observed
from estimators.workload import Autoscaler, JobTerms, PodGroup, Scaling, Workload

ASK_FOR_USAGE = "add --prometheus URL or --usage FILE"
ASK_FOR_NODES = "add --prometheus URL, --usage FILE or --kube-context NAME"
ASK_FOR_LABELS = (
    "add --kube-context NAME, or start kube-state-metrics with --metric-labels-allowlist=nodes=[*]"
)
SECONDS_PER_HOUR = Decimal(3600)


@dataclass(frozen=True, slots=True)
class UnknownCount:
    """The pod count cannot be told; `reason` ends with what would tell it."""

    reason: str


def replay(
    autoscaler: Autoscaler | None,
    pod: EffectivePod,
    history: WorkloadUsage | None,
    old: Autoscaler | None,
    step_seconds: int,
) -> Simulation | None:
    """The autoscaler over the history; None without either, or where no step could be computed."""
    if autoscaler is None or history is None:
        return None
    demands = demands_of(autoscaler, pod, history, old)
    result = simulate(autoscaler, demands.known, history.replicas, step_seconds, demands.failed)
    pods = result.pods
    if autoscaler.event_driven and pods.size:
        # KEDA switches between rest and work; the history says when there was work.
        rest = autoscaler.least if autoscaler.idle is None else autoscaler.idle
        at_rest = history.replicas <= float(autoscaler.idle or 0)
        pods = np.where(at_rest, float(rest), np.maximum(pods, max(float(autoscaler.least), 1.0)))
    doubt = "; ".join(demands.doubts)
    return Simulation(pods, result.wanted, result.failed, doubt, tuple(demands.unseen))


def count_pods(
    workload: Workload,
    group: PodGroup,
    autoscaler: Autoscaler | None,
    simulation: Simulation | None,
    history: WorkloadUsage | None,
    cluster: Cluster,
    recorded: JobTerms | None = None,
) -> ReplicaCount | UnknownCount:
    """Pods of one group, per method: autoscaler, nodes, schedule, or the manifest's own number.

    `recorded` are the terms a job ran by while its history was recorded, where those were others.
    """
    if workload.scaling is Scaling.PER_NODE:
        return _per_node(group, history, cluster)
    if workload.job is not None:
        cron = workload.scaling is Scaling.CRON
        return _of_runs(workload.job, recorded or workload.job, history, cluster, cron=cron)
    if autoscaler is not None and group.replicas != 0 and len(workload.groups) == 1:
        return _autoscaled(autoscaler, simulation, history)
    if group.least is not None:
        return _self_scaled(group, history if len(workload.groups) == 1 else None)
    count = (Decimal(1) if group.replicas is None else group.replicas) * group.pods_per_replica
    return ReplicaCount(Range.exactly(count), "manifest", Provenance.REQUESTED)


def _per_node(
    group: PodGroup, history: WorkloadUsage | None, cluster: Cluster
) -> ReplicaCount | UnknownCount:
    untold = untold_labels(group.template.placement, cluster.nodes)
    if cluster.nodes and not untold:
        fitting = matching_nodes(group.template.placement, cluster.nodes, tolerate_cordon=True)
        note = f"{len(fitting)} of {len(cluster.nodes)} nodes match"
        return ReplicaCount(Range.exactly(Decimal(len(fitting))), "nodes", Provenance.MEASURED, note)
    mean = _mean(history.replicas) if history else None
    if mean is not None:
        return ReplicaCount(Range.exactly(mean), "observed", Provenance.MEASURED, "mean of the history")
    if untold:
        return UnknownCount(
            f"runs on nodes by {untold[0][:60]}, which is not known of them: {ASK_FOR_LABELS}"
        )
    return UnknownCount(f"runs one pod per node and no nodes are known: {ASK_FOR_NODES}")


def _autoscaled(
    autoscaler: Autoscaler, simulation: Simulation | None, history: WorkloadUsage | None
) -> ReplicaCount | UnknownCount:
    floor = autoscaler.least if autoscaler.idle is None else min(autoscaler.idle, autoscaler.least)
    ceiling = max(autoscaler.most, floor)
    mean = _mean(simulation.pods) if simulation else None
    if simulation and mean is not None:
        used = int(observed(simulation.pods).size)
        note = f"simulated over {used:,} of {simulation.pods.size:,} steps"
        return ReplicaCount(_clamped(floor, mean, ceiling), "hpa-simulated", Provenance.MEASURED, note)
    mean = _mean(history.replicas) if history else None
    if mean is not None:
        return ReplicaCount(
            _clamped(floor, mean, ceiling), "observed", Provenance.MEASURED, "mean of the history"
        )
    if floor == 0:
        return UnknownCount(f"scales from zero and no history is known: {ASK_FOR_USAGE}, or set a minimum")
    note = f"no history, so the minimum is assumed: {ASK_FOR_USAGE}"
    return ReplicaCount(Range(floor, floor, ceiling), "hpa-bounds", Provenance.ASSUMED, note)


def _self_scaled(group: PodGroup, history: WorkloadUsage | None) -> ReplicaCount | UnknownCount:
    """Kinds that scale themselves between bounds of their own."""
    floor = (group.least or ZERO) * group.pods_per_replica
    mean = _mean(history.replicas) if history else None
    declared = None if group.replicas is None else group.replicas * group.pods_per_replica
    likely = mean if mean is not None else declared if declared is not None else floor
    if likely == 0 and mean is None and declared is None:
        return UnknownCount(f"scales from zero and no history is known: {ASK_FOR_USAGE}")
    ceiling = max(likely, floor) if group.most is None else max(group.most * group.pods_per_replica, floor)
    source, provenance = (
        ("observed", Provenance.MEASURED) if mean is not None else ("manifest", Provenance.REQUESTED)
    )
    return ReplicaCount(_clamped(floor, likely, ceiling), source, provenance)


def _of_runs(
    job: JobTerms, recorded: JobTerms, history: WorkloadUsage | None, cluster: Cluster, *, cron: bool
) -> ReplicaCount | UnknownCount:
    """Pods of a Job or CronJob, as a mean over the month: pod time / month.

    The time of a completion holds that of the pods that failed before it.
    """
    if job.suspended:
        return ReplicaCount(Range.exactly(ZERO), "schedule", Provenance.REQUESTED, "suspended")
    past = history.runs if history else None
    if cron:
        runs = cluster.runs_per_month(job.schedule, job.time_zone)
        if runs is None:
            return UnknownCount(f"its schedule {job.schedule[:40]!r} cannot be read: use five cron fields")
    elif past and cluster.usage:
        runs = Decimal(past.runs) * HOURS_PER_MONTH / Decimal(str(cluster.usage.window.days * 24))
    else:
        return UnknownCount(f"how often and how long it runs is not known: {ASK_FOR_USAGE}")
    month = HOURS_PER_MONTH * SECONDS_PER_HOUR
    completions = _completions(job)
    at_once = min(job.parallelism, completions)
    most = at_once if job.alone else Decimal("Infinity")
    bound = None if job.deadline_seconds is None else min(runs * at_once * job.deadline_seconds / month, most)
    if past and past.pods:
        completed = min(Decimal(past.pods), past.runs * _completions(recorded)) or past.pods
        seconds = Decimal(str(past.pod_seconds)) / completed
        likely = min(runs * completions * seconds / month, most)
        note = f"{runs:.0f} runs a month, {seconds:.0f} s a completion in {past.runs} past runs"
        ceiling = likely if bound is None else max(bound, likely)
        return ReplicaCount(Range(likely, likely, ceiling), "schedule", Provenance.MEASURED, note)
    if bound is None:
        return UnknownCount(
            f"how long a run takes is not known: {ASK_FOR_USAGE}, or set activeDeadlineSeconds"
        )
    note = f"{runs:.0f} runs a month, each as long as activeDeadlineSeconds allows: {ASK_FOR_USAGE}"
    return ReplicaCount(Range(ZERO, bound, bound), "schedule", Provenance.ASSUMED, note)


def _completions(job: JobTerms) -> Decimal:
    return job.parallelism if job.completions is None else job.completions


def _mean(series: Series) -> Decimal | None:
    """The mean of the steps with data, to 4 places: a tenth of a percent of one pod."""
    seen = observed(series)
    return Decimal(str(round(float(seen.mean()), 4))) if seen.size else None


def _clamped(floor: Decimal, likely: Decimal, ceiling: Decimal) -> Range:
    return Range(floor, min(max(likely, floor), ceiling), ceiling)
