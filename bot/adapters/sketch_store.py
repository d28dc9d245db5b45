"""Sketches of past days, kept in SQLite so that only new days are asked of Prometheus.

It is a cache: whatever is wrong with the file, it is set aside and begun anew, and that is said.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from bot.adapters.usage_sketches import DaySketch, decode, encode

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, Engine, Table

WHOLE_CLUSTER = "*"
"""The namespace of a row that says: all namespaces of this day are here."""
BUSY_SECONDS = 30
MOST_PARAMETERS = 500

Found = TypeVar("Found")


class Place(NamedTuple):
    """What one sketch is of."""

    namespace: str
    day: date


class SketchStore:
    """Sketches by scope, namespace and day, in the SQLite file `path`, which need not exist.

    A scope names everything that changes what a sketch holds: the server, its selector, the step.
    Several processes may use one file at once; the last to write a day wins. `notes` says, for
    people, when the file could not be used: the answers are the same, only slower.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.notes: list[str] = []
        self._ready: tuple[Engine, Table] | None = None

    def stored(self, scope: str, days: Collection[date]) -> frozenset[Place]:
        """The places of `days` that are there, the mark of a whole cluster among them."""

        def find(connection: Connection, table: Table) -> frozenset[Place]:
            query = table.select().with_only_columns(table.c.namespace, table.c.day)
            rows = connection.execute(query.where(table.c.scope == scope, _between(table, days)))
            return frozenset(Place(namespace, day) for namespace, day in rows if day in days)

        return self._run(find, frozenset()) if days else frozenset()

    def read(self, scope: str, places: Collection[Place]) -> dict[Place, DaySketch]:
        """The sketches of `places`. One that is not there misses, and is fetched again."""
        days = {place.day for place in places}
        namespaces = {place.namespace for place in places}

        def load(connection: Connection, table: Table) -> dict[Place, DaySketch]:
            query = table.select().where(table.c.scope == scope, _between(table, days))
            if len(namespaces) < MOST_PARAMETERS:
                query = query.where(table.c.namespace.in_(namespaces))
            rows = ((Place(row.namespace, row.day), row.payload) for row in connection.execute(query))
            return {place: decode(payload) for place, payload in rows if place in places}

        return self._run(load, {}) if places else {}

    def write(self, scope: str, sketches: Mapping[Place, DaySketch]) -> None:
        """Keep the sketches, in the place of older ones."""
        rows = [
            {"scope": scope, **place._asdict(), "payload": encode(sketch)}
            for place, sketch in sketches.items()
        ]

        def save(connection: Connection, table: Table) -> None:
            connection.execute(table.insert().prefix_with("OR REPLACE"), rows)

        if rows:
            self._run(save, None)

    def close(self) -> None:
        """Let go of the file."""
        if self._ready is not None:
            self._ready[0].dispose()
            self._ready = None

    def _run(self, work: Callable[[Connection, Table], Found], otherwise: Found) -> Found:
        """What `work` does in one transaction; `otherwise` where the file is no use now."""
        from sqlalchemy.exc import DatabaseError, OperationalError  # noqa: PLC0415 - slow to import

        try:
            engine, table = self._ready = self._ready or _open(self.path)
            with engine.begin() as connection:
                return work(connection, table)
        except (OperationalError, OSError):
            self._say("cannot be used (locked, full or read-only), so nothing was remembered")
        except (DatabaseError, ValueError):
            self.close()
            with suppress(OSError):  # another process was faster, or the next run will say it again
                self.path.replace(self.path.with_name(self.path.name + ".broken"))
            self._say("was broken; it was set aside and is built anew")
        return otherwise

    def _say(self, what: str) -> None:
        line = f"the cache of past usage {self.path} {what}"
        if line not in self.notes:
            self.notes.append(line)


def _between(table: Table, days: Collection[date]) -> ColumnElement[bool]:
    return table.c.day.between(min(days), max(days))


def _open(path: Path) -> tuple[Engine, Table]:
    from sqlalchemy import (  # noqa: PLC0415 - slow to import, and not every command asks
        Column,
        Date,
        LargeBinary,
        MetaData,
        String,
        Table,
        create_engine,
    )
    from sqlalchemy.schema import CreateTable  # noqa: PLC0415 - see above

    path.parent.mkdir(parents=True, exist_ok=True)
    table = Table(
        "usage_days",
        MetaData(),
        Column("scope", String, primary_key=True),
        Column("namespace", String, primary_key=True),
        Column("day", Date, primary_key=True),
        Column("payload", LargeBinary, nullable=False),
    )
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": BUSY_SECONDS})
    try:
        with engine.begin() as connection:
            connection.execute(CreateTable(table, if_not_exists=True))
    except Exception:
        engine.dispose()
        raise
    return engine, table
