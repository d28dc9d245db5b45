"""Helm charts: what is put together first, how one is rendered, and where its objects come from."""

from __future__ import annotations

import importlib.util
import json
import pathlib
import posixpath
import re
from collections.abc import Iterator, Mapping
from typing import Any

from bot.manifests.charts import Chart
from bot.manifests.origin import Files, Unrenderable, is_inside, join, one_line, readable, shortened
from bot.manifests.rendered import LeftOut, RenderedObject, RenderRequest
from bot.manifests.sandbox import Program, native_command
from bot.manifests.templates import Trace
from estimators.objects import dig, mapping

MISSING = "no Helm to render it with: install `tuppence[helm]`, or put `helm` on PATH (docs/rendering.md)"

# What the library's `.Capabilities.KubeVersion` says, so that both render alike.
_KUBE_VERSION = "v1.36.0"
_HOOK = "helm.sh/hook"
_SOURCE = re.compile(r"^---\n# Source: (.+)$", re.MULTILINE)
_PLACE = re.compile(r"([\w.@+-]+(?:/[\w.@+-]+)*/templates/[\w.@+/-]+):(\d+)(?::\d+)?\)?:?\s*")
_EXECUTING = re.compile(r'executing "[^"]*" at (<[^>]*>): ')
_ABSENT = re.compile(r"missing in charts/ directory: ([\w.,@ -]+)")


def find_program() -> Program | None:
    """Choose what renders: the helm-python-sdk library, which takes a millisecond, else `helm`."""
    spec = importlib.util.find_spec("helm_python")
    if spec and spec.submodule_search_locations:
        package = spec.submodule_search_locations[0]
        return Program("helm", library=package, readable=(package,))
    if helm := native_command("helm"):
        return Program("command", command=(helm, "template", "--kube-version", _KUBE_VERSION))
    return None


class HelmRoot:
    """One chart to render with one set of values."""

    changes_renderer = False
    left_out: tuple[LeftOut, ...] = ()

    def __init__(self, files: Files, request: RenderRequest, scratch: pathlib.Path) -> None:
        """Put the chart together where it needs that; raises Unrenderable for what is missing."""
        self._files, self._request = files, request
        self._chart = Chart(files, request.path)
        for file in request.values_files:
            if not is_inside(join("", file)) or files.hold(join("", file)) is None:
                raise Unrenderable(f"{file}: the values file is not in the repository")
        self._folder = self._chart.assemble(scratch / "chart")
        self._inline = scratch / "values.json"
        self._inline.write_text(json.dumps(dict(request.values)))

    def job(self) -> Mapping[str, Any]:
        """What the library is asked."""
        return {
            "chart": str(self._folder),
            "values_files": [(file, str(self._files.tree / file)) for file in self._request.values_files],
            "values": dict(self._request.values),
            "release_name": self._request.release_name,
            "namespace": self._request.namespace or "default",
            "skip_crds": self._request.skip_crds,
        }

    def arguments(self) -> tuple[str, ...]:
        """What the command line ends with."""
        values = [*(self._files.tree / file for file in self._request.values_files), self._inline]
        return (
            self._request.release_name,
            str(self._folder),
            "--namespace",
            self._request.namespace or "default",
            "--skip-crds" if self._request.skip_crds else "--include-crds",
            *(f"--values={file}" for file in values),
        )

    def from_answer(self, answer: object) -> Iterator[RenderedObject]:
        """Trace the objects that the library rendered; raises Unrenderable for output that is no YAML."""
        for part in ("crds", "templates"):
            for name, content in mapping(dig(answer, part)).items():
                yield from self._traced(str(name), str(content))

    def from_output(self, output: str) -> Iterator[RenderedObject]:
        """Trace the objects that the command printed; raises Unrenderable for output that is no YAML."""
        parts = _SOURCE.split(f"\n{output}")[1:]
        for name, content in zip(parts[::2], parts[1::2], strict=True):
            yield from self._traced(name, content)

    def reason(self, error: str) -> str:
        """Say in one line what failed, and in which file and line of the repository."""
        if absent := _ABSENT.search(error):
            return self._chart.absent(absent.group(1).split(",")[0].strip())
        line = one_line(error, str(self._folder), str(self._files.tree))
        line = line.replace("Use --debug flag to render out invalid YAML", "").strip()
        places = list(_PLACE.finditer(line))
        if not places:
            return shortened(f"{self._request.path}: {line}")
        # An include of an include names each template on the way; the cause is in the last.
        place = places[-1]
        action = _EXECUTING.match(line, place.end())
        what = line[action.end() if action else place.end() :] or line[: place.start()].rstrip("( ")
        where = f"{self._chart.written(place.group(1))}:{place.group(2)}"
        return shortened(f"{where}: {what}{f' at {action.group(1)}' if action else ''}")

    def _traced(self, name: str, content: str) -> Iterator[RenderedObject]:
        if posixpath.basename(name) == "NOTES.txt":
            return
        file = self._chart.written(name)
        try:
            rendered = list(readable(content.encode()))
        except Unrenderable as error:
            raise Unrenderable(f"{file}: what this template renders cannot be read, line {error}") from error
        trace = Trace(self._files, self._chart, self._request.values_files, name)
        for document in rendered:
            if isinstance(document.body.get("kind"), str):
                yield trace.object(document.body, is_hook=_HOOK in _annotations(document.body))


def _annotations(body: Mapping[str, Any]) -> Mapping[str, Any]:
    return mapping(dig(body, "metadata", "annotations"))
