"""Which Kustomize and Helm roots a changed file belongs to.

A unit is a folder with a kustomization or a chart. Units build on each other; a root is one that
nothing else builds on. All that is known comes from reading `kustomization.yaml` and `Chart.yaml`.
"""

from __future__ import annotations

import posixpath
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from bot.manifests.environments import EnvironmentRule, Values, folder_environment, values_of
from bot.manifests.rendered import RootKind
from bot.manifests.trees import Files, join
from estimators.objects import Body, dig, mapping, sequence, text

KUSTOMIZATIONS = ("kustomization.yaml", "kustomization.yml", "Kustomization")
CHART = "Chart.yaml"
_REQUIREMENTS = "requirements.yaml"  # of charts before Helm 3

_PARTS_OF_A_CHART = frozenset({CHART, "charts", "ci", "crds", "templates", "tests"})
_FOLDERS_OR_FILES = ("resources", "bases", "components", "generators", "transformers", "validators")
_FILES = ("crds", "configurations", "patchesStrategicMerge", "patches", "patchesJson6902", "replacements")
_GENERATORS = ("configMapGenerator", "secretGenerator")


class UnitKey(NamedTuple):
    """What kind of unit lies in which folder."""

    kind: RootKind
    path: str


@dataclass(frozen=True, slots=True)
class Unit:
    """A kustomization or a chart: the files it names and the units it builds on.

    A chart also owns every file below its folder. Components and library charts are never rendered
    by themselves. `values` is empty for kustomizations.
    """

    key: UnitKey
    files: frozenset[str]
    builds_on: frozenset[UnitKey]
    alone: bool
    values: tuple[Values, ...] = ()


class Units:
    """All units of one tree."""

    def __init__(self, files: Files, rules: Sequence[EnvironmentRule]) -> None:
        self.files = files
        named = [path for path in files.paths if posixpath.basename(path) in (*KUSTOMIZATIONS, CHART)]
        files.prepare(named)
        self.charts = {posixpath.dirname(path) for path in named if path.endswith(CHART)}
        self.units: dict[UnitKey, Unit] = {}
        for path in named:
            folder = posixpath.dirname(path)
            unit = self._chart(folder, rules) if path.endswith(CHART) else self._kustomization(path)
            self.units[unit.key] = unit
        self._users: dict[UnitKey, set[UnitKey]] = defaultdict(set)
        self._naming: dict[str, set[UnitKey]] = defaultdict(set)
        for unit in self.units.values():
            for key in unit.builds_on:
                self._users[key].add(unit.key)
            for file in unit.files:
                self._naming[file].add(unit.key)

    def at(self, path: str) -> UnitKey | None:
        """The unit in a folder; a chart before a kustomization, as Argo CD has it."""
        keys = (UnitKey(RootKind.HELM, path), UnitKey(RootKind.KUSTOMIZE, path))
        return next((key for key in keys if key in self.units), None)

    def overlay_name(self, path: str) -> str:
        """The environment that the kustomization in a folder is for, `""` where its name says nothing."""
        unit = self.units.get(UnitKey(RootKind.KUSTOMIZE, path))
        return folder_environment(path, builds_on_others=bool(unit and unit.builds_on))

    def owners(self, file: str) -> set[UnitKey]:
        """The units whose result a file can change: those that name it, and the chart it lies in."""
        chart = self._chart_above(file)
        return self._naming.get(file, set()) | (
            {UnitKey(RootKind.HELM, chart)} if chart is not None else set()
        )

    def is_part(self, file: str) -> bool:
        """Whether a file is rendered by some unit, and so is no manifest by itself.

        Charts may have plain manifests beside them: examples, or the Application that deploys them.
        """
        if file in self._naming:
            return True
        chart = self._chart_above(file)
        inside = file[len(chart) :].lstrip("/") if chart is not None else ""
        return inside.partition("/")[0] in _PARTS_OF_A_CHART

    def rendering(self, file: str) -> set[UnitKey]:
        """The units that a file is rendered with, empty where it is a manifest by itself."""
        return self.affected([file]) if self.is_part(file) else set()

    def _chart_above(self, file: str) -> str | None:
        folder = posixpath.dirname(file)
        while folder and folder not in self.charts:
            folder = posixpath.dirname(folder)
        return folder if folder in self.charts else None

    def affected(self, changed: Iterable[str]) -> set[UnitKey]:
        """The units that a change of files reaches, directly or through what they build on."""
        reached: set[UnitKey] = set()
        waiting = [key for file in changed for key in self.owners(file)]
        while waiting:
            key = waiting.pop()
            if key not in reached:
                reached.add(key)
                waiting += self._users.get(key, ())
        return reached

    def roots(self, affected: set[UnitKey]) -> set[UnitKey]:
        """Those of `affected` that are rendered by themselves, since nothing else builds on them.

        Units that build on each other in a circle are taken too: rendering tells what is wrong.
        """
        own = {key for key in affected if key in self.units and not self.units[key].alone}
        tops = {key for key in own if not self._users.get(key)}
        return tops | (own - self.below(tops))

    def below(self, keys: Iterable[UnitKey]) -> set[UnitKey]:
        """`keys` and everything that they build on."""
        found: set[UnitKey] = set()
        waiting = list(keys)
        while waiting:
            key = waiting.pop()
            if key not in found and key in self.units:
                found.add(key)
                waiting += self.units[key].builds_on
        return found

    def _kustomization(self, path: str) -> Unit:
        folder, body = posixpath.dirname(path), self.files.body(path)
        files = {path}
        units = set()
        for written in _named_in(body):
            target = join(folder, written)
            if target is None or target == folder:
                continue
            if target in self.files.paths:
                files.add(target)
            else:
                # The folder may hold a kustomization on the other side only: it is named all the same.
                units.add(UnitKey(RootKind.KUSTOMIZE, target))
        for chart in _charts_in(body):
            if (target := join(folder, chart)) in self.charts:
                units.add(UnitKey(RootKind.HELM, target or ""))
        key = UnitKey(RootKind.KUSTOMIZE, folder)
        return Unit(key, frozenset(files), frozenset(units), body.get("kind") == "Component")

    def _chart(self, folder: str, rules: Sequence[EnvironmentRule]) -> Unit:
        body = self.files.body(posixpath.join(folder, CHART))
        older = self.files.body(posixpath.join(folder, _REQUIREMENTS))
        units = {
            UnitKey(RootKind.HELM, inner)
            for inner in self.files.folders_in(posixpath.join(folder, "charts"))
            if inner in self.charts
        }
        for dependency in (*sequence(body.get("dependencies")), *sequence(older.get("dependencies"))):
            repository = text(dig(dependency, "repository"))
            target = join(folder, repository.removeprefix("file://"))
            if repository.startswith("file://") and target in self.charts:
                units.add(UnitKey(RootKind.HELM, target or ""))
        values = values_of(folder, self.files, rules)
        named = frozenset(file for one in values for file in one.files)
        key = UnitKey(RootKind.HELM, folder)
        return Unit(key, named, frozenset(units - {key}), body.get("type") == "library", values)


def _named_in(body: Body) -> Iterator[str]:
    """Every path that a kustomization names, as written."""
    for field in (*_FOLDERS_OR_FILES, *_FILES):
        for entry in sequence(body.get(field)):
            written = entry if isinstance(entry, str) else text(dig(entry, "path"))
            if written and "\n" not in written:
                yield written
    for field in _GENERATORS:
        for generator in sequence(body.get(field)):
            for entry in sequence(dig(generator, "files")):
                yield text(entry).rpartition("=")[2]
            for entry in (*sequence(dig(generator, "envs")), dig(generator, "env")):
                yield text(entry)
    for chart in sequence(body.get("helmCharts")):
        yield from map(text, (dig(chart, "valuesFile"), *sequence(dig(chart, "additionalValuesFiles"))))
    yield text(dig(body, "openapi", "path"))


def _charts_in(body: Body) -> Iterator[str]:
    home = text(mapping(body.get("helmGlobals")).get("chartHome")) or "charts"
    for chart in sequence(body.get("helmCharts")):
        yield posixpath.join(home, text(dig(chart, "name")))
