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

from bot.entrypoints.executors import TIMES, Succession, left_behind
from bot.records import Unfinished
from tests.postgres_server import Server
from tests.replicas import ROOT, Replicas, half_begun_anew, replicas

Answer = TypeVar("Answer")


@pytest.fixture
def several(postgres: Server, tmp_path: Path) -> Iterator[Replicas]:
    """On PostgreSQL."""
    with replicas(postgres.new_database(), tmp_path) as found:
        yield found


def test_what_a_replica_that_never_returns_had_begun_is_done_by_one_other(several: Replicas) -> None:
    """Killed in the middle of its work: that goes on where it stopped, then what waited behind it."""
    several.hold("first")
    several.start("first", "a", "b", lease=6)
    several.await_line("first began a")
    several.start("second", lease=6)
    several.start("third", lease=6)
    several.processes["first"].kill()
    several.await_end("b")
    assert several.did() == ["prepared a", "began a", "began a", "did a", "prepared b", "began b", "did b"]
    assert several.log().count("Took over the work of first:8080/") == 1


def test_a_replica_that_stood_still_ends_before_it_does_anything_more(several: Replicas) -> None:
    """Another one has done its work meanwhile."""
    several.hold("first")
    several.start("first", "a", lease=6)
    several.await_line("first began a")
    several.start("second", lease=6)
    first = several.processes["first"]
    first.send_signal(signal.SIGSTOP)
    several.await_line("second did a")
    before = several.effects()
    first.send_signal(signal.SIGCONT)
    assert first.wait(60) == -signal.SIGALRM
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
        half_begun_anew(database_url, "b")
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
        "unfinished",
        "living",
        "turn",
        "unfinished",
        "living",
        "go on with gone",
        "took 3",
        "begin ['1'] anew",
        "end of turn",
    ]


ALONE = """
import signal, sys, threading, time
from bot.entrypoints.executors import Executor, Times
from bot.errors import StoreUnavailable

renewed = threading.Semaphore(0)

class Leases:
    def join(self, executor, replica, version, seconds):
        pass

    def renew(self, executor, seconds):
        renewed.release()
        if sys.argv[1] == "away":
            raise StoreUnavailable("the database is away")
        return sys.argv[1] == "held"

fence = float(sys.argv[2])
began = time.monotonic()
Executor("pod-0/a", "pod-0", "1", Leases(), Times(0.05, fence, 90, 90)).start()
for _ in range(4):
    renewed.acquire()
if sys.argv[1] != "held":
    time.sleep(60)
# By then the third one at the latest has put off the end, to a fence from when it began.
assert time.monotonic() + signal.getitimer(signal.ITIMER_REAL)[0] > began + fence + 0.1
"""


@pytest.mark.parametrize(
    ("lease", "fence", "status"),
    [
        pytest.param("held", 60, 0, id="renewed"),
        pytest.param("away", 0.5, -signal.SIGALRM, id="no database"),
        pytest.param("taken", 60, 1, id="taken over"),
    ],
)
def test_a_process_works_only_while_its_lease_is_renewed(lease: str, fence: float, status: int) -> None:
    """Not for a moment after it was taken; for a while where it cannot be known."""
    program = [sys.executable, "-c", ALONE, lease, str(fence)]
    assert subprocess.run(program, cwd=ROOT, capture_output=True, check=False).returncode == status


def test_a_process_ends_long_before_others_do_its_work() -> None:
    """However late its last renewal was counted; and it has several tries."""
    assert TIMES.beat * 4 < TIMES.fence < TIMES.lease / 2
