"""A running Slack of one test's own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.slack.service import Slack, slack


@pytest.fixture
def hub() -> Iterator[Slack]:
    """A fake Slack; the test ends with an error if the app did what it must not do."""
    with slack() as running:
        yield running
    running.assert_clean()
