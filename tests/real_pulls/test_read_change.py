"""Every real pull request is read: nothing raises, and what changed is an object or a named gap.

The pull requests lie beside the repository, not in it; without them there is nothing to test here.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.adapters.folder_tree import FolderTree
from bot.manifests.change import Change, read_change
from bot.manifests.render import make_renderer

PULLS = Path(__file__).resolve().parents[3] / "shared/data/pulls"
CASES = sorted(path.name for path in PULLS.glob("*") if path.is_dir())


@pytest.mark.skipif(not CASES, reason="the pull requests are not on this machine")
@pytest.mark.parametrize("case", CASES)
def test_a_real_pull_request_is_read(case: str) -> None:
    """Objects differ, or something is named that could not be priced; every line exists in its file."""
    base, head = FolderTree(PULLS / case / "base"), FolderTree(PULLS / case / "head")
    change = read_change(base, head, render=make_renderer())
    assert differing(change) or change.head.unpriced
    for tree, side in ((base, change.base), (head, change.head)):
        lengths = {path: data.count(b"\n") + 1 for path, data in tree.read(tree.paths())}
        for item in side.objects:
            for source in (item.source, item.locate(("spec", "replicas"))):
                assert 1 <= source.line <= lengths[source.file], (item.identity, source)
        assert all(gap.reason and gap.file for gap in side.unpriced)


@pytest.mark.skipif(not CASES, reason="the pull requests are not on this machine")
@pytest.mark.parametrize("case", CASES)
def test_a_real_repository_does_not_differ_from_itself(case: str) -> None:
    """Nothing is even read."""
    tree = FolderTree(PULLS / case / "head")
    change = read_change(tree, tree, render=make_renderer())
    assert (change.base, change.changed_files) == (change.head, ())


def differing(change: Change) -> set[str]:
    """The objects that are not the same on both sides."""
    before = {str(item.identity): item.body for item in change.base.objects}
    after = {str(item.identity): item.body for item in change.head.objects}
    return {name for name in before.keys() | after.keys() if before.get(name) != after.get(name)}
