"""A repository on the fake GitHub that right-sizing pull requests are opened in."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from bot.adapters.github_app import WRITE_FILES, AppTokens
from bot.adapters.github_client import GitHubClient
from bot.adapters.github_right_sizing import GitHubRightSizing
from bot.adapters.github_sealed_branch import SealedBranch
from bot.github_events import Repository
from bot.recommendation_ports import Place
from bot.signed_marker import Markers
from tests.github import git_writes, model
from tests.github.service import GitHub

SECRET = "a webhook secret"
BRANCH = "tuppence/right-size-shop-api-0123abcd"
FILES = {
    "README.md": "# Shop\n",
    "k8s/prod/api.yaml": "kind: Deployment\nspec:\n  replicas: 4\n",
    "k8s/prod/web.yaml": "kind: Deployment\nspec:\n  replicas: 3\n",
}
EDIT = {"k8s/prod/api.yaml": b"kind: Deployment\nspec:\n  replicas: 2\n"}


@dataclass
class Bench:
    """The repository, and our adapter turned towards it."""

    hub: GitHub
    repository: model.Repository
    place: Place

    @classmethod
    def on(cls, hub: GitHub) -> Bench:
        """A repository that the app is installed on; one file of it can be run."""
        repository = hub.people.repository("acme/shop", FILES)
        script = {"k8s/apply.sh": ("100755", b"#!/bin/sh\nexec kubectl apply -f .\n")}
        git_writes.branch_with(repository.git, "main", script, "A script")
        installation = hub.people.install(repository.owner)
        named = Repository(repository.id, "acme", "shop", f"{hub.clone_url}/acme/shop.git", "main")
        return cls(hub, repository, Place(installation.id, named))

    @cached_property
    def tokens(self) -> AppTokens:
        """The app's."""
        return AppTokens(self.hub.app_id, self.hub.private_key, self.hub.api_url)

    @property
    def ours(self) -> GitHubRightSizing:
        """As a process that has just started sees GitHub."""
        return GitHubRightSizing(self.tokens, Markers([SECRET]))

    def sealed(self, branch: str) -> SealedBranch:
        """One of our branches, of whoever may write files."""
        client = GitHubClient(
            self.hub.api_url,
            lambda: self.tokens.mint(self.place.installation, self.repository.id, WRITE_FILES).value,
        )
        return SealedBranch(client, self.place, branch, Markers([SECRET]))

    @property
    def main(self) -> str:
        """The newest commit of the default branch."""
        return self.repository.git.sha("refs/heads/main")

    def put(self, files: dict[str, bytes] | None = None, *, base: str = "", message: str = "Why") -> str:
        """Write the branch."""
        return self.ours.put_branch(self.place, BRANCH, base or self.main, files or EDIT, message)

    def tip(self) -> str:
        """What the branch points to, `""` where it is not there."""
        return self.repository.git.branches().get(BRANCH, "")

    def changed(self) -> dict[str, bytes]:
        """What the branch changes."""
        git = self.repository.git
        return {change.path: git.blob(change.blob) for change in git.changes(self.main, self.tip())}

    def writes(self) -> int:
        """How often anything was written, tokens aside."""
        calls = self.hub.journal.calls
        return sum(
            count
            for key, count in calls.items()
            if not key.startswith(("GET", "GIT")) and "access_tokens" not in key
        )
