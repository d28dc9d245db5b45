"""Deliveries on their way to the worker: stored by a process that does nothing else.

PostgreSQL takes them as durable work at once. SQLite has one writer, whom the worker keeps busy, so there
they wait in a folder, a file each, until the worker has taken them.
"""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import quote

from dbos import DBOSClient

from bot.entrypoints.jobs import EVENTS, NAME, WORKFLOWS

LOOK_SECONDS = 0.05
AGAIN_SECONDS = 5.0
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be started: a workflow by its name, under an id that makes a second start do nothing.

    `arguments` are JSON.
    """

    workflow: str
    identity: str
    arguments: tuple[Any, ...]


class Deliveries(Protocol):
    """Where the listening process puts what came in."""

    def put(self, work: Work) -> None:
        """Persist it. Raises where that cannot be done."""
        ...

    def close(self) -> None:
        """Let go of what was opened."""
        ...


class Queue:
    """The worker's database itself, which the worker has made before."""

    def __init__(self, database_url: str) -> None:
        self._client = DBOSClient(
            system_database_url=database_url, application_name=NAME, retry_connection_errors=False
        )

    def put(self, work: Work) -> None:
        """Persist it as a workflow that waits for the worker."""
        self._client.enqueue(
            {
                "queue_name": EVENTS,
                "workflow_name": work.workflow,
                "workflow_id": work.identity,
                "app_version": WORKFLOWS,
            },
            *work.arguments,
        )

    def close(self) -> None:
        """Let go of the database."""
        self._client.destroy()


@dataclass(frozen=True, slots=True)
class Spool:
    """A folder of deliveries that were answered and are not work yet; it is made where it is missing."""

    folder: Path

    def put(self, work: Work) -> None:
        """Write it so that it outlives a crash of the machine."""
        self.folder.mkdir(parents=True, exist_ok=True)
        name = quote(work.identity, safe="")
        partial = self.folder / f".{name}.{threading.get_ident()}"
        with partial.open("w", encoding="utf-8") as file:
            json.dump(asdict(work), file)
            file.flush()
            os.fsync(file.fileno())
        partial.rename(self.folder / name)
        place = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(place)
        finally:
            os.close(place)

    def close(self) -> None:
        """Nothing is held open."""

    def waiting(self) -> Iterator[Path]:
        """What was not taken yet, the oldest first."""
        with suppress(FileNotFoundError), os.scandir(self.folder) as entries:
            found = [(entry.stat().st_mtime_ns, entry.name) for entry in entries if entry.name[0] != "."]
            for _, name in sorted(found):
                yield self.folder / name


@dataclass(slots=True)
class Taking:
    """A thread of the worker that hands on what waits in a spool, between `start` and `stop`."""

    spool: Spool
    hand_on: Callable[[Work], None]
    _stopped: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to look."""
        self._thread = threading.Thread(target=self._work, name="deliveries", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End; what is left waits for the next start."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join(5)

    def _work(self) -> None:
        while not self._stopped.is_set():
            taken = not [None for file in self.spool.waiting() if not self._take(file)]
            self._stopped.wait(LOOK_SECONDS if taken else AGAIN_SECONDS)

    def _take(self, file: Path) -> bool:
        """One that cannot be taken does not hold up the others."""
        if self._stopped.is_set():
            return False
        try:
            told = json.loads(file.read_text(encoding="utf-8"))
            self.hand_on(Work(told["workflow"], told["identity"], tuple(told["arguments"])))
            file.unlink()
        except Exception:
            log.exception("A stored delivery could not be taken; it is tried again")
            return False
        return True
