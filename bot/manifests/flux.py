"""Flux Kustomizations and HelmReleases: which folders they deploy, and how."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from bot.errors import UserError
from bot.manifests.documents import load_settings
from bot.manifests.gitops import Elsewhere, Repository, merged
from bot.manifests.jobs import Job
from bot.manifests.scalars import resolve
from bot.manifests.trees import join
from estimators.objects import Body, dig, mapping, sequence, string_map, text

_OVERLAY_FIELDS = ("patches", "images", "components", "namePrefix", "nameSuffix")
_VARIABLE = re.compile(r"\$\$|\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)(?::?[-=](?P<default>[^{}]*))?\}")

Found = tuple[tuple[Job, ...], str]


def expand(body: Body, repository: Repository) -> Iterator[Found]:
    """The jobs of a HelmRelease or Kustomization; what has none, or is not complete, has its reason."""
    missing: list[str] = []
    try:
        if body.get("kind") == "HelmRelease":
            job = _helm_release(body, repository, missing)
        else:
            job = _kustomization(body, repository, missing)
    except Elsewhere as error:
        yield (), str(error)
        return
    yield (job,), ""
    for reason in missing:
        yield (), reason


def substituted(value: Any, variables: Mapping[str, str]) -> Any:  # noqa: ANN401 - any part of a body
    """A body with Flux's `${variables}` put in; unknown ones stay. A number that appears becomes one."""
    if isinstance(value, str):
        if "$" not in value:
            return value
        filled = _VARIABLE.sub(lambda found: _variable(found, variables), value)
        return resolve(filled) if _VARIABLE.fullmatch(value) and filled != value else filled
    if isinstance(value, list):
        return [substituted(item, variables) for item in value]
    if isinstance(value, Mapping):
        return {key: substituted(item, variables) for key, item in value.items()}
    return value


def _variable(found: re.Match[str], variables: Mapping[str, str]) -> str:
    name, default = found["name"], found["default"]
    if name is None:
        return "$"
    return variables.get(name, default if default is not None else found[0])


def _helm_release(body: Body, repository: Repository, missing: list[str]) -> Job:
    spec = mapping(body.get("spec"))
    chart = mapping(dig(spec, "chart", "spec"))
    if not chart:
        reference = mapping(spec.get("chartRef"))
        raise Elsewhere(
            f"its chart is the {reference.get('kind')} {reference.get('name')}, not in this repository"
        )
    name, source = text(chart.get("chart")), mapping(chart.get("sourceRef"))
    if source.get("kind") != "GitRepository":
        version = text(chart.get("version")) or "any version"
        where = f"{source.get('kind')} {source.get('name')}"
        raise Elsewhere(f"chart {name} {version} of {where} is not in this repository")
    url = repository.source_url(text(source.get("name")))
    folder = repository.folder(url, name.removeprefix("./"))
    target = text(spec.get("targetNamespace"))
    namespace = target or text(dig(body, "metadata", "namespace"))
    own_name = text(dig(body, "metadata", "name")) or "release"
    files = (join("", text(file)) or "" for file in sequence(chart.get("valuesFiles")))
    return repository.job(
        folder,
        namespace=namespace,
        default_namespace=namespace,
        release_name=text(spec.get("releaseName")) or (f"{target}-{own_name}" if target else own_name),
        values_files=tuple(file for file in files if file in repository.files.paths),
        values=merged(_values_from(body, repository, missing), mapping(spec.get("values"))),
    )


def _values_from(body: Body, repository: Repository, missing: list[str]) -> dict[str, Any]:
    values: dict[str, Any] = {}
    namespace = text(dig(body, "metadata", "namespace"))
    for reference in map(mapping, sequence(dig(body, "spec", "valuesFrom"))):
        name, key = text(reference.get("name")), text(reference.get("valuesKey")) or "values.yaml"
        what = f"{text(reference.get('kind')) or 'ConfigMap'} {name}"
        data = repository.config_map(namespace, name) if reference.get("kind") == "ConfigMap" else None
        content = text(mapping(data).get(key))
        if data is None or "targetPath" in reference:
            missing.append(f"rendered without the values of {what}, which cannot be read here")
            continue
        try:
            values = merged(values, mapping(load_settings(content, f"{what} {key}", last_counts=True).value))
        except UserError as error:
            missing.append(f"rendered without values: {error}")
    return values


def _kustomization(body: Body, repository: Repository, missing: list[str]) -> Job:
    spec = mapping(body.get("spec"))
    source = mapping(spec.get("sourceRef"))
    if source.get("kind") not in {None, "GitRepository"}:
        raise Elsewhere(
            f"its manifests are in {source.get('kind')} {source.get('name')}, not in this repository"
        )
    folder = repository.folder(repository.source_url(text(source.get("name"))), text(spec.get("path")))
    post_build = mapping(spec.get("postBuild"))
    return repository.job(
        folder,
        namespace=text(spec.get("targetNamespace")),
        default_namespace=text(spec.get("targetNamespace")),
        overlay={field: spec[field] for field in _OVERLAY_FIELDS if spec.get(field)},
        substitute=_variables(body, post_build, repository, missing) if post_build else None,
    )


def _variables(body: Body, post_build: Body, repository: Repository, missing: list[str]) -> Mapping[str, str]:
    variables: dict[str, str] = {}
    namespace = text(dig(body, "metadata", "namespace"))
    for reference in map(mapping, sequence(post_build.get("substituteFrom"))):
        name = text(reference.get("name"))
        data = repository.config_map(namespace, name) if reference.get("kind") == "ConfigMap" else None
        if data is None and reference.get("optional") is not True:
            missing.append(
                f"rendered without the variables of {reference.get('kind')} {name}, not readable here"
            )
        variables |= string_map(data)
    inline = mapping(post_build.get("substitute"))
    return variables | {str(key): str(value) for key, value in inline.items()}
