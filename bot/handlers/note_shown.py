"""Remember what is shown on each pull request, for lists of them elsewhere."""

from __future__ import annotations

from datetime import datetime

from bot.publication import CheckOutput
from bot.pull_requests import PullRequestFacts
from bot.records import ShownPullRequest
from bot.review_ports import ShownPullRequests


def note_shown(
    facts: PullRequestFacts, output: CheckOutput, *, web: str, shown: ShownPullRequests, at: datetime
) -> None:
    """Remember what the check says; `web` is where people look at GitHub. Raises StoreUnavailable."""
    ref = facts.ref
    shown.keep(
        ShownPullRequest(
            repository=ref.repository.id,
            number=ref.number,
            name=f"{ref.repository.full_name}#{ref.number}",
            address=f"{web}/{ref.repository.full_name}/pull/{ref.number}",
            author=facts.author,
            told=output.title,
            blocked=output.conclusion == "failure",
            open=facts.open,
            at=at,
        )
    )
