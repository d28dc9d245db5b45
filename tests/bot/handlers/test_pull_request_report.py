"""What is said when a head could not be estimated."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bot.adapters.records import Records
from bot.handlers.pull_request_report import Sight, say_failure
from tests.adapters.github_jobs import Job
from tests.github.service import github


@pytest.fixture
def job(tmp_path: Path) -> Iterator[Job]:
    """A pull request."""
    with github(tmp_path / "github") as hub:
        yield Job.on(hub)
    hub.assert_clean()


@pytest.fixture
def records(tmp_path: Path) -> Iterator[Records]:
    """Of nothing yet."""
    with closing(Records(f"sqlite:///{tmp_path}/records.db")) as opened:
        opened.prepare()
        yield opened


def fail(job: Job, records: Records, order: int) -> None:
    """The head of that order could not be estimated."""
    sight = Sight(job.pulls.facts(job.ref), job.head(order, sha=f"{order}" * 40))
    say_failure(sight, "GitHub answered 502", comments=job.comments, publications=records.publications)


def commented(job: Job, records: Records, order: int) -> None:
    """There is a comment, which speaks of the head of that order."""
    made = job.comments.put(job.ref, ["+$69"], job.head(order, sha=f"{order}" * 40), None, create=True)
    assert made is not None
    records.publications.keep_comment(made)


def test_a_comment_on_an_older_head_says_that_the_new_one_could_not_be_estimated(
    job: Job, records: Records
) -> None:
    """Once, however often the step runs."""
    commented(job, records, 1)
    fail(job, records, 2)
    writes = job.writes()
    fail(job, records, 2)

    [comment] = job.ours()
    assert comment.body.startswith("**Could not estimate `2222222`.** GitHub answered 502.")
    assert job.writes() == writes


def test_a_comment_on_this_head_or_a_newer_one_stays(job: Job, records: Records) -> None:
    """What it says is still true."""
    commented(job, records, 2)
    for order in (2, 1):
        fail(job, records, order)

    assert job.ours()[0].body.startswith("+$69")


def test_where_there_is_no_comment_none_is_made(job: Job, records: Records) -> None:
    """The check says it."""
    fail(job, records, 1)

    assert job.ours() == []
