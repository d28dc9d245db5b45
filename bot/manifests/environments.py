"""Which environment a file or a root belongs to, and the values files that make a chart an environment's."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bot.globs import matches
from bot.manifests.trees import Files, join

_VALUES_FILE = re.compile(r"values[-.](?P<beside>[^/]+)\.ya?ml|(?P<folder>[^/]+)/values\.ya?ml")
_VALUES_NAME = re.compile(r"values([-._].*)?\.ya?ml")
_ENVIRONMENT_FILE = re.compile(r"(?:environments|envs|values)/(?P<name>[^/]+)\.ya?ml")
# Folders of a chart that hold values which are nobody's environment, and names that say "copy me".
_NO_ENVIRONMENTS = frozenset(
    {
        "charts",
        "ci",
        "crds",
        "default",
        "example",
        "examples",
        "sample",
        "schema",
        "template",
        "templates",
        "tests",
    }
)

_STAGES = (
    "dev|develop|development|test|testing|qa|uat|int|integration|stage|staging|stg|pre-?prod|preproduction|"
    "prod|production|prd|live|canary|sandbox|demo|preview|local"
)
_STAGE = re.compile(rf"(?:.*[-_.])?(?:{_STAGES})(?:[-_.].*)?", re.IGNORECASE)
_HOLD_OVERLAYS = frozenset(
    {"clusters", "env", "environments", "envs", "overlays", "regions", "stages", "variants"}
)


@dataclass(frozen=True, slots=True)
class EnvironmentRule:
    """One environment of the policy: its name, the paths it owns, and values files of its charts.

    `values` count from a chart's folder or from the tree's root.
    """

    name: str
    paths: tuple[str, ...] = ()
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Values:
    """The values files that one environment gives a chart."""

    environment: str
    files: tuple[str, ...]


def environment_of(path: str, rules: Sequence[EnvironmentRule]) -> str | None:
    """The policy's environment for a path, the first that matches."""
    return next((rule.name for rule in rules if any(matches(glob, path) for glob in rule.paths)), None)


def folder_environment(folder: str, *, builds_on_others: bool) -> str:
    """The environment that a kustomization's folder is named after, `""` where it is no overlay.

    An overlay builds on other kustomizations, or its name or its parent's says what it is.
    """
    above, name = posixpath.split(folder)
    is_overlay = builds_on_others or _STAGE.fullmatch(name) or posixpath.basename(above) in _HOLD_OVERLAYS
    return name if is_overlay else ""


def values_of(chart: str, files: Files, rules: Sequence[EnvironmentRule]) -> tuple[Values, ...]:
    """The environments of a chart: those of the policy, else those its values files are named after.

    A chart with neither is one environment: the policy's for its folder, else `""`.
    """
    chosen = tuple(_by_policy(chart, files, rules)) or tuple(_by_name(chart, files, rules))
    return chosen or (Values(environment_of(chart, rules) or "", ()),)


def is_values_file(file: str) -> bool:
    """Whether a file is called as the values of a Helm chart are."""
    return _VALUES_NAME.fullmatch(posixpath.basename(file)) is not None


def named_after(file: str) -> str:
    """The environment that a values file is named after, `""` for none."""
    parts = file.split("/")
    for pattern in (_VALUES_FILE, _ENVIRONMENT_FILE):
        for length in (1, 2):
            found = pattern.fullmatch("/".join(parts[-length:]))
            name = next((group for group in found.groups() if group), "") if found else ""
            if name and name not in _NO_ENVIRONMENTS:
                return name
    return ""


def _by_policy(chart: str, files: Files, rules: Sequence[EnvironmentRule]) -> Iterator[Values]:
    for rule in rules:
        found = tuple(file for value in rule.values if (file := _values_file(chart, value, files)))
        own = not rule.paths or any(matches(glob, path) for glob in rule.paths for path in (chart, *found))
        if found and own:
            yield Values(rule.name, found)


def _values_file(chart: str, value: str, files: Files) -> str | None:
    return next((file for at in (chart, "") if (file := join(at, value)) in files.paths), None)


def _by_name(chart: str, files: Files, rules: Sequence[EnvironmentRule]) -> Iterator[Values]:
    """Values files in the chart's folder, else beside it where it is the only chart there."""
    for folder in (chart, posixpath.dirname(chart)) if chart else ("",):
        if folder != chart and _is_shared(folder, chart, files):
            return
        found = {}
        for file in sorted(_candidates(folder, files)):
            if name := named_after(file[len(folder) :].lstrip("/")):
                found[environment_of(file, rules) or name] = file
        if found:
            yield from (Values(name, (file,)) for name, file in found.items())
            return


def _candidates(folder: str, files: Files) -> Iterator[str]:
    yield from files.in_folder(folder)
    for inner in files.folders_in(folder):
        if f"{inner}/Chart.yaml" not in files.paths and posixpath.basename(inner) not in _NO_ENVIRONMENTS:
            yield from files.in_folder(inner)


def _is_shared(folder: str, chart: str, files: Files) -> bool:
    return any(inner != chart and f"{inner}/Chart.yaml" in files.paths for inner in files.folders_in(folder))
