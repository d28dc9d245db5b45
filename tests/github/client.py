"""PyGithub against the fake, as any client of GitHub's would use it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import requests
from github import Auth, Github, GithubIntegration

from tests.github.contract_data import Json
from tests.github.model import Installation, Permissions, Pull, Repository
from tests.github.service import JOB_NEEDS, GitHub

SECONDS = 5
FILES = {"apps/api.yaml": "kind: Deployment\nspec:\n  replicas: 2\n", "README.md": "# Shop\n"}


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
        integration = self.integration()
        body = {"repository_ids": [self.repository.id], "permissions": permissions or JOB_NEEDS}
        path = f"/app/installations/{self.installation.id}/access_tokens"
        _, data = integration.requester.requestJsonAndCheck("POST", path, input=body)
        value: str = data["token"]
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
