"""Repositories: files, commits, comparisons; and the people who may do what."""

from __future__ import annotations

from base64 import encodebytes
from urllib.parse import quote

from tests.github import shapes, shapes_pulls
from tests.github.contract_data import Json
from tests.github.git_store import TreeEntry
from tests.github.model import Account, Repository
from tests.github.routing import Answer, Call, Page, RefusedError, not_found, route

LONGEST_INLINE = 1024 * 1024
"""Bytes; larger files come without their content."""
COMPARED_FILES = 300
_KINDS = {"040000": "dir", "120000": "symlink", "160000": "submodule"}
# GitHub folds the finer roles into the older levels.
_LEVELS = {"admin": "admin", "maintain": "write", "write": "write", "triage": "read", "read": "read"}


@route("GET /repos/{owner}/{repo}", "metadata:read")
def get_repository(call: Call) -> Json:
    """The repository."""
    return shapes.full_repository(call.world, call.repository)


def _sha(repository: Repository, revision: str) -> str:
    try:
        return repository.git.sha(revision)
    except KeyError:
        raise not_found() from None


@route("GET /repos/{owner}/{repo}/contents/{path}", "contents:read")
def get_contents(call: Call) -> Json:
    """A file, or a folder's entries."""
    repository, path = call.repository, call.path["path"].strip("/")
    revision = call.query.get("ref", repository.default_branch)
    entries = repository.git.folder(_sha(repository, revision), path)
    if not entries:
        raise not_found()
    if len(entries) == 1 and entries[0].path == path:
        return _file(call, repository, revision, entries[0])
    return [_entry(call, repository, revision, entry) for entry in entries]


def _entry(call: Call, repository: Repository, revision: str, entry: TreeEntry) -> Json:
    path, ref = quote(entry.path), quote(revision)
    url = f"{call.world.api_url}/repos/{repository.full_name}"
    web = f"{call.world.web_url}/{repository.full_name}"
    kind = _KINDS.get(entry.mode, "file")
    links = {
        "self": f"{url}/contents/{path}?ref={ref}",
        "git": f"{url}/git/{'trees' if kind == 'dir' else 'blobs'}/{entry.sha}",
        "html": f"{web}/blob/{ref}/{path}",
    }
    return {
        "type": kind,
        "size": entry.size,
        "name": entry.path.rsplit("/", 1)[-1],
        "path": entry.path,
        "sha": entry.sha,
        "url": links["self"],
        "git_url": links["git"],
        "html_url": links["html"],
        "download_url": None if kind == "dir" else f"{web}/raw/{ref}/{path}",
        "_links": links,
    }


def _file(call: Call, repository: Repository, revision: str, entry: TreeEntry) -> Json:
    shown = _entry(call, repository, revision, entry)
    if shown["type"] == "symlink":
        return {**shown, "target": repository.git.blob(entry.sha).decode(errors="replace")}
    if shown["type"] == "submodule":
        return {**shown, "submodule_git_url": "https://submodule.invalid/it.git"}
    if entry.size > LONGEST_INLINE:
        return {**shown, "encoding": "none", "content": ""}
    return {**shown, "encoding": "base64", "content": encodebytes(repository.git.blob(entry.sha)).decode()}


@route("GET /repos/{owner}/{repo}/commits/{ref}", "contents:read")
def get_commit(call: Call) -> Json:
    """One commit, without its files."""
    repository = call.repository
    try:
        sha = repository.git.sha(call.path["ref"])
    except KeyError:
        raise RefusedError(422, f"No commit found for SHA: {call.path['ref']}") from None
    return shapes.commit(call.world, repository, repository.git.commit_of(sha))


@route("GET /repos/{owner}/{repo}/git/ref/{ref}", "contents:read")
def get_ref(call: Call) -> Json:
    """`heads/main` and where it points."""
    repository, name = call.repository, call.path["ref"]
    sha = _sha(repository, f"refs/{name}")
    return shapes.ref(call.world, repository, name, sha)


@route("GET /repos/{owner}/{repo}/branches/{branch}", "contents:read")
def get_branch(call: Call) -> Json:
    """A branch, unprotected."""
    repository, name = call.repository, call.path["branch"]
    sha = _sha(repository, f"refs/heads/{name}")
    url = f"{call.world.api_url}/repos/{repository.full_name}/branches/{name}"
    off: Json = {"enforcement_level": "off", "contexts": [], "checks": []}
    return {
        "name": name,
        "commit": shapes.commit(call.world, repository, repository.git.commit_of(sha)),
        "_links": {"self": url, "html": f"{call.world.web_url}/{repository.full_name}/tree/{name}"},
        "protected": False,
        "protection": {"enabled": False, "required_status_checks": off},
        "protection_url": f"{url}/protection",
    }


@route("GET /repos/{owner}/{repo}/compare/{basehead}", "contents:read")
def compare(call: Call) -> Json:
    """Two commits; at most 300 files, which GitHub does not say."""
    world, repository = call.world, call.repository
    base_name, dots, head_name = call.path["basehead"].partition("...")
    if not dots:
        raise not_found()
    git, base, head = repository.git, _sha(repository, base_name), _sha(repository, head_name)
    ahead, behind = git.commits(base, head), git.commits(head, base)
    words = {(True, True): "diverged", (True, False): "ahead", (False, True): "behind"}
    web = f"{world.web_url}/{repository.full_name}/compare/{base}...{head}"
    files = git.changes(base, head)[:COMPARED_FILES]
    return {
        "url": f"{world.api_url}/repos/{repository.full_name}/compare/{base}...{head}",
        "html_url": web,
        "permalink_url": web,
        "diff_url": f"{web}.diff",
        "patch_url": f"{web}.patch",
        "base_commit": shapes.commit(world, repository, git.commit_of(base)),
        "merge_base_commit": shapes.commit(world, repository, git.commit_of(git.merge_base(base, head))),
        "status": words.get((bool(ahead), bool(behind)), "identical"),
        "ahead_by": len(ahead),
        "behind_by": len(behind),
        "total_commits": len(ahead),
        "commits": [shapes.commit(world, repository, commit) for commit in ahead],
        "files": [shapes_pulls.file(world, repository, head, change) for change in files],
    }


@route("GET /repos/{owner}/{repo}/collaborators/{username}/permission", "metadata:read")
def permission(call: Call) -> Json:
    """What a person may do here; nobody in particular may read what is public."""
    repository, login = call.repository, call.path["username"]
    person = _person(call, login)
    if person.kind == "Bot":
        raise RefusedError(404, f"{login} is not a user")
    role = "admin" if person is repository.owner else repository.roles.get(login)
    level = _LEVELS[role] if role else ("none" if repository.private else "read")
    grants = ("pull", "triage", "push", "maintain", "admin")
    rank = ("read", "triage", "write", "maintain", "admin").index(role) if role else -1
    user = {
        **shapes.account(call.world, person),
        "permissions": {grant: place <= rank for place, grant in enumerate(grants)},
        "role_name": role or level,
    }
    return {"permission": level, "role_name": role or level, "user": user}


def _person(call: Call, login: str) -> Account:
    try:
        return call.world.accounts[login]
    except KeyError:
        raise not_found() from None


@route("GET /users/{username}")
def get_user(call: Call) -> Json:
    """A person, a bot or an organisation."""
    person = _person(call, call.path["username"])
    unsaid = ("name", "company", "blog", "location", "email", "hireable", "bio")
    counts = ("public_repos", "public_gists", "followers", "following")
    return {
        **shapes.account(call.world, person),
        **dict.fromkeys(unsaid),
        **dict.fromkeys(counts, 0),
        "created_at": "2026-01-01T00:00:00Z",
        "updated_at": "2026-01-01T00:00:00Z",
    }


@route("GET /orgs/{org}/members/{username}", "members:read")
def organisation_member(call: Call) -> Answer:
    """204 for a member, 404 for anybody else."""
    if call.path["username"] not in _organisation(call).members:
        raise not_found()
    return Answer(None, 204)


@route("GET /orgs/{org}/teams/{team_slug}", "members:read")
def get_team(call: Call) -> Json:
    """A team by its slug."""
    _organisation(call)
    team = call.world.teams.get((call.path["org"], call.path["team_slug"]))
    if team is None:
        raise not_found()
    owner = team.organisation
    url = f"{call.world.api_url}/orgs/{owner.login}"
    organisation = {
        **{
            key: value
            for key, value in shapes.account(call.world, owner).items()
            if key in _TEAM_ORGANISATION
        },
        "hooks_url": f"{url}/hooks",
        "issues_url": f"{url}/issues",
        "members_url": url + "/members{/member}",
        "public_members_url": url + "/public_members{/member}",
        "description": None,
        **dict.fromkeys(("has_organization_projects", "has_repository_projects"), True),
        **dict.fromkeys(("public_repos", "public_gists", "followers", "following"), 0),
        **dict.fromkeys(("created_at", "updated_at"), "2026-01-01T00:00:00Z"),
        "archived_at": None,
    }
    return {
        **shapes.team(call.world, team),
        "members_count": len(team.members),
        "repos_count": 0,
        **dict.fromkeys(("created_at", "updated_at"), "2026-01-01T00:00:00Z"),
        "organization": organisation,
    }


_TEAM_ORGANISATION = frozenset(
    ("login", "id", "node_id", "url", "repos_url", "events_url", "avatar_url", "html_url", "type")
)


@route("GET /orgs/{org}/teams/{team_slug}/members", "members:read")
def team_members(call: Call) -> Page[Account]:
    """Those who have accepted."""
    _organisation(call)
    team = call.world.teams.get((call.path["org"], call.path["team_slug"]))
    if team is None:
        raise not_found()
    members = [call.world.accounts[login] for login, state in team.members.items() if state == "active"]
    return Page(members, lambda it: shapes.account(call.world, it))


@route("GET /orgs/{org}/teams/{team_slug}/memberships/{username}", "members:read")
def team_membership(call: Call) -> Json:
    """A person's place in a team: `active`, or `pending` until they accept."""
    _organisation(call)
    team = call.world.teams.get((call.path["org"], call.path["team_slug"]))
    state = team.members.get(call.path["username"]) if team else None
    if team is None or state is None:
        raise not_found()
    url = f"{shapes.team(call.world, team)['url']}/memberships/{call.path['username']}"
    return {"url": url, "role": "member", "state": state}


def _organisation(call: Call) -> Account:
    """The organisation of the path, if the token's installation is there."""
    owner = call.token.installation.account
    if owner.login != call.path["org"] or owner.kind != "Organization":
        raise not_found()
    return owner
