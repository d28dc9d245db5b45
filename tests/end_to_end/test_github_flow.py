"""The bot as a process of its own, beside a GitHub on loopback that checks every request."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests

from tests.github.model import Pull, Repository
from tests.github.service import GitHub, github
from tests.yaml_objects import deployment

ROOT = Path(__file__).parents[2]
FILES = {"apps/api.yaml": deployment(), "README.md": "The shop's manifests\n"}
RAISED = {"apps/api.yaml": deployment(cpu="2")}


class Bot:
    """`tuppence serve`, and how to end it."""

    def __init__(self, hub: GitHub, folder: Path) -> None:
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.url = f"http://127.0.0.1:{self.port}"
        self._environment = {
            "PATH": os.environ["PATH"],
            "XDG_CACHE_HOME": str(folder / "cache"),
            "TUPPENCE_PORT": str(self.port),
            "TUPPENCE_DATABASE_URL": f"sqlite:///{folder}/tuppence.db",
            "GITHUB_APP_ID": str(hub.app_id),
            "GITHUB_APP_PRIVATE_KEY": hub.private_key,
            "GITHUB_WEBHOOK_SECRET": hub.hooks.secret,
            "GITHUB_API_URL": hub.api_url,
            "GITHUB_CLONE_URL": hub.clone_url,
        }
        self.log = folder / "bot.log"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "bot", "serve"],
                cwd=ROOT,
                env=self._environment,
                stdout=log,
                stderr=log,
            )
        wait_for(self.ready, what="the bot to be ready", told=self.log.read_text)

    def ready(self) -> bool:
        try:
            return requests.get(f"{self.url}/readyz", timeout=2).status_code == 200
        except requests.RequestException:
            return False

    def end(self, how: signal.Signals) -> int:
        assert self._process is not None
        self._process.send_signal(how)
        return self._process.wait(20)

    @property
    def runs(self) -> bool:
        return self._process is not None and self._process.poll() is None


def wait_for(
    true: Callable[[], object], *, what: str, seconds: float = 30, told: Callable[[], str] = lambda: ""
) -> None:
    """Until it is true; an assertion that says what never came."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"waited {seconds:g} s for {what}\n{told()[-3000:]}"
        time.sleep(0.05)


@pytest.fixture
def hub(tmp_path: Path) -> Iterator[GitHub]:
    with github(tmp_path / "github") as running:
        yield running
    running.assert_clean()


@contextmanager
def running(hub: GitHub, folder: Path) -> Iterator[Bot]:
    bot = Bot(hub, folder)
    try:
        bot.start()
        hub.hooks.url = f"{bot.url}/github/webhook"
        yield bot
    finally:
        if bot.runs:
            bot.end(signal.SIGKILL)


def shop(hub: GitHub, files: dict[str, str] | None = None) -> Repository:
    repository = hub.people.repository("acme/shop", files or FILES)
    hub.people.install(repository.owner)
    return repository


def reported(hub: GitHub, repository: Repository, pull: Pull) -> bool:
    return any(
        run.status == "completed" and run.conclusion for run in hub.check_runs(repository, sha=pull.head_sha)
    )


def test_a_pull_request_gets_one_comment_and_one_check(hub: GitHub, tmp_path: Path) -> None:
    """What `tuppence diff` says, on the pull request."""
    with running(hub, tmp_path) as bot:
        repository = shop(hub)
        pull = hub.people.open_pull(repository, RAISED)
        wait_for(lambda: reported(hub, repository, pull), what="a report", told=bot.log.read_text)

        [comment] = hub.comments(repository, pull)
        [run] = hub.check_runs(repository, sha=pull.head_sha)
        assert "+$69.23 a month" in comment.body
        assert "cpu request 500m" in comment.body
        assert (run.name, run.conclusion) == ("Tuppence", "success")
        assert bot.end(signal.SIGTERM) == 0


def test_a_push_edits_the_comment_and_taking_the_change_back_clears_it(hub: GitHub, tmp_path: Path) -> None:
    """One comment for the life of a pull request."""
    with running(hub, tmp_path) as bot:
        repository = shop(hub)
        pull = hub.people.open_pull(repository, RAISED, branch="raise")
        wait_for(lambda: reported(hub, repository, pull), what="a report", told=bot.log.read_text)
        hub.people.push(repository, FILES, branch="raise")
        wait_for(lambda: reported(hub, repository, pull), what="a second report", told=bot.log.read_text)

        [comment] = hub.comments(repository, pull)
        assert "No cost or reliability impact" in comment.body


def test_a_crossed_guardrail_fails_the_check(hub: GitHub, tmp_path: Path) -> None:
    """The policy of the base branch decides, not the pull request's."""
    policy = "guardrails: [{monthly_increase: 10, message: Ask FinOps., approvers: [acme/finops]}]\n"
    with running(hub, tmp_path) as bot:
        repository = shop(hub, {**FILES, ".tuppence.yaml": policy})
        pull = hub.people.open_pull(repository, {**RAISED, ".tuppence.yaml": "guardrails: []\n"})
        wait_for(lambda: reported(hub, repository, pull), what="a report", told=bot.log.read_text)

        [run] = hub.check_runs(repository, sha=pull.head_sha)
        assert run.conclusion == "failure"
        assert "Ask FinOps." in hub.comments(repository, pull)[0].body


def test_a_forks_pull_request_is_read_and_never_trusted(hub: GitHub, tmp_path: Path) -> None:
    """Its head is data."""
    with running(hub, tmp_path) as bot:
        repository = shop(hub)
        pull = hub.people.open_pull(
            repository, RAISED, fork=hub.people.fork(repository, "stranger"), author="stranger"
        )
        wait_for(lambda: reported(hub, repository, pull), what="a report", told=bot.log.read_text)

        assert "+$69.23" in hub.comments(repository, pull)[0].body


def test_an_open_pull_request_gets_its_first_report_when_the_app_is_installed(
    hub: GitHub, tmp_path: Path
) -> None:
    """Nobody has to push again."""
    with running(hub, tmp_path) as bot:
        repository = hub.people.repository("acme/shop", FILES)
        pull = hub.people.open_pull(repository, RAISED)
        hub.people.install(repository.owner)
        wait_for(lambda: reported(hub, repository, pull), what="a report", told=bot.log.read_text)


def test_after_kill_9_the_work_is_done_once(hub: GitHub, tmp_path: Path) -> None:
    """Killed while it works, started again: one comment, one check run."""
    with running(hub, tmp_path) as bot:
        repository = shop(hub)
        pull = hub.people.open_pull(repository, RAISED)
        wait_for(
            lambda: hub.check_runs(repository, sha=pull.head_sha),
            what="work to begin",
            told=bot.log.read_text,
        )
        bot.end(signal.SIGKILL)
        bot.start()
        wait_for(lambda: reported(hub, repository, pull), what="a report", told=bot.log.read_text)

        assert len(hub.comments(repository, pull)) == 1
        assert len(hub.check_runs(repository, sha=pull.head_sha)) == 1


def test_no_secret_is_in_the_log_or_the_database(hub: GitHub, tmp_path: Path) -> None:
    """Nor in git's files."""
    with running(hub, tmp_path) as bot:
        repository = shop(hub)
        pull = hub.people.open_pull(repository, RAISED)
        wait_for(lambda: reported(hub, repository, pull), what="a report", told=bot.log.read_text)
        bot.end(signal.SIGTERM)

    secrets = [hub.hooks.secret, *(token.value for token in hub.world.tokens.values())]
    kept = b"".join(
        path.read_bytes()
        for path in tmp_path.rglob("*")
        if path.is_file() and "github" not in path.parts[-3:]
    )
    assert not [secret for secret in secrets if secret.encode() in kept]
    assert "BEGIN RSA" not in kept.decode("latin-1")
