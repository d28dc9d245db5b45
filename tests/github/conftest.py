"""A running GitHub of one test's own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.github.service import GitHub, github


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[GitHub]:
    """A fake GitHub; the test ends with an error if anything was asked that GitHub does not describe."""
    with github(tmp_path / "github") as running:
        yield running
    running.assert_clean()
