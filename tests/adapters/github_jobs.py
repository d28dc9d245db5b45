"""A pull request on the fake GitHub, and our adapters turned towards it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property

from bot import github_events
from bot.adapters.github_app import AppTokens
from bot.adapters.github_checks import GitHubCheckRuns
from bot.adapters.github_comments import GitHubComments
from bot.adapters.github_people import GitHubPeople
from bot.adapters.github_pull_requests import GitHubPullRequests
from bot.adapters.github_reviews import GitHubReviews
from bot.github_events import PullRequestRef
from bot.records import Head
from bot.signed_marker import Markers
from tests.github.model import Comment, Pull, Repository
from tests.github.service import GitHub

SECRET = "a webhook secret"
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)
FILES = {"api.yaml": "".join(f"line{number}: {number}\n" for number in range(1, 11))}


@dataclass
class Job:
    """One pull request, with everything that a job of ours may call."""

    hub: GitHub
    repository: Repository
    pull: Pull
    ref: PullRequestRef

    @classmethod
    def on(cls, hub: GitHub) -> Job:
        """A repository that the app is installed on, with one open pull request."""
        repository = hub.people.repository("acme/shop", FILES, roles={"ann": "write", "tri": "triage"})
        installation = hub.people.install(repository.owner)
        pull = hub.people.open_pull(repository, {"api.yaml": FILES["api.yaml"].replace(": 5\n", ": 50\n")})
        named = github_events.Repository(
            repository.id, "acme", "shop", f"{hub.clone_url}/acme/shop.git", repository.default_branch
        )
        return cls(hub, repository, pull, PullRequestRef(installation.id, named, pull.number))

    @cached_property
    def tokens(self) -> AppTokens:
        """The app's."""
        return AppTokens(self.hub.app_id, self.hub.private_key, self.hub.api_url)

    @property
    def comments(self) -> GitHubComments:
        """As a process that has just started sees them."""
        return GitHubComments(self.tokens, Markers([SECRET]), now=lambda: NOW)

    @property
    def checks(self) -> GitHubCheckRuns:
        """Under our own name."""
        return GitHubCheckRuns(self.tokens, now=lambda: NOW)

    @property
    def reviews(self) -> GitHubReviews:
        """Suggestions."""
        return GitHubReviews(self.tokens, Markers([SECRET]), now=lambda: NOW)

    @property
    def people(self) -> GitHubPeople:
        """Permissions and teams."""
        return GitHubPeople(self.tokens)

    @property
    def pulls(self) -> GitHubPullRequests:
        """Facts."""
        return GitHubPullRequests(self.tokens, patience=(0.0, 0.0))

    def head(self, order: int = 1, sha: str = "") -> Head:
        """The pull request's head, or another."""
        return Head(
            repository=self.repository.id,
            number=self.pull.number,
            head_sha=sha or self.pull.head_sha,
            order=order,
        )

    def ours(self) -> list[Comment]:
        """Our comments on the pull request."""
        return self.hub.comments(self.repository, self.pull)

    def writes(self) -> int:
        """How often anything was written, tokens aside."""
        calls = self.hub.journal.calls
        return sum(
            count for key, count in calls.items() if not key.startswith("GET") and "access_tokens" not in key
        )
