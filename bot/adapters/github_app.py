"""Being a GitHub App: tokens for one repository with the least permissions, and the App's own name."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial

from github import Auth
from jwt import PyJWTError

from bot.adapters.github_client import PUBLIC_API, GitHubClient, Json, maybe, path, take
from bot.adapters.github_pacing import WRITES, Pacer
from bot.errors import GitHubUnavailable, UserError
from bot.github_events import Repository

READ_FILES = {"contents": "read"}
READ_PULL_REQUESTS = {"pull_requests": "read"}
WRITE_PULL_REQUESTS = {"pull_requests": "write"}
WRITE_CHECKS = {"checks": "write"}
WRITE_FILES = {"contents": "write"}
PROPOSE_CHANGES = {"contents": "read", "pull_requests": "write"}
"""To open a pull request one has to be able to read both of its branches."""
READ_PEOPLE = {"metadata": "read"}
READ_TEAMS = {"members": "read"}

_BEFORE_EXPIRY = 300.0
"""Seconds: a token is used up before it runs out in the middle of a job."""


@dataclass(frozen=True, slots=True)
class Token:
    """An installation token. `expires` is in seconds since 1970. The value is never shown."""

    value: str = field(repr=False)
    expires: float


class AppTokens:
    """The App's private key, and the tokens that it was given for it. For any number of threads."""

    def __init__(
        self,
        app_id: int,
        private_key: str,
        api_url: str = PUBLIC_API,
        *,
        minted: Callable[[str], None] = lambda _: None,
        clock: Callable[[], float] = time.time,
        writes: Sequence[tuple[int, float]] = WRITES,
        answered: Callable[[int, int, Mapping[str, str]], None] = lambda _installation, _status, _headers: (
            None
        ),
    ) -> None:
        """`minted` is told every new token's value, to keep it out of logs.

        `writes` is how many an installation has in how many seconds. `answered` is told of every answer
        to an installation: its status, 0 where there was none, and its headers, with lower-case names.

        Raises UserError for a private key that signs nothing.
        """
        self.app_id = app_id
        self._api_url, self._minted, self._clock = api_url, minted, clock
        try:
            self._auth = Auth.AppAuth(app_id, private_key)
            self._auth.create_jwt()
        except (PyJWTError, ValueError, TypeError, AssertionError):
            # The cause may quote the key, so it is not chained.
            raise UserError(
                "GITHUB_APP_PRIVATE_KEY: it is no RSA private key (PEM); download one from the App's settings"
            ) from None
        self._lock = threading.Lock()
        self._tokens: dict[tuple[int, int, frozenset[tuple[str, str]]], Token] = {}
        self._login = ""
        self._writes, self._answered = writes, answered
        self._pacers: dict[int, Pacer] = {}

    def installations(self) -> list[int]:
        """Where the App is installed and not suspended."""
        with self._as_app() as client:
            return [
                take(item, int, "id")
                for item in client.pages("/app/installations")
                if maybe(item, str, "suspended_at") is None
            ]

    def repositories(self, installation: int) -> list[Json]:
        """What an installation covers, as GitHub describes each; with a token that can only list them."""
        endpoint = path("app", "installations", installation, "access_tokens")
        with self._as_app() as client:
            value = take(client.post(endpoint, {"permissions": READ_PEOPLE}), str, "token")
        self._minted(value)
        listing = GitHubClient(self._api_url, lambda: value, answered=partial(self._answered, installation))
        try:
            return list(listing.pages("/installation/repositories", "repositories"))
        finally:
            listing.close()

    def mint(self, installation: int, repository: int, permissions: Mapping[str, str]) -> Token:
        """A token for one repository (its id) that can do nothing else.

        Raises GitHubRefused where the installation is gone or was not granted so much.
        """
        key = (installation, repository, frozenset(permissions.items()))
        with self._lock:
            kept = self._tokens.get(key)
        if kept is not None and kept.expires - _BEFORE_EXPIRY > self._clock():
            return kept
        body = {"repository_ids": [repository], "permissions": dict(permissions)}
        with self._as_app() as client:
            answer = client.post(path("app", "installations", installation, "access_tokens"), body)
        value = take(answer, str, "token")
        self._minted(value)
        token = Token(value, _seconds(take(answer, str, "expires_at")))
        with self._lock:
            now = self._clock()
            self._tokens = {key: token for key, token in self._tokens.items() if token.expires > now}
            self._tokens[key] = token
        return token

    @contextmanager
    def client(
        self, installation: int, repository: Repository, permissions: Mapping[str, str]
    ) -> Iterator[GitHubClient]:
        """A connection for one job. Its token is minted when the first request is made."""
        key = (installation, repository.id, frozenset(permissions.items()))

        def forget() -> None:
            with self._lock:
                self._tokens.pop(key, None)

        with self._lock:
            pacer = self._pacers.setdefault(installation, Pacer(self._writes))
        client = GitHubClient(
            self._api_url,
            lambda: self.mint(installation, repository.id, permissions).value,
            forget=forget,
            pacer=pacer,
            answered=partial(self._answered, installation),
        )
        try:
            yield client
        finally:
            client.close()

    def login(self) -> str:
        """The name that our comments are written under, such as `tuppence[bot]`."""
        if not self._login:
            with self._as_app() as client:
                self._login = f"{take(client.get('/app'), str, 'slug')}[bot]"
        return self._login

    @contextmanager
    def _as_app(self) -> Iterator[GitHubClient]:
        client = GitHubClient(self._api_url, self._auth.create_jwt, scheme="Bearer")
        try:
            yield client
        finally:
            client.close()


def _seconds(moment: str) -> float:
    try:
        return datetime.fromisoformat(moment).timestamp()
    except ValueError as error:
        raise GitHubUnavailable("GitHub's token does not say when it expires", "garbled") from error
