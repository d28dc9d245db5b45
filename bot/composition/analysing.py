"""Analyses in processes of their own: one that takes the memory or never ends takes nothing else with it.

They also keep the worker's interpreter free for what has to be quick. What is sent there and back is JSON.
"""

from __future__ import annotations

import multiprocessing
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from bot.adapters.records import Records
from bot.composition.github_bot import GitHubBot, Json
from bot.entrypoints.worker_process import belong_to_parent
from bot.errors import OutsideError
from bot.logs import configure
from bot.redaction import Redactor
from bot.server_config import ServerConfig
from bot.settings import GitHubSettings, Settings, secrets_of

AT_ONCE = 2
"""An analysis keeps a processor busy, and its renderers another."""
LONGEST_SECONDS = 900
BEFORE_A_NEW_PROCESS = 100
"""Analyses, after which what may have leaked is given back."""
_bot: GitHubBot


class Analysing:
    """What `GitHubBot` does that takes long. No process is started before it is needed."""

    def __init__(
        self, settings: Settings, config: ServerConfig, github: GitHubSettings, *, rehearsed: bool
    ) -> None:
        self._arguments = (settings, config, github, rehearsed)
        self._pool: ProcessPoolExecutor | None = None
        self._changing = threading.Lock()

    def analyse(self, sight: Json) -> Json:
        """What is to be said of a pull request. Raises as the analysis does, OutsideError where it died."""
        found: Json = self._do(_analyse, sight)
        return found

    def measure(self, ref: Json) -> None:
        """Compare a merged pull request with what happened."""
        self._do(_measure, ref)

    def stop(self) -> None:
        """End what runs: the step that wanted it runs again at the next start."""
        with self._changing:
            pool, self._pool = self._pool, None
        if pool is not None:
            processes = list((pool._processes or {}).values())  # noqa: SLF001 - there is no other way to end them
            pool.shutdown(wait=False, cancel_futures=True)
            for process in processes:
                process.kill()

    def _do(self, what: Callable[[Json], Any], argument: Json) -> Any:  # noqa: ANN401 - JSON
        with self._changing:
            pool = self._pool = self._pool or self._new()
        try:
            return pool.submit(what, argument).result()
        except BrokenProcessPool as error:
            with self._changing:
                if self._pool is pool:
                    self._pool = None
            raise OutsideError("the analysis ended early: too little memory, or too long") from error

    def _new(self) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(
            AT_ONCE,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_begin,
            initargs=self._arguments,
            max_tasks_per_child=BEFORE_A_NEW_PROCESS,
        )


def _begin(settings: Settings, config: ServerConfig, github: GitHubSettings, rehearsed: bool) -> None:  # noqa: FBT001 - an initializer
    global _bot  # noqa: PLW0603 - the one thing that a pool's process keeps between calls
    belong_to_parent()
    redactor = Redactor(secrets_of(settings, github))
    configure(redactor)
    records = Records(settings.database_url)
    _bot = GitHubBot(settings, config, github, records, redactor, rehearsed=rehearsed)


def _analyse(sight: Json) -> Json:
    signal.alarm(LONGEST_SECONDS)  # ends the process
    try:
        return _bot.analyse(sight)
    finally:
        signal.alarm(0)


def _measure(ref: Json) -> None:
    signal.alarm(LONGEST_SECONDS)
    try:
        _bot.measure(ref)
    finally:
        signal.alarm(0)
