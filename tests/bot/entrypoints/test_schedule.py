"""Work that is started every so often."""

from __future__ import annotations

import logging
import time

import pytest

from bot.entrypoints.schedule import Schedule


def test_a_job_runs_at_once_and_again_until_it_is_stopped() -> None:
    """Each time after the pause."""
    runs: list[float] = []
    schedule = Schedule(lambda: runs.append(time.monotonic()), seconds=0.05)
    assert schedule.ready()
    schedule.start()
    time.sleep(0.3)
    assert not schedule.ready()
    schedule.stop()
    told = len(runs)
    time.sleep(0.15)

    assert 2 <= told == len(runs)
    assert schedule.ready() == ("the scheduler has stopped",)


def test_a_job_that_fails_is_logged_and_runs_again(caplog: pytest.LogCaptureFixture) -> None:
    """The thread lives on."""
    runs: list[int] = []

    def job() -> None:
        runs.append(1)
        raise ValueError("no")

    schedule = Schedule(job, seconds=0.02)
    with caplog.at_level(logging.ERROR):
        schedule.start()
        time.sleep(0.2)
        schedule.stop()

    assert len(runs) >= 2
    assert "is started again" in caplog.text


def test_a_job_that_hangs_is_no_sign_of_life() -> None:
    """`/readyz` says so."""
    schedule = Schedule(lambda: time.sleep(0.4), seconds=0.05)
    schedule.start()
    time.sleep(0.2)

    assert schedule.ready()
    schedule.stop()
