"""Accounts, teams, repositories and installations: where things happen, and who may see them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tests.github import events
from tests.github.git_store import Files, GitStore
from tests.github.hooks import Hooks
from tests.github.model import Account, Installation, Permissions, Repository, Team, World, now


class Places:
    """Makes and changes them; logins are made on first mention."""

    def __init__(self, world: World, hooks: Hooks, root: Path) -> None:
        self._world = world
        self._hooks = hooks
        self._root = root

    def person(self, login: str) -> Account:
        """A user, new or known."""
        return self._account(login, "User")

    def organisation(self, login: str, *members: str) -> Account:
        """An organisation, new or known, with these members too."""
        it = self._account(login, "Organization")
        it.members.update(self.person(member).login for member in members)
        return it

    def _account(self, login: str, kind: str) -> Account:
        with self._world.lock:
            known = self._world.accounts.get(login)
            if known is None:
                known = self._world.accounts[login] = Account(next(self._world.ids), login, kind)
            return known

    def team(self, organisation: str, slug: str, *members: str, pending: tuple[str, ...] = ()) -> Team:
        """A team; `pending` were invited and have not accepted."""
        owner = self.organisation(organisation, *members)
        states = dict.fromkeys(members, "active") | dict.fromkeys(pending, "pending")
        team = Team(
            next(self._world.ids), owner, slug, {self.person(login).login: states[login] for login in states}
        )
        self._world.teams[organisation, slug] = team
        return team

    def repository(
        self,
        full_name: str,
        files: Files,
        *,
        private: bool = True,
        roles: Mapping[str, str] | None = None,
        organisation: bool = True,
    ) -> Repository:
        """A repository with one commit on `main`; `roles` are `read`, `triage`, `write`, `maintain`, `admin`."""
        login, name = full_name.split("/")
        owner = self.organisation(login) if organisation else self.person(login)
        with self._world.lock:
            number = next(self._world.ids)
            it = Repository(number, owner, name, GitStore.create(self._root / f"{number}.git"), private)
            it.roles = {self.person(who).login: role for who, role in (roles or {}).items()}
            it.git.commit("main", files, "First commit", parent=None)
            self._world.repositories[number] = it
        return it

    def fork(self, parent: Repository, owner: str) -> Repository:
        """A fork of a person's own, outside of every installation."""
        with self._world.lock:
            number = next(self._world.ids)
            store = GitStore.create(self._root / f"{number}.git")
            store.git("fetch", "--quiet", str(parent.git.path), "refs/heads/*:refs/heads/*")
            it = Repository(number, self.person(owner), parent.name, store, parent.private, parent=parent)
            self._world.repositories[number] = it
        return it

    def delete_fork(self, fork: Repository) -> None:
        """Its pull requests stay, with `head.repo: null`."""
        with self._world.lock:
            del self._world.repositories[fork.id]
            for repository in self._world.repositories.values():
                for pull in repository.pulls.values():
                    if pull.head_repository is fork:
                        pull.head_repository = None

    def install(
        self,
        account: Account,
        *repositories: Repository,
        permissions: Permissions | None = None,
    ) -> Installation:
        """The app on an account: on the given repositories, or on all."""
        world = self._world
        with world.lock:
            granted = dict(world.app.permissions if permissions is None else permissions)
            chosen = {it.id for it in repositories} or None
            it = Installation(next(world.ids), account, granted, chosen)
            world.installations[it.id] = it
            events.installation(world, self._hooks, it, "created", account)
        return it

    def suspend(self, installation: Installation) -> None:
        """Its tokens are refused, and no event is sent, until it is taken back."""
        with self._world.lock:
            installation.suspended = now()
            events.installation(self._world, self._hooks, installation, "suspend", installation.account)

    def unsuspend(self, installation: Installation) -> None:
        """Everything as before."""
        with self._world.lock:
            installation.suspended = None
            events.installation(self._world, self._hooks, installation, "unsuspend", installation.account)

    def uninstall(self, installation: Installation) -> None:
        """The app is gone from the account, and its tokens are good for nothing."""
        with self._world.lock:
            events.installation(self._world, self._hooks, installation, "deleted", installation.account)
            del self._world.installations[installation.id]
            for token in self._world.tokens.values():
                token.revoked |= token.installation is installation

    def choose(
        self, installation: Installation, *, add: Repository | None = None, drop: Repository | None = None
    ) -> None:
        """One repository more or less, for an installation on chosen repositories."""
        assert installation.repositories is not None
        world, hooks, sender = self._world, self._hooks, installation.account
        with world.lock:
            if add is not None:
                installation.repositories.add(add.id)
                events.installation_repositories(world, hooks, installation, sender, added=(add,))
            if drop is not None:
                installation.repositories.discard(drop.id)
                events.installation_repositories(world, hooks, installation, sender, removed=(drop,))

    def rename(self, repository: Repository, name: str) -> None:
        """The old name redirects to the new one."""
        with self._world.lock:
            self._world.former_names[repository.full_name.lower()] = repository
            repository.name = name
