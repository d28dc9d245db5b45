"""Which worker processes live, by the clock of a real PostgreSQL."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest

from bot.adapters.records import Records
from bot.adapters.records_leases import StoredLeases
from tests.postgres_server import Server


@pytest.fixture
def url(postgres: Server) -> str:
    """A database with its tables."""
    url = postgres.new_database()
    records = Records(url)
    records.prepare()
    records.close()
    return url


@pytest.fixture
def leases(url: str) -> Iterator[StoredLeases]:
    """Those of one process."""
    stored = StoredLeases(url)
    yield stored
    stored.close()


def test_a_lease_holds_while_it_is_renewed(leases: StoredLeases) -> None:
    """Whose it is, and of which version, is known by it."""
    leases.join("pod-0/a", "pod-0", "1", 0.01)
    assert leases.renew("pod-0/a", 60)
    time.sleep(0.02)
    assert leases.living() == {"pod-0/a": "1"}


def test_a_lease_that_others_saw_run_out_is_never_renewed(leases: StoredLeases) -> None:
    """They have taken over its work."""
    leases.join("pod-0/a", "pod-0", "1", 0.01)
    leases.join("pod-1/b", "pod-1", "1", 60)
    time.sleep(0.02)
    assert leases.living() == {"pod-1/b": "1"}
    assert not leases.renew("pod-0/a", 60)


def test_a_replica_has_one_process_at_a_time(leases: StoredLeases) -> None:
    """Where one begins under its name, the one before it has ended, or has to end."""
    leases.join("pod-0/a", "pod-0", "1", 60)
    leases.join("pod-1/b", "pod-1", "1", 60)
    leases.join("pod-0/c", "pod-0", "2", 60)
    assert leases.living() == {"pod-0/c": "2", "pod-1/b": "1"}
    assert not leases.renew("pod-0/a", 60)


def test_one_process_takes_over_at_a_time(leases: StoredLeases, url: str) -> None:
    """The others wait until it is done."""
    other, said = StoredLeases(url), []

    def take_over() -> None:
        with other.turn():
            said.append("the other one")

    waiting = threading.Thread(target=take_over)
    with leases.turn():
        waiting.start()
        waiting.join(0.2)
        said.append("the first one")
    waiting.join(60)
    other.close()
    assert said == ["the first one", "the other one"]
