"""Small builders of what the estimators speak of. Quantities are written as in a manifest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from estimators.change import Cluster, Protection, Side, Simulation, WorkloadChange
from estimators.confidence import confidence
from estimators.money import Range
from estimators.objects import Identity, ManifestObject, Source
from estimators.pod_request import effective_pod
from estimators.prices import Provenance, Rates
from estimators.report import Estimate, FieldChange, Finding, PodAmounts, ReplicaCount
from estimators.rules import RULE_TEXTS, judge
from estimators.usage import (
    UsageSnapshot,
    WorkloadUsage,
)
from estimators.workload import (
    Autoscaler,
    Container,
    DisruptionBudget,
    JobTerms,
    MetricType,
    Placement,
    PodGroup,
    PodTemplate,
    Problem,
    Resources,
    Scaling,
    ScalingMetric,
    ScalingRules,
    TargetType,
    VolumeClaim,
    Workload,
)
from tests.usage_builders import TODAY, Quantities, resources, snapshot

RATES = Rates(Decimal("0.03"), Decimal("0.004"), Decimal("0.95"), "a test", "2026-11-01", Provenance.ASSUMED)


def manifest(
    kind: str = "Deployment",
    name: str = "api",
    *,
    namespace: str = "payments",
    labels: Mapping[str, str] | None = None,
    annotations: Mapping[str, str] | None = None,
    body: Mapping[str, Any] | None = None,
) -> ManifestObject:
    """An object in `<name>.yaml` whose fields stand on the line their path is deep."""
    file = f"{name}.yaml"
    metadata = {"labels": {"app": name} if labels is None else labels, "annotations": annotations or {}}
    return ManifestObject(
        Identity("", namespace, kind, name),
        "apps/v1",
        {"metadata": metadata, **(body or {})},
        Source(file, 1),
        lambda path: Source(file, 1 + len(path)),
    )


def container(
    name: str = "api",
    requests: Quantities | None = None,
    limits: Quantities | None = None,
    *,
    restartable: bool = False,
) -> Container:
    """A container; its place in the list is set by the workload it is put in."""
    return Container(name, (), resources(requests), resources(limits), restartable)


def template(*containers: Container, **fields: Any) -> PodTemplate:  # noqa: ANN401 - passed on
    """A pod template at `spec.template.spec`; `fields` are those of `PodTemplate`."""
    at = ("spec", "template", "spec")
    given = {
        "labels": {"app": "api"},
        "annotations": {},
        "init_containers": (),
        "pod_requests": {},
        "pod_limits": {},
        "overhead": {},
        "placement": Placement(),
        **fields,
    }
    placed = tuple(
        Container(item.name, (*at, "containers", index), item.requests, item.limits, item.restartable)
        for index, item in enumerate(containers)
    )
    return PodTemplate(path=at, containers=placed, **given)


def workload(
    *containers: Container,
    thing: ManifestObject | None = None,
    replicas: int | None = 3,
    scaling: Scaling = Scaling.REPLICAS,
    claims: Sequence[VolumeClaim] = (),
    job: JobTerms | None = None,
    problems: Sequence[Problem] = (),
    **fields: Any,  # noqa: ANN401 - passed on
) -> Workload:
    """A Deployment of one pod template; `fields` are those of `PodTemplate`."""
    count = None if replicas is None else Decimal(replicas)
    group = PodGroup("", template(*containers, **fields), count, ("spec", "replicas"))
    return Workload(thing or manifest(), scaling, (group,), tuple(claims), job, tuple(problems))


def workload_of_groups(**counts: int) -> Workload:
    """A RayCluster: groups of pods by name, each of one container of that name."""
    groups = tuple(
        PodGroup(name, template(container(name, {"cpu": "1"})), Decimal(count), ("spec", name, "replicas"))
        for name, count in counts.items()
    )
    return Workload(manifest("RayCluster"), Scaling.REPLICAS, groups)


def side(
    of: Workload,
    *,
    autoscaler: Autoscaler | None = None,
    budgets: Sequence[DisruptionBudget] = (),
    pods: Range | int | None = None,
    simulation: Simulation | None = None,
    gpus: Decimal = Decimal(0),
    known: bool = True,
    **fields: Any,  # noqa: ANN401 - passed on
) -> Side:
    """One side of a change, with gaps in requests filled from limits.

    `pods` is the estimated count (absent: the autoscaler's bounds or `replicas`); `known=False`
    leaves the estimate out.
    """
    group = of.groups[0]
    each = {item.name: effective_pod(item.template) for item in of.groups}
    pod = each[group.name]
    prefixes = {name: f"{name}/" if len(each) > 1 else "" for name in each}
    if pods is None and autoscaler:
        pods = Range(autoscaler.least, autoscaler.least, autoscaler.most)
    declared = Decimal(1) if group.replicas is None else group.replicas
    count = pods if isinstance(pods, Range) else Range.exactly(declared if pods is None else Decimal(pods))
    return Side(
        workload=of,
        autoscaler=autoscaler,
        vertical=None,
        budgets=tuple(budgets),
        requests={
            prefixes[name] + key: part for name, one in each.items() for key, part in one.requests.items()
        },
        limits={prefixes[name] + key: part for name, one in each.items() for key, part in one.limits.items()},
        pod_request={name: one.pod for name, one in each.items()},
        estimate=estimate(count, pod.pod, gpus) if known else None,
        unknown_cost="" if known else "how many pods it runs is not known: add --usage FILE",
        simulation=simulation,
        **fields,
    )


def estimate(count: Range, pod: Resources, gpus: Decimal = Decimal(0)) -> Estimate:
    """What `count` pods of that request cost."""
    cores, gib = pod.get("cpu", Decimal(0)), pod.get("memory", Decimal(0)) / 2**30
    each = cores * RATES.cpu_core_hour + gib * RATES.memory_gib_hour + gpus * RATES.gpu_hour
    return Estimate(
        ReplicaCount(count, "manifest", Provenance.REQUESTED),
        PodAmounts(cores, gib, gpus, Decimal(0)),
        RATES,
        (),
        count * (each * 730),
    )


def autoscaler(
    least: int = 2,
    most: int = 10,
    *,
    target: int = 70,
    metric: str = "cpu",
    **fields: Any,  # noqa: ANN401 - passed on
) -> Autoscaler:
    """An HPA on the utilisation of a resource; `fields` are those of `Autoscaler`."""
    given = {
        "metrics": (ScalingMetric(MetricType.RESOURCE, metric, TargetType.UTILIZATION, Decimal(target)),),
        "up": ScalingRules(0),
        "down": ScalingRules(300),
        **fields,
    }
    thing = manifest("HorizontalPodAutoscaler", "scaler")
    return Autoscaler(thing, "Deployment", "api", Decimal(least), Decimal(most), **given)


def budget(
    min_available: int | str | None = None, max_unavailable: int | str | None = None, name: str = "budget"
) -> DisruptionBudget:
    """A PodDisruptionBudget of the workload's pods."""
    return DisruptionBudget(manifest("PodDisruptionBudget", name), {}, min_available, max_unavailable)


def change(
    before: Side | None,
    after: Side | None,
    seen: WorkloadUsage | None = None,
    *,
    usage: UsageSnapshot | None = None,
    protections: Sequence[Protection] = (),
    today: date = TODAY,
    changes: Sequence[FieldChange] = (),
) -> WorkloadChange:
    """A change; its snapshot holds the history that is given, as long as that is."""
    if usage is None and seen is not None:
        usage = snapshot(seen, steps=seen.replicas.size)
    return WorkloadChange(
        before=before,
        after=after,
        changes=tuple(changes),
        history=seen,
        confidence=confidence(seen, usage.window if usage else None),
        cluster=Cluster(usage=usage, protections=tuple(protections), today=today),
    )


def fired(judged: WorkloadChange, rule: str) -> list[Finding]:
    """What one rule finds, each in the shape every finding has."""
    found = [item for item in judge(judged) if item.rule == rule]
    for item in found:
        assert item.severity in _SEVERITIES[item.rule]
        assert 0 < len(item.message) <= 90
        assert item.path
        assert item.source.file
        assert all(item.evidence.values())
    return found


_SEVERITIES = {item.id: item.severities for item in RULE_TEXTS}
