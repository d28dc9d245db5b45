"""How fast we write to GitHub."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.adapters.github_app import WRITE_PULL_REQUESTS, AppTokens
from bot.adapters.github_client import path
from bot.adapters.github_pacing import Pacer
from bot.errors import GitHubUnavailable
from tests.adapters.github_jobs import Job
from tests.github.service import github


class Clock:
    """The time, which passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """Seconds."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """It is later."""
        self.now += seconds


@given(
    limits=st.lists(st.tuples(st.integers(1, 5), st.integers(1, 20)), min_size=1, max_size=3),
    pauses=st.lists(st.floats(0, 8), max_size=40),
)
def test_no_window_ever_has_more_than_its_limit(limits: list[tuple[int, float]], pauses: list[float]) -> None:
    """Whatever the limits, and however the writes come."""
    clock, written = Clock(), []
    pacer = Pacer(limits, clock=clock, sleep=clock.sleep)
    for pause in pauses:
        clock.sleep(pause)
        pacer.wait()
        written.append(clock.now)

    for most, seconds in limits:
        for start in written:
            assert sum(start <= at < start + seconds * 0.999999 for at in written) <= most


def test_nobody_waits_below_the_limits() -> None:
    """A pull request is three writes."""
    clock = Clock()
    pacer = Pacer(clock=clock, sleep=clock.sleep)
    for _ in range(80):
        pacer.wait()
    assert clock.now == 1000.0
    pacer.wait()
    assert clock.now == 1070.0


def test_what_github_asks_for_holds_for_everybody() -> None:
    """A shorter wait does not end a longer one."""
    clock = Clock()
    pacer = Pacer(clock=clock, sleep=clock.sleep)
    pacer.hold(60)
    pacer.hold(5)
    pacer.wait()
    assert clock.now == 1060.0


@pytest.fixture
def job(tmp_path: Path) -> Iterator[Job]:
    """A pull request on a GitHub whose minute is short."""
    with github(tmp_path / "github") as hub:
        job = Job.on(hub)
        hub.limits.writes_a_minute, hub.limits.minute = 5, 0.5
        yield job
    hub.assert_clean()


def burst(job: Job, tokens: AppTokens, writes: int) -> list[GitHubUnavailable]:
    """So many comments from so many threads at once; what was refused."""
    refused = []

    def write(number: int) -> None:
        endpoint = path("repos", "acme", "shop", "issues", job.pull.number, "comments")
        with tokens.client(job.ref.installation, job.ref.repository, WRITE_PULL_REQUESTS) as client:
            try:
                client.post(endpoint, {"body": f"number {number}"})
            except GitHubUnavailable as error:
                refused.append(error)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(writes)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    return refused


def paced(job: Job, *limits: tuple[int, float]) -> AppTokens:
    """The app, which thinks that these are the limits."""
    return AppTokens(job.hub.app_id, job.hub.private_key, job.hub.api_url, writes=limits)


def test_a_burst_of_threads_is_written_without_a_refusal(job: Job) -> None:
    """Each job has a client of its own, and the installation one pacer."""
    began = time.monotonic()
    assert burst(job, paced(job, (5, 2.5)), 8) == []
    assert len(job.ours()) == 8
    assert job.hub.limits.refused == 0
    assert time.monotonic() - began > 2.5


def test_without_a_pace_the_same_burst_is_refused(job: Job) -> None:
    """The fake bites, else the test above would show nothing."""
    assert burst(job, paced(job, (100, 1.0)), 12)
    assert job.hub.limits.refused > 0


def test_a_refusal_makes_all_writes_of_the_installation_wait(job: Job) -> None:
    """And no reads."""
    tokens = paced(job, (100, 1.0))
    job.hub.fault("POST */comments", "secondary", retry_after=3)
    [refusal] = burst(job, tokens, 1)
    assert refusal.retry_after == 3.0
    began = time.monotonic()
    with tokens.client(job.ref.installation, job.ref.repository, WRITE_PULL_REQUESTS) as client:
        client.get(path("repos", "acme", "shop", "pulls", job.pull.number))
        assert time.monotonic() - began < 2.5
    assert burst(job, tokens, 1) == []
    assert time.monotonic() - began > 2.5
