"""What every command finds: no settings of whoever runs the tests, and a cache of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.settings_table import SETTINGS
from tests.end_to_end import slack_bots, stories
from tests.end_to_end.approval_calls import Calls, counted
from tests.end_to_end.bots import running
from tests.end_to_end.repositories import Repository, deployment
from tests.github.service import GitHub, github


@pytest.fixture(autouse=True)
def own_surroundings(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the cache; settings and a kubeconfig of the person's own are hidden."""
    for setting in SETTINGS:
        monkeypatch.delenv(setting.name, raising=False)
        monkeypatch.delenv(f"{setting.name}_FILE", raising=False)
    cache = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    monkeypatch.setenv("KUBECONFIG", str(cache / "no-kubeconfig"))
    # Colours and widths of the terminal that runs the tests would show in the text.
    for name in ("FORCE_COLOR", "COLUMNS", "CLICOLOR_FORCE"):
        monkeypatch.delenv(name, raising=False)
    return cache / "tuppence"


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[GitHub]:
    """A GitHub of the test's own, which nobody may have asked what its description does not allow."""
    with github(tmp_path / "github") as running:
        yield running
    running.assert_clean()


@pytest.fixture(scope="session")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with two weeks of a shop's cost, until now."""
    file = tmp_path_factory.mktemp("kept") / "tuppence.db"
    slack_bots.fill(file)
    return file


@pytest.fixture(scope="session")
def calls(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[stories.Call]]:
    """Every call to GitHub that a story makes, by the story's name."""
    folder = tmp_path_factory.mktemp("calls")
    with github(folder / "github") as hub, running(hub, folder, program=stories.HURRIED) as bot:
        return stories.calls(bot, hub)


@pytest.fixture(scope="session")
def approval_calls(tmp_path_factory: pytest.TempPathFactory) -> Calls:
    """Every call to GitHub and Slack of an approval, a rejection and a closed pull request."""
    return counted(tmp_path_factory.mktemp("approval-calls"))


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """Read only. `v1` has two pods, `feature` (checked out) and `v2` four, its working tree five.

    `main` went on after they parted: one pod. A bare clone lies beside it, as `bare.git`.
    """
    repository = Repository(tmp_path_factory.mktemp("shop") / "shop")
    file = "apps/api.yaml"
    repository.commit({file: deployment(replicas=2)})
    repository.git("tag", "v1")
    repository.git("switch", "--quiet", "--create", "feature")
    repository.commit({file: deployment(replicas=4)})
    repository.git("tag", "v2")
    repository.git("switch", "--quiet", "main")
    repository.commit({file: deployment(replicas=1)})
    repository.git("switch", "--quiet", "feature")
    repository.git("clone", "--quiet", "--bare", ".", "../bare.git")
    repository.write({file: deployment(replicas=5)})
    return repository
