"""Accounts, apps, repositories and commits as GitHub writes them in JSON."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from tests.github.contract_data import Json
from tests.github.git_store import Commit
from tests.github.model import Account, App, Installation, Repository, Team, World

# name of the link's field: its path below the account or repository
_ACCOUNT_LINKS = {
    "followers": "/followers",
    "following": "/following{/other_user}",
    "gists": "/gists{/gist_id}",
    "starred": "/starred{/owner}{/repo}",
    "subscriptions": "/subscriptions",
    "organizations": "/orgs",
    "repos": "/repos",
    "events": "/events{/privacy}",
    "received_events": "/received_events",
}
_REPOSITORY_LINKS = {
    "archive": "/{archive_format}{/ref}",
    "assignees": "/assignees{/user}",
    "blobs": "/git/blobs{/sha}",
    "branches": "/branches{/branch}",
    "collaborators": "/collaborators{/collaborator}",
    "comments": "/comments{/number}",
    "commits": "/commits{/sha}",
    "compare": "/compare/{base}...{head}",
    "contents": "/contents/{+path}",
    "contributors": "/contributors",
    "deployments": "/deployments",
    "downloads": "/downloads",
    "events": "/events",
    "forks": "/forks",
    "git_commits": "/git/commits{/sha}",
    "git_refs": "/git/refs{/sha}",
    "git_tags": "/git/tags{/sha}",
    "hooks": "/hooks",
    "issue_comment": "/issues/comments{/number}",
    "issue_events": "/issues/events{/number}",
    "issues": "/issues{/number}",
    "keys": "/keys{/key_id}",
    "labels": "/labels{/name}",
    "languages": "/languages",
    "merges": "/merges",
    "milestones": "/milestones{/number}",
    "notifications": "/notifications{?since,all,participating}",
    "pulls": "/pulls{/number}",
    "releases": "/releases{/id}",
    "stargazers": "/stargazers",
    "statuses": "/statuses/{sha}",
    "subscribers": "/subscribers",
    "subscription": "/subscription",
    "tags": "/tags",
    "teams": "/teams",
    "trees": "/git/trees{/sha}",
}


def when(moment: datetime | None) -> str | None:
    """`2026-11-21T21:37:00Z`."""
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None


def node_id(kind: str, number: int) -> str:
    """The id that GraphQL knows a thing by."""
    return f"{kind}_kwDO{number:x}"


def node_number(node: str) -> tuple[str, int] | None:
    """Kind and id of a node id, or None for what is no such thing."""
    kind, separator, number = node.partition("_kwDO")
    try:
        return (kind, int(number, 16)) if separator else None
    except ValueError:
        return None


def account(world: World, it: Account) -> Json:
    """`simple-user`."""
    url = f"{world.api_url}/users/{it.login}"
    return {
        "login": it.login,
        "id": it.id,
        "node_id": node_id("U", it.id),
        "avatar_url": f"{world.web_url}/avatars/{it.id}",
        "gravatar_id": "",
        "url": url,
        "html_url": f"{world.web_url}/{it.login.replace('[bot]', '')}",
        **{f"{name}_url": url + path for name, path in _ACCOUNT_LINKS.items()},
        "type": it.kind,
        "site_admin": False,
    }


def simple_repository(world: World, it: Repository) -> Json:
    """`simple-repository`, which the others begin with."""
    url = f"{world.api_url}/repos/{it.full_name}"
    return {
        "id": it.id,
        "node_id": node_id("R", it.id),
        "name": it.name,
        "full_name": it.full_name,
        "private": it.private,
        "owner": account(world, it.owner),
        "html_url": f"{world.web_url}/{it.full_name}",
        "description": None,
        "fork": it.parent is not None,
        "url": url,
        **{f"{name}_url": url + path for name, path in _REPOSITORY_LINKS.items()},
    }


def repository(world: World, it: Repository) -> Json:
    """`repository`: as in events and pull requests."""
    web = f"{world.web_url}/{it.full_name}"
    pulls = sum(pull.state == "open" for pull in it.pulls.values())
    return {
        **simple_repository(world, it),
        "git_url": f"git:{web.removeprefix('http:')}.git",
        "ssh_url": f"ssh://git@ssh.invalid/{it.full_name}.git",
        "clone_url": f"{web}.git",
        "svn_url": web,
        "homepage": None,
        "mirror_url": None,
        "language": None,
        "license": None,
        "size": 1,
        "default_branch": it.default_branch,
        "archived": it.archived,
        "disabled": False,
        "visibility": "private" if it.private else "public",
        "topics": [],
        "is_template": False,
        "allow_forking": True,
        "web_commit_signoff_required": False,
        **dict.fromkeys(("forks", "forks_count", "stargazers_count", "watchers", "watchers_count"), 0),
        **dict.fromkeys(("open_issues", "open_issues_count"), pulls),
        **dict.fromkeys(("has_issues", "has_projects", "has_downloads", "has_wiki"), True),
        **dict.fromkeys(("has_pages", "has_discussions"), False),
        **{f"{what}_at": when(it.created) for what in ("created", "updated", "pushed")},
    }


def full_repository(world: World, it: Repository) -> Json:
    """`full-repository`: of `GET /repos/{owner}/{repo}`."""
    parent = {"parent": repository(world, it.parent)} if it.parent else {}
    return {**repository(world, it), "network_count": 0, "subscribers_count": 0, **parent}


def app(world: World, it: App) -> Json:
    """`integration`."""
    return {
        "id": it.id,
        "slug": it.slug,
        "node_id": node_id("A", it.id),
        "client_id": f"Iv23li{it.id}",
        "owner": account(world, it.owner),
        "name": it.name,
        "description": None,
        "external_url": "https://app.invalid",
        "html_url": f"{world.web_url}/apps/{it.slug}",
        "created_at": "2026-01-01T00:00:00Z",
        "updated_at": "2026-01-01T00:00:00Z",
        "permissions": it.permissions,
        "events": list(it.events),
    }


def installation(world: World, it: Installation) -> Json:
    """`installation`."""
    return {
        "id": it.id,
        "account": account(world, it.account),
        "repository_selection": "all" if it.repositories is None else "selected",
        "access_tokens_url": f"{world.api_url}/app/installations/{it.id}/access_tokens",
        "repositories_url": f"{world.api_url}/installation/repositories",
        "html_url": f"{world.web_url}/settings/installations/{it.id}",
        "app_id": world.app.id,
        "app_slug": world.app.slug,
        "target_id": it.account.id,
        "target_type": it.account.kind,
        "permissions": it.permissions,
        "events": list(world.app.events),
        "created_at": when(it.created),
        "updated_at": when(it.created),
        "single_file_name": None,
        "suspended_by": None,
        "suspended_at": when(it.suspended),
    }


def team(world: World, it: Team) -> Json:
    """`team`, complete enough for `team-full` with `organization` beside it."""
    organisation = it.organisation.login
    url = f"{world.api_url}/organizations/{it.organisation.id}/team/{it.id}"
    return {
        "id": it.id,
        "node_id": node_id("T", it.id),
        "name": it.slug,
        "slug": it.slug,
        "description": None,
        "privacy": "closed",
        "notification_setting": "notifications_enabled",
        "permission": "pull",
        "url": url,
        "html_url": f"{world.web_url}/orgs/{organisation}/teams/{it.slug}",
        "members_url": url + "/members{/member}",
        "repositories_url": url + "/repos",
        "type": "organization",
        "organization_id": it.organisation.id,
        "parent": None,
    }


def commit(world: World, it: Repository, one: Commit) -> Json:
    """`commit`; its author is nobody that GitHub knows."""
    url = f"{world.api_url}/repos/{it.full_name}"
    web = f"{world.web_url}/{it.full_name}/commit"
    person = {"name": one.author, "email": one.email, "date": one.date}
    return {
        "sha": one.sha,
        "node_id": f"C_{one.sha}",
        "url": f"{url}/commits/{one.sha}",
        "html_url": f"{web}/{one.sha}",
        "comments_url": f"{url}/commits/{one.sha}/comments",
        "commit": {
            "author": person,
            "committer": person,
            "message": one.message,
            "tree": {"sha": one.tree, "url": f"{url}/git/trees/{one.tree}"},
            "url": f"{url}/git/commits/{one.sha}",
            "comment_count": 0,
            "verification": _UNSIGNED,
        },
        "author": None,
        "committer": None,
        "parents": _parents(url, web, one.parents),
    }


def git_commit(world: World, it: Repository, one: Commit) -> Json:
    """`git-commit`: what git itself knows of it."""
    url = f"{world.api_url}/repos/{it.full_name}"
    web = f"{world.web_url}/{it.full_name}/commit"
    person = {"name": one.author, "email": one.email, "date": one.date}
    return {
        "sha": one.sha,
        "node_id": f"C_{one.sha}",
        "url": f"{url}/git/commits/{one.sha}",
        "html_url": f"{web}/{one.sha}",
        "author": person,
        "committer": person,
        "message": one.message,
        "tree": {"sha": one.tree, "url": f"{url}/git/trees/{one.tree}"},
        "parents": _parents(f"{url}/git", web, one.parents),
        "verification": _UNSIGNED,
    }


def ref(world: World, it: Repository, name: str, sha: str) -> Json:
    """`git-ref`: `heads/main` and where it points."""
    url = f"{world.api_url}/repos/{it.full_name}/git"
    target = {"type": "commit", "sha": sha, "url": f"{url}/commits/{sha}"}
    return {"ref": f"refs/{name}", "node_id": f"REF_{name}", "url": f"{url}/refs/{name}", "object": target}


_UNSIGNED: Json = {
    "verified": False,
    "reason": "unsigned",
    "signature": None,
    "payload": None,
    "verified_at": None,
}


def _parents(url: str, web: str, shas: Sequence[str]) -> Json:
    return [{"sha": sha, "url": f"{url}/commits/{sha}", "html_url": f"{web}/{sha}"} for sha in shas]
