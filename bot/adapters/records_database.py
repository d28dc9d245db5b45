"""The database of our own records, SQLite or PostgreSQL: how it is reached, and its transactions."""

from __future__ import annotations

import hashlib
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from bot.errors import StoreUnavailable, UserError

if TYPE_CHECKING:
    from alembic.config import Config

BUSY_SECONDS = 30
"""How long a writer of SQLite waits for another one; their transactions take milliseconds."""
CONNECT_SECONDS = 10
IDLE_SECONDS = 120
"""How long PostgreSQL lets a process stand still within a transaction, whose locks others wait for."""
_SESSION = (
    f"SET idle_in_transaction_session_timeout = {IDLE_SECONDS * 1000}; "
    "SET tcp_keepalives_idle = 60; SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 6"
)
"""Two minutes for a machine that is lost, too: by itself PostgreSQL would wait for it for two hours."""
VERSION_TABLE = "tuppence_schema"
MIGRATIONS = Path(__file__).parents[1] / "migrations"
_MAY_IDLE = text("SELECT set_config('idle_in_transaction_session_timeout', :idle, true)")
_MOST_TURNS = 8
"""Of the fifteen connections to PostgreSQL: whoever has a turn needs another one for what it does then."""
_MIGRATING = 0x74757070656E6365
"""The advisory lock that lets one of several replicas make the tables of PostgreSQL: `tuppence`."""


class Database:
    """Transactions on the database at `url`, shared by threads. Connects when it is first used.

    `url` is `sqlite:///FILE`, `sqlite:////ABSOLUTE/FILE` or `postgresql://USER:PASSWORD@HOST/NAME`.
    Raises UserError where it is none of these. Every use may raise StoreUnavailable.
    """

    def __init__(self, url: str) -> None:
        parsed = parse_url(url)
        self.name = parsed.render_as_string(hide_password=True)
        """The address without its password."""
        self._file = Path(parsed.database or "") if parsed.drivername == "sqlite" else None
        self._engine = _engine(parsed)
        self._turns = [threading.Lock() for _ in range(64)]
        self._most_turns = threading.BoundedSemaphore(_MOST_TURNS)
        if self._file is None:
            event.listen(self._engine, "connect", _let_go_in_time)
            self._snapshots = self._engine.execution_options(isolation_level="REPEATABLE READ")
        else:
            self._snapshots = self._engine.execution_options(begin="BEGIN")
            event.listen(self._engine, "connect", _leave_transactions_to_us)
            event.listen(self._engine, "begin", _begin)

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that is committed unless something is raised. SQLite has one of them at a time."""
        with self._problems(), self._engine.begin() as connection:
            yield connection

    @contextmanager
    def reading(self, *, idle_seconds: int = IDLE_SECONDS) -> Iterator[Connection]:
        """A transaction that sees one moment of the database and blocks nobody.

        It may be idle for so long on PostgreSQL, 0 for ever.
        """
        with self._problems(), self._snapshots.begin() as connection:
            if self._file is None and idle_seconds != IDLE_SECONDS:
                connection.execute(_MAY_IDLE, {"idle": str(idle_seconds * 1000)})
            yield connection

    @contextmanager
    def turn(self, *name: str | int, idle_seconds: int = 0) -> Iterator[None]:
        """Wait until nobody else has a turn under this name; on PostgreSQL in no other process either.

        There it ends, with StoreUnavailable, after `idle_seconds`; 0 is never, since what is done in a turn
        may wait for somebody outside.
        """
        digest = hashlib.sha256(repr(name).encode()).digest()
        key = int.from_bytes(digest[:8], "big", signed=True)
        if self._file is not None:
            with self._turns[key % len(self._turns)]:
                yield
            return
        with self._most_turns, self.writing() as connection:
            connection.execute(_MAY_IDLE, {"idle": str(idle_seconds * 1000)})
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": key})
            yield

    def has_tables(self) -> bool:
        """Whether this database was ever prepared. Asking does not make a file."""
        with self._problems():
            if self._file is not None and not self._file.exists():
                return False
        with self.reading() as connection:
            return inspect(connection).has_table(VERSION_TABLE)

    def prepare(self) -> None:
        """Bring the tables to this version's shape. Several processes may do it at once.

        Raises UserError where a newer version of Tuppence has been there.
        """
        from alembic import command  # noqa: PLC0415 - slow to import, and readers do without it
        from alembic.util import CommandError  # noqa: PLC0415

        self.make_file()
        try:
            with self.writing() as connection:
                if self._file is None:
                    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATING})
                command.upgrade(_migrations(connection), "head")
        except CommandError as error:
            raise UserError(
                f"the records in {self.name} were written by a newer Tuppence: run that version, "
                "or give this one a database of its own"
            ) from error

    def check(self) -> tuple[str, ...]:
        """Why the database cannot be used; nothing where it answers."""
        try:
            with self.reading() as connection:
                connection.execute(text("SELECT 1"))
        except StoreUnavailable as error:
            return (str(error),)
        return ()

    def close(self) -> None:
        """Let go of all connections."""
        self._engine.dispose()

    def make_file(self) -> None:
        """Make SQLite's file. With a write-ahead log, which it remembers, readers do not stop a writer."""
        if self._file is None:
            return
        with self._problems():
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with self._engine.execution_options(begin="").begin() as connection:
                connection.execute(text("PRAGMA journal_mode=WAL"))

    @contextmanager
    def _problems(self) -> Iterator[None]:
        try:
            yield
        except (SQLAlchemyError, OSError) as error:
            cause = getattr(error, "orig", None) or error
            reason = " ".join(str(cause).split())[:200]
            raise StoreUnavailable(f"the database {self.name} cannot be used: {reason}") from error


def parse_url(url: str) -> URL:
    """The parts of a database URL. Raises UserError where it is none of ours."""
    try:
        parsed = make_url(url)
    except ArgumentError as error:
        raise UserError("TUPPENCE_DATABASE_URL is not a database URL: write sqlite:///FILE") from error
    if parsed.drivername in {"postgres", "postgresql", "postgresql+psycopg"}:
        return parsed.set(drivername="postgresql+psycopg")
    if parsed.drivername != "sqlite":
        raise UserError(
            f"TUPPENCE_DATABASE_URL: {parsed.drivername} is not supported: sqlite and postgresql are"
        )
    if parsed.database in {None, "", ":memory:"} or parsed.query:
        raise UserError("TUPPENCE_DATABASE_URL: SQLite needs a plain file: write sqlite:///FILE")
    return parsed


def _engine(url: URL) -> Engine:
    arguments: dict[str, Any] = {"timeout": BUSY_SECONDS}
    if url.drivername != "sqlite":
        arguments = {"connect_timeout": CONNECT_SECONDS}
    try:
        # Values stay out of error messages: they are what strangers wrote.
        return create_engine(url, hide_parameters=True, pool_pre_ping=True, connect_args=arguments)
    except ModuleNotFoundError as error:
        raise UserError(
            "TUPPENCE_DATABASE_URL: PostgreSQL needs a driver: pip install 'tuppence[postgres]'"
        ) from error


def _let_go_in_time(connection: Any, _record: object) -> None:  # noqa: ANN401 - a driver's connection
    """Whoever never comes back must not keep its locks."""
    connection.execute(_SESSION)
    connection.commit()  # a pool rolls back what it is given back


def _leave_transactions_to_us(connection: sqlite3.Connection, _record: object) -> None:
    """Python's driver would begin a transaction only at the first write."""
    connection.isolation_level = None


def _begin(connection: Connection) -> None:
    """A writer takes SQLite's lock at once: after a read, it is refused where another wrote meanwhile."""
    how = connection.get_execution_options().get("begin", "BEGIN IMMEDIATE")
    if how:
        connection.exec_driver_sql(how)


def _migrations(connection: Connection) -> Config:
    from alembic.config import Config  # noqa: PLC0415 - see prepare

    config = Config(attributes={"connection": connection, "version_table": VERSION_TABLE})
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.set_main_option("path_separator", "os")
    return config
