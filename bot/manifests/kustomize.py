"""Kustomize roots: what is refused before rendering, how one is rendered, and which file set which field."""

from __future__ import annotations

import importlib.util
import json
import os
import pathlib
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from bot.manifests import overlays
from bot.manifests.left_out import told, without
from bot.manifests.origin import Files, one_line, readable, shortened
from bot.manifests.rendered import RenderedObject, RenderRequest
from bot.manifests.sandbox import Program, native_command
from estimators.objects import dig, mapping, text

_ORIGIN = "config.kubernetes.io/origin"
# The fence keeps files outside the tree out; within it many repositories share files between roots.
_LOAD_ANYWHERE = "LoadRestrictionsNone"

MISSING = "no Kustomize to render it with: put `kustomize` or `kubectl` on PATH (docs/rendering.md)"


def find_program() -> Program | None:
    """Choose what renders: `kustomize`, else the pykustomize library, else `kubectl` (ten times slower)."""
    if kustomize := native_command("kustomize"):
        return Program("command", command=(kustomize, "build", "--load-restrictor", _LOAD_ANYWHERE))
    spec = importlib.util.find_spec("pykustomize")
    if spec and spec.submodule_search_locations:
        package = pathlib.Path(spec.submodule_search_locations[0])
        library = next(package.glob("_lib/*/libpykustomize.so"), None)
        if library:
            return Program("kustomize", library=str(library), readable=(str(library.parent),))
    if kubectl := native_command("kubectl"):
        return Program("command", command=(kubectl, "kustomize", "--load-restrictor", _LOAD_ANYWHERE))
    return None


class KustomizeRoot:
    """One kustomization to render, under a kustomization of ours that asks where each object comes from."""

    def __init__(self, files: Files, request: RenderRequest, scratch: pathlib.Path) -> None:
        """Look through the kustomizations; raises Unrenderable for what must not or cannot be rendered."""
        self._files, self._request = files, request
        self._layers = overlays.layers(files, request.path)
        self._folder = scratch
        self.left_out = tuple(told([(one.file, one.document, one.without) for one in self._layers]))
        for layer in self._layers:
            if layer.without:
                files.replace(layer.file, json.dumps(without(layer.document.body, layer.without)))
        # Kustomize keeps a schema of this field for all it builds later in the same process.
        self.changes_renderer = any("openapi" in layer.document.body for layer in self._layers)
        wrapper: dict[str, Any] = {
            "resources": [os.path.relpath(files.tree / request.path, scratch)],
            "buildMetadata": ["originAnnotations"],
        }
        if request.namespace:
            wrapper["namespace"] = request.namespace
        (scratch / "kustomization.yaml").write_text(json.dumps(wrapper))

    def job(self) -> Mapping[str, Any]:
        """What the library is asked."""
        return {"folder": str(self._folder)}

    def arguments(self) -> tuple[str, ...]:
        """What the command line ends with."""
        return (str(self._folder),)

    def from_answer(self, answer: object) -> Iterator[RenderedObject]:
        """Trace the objects that the library built."""
        return self._traced(body for body in dig(answer, "resources") or () if isinstance(body, dict))

    def from_output(self, output: str) -> Iterator[RenderedObject]:
        """Trace the objects that the command printed."""
        return self._traced(document.body for document in readable(output.encode()))

    def reason(self, error: str) -> str:
        """Say in one line what Kustomize says in ten."""
        tree = self._files.tree
        line = one_line(error, os.path.relpath(tree, self._folder), str(tree))
        line = line.removeprefix("kustomize build failed: ")
        place = self._request.path
        while found := _NESTED.match(line):
            place, line = found.group(1), line[found.end() :]
        if found := _IN_FILE.match(line):
            place, line = f"{place}/{found.group(1)}", found.group(2)
        if "external plugins disabled" in line or "enable-exec" in line:
            line = f"generators and transformers that run programs are refused: {line}"
        if self.left_out:
            return shortened(f"{self.left_out[0]}; the rest does not render without it: {place}: {line}")
        return shortened(f"{place}: {line}")

    def _traced(self, bodies: Iterable[dict[str, Any]]) -> Iterator[RenderedObject]:
        for body in bodies:
            origin = _take_origin(body)
            # Kustomize counts from its root, the scratch folder; generated objects have no file of their own.
            written = os.path.normpath(self._folder / (origin.get("path") or origin.get("configuredIn", "")))
            file = os.path.relpath(written, self._files.tree)
            trace = overlays.Trace(self._files, self._layers, body, file if self._files.is_file(file) else "")
            file, line = trace.start()
            yield RenderedObject(body=body, file=file, line=line, locate=trace.locate)


_NESTED = re.compile(
    r"(?:accumulating (?:resources|components): )?accumulat\w+ err='accumulating \w+ from '[^']*': "
    r"read ([^':]*): is a directory': "
    r"(?:(?:recursed accumulation of path|couldn't make target for path) '[^']*': )?"
)
_IN_FILE = re.compile(
    r"accumulating resources: (?:accumulation err=')?accumulating resources from '([^']*)': (.*?)"
    r"(?:': must build at directory.*)?$"
)


def _take_origin(body: dict[str, Any]) -> Mapping[str, str]:
    """Remove the annotation that we asked for, and read its `key: value` lines."""
    metadata = mapping(body.get("metadata"))
    annotations = metadata.get("annotations")
    if not isinstance(annotations, dict):
        return {}
    origin = text(annotations.pop(_ORIGIN, ""))
    if not annotations and isinstance(metadata, dict):
        del metadata["annotations"]
    pairs = (line.partition(": ") for line in origin.splitlines())
    return {key: value.strip("'\"") for key, _, value in pairs}
