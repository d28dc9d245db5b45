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
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from dbos import DBOSClient

from bot.entrypoints.github_jobs import EVENT
from bot.entrypoints.jobs import EVENTS, NAME, WORKFLOWS, Json
from bot.github_events import Delivery, Event, Ignored, to_json

LOOK_SECONDS = 0.05
AGAIN_SECONDS = 5.0
log = logging.getLogger(__name__)

Start = Callable[[str, Json], None]
"""Makes durable work of an event under its digest; a second time does nothing."""


class Deliveries(Protocol):
    """Where the listening process puts what came in."""

    def receive(self, delivery: Delivery, event: Event) -> None:
        """Persist one delivery. Raises where it cannot."""
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

    def receive(self, delivery: Delivery, event: Event) -> None:
        """Persist one delivery's work. The digest of its body is its id: a second delivery does nothing."""
        if not isinstance(event, Ignored):
            self.start(delivery.digest, to_json(event))

    def start(self, digest: str, event: Json) -> None:
        """Persist the work of an event."""
        self._client.enqueue(
            {
                "queue_name": EVENTS,
                "workflow_name": EVENT,
                "workflow_id": f"event/{digest}",
                "app_version": WORKFLOWS,
            },
            event,
            digest,
        )

    def close(self) -> None:
        """Let go of the database."""
        self._client.destroy()


@dataclass(frozen=True, slots=True)
class Spool:
    """A folder of deliveries that were answered and are not work yet; it is made where it is missing."""

    folder: Path

    def receive(self, delivery: Delivery, event: Event) -> None:
        """Write one delivery so that it outlives a crash of the machine."""
        if isinstance(event, Ignored):
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        partial = self.folder / f".{delivery.digest}.{threading.get_ident()}"
        with partial.open("w", encoding="utf-8") as file:
            json.dump(to_json(event), file)
            file.flush()
            os.fsync(file.fileno())
        partial.rename(self.folder / delivery.digest)
        place = os.open(self.folder, os.O_RDONLY)
        try:
            os.fsync(place)
        finally:
            os.close(place)

    def close(self) -> None:
        """Nothing is held open."""

    def waiting(self) -> Iterator[tuple[str, Path]]:
        """What was not taken yet, the oldest first."""
        with suppress(FileNotFoundError), os.scandir(self.folder) as entries:
            found = [(entry.stat().st_mtime_ns, entry.name) for entry in entries if entry.name[0] != "."]
            for _, name in sorted(found):
                yield name, self.folder / name


@dataclass(slots=True)
class Taking:
    """A thread of the worker that makes durable work of what waits in a spool, between `start` and `stop`."""

    spool: Spool
    begin: Start
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
            taken = not [None for digest, file in self.spool.waiting() if not self._take(digest, file)]
            self._stopped.wait(LOOK_SECONDS if taken else AGAIN_SECONDS)

    def _take(self, digest: str, file: Path) -> bool:
        """One that cannot be taken does not hold up the others."""
        if self._stopped.is_set():
            return False
        try:
            self.begin(digest, json.loads(file.read_text(encoding="utf-8")))
            file.unlink()
        except Exception:
            log.exception("A stored delivery could not be taken; it is tried again")
            return False
        return True
