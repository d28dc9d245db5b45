"""A pod template as YAML has it -> `PodTemplate`. Never fails: what cannot be read becomes a `Problem`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from estimators.objects import Body, Path, dig, mapping, sequence, string_map, text
from estimators.pod_request import NO_DEFAULTS, ContainerDefaults
from estimators.quantity import InvalidQuantityError, parse_quantity
from estimators.workload import Container, Placement, PodTemplate, Problem, Resources, VolumeClaim


def read_template(template: Body, path: Path, problems: list[Problem]) -> PodTemplate:
    """The template at `path` (the path of its pod spec's parent); problems found are appended."""
    spec = mapping(template.get("spec"))
    at = (*path, "spec")
    volumes = [mapping(item) for item in sequence(spec.get("volumes"))]
    resources = mapping(spec.get("resources"))
    return PodTemplate(
        path=at,
        labels=string_map(dig(template, "metadata", "labels")),
        annotations=string_map(dig(template, "metadata", "annotations")),
        containers=_containers(spec.get("containers"), (*at, "containers"), problems),
        init_containers=_containers(spec.get("initContainers"), (*at, "initContainers"), problems),
        pod_requests=read_resources(resources.get("requests"), (*at, "resources", "requests"), problems),
        pod_limits=read_resources(resources.get("limits"), (*at, "resources", "limits"), problems),
        overhead=read_resources(spec.get("overhead"), (*at, "overhead"), problems),
        placement=_placement(spec, at, problems),
        runtime_class=text(spec.get("runtimeClassName")),
        resource_claims=tuple(mapping(item) for item in sequence(spec.get("resourceClaims"))),
        ephemeral_claims=_ephemeral_claims(volumes, (*at, "volumes"), problems),
        has_empty_dir=any("emptyDir" in item for item in volumes),
        mounted_claims=tuple(
            filter(None, (text(dig(item, "persistentVolumeClaim", "claimName")) for item in volumes))
        ),
    )


def read_resources(value: object, path: Path, problems: list[Problem]) -> Resources:
    """A map of resource name to quantity; an unreadable one is left out and reported."""
    found: dict[str, Decimal] = {}
    for name, amount in mapping(value).items():
        if amount is not None and (parsed := read_quantity(amount, (*path, str(name)), problems)) is not None:
            found[str(name)] = parsed
    return found


def read_quantity(value: object, path: Path, problems: list[Problem]) -> Decimal | None:
    """One quantity, or None and a problem."""
    try:
        return parse_quantity(value)
    except InvalidQuantityError as error:
        problems.append(Problem(path, str(error)))
        return None


def read_count(value: object, path: Path, problems: list[Problem]) -> Decimal | None:
    """A count such as `replicas`: a whole number from 0; None where absent, with a problem where invalid."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 2**31:
        shown = value if not isinstance(value, int) or value.bit_length() < 64 else "a huge number"
        problems.append(Problem(path, f"{str(shown)[:40]!r} is not a count: expected a whole number from 0"))
        return None
    return Decimal(value)


def read_claim(claim: Body, name: str, path: Path, problems: list[Problem]) -> VolumeClaim:
    """A PersistentVolumeClaim's spec, at `path` within its object."""
    spec = mapping(claim.get("spec"))
    at = (*path, "spec", "resources", "requests", "storage")
    requested = dig(spec, "resources", "requests", "storage")
    storage_class = spec.get("storageClassName")
    return VolumeClaim(
        name=name,
        path=at,
        storage_class=storage_class if isinstance(storage_class, str) else None,
        size=read_quantity(requested, at, problems) if requested is not None else None,
    )


def read_limit_range(body: Body) -> ContainerDefaults:
    """A LimitRange's container part; `default`, `max` and `min` stand in for an absent `defaultRequest`."""
    for item in map(mapping, sequence(dig(body, "spec", "limits"))):
        if item.get("type") == "Container":
            parts = {
                key: read_resources(item.get(key), (), [])
                for key in ("min", "max", "default", "defaultRequest", "maxLimitRequestRatio")
            }
            limits = {**parts["max"], **parts["default"]}
            return ContainerDefaults(
                requests={**parts["min"], **limits, **parts["defaultRequest"]},
                limits=limits,
                least=parts["min"],
                most=parts["max"],
                most_ratio=parts["maxLimitRequestRatio"],
            )
    return NO_DEFAULTS


def _containers(value: object, path: Path, problems: list[Problem]) -> tuple[Container, ...]:
    found = []
    for index, item in enumerate(sequence(value)):
        body = mapping(item)
        resources = mapping(body.get("resources"))
        at = (*path, index)
        limits = read_resources(resources.get("limits"), (*at, "resources", "limits"), problems)
        found.append(
            Container(
                name=text(body.get("name")) or f"container-{index}",
                path=at,
                requests=read_resources(resources.get("requests"), (*at, "resources", "requests"), problems),
                limits=limits,
                restartable=body.get("restartPolicy") == "Always",
            )
        )
    return tuple(found)


def _placement(spec: Body, path: Path, problems: list[Problem]) -> Placement:
    selector = mapping(spec.get("nodeSelector"))
    for name, value in selector.items():
        if value is not None and not isinstance(value, str):
            shown = str(value).lower() if isinstance(value, bool) else str(value)[:40]
            at = (*path, "nodeSelector", str(name))
            problems.append(Problem(at, f"{shown!r} is not a string, as labels are: put it in quotes"))
    terms = dig(
        spec,
        "affinity",
        "nodeAffinity",
        "requiredDuringSchedulingIgnoredDuringExecution",
        "nodeSelectorTerms",
    )
    return Placement(
        node_selector=string_map(selector),
        affinity=tuple(mapping(item) for item in sequence(terms)),
        tolerations=tuple(mapping(item) for item in sequence(spec.get("tolerations"))),
        node_name=text(spec.get("nodeName")),
    )


def _ephemeral_claims(
    volumes: Sequence[Mapping[str, object]], path: Path, problems: list[Problem]
) -> tuple[VolumeClaim, ...]:
    found = []
    for index, volume in enumerate(volumes):
        claim = dig(volume, "ephemeral", "volumeClaimTemplate")
        if isinstance(claim, Mapping):
            at = (*path, index, "ephemeral", "volumeClaimTemplate")
            found.append(read_claim(claim, text(volume.get("name")), at, problems))
    return tuple(found)
