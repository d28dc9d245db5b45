"""The fake of the Tree port, and what tests of changes share."""

from __future__ import annotations

import hashlib
import pathlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from bot.manifests.change import Change, EnvironmentRule, Side, read_change
from bot.manifests.render import make_renderer
from bot.manifests.rendered import RenderedObject, RenderRequest, RenderResult
from bot.ports import SkippedPath

Files = Mapping[str, str | bytes]


class MemoryTree:
    """Files in memory; counts what is read."""

    def __init__(self, files: Files, *, skipped: Sequence[SkippedPath] = ()) -> None:
        self.files = {path: text.encode() if isinstance(text, str) else text for path, text in files.items()}
        self.skipped = skipped
        self.name = "memory"
        self.times_read: dict[str, int] = {}

    def paths(self) -> Mapping[str, str]:
        """Every file with the digest of its content."""
        return {path: hashlib.sha256(data).hexdigest() for path, data in self.files.items()}

    def read(self, paths: Iterable[str]) -> Iterator[tuple[str, bytes]]:
        """The content of files."""
        for path in paths:
            self.times_read[path] = self.times_read.get(path, 0) + 1
            yield path, self.files[path]


@dataclass
class RecordingRenderer:
    """Renders nothing of its own, and remembers what it was asked with the files it was given."""

    answers: Mapping[str, Sequence[RenderedObject]] = field(default_factory=dict)
    failures: Mapping[str, str] = field(default_factory=dict)
    requests: list[RenderRequest] = field(default_factory=list)
    exported: list[set[str]] = field(default_factory=list)

    def __call__(self, tree: pathlib.Path, requests: Sequence[RenderRequest]) -> Sequence[RenderResult]:
        """The answer for each request's folder."""
        self.requests += requests
        files = (path for path in tree.rglob("*") if path.is_file())
        self.exported.append({path.relative_to(tree).as_posix() for path in files})
        return [
            RenderResult(request, tuple(self.answers.get(request.path, ())), self.failures.get(request.path))
            for request in requests
        ]

    @property
    def asked(self) -> list[str]:
        """The folders that were to be rendered, each once."""
        return sorted({request.path for request in self.requests})


def deployment(name: str, cpu: str = "100m", namespace: str = "") -> str:
    """A Deployment; its name is on line 4."""
    place = f"  namespace: {namespace}\n" if namespace else ""
    return (
        f"apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: {name}\n{place}spec:\n  template:\n    spec:\n"
        f"      containers:\n      - name: main\n        image: x\n        resources:\n          requests:\n"
        f"            cpu: {cpu}\n"
    )


def read(
    base: Files | MemoryTree,
    head: Files | MemoryTree,
    render: RecordingRenderer | None = None,
    *,
    environments: Sequence[EnvironmentRule] = (),
    ignore: Sequence[str] = (),
    only_environment: str | None = None,
) -> Change:
    """Read a change with fewer words."""
    return read_change(
        base if isinstance(base, MemoryTree) else MemoryTree(base),
        head if isinstance(head, MemoryTree) else MemoryTree(head),
        environments=environments,
        ignore=ignore,
        only_environment=only_environment,
        render=render or RecordingRenderer(),
    )


def names(side: Side) -> list[str]:
    """The identities of a side."""
    return sorted(str(item.identity) for item in side.objects)


def unpriced(side: Side) -> list[tuple[str, str, str]]:
    """Kind, file and reason of what a side could not read."""
    return [(item.kind, item.file, item.reason) for item in side.unpriced]


def changed(files: Files, *paths: str) -> Files:
    """The files with some of them changed."""
    return {path: f"{text!s}# changed\n" if path in paths else text for path, text in files.items()}


CHART: Files = {
    "charts/api/Chart.yaml": "apiVersion: v2\nname: api\nversion: 0.1.0\n",
    "charts/api/values.yaml": "cpu: 1\nnested: {deep: 1}\n",
    "charts/api/values-prod.yaml": "cpu: 2\n",
    "charts/api/templates/api.yaml": deployment("{{ .Release.Name }}", "{{ .Values.cpu }}"),
    "live/prod.yaml": "cpu: 3\n",
}


def really(base: Files, head: Files) -> Change:
    """The change, really rendered."""
    return read_change(MemoryTree(base), MemoryTree(head), render=make_renderer())


def cpu(change: Change) -> list[object]:
    """The CPU requests of the head's Deployments."""
    return [
        item.body["spec"]["template"]["spec"]["containers"][0]["resources"]["requests"]["cpu"]
        for item in change.head.objects
        if item.identity.kind == "Deployment"
    ]
