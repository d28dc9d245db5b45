"""What is too old is removed once a day, finished work with it."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

from tests.postgres_server import Server

ROOT = Path(__file__).parents[3]
PROGRAM = """
import sys, time
from dbos import DBOS
from bot.entrypoints import maintenance_jobs
from bot.entrypoints.jobs import Jobs
database, journal, executor, *days = sys.argv[1:]

def purge_records():
    with open(journal, "a") as file:
        file.write("purged\\n")
    return {"reports": 3}

maintenance_jobs.AT_ONCE = 2
maintenance = maintenance_jobs.MaintenanceWorkflows(purge_records)
work = Jobs(database, executor, [maintenance])
work.start()
for day in days:
    maintenance.purge(day)
deadline = time.monotonic() + 100
while time.monotonic() < deadline and DBOS.list_workflows(status=["ENQUEUED", "PENDING"], executor_id=executor):
    time.sleep(0.05)
time.sleep(0.3)
work.stop(1)
"""


def run(folder: Path, *days: str, database: str = "", replicas: int = 1) -> int:
    """Workers that are asked to purge on each of `days`; how often records were purged in all so far."""
    journal = folder / "journal"
    journal.touch()
    url = database or f"sqlite:///{folder}/work.db"
    environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}
    workers = [
        subprocess.Popen(
            [sys.executable, "-c", PROGRAM, url, str(journal), f"replica-{number}", *days],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
        for number in range(replicas)
    ]
    for worker in workers:
        _, said = worker.communicate(timeout=150)
        assert worker.returncode == 0, said.decode()
    return len(journal.read_text().splitlines())


def ended(database: sqlite3.Connection, name: str, day: str) -> None:
    """Let a piece of work have ended on `day`."""
    at = datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp() * 1000
    database.execute("UPDATE workflow_status SET completed_at = ? WHERE workflow_uuid = ?", (at, name))


def test_a_day_is_purged_once_and_old_finished_work_goes_with_it(tmp_path: Path) -> None:
    """What ended thirty days before, with all its parts; what another replica has under way stays."""
    old = [f"purge/2026-09-0{day}" for day in range(1, 6)]
    assert run(tmp_path, *(name.removeprefix("purge/") for name in old)) == 5
    with closing(sqlite3.connect(tmp_path / "work.db")) as database, database:
        for name in old[:3]:
            ended(database, name, "2026-09-01")
        ended(database, old[3], "2026-09-10")
        database.execute(
            "UPDATE workflow_status SET status = 'PENDING', executor_id = 'another', completed_at = NULL, "
            "created_at = 0 WHERE workflow_uuid = ?",
            (old[4],),
        )

    assert run(tmp_path, "2026-10-02", "2026-10-02") == 6
    with closing(sqlite3.connect(tmp_path / "work.db")) as database:
        kept = {name for (name,) in database.execute("SELECT workflow_uuid FROM workflow_status")}
        parts = {name for (name,) in database.execute("SELECT workflow_uuid FROM operation_outputs")}
    assert kept == parts == {old[3], old[4], "purge/2026-10-02"}


def test_several_replicas_purge_once_between_them(tmp_path: Path, postgres: Server) -> None:
    """Each asks on the same days, at the same time."""
    url = postgres.new_database()
    assert run(tmp_path, "2026-10-01", "2026-10-02", database=url, replicas=3) == 2
