"""What the estimators know of a workload: its pods, their requests and limits, and where they may land."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from enum import StrEnum

from estimators.objects import Body, Identity, ManifestObject, Path
from estimators.usage import WorkloadKey

Resources = Mapping[str, Decimal]
"""Resource name (`cpu`, `memory`, `nvidia.com/gpu`, ...) to base units (cores, bytes, counts)."""


@dataclass(frozen=True, slots=True)
class Problem:
    """A value that could not be read, where it stands, and why."""

    path: Path
    message: str

    @property
    def value(self) -> str:
        """The value as it is quoted in the message."""
        return self.message.partition(" is not ")[0]

    @property
    def is_placeholder(self) -> bool:
        """Whether another tool fills the value in later, such as `{{.Memory}}` or `${MEMORY}`."""
        return any(mark in self.value for mark in ("{{", "${", "$("))


@dataclass(frozen=True, slots=True)
class Container:
    """A container with the requests and limits the manifest declares, nothing filled in.

    `restartable` marks a native sidecar (an init container with `restartPolicy: Always`).
    """

    name: str
    path: Path
    requests: Resources
    limits: Resources
    restartable: bool = False


@dataclass(frozen=True, slots=True)
class Placement:
    """Where the scheduler may put a pod: selector, required node affinity and tolerations.

    `affinity` holds the `nodeSelectorTerms` of
    `requiredDuringSchedulingIgnoredDuringExecution`; none means anywhere.
    """

    node_selector: Mapping[str, str] = field(default_factory=dict)
    affinity: tuple[Body, ...] = ()
    tolerations: tuple[Body, ...] = ()
    node_name: str = ""


@dataclass(frozen=True, slots=True)
class DeviceRequest:
    """GPUs asked for through Dynamic Resource Allocation.

    `count` is in physical GPUs. `per_pod` is False for a ResourceClaim that all pods share. `ceiling`
    differs from `count` where the largest of several alternatives would be taken. `product` is the
    model a selector demands, `""` where none does.
    """

    device_class: str
    count: Decimal
    ceiling: Decimal
    per_pod: bool
    product: str = ""


@dataclass(frozen=True, slots=True)
class PodTemplate:
    """A pod template as declared. `path` leads to its pod spec within the object."""

    path: Path
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    containers: tuple[Container, ...]
    init_containers: tuple[Container, ...]
    pod_requests: Resources
    pod_limits: Resources
    overhead: Resources
    placement: Placement
    runtime_class: str = ""
    resource_claims: tuple[Body, ...] = ()
    ephemeral_claims: tuple[VolumeClaim, ...] = ()
    """Generic ephemeral volumes: one claim a pod."""
    has_empty_dir: bool = False
    mounted_claims: tuple[str, ...] = ()
    """Names of PersistentVolumeClaims that all pods share."""

    @property
    def pod_level(self) -> Resources:
        """What the pod itself asks for, whatever its containers say: its requests, filled from its limits."""
        return {**self.pod_limits, **self.pod_requests}

    @property
    def running(self) -> tuple[Container, ...]:
        """The containers that run for the pod's whole life: plain ones and native sidecars."""
        return self.containers + tuple(item for item in self.init_containers if item.restartable)


@dataclass(frozen=True, slots=True)
class VolumeClaim:
    """A PersistentVolumeClaim or a claim template. `size` is in bytes, None where none is asked."""

    name: str
    path: Path
    storage_class: str | None
    size: Decimal | None
    kept_on_scale_down: bool = True


class Scaling(StrEnum):
    """How a workload's pod count comes about."""

    REPLICAS = "replicas"
    """A `replicas` field, an autoscaler may own it."""
    PER_NODE = "per-node"
    """One pod on each node that fits: a DaemonSet."""
    JOB = "job"
    CRON = "cron"
    SINGLE = "single"
    """A bare pod."""


@dataclass(frozen=True, slots=True)
class PodGroup:
    """Pods of one template within a workload. Most workloads have one group, named `""`.

    A RayCluster has a head and worker groups. `replicas` is None where the manifest names none;
    `least` and `most` are set where the object scales the group itself (Ray workers, Knative).
    `pods_per_replica` is above 1 where a replica spans hosts (Ray `numOfHosts`).
    """

    name: str
    template: PodTemplate
    replicas: Decimal | None
    replicas_path: Path
    least: Decimal | None = None
    most: Decimal | None = None
    pods_per_replica: Decimal = Decimal(1)


@dataclass(frozen=True, slots=True)
class JobTerms:
    """How often and for how long a Job or CronJob may run; `alone` is one of which no two runs overlap."""

    completions: Decimal | None
    parallelism: Decimal
    deadline_seconds: Decimal | None
    schedule: str = ""
    time_zone: str = ""
    suspended: bool = False
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Workload:
    """An object with at least one pod template."""

    object: ManifestObject
    scaling: Scaling
    groups: tuple[PodGroup, ...]
    claims: tuple[VolumeClaim, ...] = ()
    job: JobTerms | None = None
    problems: tuple[Problem, ...] = ()

    @property
    def identity(self) -> Identity:
        """What makes it the same workload on both sides."""
        return self.object.identity

    @property
    def key(self) -> WorkloadKey:
        """Its name in the cluster's history."""
        return WorkloadKey(self.identity.namespace, self.identity.kind, self.identity.name)


class MetricType(StrEnum):
    """The `type` of an HPA metric."""

    RESOURCE = "Resource"
    CONTAINER = "ContainerResource"
    PODS = "Pods"
    OBJECT = "Object"
    EXTERNAL = "External"


class TargetType(StrEnum):
    """The `target.type` of an HPA metric."""

    UTILIZATION = "Utilization"
    AVERAGE_VALUE = "AverageValue"
    VALUE = "Value"


@dataclass(frozen=True, slots=True)
class ScalingMetric:
    """One metric of an autoscaler: `target` is a percentage for UTILIZATION, else base units.

    `terms` is all else that a custom metric asks for (a query, a queue, a selector), as text to compare:
    with other terms it is another metric.
    """

    type: MetricType
    name: str
    target_type: TargetType
    target: Decimal
    container: str = ""
    terms: str = ""


@dataclass(frozen=True, slots=True)
class ScalingPolicy:
    """`Pods` or `Percent` that may come or go within `period_seconds`."""

    type: str
    value: Decimal
    period_seconds: int


@dataclass(frozen=True, slots=True)
class ScalingRules:
    """One direction of `behavior`. Policies empty: the direction's defaults."""

    stabilization_seconds: int
    policies: tuple[ScalingPolicy, ...] = ()
    select: str = "Max"
    tolerance: Decimal = Decimal("0.1")


@dataclass(frozen=True, slots=True)
class Autoscaler:
    """A HorizontalPodAutoscaler or a KEDA ScaledObject, in one shape.

    `target` is the scaled object's kind and name. `least` is `minReplicas` or `minReplicaCount`;
    `idle` is KEDA's `idleReplicaCount`, None where it is not set; `cooldown_seconds` is KEDA's.
    """

    object: ManifestObject
    target_kind: str
    target_name: str
    least: Decimal
    most: Decimal
    metrics: tuple[ScalingMetric, ...]
    up: ScalingRules
    down: ScalingRules
    event_driven: bool = False
    """A KEDA ScaledObject: below one replica it is on or off."""
    idle: Decimal | None = None
    cooldown_seconds: int = 300
    problems: tuple[Problem, ...] = ()


@dataclass(frozen=True, slots=True)
class VerticalAutoscaler:
    """A VerticalPodAutoscaler: its mode, and what it recommends where that is known.

    `targets` is container name -> resources. `requests_only` tells by container name (`*`: all others)
    whether it leaves limits as they are; else it keeps them in proportion to the requests that it sets.
    """

    object: ManifestObject
    target_kind: str
    target_name: str
    mode: str
    targets: Mapping[str, Resources] = field(default_factory=dict)
    requests_only: Mapping[str, bool] = field(default_factory=dict)

    def sets_limits(self, container: str) -> bool:
        """Whether new pods get limits in proportion to its recommendation."""
        policies = self.requests_only
        return self.sets_requests and not policies.get(container, policies.get("*", False))

    @property
    def sets_requests(self) -> bool:
        """Whether new pods get its recommendation instead of the manifest's request."""
        return self.mode != "Off"


@dataclass(frozen=True, slots=True)
class DisruptionBudget:
    """A PodDisruptionBudget; the two bounds are kept as written (a count or a percentage).

    A `selector` of None matches no pods, an empty one all of the namespace's.
    """

    object: ManifestObject
    selector: Body | None
    min_available: int | str | None
    max_unavailable: int | str | None
