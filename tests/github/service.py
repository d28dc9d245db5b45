"""A stateful GitHub on loopback, stricter than the service: `with github(folder) as hub: ...`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.github.api import Api
from tests.github.faults import Fault, Kind
from tests.github.hooks import Hooks
from tests.github.http_server import GitHubServer
from tests.github.journal import Journal
from tests.github.limits import Limits
from tests.github.model import Account, App, CheckRun, Comment, Permissions, Pull, Repository, World, at_least
from tests.github.people import People

JOB_NEEDS: Permissions = {
    "checks": "write",
    "contents": "read",
    "members": "read",
    "metadata": "read",
    "pull_requests": "write",
}
"""The most that a token of one job may carry, unless a test says otherwise; to write files, a token of its own."""
EVENTS = ("check_run", "check_suite", "issue_comment", "pull_request", "push")


@dataclass(frozen=True, slots=True)
class ScopeUse:
    """Tokens of one set of permissions: how many there were, and the most that any of them used."""

    granted: Permissions
    used: Permissions
    tokens: int

    @property
    def unused(self) -> Permissions:
        """What no token needed, or needed at a lower level only."""
        return {
            name: level
            for name, level in self.granted.items()
            if name != "metadata" and not at_least(self.used, name, level)
        }


@cache
def key_pair() -> tuple[str, str]:
    """The app's private and public key in PEM; one pair a process."""
    private = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = private.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.TraditionalOpenSSL,
        serialization.NoEncryption(),
    )
    public = private.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return pem.decode(), public.decode()


class GitHub:
    """The running fake: its addresses and keys, its people, its faults, and what it saw."""

    def __init__(self, folder: Path, server: GitHubServer, prefix: str) -> None:
        self.private_key, public_key = key_pair()
        bot = Account(41_898_282, "tuppence[bot]", "Bot")
        owner = Account(1_000, "tuppence-makers", "Organization")
        granted: Permissions = {**JOB_NEEDS, "contents": "write"}
        app = App(424_242, "tuppence", "Tuppence", owner, bot, public_key, granted, EVENTS)
        self.world = World(app, server.address + prefix, server.address, job_needs=dict(JOB_NEEDS))
        self.world.accounts |= {bot.login: bot, owner.login: owner}
        self.journal = Journal()
        self.limits = Limits()
        self.hooks = Hooks(self.journal, app.id)
        self.people = People(self.world, self.hooks, folder)
        self.faults, self._meanwhile = server.faults, server.meanwhile
        server.api = Api(self.world, self.journal, self.hooks, self.limits, prefix)

    @property
    def api_url(self) -> str:
        """What `GITHUB_API_URL` is set to."""
        return self.world.api_url

    @property
    def clone_url(self) -> str:
        """The base of clone URLs: `<clone_url>/owner/name.git`."""
        return self.world.web_url

    @property
    def app_id(self) -> int:
        """The app's id."""
        return self.world.app.id

    def fault(
        self,
        operation: str,
        kind: Kind,
        *,
        nth: int = 1,
        times: int | None = 1,
        after_effect: bool = False,
        retry_after: int | None = None,
        seconds: float = 60.0,
        account: str = "",
    ) -> Fault:
        """Make calls of an operation go wrong; see Fault."""
        fault = Fault(operation, kind, nth, times, after_effect, retry_after, seconds, account)
        with self.world.lock:
            self.faults.append(fault)
        return fault

    def meanwhile(self, operation: str, action: Callable[[], object]) -> None:
        """What somebody does, once, just before the next call of an operation is carried out."""
        with self.world.lock:
            self._meanwhile[operation] = action

    def comments(self, repository: Repository, pull: Pull, *, by_app: bool = True) -> list[Comment]:
        """The comments on a pull request: the app's own, or everybody's."""
        with self.world.lock:
            found = [it for it in repository.comments.values() if it.number == pull.number]
        return [it for it in found if it.by_app or not by_app]

    def check_runs(
        self, repository: Repository, *, sha: str | None = None, name: str | None = None
    ) -> list[CheckRun]:
        """Every run that was ever made, also those that a later one of the same name hides."""
        with self.world.lock:
            runs = list(repository.check_runs.values())
        return [run for run in runs if sha in (None, run.sha) and name in (None, run.name)]

    def expire_tokens(self) -> None:
        """As if the hour were over for every token that is out."""
        with self.world.lock:
            for token in self.world.tokens.values():
                token.revoked = True

    def scopes(self) -> list[ScopeUse]:
        """What tokens were granted and what they used, by set of permissions: the least that would do."""
        uses: dict[tuple[tuple[str, str], ...], ScopeUse] = {}
        with self.world.lock:
            for token in self.world.tokens.values():
                key = tuple(sorted(token.permissions.items()))
                seen = uses.get(key, ScopeUse(dict(token.permissions), {}, 0))
                used = dict(seen.used)
                for name, level in token.used_permissions.items():
                    used[name] = level if not at_least(used, name, level) else used[name]
                uses[key] = ScopeUse(seen.granted, used, seen.tokens + 1)
        return list(uses.values())

    def assert_clean(self) -> None:
        """No request or answer was against GitHub's description, and no token was too wide."""
        assert self.journal.violations == []
        assert self.journal.too_much_scope == []


@contextmanager
def github(folder: Path, *, prefix: str = "") -> Iterator[GitHub]:
    """A running fake whose git repositories are in `folder`; `prefix` is `/api/v3` for an Enterprise Server."""
    server = GitHubServer()
    hub = GitHub(folder, server, prefix)
    server.start()
    try:
        yield hub
    finally:
        server.stop()
        hub.hooks.close()
