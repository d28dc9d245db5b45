"""What a person may do. Whatever cannot be read counts as no."""

from __future__ import annotations

from bot.adapters.github_app import READ_PEOPLE, READ_TEAMS, AppTokens
from bot.adapters.github_client import maybe, path
from bot.errors import GitHubRefused
from bot.github_events import PullRequestRef


class GitHubPeople:
    """People and teams, asked at the moment of a decision and never remembered."""

    def __init__(self, tokens: AppTokens) -> None:
        self._tokens = tokens

    def may_triage(self, ref: PullRequestRef, login: str) -> bool:
        """Whether `login` may at least sort the repository's pull requests. Raises GitHubUnavailable.

        GitHub's `permission` tells triage as read, so the rights themselves are looked at.
        """
        repository = ref.repository
        try:
            endpoint = path("repos", repository.owner, repository.name, "collaborators", login, "permission")
            with self._tokens.client(ref.installation, repository, READ_PEOPLE) as client:
                return maybe(client.get(endpoint), bool, "user", "permissions", "triage") is True
        except GitHubRefused:
            return False

    def in_team(self, ref: PullRequestRef, organization: str, team: str, login: str) -> bool:
        """Whether `login` is in a team (its slug) or one below it; an invitation is not enough.

        A team that is not there, or that the App may not see, has no members. Raises GitHubUnavailable.
        """
        try:
            endpoint = path("orgs", organization, "teams", team, "memberships", login)
            with self._tokens.client(ref.installation, ref.repository, READ_TEAMS) as client:
                return maybe(client.get(endpoint), str, "state") == "active"
        except GitHubRefused:
            return False
