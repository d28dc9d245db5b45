"""Exported trees for tests, written as a mapping of file to text."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from textwrap import dedent


def write(folder: Path, files: Mapping[str, str]) -> Path:
    """Write the files below `folder` and give it back."""
    for name, content in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(dedent(content).lstrip("\n"), encoding="utf-8")
    return folder
