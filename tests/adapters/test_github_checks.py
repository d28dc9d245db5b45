"""One check run for each commit, with its annotations, on a GitHub that loses answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.errors import GitHubUnavailable
from bot.publication import Annotation, CheckOutput
from bot.records import PublishedCheck
from tests.adapters.github_jobs import Job
from tests.github.faults import Kind
from tests.github.model import CheckRun
from tests.github.service import github

CREATE = "POST /repos/{owner}/{repo}/check-runs"
EDIT = "PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}"


@pytest.fixture
def job(tmp_path: Path) -> Iterator[Job]:
    """A pull request; the test ends with an error if GitHub would not have taken what we sent."""
    with github(tmp_path / "github") as hub:
        yield Job.on(hub)
    hub.assert_clean()


def output(findings: int = 0, conclusion: str = "neutral", title: str = "+$1 a month") -> CheckOutput:
    """A report with that many findings."""
    notes = tuple(
        Annotation("api.yaml", number % 10 + 1, "warning", "api", f"finding {number}")
        for number in range(findings)
    )
    return CheckOutput(conclusion, title, "The whole report.", notes)


def put(job: Job, said: CheckOutput | None, known: PublishedCheck | None = None) -> PublishedCheck:
    """On the pull request's head."""
    return job.checks.put(job.ref, job.pull.head_sha, said, known)


def run(job: Job) -> CheckRun:
    """The only run there is."""
    (only,) = job.hub.check_runs(job.repository)
    return only


def told(job: Job) -> Counter[object]:
    """How often each annotation is on the run."""
    return Counter(note["message"] for note in run(job).annotations)


def test_a_check_begins_and_ends_as_one_run(job: Job) -> None:
    """Remembered or not; with the buttons that people may press."""
    begun = put(job, None)
    assert (run(job).name, run(job).status, run(job).sha) == ("Tuppence", "in_progress", job.pull.head_sha)
    done = put(job, output(conclusion="failure"))
    assert (run(job).status, run(job).conclusion) == ("completed", "failure")
    assert run(job).output["title"] == "+$1 a month"
    assert [action["identifier"] for action in run(job).actions] == ["recheck", "explain"]
    assert (begun.status, done.status) == ("in_progress", "completed")
    assert begun.check_run_id == done.check_run_id == run(job).id
    assert begun.output_hash != done.output_hash


def test_the_same_again_is_not_written(job: Job) -> None:
    """Found by its id or by its commit."""
    done = put(job, output(60))
    written = job.writes()
    assert put(job, output(60)) == done
    assert put(job, output(60), done) == done
    assert job.writes() == written


@pytest.mark.parametrize(("findings", "requests"), [(0, 1), (50, 1), (51, 2), (120, 3)])
def test_annotations_go_in_batches_of_fifty(job: Job, findings: int, requests: int) -> None:
    """GitHub takes no more at once."""
    put(job, output(findings))
    assert job.writes() == requests
    assert told(job) == Counter(f"finding {number}" for number in range(findings))


def test_a_second_report_of_a_head_repeats_no_annotation(job: Job) -> None:
    """GitHub appends them and cannot remove one; only new findings are added."""
    put(job, output(70))
    put(job, None)
    assert run(job).status == "in_progress"
    put(job, output(130, conclusion="failure"))
    assert run(job).conclusion == "failure"
    assert told(job) == Counter(f"finding {number}" for number in range(130))


def test_equal_findings_are_each_told(job: Job) -> None:
    """Two on one line are two annotations."""
    note = Annotation("api.yaml", 1, "notice", "api", "twice")
    for _ in range(2):
        put(job, CheckOutput("neutral", "t", "s", (note, note)))
    assert told(job) == {"twice": 2}


def test_each_head_has_a_run_of_its_own(job: Job) -> None:
    """A push leaves the old one where it is."""
    put(job, output())
    job.hub.people.push(job.repository, {"api.yaml": "a: 1\n"}, branch=job.pull.head_ref)
    put(job, output())
    assert len(job.hub.check_runs(job.repository)) == 2


def test_rerunning_by_button_writes_the_same_run_again(job: Job) -> None:
    """GitHub calls it queued then; the same report completes it."""
    known = put(job, output())
    run(job).status, run(job).conclusion = "queued", None
    put(job, output(), known)
    assert (run(job).status, run(job).conclusion) == ("completed", "neutral")


FAULTS: tuple[Kind, ...] = ("reset", "cut", "502", "429", "html")


@pytest.mark.usefixtures("in_a_hurry")
@pytest.mark.parametrize("after_effect", [False, True], ids=["not done", "done"])
@pytest.mark.parametrize("kind", FAULTS)
@pytest.mark.parametrize(("operation", "nth"), [(CREATE, 1), (EDIT, 1), (EDIT, 2)])
def test_whatever_fails_trying_again_leaves_one_whole_run(
    job: Job, operation: str, nth: int, kind: Kind, after_effect: bool
) -> None:
    """No annotation is lost and none is there twice."""
    fault = job.hub.fault(operation, kind, nth=nth, after_effect=after_effect)
    for _ in range(3):
        try:
            put(job, output(120))
            break
        except GitHubUnavailable:
            continue
    assert fault.hits == 1
    assert (run(job).status, run(job).conclusion) == ("completed", "neutral")
    assert told(job) == Counter(f"finding {number}" for number in range(120))


def test_tokens_may_do_nothing_but_checks(job: Job) -> None:
    """The least that GitHub needs."""
    put(job, output())
    assert [use.granted for use in job.hub.scopes()] == [{"checks": "write", "metadata": "read"}]
