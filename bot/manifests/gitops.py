"""Argo CD and Flux objects that have something rendered: from this repository, or from elsewhere."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.manifests.environments import EnvironmentRule, environment_of, named_after
from bot.manifests.jobs import DeploymentKey, Job
from bot.manifests.rendered import RootKind
from bot.manifests.roots import Units
from bot.manifests.trees import ARGO, FLUX, Files, join
from estimators.objects import Body, dig, mapping, text

GROUPS = ("argoproj.io/", "helm.toolkit.fluxcd.io/", "kustomize.toolkit.fluxcd.io/")
KINDS = ("Application", "ApplicationSet", "HelmRelease", "Kustomization")


class Elsewhere(Exception):
    """What an object deploys cannot be read from this tree; the message says why."""


@dataclass(frozen=True, slots=True)
class Repository:
    """What the objects of one side are resolved against.

    `urls` are those the repository is known by, empty where unknown. `config_map` gives the data of
    a ConfigMap of this side by namespace and name.
    """

    units: Units
    rules: Sequence[EnvironmentRule]
    urls: tuple[str, ...]
    config_map: Callable[[str, str], Mapping[str, Any] | None]
    source_url: Callable[[str], str]

    @property
    def files(self) -> Files:
        """The files of this side."""
        return self.units.files

    def folder(self, url: str, path: str) -> str:
        """The folder that `path` of the repository at `url` is here; raises Elsewhere."""
        folder = join("", path.lstrip("/") or ".")
        if self.urls and url and not any(_same_repository(url, own) for own in self.urls):
            raise Elsewhere(f"its manifests are in {url}, not in this repository")
        if folder is None or not self.files.has_folder(folder):
            where = f" of {url}" if url else ""
            raise Elsewhere(
                f"its manifests are in the folder {path!r}{where}, which is not in this repository"
            )
        return folder

    def job(self, folder: str, cluster: str = "", **options: Any) -> Job:  # noqa: ANN401 - the fields of Job
        """A folder as the right kind of root, in the environment of its values, its folder or its cluster."""
        unit = self.units.at(folder)
        kind = unit.kind if unit else None
        values: tuple[str, ...] = options.get("values_files", ())
        known = (environment_of(path, self.rules) for path in (*reversed(values), folder))
        fixed = next((name for name in known if name), None)
        if kind is RootKind.HELM:
            names = (
                named_after(posixpath.relpath(file, folder or ".").replace("../", "")) for file in values
            )
            environment = next((name for name in names if name), cluster)
        else:
            environment = self.units.overlay_name(folder) if kind else ""
        if fixed is not None:
            environment = fixed
        return Job(kind=kind, folder=folder, environment=environment, fixed=fixed is not None, **options)


def is_deployment(body: Body) -> bool:
    """Whether an object is one of Argo CD's or Flux's that deploy others."""
    return body.get("kind") in KINDS and text(body.get("apiVersion")).startswith(GROUPS)


def written_in(files: Files, ignored: Callable[[str], bool]) -> Iterator[tuple[Body, str]]:
    """Every Argo CD and Flux object of a tree's YAML files, whether it deploys anything or not."""
    yaml = [path for path in files.paths if path.endswith((".yaml", ".yml"))]
    files.scan(yaml)
    marked = [path for path in yaml if files.has_mark(path, ARGO) or files.has_mark(path, FLUX)]
    files.prepare(marked)
    for path in marked:
        if not ignored(path):
            yield from ((item.body, path) for item in files.objects(path))


def key_of(body: Body, found_in: str) -> DeploymentKey:
    """What an Argo CD or Flux object is known by."""
    name, namespace = dig(body, "metadata", "name"), text(dig(body, "metadata", "namespace"))
    return DeploymentKey(text(body.get("kind")), namespace, str(name), found_in)


def _same_repository(one: str, other: str) -> bool:
    """Forks and mirrors of a repository keep its name, so only that is compared."""
    return _name(one) == _name(other)


def _name(url: str) -> str:
    return re.split(r"[/:]", url.rstrip("/").removesuffix(".git"))[-1].lower()


def merged(under: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Two sets of Helm values, the second winning, mappings merged through."""
    result = dict(under)
    for key, value in over.items():
        below = result.get(key)
        both = isinstance(below, Mapping) and isinstance(value, Mapping)
        result[key] = merged(mapping(below), mapping(value)) if both else value
    return result
