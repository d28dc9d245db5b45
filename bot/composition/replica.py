"""The worker process among those that share its database; nobody shares SQLite's."""

from __future__ import annotations

import socket
from contextlib import nullcontext
from secrets import token_hex

from bot.adapters.records_leases import StoredLeases
from bot.adapters.records_work import WorkDatabase
from bot.entrypoints import executors
from bot.entrypoints.jobs import WORKFLOWS, Jobs
from bot.entrypoints.schedule import Schedule
from bot.metrics import WorkMetrics


class Replica:
    """Its lease, between `start` and `stop`, and what it takes over from others.

    A replica is known by its host's name and its port: the process that comes back there goes on at once with
    what the one before it had begun. `executor` is the name of this process alone.
    """

    def __init__(self, database: WorkDatabase, database_url: str, port: int) -> None:
        replica = f"{socket.gethostname()}:{port}"
        self.executor = f"{replica}/{token_hex(4)}"
        self._database = database
        self._leases = StoredLeases(database_url) if database.inbox is None else None
        self._holder = (
            executors.Executor(self.executor, replica, WORKFLOWS, self._leases, executors.TIMES)
            if self._leases
            else None
        )

    def start(self) -> None:
        """Hold a lease, before any work is begun. Raises OutsideError."""
        if self._holder is not None:
            self._holder.start()

    def take_over(self, jobs: Jobs, schedule: Schedule, metrics: WorkMetrics) -> None:
        """Take over what others leave behind, now and later on; alone, what was begun before.

        Raises OutsideError.
        """
        leases = self._leases
        succession = executors.Succession(
            version=WORKFLOWS,
            unfinished=self._database.unfinished,
            living=leases.living if leases else lambda: {self.executor: WORKFLOWS},
            turn=leases.turn if leases else nullcontext,
            go_on=jobs.go_on,
            begin_anew=jobs.begin_anew,
            took=metrics.took_over,
        )
        if leases:
            schedule.every(executors.TIMES.beat, "succession", succession.take_over)
        else:
            succession.take_over()

    def stop(self) -> None:
        """Leave what is begun to others."""
        if self._holder is not None:
            self._holder.stop()
