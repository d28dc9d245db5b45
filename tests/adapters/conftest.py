"""One real Prometheus for all tests that read the known past; a GitHub that need not be waited for."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bot.adapters import github_client
from bot.adapters.prometheus_usage import UsageHistory
from tests import prometheus_past as truth
from tests.prometheus_reading import read
from tests.prometheus_server import backfill, serving


@pytest.fixture(scope="session")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Prometheus that holds the past."""
    data = tmp_path_factory.mktemp("prometheus")
    backfill(data, truth.past())
    with serving(data) as address:
        yield address


@pytest.fixture(scope="session")
def shop(url: str) -> UsageHistory:
    """The namespace in which most things happened."""
    return read(url, "shop")


@pytest.fixture
def in_a_hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """A limit that says not for how long holds the next writes up for a second, not for a minute."""
    monkeypatch.setattr(github_client, "_LIMITED_SECONDS", 1.0)
