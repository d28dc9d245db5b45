"""Our check runs: one for each commit.

GitHub appends the annotations of every request and removes none, so those that are there already are
left out: a check that is written again after a crash, or with the same findings, repeats none.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime

from bot.adapters.github_app import WRITE_CHECKS, AppTokens
from bot.adapters.github_client import GitHubClient, Json, maybe, path, take
from bot.errors import GitHubRefused, GitHubUnavailable
from bot.github_events import PullRequestRef
from bot.publication import CHECK_NAME, Annotation, CheckOutput
from bot.records import PublishedCheck

_AT_ONCE = 50
"""Annotations in one request: https://docs.github.com/en/rest/checks/runs#create-a-check-run"""
_ACTIONS = [
    {"label": "Recheck", "description": "Price this head again", "identifier": "recheck"},
    {"label": "Explain", "description": "Show how the numbers came about", "identifier": "explain"},
]
_BEGUN = {"title": "Working out the numbers", "summary": "The report appears here when it is done."}


class GitHubCheckRuns:
    """Check runs under one name."""

    def __init__(
        self,
        tokens: AppTokens,
        *,
        name: str = CHECK_NAME,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._tokens, self._name, self._now = tokens, name, now

    def put(
        self, ref: PullRequestRef, head_sha: str, output: CheckOutput | None, known: PublishedCheck | None
    ) -> PublishedCheck:
        """Make the one check run of this head say `output`; None says that work has begun."""
        digest = _digest(output)
        with self._tokens.client(ref.installation, ref.repository, WRITE_CHECKS) as client:
            repository = ("repos", ref.repository.owner, ref.repository.name)
            there = _by_id(client, repository, known.check_run_id) if known else None
            there = there or self._found(client, repository, head_sha)
            body = {**_body(output), "name": self._name, "external_id": digest}
            wanted = output.annotations if output else ()
            if there is None:
                there = self._created(client, repository, {**body, "head_sha": head_sha}, wanted)
            run = take(there, int, "id")
            missing = _missing(client, repository, there, wanted)
            if missing or not _says(there, body):
                one = path(*repository, "check-runs", run)
                for start in range(0, max(len(missing), 1), _AT_ONCE):
                    client.patch(one, _with(body, missing[start : start + _AT_ONCE]))
        return PublishedCheck(
            repository=ref.repository.id,
            head_sha=head_sha,
            name=self._name,
            check_run_id=run,
            output_hash=digest,
            status=str(body["status"]),
            at=self._now(),
        )

    def _found(self, client: GitHubClient, repository: Sequence[str], head_sha: str) -> Json | None:
        """Our run on that commit; of several, the newest, since that is the one that GitHub shows."""
        runs = client.pages(
            path(*repository, "commits", head_sha, "check-runs"),
            "check_runs",
            check_name=self._name,
            app_id=self._tokens.app_id,
            filter="all",
        )
        ours = [run for run in runs if maybe(run, int, "app", "id") == self._tokens.app_id]
        ours = [run for run in ours if maybe(run, str, "name") == self._name]
        return max(ours, key=lambda run: take(run, int, "id"), default=None)

    def _created(
        self, client: GitHubClient, repository: Sequence[str], body: Json, wanted: Sequence[Annotation]
    ) -> Json:
        try:
            return client.post(path(*repository, "check-runs"), _with(body, wanted[:_AT_ONCE]))
        except GitHubUnavailable:
            # It may have been made all the same.
            found = self._found(client, repository, body["head_sha"])
            if found is None:
                raise
            return found


def _by_id(client: GitHubClient, repository: Sequence[str], run: int) -> Json | None:
    try:
        return take(client.get(path(*repository, "check-runs", run)), dict)
    except GitHubRefused as error:
        if error.status == 404:
            return None
        raise


def _body(output: CheckOutput | None) -> Json:
    if output is None:
        return {"status": "in_progress", "output": _BEGUN}
    return {
        "status": "completed",
        "conclusion": output.conclusion,
        "output": {"title": output.title, "summary": output.summary},
        "actions": _ACTIONS,
    }


def _with(body: Json, annotations: Sequence[Annotation]) -> Json:
    told = [
        {
            "path": each.path,
            "start_line": each.line,
            "end_line": each.line,
            "annotation_level": each.level,
            "title": each.title,
            "message": each.message,
        }
        for each in annotations
    ]
    return {**body, "output": {**body["output"], **({"annotations": told} if told else {})}}


def _says(there: Json, body: Json) -> bool:
    """Whether the run says this already; `external_id` stands for the whole of what it was given."""
    keys = ("status", "conclusion", "external_id")
    return all(there.get(key) == body.get(key) for key in keys)


def _missing(
    client: GitHubClient, repository: Sequence[str], there: Json, wanted: Sequence[Annotation]
) -> list[Annotation]:
    """The wanted annotations that the run does not have."""
    if not wanted:
        return []
    present: Counter[tuple[object, ...]] = Counter()
    if maybe(there, int, "output", "annotations_count") != 0:
        endpoint = path(*repository, "check-runs", take(there, int, "id"), "annotations")
        keys = ("path", "start_line", "annotation_level", "title", "message")
        present.update(tuple(item.get(key) for key in keys) for item in client.pages(endpoint))
    missing = []
    for each in wanted:
        key = (each.path, each.line, each.level, each.title, each.message)
        if present[key] > 0:
            present[key] -= 1
        else:
            missing.append(each)
    return missing


def _digest(output: CheckOutput | None) -> str:
    told = json.dumps(asdict(output) if output else None, sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()
