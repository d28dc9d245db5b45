"""Work in processes of their own."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from bot.composition.processes import Processes, ends_after, takes_at_most
from bot.errors import OutsideError, UserError
from bot.logs import about, told_about


@pytest.fixture
def processes() -> Iterator[Processes]:
    """One, which begins with nothing."""
    made = Processes("analysis", 1, tuple, ())
    yield made
    made.stop()


def test_what_is_logged_there_says_what_it_is_about(processes: Processes) -> None:
    """And forgets it after the call."""
    with about(delivery="72d3162e", pull_request="acme/shop#12"):
        assert processes.call(told_about) == {"delivery": "72d3162e", "pull_request": "acme/shop#12"}
    assert processes.call(told_about) == {}


def test_one_that_dies_is_told_and_replaced(processes: Processes) -> None:
    """As the kernel does where memory is short."""
    with pytest.raises(OutsideError, match="the analysis ended early"):
        processes.call(signal.raise_signal, signal.SIGKILL)
    assert processes.call(os.getpid) != os.getpid()


def test_processes_that_had_enough_are_replaced_however_much_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Python's own pool starts none in their place where calls have piled up."""
    monkeypatch.setattr("bot.composition.processes.BEFORE_A_NEW_PROCESS", 2)
    made = Processes("analysis", 2, tuple, ())
    try:
        with ThreadPoolExecutor(12) as callers:
            done = [callers.submit(made.call, os.getpid) for _ in range(12)]
            assert len({one.result(30) for one in done}) >= 6
    finally:
        made.stop()


def test_processes_without_work_end_and_begin_anew() -> None:
    """Not while there is any, however long it takes."""
    made = Processes("digest", 1, tuple, (), rests_after=0.3)
    try:
        assert made.call(in_time) == "well"
        first = made.call(os.getpid)
        deadline = time.monotonic() + 30
        while Path(f"/proc/{first}").exists():
            assert time.monotonic() < deadline
            time.sleep(0.05)
        assert made.call(os.getpid) != first
    finally:
        made.stop()


_begun: list[str] = []


def begin(*told: str) -> None:
    """What a process keeps between calls."""
    _begun.extend(told)


def tell() -> tuple[list[str], int]:
    return _begun, os.getpid()


def refuse() -> None:
    raise UserError("no")


def hang() -> None:
    with ends_after(1):
        time.sleep(60)


def in_time() -> str:
    with ends_after(1):
        pass
    time.sleep(1.2)
    return "well"


def test_a_process_is_begun_once_and_called_often() -> None:
    """It is not ours, and what it raises comes back."""
    made = Processes("reckoning", 1, begin, ("here",))
    try:
        first, again = made.call(tell), made.call(tell)
        assert first == again == (["here"], first[1])
        assert first[1] != os.getpid()
        with pytest.raises(UserError, match="no"):
            made.call(refuse)
    finally:
        made.stop()


def test_one_that_takes_too_long_is_ended_and_replaced(processes: Processes) -> None:
    """Whoever called tries it again. What ended in time is not ended later: the alarm is taken back."""
    with pytest.raises(OutsideError, match="the analysis ended early"):
        processes.call(hang)
    assert processes.call(in_time) == "well"


def test_one_that_wants_all_the_memory_does_not_get_it() -> None:
    """It is told so, and neither ended itself nor what works beside it."""
    made = Processes("analysis", 1, takes_at_most, (100_000_000,))
    try:
        before = made.call(os.getpid)
        with pytest.raises(UserError, match="the analysis needs more memory than it may take"):
            made.call(bytearray, 200_000_000)
        assert made.call(os.getpid) == before
    finally:
        made.stop()


def test_stopping_does_not_wait(processes: Processes) -> None:
    """What runs is ended; whoever called hears of it."""
    processes.call(os.getpid)
    heard: list[str] = []

    def call() -> None:
        try:
            processes.call(time.sleep, 60)
        except OutsideError as error:
            heard.append(str(error))

    thread = threading.Thread(target=call)
    thread.start()
    time.sleep(0.3)
    began = time.monotonic()
    processes.stop()
    thread.join(50)
    assert time.monotonic() - began < 50
    assert heard


ONCE = """
import os
from bot.composition.processes import Processes, import_once
from tests.bot.composition import imported_once

import_once([imported_once.__name__])
made = Processes("analysis", 1, tuple, ())
imported_in, called_in = made.call(imported_once.told)
made.stop()
assert len({imported_in, called_in, os.getpid()}) == 3
"""


def test_what_all_need_is_imported_once_for_all() -> None:
    """Not by each process, and not by the one that calls them alone."""
    subprocess.run([sys.executable, "-c", ONCE], check=True, cwd=Path(__file__).parents[3])
