"""Changed files that nothing here renders, though they speak of what costs: they are no `no impact`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Any

from bot.manifests.environments import is_values_file
from bot.manifests.sides import SideReader
from bot.manifests.trees import Files, shown
from estimators.asks import changed_asks
from estimators.objects import Unpriced

_YAML = (".yaml", ".yml")
_WAY_OUT = "name the file under `environments: [{values: [...]}]` in .tuppence.yaml"


def leftovers(
    sides: Sequence[SideReader], changed: Collection[str], ignored: Callable[[str], bool]
) -> Iterator[Unpriced]:
    """Helm values that no chart takes, and other files without objects whose sizes or counts differ."""
    deployed = (one for side in sides for one in side.deployments.values())
    used = {file for one in deployed for job in one.jobs for file in job.values_files}
    for path in sorted(path for path in changed if path.endswith(_YAML)):
        if path in used or ignored(path) or any(side.units.owners(path) for side in sides):
            continue
        before, after = (side.files for side in sides)
        if [*before.objects(path), *after.objects(path)]:
            continue
        asked = changed_asks(_values(before, path), _values(after, path))
        file = shown(path)
        if is_values_file(path):
            reason = f"Helm values that no chart here is known to take{asked and f' ({asked})'}: {_WAY_OUT}"
            yield Unpriced("File", "", file, file, reason)
        elif asked:
            reason = f"no Kubernetes object, and no chart here is known to take it ({asked}): if it holds"
            yield Unpriced("File", "", file, file, f"{reason} Helm values, {_WAY_OUT}")


def _values(files: Files, path: str) -> dict[str, Any]:
    documents = files.reading(path).documents
    if len(documents) == 1:
        return documents[0].body
    return {str(index): document.body for index, document in enumerate(documents)}
