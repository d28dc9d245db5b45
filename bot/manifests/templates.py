"""Which line of a chart's template or values file a rendered field was written in.

Rendering loses that. What is left is likeness: a value of the same name and content in a values file, else
the template's lines with the field's keys, in order.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from bot.manifests.charts import Chart
from bot.manifests.documents import Document
from bot.manifests.origin import Files, leaves, same_scalar
from bot.manifests.rendered import RenderedObject
from estimators.objects import Path, dig, text

# Fields that charts, by the custom of `helm create`, name otherwise in their values.
_OTHER_NAMES: Mapping[str, frozenset[str]] = {
    "replicas": frozenset({"replicas", "replicaCount"}),
    "averageUtilization": frozenset(
        {"averageUtilization", "targetCPUUtilizationPercentage", "targetMemoryUtilizationPercentage"}
    ),
    "storage": frozenset({"storage", "size"}),
}
# `cpu: 1` alone could be anybody's.
_NEEDS_PARENT = frozenset({"cpu", "memory", "storage", "name", "value"})


class Trace:
    """The origin of the objects that one template rendered."""

    def __init__(self, files: Files, chart: Chart, values_files: Sequence[str], name: str) -> None:
        """`name` is Helm's name of the template. All files are read now: the tree may go before `locate`."""
        self._file = chart.written(name)
        source = files.hold(self._file) if not self._file.endswith(".tgz") else None
        self._lines = (source or b"").decode(errors="replace").splitlines()
        self._files = files
        # Helm's order of precedence: the last values file, then the chart's, then the subchart's own.
        keys = tuple(chart.values_of(name))
        subchart = keys[-1][1]
        self._values = [*((file, subchart) for file in reversed(values_files)), *reversed(keys)]
        for file, _ in self._values:
            files.hold(file)
        self._seen: Counter[str] = Counter()

    def object(self, body: Mapping[str, Any], *, is_hook: bool) -> RenderedObject:
        """Trace the next object of the template."""
        kind = text(body.get("kind"))
        line = self._line_of_kind(kind, self._seen[kind])
        self._seen[kind] += 1

        def locate(path: Path) -> tuple[str, int]:
            return self._in_values(body, path) or (self._file, self._in_template(line, path))

        return RenderedObject(body=body, file=self._file, line=line, locate=locate, is_hook=is_hook)

    def _line_of_kind(self, kind: str, before: int) -> int:
        """The line of the object's `kind:`, or the template's first where it is not written out."""
        written = [
            at for at, line in enumerate(self._lines, 1) if re.match(rf"\s*kind:\s*{re.escape(kind)}\b", line)
        ]
        return written[min(before, len(written) - 1)] if written else 1

    def _in_template(self, start: int, path: Path) -> int:
        """The line where the last of the field's keys that the template spells out stands."""
        at = start
        for step in path:
            if isinstance(step, int):
                continue
            key = re.compile(rf"\s*(?:- )?[\"']?{re.escape(step)}[\"']?:")
            found = next((line for line in range(at, len(self._lines)) if key.match(self._lines[line])), None)
            if found is None:
                break
            at = found + 1
        return at

    def _in_values(self, body: Mapping[str, Any], path: Path) -> tuple[str, int] | None:
        """The line of the one value of the field's name and content, in the first file that has any."""
        value = dig(body, *path)
        if value is None or isinstance(value, Mapping | list):
            return None
        hints = f"{dig(body, 'metadata', 'name')} {dig(body, *path[: _container(path)], 'name')}"
        for file, prefix in self._values:
            for document in self._files.documents(file)[:1]:
                found = _alike(document, prefix, path, value, hints)
                if found:
                    return file, document.locate(found)
        return None


def _container(path: Path) -> int:
    """The number of steps to the innermost list item."""
    return max((at + 1 for at, step in enumerate(path) if isinstance(step, int)), default=0)


def _alike(document: Document, prefix: Path, path: Path, value: object, hints: str) -> Path | None:
    """The path of the value that shares most of the field's last keys, if there is one alone."""
    best: dict[int, list[Path]] = {}
    for leaf, item in leaves(dig(document.body, *prefix), prefix):
        if same_scalar(item, value) and (length := shared_keys(leaf, path)):
            best.setdefault(length, []).append(leaf)
    if not best:
        return None
    candidates = best[max(best)]
    named = [leaf for leaf in candidates if any(isinstance(key, str) and key in hints for key in leaf)]
    candidates = named if len(named) == 1 else candidates
    return candidates[0] if len(candidates) == 1 else None


def shared_keys(leaf: Path, path: Path) -> int:
    """How many keys, from the last, a value and a field have in common; 0 where that says too little."""
    keys = [step for step in path if isinstance(step, str)]
    count = 0
    for mine, field in zip(_strings(leaf), reversed(keys), strict=False):
        if mine not in _OTHER_NAMES.get(field, frozenset({field})):
            break
        count += 1
    if keys and keys[-1] in _NEEDS_PARENT and count < 2:
        return 0
    return count


def _strings(path: Path) -> Iterator[str]:
    return (step for step in reversed(path) if isinstance(step, str))
