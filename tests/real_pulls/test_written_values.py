"""Values are written into the manifests of real pull requests: the meant lines change, and nothing else moves.

The pull requests lie beside the repository, not in it; without them there is nothing to test here.
"""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.adapters.folder_tree import FolderTree
from bot.manifests.change import Terms
from bot.manifests.edits.wanted import Ambiguous, Edit, Wanted, Why
from bot.manifests.edits.whole_tree import WholeTree
from bot.manifests.edits.writing import verify, write
from bot.manifests.render import make_renderer
from estimators.kinds import read_workload

PULLS = Path(__file__).resolve().parents[3] / "shared/data/pulls"
CASES = sorted(path.name for path in PULLS.glob("*") if path.is_dir())
MOST = 8
"""Values of one case: the repositories of overlays are rendered several times for each."""
NEW_LINES = 7
"""Of a request in a patch that had no container: `template`, `spec`, `containers`, the name and three more."""


@pytest.mark.skipif(not CASES, reason="the pull requests are not on this machine")
@pytest.mark.parametrize("case", CASES)
def test_values_are_written_into_a_real_repository(case: str) -> None:
    """Or a person is told why not: what is written is proved by rendering, and by the lines that differ."""
    tree = FolderTree(PULLS / case / "head")
    whole = WholeTree(tree, Terms(make_renderer()))
    every = list(_wanted(whole))
    told: Counter[str] = Counter()
    for one in every[:: max(1, len(every) // MOST)]:
        found = write(whole, [one])
        if isinstance(found, Ambiguous):
            told[found.why] += 1
            assert found.advice
            assert found.why in (Why.SHARED, Why.COMPUTED, Why.NOT_THERE, Why.REFUSED)
            continue
        told["written"] += 1
        assert verify(whole, found.files, [one]) == ()
        _only_the_meant_lines(tree, found)
    assert bool(every) == bool(told)


def _wanted(whole: WholeTree) -> Iterator[Wanted]:
    """A CPU request, a memory limit and a count for all that has them, or may."""
    for thing in whole.side.objects:
        workload = read_workload(thing)
        for group in workload.groups if workload else ():
            for container in (*group.template.containers, *group.template.init_containers):
                yield Wanted(thing.identity, (*container.path, "resources", "requests", "cpu"), "37m")
                yield Wanted(thing.identity, (*container.path, "resources", "limits", "memory"), "777Mi")
            if group.replicas_path[-1] == "replicas":
                yield Wanted(thing.identity, group.replicas_path, "7")


def _only_the_meant_lines(tree: FolderTree, edit: Edit) -> None:
    """One file; one line with the value in the place of the old one, or new lines that end in it."""
    ((file, data),) = edit.files.items()
    ((_, before),) = tree.read([file])
    (place,) = edit.places
    lines = list(
        difflib.unified_diff(before.decode().split("\n"), data.decode().split("\n"), n=0, lineterm="")
    )[3:]
    added, gone = ([line[1:] for line in lines if line.startswith(sign)] for sign in "+-")
    assert place.wanted.proposed in added[-1]
    if place.before:
        assert len(added) == len(gone) == 1
        assert added[0].replace(place.wanted.proposed, "") in (
            gone[0].replace(place.before, ""),
            gone[0].replace(f'"{place.before}"', ""),
        )
    else:
        assert len(gone) <= 1
        assert len(added) <= NEW_LINES
        assert not gone or gone[0].rstrip(" {}\r") in added[0]
