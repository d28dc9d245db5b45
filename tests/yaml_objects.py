"""YAML text -> the objects that the estimators take, through the real reader."""

from __future__ import annotations

from bot.manifests import documents
from estimators.objects import Identity, ManifestObject, Path, Source, dig


def objects(text: str, environment: str = "", file: str = "app.yaml") -> list[ManifestObject]:
    """Every document of `text` as an object of one environment."""
    found = []
    reading = documents.read(text.encode())
    assert not reading.problems, reading.problems
    for document in reading.documents:
        body = document.body
        identity = Identity(
            environment,
            dig(body, "metadata", "namespace") or "",
            str(body["kind"]),
            str(dig(body, "metadata", "name")),
        )

        def locate(path: Path, lines: documents.Document = document) -> Source:
            return Source(file, lines.locate(path))

        found.append(
            ManifestObject(identity, str(body["apiVersion"]), body, Source(file, document.line), locate)
        )
    return found


def deployment(
    name: str = "api",
    *,
    cpu: str | None = "500m",
    memory: str | None = "1Gi",
    replicas: int | None = 2,
    memory_limit: str | None = None,
    cpu_limit: str | None = None,
    namespace: str = "payments",
    extra: str = "",
    kind: str = "Deployment",
) -> str:
    """A workload with one container, as YAML. `extra` is put into its pod spec."""
    requests = [f"{key}: {value}" for key, value in (("cpu", cpu), ("memory", memory)) if value]
    limits = [f"{key}: {value}" for key, value in (("cpu", cpu_limit), ("memory", memory_limit)) if value]
    count = "" if replicas is None else f"\n  replicas: {replicas}"
    return f"""
apiVersion: apps/v1
kind: {kind}
metadata: {{name: {name}, namespace: {namespace}, labels: {{app: {name}, team: checkout}}}}
spec:{count}
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}, team: checkout}}}}
    spec:
      containers:
        - name: main
          image: registry.example/{name}:1
          resources:
            requests: {{{", ".join(requests)}}}
            limits: {{{", ".join(limits)}}}
{extra}
"""


def autoscaler(least: int = 2, most: int = 10, target: int = 50, name: str = "api", more: str = "") -> str:
    """A HorizontalPodAutoscaler on CPU utilisation, as YAML."""
    return f"""
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata: {{name: {name}, namespace: payments}}
spec:
  scaleTargetRef: {{apiVersion: apps/v1, kind: Deployment, name: {name}}}
  minReplicas: {least}
  maxReplicas: {most}
  metrics:
    - type: Resource
      resource: {{name: cpu, target: {{type: Utilization, averageUtilization: {target}}}}}
{more}
"""
