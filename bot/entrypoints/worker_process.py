"""The process that works, beside the one that listens: analyses must not make GitHub or Slack wait.

Both share a database and a pipe. The listening process asks over the pipe and starts a worker anew that
ended by itself. A worker whose pipe is closed has lost its parent and ends at once: what it did is stored.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from typing import Any

from bot.errors import UserError

START_SECONDS = 60.0
ANSWER_SECONDS = 3.0
PAUSES = (1.0, 5.0, 15.0, 60.0)
"""Seconds before a worker that ended is started again; the last one from then on."""
NICENESS = 10
"""Below the listening process, so that an answer never waits for an analysis on a busy machine."""
_STARTED, _READY, _METRICS, _STOP = "started", "ready", "metrics", "stop"
log = logging.getLogger(__name__)

Work = Callable[..., None]
"""Called with the pipe and the arguments in the new process; must call `answer` when it is at work."""


@dataclass(slots=True)
class WorkerProcess:
    """`work(pipe, *arguments)` in a process of its own, between `start` and `stop`. Both are pickled."""

    work: Work
    arguments: tuple[Any, ...]
    _process: BaseProcess | None = None
    _pipe: Connection | None = None
    _asked: int = 0
    _asking: threading.Lock = field(default_factory=threading.Lock)
    _stopping: threading.Event = field(default_factory=threading.Event)

    def start(self) -> None:
        """Return once the worker is at work. Raises UserError where it ends before or takes too long.

        Where the worker itself ended with a UserError, that is the one.
        """
        if hindrance := self._begin():
            self.stop(0)
            raise UserError(hindrance)
        threading.Thread(target=self._watch, name="worker-watch", daemon=True).start()

    def ready(self) -> Sequence[str]:
        """Why work would not be done now."""
        answer: Sequence[str] | None = self._ask(_READY)
        return ("the worker process does not answer",) if answer is None else answer

    def metrics(self) -> bytes:
        """The worker's metrics in Prometheus's text format; nothing where it does not answer."""
        return self._ask(_METRICS) or b""

    def stop(self, seconds: float) -> None:
        """Let the worker finish its steps for at most `seconds`."""
        self._stopping.set()
        process, pipe = self._process, self._pipe
        if process is None or pipe is None:
            return
        with self._asking:
            try:
                pipe.send((0, _STOP))
            except OSError:
                log.debug("The worker has ended already")
        process.join(seconds)
        if process.is_alive():
            process.kill()
            process.join()

    def _begin(self) -> str:
        """Why the new process is not at work; nothing where it is."""
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(target=_main, args=(self.work, theirs, self.arguments), name="worker")
        process.start()
        theirs.close()
        with self._asking:
            self._process, self._pipe = process, ours
            try:
                if not ours.poll(START_SECONDS):
                    return f"the worker process did not start in {START_SECONDS:g} s"
                said = str(ours.recv())
            except (EOFError, OSError):
                return "the worker process did not start: its reason is in the log above"
        return "" if said == _STARTED else said

    def _watch(self) -> None:
        failures = 0
        while not self._stopping.is_set():
            if self._process is not None:
                self._process.join()
            if self._stopping.wait(PAUSES[min(failures, len(PAUSES) - 1)] if failures else 0.1):
                return
            failures += 1
            log.error("The worker process ended by itself%s; it is started again", self._why())
            if hindrance := self._begin():
                log.error("%s", hindrance)
            else:
                failures = 1

    def _why(self) -> str:
        """In the log, since whom the kernel ends can say nothing any more."""
        fenced = self._process is not None and self._process.exitcode == -signal.SIGALRM
        return ": its lease could not be renewed in time" if fenced else ""

    def _ask(self, what: str) -> Any:  # noqa: ANN401 - whatever the worker answers
        """The worker's answer; None where there is none in time.

        Questions are numbered, so that a late answer is not taken for the next question's.
        """
        deadline = time.monotonic() + ANSWER_SECONDS
        with self._asking:
            if self._pipe is None or self._stopping.is_set():
                return None
            try:
                self._asked += 1
                self._pipe.send((self._asked, what))
                while self._pipe.poll(max(deadline - time.monotonic(), 0)):
                    number, said = self._pipe.recv()
                    if number == self._asked:
                        return said
            except (EOFError, OSError):
                return None
        return None


def answer(pipe: Connection, *, ready: Callable[[], Sequence[str]], metrics: Callable[[], bytes]) -> None:
    """In the worker: say that it is at work, then answer until told to stop."""
    pipe.send(_STARTED)
    while True:
        try:
            number, asked = pipe.recv()
        except (EOFError, OSError):
            os._exit(1)
        if asked == _STOP:
            return
        pipe.send((number, list(ready()) if asked == _READY else metrics()))


def belong_to_parent() -> None:
    """End this process when its parent is gone, and not before: signals of a whole group are the parent's.

    Without that a process of a pool would wait for ever for a parent that was killed.
    """
    _leave_signals_to_parent()
    threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()


def _end_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)


def _leave_signals_to_parent() -> None:
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, signal.SIG_IGN)


def _main(work: Work, pipe: Connection, arguments: tuple[Any, ...]) -> None:
    _leave_signals_to_parent()  # the pipe tells when to stop
    os.nice(NICENESS)
    try:
        work(pipe, *arguments)
    except UserError as error:
        pipe.send(str(error))  # for the listening process to tell, in one line
