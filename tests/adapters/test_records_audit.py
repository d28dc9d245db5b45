"""The audit chain in a database: written by many, tampered with, purged."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from bot.adapters.records import Records
from bot.errors import StoreUnavailable
from bot.records import Decision
from estimators.audit_chain import AuditFact, AuditRow, Verified, verify

ROOT = Path(__file__).parents[2]
NOW = datetime(2026, 11, 21, 20, 54, 3, tzinfo=UTC)


def fact(number: int, at: datetime = NOW) -> AuditFact:
    """A change of a policy like any other."""
    return AuditFact(
        at=at, actor=f"user{number}", action="policy", subject="shop/manifests", key=f"policy/{number}"
    )


def state(url: str) -> Verified:
    """What a fresh process finds."""
    with closing(Records(url)) as records, records.audit.chain() as (head, rows):
        return verify(rows, head)


def tamper(url: str, statement: str) -> None:
    """What somebody with the database's password can do."""
    engine = create_engine(url.replace("postgresql:", "postgresql+psycopg:"))
    with engine.begin() as connection:
        connection.execute(text(statement))
    engine.dispose()


@pytest.fixture
def filled(database_url: str) -> str:
    """The address of a store with five audit rows."""
    records = Records(database_url)
    records.prepare()
    for number in range(5):
        records.audit.append(fact(number))
    records.close()
    return database_url


@pytest.fixture
def records(filled: str) -> Iterator[Records]:
    """The same store, open."""
    opened = Records(filled)
    yield opened
    opened.close()


def test_a_store_that_was_never_used_is_an_empty_chain(database_url: str) -> None:
    """Reading it makes no file and no table."""
    assert state(database_url) == Verified(0, state(database_url).head, ())
    with closing(Records(database_url)) as records, pytest.raises(StoreUnavailable):
        records.heads.newest(1, 2)


def test_a_fact_is_written_once(records: Records, filled: str) -> None:
    """A step that runs again after a crash finds its row."""
    again = records.audit.append(replace(fact(2), at=NOW + timedelta(days=1)))
    assert (again.seq, again.actor, again.at) == (3, "user2", "2026-11-21T20:54:03.000000Z")
    assert state(filled).rows == 5


@pytest.mark.parametrize("column", [name for name in AuditRow.__slots__ if name != "seq"])
def test_a_changed_field_is_found_and_its_row_named(filled: str, column: str) -> None:
    """By whoever can write to the database."""
    tamper(filled, f"UPDATE audit SET {column} = 'x' WHERE seq = 3")  # noqa: S608 - our own column names
    assert "row 3 " in state(filled).problems[0]


@pytest.mark.parametrize(
    ("statement", "said"),
    [
        pytest.param("UPDATE audit SET seq = 9 WHERE seq = 3", "row 3 missing", id="renumbered"),
        pytest.param("DELETE FROM audit WHERE seq = 1", "row 2 is the first", id="first removed"),
        pytest.param("DELETE FROM audit WHERE seq > 3", "row 3 is the last, but row 5", id="end cut off"),
        pytest.param("DELETE FROM audit", "row 0 is the last, but row 5", id="emptied"),
        pytest.param("UPDATE audit_head SET seq = 0", "row 5 is the last, but row 0", id="head"),
        pytest.param("UPDATE audit_head SET hash = 'x'", "noted as the last with x", id="hash of the head"),
        pytest.param(
            "INSERT INTO audit SELECT 6, at, actor, action, subject, details, 'k', hash, previous FROM audit "
            "WHERE seq = 5",
            "row 6",
            id="inserted",
        ),
    ],
)
def test_a_changed_table_is_found(filled: str, statement: str, said: str) -> None:
    """Rows removed, moved or added behind the bot's back."""
    tamper(filled, statement)
    assert any(said in problem for problem in state(filled).problems)


@pytest.mark.parametrize("table", ["audit", "audit_head"])
def test_a_table_that_is_gone_is_no_empty_chain(filled: str, table: str) -> None:
    """It is an error, with a line that says so."""
    tamper(filled, f"DROP TABLE {table}")
    with pytest.raises(StoreUnavailable, match=table):
        state(filled)


def append_many(url: str, first: int) -> int:
    """One process's work: facts of its own, and some that all write."""
    records = Records(url)
    for number in range(first, first + 25):
        records.audit.append(fact(number))
        records.audit.append(fact(100_000 + number % 25))
    records.close()
    return 25


def test_many_processes_write_one_whole_chain(filled: str) -> None:
    """No row is lost, none is there twice, and the numbers have no gap."""
    with ProcessPoolExecutor(4, mp_context=get_context("spawn")) as pool:
        written = sum(pool.map(append_many, [filled] * 4, range(1000, 5000, 1000)))
    assert state(filled) == Verified(5 + written + 25, state(filled).head, ())
    assert state(filled).head.seq == 5 + written + 25


WRITER = """
import sys
from tests.adapters.test_records_audit import Records, fact
records = Records(sys.argv[1])
for number in range(100_000):
    records.audit.append(fact(number))
    print(number, flush=True)
"""


def test_what_was_acknowledged_outlives_a_kill(filled: str) -> None:
    """SIGKILL at any moment leaves a whole chain, and starting over writes no fact twice."""
    before = 5
    for last in (3, 12, 31):
        with subprocess.Popen(
            [sys.executable, "-c", WRITER, filled], cwd=ROOT, stdout=subprocess.PIPE, text=True
        ) as writer:
            assert writer.stdout is not None
            for line in writer.stdout:
                if int(line) >= last:
                    break
            writer.kill()
            acknowledged = int((line + writer.stdout.read()).split()[-1])
        found = state(filled)
        assert found.problems == ()
        assert acknowledged < found.rows <= max(before, acknowledged + 2)
        before = found.rows


def test_of_two_who_decide_at_once_one_wins(filled: str) -> None:
    """Both learn who; the audit has one row of it."""
    records, start = Records(filled), threading.Barrier(8)
    held: list[Decision] = []

    def decide(number: int) -> None:
        decision = Decision(
            repository=1,
            number=12,
            head_sha="a" * 40,
            report_hash="r",
            guardrail="money",
            decision="approve" if number % 2 else "reject",
            approver_id=number,
            approver=f"user{number}",
            reason="",
            comment_id=number,
            pull_request="shop/manifests#12",
            at=NOW,
        )
        start.wait()
        held.append(records.decisions.decide(decision))

    threads = [threading.Thread(target=decide, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(held) == 8
    assert len(set(held)) == 1
    with records.audit.chain() as (_, rows):
        actors = [row.actor for row in rows if row.subject == "shop/manifests#12"]
    assert actors == [held[0].approver]
    records.close()
    assert state(filled).problems == ()


def test_a_purged_chain_is_whole(records: Records, filled: str) -> None:
    """Its checkpoint says what was removed; it may be purged again and again."""
    later = NOW + timedelta(days=100)
    for number in range(5, 8):
        records.audit.append(fact(number, at=later))
    assert records.purge(before=later, now=later)["audit"] == 5
    assert (state(filled).rows, state(filled).problems) == (4, ())
    assert records.purge(before=later, now=later)["audit"] == 0
    assert state(filled).rows == 4
    much_later = later + timedelta(days=100)
    assert records.purge(before=much_later, now=much_later)["audit"] == 4
    assert (state(filled).rows, state(filled).problems) == (1, ())
    records.audit.append(fact(8, at=much_later))
    assert (state(filled).head.seq, state(filled).problems) == (11, ())
    tamper(filled, "DELETE FROM audit WHERE action = 'audit.purged'")
    assert "row 11 is the first" in state(filled).problems[0]


def test_a_young_row_is_never_purged_with_older_ones_behind_it(records: Records, filled: str) -> None:
    """Clocks differ between replicas: the chain is cut at its beginning only."""
    records.audit.append(fact(5, at=NOW + timedelta(days=100)))
    records.audit.append(fact(6, at=NOW))
    assert records.purge(before=NOW + timedelta(days=50), now=NOW)["audit"] == 5
    assert (state(filled).rows, state(filled).problems) == (3, ())
