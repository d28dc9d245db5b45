"""Work that is started by the clock."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from apscheduler.jobstores.memory import MemoryJobStore

from bot.entrypoints.schedule import Schedule

BEAT = 0.1


@contextmanager
def running(schedule: Schedule) -> Iterator[Schedule]:
    """Between start and stop."""
    schedule.start()
    try:
        yield schedule
    finally:
        schedule.stop()


def test_a_job_runs_at_once_and_again_until_it_is_stopped() -> None:
    """At each interval; nothing is ready before and after."""
    runs: list[float] = []
    schedule = Schedule(BEAT)
    schedule.every(0.1, "job", lambda: runs.append(time.monotonic()))
    assert schedule.ready() == ("the scheduler has stopped",)
    with running(schedule):
        time.sleep(0.45)
        assert not schedule.ready()
    time.sleep(0.05)
    told = len(runs)
    time.sleep(0.25)

    assert 3 <= told == len(runs)
    assert schedule.ready() == ("the scheduler has stopped",)


def test_a_job_that_fails_is_logged_and_runs_again(caplog: pytest.LogCaptureFixture) -> None:
    """The scheduler lives on."""
    runs: list[int] = []

    def job() -> None:
        runs.append(1)
        raise ValueError("no")

    schedule = Schedule(BEAT)
    schedule.every(0.05, "job", job)
    with caplog.at_level(logging.ERROR), running(schedule):
        time.sleep(0.4)
        assert not schedule.ready()

    assert len(runs) >= 2
    assert "raised an exception" in caplog.text


def refuse(_store: MemoryJobStore, _job: object) -> None:
    """What a store does that is out of order."""
    raise KeyError("gone")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_scheduler_whose_thread_has_died_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """It says itself that it runs, after an update that its store refused."""
    schedule = Schedule(BEAT)
    with running(schedule):
        time.sleep(0.2)
        assert not schedule.ready()
        with monkeypatch.context() as broken:
            broken.setattr(MemoryJobStore, "update_job", refuse)
            time.sleep(3 * BEAT)
        time.sleep(8 * BEAT)

        assert schedule._scheduler.running
        assert not schedule._scheduler._thread.is_alive()
        assert schedule.ready() == ("the scheduler has stopped",)


def test_a_job_that_hangs_is_no_sign_of_life() -> None:
    """What comes after it would not be started either."""
    schedule = Schedule(BEAT)
    schedule.every(60, "job", lambda: time.sleep(1.2))
    with running(schedule):
        time.sleep(0.9)
        assert schedule.ready() == ("the scheduler has stopped",)


def test_what_was_missed_is_made_up_for_once() -> None:
    """However late: a job that held up the others for several of its times."""
    runs: list[float] = []
    schedule = Schedule(60)
    schedule.every(60, "a long one", lambda: time.sleep(0.5))
    schedule.every(0.1, "job", lambda: runs.append(time.monotonic()))
    with running(schedule):
        time.sleep(0.55)
        assert 1 <= len(runs) <= 2
