"""Every kind with a pod template: where its templates are and what decides its pod count.

Known paths come from the kinds' own API references; anything else that carries a pod template is
found by its shape.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

from estimators.gpu import extended_resource_problems
from estimators.objects import Body, ManifestObject, Path, dig, mapping, sequence, text
from estimators.pod_reader import read_claim, read_count, read_template
from estimators.workload import JobTerms, PodGroup, Problem, Scaling, VolumeClaim, Workload

_REPLICATED = {"Deployment", "StatefulSet", "ReplicaSet", "ReplicationController", "Rollout"}
_KUBEFLOW = {
    "PyTorchJob": "pytorchReplicaSpecs",
    "TFJob": "tfReplicaSpecs",
    "MPIJob": "mpiReplicaSpecs",
    "XGBoostJob": "xgbReplicaSpecs",
    "PaddleJob": "paddleReplicaSpecs",
    "JAXJob": "jaxReplicaSpecs",
}
_RAY = {
    "RayCluster": ("spec",),
    "RayService": ("spec", "rayClusterConfig"),
    "RayJob": ("spec", "rayClusterSpec"),
    "RayCronJob": ("spec", "jobTemplate", "rayClusterSpec"),
}
_KNOWN = {"CronJob", "DaemonSet", "InferenceService", "Job", "Notebook", "Pod", "Service"} | {
    *_REPLICATED,
    *_KUBEFLOW,
    *_RAY,
}
_DEEPEST = 8
"""How deep a pod template is searched for in a kind we do not know."""


def read_workload(thing: ManifestObject) -> Workload | None:
    """The object as a workload, or None where it has no pod template."""
    problems: list[Problem] = []
    kind, body = thing.identity.kind, thing.body
    if kind == "Pod":
        if not sequence(dig(body, "spec", "containers")):
            return None
        template = read_template(body, (), problems)
        group = PodGroup("", template, Decimal(1), ("metadata", "name"))
        return Workload(thing, Scaling.SINGLE, (group,), problems=tuple(problems))
    scaling = _scaling(kind)
    groups = tuple(_groups(kind, body, problems))
    if not groups:
        return None
    for group in groups:
        for container in (*group.template.containers, *group.template.init_containers):
            problems += extended_resource_problems(container)
    return Workload(
        object=thing,
        scaling=scaling,
        groups=groups,
        claims=tuple(_claim_templates(body, problems)),
        job=_job_terms(kind, body, problems) if scaling in {Scaling.JOB, Scaling.CRON} else None,
        problems=tuple(problems),
    )


def found_by_shape(workload: Workload) -> bool:
    """Whether its kind is not known, so that it may ask for more than the pods that were found."""
    return workload.identity.kind not in _KNOWN


def _claim_templates(body: Body, problems: list[Problem]) -> Iterator[VolumeClaim]:
    """A StatefulSet's volumes, which outlive the pods of a scale-down unless it says otherwise."""
    kept = dig(body, "spec", "persistentVolumeClaimRetentionPolicy", "whenScaled") != "Delete"
    for index, claim in enumerate(sequence(dig(body, "spec", "volumeClaimTemplates"))):
        name, path = text(dig(claim, "metadata", "name")), ("spec", "volumeClaimTemplates", index)
        yield replace(read_claim(mapping(claim), name, path, problems), kept_on_scale_down=kept)


def _scaling(kind: str) -> Scaling:
    if kind == "DaemonSet":
        return Scaling.PER_NODE
    if kind in {"CronJob", "RayCronJob"}:
        return Scaling.CRON
    if kind in {"Job", "RayJob"} or kind in _KUBEFLOW:
        return Scaling.JOB
    return Scaling.REPLICAS


def _groups(kind: str, body: Body, problems: list[Problem]) -> Iterator[PodGroup]:
    if kind in _REPLICATED or kind in {"DaemonSet", "Job", "Notebook"}:
        yield from _group("", body, ("spec",), problems)
    elif kind == "CronJob":
        yield from _group("", body, ("spec", "jobTemplate", "spec"), problems)
    elif kind in _RAY:
        yield from _ray_groups(body, _RAY[kind], problems)
    elif kind in _KUBEFLOW:
        specs = ("spec", _KUBEFLOW[kind])
        for role in mapping(dig(body, *specs)):
            yield from _group(str(role), body, (*specs, role), problems)
    elif kind == "InferenceService":
        yield from _kserve_groups(body, problems)
    elif kind == "Service":
        if text(body.get("apiVersion")).startswith("serving.knative.dev/"):
            yield from _knative_group(body, problems)
    elif kind not in _WITHOUT_PODS:
        yield from _by_shape(body, problems)


_WITHOUT_PODS = {"PodTemplate", "CustomResourceDefinition", "ConfigMap", "Secret"}


def _group(
    name: str,
    body: Body,
    parent: Path,
    problems: list[Problem],
    bounds: Callable[[Body, Path], tuple[Decimal | None, Decimal | None]] | None = None,
) -> Iterator[PodGroup]:
    """The group whose `template` and `replicas` stand in the mapping at `parent`."""
    here = mapping(dig(body, *parent))
    template = mapping(here.get("template"))
    if not sequence(dig(template, "spec", "containers")) and not text(dig(here, "workloadRef", "name")):
        return
    at = (*parent, "replicas")
    least, most = bounds(here, parent) if bounds else (None, None)
    yield PodGroup(
        name=name,
        template=read_template(template, (*parent, "template"), problems),
        replicas=read_count(here.get("replicas"), at, problems),
        replicas_path=at,
        least=least,
        most=most,
        pods_per_replica=read_count(here.get("numOfHosts"), (*parent, "numOfHosts"), problems) or Decimal(1),
    )


def _ray_groups(body: Body, parent: Path, problems: list[Problem]) -> Iterator[PodGroup]:
    """KubeRay: one head, and worker groups that its own autoscaler moves between their bounds."""
    yield from _group("head", body, (*parent, "headGroupSpec"), problems)
    autoscaled = dig(body, *parent, "enableInTreeAutoscaling") is True

    def bounds(here: Body, at: Path) -> tuple[Decimal | None, Decimal | None]:
        if not autoscaled:
            return None, None
        least = read_count(here.get("minReplicas"), (*at, "minReplicas"), problems)
        return least or Decimal(0), read_count(here.get("maxReplicas"), (*at, "maxReplicas"), problems)

    for index, group in enumerate(sequence(dig(body, *parent, "workerGroupSpecs"))):
        name = text(mapping(group).get("groupName")) or f"workers-{index}"
        yield from _group(name, body, (*parent, "workerGroupSpecs", index), problems, bounds)


def _knative_group(body: Body, problems: list[Problem]) -> Iterator[PodGroup]:
    """Knative scales a revision between the bounds in its annotations; none means from zero, without end."""
    for group in _group("", body, ("spec",), problems):
        notes = group.template.annotations
        least = _whole(
            notes.get("autoscaling.knative.dev/min-scale", notes.get("autoscaling.knative.dev/minScale"))
        )
        most = _whole(
            notes.get("autoscaling.knative.dev/max-scale", notes.get("autoscaling.knative.dev/maxScale"))
        )
        at = ("spec", "template", "metadata", "annotations")
        yield PodGroup("", group.template, None, at, least or Decimal(0), most or None)


def _kserve_groups(body: Body, problems: list[Problem]) -> Iterator[PodGroup]:
    """KServe: pod specs stand directly under each role; a `model` is a container of its own."""
    for role in ("predictor", "transformer", "explainer"):
        here = mapping(dig(body, "spec", role))
        containers = [*sequence(here.get("containers"))]
        if isinstance(here.get("model"), Mapping):
            containers.append({"name": "kserve-container", **here["model"]})
        if not containers:
            continue
        at: Path = ("spec", role)
        template = read_template({"spec": {**here, "containers": containers}}, at, problems)
        least = read_count(here.get("minReplicas"), (*at, "minReplicas"), problems)
        most = read_count(here.get("maxReplicas"), (*at, "maxReplicas"), problems)
        yield PodGroup(
            role, template, None, (*at, "minReplicas"), Decimal(1) if least is None else least, most
        )


def _by_shape(body: Body, problems: list[Problem]) -> Iterator[PodGroup]:
    """Any mapping with `template.spec.containers`, `replicas` beside it: how most operators do it."""
    for parent in _template_parents(body.get("spec"), ("spec",)):
        name = ".".join(str(step) for step in parent[1:])
        yield from _group(name, body, parent, problems)


def _template_parents(value: Any, path: Path) -> Iterator[Path]:  # noqa: ANN401 - YAML holds anything
    if len(path) > _DEEPEST:
        return
    if isinstance(value, Mapping):
        if sequence(dig(value, "template", "spec", "containers")):
            yield path
            return
        for key, item in value.items():
            if isinstance(item, Mapping | list):
                yield from _template_parents(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            if isinstance(item, Mapping | list):
                yield from _template_parents(item, (*path, index))


def _job_terms(kind: str, body: Body, problems: list[Problem]) -> JobTerms:
    at: Path = ("spec", "jobTemplate", "spec") if kind == "CronJob" else ("spec",)
    here = mapping(dig(body, *at))
    parallelism = read_count(here.get("parallelism"), (*at, "parallelism"), problems)
    return JobTerms(
        completions=read_count(here.get("completions"), (*at, "completions"), problems),
        parallelism=Decimal(1) if parallelism is None else parallelism,
        deadline_seconds=read_count(
            here.get("activeDeadlineSeconds"), (*at, "activeDeadlineSeconds"), problems
        ),
        schedule=text(dig(body, "spec", "schedule")),
        time_zone=text(dig(body, "spec", "timeZone")),
        suspended=dig(body, "spec", "suspend") is True,
        alone=dig(body, "spec", "concurrencyPolicy") in {"Forbid", "Replace"},
    )


def _whole(value: str | None) -> Decimal | None:
    return Decimal(value) if value and value.isascii() and value.isdigit() and len(value) < 10 else None
