"""A chart's folder: its dependencies in `charts/` or beside it, and where its templates lie."""

from __future__ import annotations

import pathlib
import posixpath
import re
import shutil
from collections.abc import Iterator, Mapping
from typing import Any

from bot.manifests.origin import Files, Unrenderable, is_inside, join
from estimators.objects import mapping, sequence, text

FILE_NAME = "Chart.yaml"
_SCHEMA = "values.schema.json"
# A `$ref` to another server; validation would fetch it. `$schema` names a dialect and is not fetched.
_REMOTE_REFERENCE = re.compile(rb'"\$ref"\s*:\s*"[A-Za-z][A-Za-z0-9+.-]*://')
_MAX_DEPENDENCIES = 100
_BESIDE = "file://"
_VENDOR = "run `helm dependency build` and commit charts/"


class Chart:
    """One chart of the exported tree."""

    def __init__(self, files: Files, folder: str) -> None:
        """Raises Unrenderable when the folder holds no readable chart."""
        self._files, self.folder = files, folder
        if not files.is_file(posixpath.join(folder, FILE_NAME)):
            raise Unrenderable(f"{folder}: no {FILE_NAME} here")
        self._assembled = 0

    def assemble(self, scratch: pathlib.Path) -> pathlib.Path:
        """The folder to render: the chart's own, or a copy in `scratch` that is complete.

        A copy takes in `file://` dependencies that are not vendored, and leaves out schemas that refer
        to other servers. Raises Unrenderable for a dependency that lies outside the repository.
        """
        own = self._files.tree / self.folder
        if not any(self._beside(self.folder)) and not any(map(_refers_elsewhere, own.rglob(_SCHEMA))):
            return own
        self._copy(self.folder, scratch)
        return scratch

    def absent(self, name: str) -> str:
        """Explain that a dependency is not vendored."""
        file = posixpath.join(self.folder, FILE_NAME)
        for document, at, entry in _dependencies(self._files, self.folder):
            if text(entry.get("name")) == name:
                line = document.locate(("dependencies", at))
                wanted = " ".join(filter(None, (name, str(entry.get("version") or ""))))
                source = text(entry.get("repository"))
                wanted += f" ({source})" if source else ""
                return f"{file}:{line}: the dependency {wanted} is not in charts/; {_VENDOR}"
        return f"{file}:1: the dependency {name} is not in charts/; {_VENDOR}"

    def written(self, name: str) -> str:
        """The file in the repository behind Helm's `chart/charts/sub/templates/x.yaml`.

        For a packed dependency that is the archive.
        """
        folder, _, rest = self.folder, *name.partition("/")[1:]
        while rest.startswith("charts/"):
            _, subchart, inner = (*rest.split("/", 2), "")[:3]
            if not inner:
                break
            place = self._subchart(folder, subchart)
            if place is None or not self._files.is_folder(place):
                return place or posixpath.join(folder, rest)
            folder, rest = place, inner
        return posixpath.join(folder, rest)

    def values_of(self, name: str) -> Iterator[tuple[str, tuple[str, ...]]]:
        """The values.yaml files that feed a template, nearest first, with the subchart's keys in each."""
        folders: list[tuple[str, str]] = [(self.folder, "")]
        folder, rest = self.folder, name.partition("/")[2]
        while rest.startswith("charts/") and rest.count("/") >= 2:
            _, subchart, rest = rest.split("/", 2)
            place = self._subchart(folder, subchart)
            if place is None or not self._files.is_folder(place):
                folders.append(("", subchart))
                break
            folders.append((place, subchart))
            folder = place
        keys = [subchart for _, subchart in folders[1:]]
        for depth in range(len(folders) - 1, -1, -1):
            if folders[depth][0] or depth == 0:
                yield posixpath.join(folders[depth][0], "values.yaml"), tuple(keys[depth:])

    def _subchart(self, folder: str, name: str) -> str | None:
        """The folder or the archive of a dependency, by its name or its alias."""
        names, beside = [name], None
        for _, _, entry in _dependencies(self._files, folder):
            if name in (entry.get("alias"), entry.get("name")):
                names.append(text(entry.get("name")))
                source = text(entry.get("repository"))
                if source.startswith(_BESIDE):
                    beside = join(folder, source.removeprefix(_BESIDE))
        for candidate in names:
            place = posixpath.join(folder, "charts", candidate)
            if self._files.is_folder(place):
                return place
        for candidate in names:
            if archive := next(self._archives(folder, candidate), None):
                return archive
        return beside if beside and self._files.is_folder(beside) else None

    def _archives(self, folder: str, name: str) -> Iterator[str]:
        charts = self._files.tree / folder / "charts"
        for path in sorted(charts.iterdir()) if charts.is_dir() else ():
            if path.suffix == ".tgz" and re.fullmatch(r"v?\d.*", path.stem.removeprefix(f"{name}-")):
                yield posixpath.join(folder, "charts", path.name)

    def _beside(self, folder: str) -> Iterator[tuple[str, str]]:
        """Name and folder of the `file://` dependencies that are not vendored."""
        for document, at, entry in _dependencies(self._files, folder):
            name, source = text(entry.get("name")), text(entry.get("repository"))
            if not source.startswith(_BESIDE) or not re.fullmatch(r"[\w.-]+", name):
                continue
            vendored = self._files.is_folder(posixpath.join(folder, "charts", name))
            if vendored or any(self._archives(folder, name)):
                continue
            place = join(folder, source.removeprefix(_BESIDE))
            if not is_inside(place) or not self._files.is_file(posixpath.join(place, FILE_NAME)):
                file = f"{posixpath.join(folder, FILE_NAME)}:{document.locate(('dependencies', at))}"
                raise Unrenderable(
                    f"{file}: the dependency {name} ({source}) is not a chart in the repository"
                )
            yield name, place

    def _refuse_gaps(self, folder: str) -> None:
        """Helm asks for the dependencies of the chart itself, but takes gaps further down for nothing."""
        for _, _, entry in _dependencies(self._files, folder):
            name = text(entry.get("name"))
            if self._subchart(folder, name) is None:
                raise Unrenderable(Chart(self._files, folder).absent(name))

    def _copy(self, folder: str, target: pathlib.Path) -> None:
        self._assembled += 1
        if self._assembled > _MAX_DEPENDENCIES:
            raise Unrenderable(f"{self.folder}: more than {_MAX_DEPENDENCIES} charts depend on each other")
        if folder != self.folder:
            self._refuse_gaps(folder)
        shutil.copytree(self._files.tree / folder, target, ignore=_unwanted, dirs_exist_ok=True)
        for name, place in list(self._beside(folder)):
            self._copy(place, target / "charts" / name)


def _dependencies(files: Files, folder: str) -> Iterator[tuple[Any, int, Mapping[str, Any]]]:
    """Each entry of `dependencies` with its document and index; old charts keep them in requirements.yaml."""
    for name in (FILE_NAME, "requirements.yaml"):
        for document in files.documents(posixpath.join(folder, name))[:1]:
            for at, entry in enumerate(sequence(document.body.get("dependencies"))):
                yield document, at, mapping(entry)


def _refers_elsewhere(schema: pathlib.Path) -> bool:
    return (
        not schema.is_symlink() and schema.is_file() and bool(_REMOTE_REFERENCE.search(schema.read_bytes()))
    )


def _unwanted(folder: str, names: list[str]) -> list[str]:
    """Links, which the export never has, and schemas that refer to other servers."""
    here = pathlib.Path(folder)
    return [
        name
        for name in names
        if (here / name).is_symlink() or (name == _SCHEMA and _refers_elsewhere(here / name))
    ]
