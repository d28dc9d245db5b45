"""Where durable work is kept: in the records' PostgreSQL, or in a SQLite file beside theirs."""

from __future__ import annotations

from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from sqlalchemy import Text, column, select, table, text

from bot.adapters.records_database import Database, parse_url
from bot.records import Undone, Unfinished

_TABLES = "workflow_status", "dbos.workflow_status"
"""DBOS's own, in SQLite and in PostgreSQL: its listing would read every row."""
_OPEN = "WHERE status IN ('ENQUEUED', 'PENDING')"
_COUNT = "SELECT queue_name, status, count(*), min(created_at) FROM"
_UNDONE = tuple(f"{_COUNT} {table} {_OPEN} GROUP BY queue_name, status" for table in _TABLES)
_WHOSE = "SELECT DISTINCT CASE status WHEN 'PENDING' THEN executor_id ELSE '' END, application_version FROM"
_UNFINISHED = tuple(
    f"{_WHOSE} {table} {_OPEN} UNION {_WHOSE} {table} WHERE status = 'CANCELLED'" for table in _TABLES
)
"""Nothing of ours is cancelled but to be begun anew at once. Each half has an index of its own."""


@dataclass(frozen=True, slots=True)
class WorkDatabase:
    """`url` as DBOS takes it; `inbox` is a folder for what SQLite cannot take at once."""

    url: str
    inbox: Path | None

    def undone(self) -> list[Undone]:
        """What is not done yet, finished work aside. Raises StoreUnavailable."""
        found = []
        with closing(Database(self.url)) as database, database.reading() as connection:
            for queue, status, count, created in connection.execute(text(_UNDONE[self.inbox is None])):
                state: Literal["waiting", "begun"] = "waiting" if status == "ENQUEUED" else "begun"
                found.append(Undone(queue or "", state, count, _moment(created / 1000)))
        if stored := self._stored():
            found.append(Undone("inbox", "waiting", len(stored), _moment(min(stored))))
        return found

    def under_way(self, *workflows: str) -> bool:
        """Whether any workflow of these names is not done yet. Raises StoreUnavailable."""
        name, status = column("name", Text), column("status", Text)
        kept = table("workflow_status", name, status, schema="dbos" if self.inbox is None else None)
        query = select(name).select_from(kept).where(name.in_(workflows), status.in_(("ENQUEUED", "PENDING")))
        with closing(Database(self.url)) as database, database.reading() as connection:
            return connection.execute(query.limit(1)).first() is not None

    def unfinished(self) -> list[Unfinished]:
        """Whose work is not done yet. Raises StoreUnavailable."""
        with closing(Database(self.url)) as database, database.reading() as connection:
            rows = connection.execute(text(_UNFINISHED[self.inbox is None])).all()
        return [Unfinished(executor, version) for executor, version in rows]

    def _stored(self) -> list[float]:
        """When each file of the inbox came."""
        if self.inbox is None or not self.inbox.is_dir():
            return []
        times = []
        for file in self.inbox.iterdir():
            with suppress(FileNotFoundError):  # it was taken meanwhile
                times.append(file.stat().st_mtime)
        return times

    def prepare(self) -> None:
        """Make SQLite's file so that readers do not stop its writer."""
        if self.inbox is not None:
            with closing(Database(self.url)) as database:
                database.make_file()


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def work_database(records_url: str) -> WorkDatabase:
    """The one beside the records. Raises UserError for what is no database URL."""
    parsed = parse_url(records_url)
    if parsed.drivername != "sqlite":
        return WorkDatabase(parsed.set(drivername="postgresql").render_as_string(hide_password=False), None)
    file = Path(parsed.database or "")
    beside = file.with_name(f"{file.stem}-work{file.suffix}")
    return WorkDatabase(f"sqlite:///{beside}", beside.with_name(f"{file.stem}-inbox"))
