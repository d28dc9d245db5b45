"""git's smart HTTP over the fake's real repositories, for those whose token may."""

from __future__ import annotations

import os
import re
import subprocess
from dataclasses import dataclass
from urllib.parse import urlsplit

from tests.github import auth
from tests.github.api import Api, Asked
from tests.github.model import at_least
from tests.loopback import Reply

_PATH = re.compile(
    r"/(?P<name>[^/]+/[^/]+?)(?:\.git)?/(?P<what>info/refs|git-upload-pack|git-receive-pack|HEAD|objects/.+)"
)
_KEYS = {"info/refs": "GIT refs", "git-upload-pack": "GIT fetch", "git-receive-pack": "GIT push"}


@dataclass(frozen=True, slots=True)
class Place:
    """A repository's name and what a git client wants of it."""

    name: str
    what: str

    @property
    def key(self) -> str:
        """`GIT refs`, `GIT fetch`, `GIT push` or `GIT file`, for faults and counts."""
        return _KEYS.get(self.what, "GIT file")


def place(asked: Asked) -> Place | None:
    """The place a git client asks for, or None for any other request."""
    match = _PATH.fullmatch(asked.path)
    return Place(match["name"], match["what"]) if match else None


def reply(api: Api, asked: Asked, at: Place) -> Reply:
    """What git itself answers; 401 without a good token, 403 or 404 for a token that may not."""
    world = api.world
    if at.key == "GIT file":
        # What git asks for where an answer looks like that of a server without git; GitHub has no such files.
        return Reply(404, b"Not found.\n", {"Content-Type": "text/plain"})
    with world.lock:
        token = auth.git_token(world, asked.headers.get("authorization"))
        if token is None:
            challenge = {"WWW-Authenticate": 'Basic realm="GitHub"', "Content-Type": "text/plain"}
            return Reply(401, b"No anonymous access.\n", challenge)
        repository = world.repository(at.name)
        if repository is None and (renamed := world.former_names.get(at.name.lower())):
            query = urlsplit(asked.target).query
            return Reply(301, b"", {"Location": f"/{renamed.full_name}.git/{at.what}?{query}"})
        within = repository and (token.repositories is None or repository.id in token.repositories)
        if repository is None or not within or not world.covers(token.installation, repository):
            return Reply(404, b"Repository not found.\n", {"Content-Type": "text/plain"})
        pushes = at.what == "git-receive-pack" or asked.query.get("service") == "git-receive-pack"
        level = "write" if pushes else "read"
        if not at_least(token.permissions, "contents", level):
            return Reply(403, b"Write access to repository not granted.\n", {"Content-Type": "text/plain"})
        token.note_use("contents", level)
        token.used_repositories.add(repository.id)
        before = repository.git.branches() if pushes else {}
    done = _backend(asked, at, repository.git.path)
    if pushes:
        after = repository.git.branches()
        for branch in sorted(before.keys() | after.keys()):
            if before.get(branch) != after.get(branch):
                what = {"branch": branch, "before": before.get(branch), "after": after.get(branch)}
                owner, _, name = repository.full_name.partition("/")
                with world.lock:
                    api.journal.add("branch.pushed", {"owner": owner, "repo": name}, what)
    return done


def _backend(asked: Asked, at: Place, path: os.PathLike[str]) -> Reply:
    folder, name = os.path.split(path)
    environment = {
        **os.environ,
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_PROJECT_ROOT": folder,
        "GIT_HTTP_EXPORT_ALL": "1",
        "PATH_INFO": f"/{name}/{at.what}",
        "QUERY_STRING": urlsplit(asked.target).query,
        "REQUEST_METHOD": asked.method,
        "CONTENT_TYPE": asked.headers.get("content-type", ""),
        "CONTENT_LENGTH": str(len(asked.body)),
        "HTTP_CONTENT_ENCODING": asked.headers.get("content-encoding", ""),
        "GIT_PROTOCOL": asked.headers.get("git-protocol", ""),
        "REMOTE_USER": "x-access-token",
    }
    done = subprocess.run(
        ["git", "http-backend"], input=asked.body, capture_output=True, env=environment, check=True
    )
    head, _, body = done.stdout.partition(b"\r\n\r\n")
    headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
    return Reply(int(headers.pop("Status", "200").split()[0]), body, headers)
