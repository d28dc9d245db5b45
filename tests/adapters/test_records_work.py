"""What waits in the database of durable work, counted without reading it."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from bot.adapters.records_work import WorkDatabase, work_database
from bot.entrypoints.deliveries import Spool, Work

WORKER = """
import sys
from bot.entrypoints.deliveries import Queue, Work
from bot.entrypoints.jobs import Jobs

work = Jobs(sys.argv[1], "one", [])
work.start()
work.stop(1)
queue = Queue(sys.argv[1])
for number in range(3):
    queue.put(Work("event", f"event/{number}", ({}, "", "")))
queue.close()
"""


def filled(url: str) -> WorkDatabase:
    """Three pieces of work, and nobody who works."""
    database = work_database(url)
    database.prepare()
    subprocess.run(
        [sys.executable, "-c", WORKER, database.url], cwd=Path(__file__).parents[2], check=True, timeout=150
    )
    return database


def test_what_is_queued_is_counted(database_url: str) -> None:
    """In SQLite and in PostgreSQL, with the time at which the oldest came."""
    [queued] = filled(database_url).undone()

    assert (queued.queue, queued.state, queued.count) == ("events", "waiting", 3)
    assert timedelta(0) < datetime.now(UTC) - queued.since < timedelta(minutes=2)


def test_what_is_not_done_is_known_by_its_name(database_url: str) -> None:
    """In SQLite and in PostgreSQL."""
    database = filled(database_url)

    assert database.under_way("event", "scan")
    assert not database.under_way("scan", "even")


def test_what_waits_on_disk_is_counted_too(tmp_path: Path) -> None:
    """It was answered, and the worker has not taken it."""
    database = filled(f"sqlite:///{tmp_path}/tuppence.db")
    assert database.inbox is not None
    Spool(database.inbox).put(Work("event", "event/9", ()))

    assert [(each.queue, each.count) for each in database.undone()] == [("events", 3), ("inbox", 1)]
