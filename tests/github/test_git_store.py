"""What GitHub answers from git, read from a real repository."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.github.git_store import GitStore, MergeConflictError


@pytest.fixture
def store(tmp_path: Path) -> GitStore:
    """An empty repository."""
    return GitStore.create(tmp_path / "it.git")


def test_a_change_tells_what_became_of_each_file(store: GitStore) -> None:
    """Added, changed, removed, renamed, and a binary one without a patch."""
    text = "".join(f"line {number}\n" for number in range(30))
    base = store.commit("main", {"a": "1\n", "b": text, "c": "1\n"}, "first", parent=None)
    files = {"a": "2\n", "b": None, "c": None, "moved\t1": text, "new `|<img>": "x\n", "z": b"\0\1"}
    head = store.commit("change", files, "second", parent=base)
    found = {it.path: (it.status, it.additions, it.deletions) for it in store.changes(base, head)}
    assert found == {
        "a": ("modified", 1, 1),
        "c": ("removed", 0, 1),
        "moved\t1": ("renamed", 0, 0),
        "new `|<img>": ("added", 1, 0),
        "z": ("added", 0, 0),
    }
    (renamed,) = [it for it in store.changes(base, head) if it.status == "renamed"]
    assert renamed.previous_path == "b"
    assert {it.path for it in store.changes(base, head) if it.hunks is None} == {"moved\t1", "z"}


def test_the_lines_of_a_diff_are_those_that_it_shows(store: GitStore) -> None:
    """Three lines around each change, on either side."""
    lines = [f"line {number}" for number in range(1, 41)]
    base = store.commit("main", {"a": "\n".join(lines)}, "first", parent=None)
    lines[9:10] = ["new", "new"]
    lines[39] = "other"
    head = store.commit("main", {"a": "\n".join(lines)}, "second", parent=base)
    (change,) = store.changes(base, head)
    assert list(change.lines["LEFT"]) == [*range(7, 14), *range(36, 41)]
    assert list(change.lines["RIGHT"]) == [*range(7, 15), *range(37, 42)]


def test_commits_merge_or_do_not(store: GitStore) -> None:
    """Without a working tree."""
    base = store.commit("main", {"a": "1\n"}, "first", parent=None)
    one = store.commit("main", {"a": "2\n"}, "one", parent=base)
    other = store.commit("other", {"b": "1\n"}, "other", parent=base)
    third = store.commit("third", {"a": "3\n"}, "third", parent=base)
    merged = store.merge(one, other, "both")
    assert store.commit_of(merged).parents == (one, other)
    with pytest.raises(MergeConflictError):
        store.merge(one, third, "both")
