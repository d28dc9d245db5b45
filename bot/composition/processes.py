"""Calls in processes of their own: one that takes the memory or never ends takes nothing else with it.

They also keep the worker's interpreter free for what has to be quick. What is sent there and back is pickled.
"""

from __future__ import annotations

import multiprocessing
import re
import resource
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from multiprocessing import forkserver
from pathlib import Path
from typing import Any, TypeVar

from bot.entrypoints.worker_process import belong_to_parent
from bot.errors import OutsideError, UserError
from bot.logs import about, told_about

BEFORE_A_NEW_PROCESS = 100
"""Calls, after which what may have leaked is given back."""
RESTS_AFTER = 300.0
"""Seconds without a call after which the memory of what works by the clock is given back."""
Result = TypeVar("Result")
_FORKS = multiprocessing.get_context("forkserver")


def import_once(modules: Sequence[str]) -> None:
    """Begin the process that all others are forked from: it imports these for all, and does nothing else.

    A fork takes milliseconds where the imports take a second, and what was imported is in memory once.
    Without this call each process imports for itself.
    """
    _FORKS.set_forkserver_preload(list(modules))
    forkserver.ensure_running()


class Processes:
    """At most `at_once` of them, each of which calls `begin(*arguments)` first; none before it is needed.

    `work` is what people call what they do. They end `rests_after` seconds without a call, and begin anew
    with the next one; where that is None they stay, so that nobody waits for a beginning.
    """

    def __init__(
        self,
        work: str,
        at_once: int,
        begin: Callable[..., object],
        arguments: tuple[Any, ...],
        *,
        rests_after: float | None = None,
    ) -> None:
        self._work = work
        self._begun = (at_once, begin, arguments)
        self._pool: ProcessPoolExecutor | None = None
        self._changing = threading.Lock()
        # A pool that is given more than it can take at once counts those as idle processes which are not,
        # starts none in the place of those that ended, and waits for ever (CPython issue 115634).
        self._free = threading.Semaphore(at_once)
        self._stopped = False
        self._rests_after, self._calls = rests_after, 0
        self._rest: threading.Timer | None = None

    def call(self, what: Callable[..., Result], *arguments: Any) -> Result:  # noqa: ANN401 - those of `what`
        """The result. Raises as `what` does, OutsideError where its process died, UserError for memory."""
        with self._free:
            self._count(1)
            try:
                return self._call(what, *arguments)
            finally:
                self._count(-1)

    def _call(self, what: Callable[..., Result], *arguments: Any) -> Result:  # noqa: ANN401 - those of `what`
        with self._changing:
            if self._stopped:
                raise OutsideError(f"the {self._work} was stopped")
            pool = self._pool = self._pool or self._new()
        try:
            return pool.submit(_called, told_about(), what, arguments).result()
        except BrokenProcessPool as error:
            with self._changing:
                if self._pool is pool:
                    self._pool = None
            raise OutsideError(f"the {self._work} ended early: too little memory, or too long") from error
        except MemoryError as error:
            # It would again.
            raise UserError(
                f"the {self._work} needs more memory than it may take: ask for less at once"
            ) from error

    def _count(self, change: int) -> None:
        """Of calls; after the last one, wait for a while before the processes go."""
        if self._rests_after is None:
            return
        with self._changing:
            self._calls += change
            self._stay()
            if not self._calls and not self._stopped:
                self._rest = threading.Timer(self._rests_after, self._give_back)
                self._rest.daemon = True
                self._rest.start()

    def _stay(self) -> None:
        if self._rest is not None:
            self._rest.cancel()
            self._rest = None

    def _give_back(self) -> None:
        with self._changing:
            if self._calls:
                return  # it began while this was about to
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.shutdown()

    def stop(self) -> None:
        """End what runs: the step that wanted it runs again at the next start."""
        with self._changing:
            self._stopped = True
            self._stay()
            pool, self._pool = self._pool, None
        if pool is not None:
            processes = list((pool._processes or {}).values())  # noqa: SLF001 - there is no other way to end them
            pool.shutdown(wait=False, cancel_futures=True)
            for process in processes:
                process.kill()

    def _new(self) -> ProcessPoolExecutor:
        at_once, begin, arguments = self._begun
        return ProcessPoolExecutor(
            at_once,
            mp_context=_FORKS,
            initializer=_begin,
            initargs=(begin, arguments),
            max_tasks_per_child=BEFORE_A_NEW_PROCESS,
        )


def _called(fields: Mapping[str, object], what: Callable[..., Result], arguments: tuple[Any, ...]) -> Result:
    """The result of `what`, whose lines in the log say what the caller's do."""
    with about(**fields):
        return what(*arguments)


def _begin(begin: Callable[..., object], arguments: tuple[Any, ...]) -> None:
    belong_to_parent()
    begin(*arguments)


@contextmanager
def ends_after(seconds: int) -> Iterator[None]:
    """End this process where what is done here takes longer."""
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)


def takes_at_most(more: int) -> None:
    """Let this process take so many bytes more than it has now; then it gets a MemoryError.

    Else the kernel ends what is largest, in a container that has no more: with it, by default, all that is
    in the container. Where the system is not Linux there is no such limit.
    """
    if sys.platform == "linux":
        [taken] = re.findall(r"VmData:\s+(\d+) kB", Path("/proc/self/status").read_text("ascii"))
        hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
        resource.setrlimit(resource.RLIMIT_DATA, (int(taken) * 1024 + more, hard))
