"""The default branches of every repository that the App is installed on, to read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from bot.adapters.git_cache import GitCache, clone_url
from bot.adapters.git_remote import Remote
from bot.adapters.github_app import READ_FILES, AppTokens
from bot.adapters.github_client import Json, maybe, path, take
from bot.github_events import Repository
from bot.ports import Tree
from bot.recommendation_ports import Place


class GitHubBranches:
    """See the port `Branches`."""

    def __init__(self, tokens: AppTokens, cache: GitCache, *, clone_base: str = "") -> None:
        """`clone_base` stands for the host that GitHub names, where that is to be another one."""
        self._tokens, self._cache, self._clone_base = tokens, cache, clone_base

    def installed(self) -> Iterator[Place]:
        """Every repository that the App is installed on and that is not archived."""
        for installation in self._tokens.installations():
            for answer in self._tokens.repositories(installation):
                if not (maybe(answer, bool, "archived") or maybe(answer, bool, "disabled")):
                    yield Place(installation, _repository(answer))

    def head(self, place: Place) -> str:
        """The newest commit of the default branch, whatever that is called by now."""
        repository = place.repository
        here = ("repos", repository.owner, repository.name)
        with self._tokens.client(place.installation, repository, READ_FILES) as client:
            branch = take(client.get(path(*here)), str, "default_branch")
            answer = client.get(path(*here, "git", "ref", "heads", *branch.split("/")))
        return take(answer, str, "object", "sha")

    @contextmanager
    def tree(self, place: Place, sha: str) -> Iterator[Tree]:
        """The files of a commit; they can be read inside the `with`."""
        repository = place.repository
        url = clone_url(self._clone_base, repository.full_name, repository.clone_url)
        with self._cache.open(Remote(repository.id, url, lambda: self._password(place))) as clone:
            yield clone.tree(sha)

    def _password(self, place: Place) -> str:
        return self._tokens.mint(place.installation, place.repository.id, READ_FILES).value


def _repository(answer: Json) -> Repository:
    return Repository(
        id=take(answer, int, "id"),
        owner=take(answer, str, "owner", "login"),
        name=take(answer, str, "name"),
        clone_url=take(answer, str, "clone_url"),
        default_branch=take(answer, str, "default_branch"),
    )
