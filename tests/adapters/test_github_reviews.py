"""Suggestions on the lines of a pull request: few, never twice, and settled when they are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.adapters.github_reviews import MOST
from bot.errors import GitHubUnavailable
from bot.suggestions import Suggestion
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


def suggestion(name: str = "a", first: int = 5, last: int = 5, text: str = "line5: 25") -> Suggestion:
    """Another value for line 5."""
    return Suggestion(name, "api.yaml", first, last, text, "The peak is 20.")


def there(job: Job) -> list[ReviewComment]:
    """Every review comment on the pull request."""
    return list(job.repository.review_comments.values())


def test_a_suggestion_is_made_on_its_line_and_never_again(job: Job) -> None:
    """Not by the next process, nor for the next head."""
    (made,) = job.reviews.put(job.ref, job.pull.head_sha, [suggestion()])
    job.hub.people.push(job.repository, {"other.yaml": "o: 1\n"}, branch=job.pull.head_ref)
    assert job.reviews.put(job.ref, job.pull.head_sha, [suggestion()]) == (made,)
    (comment,) = there(job)
    assert (comment.path, comment.line, comment.side, comment.start_line) == ("api.yaml", 5, "RIGHT", None)
    assert comment.body.startswith(
        "The peak is 20.\n\n```suggestion\nline5: 25\n```\n\n<!-- tuppence:suggestion "
    )
    assert (made.fingerprint, made.comment_id, made.resolved) == ("a", comment.id, False)


def test_several_lines_can_be_replaced(job: Job) -> None:
    """From the first to the last."""
    job.reviews.put(job.ref, job.pull.head_sha, [suggestion(first=4, last=6, text="a: 1\nb: ```")])
    (comment,) = there(job)
    assert (comment.start_line, comment.line) == (4, 6)
    assert "````suggestion\na: 1\nb: ```\n````\n" in comment.body


def test_what_is_gone_is_settled_once(job: Job) -> None:
    """The comment stays with what people answered; its button goes, and it never comes back."""
    job.reviews.put(job.ref, job.pull.head_sha, [suggestion("a"), suggestion("b")])
    after = job.reviews.put(job.ref, job.pull.head_sha, [suggestion("b")])
    assert [each.resolved for each in after] == [True, False]
    assert "suggestion\n" not in there(job)[0].body.split("<!--")[0]
    assert there(job)[0].body.startswith("*This suggestion no longer applies")
    written = job.writes()
    job.reviews.put(job.ref, job.pull.head_sha, [suggestion("a"), suggestion("b")])
    assert job.writes() == written
    assert len(there(job)) == 2


def test_there_are_never_more_than_five(job: Job) -> None:
    """However many heads the pull request sees."""
    job.reviews.put(job.ref, job.pull.head_sha, [suggestion(f"a{number}") for number in range(4)])
    job.reviews.put(job.ref, job.pull.head_sha, [suggestion(f"b{number}") for number in range(4)])
    assert len(there(job)) == MOST == 5


def test_a_line_outside_of_the_diff_is_left_out(job: Job) -> None:
    """GitHub refuses it; the others are made."""
    made = job.reviews.put(job.ref, job.pull.head_sha, [suggestion("a", 200, 200), suggestion("b")])
    assert [each.fingerprint for each in made] == ["b"]


def test_a_strangers_copy_of_our_mark_changes_nothing(job: Job) -> None:
    """It neither counts as made nor is edited."""
    job.reviews.put(job.ref, job.pull.head_sha, [suggestion()])
    (comment,) = there(job)
    comment.author = job.hub.people.person("mallory")
    job.reviews.put(job.ref, job.pull.head_sha, [suggestion()])
    assert len(there(job)) == 2


@pytest.mark.parametrize("after_effect", [False, True], ids=["not done", "done"])
@pytest.mark.parametrize("kind", ["reset", "cut", "502", "429", "html"])
def test_whatever_fails_trying_again_makes_it_once(job: Job, kind: Kind, after_effect: bool) -> None:
    """The next try looks before it writes."""
    job.hub.fault(CREATE, kind, after_effect=after_effect)
    with pytest.raises(GitHubUnavailable):
        job.reviews.put(job.ref, job.pull.head_sha, [suggestion()])
    job.reviews.put(job.ref, job.pull.head_sha, [suggestion()])
    assert len(there(job)) == 1
