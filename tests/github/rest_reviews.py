"""Reviews, and comments on lines of the diff."""

from __future__ import annotations

from markdown_it import MarkdownIt

from tests.github import shapes_pulls
from tests.github.contract_data import Json
from tests.github.model import Pull, Review, ReviewComment, now
from tests.github.rest_comments import checked_body
from tests.github.routing import Call, Page, RefusedError, invalid, not_found, route

_PULL = "/repos/{owner}/{repo}/pulls/{pull_number}"
_ONE = "/repos/{owner}/{repo}/pulls/comments/{comment_id}"
_STATES = {"APPROVE": "APPROVED", "REQUEST_CHANGES": "CHANGES_REQUESTED", "COMMENT": "COMMENTED"}
_RESOURCE = "PullRequestReviewComment"


@route(f"GET {_PULL}/reviews", "pull_requests:read")
def list_reviews(call: Call) -> Page[Review]:
    """Oldest first."""
    repository, number = call.repository, call.pull.number
    found = [it for it in repository.reviews.values() if it.number == number]
    return Page(found, lambda it: shapes_pulls.review(call.world, repository, it))


@route(f"POST {_PULL}/reviews", "pull_requests:write", status=200)
def create_review(call: Call) -> Json:
    """A review, whole or not at all: every comment must be on the diff."""
    repository, pull, body = call.repository, call.pull, call.body
    text, asked = body.get("body", ""), body.get("comments", [])
    if not text and not asked:
        raise RefusedError(422, "Unprocessable Entity")
    review = _review(
        call, body.get("commit_id", pull.head_sha), _STATES.get(body.get("event", ""), "PENDING")
    )
    review.body = text
    made = [_comment(call, pull, review, one) for one in asked]
    repository.reviews[review.id] = review
    for one in made:
        _keep(call, one)
    call.note("review.created", id=review.id, number=pull.number, state=review.state, comments=len(made))
    return shapes_pulls.review(call.world, repository, review)


@route(f"GET {_PULL}/comments", "pull_requests:read")
def list_review_comments(call: Call) -> Page[ReviewComment]:
    """Oldest first."""
    repository, number = call.repository, call.pull.number
    found = [it for it in repository.review_comments.values() if it.number == number]
    return Page(found, lambda it: shapes_pulls.review_comment(call.world, repository, it))


@route(f"POST {_PULL}/comments", "pull_requests:write")
def create_review_comment(call: Call) -> Json:
    """One comment on the diff, in a review of its own; or a reply."""
    repository, pull, body = call.repository, call.pull, call.body
    if "in_reply_to" in body:
        return _reply(call, body["in_reply_to"])
    review = _review(call, body["commit_id"], "COMMENTED")
    made = _comment(call, pull, review, body)
    repository.reviews[review.id] = review
    _keep(call, made)
    return shapes_pulls.review_comment(call.world, repository, made)


@route(f"POST {_PULL}/comments/{{comment_id}}/replies", "pull_requests:write")
def reply(call: Call) -> Json:
    """A reply to the first comment of a thread."""
    return _reply(call, int(call.path["comment_id"]))


@route(f"GET {_ONE}", "pull_requests:read")
def get_review_comment(call: Call) -> Json:
    """One comment."""
    one = call.named(call.repository.review_comments, "comment_id")
    return shapes_pulls.review_comment(call.world, call.repository, one)


@route(f"PATCH {_ONE}", "pull_requests:write")
def edit_review_comment(call: Call) -> Json:
    """New words for a comment of the bot's own."""
    one = _own(call, "edits")
    one.body, one.updated = checked_body(_RESOURCE, call.body["body"]), now()
    call.note("review_comment.edited", id=one.id, number=one.number, body=one.body)
    return shapes_pulls.review_comment(call.world, call.repository, one)


@route(f"DELETE {_ONE}", "pull_requests:write")
def delete_review_comment(call: Call) -> None:
    """Take a comment of the bot's own away."""
    one = _own(call, "deletes")
    del call.repository.review_comments[one.id]
    call.note("review_comment.deleted", id=one.id, number=one.number)


def _own(call: Call, verb: str) -> ReviewComment:
    one = call.named(call.repository.review_comments, "comment_id")
    if one.author is not call.world.app.bot:
        call.forbid(f"the app {verb} review comment {one.id}, which {one.author.login} wrote")
        raise RefusedError(403, "Resource not accessible by integration")
    return one


def _review(call: Call, commit: str, state: str) -> Review:
    pull, git = call.pull, call.repository.git
    if commit not in {one.sha for one in git.commits(pull.base_sha, pull.head_sha)}:
        raise invalid(_RESOURCE, "commit_id", "commit_id is not part of the pull request")
    return Review(next(call.world.ids), pull.number, call.world.app.bot, "", state, commit, now())


def _comment(call: Call, pull: Pull, review: Review, body: dict[str, Json]) -> ReviewComment:
    """A comment on lines that the diff of head against base shows."""
    if "line" not in body:
        raise invalid(_RESOURCE, "line", "line is missing")
    text = checked_body(_RESOURCE, body["body"])
    line: int = body["line"]
    side: str = body.get("side", "RIGHT")
    start: int | None = body.get("start_line")
    start_side: str = body.get("start_side", side)
    _check_suggestion(call, text, side)
    changes = call.repository.git.changes(pull.base_sha, review.commit)
    change = next((it for it in changes if it.path == body["path"]), None)
    if change is None:
        raise invalid(_RESOURCE, "pull_request_review_thread.path", "path is not part of the diff")
    hunk = change.lines[side].get(line)
    if hunk is None:
        field = "pull_request_review_thread.line"
        raise invalid(_RESOURCE, field, f"{field} must be part of the diff")
    if start is not None and (start >= line or change.lines[start_side].get(start) != hunk):
        field = "pull_request_review_thread.start_line"
        raise invalid(_RESOURCE, field, f"{field} must precede the end line in the same hunk")
    number = next(call.world.ids)
    moment = now()
    return ReviewComment(
        id=number,
        number=pull.number,
        review=review.id,
        author=call.world.app.bot,
        body=text,
        path=change.path,
        line=line,
        side=side,
        start_line=start,
        start_side=start_side if start is not None else None,
        hunk=hunk,
        commit=review.commit,
        thread=number,
        created=moment,
        updated=moment,
    )


def _check_suggestion(call: Call, text: str, side: str) -> None:
    """A suggestion replaces lines of the new file; its fence is closed, and by nothing that it holds."""
    blocks = [token for token in MarkdownIt("commonmark").parse(text) if token.type == "fence"]
    suggested = [token for token in blocks if token.info.strip() == "suggestion"]
    if suggested and side != "RIGHT":
        call.forbid("a suggestion is on the side of the old file")
    if len(suggested) > 1 or len(blocks) > len(suggested):
        call.forbid("a fence ends before its block does")
    lines = text.split("\n")
    if any(lines[token.map[1] - 1].strip() != token.markup for token in suggested if token.map):
        call.forbid("the fence of a suggestion is not closed")


def _keep(call: Call, made: ReviewComment) -> None:
    call.repository.review_comments[made.id] = made
    call.note(
        "review_comment.created",
        id=made.id,
        number=made.number,
        path=made.path,
        line=made.line,
        body=made.body,
        thread=made.thread,
    )


def _reply(call: Call, first: int) -> Json:
    repository, pull, moment = call.repository, call.pull, now()
    thread = repository.review_comments.get(first)
    if thread is None or thread.number != pull.number or thread.thread != thread.id:
        raise not_found()
    text = checked_body(_RESOURCE, call.body["body"])
    review = _review(call, pull.head_sha, "COMMENTED")
    repository.reviews[review.id] = review
    made = ReviewComment(
        id=next(call.world.ids),
        number=pull.number,
        review=review.id,
        author=call.world.app.bot,
        body=text,
        path=thread.path,
        line=thread.line,
        side=thread.side,
        start_line=thread.start_line,
        start_side=thread.start_side,
        hunk=thread.hunk,
        commit=thread.commit,
        thread=thread.id,
        created=moment,
        updated=moment,
    )
    _keep(call, made)
    return shapes_pulls.review_comment(call.world, repository, made)
