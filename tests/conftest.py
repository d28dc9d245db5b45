"""What every test may use: golden files, which `pytest --update-golden` writes anew, and databases."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# What these assert about what a bot sent is told with the values, as a test's own asserts are.
pytest.register_assert_rewrite("tests.github", "tests.slack")

from tests import postgres_server  # noqa: E402 - after what it may import is registered

GOLDEN = Path(__file__).parent / "golden"
# What somebody set for themselves would sign commits, ask for a message, or redirect addresses.
os.environ |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
# The same examples each time and however long they take, so that a change alone decides whether its tests pass.
settings.register_profile(
    "tests", settings(derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
)
settings.load_profile("tests")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let golden files be written instead of compared."""
    parser.addoption("--update-golden", action="store_true", help="write tests/golden anew; read the diff")


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Compares a text with the golden file of that name."""
    update = bool(request.config.getoption("--update-golden"))

    def compare(name: str, text: str) -> None:
        path = GOLDEN / name
        if update:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        assert text == path.read_text("utf-8")

    return compare


@pytest.fixture(scope="session")
def postgres() -> Iterator[postgres_server.Server]:
    """A PostgreSQL of this test run's own."""
    with postgres_server.serving() as server:
        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database, of each kind in turn."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'tuppence.db'}"
    server: postgres_server.Server = request.getfixturevalue("postgres")
    return server.new_database()
