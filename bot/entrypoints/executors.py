"""Worker processes that share a database: which of them live, and who does the work of one that is gone.

Each is an executor under a name that never comes back. It holds a lease, by the database's clock, and renews
it; once that has run out, what it had begun is another one's. It must do nothing by then: the kernel ends a
process that could not renew its lease for a much shorter time, also one that was stopped meanwhile.
"""

from __future__ import annotations

import logging
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

from bot.errors import OutsideError
from bot.records import Unfinished

log = logging.getLogger(__name__)


class Leases(Protocol):
    """The leases of the executors that share a database. Each call may raise OutsideError."""

    def join(self, executor: str, replica: str, version: str, seconds: float) -> None:
        """Begin a lease. Those of earlier processes of the same replica end: it has one at a time."""
        ...

    def renew(self, executor: str, seconds: float) -> bool:
        """Let a lease end in so many seconds from now; False where others have its work."""
        ...

    def living(self) -> Mapping[str, str]:
        """The executors whose lease holds, with their version. All others can never renew theirs."""
        ...


class Times(NamedTuple):
    """In seconds. `fence` is the longest that a process works without a renewal: shorter than a `lease`."""

    beat: float = 15.0
    fence: float = 120.0
    lease: float = 300.0
    leave: float = 15.0
    """How long after its last word a process that was told to stop may be there still."""


TIMES = Times()


@dataclass(slots=True)
class Executor:
    """The process itself among those that share a database: it holds a lease between `start` and `stop`."""

    name: str
    replica: str
    version: str
    leases: Leases
    times: Times
    _stopped: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin, before any work does; in the main thread. Raises OutsideError."""
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        began = time.monotonic()
        self.leases.join(self.name, self.replica, self.version, self.times.lease)
        _end_process_at(began + self.times.fence)
        self._thread = threading.Thread(target=self._keep, name="lease", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Leave what was begun to others: they wait as long as this process may now take to end."""
        if self._thread is None:
            return
        self._stopped.set()
        self._thread.join(1)
        self._renew(self.times.leave, self.times.leave)

    def _keep(self) -> None:
        while not self._stopped.wait(self.times.beat):
            self._renew(self.times.lease, self.times.fence)

    def _renew(self, lease: float, fence: float) -> None:
        began = time.monotonic()  # the database may have counted from then on
        try:
            held = self.leases.renew(self.name, lease)
        except OutsideError as error:
            log.warning("The lease could not be renewed; without it this process ends: %s", error)
            return
        if not held:
            log.critical("The lease of %s is over, and its work another one's: this process ends", self.name)
            os._exit(1)
        _end_process_at(began + fence)


def _end_process_at(moment: float) -> None:
    """Let the kernel end this process at a moment of the monotonic clock, unless this is called again before.

    SIGALRM waits for a process that is stopped, and ends it before it goes on.
    """
    signal.setitimer(signal.ITIMER_REAL, max(moment - time.monotonic(), 0.001))


class LeftBehind(NamedTuple):
    """What nobody living works on: what `executors` had begun, and all that is of `versions`."""

    executors: Sequence[str]
    versions: Sequence[str]


def left_behind(unfinished: Iterable[Unfinished], living: Mapping[str, str], version: str) -> LeftBehind:
    """What a process of this `version` is to take over.

    Work of another version is left to its own executors while there is any.
    """
    found = list(unfinished)
    return LeftBehind(
        sorted({it.executor for it in found if it.version == version} - {"", *living}),
        sorted({it.version for it in found} - {version, *living.values()}),
    )


@dataclass(frozen=True, slots=True)
class Succession:
    """Takes over what others left behind; one process at a time, inside `turn`.

    `go_on` goes on with what an executor had begun, `begin_anew` begins all work of some versions from its
    first step, since another version has other steps. Both give how much it was; `took` is told that.
    """

    version: str
    unfinished: Callable[[], Iterable[Unfinished]]
    living: Callable[[], Mapping[str, str]]
    turn: Callable[[], AbstractContextManager[object]]
    go_on: Callable[[str], int]
    begin_anew: Callable[[Sequence[str]], int]
    took: Callable[[int], None]

    def take_over(self) -> None:
        """Look, and take over. Raises OutsideError."""
        if not any(self._left()):
            return
        with self.turn():
            left = self._left()  # by whoever had the turn before
            for executor in left.executors:
                self._tell(self.go_on(executor), executor)
            if left.versions:
                self._tell(self.begin_anew(left.versions), f"version {', '.join(left.versions)}")

    def _left(self) -> LeftBehind:
        unfinished = self.unfinished()  # first: whoever begins something later on is among the living
        return left_behind(unfinished, self.living(), self.version)

    def _tell(self, count: int, whose: str) -> None:
        if count:
            log.info("Took over the work of %s", whose, extra={"pieces": count})
            self.took(count)
