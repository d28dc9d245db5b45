"""Work that is started by the clock."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event

import pytest
from apscheduler.jobstores.memory import MemoryJobStore

from bot.entrypoints.schedule import Schedule

BEAT = 0.1
STOPPED = ("the scheduler has stopped",)


@contextmanager
def running(schedule: Schedule) -> Iterator[Schedule]:
    """Between start and stop."""
    schedule.start()
    try:
        yield schedule
    finally:
        schedule.stop()


def until(true: Callable[[], object]) -> None:
    """Wait until it is true, for as long as a busy machine may need."""
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_job_runs_at_once_and_again_until_it_is_stopped() -> None:
    """At each interval; nothing is ready before and after."""
    runs: list[float] = []
    schedule = Schedule()
    schedule.every(0.1, "job", lambda: runs.append(time.monotonic()))
    assert schedule.ready() == STOPPED
    with running(schedule):
        until(lambda: len(runs) >= 3)
        assert not schedule.ready()
    time.sleep(0.05)
    told = len(runs)
    time.sleep(0.25)

    assert len(runs) == told
    assert runs[2] - runs[0] > 0.1
    assert schedule.ready() == STOPPED


def test_a_job_that_fails_is_logged_and_runs_again(caplog: pytest.LogCaptureFixture) -> None:
    """The scheduler lives on."""
    runs: list[int] = []

    def job() -> None:
        runs.append(1)
        raise ValueError("no")

    schedule = Schedule()
    schedule.every(0.05, "job", job)
    with caplog.at_level(logging.ERROR), running(schedule):
        until(lambda: len(runs) >= 2)
        assert not schedule.ready()

    assert "raised an exception" in caplog.text


def refuse(_store: MemoryJobStore, _job: object) -> None:
    """What a store does that is out of order."""
    raise KeyError("gone")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_scheduler_whose_thread_has_died_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """It says itself that it runs, after an update that its store refused."""
    schedule = Schedule(BEAT)
    with running(schedule):
        until(lambda: not schedule.ready())
        with monkeypatch.context() as broken:
            broken.setattr(MemoryJobStore, "update_job", refuse)
            until(lambda: not schedule._scheduler._thread.is_alive())

        assert schedule._scheduler.running
        until(lambda: schedule.ready() == STOPPED)


def hanging(ended: Event) -> Callable[[], None]:
    """A job that ends when it is told to."""

    def job() -> None:
        ended.wait(60)

    return job


def test_a_job_that_hangs_is_no_sign_of_life() -> None:
    """What comes after it would not be started either; when it has ended all is well."""
    ended = Event()
    schedule = Schedule(BEAT)
    schedule.every(60, "job", hanging(ended))
    with running(schedule):
        until(lambda: schedule.ready() == STOPPED)
        ended.set()
        until(lambda: not schedule.ready())


def test_what_was_missed_is_made_up_for_once() -> None:
    """However late: a job that held up the others for several of its times."""
    ended, runs = Event(), list[float]()
    schedule = Schedule(60)
    schedule.every(60, "a long one", hanging(ended))
    schedule.every(0.1, "job", lambda: runs.append(time.monotonic()))
    with running(schedule):
        time.sleep(0.55)
        assert runs == []
        ended.set()
        free = time.monotonic()
        until(lambda: runs)
        time.sleep(0.05)
        assert len(runs) <= 2 + (time.monotonic() - free) / 0.1
