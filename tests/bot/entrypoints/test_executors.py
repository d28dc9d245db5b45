"""Several worker processes on one database, and what becomes of the work of one that is gone."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import pytest

from bot.adapters.records_database import Database
from bot.entrypoints.executors import TIMES, Succession, left_behind
from bot.records import Unfinished
from tests.end_to_end.bots import wait_for
from tests.postgres_server import Server

Answer = TypeVar("Answer")
ROOT = Path(__file__).parents[3]
PROGRAM = """
import os, sys, time
from contextlib import nullcontext
from pathlib import Path
from dbos import DBOS
from bot.adapters.records_leases import StoredLeases
from bot.adapters.records_work import work_database
from bot.entrypoints import jobs
from bot.entrypoints.executors import Executor, Succession, Times
from bot.entrypoints.schedule import Schedule
from bot.logs import configure
from bot.redaction import Redactor

url, folder, replica, version, lease, *errands = sys.argv[1:]
journal, held = Path(folder, "journal"), Path(folder, f"hold-{replica}")
name = f"{replica}/{os.getpid()}"

def write(line):
    with journal.open("a") as file:
        file.write(f"{replica} {line}\\n")

def prepare(errand):
    write(f"prepared {errand}")

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
            jobs.tried("prepare", prepare, which)
            jobs.tried("run", run, which)
        self.start = errand

configure(Redactor(()), stream=Path(folder, "log").open("a"))
jobs.WORKFLOWS = version
database = work_database(url)
database.prepare()
leases = StoredLeases(url) if database.inbox is None else None
executor = Executor(name, replica, version, leases, Times(0.2, 2.5, float(lease), 0.5)) if leases else None
work = Errands()
working = jobs.Jobs(database.url, name, [work])
succession = Succession(version, database.unfinished, leases.living if leases else lambda: {name: version},
                        leases.turn if leases else nullcontext, working.go_on, working.begin_anew, lambda _: None)
if executor:
    executor.start()
working.start()
schedule = Schedule()
schedule.every(0.5, "succession", succession.take_over)
schedule.start()
for each in errands:
    jobs.enqueue(work.start, each, "place", each)
while not Path(folder, f"stop-{replica}").exists():
    time.sleep(0.02)
schedule.stop()
working.stop(0)
if executor:
    executor.stop()
os._exit(0)
"""


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
            seconds=15,
            told=lambda: f"{self.journal()}\n{self.log()}",
        )

    def await_line(self, line: str) -> None:
        wait_for(lambda: line in self.journal(), what=line, told=lambda: f"{self.journal()}\n{self.log()}")


@contextmanager
def replicas(url: str, folder: Path) -> Iterator[Replicas]:
    database = Database(url)
    database.prepare()
    database.close()
    found = Replicas(url, folder)
    try:
        yield found
    finally:
        for process in found.processes.values():
            process.kill()
            process.wait()


@pytest.fixture
def several(postgres: Server, tmp_path: Path) -> Iterator[Replicas]:
    """On PostgreSQL."""
    with replicas(postgres.new_database(), tmp_path) as found:
        yield found


def test_what_a_replica_that_never_returns_had_begun_is_done_by_one_other(several: Replicas) -> None:
    """Killed in the middle of its work: that goes on where it stopped, then what waited behind it."""
    several.hold("first")
    several.start("first", "a", "b", lease=3)
    several.await_line("first began a")
    several.start("second", lease=3)
    several.start("third", lease=3)
    several.processes["first"].kill()
    several.await_end("b")
    assert several.did() == ["prepared a", "began a", "began a", "did a", "prepared b", "began b", "did b"]
    assert several.log().count("Took over the work of first/") == 1


def test_a_replica_that_stood_still_ends_before_it_does_anything_more(several: Replicas) -> None:
    """Another one has done its work meanwhile."""
    several.hold("first")
    several.start("first", "a", lease=3)
    several.await_line("first began a")
    several.start("second", lease=3)
    first = several.processes["first"]
    first.send_signal(signal.SIGSTOP)
    several.await_line("second did a")
    before = several.effects()
    first.send_signal(signal.SIGCONT)
    assert first.wait(5) == -signal.SIGALRM
    assert several.effects() == before


def test_a_replica_that_is_told_to_stop_leaves_its_work_to_the_others(several: Replicas) -> None:
    """Long before its lease would have run out."""
    several.hold("first")
    several.start("first", "a")
    several.await_line("first began a")
    several.start("second")
    several.tell_to_stop("first")
    several.await_end("a")
    assert several.did() == ["prepared a", "began a", "began a", "did a"]


def test_a_replica_that_comes_back_goes_on_at_once(database_url: str, tmp_path: Path) -> None:
    """By its name, or as the only one that SQLite has; what an old version had begun begins anew."""
    with replicas(database_url, tmp_path) as several:
        several.hold("first")
        several.start("first", "a", "b", version="old")
        several.await_line("first began a")
        several.processes["first"].kill()
        several.processes["first"].wait()
        several.release("first")
        several.start("first", version="now")
        several.await_end("b")
    assert several.did() == [
        *("prepared a", "began a"),
        *("prepared a", "began a", "did a", "prepared b", "began b", "did b"),
    ]


@pytest.mark.parametrize(
    ("unfinished", "executors", "versions"),
    [
        pytest.param([], [], [], id="nothing"),
        pytest.param([("me", "2"), ("other", "2"), ("", "2")], [], [], id="of the living, or waiting"),
        pytest.param([("gone", "2"), ("me", "2"), ("away", "2")], ["away", "gone"], [], id="of the gone"),
        pytest.param(
            [("elder", "1"), ("gone", "1"), ("", "1")], [], [], id="of a version that has a process"
        ),
        pytest.param([("gone", "0"), ("", "0"), ("", "3")], [], ["0", "3"], id="of versions that have none"),
    ],
)
def test_what_nobody_living_works_on_is_left_behind(
    unfinished: list[tuple[str, str]], executors: list[str], versions: list[str]
) -> None:
    """A living process of version 2 finds it; another is of version 1."""
    living = {"me": "2", "other": "2", "elder": "1"}
    left = left_behind([Unfinished(*each) for each in unfinished], living, "2")
    assert (left.executors, left.versions) == (executors, versions)


def test_who_lives_is_asked_last_and_nobody_else_takes_over_meanwhile() -> None:
    """Whoever began something after the first question lives by the second one."""
    asked: list[str] = []

    @contextmanager
    def turn() -> Iterator[None]:
        asked.append("turn")
        yield
        asked.append("end of turn")

    def note(what: str, answer: Answer) -> Answer:
        asked.append(what)
        return answer

    Succession(
        version="2",
        unfinished=lambda: note("unfinished", [Unfinished("gone", "2"), Unfinished("", "1")]),
        living=lambda: note("living", {"me": "2"}),
        turn=turn,
        go_on=lambda executor: note(f"go on with {executor}", 3),
        begin_anew=lambda versions: note(f"begin {versions} anew", 0),
        took=lambda count: asked.append(f"took {count}"),
    ).take_over()
    assert asked == [
        "turn",
        "unfinished",
        "living",
        "go on with gone",
        "took 3",
        "begin ['1'] anew",
        "end of turn",
    ]


def test_a_process_ends_long_before_others_do_its_work() -> None:
    """However late its last renewal was counted; and it has several tries."""
    assert TIMES.beat * 4 < TIMES.fence < TIMES.lease / 2
