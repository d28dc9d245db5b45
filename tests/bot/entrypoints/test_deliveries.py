"""What came in waits on disk until the worker has taken it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from bot.entrypoints.deliveries import Spool, Taking, Work

ONE = Work("event", "event/a/../b", ({"kind": "x", "text": "grün"}, "digest"))


def until(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + 60
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_what_was_put_is_taken_by_a_later_process(tmp_path: Path) -> None:
    """The folder is all that both know."""
    Spool(tmp_path / "inbox").put(ONE)
    taken: list[Work] = []

    taking = Taking(Spool(tmp_path / "inbox"), taken.append)
    taking.start()
    until(lambda: taken)
    taking.stop()

    assert taken == [ONE]
    assert list(Spool(tmp_path / "inbox").waiting()) == []


def test_the_same_twice_is_one_file_inside_the_folder(tmp_path: Path) -> None:
    """An id may hold what a path would follow."""
    spool = Spool(tmp_path / "inbox")
    spool.put(ONE)
    spool.put(ONE)

    [file] = spool.waiting()
    assert file.parent == tmp_path / "inbox"
    assert [entry.name for entry in tmp_path.iterdir()] == ["inbox"]


def test_one_that_cannot_be_taken_stays_and_holds_nothing_up(tmp_path: Path) -> None:
    """A broken file, and work that is refused for now."""
    spool = Spool(tmp_path / "inbox")
    spool.put(Work("event", "refused", ()))
    (tmp_path / "inbox" / "broken").write_text("{")
    spool.put(ONE)
    taken: list[Work] = []

    def take(work: Work) -> None:
        if work.identity == "refused":
            raise OSError
        taken.append(work)

    taking = Taking(spool, take)
    taking.start()
    until(lambda: taken)
    taking.stop()

    assert taken == [ONE]
    assert {file.name for file in spool.waiting()} == {"refused", "broken"}


def test_a_half_written_file_is_not_taken(tmp_path: Path) -> None:
    """A crash while writing leaves a name that is not looked at."""
    spool = Spool(tmp_path / "inbox")
    spool.put(ONE)
    [file] = spool.waiting()
    file.rename(file.with_name(f".{file.name}.1"))

    assert list(spool.waiting()) == []
