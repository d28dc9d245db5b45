"""Plain folders as sides of a change."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bot.adapters.folder_tree import FolderTree
from bot.errors import UserError
from bot.ports import SkippedPath


def test_regular_files_are_listed_by_content(tmp_path: Path) -> None:
    """The same content has the same id, wherever it lies; `.git` is not looked into."""
    for path in ("a.yaml", "deep/er/b.yaml", ".git/config", "deep/.git/config"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text("x: 1\n")
    (tmp_path / "c.yaml").write_text("x: 2\n")
    tree = FolderTree(tmp_path)
    ids = tree.paths()
    assert set(ids) == {"a.yaml", "deep/er/b.yaml", "c.yaml"}
    assert ids["a.yaml"] == ids["deep/er/b.yaml"] != ids["c.yaml"]
    assert dict(tree.read(["c.yaml", "a.yaml"])) == {"c.yaml": b"x: 2\n", "a.yaml": b"x: 1\n"}
    assert tree.name == str(tmp_path)


def test_links_and_pipes_are_skipped_and_listed(tmp_path: Path) -> None:
    """Nothing outside the folder is read, and nothing waits for a pipe."""
    inside = tmp_path / "inside"
    inside.mkdir()
    (tmp_path / "secret.yaml").write_text("s: 1\n")
    (inside / "link.yaml").symlink_to(tmp_path / "secret.yaml")
    (inside / "folder").symlink_to(tmp_path)
    os.mkfifo(inside / "pipe.yaml")
    tree = FolderTree(inside)
    assert dict(tree.paths()) == {}
    assert set(tree.skipped) == {
        SkippedPath("link.yaml", "a symlink"),
        SkippedPath("folder", "a symlink"),
        SkippedPath("pipe.yaml", "not a regular file"),
    }


def test_a_file_gone_since_is_left_out(tmp_path: Path) -> None:
    """People edit while we read."""
    (tmp_path / "a.yaml").write_text("x: 1\n")
    tree = FolderTree(tmp_path)
    (tmp_path / "a.yaml").unlink()
    assert list(tree.read(["a.yaml"])) == []


def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    """In one line."""
    with pytest.raises(UserError, match="is not a folder"):
        FolderTree(tmp_path / "gone")
