"""The process that works, as the one that listens starts it."""

from __future__ import annotations

import time
from multiprocessing.connection import Connection

import pytest

from bot.entrypoints.worker_process import ANSWER_SECONDS, WorkerProcess, answer
from bot.errors import UserError


def work(pipe: Connection, reason: str) -> None:
    """A worker that says it is ready, unless there is a reason against it."""
    if reason:
        raise UserError(reason)
    answer(pipe, ready=lambda: ["the database is away"], metrics=lambda: b"tuppence_steps_total 1\n")


def test_what_a_person_can_mend_is_told_in_their_words(capfd: pytest.CaptureFixture[str]) -> None:
    """And no traceback stands before it."""
    with pytest.raises(UserError, match=r"^GITHUB_APP_PRIVATE_KEY: it is no key$"):
        WorkerProcess(work, ("GITHUB_APP_PRIVATE_KEY: it is no key",)).start()
    assert capfd.readouterr().err == ""


def slow_work(pipe: Connection) -> None:
    """A worker whose first word on being ready comes too late."""
    pauses = [ANSWER_SECONDS + 0.5]

    def ready() -> list[str]:
        time.sleep(pauses.pop() if pauses else 0)
        return []

    answer(pipe, ready=ready, metrics=lambda: b"tuppence_steps_total 1\n")


def test_a_late_answer_is_not_taken_for_that_to_another_question() -> None:
    """The worker was busy, and says so a moment later."""
    worker = WorkerProcess(slow_work, ())
    worker.start()
    assert worker.ready() == ("the worker process does not answer",)
    assert worker.metrics() == b"tuppence_steps_total 1\n"
    assert worker.ready() == []
    worker.stop(5)


def test_a_worker_answers_until_it_is_stopped() -> None:
    """With what it says of itself."""
    worker = WorkerProcess(work, ("",))
    worker.start()
    assert worker.ready() == ["the database is away"]
    assert worker.metrics() == b"tuppence_steps_total 1\n"
    worker.stop(5)
    assert worker.metrics() == b""
