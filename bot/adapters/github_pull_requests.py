"""What GitHub says of pull requests."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from datetime import datetime

from bot.adapters.github_app import READ_PULL_REQUESTS, AppTokens
from bot.adapters.github_client import maybe, path, take
from bot.errors import GitHubUnavailable
from bot.github_events import PullRequestRef, Repository
from bot.pull_requests import ChangedFile, PullRequestFacts

_HUNK = re.compile(r"@@ -\d+(?:,\d+)? \+(\d+)(?:,\d+)? @@")
_NOBODY = "ghost"
"""How GitHub calls the author of what a deleted account left."""


class GitHubPullRequests:
    """Pull requests, and the lines that they change."""

    def __init__(self, tokens: AppTokens, *, patience: Sequence[float] = (1.0, 2.0)) -> None:
        """`patience` is how many seconds to wait, each time, for GitHub to try a merge."""
        self._tokens, self._patience = tokens, patience

    def facts(self, ref: PullRequestRef) -> PullRequestFacts:
        """The pull request as it is now."""
        endpoint = path("repos", ref.repository.owner, ref.repository.name, "pulls", ref.number)
        with self._tokens.client(ref.installation, ref.repository, READ_PULL_REQUESTS) as client:
            answer = client.get(endpoint)
            for pause in self._patience:
                # The first question makes GitHub try the merge; until it has, `mergeable` is null.
                if maybe(answer, bool, "mergeable") is not None or maybe(answer, str, "state") != "open":
                    break
                time.sleep(pause)
                answer = client.get(endpoint)
        return _facts(ref, answer)

    def open_ones(
        self, installation: int, repository: Repository, base: str = ""
    ) -> Sequence[PullRequestRef]:
        """The open pull requests of a repository, those into the branch `base` where one is named."""
        endpoint = path("repos", repository.owner, repository.name, "pulls")
        asked = {"state": "open", **({"base": base} if base else {})}
        with self._tokens.client(installation, repository, READ_PULL_REQUESTS) as client:
            numbers = [take(answer, int, "number") for answer in client.pages(endpoint, **asked)]
        return [PullRequestRef(installation, repository, number) for number in numbers]

    def changed_files(self, ref: PullRequestRef) -> dict[str, ChangedFile]:
        """By path, as far as GitHub lists them: 3,000 files, and the lines of those that are not large."""
        endpoint = path("repos", ref.repository.owner, ref.repository.name, "pulls", ref.number, "files")
        with self._tokens.client(ref.installation, ref.repository, READ_PULL_REQUESTS) as client:
            return {
                take(file, str, "filename"): ChangedFile(
                    maybe(file, str, "sha") or "", _added(maybe(file, str, "patch") or "")
                )
                for file in client.pages(endpoint)
            }


def _facts(ref: PullRequestRef, answer: object) -> PullRequestFacts:
    is_open = take(answer, str, "state") == "open"
    mergeable = is_open and maybe(answer, bool, "mergeable") is True
    merged_at = maybe(answer, str, "merged_at")
    return PullRequestFacts(
        ref=ref,
        open=is_open,
        draft=maybe(answer, bool, "draft") or False,
        merged=maybe(answer, bool, "merged") or False,
        merged_at=_moment(merged_at) if merged_at else None,
        head_sha=take(answer, str, "head", "sha"),
        base_ref=take(answer, str, "base", "ref"),
        base_sha=take(answer, str, "base", "sha"),
        merge_sha=maybe(answer, str, "merge_commit_sha") if mergeable else None,
        author=maybe(answer, str, "user", "login") or _NOBODY,
        author_id=maybe(answer, int, "user", "id") or 0,
        title=maybe(answer, str, "title") or "",
    )


def _moment(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise GitHubUnavailable(f"GitHub says {text[:40]!r} for a time", "garbled") from error


def _added(patch: str) -> frozenset[int]:
    """The line numbers, in the new file, of what a patch adds."""
    found: set[int] = set()
    line = 0
    for text in patch.split("\n"):
        if hunk := _HUNK.match(text):
            line = int(hunk[1])
            continue
        if text.startswith("+"):
            found.add(line)
        if text.startswith(("+", " ")):
            line += 1
    return frozenset(found)
