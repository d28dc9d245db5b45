"""The default branches of every repository that the App is installed on, to read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Protocol

from bot.adapters.github_app import READ_FILES, AppTokens
from bot.adapters.github_client import Json, maybe, path, take
from bot.github_events import Repository
from bot.ports import Tree
from bot.recommendation_ports import Place


class Clones(Protocol):
    """Where the files of commits are read from."""

    def commit(
        self, repository: Repository, sha: str, password: Callable[[], str], *, clone_base: str
    ) -> AbstractContextManager[Tree]:
        """The files of one commit, to be read inside the `with`; `password` is a token that may."""
        ...


class GitHubBranches:
    """See the port `Branches`."""

    def __init__(self, tokens: AppTokens, clones: Clones, *, clone_base: str = "") -> None:
        """`clone_base` stands for the host that GitHub names, where that is to be another one."""
        self._tokens, self._clones, self._clone_base = tokens, clones, clone_base
        self._by_now: dict[int, Repository] = {}

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
            by_now = _repository(take(client.get(path(*here)), dict))
            answer = client.get(path(*here, "git", "ref", "heads", *by_now.default_branch.split("/")))
        self._by_now[repository.id] = by_now
        return take(answer, str, "object", "sha")

    def tree(self, place: Place, sha: str) -> AbstractContextManager[Tree]:
        """The files of a commit; they can be read inside the `with`.

        Fetched by the name that `head` has found: not every git follows one from where it had to sign in.
        """
        repository = self._by_now.get(place.repository.id, place.repository)
        return self._clones.commit(
            repository, sha, lambda: self._password(place), clone_base=self._clone_base
        )

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
