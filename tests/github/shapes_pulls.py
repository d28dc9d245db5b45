"""Pull requests, comments, reviews and files as GitHub writes them in JSON."""

from __future__ import annotations

from urllib.parse import quote

from tests.github.contract_data import Json
from tests.github.git_store import FileChange
from tests.github.model import Account, Comment, Pull, Repository, Review, ReviewComment, World
from tests.github.shapes import account, app, node_id, repository, when

_WRITERS = frozenset(("admin", "maintain", "write", "triage"))


def association(it: Repository, author: Account) -> str:
    """How an author stands to a repository."""
    if author is it.owner:
        return "OWNER"
    if author.login in it.owner.members:
        return "MEMBER"
    if it.roles.get(author.login) in _WRITERS:
        return "COLLABORATOR"
    return "NONE"


def label(world: World, it: Repository, name: str) -> Json:
    """`label`."""
    return {
        "id": sum(name.encode()),
        "node_id": node_id("LA", sum(name.encode())),
        "url": f"{world.api_url}/repos/{it.full_name}/labels/{quote(name)}",
        "name": name,
        "description": "",
        "color": "ededed",
        "default": False,
    }


def _end(world: World, it: Repository | None, ref: str, sha: str, author: Account) -> Json:
    """Head or base of a pull request."""
    owner = it.owner if it else author
    return {
        "label": f"{owner.login}:{ref}",
        "ref": ref,
        "sha": sha,
        "user": account(world, owner),
        "repo": repository(world, it) if it else None,
    }


def pull_simple(world: World, it: Repository, pull: Pull) -> Json:
    """`pull-request-simple`: as in lists."""
    api = f"{world.api_url}/repos/{it.full_name}"
    url = f"{api}/pulls/{pull.number}"
    web = f"{world.web_url}/{it.full_name}/pull/{pull.number}"
    issue = f"{api}/issues/{pull.number}"
    links = {
        "self": url,
        "html": web,
        "issue": issue,
        "comments": f"{issue}/comments",
        "review_comments": f"{url}/comments",
        "review_comment": f"{api}/pulls/comments{{/number}}",
        "commits": f"{url}/commits",
        "statuses": f"{api}/statuses/{pull.head_sha}",
    }
    urls = {f"{name}_url": link for name, link in links.items() if name not in ("self", "html")}
    return {
        "url": url,
        "id": pull.id,
        "node_id": node_id("PR", pull.id),
        "html_url": web,
        "diff_url": f"{web}.diff",
        "patch_url": f"{web}.patch",
        **urls,
        "number": pull.number,
        "state": pull.state,
        "locked": False,
        "title": pull.title,
        "user": account(world, pull.author),
        "body": pull.body,
        "labels": [label(world, it, name) for name in pull.labels],
        "milestone": None,
        "active_lock_reason": None,
        "created_at": when(pull.created),
        "updated_at": when(pull.updated),
        "closed_at": when(pull.closed_at),
        "merged_at": when(pull.merged_at),
        "merge_commit_sha": pull.merge_sha,
        "assignee": None,
        "assignees": [],
        "requested_reviewers": [],
        "requested_teams": [],
        "head": _end(world, pull.head_repository, pull.head_ref, pull.head_sha, pull.author),
        "base": _end(world, it, pull.base_ref, pull.base_sha, pull.author),
        "_links": {name: {"href": link} for name, link in links.items()},
        "author_association": association(it, pull.author),
        "auto_merge": None,
        "draft": pull.draft,
    }


def pull_full(world: World, it: Repository, pull: Pull) -> Json:
    """`pull-request`: of one pull request, and in events."""
    changes = it.git.changes(pull.base_sha, pull.head_sha)
    known = {True: "clean", False: "dirty", None: "unknown"}
    return {
        **pull_simple(world, it, pull),
        "merged": pull.merged_at is not None,
        "mergeable": pull.mergeable,
        "rebaseable": pull.mergeable,
        "mergeable_state": known[pull.mergeable],
        "merged_by": account(world, pull.merged_by) if pull.merged_by else None,
        "comments": sum(comment.number == pull.number for comment in it.comments.values()),
        "review_comments": sum(comment.number == pull.number for comment in it.review_comments.values()),
        "maintainer_can_modify": False,
        "commits": len(it.git.commits(pull.base_sha, pull.head_sha)),
        "additions": sum(change.additions for change in changes),
        "deletions": sum(change.deletions for change in changes),
        "changed_files": len(changes),
    }


def issue(world: World, it: Repository, pull: Pull) -> Json:
    """`issue`: a pull request seen as the issue it also is."""
    api = f"{world.api_url}/repos/{it.full_name}"
    url = f"{api}/issues/{pull.number}"
    web = f"{world.web_url}/{it.full_name}/pull/{pull.number}"
    return {
        "url": url,
        "repository_url": api,
        "labels_url": url + "/labels{/name}",
        "comments_url": f"{url}/comments",
        "events_url": f"{url}/events",
        "timeline_url": f"{url}/timeline",
        "html_url": web,
        "id": pull.id + 1,  # an issue and its pull request have different ids
        "node_id": node_id("PR", pull.id),
        "number": pull.number,
        "title": pull.title,
        "user": account(world, pull.author),
        "labels": [label(world, it, name) for name in pull.labels],
        "state": pull.state,
        "locked": False,
        "assignee": None,
        "assignees": [],
        "milestone": None,
        "comments": sum(comment.number == pull.number for comment in it.comments.values()),
        "created_at": when(pull.created),
        "updated_at": when(pull.updated),
        "closed_at": when(pull.closed_at),
        "author_association": association(it, pull.author),
        "active_lock_reason": None,
        "body": pull.body,
        "draft": pull.draft,
        "pull_request": {
            "url": f"{api}/pulls/{pull.number}",
            "html_url": web,
            "diff_url": f"{web}.diff",
            "patch_url": f"{web}.patch",
            "merged_at": when(pull.merged_at),
        },
        "performed_via_github_app": None,
        "reactions": _reactions(url),
    }


def comment(world: World, it: Repository, one: Comment) -> Json:
    """`issue-comment`."""
    api = f"{world.api_url}/repos/{it.full_name}"
    url = f"{api}/issues/comments/{one.id}"
    return {
        "url": url,
        "html_url": f"{world.web_url}/{it.full_name}/pull/{one.number}#issuecomment-{one.id}",
        "issue_url": f"{api}/issues/{one.number}",
        "id": one.id,
        "node_id": node_id("IC", one.id),
        "user": account(world, one.author),
        "created_at": when(one.created),
        "updated_at": when(one.updated),
        "author_association": association(it, one.author),
        "body": one.body,
        "reactions": _reactions(url),
        "performed_via_github_app": app(world, world.app) if one.by_app else None,
    }


def _reactions(url: str) -> Json:
    kinds = ("total_count", "+1", "-1", "laugh", "hooray", "confused", "heart", "rocket", "eyes")
    return {"url": f"{url}/reactions", **dict.fromkeys(kinds, 0)}


def review(world: World, it: Repository, one: Review) -> Json:
    """`pull-request-review`."""
    pull = f"{world.api_url}/repos/{it.full_name}/pulls/{one.number}"
    web = f"{world.web_url}/{it.full_name}/pull/{one.number}#pullrequestreview-{one.id}"
    return {
        "id": one.id,
        "node_id": node_id("PRR", one.id),
        "user": account(world, one.author),
        "body": one.body,
        "state": one.state,
        "html_url": web,
        "pull_request_url": pull,
        "_links": {"html": {"href": web}, "pull_request": {"href": pull}},
        "submitted_at": when(one.submitted),
        "commit_id": one.commit,
        "author_association": association(it, one.author),
    }


def review_comment(world: World, it: Repository, one: ReviewComment) -> Json:
    """`pull-request-review-comment`."""
    api = f"{world.api_url}/repos/{it.full_name}"
    url = f"{api}/pulls/comments/{one.id}"
    pull = f"{api}/pulls/{one.number}"
    web = f"{world.web_url}/{it.full_name}/pull/{one.number}#discussion_r{one.id}"
    reply = {"in_reply_to_id": one.thread} if one.thread != one.id else {}
    return {
        "url": url,
        "pull_request_review_id": one.review,
        "id": one.id,
        "node_id": node_id("PRRC", one.id),
        "diff_hunk": one.hunk,
        "path": one.path,
        "commit_id": one.commit,
        "original_commit_id": one.commit,
        **reply,
        "user": account(world, one.author),
        "body": one.body,
        "created_at": when(one.created),
        "updated_at": when(one.updated),
        "html_url": web,
        "pull_request_url": pull,
        "author_association": association(it, one.author),
        "_links": {"self": {"href": url}, "html": {"href": web}, "pull_request": {"href": pull}},
        "start_line": one.start_line,
        "original_start_line": one.start_line,
        "start_side": one.start_side,
        "line": one.line,
        "original_line": one.line,
        "side": one.side,
        "subject_type": "line",
        "reactions": _reactions(url),
    }


def file(world: World, it: Repository, sha: str, change: FileChange) -> Json:
    """`diff-entry`."""
    path = quote(change.path)
    web = f"{world.web_url}/{it.full_name}"
    previous = {"previous_filename": change.previous_path} if change.previous_path else {}
    return {
        "sha": change.blob,
        "filename": change.path,
        "status": change.status,
        "additions": change.additions,
        "deletions": change.deletions,
        "changes": change.additions + change.deletions,
        "blob_url": f"{web}/blob/{sha}/{path}",
        "raw_url": f"{web}/raw/{sha}/{path}",
        "contents_url": f"{world.api_url}/repos/{it.full_name}/contents/{path}?ref={sha}",
        **({"patch": change.hunks} if change.hunks is not None else {}),
        **previous,
    }
