"""Which worker processes live, in PostgreSQL and by its clock: theirs may differ."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, func, insert, select, update

from bot.adapters.records_database import IDLE_SECONDS, Database
from bot.adapters.records_tables import leases


class StoredLeases:
    """The port over connections of its own: a renewal must not wait for those that work has taken."""

    def __init__(self, url: str) -> None:
        self._database = Database(url)
        self.close = self._database.close

    def join(self, executor: str, replica: str, version: str, seconds: float) -> None:
        """Begin a lease, and end those of earlier processes of the replica."""
        with self._database.writing() as connection:
            connection.execute(delete(leases).where(leases.c.replica == replica))
            connection.execute(
                insert(leases).values(
                    executor=executor, replica=replica, version=version, ends_at=_in(seconds)
                )
            )

    def renew(self, executor: str, seconds: float) -> bool:
        """Let a lease end in so many seconds from now; False where there is none any more."""
        with self._database.writing() as connection:
            renewed = update(leases).where(leases.c.executor == executor).values(ends_at=_in(seconds))
            return connection.execute(renewed).rowcount == 1

    def living(self) -> Mapping[str, str]:
        """The executors whose lease holds, with their version; the other leases are gone for ever."""
        with self._database.writing() as connection:
            connection.execute(delete(leases).where(leases.c.ends_at < func.now()))
            rows = connection.execute(select(leases.c.executor, leases.c.version))
            return {row.executor: row.version for row in rows}

    def turn(self) -> AbstractContextManager[None]:
        """Wait until no other process takes anything over; one that stands still meanwhile loses its turn."""
        return self._database.turn("succession", idle_seconds=IDLE_SECONDS)


def _in(seconds: float) -> ColumnElement[datetime]:
    return func.now() + timedelta(seconds=seconds)
