"""Entries of a kustomization that cannot be had here: what is remote, and what would run a program.

They are taken out of the exported copy, so that one of them does not cost the report a whole root.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bot.manifests import documents
from bot.manifests.documents import Document
from bot.manifests.origin import Files, join
from bot.manifests.rendered import LeftOut
from estimators.objects import Path, dig, mapping, sequence, text

FILE_NAMES = ("kustomization.yaml", "kustomization.yml", "Kustomization")

# What Kustomize takes for a repository or a URL when it finds no such file.
_REMOTE = re.compile(
    r"^[a-z][a-z0-9+.]*://|^git@|^git::|[?&]ref=|\.git(/|$)|^[\w.-]+\.[a-z]{2,}[/:]\S*//"
    r"|^(github|gitlab|bitbucket)\.(com|org)[/:]"
)
# A patch is none of these: without it, objects of this repository would be priced as they are not.
_MAY_BE_REMOTE = ("resources", "bases", "components")
_MAY_RUN_PROGRAMS = ("generators", "transformers", "validators")
_GENERATED = ("configMapGenerator", "secretGenerator")
_HELM = ("helmCharts", "helmChartInflationGenerator")
_FUNCTION = ("config.kubernetes.io/function", "config.k8s.io/function")
_NO_HELM = (
    "has Kustomize run Helm, which is refused; "
    "commit the rendered objects, or let Argo CD or Flux name the chart"
)


def is_remote(entry: str) -> bool:
    """Whether an entry that is no file of the tree is a URL or a repository."""
    return _REMOTE.search(entry) is not None


def why_remote(entry: str) -> str:
    """What a person is told of it."""
    return f"{entry} is remote, and rendering has no network; vendor it into the repository"


def unobtainable(files: Files, file: str, document: Document) -> Iterator[tuple[Path, str]]:
    """The path of each entry that cannot be had, and why."""
    for key in _HELM:
        if document.body.get(key):
            yield (key,), f"`{key}` {_NO_HELM}"
    folder = posixpath.dirname(file)
    for key in (*_MAY_BE_REMOTE, *_MAY_RUN_PROGRAMS):
        for at, entry in enumerate(sequence(document.body.get(key))):
            if reason := _why_not(files, folder, key, entry):
                yield (key, at), reason
    for key in _GENERATED:
        for at, generator in enumerate(sequence(document.body.get(key))):
            for path, source in _remote_sources(files, folder, mapping(generator)):
                yield (key, at, *path), why_remote(source)


def told(found: Sequence[tuple[str, Document, Mapping[Path, str]]]) -> Iterator[LeftOut]:
    """What is left out of the kustomizations of one root: file, document, and entries with reasons.

    ConfigMaps and Secrets cost nothing, whatever their files: dozens of dashboards are told as one.
    """
    generated: list[LeftOut] = []
    for file, document, entries in found:
        for path, reason in entries.items():
            entry = LeftOut(file, document.locate(path), reason)
            if path[0] in _GENERATED:
                generated.append(entry)
            else:
                yield entry
    if generated:
        more = len(generated) - 1
        others = f" (as {'is' if more == 1 else 'are'} {more} more file{'s'[: more - 1]} of ConfigMaps)"
        yield generated[0]._replace(reason=generated[0].reason + others * bool(more))


def without(body: Mapping[str, Any], paths: Mapping[Path, str]) -> dict[str, Any]:
    """The kustomization without some of its entries."""
    return dict(mapping(_without(body, (), paths)))


def _without(value: object, here: Path, paths: Mapping[Path, str]) -> object:
    if isinstance(value, Mapping):
        return {
            key: _without(item, (*here, key), paths)
            for key, item in value.items()
            if (*here, key) not in paths
        }
    if isinstance(value, list):
        return [
            _without(item, (*here, at), paths) for at, item in enumerate(value) if (*here, at) not in paths
        ]
    return value


def _why_not(files: Files, folder: str, key: str, entry: object) -> str:
    if not isinstance(entry, str):
        return ""
    is_inline = "\n" in entry
    path = "" if is_inline else join(folder, entry)
    if not is_inline and not files.is_folder(path) and not files.is_file(path):
        return why_remote(entry) if is_remote(entry) else ""
    if key not in _MAY_RUN_PROGRAMS:
        return ""
    found = documents.read(entry.encode()).documents if is_inline else _configurations(files, path)
    for document in found:
        if reason := _plugin(document.body):
            return f"an inline entry of `{key}` {reason}" if is_inline else f"{entry} {reason}"
    return ""


def _configurations(files: Files, path: str) -> tuple[Document, ...]:
    """The generators or transformers of a file, or of the kustomization in a folder."""
    if not files.is_folder(path):
        return files.documents(path)
    name = next((name for name in FILE_NAMES if files.is_file(posixpath.join(path, name))), FILE_NAMES[0])
    named = (
        join(path, entry)
        for document in files.documents(posixpath.join(path, name))
        for entry in map(text, sequence(document.body.get("resources")))
    )
    return tuple(found for file in named for found in files.documents(file))


def _plugin(body: Mapping[str, Any]) -> str:
    """Why a generator or transformer needs a program, by Kustomize's own rule for what is built in."""
    kind = text(body.get("kind"))
    if any(dig(body, "metadata", "annotations", name) for name in _FUNCTION):
        return f"runs the function {kind}, and rendering runs no programs"
    if body.get("apiVersion") != "builtin":
        return f"runs the plugin {kind}, and rendering runs no programs"
    return _NO_HELM if kind == "HelmChartInflationGenerator" else ""


def _remote_sources(files: Files, folder: str, generator: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    """The files of a ConfigMap or Secret that are URLs."""
    entries = [((key, at), entry) for key in ("files", "envs") for at, entry in _listed(generator, key)]
    for path, entry in [*entries, (("env",), text(generator.get("env")))]:
        name, _, source = entry.partition("=")
        source = source if path[0] == "files" and source and "://" not in name else entry
        if is_remote(source) and not files.is_file(join(folder, source)):
            yield path, source


def _listed(generator: Mapping[str, Any], key: str) -> Iterator[tuple[int, str]]:
    return enumerate(map(text, sequence(generator.get(key))))
