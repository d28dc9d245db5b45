"""`tuppence serve` beside a GitHub on loopback: started, killed, started again, and what it left behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

import requests

from bot.adapters.records import Records
from bot.handlers.audit import export_rows, verify_rows
from tests.github.model import Pull, Repository
from tests.github.service import GitHub
from tests.ports import held_port
from tests.yaml_objects import deployment

ROOT = Path(__file__).parents[2]
SHIPPED, PROMPT = "bot", "tests.end_to_end.prompt_bot"
PATIENCE = 150.0
"""Seconds for what must come: the machine may be slow, and other tests keep it busy."""
HOURS_COME_IN = 600.0
"""Seconds for hours of cost: where one ends meanwhile, the older ones wait for up to five minutes."""
FILES = {"apps/api.yaml": deployment(), "README.md": "The shop's manifests\n"}
RAISED = {"apps/api.yaml": deployment(cpu="2")}


class Bot:
    """`tuppence serve`, and how to end it.

    `hub` is None where no GitHub App is set up, `port` is where it listens, `program` the module that runs
    it; `surroundings` are more variables of its environment.
    """

    def __init__(
        self,
        hub: GitHub | None,
        folder: Path,
        port: int,
        /,
        *,
        program: str = PROMPT,
        options: Sequence[str] = (),
        **surroundings: str,
    ) -> None:
        self.port = port
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = {
            "PATH": os.environ["PATH"],
            "XDG_CACHE_HOME": str(folder / "cache"),
            "TUPPENCE_PORT": str(self.port),
            "TUPPENCE_DATABASE_URL": f"sqlite:///{folder}/tuppence.db",
            **(_app(hub) if hub else {}),
            **surroundings,
        }
        self.log = folder / "bot.log"
        self._program, self._options = program, options
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", self._program, "serve", *self._options],
                cwd=ROOT,
                env=self.environment,
                stdout=log,
                stderr=log,
            )
        wait_for(self.ready, what="the bot to be ready", told=self.log.read_text)

    def ready(self) -> bool:
        try:
            return requests.get(f"{self.url}/readyz", timeout=10).status_code == 200
        except requests.RequestException:
            return False

    def end(self, how: signal.Signals) -> int:
        assert self._process is not None
        self._process.send_signal(how)
        return self._process.wait(PATIENCE)

    def kill_all(self) -> None:
        """The listening process, the worker and whatever it started, at once: what a container's end is."""
        assert self._process is not None
        for each in [self._process.pid, *_below(self._process.pid)]:
            _kill(each)
        self._process.wait(PATIENCE)

    def kill_worker(self) -> None:
        """The worker alone, which the listening process starts again."""
        _kill(self._worker())

    @contextmanager
    def worker_stands_still(self) -> Iterator[None]:
        """Nothing is worked on inside the `with`."""
        worker = self._worker()
        os.kill(worker, signal.SIGSTOP)
        try:
            yield
        finally:
            os.kill(worker, signal.SIGCONT)

    def _worker(self) -> int:
        assert self._process is not None
        [worker] = [
            each
            for each in _children(self._process.pid)
            if b"spawn_main" in Path(f"/proc/{each}/cmdline").read_bytes()
        ]
        return worker

    def listening_seconds(self) -> float:
        """Of processor time, which the process that listens has used so far."""
        assert self._process is not None
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def megabytes(self) -> float:
        """What all its processes hold in memory."""
        assert self._process is not None
        pages = [
            int(Path(f"/proc/{each}/statm").read_text().split()[1])
            for each in [self._process.pid, *_below(self._process.pid)]
        ]
        return sum(pages) * os.sysconf("SC_PAGESIZE") / 2**20

    @property
    def runs(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def audit(self) -> list[Any]:
        """The audit rows, as `tuppence audit export` tells them."""
        with self.records() as records:
            return [json.loads(line) for line in export_rows(audit=records.audit)]

    def verify_audit(self) -> None:
        """That the rows are whole, as `tuppence audit verify` finds them."""
        with self.records() as records:
            said, whole = verify_rows(audit=records.audit)
        assert whole, said

    def records(self) -> closing[Records]:
        """What the bot keeps."""
        return closing(Records(self.environment["TUPPENCE_DATABASE_URL"]))


def _app(hub: GitHub) -> dict[str, str]:
    return {
        "GITHUB_APP_ID": str(hub.app_id),
        "GITHUB_APP_PRIVATE_KEY": hub.private_key,
        "GITHUB_WEBHOOK_SECRET": hub.hooks.secret,
        "GITHUB_API_URL": hub.api_url,
        "GITHUB_CLONE_URL": hub.clone_url,
    }


def _children(process: int) -> list[int]:
    """Of each of its threads."""
    found: list[int] = []
    for of_a_thread in Path(f"/proc/{process}/task").glob("*/children"):
        with suppress(FileNotFoundError, ProcessLookupError):
            found += map(int, of_a_thread.read_text().split())
    return found


def _below(process: int) -> list[int]:
    return [found for child in _children(process) for found in (child, *_below(child))]


def _kill(process: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(process, signal.SIGKILL)


def wait_for(
    true: Callable[[], object], *, what: str, seconds: float = PATIENCE, told: Callable[[], str] = lambda: ""
) -> None:
    """Until it is true; an assertion that says what never came."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"waited {seconds:g} s for {what}\n{told()[-3000:]}"
        time.sleep(0.05)


@contextmanager
def running(
    hub: GitHub | None,
    folder: Path,
    *,
    program: str = PROMPT,
    options: Sequence[str] = (),
    **surroundings: str,
) -> Iterator[Bot]:
    with held_port() as port:
        bot = Bot(hub, folder, port, program=program, options=options, **surroundings)
        try:
            bot.start()
            if hub is not None:
                hub.hooks.url = f"{bot.url}/github/webhook"
            yield bot
        finally:
            if bot.runs:
                bot.kill_all()


def shop(hub: GitHub, files: dict[str, str] | None = None, owner: str = "acme") -> Repository:
    repository = hub.people.repository(f"{owner}/shop", files or FILES)
    hub.people.install(repository.owner)
    return repository


def reported(hub: GitHub, repository: Repository, pull: Pull) -> bool:
    return any(
        run.status == "completed" and run.conclusion for run in hub.check_runs(repository, sha=pull.head_sha)
    )
