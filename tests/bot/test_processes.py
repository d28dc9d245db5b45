"""Work in processes of its own."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from bot.composition.processes import Processes, ends_after
from bot.errors import OutsideError, UserError

_begun: list[str] = []


def begin(*told: str) -> None:
    """What a process keeps between calls."""
    _begun.extend(told)


def tell() -> tuple[list[str], int]:
    return _begun, os.getpid()


def refuse() -> None:
    raise UserError("no")


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def hang() -> None:
    with ends_after(1):
        time.sleep(60)


def in_time() -> str:
    with ends_after(1):
        pass
    time.sleep(1.2)
    return "well"


@pytest.fixture
def processes() -> Iterator[Processes]:
    """One at a time."""
    found = Processes("reckoning", 1, begin, ("here",))
    yield found
    found.stop()


def test_a_process_is_begun_once_and_called_often(processes: Processes) -> None:
    """It is not ours, and what it raises comes back."""
    first, again = processes.call(tell), processes.call(tell)
    assert first == again == (["here"], first[1])
    assert first[1] != os.getpid()
    with pytest.raises(UserError, match="no"):
        processes.call(refuse)


@pytest.mark.parametrize("what", [die, hang], ids=["it is killed", "it takes too long"])
def test_one_that_ends_early_is_an_outage_and_the_next_call_has_another(
    processes: Processes, what: Callable[[], None]
) -> None:
    """Whoever called tries it again."""
    with pytest.raises(OutsideError, match="the reckoning ended early"):
        processes.call(what)
    assert processes.call(tell)[0] == ["here"]


def test_what_ended_in_time_is_not_ended_later(processes: Processes) -> None:
    """The alarm is taken back."""
    assert processes.call(in_time) == "well"


def test_stopping_does_not_wait() -> None:
    """What runs is ended; whoever called hears of it."""
    processes = Processes("reckoning", 1, begin, ())
    processes.call(tell)
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
    thread.join(10)
    assert time.monotonic() - began < 5
    assert heard
