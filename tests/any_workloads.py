"""Any workload, with anything beside it, and any history of it: what recommendations have to hold for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import numpy as np
from hypothesis import strategies as st

from estimators.change import Cluster
from estimators.usage import ContainerUsage, GpuUsage, Node, Series, WorkloadKey, WorkloadUsage
from tests.recommendation_builders import MIB, STEPS, claim_usage, cluster, hours, weekly
from tests.usage_builders import END, Quantities, node
from tests.yaml_objects import autoscaler

SPOT = {"karpenter.sh/capacity-type": "spot"}
_CORES = ("2", "4000m", "500m", "50m", "")
_SIZES = ("2000M", "8Gi", "1Gi", "64Mi", "")


@dataclass(frozen=True)
class Anything:
    """Manifests, and the cluster that has a history of them."""

    text: str
    cluster: Cluster


@st.composite
def anything(draw: st.DrawFn) -> Anything:
    """A workload named `api`, of one kind or another."""
    kind = draw(st.sampled_from(["Deployment", "Deployment", "StatefulSet", "DaemonSet"]))
    names = ["main", "proxy"][: draw(st.integers(1, 2))]
    pods = draw(st.integers(1, 8))
    gpu = draw(st.booleans()) and kind == "Deployment"
    scaled = kind == "Deployment" and draw(st.booleans())
    containers = "\n".join(_container(draw, name, gpu=gpu and name == "main") for name in names)
    text = _workload(draw, kind, None if scaled or kind == "DaemonSet" else pods, containers)
    if scaled:
        least = draw(st.integers(1, pods))
        most = draw(st.integers(least, 12))
        text += "---" + autoscaler(least, most, draw(st.sampled_from([30, 50, 75])))
    text += "".join(part for part in _BESIDE if draw(st.integers(0, 3)) == 0)
    seen = _history(draw, kind, names, pods, gpu=gpu)
    asked = {"cpu": draw(st.sampled_from(["2", "20"])), "memory": "20Gi"}
    used = draw(st.sampled_from([1.0, 2.0**33, 2.0**36]))
    known = cluster(
        seen,
        nodes=_nodes(draw),
        requested=asked if draw(st.booleans()) else None,
        claims=[claim_usage("data-api-0", mounted=1.0, used=used)],
    )
    return Anything(text, known)


def _container(draw: st.DrawFn, name: str, *, gpu: bool) -> str:
    cpu, memory = draw(st.sampled_from(_CORES)), draw(st.sampled_from(_SIZES))
    requests = {"cpu": cpu, "memory": memory}
    limits = {
        "cpu": draw(st.sampled_from(["", cpu, "4"])),
        "memory": draw(st.sampled_from(["", memory, "8Gi"])),
    }
    if gpu:
        limits["nvidia.com/gpu"] = '"1"'
    parts = [
        "{" + ", ".join(f"{key}: {value}" for key, value in asked.items() if value) + "}"
        for asked in (requests, limits)
    ]
    args = draw(st.sampled_from(["[]", "[]", "[-Xmx512m]", "[-XX:MaxRAMPercentage=50]"]))
    return f"""        - name: {name}
          image: registry.example/{name}:1
          args: {args}
          resources: {{requests: {parts[0]}, limits: {parts[1]}}}"""


def _workload(draw: st.DrawFn, kind: str, replicas: int | None, containers: str) -> str:
    count = "" if replicas is None else f"replicas: {replicas}"
    claims = ""
    if kind == "StatefulSet" and draw(st.booleans()):
        claims = """volumeClaimTemplates:
    - metadata: {name: data}
      spec: {resources: {requests: {storage: 100Gi}}}"""
    extra = draw(st.sampled_from(_IN_THE_POD))
    note = draw(
        st.sampled_from(["", "", "", 'tuppence.dev/protect: "INC-1"', "tuppence.dev/protect-fields: cpu"])
    )
    return f"""
apiVersion: apps/v1
kind: {kind}
metadata: {{name: api, namespace: payments, labels: {{app: api}}, annotations: {{{note}}}}}
spec:
  {count}
  {claims}
  selector: {{matchLabels: {{app: api}}}}
  template:
    metadata: {{labels: {{app: api}}}}
    spec:
      {extra}
      containers:
{containers}
"""


_IN_THE_POD = (
    "restartPolicy: Always",
    "initContainers: [{name: migrate, resources: {requests: {cpu: 1, memory: 4Gi}}}]",
    "volumes: [{name: scratch, emptyDir: {}}]",
    "resources: {requests: {cpu: 3, memory: 3Gi}}",
    "nodeSelector: {pool: web}",
)
_BESIDE = (
    """---
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata: {name: api, namespace: payments}
spec: {minAvailable: 2, selector: {matchLabels: {app: api}}}
""",
    """---
apiVersion: v1
kind: LimitRange
metadata: {name: bounds, namespace: payments}
spec:
  limits:
    - type: Container
      min: {cpu: 100m, memory: 300Mi}
      max: {cpu: "4", memory: 9Gi}
      defaultRequest: {cpu: 200m}
      maxLimitRequestRatio: {memory: "8"}
""",
    """---
apiVersion: autoscaling.k8s.io/v1
kind: VerticalPodAutoscaler
metadata: {name: api, namespace: payments}
spec: {targetRef: {apiVersion: apps/v1, kind: Deployment, name: api}, updatePolicy: {updateMode: "Off"}}
""",
    """---
apiVersion: v1
kind: Service
metadata: {name: api, namespace: payments}
spec: {selector: {app: api}}
""",
)


def _history(draw: st.DrawFn, kind: str, names: list[str], pods: int, *, gpu: bool) -> WorkloadUsage:
    """Waves, weekly peaks, leaks, gaps, kills; before some day there may have been more pods."""
    ran = np.full(STEPS, float(pods))
    if draw(st.booleans()):
        ran[hours() < draw(st.sampled_from([24, 120, 300]))] = pods + draw(st.integers(1, 8))
    containers = tuple(_used(draw, name, ran) for name in names)
    held = None
    if gpu:
        busy = np.where((hours() % 24 < 4) & (hours() < draw(st.sampled_from([0, 100, 400]))), 0.8, 0.0)
        held = GpuUsage(busy, np.full(STEPS, draw(st.sampled_from([1.0, 30.0])) * 2**30))
    return WorkloadUsage(WorkloadKey("payments", kind, "api"), ran, containers, held)


def _used(draw: st.DrawFn, name: str, ran: Series) -> ContainerUsage:
    low, factor = draw(st.sampled_from([0.03, 0.1, 0.4, 3.0, 0.0002])), draw(st.sampled_from([1, 6]))
    wave = 1 + draw(st.sampled_from([0.0, 0.5])) * np.sin(hours() / 24 * 2 * np.pi)
    size = draw(st.sampled_from([3, 40, 400, 3000])) * MIB
    memory = size * wave * (1 + draw(st.sampled_from([0.0, 0.0, 0.0, 0.0, 0.02])) * hours() / 24)
    memory *= weekly(1, draw(st.sampled_from([1, 2])))
    missing = draw(st.sampled_from([0, 0, 0, 0, 12, 600]))
    cpu = weekly(low, low * factor) * wave * ran
    cpu[:missing] = memory[:missing] = np.nan
    kills = draw(st.sampled_from([0, 0, 0, 0, 0, 1]))
    return ContainerUsage(
        name,
        cpu,
        memory,
        oom_kills=kills,
        oom_times=(END - timedelta(days=draw(st.sampled_from([6, 30]))),) * kills,
        throttled_ratio=draw(st.sampled_from([None, 0.0, 0.0, 0.0, 0.1, 0.4])),
        cpu_pod_percentiles=draw(st.sampled_from([{}, {50: low, 95: low * 2, 99: low * factor * 2}])),
    )


def _nodes(draw: st.DrawFn) -> list[Node]:
    room: Quantities = {"cpu": 8, "memory": "32Gi", "pods": draw(st.sampled_from([20, 110]))}
    plain = [node(f"n{number}", room, labels={"pool": "web"}) for number in range(draw(st.integers(0, 4)))]
    spots = [node(f"s{number}", room, labels=SPOT) for number in range(draw(st.sampled_from([0, 3])))]
    card = {"nvidia.com/gpu.memory": "40960", "nvidia.com/gpu.product": "A100"}
    cards = [node("g0", {**room, "nvidia.com/gpu": 4, "nvidia.com/mig-1g.10gb": 2}, labels=card)]
    return [*plain, *spots, *(cards if draw(st.booleans()) else [])]
