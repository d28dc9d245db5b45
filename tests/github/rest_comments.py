"""Comments on the conversation of a pull request."""

from __future__ import annotations

from datetime import datetime

from tests.github import events, shapes_pulls
from tests.github.contract_data import Json
from tests.github.model import Comment, now
from tests.github.routing import Call, Page, RefusedError, invalid, route

LONGEST_BODY = 65_536
_READ = ("issues:read", "pull_requests:read")
_WRITE = ("issues:write", "pull_requests:write")
_OF_ISSUE = "/repos/{owner}/{repo}/issues/{issue_number}/comments"
_ONE = "/repos/{owner}/{repo}/issues/comments/{comment_id}"


def checked_body(resource: str, body: str) -> str:
    """A body that GitHub takes."""
    if not body.strip():
        raise invalid(resource, "body", "body can't be blank")
    if len(body) > LONGEST_BODY:
        raise invalid(resource, "body", f"body is too long (maximum is {LONGEST_BODY} characters)")
    return body


@route(f"GET {_OF_ISSUE}", *_READ)
def list_comments(call: Call) -> Page[Comment]:
    """Oldest first."""
    repository, number = call.repository, call.pull.number
    since = datetime.fromisoformat(call.query.get("since", "1970-01-01T00:00:00Z"))
    found = [it for it in repository.comments.values() if it.number == number and it.updated >= since]
    return Page(found, lambda it: shapes_pulls.comment(call.world, repository, it))


@route(f"POST {_OF_ISSUE}", *_WRITE)
def create_comment(call: Call) -> Json:
    """A comment by the app's bot."""
    world, repository, pull, moment = call.world, call.repository, call.pull, now()
    body = checked_body("IssueComment", call.body["body"])
    bot = world.app.bot
    made = Comment(next(world.ids), pull.number, bot, body, by_app=True, created=moment, updated=moment)
    repository.comments[made.id] = made
    call.note("comment.created", id=made.id, number=pull.number, author=bot.login, body=body)
    events.issue_comment(world, call.hooks, repository, made, "created", bot)
    return shapes_pulls.comment(world, repository, made)


@route(f"GET {_ONE}", *_READ)
def get_comment(call: Call) -> Json:
    """One comment."""
    return shapes_pulls.comment(call.world, call.repository, _one(call))


@route(f"PATCH {_ONE}", *_WRITE)
def edit_comment(call: Call) -> Json:
    """New words for a comment of the bot's own."""
    world, repository, one = call.world, call.repository, _own(call, "edits")
    before, one.body = one.body, checked_body("IssueComment", call.body["body"])
    one.updated = now()
    call.note("comment.edited", id=one.id, number=one.number, body=one.body, same=before == one.body)
    changes = {"body": {"from": before}}
    events.issue_comment(world, call.hooks, repository, one, "edited", world.app.bot, changes=changes)
    return shapes_pulls.comment(world, repository, one)


@route(f"DELETE {_ONE}", *_WRITE)
def delete_comment(call: Call) -> None:
    """Take a comment of the bot's own away."""
    world, repository, one = call.world, call.repository, _own(call, "deletes")
    del repository.comments[one.id]
    call.note("comment.deleted", id=one.id, number=one.number)
    events.issue_comment(world, call.hooks, repository, one, "deleted", world.app.bot)


def _one(call: Call) -> Comment:
    return call.named(call.repository.comments, "comment_id")


def _own(call: Call, verb: str) -> Comment:
    """GitHub lets an app with write permission change what anybody wrote; this fake does not."""
    one = _one(call)
    if one.author is not call.world.app.bot:
        call.forbid(f"the app {verb} comment {one.id}, which {one.author.login} wrote")
        raise RefusedError(403, "Resource not accessible by integration")
    return one
