"""Addresses, migrations, outages: what surrounds the records."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from threading import Event

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from bot.adapters.records import Records
from bot.adapters.records_database import VERSION_TABLE, Database, _migrations
from bot.adapters.records_tables import metadata
from bot.errors import StoreUnavailable, UserError
from tests.postgres_server import Server

OLD_DECISION = (
    "INSERT INTO approvals VALUES "
    "(1, 12, 'a', 'r', 'approve', 7, 'ann', '', 8, 'acme/shop#12', '2026-11-01 00:00:00')"
)


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """One with its tables."""
    opened = Database(database_url)
    opened.prepare()
    yield opened
    opened.close()


def test_the_migrations_make_the_tables_that_the_code_uses(database: Database) -> None:
    """Whoever changes a table and forgets the step hears of it here."""
    with database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE})
        assert compare_metadata(context, metadata) == []


def test_a_database_that_answers_gives_no_reason_to_worry(database: Database) -> None:
    """For `/readyz`."""
    assert database.check() == ()


def test_connections_that_were_cut_are_replaced(postgres: Server) -> None:
    """PostgreSQL was restarted, or a firewall forgot us: nobody notices."""
    with closing(Records(postgres.new_database())) as records:
        records.prepare()
        postgres.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname LIKE 'test%'")
        assert records.heads.newest(1, 2) is None
        assert records.check() == ()


def test_who_stands_still_within_a_transaction_loses_its_locks(postgres: Server) -> None:
    """After two minutes, unless it is told otherwise: another one goes on."""
    url = postgres.new_database()
    with closing(Database(url)) as frozen, closing(Database(url)) as other:
        with frozen.reading() as connection:
            assert connection.execute(text("SHOW idle_in_transaction_session_timeout")).scalar() == "2min"
        with pytest.raises(StoreUnavailable), frozen.turn("work", idle_seconds=1), other.turn("work"):
            pass


def test_preparing_again_changes_nothing(database: Database) -> None:
    """As at every start of the bot."""
    assert database.has_tables()
    database.prepare()
    with database.reading() as connection:
        assert connection.execute(text("SELECT count(*) FROM audit_head")).scalar() == 1


def test_decisions_of_before_guardrails_had_names_are_kept(database_url: str) -> None:
    """They are about no guardrail, and two on one report can be written from then on."""
    with closing(Database(database_url)) as database:
        database.make_file()
        with database.writing() as connection:
            command.upgrade(_migrations(connection), "1")
            connection.execute(text(OLD_DECISION))
        database.prepare()
    with closing(Records(database_url)) as records:
        [old] = records.decisions.on(1, 12)
        assert (old.approver, old.guardrail) == ("ann", "")
        new = replace(old, guardrail="money")
        assert records.decisions.decide(new) == new
        assert len(records.decisions.on(1, 12)) == 2


def prepare(url: str) -> bool:
    """What a replica does when it starts."""
    database = Database(url)
    database.prepare()
    database.close()
    return True


def test_replicas_may_start_at_once(database_url: str) -> None:
    """One makes the tables, the others wait for it."""
    with ProcessPoolExecutor(4, mp_context=get_context("spawn")) as pool:
        assert all(pool.map(prepare, [database_url] * 4))


def test_records_of_a_newer_version_are_left_alone(database: Database) -> None:
    """And the person who went back is told so."""
    with database.writing() as connection:
        connection.execute(text("UPDATE tuppence_schema SET version_num = '999'"))
    with pytest.raises(UserError, match="written by a newer Tuppence"):
        database.prepare()


def test_what_raises_leaves_nothing_behind(database: Database) -> None:
    """A transaction is whole or not there."""

    def fail() -> None:
        with database.writing() as connection:
            connection.execute(text("INSERT INTO heads VALUES (1, 2, 'a', 3)"))
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    with database.reading() as connection:
        assert connection.execute(text("SELECT count(*) FROM heads")).scalar() == 0


def test_a_reader_sees_one_moment_and_stops_nobody(database: Database) -> None:
    """An export of a year of rows does not hold up the bot."""
    count = text("SELECT count(*) FROM heads")
    with database.reading() as reader:
        assert reader.execute(count).scalar() == 0
        with database.writing() as writer:
            writer.execute(text("INSERT INTO heads VALUES (1, 2, 'a', 3)"))
        assert reader.execute(count).scalar() == 0
    with database.reading() as reader:
        assert reader.execute(count).scalar() == 1


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        pytest.param("tuppence.db", "not a database URL", id="a path"),
        pytest.param("", "not a database URL", id="empty"),
        pytest.param("mysql://root@db/x", "mysql is not supported", id="another database"),
        pytest.param("sqlite://", "needs a plain file", id="in memory"),
        pytest.param("sqlite:///:memory:", "needs a plain file", id="in memory, said so"),
        pytest.param("sqlite:///a.db?mode=ro", "needs a plain file", id="options"),
    ],
)
def test_an_address_that_cannot_be_used_is_refused(url: str, reason: str) -> None:
    """In one line that names the setting."""
    with pytest.raises(UserError, match=f"TUPPENCE_DATABASE_URL.*{reason}"):
        Records(url)


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_an_outage_is_one_line_without_the_password(scheme: str) -> None:
    """Nobody listens on port 1."""
    records = Records(f"{scheme}://bot:hunter2@127.0.0.1:1/tuppence")
    [reason] = records.check()
    assert "hunter2" not in reason
    uses: list[Callable[[], object]] = [records.prepare, partial(records.heads.newest, 1, 2)]
    for use in uses:
        with pytest.raises(StoreUnavailable, match="cannot be used") as caught:
            use()
        assert "hunter2" not in str(caught.value)
        assert "\n" not in str(caught.value)
    records.close()


def test_a_file_that_is_no_database_is_said_and_left_alone(tmp_path: Path) -> None:
    """It may be somebody's only copy of something."""
    path = tmp_path / "tuppence.db"
    path.write_bytes(b"my thesis" * 1000)
    records = Records(f"sqlite:///{path}")
    with pytest.raises(StoreUnavailable, match="not a database"):
        records.prepare()
    records.close()
    assert path.read_bytes() == b"my thesis" * 1000


def test_a_folder_that_is_missing_is_made(tmp_path: Path) -> None:
    """And one that cannot be made is said."""
    (tmp_path / "file").touch()
    records = Records(f"sqlite:///{tmp_path / 'deep' / 'er' / 'tuppence.db'}")
    records.prepare()
    records.close()
    with closing(sqlite3.connect(tmp_path / "deep" / "er" / "tuppence.db")) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    records = Records(f"sqlite:///{tmp_path / 'file' / 'tuppence.db'}")
    with pytest.raises(StoreUnavailable, match="cannot be used"):
        records.prepare()


def test_one_at_a_time_has_a_turn_under_a_name(database_url: str) -> None:
    """On PostgreSQL in all processes, on SQLite in the only one that works. Other names do not wait."""
    with closing(Database(database_url)) as mine, closing(Database(database_url)) as theirs:
        other = mine if database_url.startswith("sqlite") else theirs
        began, said = Event(), Event()

        def follow() -> None:
            began.set()
            with other.turn("check", 7, "a"):
                said.set()

        with ThreadPoolExecutor() as pool:
            with mine.turn("check", 7, "a"), other.turn("check", 7, "b"):
                following = pool.submit(follow)
                began.wait(60)
                assert not said.wait(0.2)
            following.result(60)
        assert said.is_set()
