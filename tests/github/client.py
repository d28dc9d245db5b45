"""PyGithub against the fake, as any client of GitHub's would use it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

import jwt
import requests
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from github import Auth, Github, GithubIntegration

from tests.github.contract_data import Json
from tests.github.model import Installation, Permissions, Pull, Repository
from tests.github.service import JOB_NEEDS, GitHub

SECONDS = 60
FILES = {"apps/api.yaml": "kind: Deployment\nspec:\n  replicas: 2\n", "README.md": "# Shop\n"}


@cache
def _signing_key(pem: str) -> RSAPrivateKey:
    """Reading a key takes 70 ms, as it is checked."""
    key = serialization.load_pem_private_key(pem.encode(), None)
    assert isinstance(key, RSAPrivateKey)
    return key


def web_token(hub: GitHub, *, iss: str | None = None, iat: int = -10, exp: int = 300) -> str:
    """A JSON web token of the app; `iat` and `exp` are seconds from now."""
    now = int(time.time())
    claims = {"iss": iss or str(hub.app_id), "iat": now + iat, "exp": now + exp}
    return jwt.encode(claims, _signing_key(hub.private_key), algorithm="RS256")


@dataclass(slots=True)
class Shop:
    """A repository of an organisation with the app on it, and one pull request."""

    hub: GitHub
    repository: Repository = field(init=False)
    installation: Installation = field(init=False)
    pull: Pull = field(init=False)

    def __post_init__(self) -> None:
        self.repository = self.hub.people.repository("acme/shop", FILES)
        self.installation = self.hub.people.install(self.repository.owner)
        change = {"apps/api.yaml": "kind: Deployment\nspec:\n  replicas: 4\n"}
        self.pull = self.hub.people.open_pull(self.repository, change)

    def token(self, permissions: Permissions | None = None) -> str:
        """A token for the one repository, minted over HTTP."""
        path = f"/app/installations/{self.installation.id}/access_tokens"
        body = {"repository_ids": [self.repository.id], "permissions": permissions or JOB_NEEDS}
        answer = self.ask("POST", path, body, token=web_token(self.hub))
        answer.raise_for_status()
        value: str = answer.json()["token"]
        return value

    def integration(self) -> GithubIntegration:
        """PyGithub as the app."""
        auth = Auth.AppAuth(self.hub.app_id, self.hub.private_key)
        return GithubIntegration(auth=auth, base_url=self.hub.api_url, retry=None, timeout=SECONDS)

    def client(self, permissions: Permissions | None = None) -> Github:
        """PyGithub with a token of one job; it neither repeats nor waits."""
        auth = Auth.Token(self.token(permissions))
        return Github(
            auth=auth,
            base_url=self.hub.api_url,
            retry=None,
            timeout=SECONDS,
            per_page=100,
            seconds_between_requests=None,
            seconds_between_writes=None,
        )

    def ask(
        self,
        method: str,
        path: str,
        body: Json = None,
        *,
        token: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> requests.Response:
        """One bare request; it follows no redirect."""
        whole = {"Authorization": f"Bearer {token or self.token()}", **(headers or {})}
        url = self.hub.api_url + path
        return requests.request(method, url, json=body, headers=whole, timeout=SECONDS, allow_redirects=False)
