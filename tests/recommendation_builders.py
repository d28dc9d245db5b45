"""Small builders for recommendations: manifests as YAML beside the history that a cluster has of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

import numpy as np

from estimators.change import Cluster
from estimators.objects import Body, Identity
from estimators.recommend import recommend
from estimators.recommendation import Found, LeftAlone, Reason, Recommendation
from estimators.recommendation_terms import PRODUCTION, Profile, Terms
from estimators.usage import (
    BalancerUsage,
    ClaimUsage,
    ContainerUsage,
    GpuUsage,
    Node,
    Series,
    WorkloadKey,
    WorkloadUsage,
)
from tests.usage_builders import STEPS_A_DAY, Quantities, Values, series, snapshot
from tests.yaml_objects import objects

DAYS = 14
STEPS = DAYS * STEPS_A_DAY
MIB = 2**20


def usage(
    name: str = "api",
    *,
    cpu: Values = 0.3,
    memory: Values = 300 * MIB,
    replicas: Values = 2,
    steps: int = STEPS,
    namespace: str = "payments",
    kind: str = "Deployment",
    gpu: GpuUsage | None = None,
    burn: float | None = None,
    **fields: Any,  # noqa: ANN401 - passed on
) -> WorkloadUsage:
    """The history of a workload with the container `main`; `fields` are those of `ContainerUsage`."""
    container = ContainerUsage("main", series(cpu, steps), series(memory, steps), **fields)
    key = WorkloadKey(namespace, kind, name)
    return WorkloadUsage(key, series(replicas, steps), (container,), gpu, error_budget_burn=burn)


def cluster(
    *workloads: WorkloadUsage,
    nodes: Sequence[Node] = (),
    requested: Quantities | None = None,
    live: Sequence[Body] = (),
    claims: Sequence[ClaimUsage] = (),
    balancers: Sequence[BalancerUsage] = (),
    **fields: Any,  # noqa: ANN401 - passed on
) -> Cluster:
    """A cluster with the histories given, of one length; `fields` are those of `Cluster`."""
    steps = workloads[0].replicas.size if workloads else STEPS
    known = snapshot(*workloads, steps=steps, nodes=nodes, requested=requested)
    whole = replace(known, objects=tuple(live), claims=tuple(claims), balancers=tuple(balancers))
    return Cluster(usage=whole, **fields)


def found(
    text: str,
    known: Cluster,
    *,
    profile: Profile = PRODUCTION,
    frozen: str = "",
    environment: str = "",
) -> Found:
    """What is recommended for the objects of a YAML text."""
    terms = Terms(profile, frozen)
    return recommend(objects(text, environment), lambda _name: known, lambda _name: terms)


def only(text: str, known: Cluster, **terms: Any) -> Recommendation:  # noqa: ANN401 - passed on
    """The one recommendation there is."""
    [one] = found(text, known, **terms).recommendations
    return one


def values(recommendation: Recommendation) -> dict[str, tuple[str, str]]:
    """Field (its last two steps) -> current and proposed value."""
    return {
        ".".join(str(step) for step in item.path[-2:]): (item.current, item.proposed)
        for item in recommendation.changes
    }


def reasons(answer: Found) -> list[tuple[Reason, str]]:
    """Why, and by which finder, things were left alone."""
    return [(item.reason, item.finder) for item in answer.left_alone]


def left(answer: Found, reason: Reason) -> LeftAlone:
    """The one thing that is left alone for this reason."""
    [one] = [item for item in answer.left_alone if item.reason is reason]
    return one


def hours(steps: int = STEPS) -> Series:
    """Hours since the window began, by step."""
    return np.arange(steps) / 12


def weekly(low: float, high: float, *, lasts: float = 2.0, steps: int = STEPS) -> Series:
    """`low`, and once a week `high` for some hours."""
    in_week = hours(steps) % (7 * 24)
    return np.where((in_week >= 50) & (in_week < 50 + lasts), high, low)


def claim_usage(
    name: str = "data", *, mounted: Values = 0.0, used: Values = float("nan"), days: int = DAYS
) -> ClaimUsage:
    """A claim of `payments` by the day: whether a pod mounted it, and the bytes on it."""
    return ClaimUsage("payments", name, series(mounted, days), series(used, days))


def balancer_usage(name: str = "front", *, ready: Values = 0.0, days: int = DAYS) -> BalancerUsage:
    """A load balancer of `payments` by the day: whether an endpoint was ready."""
    return BalancerUsage("payments", name, series(ready, days))


def identity(name: str = "api", kind: str = "Deployment", namespace: str = "payments") -> Identity:
    """The identity of an object in no environment."""
    return Identity("", namespace, kind, name)


def kill(moment: datetime) -> dict[str, object]:
    """One OOM kill whose time is known."""
    return {"oom_kills": 1, "oom_times": (moment,)}
