"""Argo CD Applications and ApplicationSets: which folders they deploy, and how."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any

from bot.errors import UserError
from bot.manifests.documents import load_settings
from bot.manifests.gitops import Elsewhere, Repository, merged
from bot.manifests.jobs import Job
from bot.manifests.trees import join
from estimators.objects import Body, dig, mapping, sequence, text

_MAX_APPLICATIONS = 500
_PARAMETER = re.compile(r"{{\s*([^{}]*?)\s*}}")
_KUSTOMIZE_FIELDS = {
    "namePrefix": "namePrefix",
    "nameSuffix": "nameSuffix",
    "patches": "patches",
    "components": "components",
    "replicas": "replicas",
}
_STEP = re.compile(r"[^.\[\]]+")
_IMAGE = re.compile(r"(?:(?P<name>[^=]+)=)?(?P<new>.*?)(?::(?P<tag>[^:/@]+))?(?:@(?P<digest>.+))?")

Found = tuple[tuple[Job, ...], str]


def expand(body: Body, repository: Repository) -> Iterator[Found]:
    """The jobs of an Application or ApplicationSet; each that has none comes with its reason."""
    if body.get("kind") == "Application":
        yield from _application(body, repository)
        return
    try:
        for count, parameters in enumerate(_parameters(mapping(body.get("spec")), repository)):
            if count >= _MAX_APPLICATIONS:
                yield (), f"only its first {_MAX_APPLICATIONS} applications are priced"
                return
            filled = _filled(
                dig(body, "spec", "template"), parameters, go=dig(body, "spec", "goTemplate") is True
            )
            yield from _application(mapping(filled), repository)
    except Elsewhere as error:
        yield (), str(error)


def _application(body: Body, repository: Repository) -> Iterator[Found]:
    spec = mapping(body.get("spec"))
    sources = sequence(spec.get("sources")) or [spec.get("source")]
    references = {text(dig(source, "ref")): text(dig(source, "repoURL")) for source in sources}
    for source in map(mapping, sources):
        if source.get("ref") and not source.get("path") and not source.get("chart"):
            continue
        try:
            yield (_job(body, source, references, repository),), ""
        except Elsewhere as error:
            yield (), str(error)


def _job(body: Body, source: Body, references: Mapping[str, str], repository: Repository) -> Job:
    url = text(source.get("repoURL"))
    if chart := text(source.get("chart")):
        version = text(source.get("targetRevision")) or "any version"
        raise Elsewhere(f"chart {chart} {version} of {url} is not in this repository")
    folder = repository.folder(url, text(source.get("path")))
    destination = mapping(dig(body, "spec", "destination"))
    cluster = text(destination.get("name"))
    helm = mapping(source.get("helm"))
    namespace = text(destination.get("namespace"))
    is_chart = f"{folder}/Chart.yaml".lstrip("/") in repository.files.paths
    return repository.job(
        folder,
        "" if cluster == "in-cluster" else cluster,
        namespace=namespace if is_chart else text(dig(source, "kustomize", "namespace")),
        default_namespace=namespace,
        release_name=text(helm.get("releaseName")) or text(dig(body, "metadata", "name")) or "release",
        values_files=tuple(_values_files(folder, helm, references, repository)),
        values=inline_values(helm),
        skip_crds=helm.get("skipCrds") is True,
        overlay=_overlay(mapping(source.get("kustomize"))),
        recurse=dig(source, "directory", "recurse") is True,
    )


def _values_files(
    folder: str, helm: Body, references: Mapping[str, str], repository: Repository
) -> Iterator[str]:
    for written in map(text, sequence(helm.get("valueFiles"))):
        at, path = folder, written
        if written.startswith("$"):
            reference, _, path = written[1:].partition("/")
            repository.folder(references.get(reference, ""), "")
            at = ""
        elif written.startswith("/"):
            at, path = "", written.lstrip("/")
        file = join(at, path)
        if file in repository.files.paths:
            yield file or ""
        elif helm.get("ignoreMissingValueFiles") is not True:
            raise Elsewhere(f"its values file {written} is not in this repository")


def inline_values(helm: Body) -> dict[str, Any]:
    """What a source gives its chart besides files; raises Elsewhere for what cannot be read."""
    values: dict[str, Any] = {}
    if inline := text(helm.get("values")):
        try:
            values = dict(mapping(load_settings(inline, "values", last_counts=True).value))
        except UserError as error:
            raise Elsewhere(f"its inline {error}") from error
    values = merged(values, mapping(helm.get("valuesObject")))
    for parameter in sequence(helm.get("parameters")):
        name, value = text(dig(parameter, "name")), str(dig(parameter, "value"))
        if name:
            typed = value if dig(parameter, "forceString") is True else _typed(value)
            values = merged(values, _nested(name, typed))
    return values


def _typed(value: str) -> object:
    """What `helm --set` makes of a value."""
    words: dict[str, object] = {"true": True, "false": False, "null": None}
    if value in words:
        return words[value]
    return int(value) if re.fullmatch(r"-?(0|[1-9][0-9]{0,17})", value) else value


def _nested(name: str, value: object) -> dict[str, Any]:
    """A dotted parameter name as nested mappings; a dot behind a backslash is part of a key."""
    if "[" in name:
        raise Elsewhere(f"its Helm parameter {name} sets an item of a list, which is not understood here")
    keys = [key.replace("\\.", ".") for key in re.split(r"(?<!\\)\.", name)]
    result: object = value
    for key in reversed(keys):
        result = {key: result}
    return dict(mapping(result))


def _overlay(options: Body) -> dict[str, Any]:
    overlay = {theirs: options[ours] for ours, theirs in _KUSTOMIZE_FIELDS.items() if options.get(ours)}
    images = [found for entry in sequence(options.get("images")) if (found := _image(text(entry)))]
    return {**overlay, "images": images} if images else overlay


def _image(written: str) -> dict[str, str]:
    """`name=new:tag@digest`, as Kustomize's `edit set image` has it."""
    found = _IMAGE.fullmatch(written)
    if found is None:
        return {}
    new, tag, digest = found["new"], found["tag"], found["digest"]
    parts = {"name": found["name"] or new, "newName": new, "newTag": tag, "digest": digest}
    return {key: value for key, value in parts.items() if value}


def _parameters(spec: Body, repository: Repository) -> Iterator[Mapping[str, Any]]:
    for generator in map(mapping, sequence(spec.get("generators"))):
        values = mapping(next((mapping(one).get("values") for one in generator.values()), None))
        if "list" in generator:
            found: Iterator[Body] = map(mapping, sequence(dig(generator, "list", "elements")))
        elif isinstance(dig(generator, "git", "directories"), list):
            found = _directories(mapping(generator["git"]), repository)
        elif isinstance(dig(generator, "git", "files"), list):
            found = _git_files(mapping(generator["git"]), repository)
        else:
            raise Elsewhere(
                f"its generator {', '.join(map(str, generator)) or 'is empty'} needs a live Argo CD"
            )
        for parameters in found:
            yield {**parameters, "values": values} if values else parameters


def _directories(git: Body, repository: Repository) -> Iterator[Mapping[str, Any]]:
    repository.folder(text(git.get("repoURL")), "")
    rules = [mapping(entry) for entry in sequence(git.get("directories"))]
    wanted = [text(rule.get("path")) for rule in rules if rule.get("exclude") is not True]
    unwanted = [text(rule.get("path")) for rule in rules if rule.get("exclude") is True]
    for folder in repository.files.folders:
        if _is_like(folder, wanted) and not _is_like(folder, unwanted):
            yield _path_parameters(folder)


def _git_files(git: Body, repository: Repository) -> Iterator[Mapping[str, Any]]:
    repository.folder(text(git.get("repoURL")), "")
    wanted = [text(dig(entry, "path")) for entry in sequence(git.get("files"))]
    for file in sorted(repository.files.paths):
        if _is_like(file, wanted):
            for document in repository.files.reading(file).documents:
                yield {**document.body, **_path_parameters(file.rpartition("/")[0])}


def _is_like(path: str, patterns: list[str]) -> bool:
    """Go's path matching: `*` stays within one folder; `**` is Argo CD's own addition."""
    for pattern in patterns:
        parts, names = pattern.split("/"), path.split("/")
        if "**" in parts and fnmatchcase(path, pattern.replace("**/", "*")):
            return True
        if len(parts) == len(names) and all(map(fnmatchcase, names, parts)):
            return True
    return False


def _path_parameters(folder: str) -> dict[str, Any]:
    parts = folder.split("/")
    return {
        "path": {"path": folder, "basename": parts[-1], "basenameNormalized": parts[-1], "segments": parts}
    }


def _filled(template: object, parameters: Mapping[str, Any], *, go: bool) -> object:
    """The template with its parameters put in; raises Elsewhere for one that cannot be known here."""
    if isinstance(template, str):
        return _PARAMETER.sub(lambda found: _parameter(found[1], parameters, go=go), template)
    if isinstance(template, list):
        return [_filled(item, parameters, go=go) for item in template]
    if isinstance(template, Mapping):
        return {
            _filled(key, parameters, go=go): _filled(item, parameters, go=go)
            for key, item in template.items()
        }
    return template


def _parameter(name: str, parameters: Mapping[str, Any], *, go: bool) -> str:
    if go and (indexed := re.fullmatch(r"index\s+\.path\.segments\s+(\d+)", name)):
        name = f".path.segments.{indexed[1]}"
    value: Any = parameters
    for step in _STEP.findall(name.removeprefix(".")):
        if step.isdecimal():
            value = dig(mapping(value).get("segments", value), int(step))
        else:
            value = mapping(value).get(step)
    if isinstance(value, Mapping) and "segments" in value:
        value = value["path"]  # `{{path}}` of the older template language
    if isinstance(value, Mapping | list) or value is None:
        raise Elsewhere(f"its template parameter {name} is not understood here")
    return str(value)
