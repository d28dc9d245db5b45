"""Files of one side, and what of them a renderer is given."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.manifests import trees
from bot.manifests.trees import Contents, Files, join
from tests.manifests.memory_tree import MemoryTree

FILES = {"a/one.yaml": "a: 1\n", "a/two.yaml": "a: 2\n"}


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("../base", "base"),
        ("./x.yaml", "overlays/x.yaml"),
        ("..", ""),
        ("../..", None),
        ("../../etc/passwd", None),
        ("x/../../../etc", None),
        ("/etc/passwd", None),
        ("https://example.org/base", None),
        ("x\0", None),
    ],
)
def test_a_path_never_leads_out_of_the_tree(written: str, meant: str | None) -> None:
    """Whatever a kustomization or an Application names."""
    assert join("overlays", written) == meant


@pytest.mark.parametrize(
    ("limit", "most", "reason"),
    [("EXPORT_MAX_FILES", 1, "only the first 1 files"), ("EXPORT_MAX_BYTES", 7, "only the first 7 bytes")],
)
def test_what_is_not_given_to_a_renderer_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, most: int, reason: str
) -> None:
    """A truncated tree never looks like a whole one."""
    files = Files(MemoryTree(FILES), Contents())
    assert files.export(tmp_path / "whole", ["a"], ()) == ""
    monkeypatch.setattr(trees, limit, most)
    assert reason in files.export(tmp_path / "cut", ["a"], ())
    assert len(list((tmp_path / "cut").rglob("*.yaml"))) == 1
