"""Suggestions on the lines of a pull request: few, never twice, and settled when they are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pytest

from bot.errors import GitHubUnavailable
from bot.records import PublishedSuggestion
from bot.suggestions import MOST, Suggestion
from tests.adapters.github_jobs import Job
from tests.github.faults import Kind
from tests.github.model import ReviewComment
from tests.github.service import github

CREATE = "POST /repos/{owner}/{repo}/pulls/{pull_number}/comments"


@pytest.fixture
def job(tmp_path: Path) -> Iterator[Job]:
    """A pull request that changes line 5; the test ends with an error if GitHub would have refused us."""
    with github(tmp_path / "github") as hub:
        yield Job.on(hub)
    hub.assert_clean()


def suggestion(name: str = "a", line: int = 5, text: str = "line5: 25") -> Suggestion:
    """Another value for line 5."""
    return Suggestion(name, "api.yaml", "", line, text, "The peak is 20.", "<sub>seen</sub>")


def put(
    job: Job,
    *wanted: Suggestion,
    standing: Iterable[str] = (),
    known: Sequence[PublishedSuggestion] = (),
) -> tuple[PublishedSuggestion, ...]:
    """As a process does that has just started; what is wanted also stands."""
    names = {*standing, *(each.fingerprint for each in wanted)}
    return job.reviews.put(job.ref, job.pull.head_sha, wanted, standing=names, known=known)


def there(job: Job) -> list[ReviewComment]:
    """Every review comment on the pull request."""
    return list(job.repository.review_comments.values())


def test_a_suggestion_is_made_on_its_line_and_never_again(job: Job) -> None:
    """Not by the next process, nor for the next head."""
    (made,) = put(job, suggestion())
    job.hub.people.push(job.repository, {"other.yaml": "o: 1\n"}, branch=job.pull.head_ref)
    assert put(job, suggestion()) == (made,)
    (comment,) = there(job)
    assert (comment.path, comment.line, comment.side, comment.start_line) == ("api.yaml", 5, "RIGHT", None)
    assert comment.body.startswith(
        "The peak is 20.\n\n```suggestion\nline5: 25\n```\n\n<sub>seen</sub>\n\n<!-- tuppence:suggestion "
    )
    assert (made.fingerprint, made.comment_id, made.resolved) == ("a", comment.id, False)


def test_what_is_gone_is_settled_once(job: Job) -> None:
    """The comment stays with what people answered; its button goes, and it never comes back."""
    put(job, suggestion("a"), suggestion("b"))
    after = put(job, suggestion("b"))
    assert [each.resolved for each in after] == [True, False]
    assert "suggestion\n" not in there(job)[0].body.split("<!--")[0]
    assert there(job)[0].body.startswith("✅ **Settled** as of ")
    written = job.writes()
    put(job, suggestion("a"), suggestion("b"))
    assert job.writes() == written
    assert len(there(job)) == 2


def test_there_are_never_more_than_five(job: Job) -> None:
    """However many heads the pull request sees."""
    put(job, *[suggestion(f"a{number}") for number in range(4)])
    put(job, *[suggestion(f"b{number}") for number in range(4)])
    assert len(there(job)) == MOST == 5


def test_a_line_outside_of_the_diff_is_left_out(job: Job) -> None:
    """GitHub refuses it; the others are made."""
    made = put(job, suggestion("a", 200), suggestion("b"))
    assert [each.fingerprint for each in made] == ["b"]


@pytest.mark.parametrize("gone", ["force push", "longer than a comment may be"])
def test_what_github_refuses_is_left_out(job: Job, gone: str) -> None:
    """A head that is no part of the pull request any more, a line as long as a file."""
    old = job.pull.head_sha
    text = "x"
    if gone == "force push":
        job.hub.people.push(
            job.repository, {"other.yaml": "o: 1\n"}, branch=job.pull.head_ref, force_from=job.pull.base_sha
        )
    else:
        text = "x" * 70_000
    one = suggestion(text=text)
    assert job.reviews.put(job.ref, old, [one], standing={"a"}, known=()) == ()
    assert there(job) == []


def test_one_that_stands_off_the_diff_is_neither_made_nor_settled(job: Job) -> None:
    """It was made while its line was on the diff."""
    put(job, suggestion("a"))
    written = job.writes()
    (still,) = put(job, standing=["a", "b"])
    assert (still.resolved, job.writes()) == (False, written)


def test_one_that_was_deleted_is_not_made_again(job: Job) -> None:
    """Somebody did not want it; it counts among the five."""
    known = put(job, suggestion("a"))
    job.repository.review_comments.clear()
    (gone,) = put(job, suggestion("a"), known=known)
    assert (gone.resolved, there(job)) == (True, [])
    put(job, *[suggestion(f"b{number}") for number in range(5)], known=known)
    assert len(there(job)) == MOST - 1


def test_one_deleted_at_the_moment_it_is_settled_is_settled(job: Job) -> None:
    """There is nothing left to say."""
    put(job, suggestion("a"))
    job.hub.fault("PATCH /repos/{owner}/{repo}/pulls/comments/{comment_id}", "404")
    (gone,) = put(job)
    assert gone.resolved


def test_a_strangers_copy_of_our_mark_changes_nothing(job: Job) -> None:
    """It neither counts as made nor is edited."""
    put(job, suggestion())
    (comment,) = there(job)
    comment.author = job.hub.people.person("mallory")
    put(job, suggestion())
    assert len(there(job)) == 2


@pytest.mark.usefixtures("in_a_hurry")
@pytest.mark.parametrize("after_effect", [False, True], ids=["not done", "done"])
@pytest.mark.parametrize("kind", ["reset", "cut", "502", "429", "html"])
def test_whatever_fails_trying_again_makes_it_once(job: Job, kind: Kind, after_effect: bool) -> None:
    """The next try looks before it writes."""
    job.hub.fault(CREATE, kind, after_effect=after_effect)
    with pytest.raises(GitHubUnavailable):
        put(job, suggestion())
    put(job, suggestion())
    assert len(there(job)) == 1
