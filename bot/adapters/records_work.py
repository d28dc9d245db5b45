"""Where durable work is kept: in the records' PostgreSQL, or in a SQLite file beside theirs."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from bot.adapters.records_database import Database, parse_url


@dataclass(frozen=True, slots=True)
class WorkDatabase:
    """`url` as DBOS takes it; `inbox` is a folder for what SQLite cannot take at once."""

    url: str
    inbox: Path | None

    def prepare(self) -> None:
        """Make SQLite's file so that readers do not stop its writer."""
        if self.inbox is not None:
            with closing(Database(self.url)) as database:
                database.make_file()


def work_database(records_url: str) -> WorkDatabase:
    """The one beside the records. Raises UserError for what is no database URL."""
    parsed = parse_url(records_url)
    if parsed.drivername != "sqlite":
        return WorkDatabase(parsed.set(drivername="postgresql").render_as_string(hide_password=False), None)
    file = Path(parsed.database or "")
    beside = file.with_name(f"{file.stem}-work{file.suffix}")
    return WorkDatabase(f"sqlite:///{beside}", beside.with_name(f"{file.stem}-inbox"))
