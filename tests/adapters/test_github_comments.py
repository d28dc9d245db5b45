"""The one comment on a pull request, on a GitHub that loses answers and on which others write too."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from bot.adapters.github_comments import GitHubComments
from bot.errors import GitHubRefused, GitHubUnavailable
from bot.records import PublishedComment
from bot.signed_marker import Markers
from tests.adapters.github_jobs import SECRET, Job
from tests.github.faults import Kind
from tests.github.service import github

LIST = "GET /repos/{owner}/{repo}/issues/{issue_number}/comments"
CREATE = "POST /repos/{owner}/{repo}/issues/{issue_number}/comments"
EDIT = "PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}"


@pytest.fixture
def job(tmp_path: Path) -> Iterator[Job]:
    """A pull request; the test ends with an error if GitHub would not have taken what we sent."""
    with github(tmp_path / "github") as hub:
        yield Job.on(hub)
    hub.assert_clean()


def put(
    job: Job, body: str, *, order: int = 1, known: PublishedComment | None = None, create: bool = True
) -> PublishedComment | None:
    """Say something of the head with that order."""
    return job.comments.put(job.ref, [body], job.head(order), known, create=create)


def test_a_comment_is_made_and_then_edited_in_place(job: Job) -> None:
    """Whether its id is remembered or not."""
    first = put(job, "one")
    second = put(job, "two", order=2, known=first)
    third = put(job, "three", order=3)
    (comment,) = job.ours()
    assert comment.body.startswith("three\n\n<!-- tuppence:comment ")
    assert first is not None
    assert second is not None
    assert third is not None
    assert {first.comment_id, second.comment_id, third.comment_id} == {comment.id}
    assert (third.order, third.head_sha, third.repository) == (3, job.pull.head_sha, job.repository.id)
    assert len({first.body_hash, second.body_hash, third.body_hash}) == 3


def test_the_same_again_is_not_written(job: Job) -> None:
    """Nobody is notified twice."""
    first = put(job, "one")
    written = job.writes()
    assert put(job, "one") == first
    assert put(job, "one", known=first) == first
    assert job.writes() == written


def test_an_older_head_never_overwrites_a_newer_one(job: Job) -> None:
    """Not even from a process that remembers nothing; what is there comes back."""
    newer = put(job, "newer", order=5)
    assert put(job, "older", order=4) == newer
    assert put(job, "older", order=4, known=newer) == newer
    assert job.ours()[0].body.startswith("newer")


def test_without_leave_no_first_comment_is_made(job: Job) -> None:
    """But one that is there is cleared."""
    assert put(job, "no impact", create=False) is None
    assert job.ours() == []
    put(job, "impact")
    put(job, "no impact", order=2, create=False)
    assert job.ours()[0].body.startswith("no impact")


def test_a_strangers_copy_of_our_mark_is_not_ours(job: Job) -> None:
    """A comment is ours by its author and its mark together."""
    made = put(job, "ours")
    forged = job.hub.people.comment(job.repository, job.pull, job.ours()[0].body, author="mallory")
    job.hub.people.delete_comment(job.repository, job.ours()[0], by="ann")
    again = put(job, "ours", order=2, known=made)
    assert again is not None
    assert again.comment_id != forged.id
    assert forged.body.startswith("ours")
    assert len(job.ours()) == 1


def test_a_mark_of_another_pull_request_or_key_counts_for_nothing(job: Job) -> None:
    """The bot may answer with what a stranger wrote, so its own name alone is not enough."""
    with job.tokens.client(job.ref.installation, job.ref.repository, {"pull_requests": "write"}) as client:
        words = (job.repository.id, 99, "a" * 40, 9)
        for mark in (
            Markers([SECRET]).write("comment", *words),
            Markers(["another"]).write("comment", job.repository.id, job.pull.number, "a" * 40, 9),
        ):
            client.post(f"/repos/acme/shop/issues/{job.pull.number}/comments", {"body": f"quoted {mark}"})
    put(job, "ours")
    assert [comment.body.split()[0] for comment in job.ours()] == ["quoted", "quoted", "ours"]


def test_our_comment_is_found_behind_many_others(job: Job) -> None:
    """On whatever page it stands."""
    for number in range(150):
        job.hub.people.comment(job.repository, job.pull, f"word {number}", author="ann")
    put(job, "one")
    put(job, "two", order=2)
    assert [comment.body.split()[0] for comment in job.ours()] == ["two"]


def test_a_deleted_comment_is_made_once_more(job: Job) -> None:
    """By whoever needs it next."""
    known = put(job, "one")
    job.hub.people.delete_comment(job.repository, job.ours()[0], by="ann")
    again = put(job, "two", order=2, known=known)
    put(job, "two", order=2, known=again)
    assert [comment.body.split()[0] for comment in job.ours()] == ["two"]


def test_a_comment_whose_mark_was_edited_away_is_mended(job: Job) -> None:
    """Maintainers can edit what we wrote."""
    known = put(job, "one")
    job.hub.people.edit_comment(job.repository, job.ours()[0], "nothing to see", by="ann")
    put(job, "one", known=known)
    assert job.ours()[0].body.startswith("one\n\n<!-- tuppence:comment ")


def test_ten_at_once_leave_one_comment(job: Job) -> None:
    """It speaks of the newest head; the copies that were made meanwhile are gone."""
    with ThreadPoolExecutor(10) as pool:
        list(pool.map(lambda order: put(job, f"head {order}", order=order), range(1, 11)))
    put(job, "head 10", order=10)
    assert [comment.body.split("\n")[0] for comment in job.ours()] == ["head 10"]


def test_copies_of_our_comment_go_with_the_next_report(job: Job) -> None:
    """Two processes wrote at once, and one of them ended before it saw the other's."""
    first = put(job, "one")
    with job.tokens.client(job.ref.installation, job.ref.repository, {"pull_requests": "write"}) as client:
        client.post(f"/repos/acme/shop/issues/{job.pull.number}/comments", {"body": job.ours()[0].body})
    assert len(job.ours()) == 2
    put(job, "two", order=2)
    assert first is not None
    assert [(comment.id, comment.body.split()[0]) for comment in job.ours()] == [(first.comment_id, "two")]


def test_a_smaller_body_is_tried_where_github_refuses_the_larger(job: Job) -> None:
    """GitHub's own limits are not all documented."""
    put(job, "small")
    job.comments.put(job.ref, ["x" * 70_000, "y" * 66_000, "fits"], job.head(2), None, create=True)
    assert job.ours()[0].body.startswith("fits")
    with pytest.raises(GitHubRefused):
        job.comments.put(job.ref, ["x" * 70_000], job.head(3), None, create=True)


def test_a_newer_webhook_secret_still_knows_the_old_marks(job: Job) -> None:
    """A secret can be changed without a second comment."""
    put(job, "one")
    rotated = GitHubComments(job.tokens, Markers(["the next secret", SECRET]))
    rotated.put(job.ref, ["two"], job.head(2), None, create=True)
    assert [comment.body.split()[0] for comment in job.ours()] == ["two"]


FAULTS: tuple[Kind, ...] = ("reset", "cut", "502", "429", "secondary", "html")


@pytest.mark.usefixtures("in_a_hurry")
@pytest.mark.parametrize("kind", FAULTS)
@pytest.mark.parametrize(
    ("operation", "after_effect"),
    [(LIST, False), (CREATE, False), (CREATE, True), (EDIT, False), (EDIT, True)],
    ids=["list", "create", "create, done", "edit", "edit, done"],
)
def test_whatever_fails_trying_again_leaves_one_right_comment(
    job: Job, operation: str, kind: Kind, after_effect: bool
) -> None:
    """Be it lost on the way to GitHub or on the way back."""
    if operation == EDIT:
        put(job, "before")
    fault = job.hub.fault(operation, kind, after_effect=after_effect)
    for _ in range(3):
        try:
            put(job, "after", order=2)
            break
        except GitHubUnavailable:
            continue
    assert fault.hits == 1
    assert [comment.body.split()[0] for comment in job.ours()] == ["after"]


def test_a_person_is_answered_once(job: Job) -> None:
    """However often the command is carried out; the report's comment is another."""
    put(job, "report")
    for _ in range(2):
        job.comments.reply(job.ref, "You may not.", "comment 7")
    job.comments.reply(job.ref, "You may not.", "comment 8")
    job.hub.fault(CREATE, "502", after_effect=True)
    with pytest.raises(GitHubUnavailable):
        job.comments.reply(job.ref, "Done.", "comment 9\u202e ü")
    job.comments.reply(job.ref, "Done.", "comment 9\u202e ü")
    put(job, "report", order=2)
    said = [comment.body.split("\n")[0] for comment in job.ours()]
    assert said == ["report", "You may not.", "You may not.", "Done."]


def test_tokens_reach_one_repository_and_no_further_than_comments(job: Job) -> None:
    """The fake rejects tokens that can do more than a job needs."""
    put(job, "one")
    assert [use.granted for use in job.hub.scopes()] == [{"metadata": "read", "pull_requests": "write"}]
    assert all(token.repositories == {job.repository.id} for token in job.hub.world.tokens.values())


def test_an_id_of_another_pull_request_is_not_edited(job: Job) -> None:
    """What the store remembers may be wrong; GitHub says where a comment stands."""
    known = put(job, "first")
    other = job.hub.people.open_pull(job.repository, {"new.yaml": "a: 1\n"})
    ref = replace(job.ref, number=other.number)
    head = replace(job.head(2), number=other.number)
    made = job.comments.put(ref, ["second"], head, known, create=True)
    assert known is not None
    assert made is not None
    assert made.comment_id != known.comment_id
    assert job.ours()[0].body.startswith("first")
