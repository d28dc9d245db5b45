"""Worker processes on one database, of which some end: what they did, and in which order."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy import text

from bot.adapters.records_database import Database
from bot.adapters.records_work import work_database
from tests.end_to_end.bots import wait_for

ROOT = Path(__file__).parents[1]
PROGRAM = """
import os, socket, sys, time
from pathlib import Path
from dbos import DBOS
from bot.adapters.records_work import work_database
from bot.entrypoints import executors, jobs
from bot.entrypoints.schedule import Schedule
from bot.logs import configure
from bot.metrics import WorkMetrics
from bot.redaction import Redactor

url, folder, name, jobs.WORKFLOWS, lease, *errands = sys.argv[1:]
journal, held, told = Path(folder, "journal"), Path(folder, f"hold-{name}"), Path(folder, f"stop-{name}")
executors.TIMES = executors.Times(beat=0.3, fence=float(lease) - 0.5, lease=float(lease), leave=0.5)
socket.gethostname = lambda: name
from bot.composition.replica import Replica  # which takes the version as it is now

def write(line):
    with journal.open("a") as file:
        file.write(f"{name} {line}\\n")

def run(errand):
    write(f"began {errand}")
    while held.exists():
        write("goes on")
        time.sleep(0.01)
    write(f"did {errand}")

class Errands:
    def register(self):
        @DBOS.workflow(name="errand")
        def errand(which):
            jobs.tried("prepare", lambda: write(f"prepared {which}"))
            jobs.tried("run", run, which)
        self.start = errand

configure(Redactor(()), stream=Path(folder, "log").open("a"))
database, work, schedule = work_database(url), Errands(), Schedule()
database.prepare()
replica = Replica(database, url, 8080)
working = jobs.Jobs(database.url, replica.executor, [work])
replica.start()
working.start()
replica.take_over(working, schedule, WorkMetrics(database.undone))
schedule.start()
for each in errands:
    jobs.enqueue(work.start, each, "place", each)
while not told.exists():
    time.sleep(0.02)
schedule.stop()
replica.stop()
working.stop(0)
os._exit(0)
"""
"""`name` does errands, all of them in one turn, until it is told to stop. A held one never ends."""


class Replicas:
    """Worker processes by their names, on one database."""

    def __init__(self, url: str, folder: Path) -> None:
        self._url, self._folder = url, folder
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, *errands: str, version: str = "now", lease: float = 60) -> None:
        """Begin one that asks for errands, all of them in one turn."""
        arguments = [self._url, str(self._folder), name, version, str(lease), *errands]
        self.processes[name] = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, *arguments],
            cwd=ROOT,
            env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"},
        )

    def hold(self, name: str) -> None:
        """Let its next errand never end."""
        (self._folder / f"hold-{name}").touch()

    def release(self, name: str) -> None:
        (self._folder / f"hold-{name}").unlink()

    def tell_to_stop(self, name: str) -> None:
        (self._folder / f"stop-{name}").touch()

    def effects(self) -> list[str]:
        """What all of them did outside, each with its name before it."""
        file = self._folder / "journal"
        return file.read_text().splitlines() if file.exists() else []

    def journal(self) -> list[str]:
        """The same, but for what a held errand does over and over."""
        return [line for line in self.effects() if "goes on" not in line]

    def log(self) -> str:
        return (self._folder / "log").read_text()

    def did(self) -> list[str]:
        """The journal, whoever it was."""
        return [line.split(maxsplit=1)[1] for line in self.journal()]

    def await_end(self, errand: str) -> None:
        wait_for(
            lambda: f"did {errand}" in self.did(),
            what=f"the end of {errand}",
            told=lambda: f"{self.journal()}\n{self.log()}",
        )

    def await_line(self, line: str) -> None:
        wait_for(lambda: line in self.journal(), what=line, told=lambda: f"{self.journal()}\n{self.log()}")


def half_begun_anew(url: str, errand: str) -> None:
    """Leave it as a process does that dies while it begins it anew."""
    work = work_database(url)
    table = "workflow_status" if work.inbox else "dbos.workflow_status"
    with closing(Database(work.url)) as database, database.writing() as connection:
        change = (
            f"UPDATE {table} SET status = 'CANCELLED', queue_name = NULL WHERE workflow_uuid = '{errand}'"  # noqa: S608 - our own
        )
        assert connection.execute(text(change)).rowcount == 1


@contextmanager
def replicas(url: str, folder: Path) -> Iterator[Replicas]:
    with closing(Database(url)) as database:
        database.prepare()
    found = Replicas(url, folder)
    try:
        yield found
    finally:
        for process in found.processes.values():
            process.kill()
            process.wait()
