"""Work in processes of their own."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from bot.composition.processes import Processes
from bot.errors import OutsideError
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
