"""What tests of edits share: a tree as a mapping of files, one value to write, and what came of it."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence

from bot.manifests.change import Terms
from bot.manifests.edits.wanted import Ambiguous, Edit, Wanted, field_path
from bot.manifests.edits.whole_tree import WholeTree
from bot.manifests.edits.writing import verify, write
from bot.manifests.environments import EnvironmentRule
from bot.manifests.render import make_renderer
from estimators.objects import Identity
from tests.manifests.memory_tree import MemoryTree

CPU = "spec.template.spec.containers[0].resources.requests.cpu"
MEMORY_LIMIT = "spec.template.spec.containers[0].resources.limits.memory"
REPLICAS = "spec.replicas"
API = Identity("", "", "Deployment", "api")


def whole(files: Mapping[str, str | bytes], environments: Sequence[EnvironmentRule] = ()) -> WholeTree:
    """The files, read and rendered."""
    return WholeTree(MemoryTree(files), Terms(make_renderer(), environments))


def wanted(field: str, proposed: str, identity: Identity = API, current: str | None = None) -> Wanted:
    """A value for a field of an object."""
    return Wanted(identity, field_path(field), proposed, current)


def written(
    files: Mapping[str, str | bytes], *changes: Wanted, environments: Sequence[EnvironmentRule] = ()
) -> Edit:
    """What is written, verified again."""
    tree = whole(files, environments)
    found = write(tree, changes)
    assert isinstance(found, Edit), found
    assert verify(tree, found.files, changes) == ()
    return found


def refused(
    files: Mapping[str, str | bytes], *changes: Wanted, environments: Sequence[EnvironmentRule] = ()
) -> Ambiguous:
    """Why nothing is written."""
    found = write(whole(files, environments), changes)
    assert isinstance(found, Ambiguous), found
    return found


def changed_lines(before: Mapping[str, str | bytes], edit: Edit) -> list[str]:
    """`-` and `+` lines of all files, as `git diff` has them."""
    found = []
    for file, data in edit.files.items():
        lines = difflib.unified_diff(_lines(before[file]), _lines(data), n=0, lineterm="")
        found += [line for line in lines if line[:1] in "+-" and line[:3] not in ("+++", "---")]
    return found


def _lines(content: str | bytes) -> list[str]:
    return (content if isinstance(content, str) else content.decode()).split("\n")
