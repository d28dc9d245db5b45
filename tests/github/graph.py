"""GitHub's GraphQL API, as far as the app has a use for it: minimising comments, resolving threads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

from graphql import GraphQLError, GraphQLResolveInfo, GraphQLSchema, build_schema, graphql_sync, print_type

from tests.github.contract_data import Json
from tests.github.model import Comment, Pull, Repository, ReviewComment, now
from tests.github.routing import Call, RefusedError, Route, check_permission
from tests.github.shapes import node_id, node_number

Info = GraphQLResolveInfo[Call]

SCHEMA = Path(__file__).with_name("schema.graphql")


@cache
def schema() -> GraphQLSchema:
    """The served part of GitHub's schema, with its mutations bound."""
    built = build_schema(SCHEMA.read_text("utf-8"))
    for type_, resolvers in (("Query", _QUERIES), ("Mutation", _MUTATIONS)):
        for name, resolver in resolvers.items():
            built.type_map[type_].fields[name].resolve = resolver  # type: ignore[attr-defined]
    return built


def served(name: str) -> str:
    """How the served part defines a type."""
    return print_type(schema().type_map[name])


def answer(call: Call) -> tuple[Json, list[str]]:
    """Data and errors of one request, always under 200; and what is wrong with the query itself."""
    done = graphql_sync(
        schema(),
        call.body.get("query", ""),
        context_value=call,
        variable_values=call.body.get("variables") or {},
        operation_name=call.body.get("operationName"),
    )
    errors, problems = [], []
    for error in done.errors or ():
        refused = isinstance(error.original_error, _NotAllowedError)
        errors.append({"message": error.message, **({"type": error.original_error.kind} if refused else {})})  # type: ignore[union-attr]
        if not refused:
            problems.append(f"GraphQL: {error.message}")
    return {"data": done.data, **({"errors": errors} if errors else {})}, problems


class _NotAllowedError(GraphQLError):
    """FORBIDDEN or NOT_FOUND: GitHub says both inside a 200."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind


def _permit(call: Call, *needs: tuple[str, str]) -> None:
    try:
        check_permission(Route(answer, "token", needs, 200), call.token)
    except RefusedError as refusal:
        raise _NotAllowedError("FORBIDDEN", str(refusal)) from None


def _seen(call: Call, repository: Repository) -> bool:
    token = call.token
    within = token.repositories is None or repository.id in token.repositories
    if not within or not call.world.covers(token.installation, repository):
        return False
    token.used_repositories.add(repository.id)
    return True


def _comment(call: Call, node: str) -> tuple[Repository, Comment]:
    kind, number = node_number(node) or ("", 0)
    for repository in call.world.repositories.values():
        if kind == "IC" and number in repository.comments and _seen(call, repository):
            return repository, repository.comments[number]
    raise _NotAllowedError("NOT_FOUND", f"Could not resolve to a node with the global id of '{node}'")


def _thread(call: Call, node: str) -> tuple[Repository, ReviewComment]:
    kind, number = node_number(node) or ("", 0)
    for repository in call.world.repositories.values():
        first = repository.review_comments.get(number)
        if kind == "PRRT" and first and first.thread == first.id and _seen(call, repository):
            return repository, first
    raise _NotAllowedError("NOT_FOUND", f"Could not resolve to a node with the global id of '{node}'")


def _comment_shape(one: Comment) -> Json:
    return {
        "__typename": "IssueComment",
        "id": node_id("IC", one.id),
        "body": one.body,
        "fullDatabaseId": str(one.id),
        "isMinimized": one.minimised is not None,
        "minimizedReason": one.minimised,
    }


def _thread_shape(repository: Repository, first: ReviewComment) -> Json:
    replies = [one for one in repository.review_comments.values() if one.thread == first.id]

    def comments(_info: Info, **paging: Json) -> Json:
        return _connection([_review_comment_shape(one) for one in replies], paging)

    return {
        "__typename": "PullRequestReviewThread",
        "id": node_id("PRRT", first.id),
        "isResolved": first.resolved_by is not None,
        "line": first.line,
        "path": first.path,
        "comments": comments,
    }


def _review_comment_shape(one: ReviewComment) -> Json:
    return {
        "id": node_id("PRRC", one.id),
        "body": one.body,
        "fullDatabaseId": str(one.id),
        "path": one.path,
    }


def _connection(whole: Sequence[Json], paging: Mapping[str, Json]) -> Json:
    if "first" not in paging or not 1 <= paging["first"] <= 100:
        raise GraphQLError("You must provide a `first` of 1 to 100")
    start = int(paging.get("after") or 0)
    end = min(start + paging["first"], len(whole))
    return {
        "nodes": list(whole[start:end]),
        "totalCount": len(whole),
        "pageInfo": {"endCursor": str(end), "hasNextPage": end < len(whole)},
    }


def _pull_shape(repository: Repository, pull: Pull) -> Json:
    firsts = [
        one
        for one in repository.review_comments.values()
        if one.number == pull.number and one.thread == one.id
    ]

    def threads(_info: Info, **paging: Json) -> Json:
        return _connection([_thread_shape(repository, one) for one in firsts], paging)

    return {"id": node_id("PR", pull.id), "number": pull.number, "reviewThreads": threads}


def _repository(_root: Json, info: Info, owner: str, name: str) -> Json:
    call = info.context
    found = call.world.repository(f"{owner}/{name}")
    if found is None or not _seen(call, found):
        raise _NotAllowedError(
            "NOT_FOUND", f"Could not resolve to a Repository with the name '{owner}/{name}'."
        )

    def pull(_info: Info, number: int) -> Json:
        _permit(call, ("pull_requests", "read"))
        return _pull_shape(found, found.pulls[number]) if number in found.pulls else None

    return {"id": node_id("R", found.id), "pullRequest": pull}


def _node(_root: Json, info: Info, id: str) -> Json:  # noqa: A002 - the schema's name
    call = info.context
    _permit(call, ("pull_requests", "read"))
    kind, _ = node_number(id) or ("", 0)
    if kind == "PRRT":
        return _thread_shape(*_thread(call, id))
    return _comment_shape(_comment(call, id)[1])


def _minimize(_root: Json, info: Info, input: dict[str, Json]) -> Json:  # noqa: A002
    one = _minimised(info.context, input["subjectId"], input["classifier"].lower())
    return {"clientMutationId": input.get("clientMutationId"), "minimizedComment": one}


def _unminimize(_root: Json, info: Info, input: dict[str, Json]) -> Json:  # noqa: A002
    one = _minimised(info.context, input["subjectId"], None)
    return {"clientMutationId": input.get("clientMutationId"), "unminimizedComment": one}


def _minimised(call: Call, node: str, reason: str | None) -> Json:
    _permit(call, ("issues", "write"), ("pull_requests", "write"))
    _, one = _comment(call, node)
    if one.author is not call.world.app.bot:
        call.forbid(f"the app minimises comment {one.id}, which {one.author.login} wrote")
        raise _NotAllowedError("FORBIDDEN", "Resource not accessible by integration")
    one.minimised, one.updated = reason, now()
    call.note("comment.minimised", id=one.id, number=one.number, reason=reason)
    return _comment_shape(one)


def _resolve(_root: Json, info: Info, input: dict[str, Json]) -> Json:  # noqa: A002
    call = info.context
    # Odd but so: pull_requests:write alone is FORBIDDEN (github/gh-aw#35726).
    _permit(call, ("contents", "write"))
    repository, first = _thread(call, input["threadId"])
    first.resolved_by = call.world.app.bot.login
    call.note("thread.resolved", id=first.id, number=first.number)
    return {"clientMutationId": input.get("clientMutationId"), "thread": _thread_shape(repository, first)}


_QUERIES = {"node": _node, "repository": _repository}
_MUTATIONS = {
    "minimizeComment": _minimize,
    "unminimizeComment": _unminimize,
    "resolveReviewThread": _resolve,
}
