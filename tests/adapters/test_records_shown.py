"""Which pull requests hold back the check of a commit that others have as well; both databases."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime

import pytest

from bot.adapters.records import Records
from bot.records import ShownPullRequest

NOW = datetime(2026, 11, 22, 2, 20, tzinfo=UTC)


@pytest.fixture
def records(database_url: str) -> Iterator[Records]:
    """An empty store."""
    with closing(Records(database_url)) as store:
        store.prepare()
        yield store


def shown(number: int, *, blocked: bool = True, repository: int = 7) -> ShownPullRequest:
    return ShownPullRequest(
        repository=repository,
        number=number,
        name=f"acme/shop#{number}",
        address="https://github.com",
        author="ana",
        told="needs approval",
        blocked=blocked,
        open=True,
        at=NOW,
    )


def held_by(records: Records, head: str, number: int) -> list[int]:
    return [other.number for other in records.shown.blocked_with(7, head, number)]


def test_an_open_pull_request_of_the_same_commit_that_is_blocked_holds_the_check(records: Records) -> None:
    """Not itself, none of another commit or repository, none that passes."""
    for number, head, blocked in ((1, "a", True), (2, "a", True), (3, "b", True), (4, "a", False)):
        records.heads.see(7, number, head, NOW)
        records.shown.keep(shown(number, blocked=blocked))
    records.heads.see(8, 5, "a", NOW)
    records.shown.keep(shown(5, repository=8))

    assert held_by(records, "a", 1) == [2]
    assert held_by(records, "a", 4) == [1, 2]
    assert held_by(records, "b", 3) == []


def test_it_is_let_go_by_a_push_an_approval_and_a_close(records: Records) -> None:
    """Whichever comes first."""
    for number in (1, 2, 3):
        records.heads.see(7, number, "a", NOW)
        records.shown.keep(shown(number))
    records.heads.see(7, 1, "b", NOW.replace(hour=3))
    records.shown.keep(shown(2, blocked=False))
    records.shown.note_state(7, 3, is_open=False)

    assert held_by(records, "a", 4) == []
