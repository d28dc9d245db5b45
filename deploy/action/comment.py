"""Keeps the one comment of a workflow on its pull request: `python3 -I comment.py FOLDER`.

Part of action.yml. Nothing but the standard library, as it also runs where Tuppence is not installed.
It reads what GitHub sets in every workflow, and GITHUB_TOKEN and COMMENT_AUTHOR.
"""

from __future__ import annotations

import json
import os
import re
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

MARK = "<!-- tuppence:action -->"
LONGEST = 60_000
"""Characters; GitHub takes 65,536."""
SECONDS = 30
MOST_PAGES = 30
_AT = re.compile("@|&(?:#0*64|#[xX]0*40|commat);?")
"""GitHub finds mentions in what it shows, however their sign was written."""
FOREIGN = "<sub>Made by a workflow run of a fork, which may have changed what it says.</sub>"


class PublishingFailed(Exception):
    """What is said in the log of the run."""


def main(folder: Path) -> str:
    """What was done. Raises PublishingFailed."""
    event = _json(Path(os.environ["GITHUB_EVENT_PATH"]))
    number = _pull_request(event)
    if number is None:
        return "the pull request was closed or has a newer head: nothing to say"
    body = _body(folder, foreign="workflow_run" in event)
    known = _known(number)
    if known is None and _json(folder / "report.json").get("verdict") == "none":
        return "no impact, and no comment to correct"
    if known is None:
        _ask("POST", f"issues/{number}/comments", {"body": body})
        return f"commented on pull request {number}"
    if known["body"] == body:
        return "the comment says so already"
    _ask("PATCH", f"issues/comments/{known['id']}", {"body": body})
    return f"corrected the comment on pull request {number}"


def _pull_request(event: dict[str, Any]) -> int | None:
    """The pull request's number, from what GitHub says and never from an artifact, which a fork can forge."""
    if "pull_request" in event:
        return int(event["pull_request"]["number"])
    run = event["workflow_run"]
    head = f"{run['head_repository']['owner']['login']}:{run['head_branch']}"
    pulls = _ask("GET", f"pulls?{urlencode({'state': 'open', 'head': head})}")
    return next((int(pull["number"]) for pull in pulls if pull["head"]["sha"] == run["head_sha"]), None)


def _body(folder: Path, *, foreign: bool) -> str:
    text = (folder / "report.md").read_text(encoding="utf-8", errors="replace")
    if foreign:
        # Neither a marker nor a mention may come from a stranger's run.
        text = _AT.sub("@\u200b", text.replace("<!--", "&lt;!--"))
        text = f"{text[:LONGEST].rstrip()}\n\n{FOREIGN}\n"
    if len(text) > LONGEST + 1_000:
        raise PublishingFailed(f"the report has {len(text)} characters, more than a comment takes")
    return f"{text.rstrip()}\n\n{MARK}"


def _known(number: int) -> dict[str, Any] | None:
    """Our comment, if there is one: anybody may write the marker, but not as the author."""
    for page in range(1, MOST_PAGES + 1):
        comments = _ask("GET", f"issues/{number}/comments?per_page=100&page={page}")
        for comment in comments:
            author = (comment.get("user") or {}).get("login")
            if author == os.environ["COMMENT_AUTHOR"] and (comment.get("body") or "").endswith(MARK):
                return dict(comment)
        if len(comments) < 100:
            return None
    raise PublishingFailed(f"more than {MOST_PAGES * 100} comments, and ours is not among them")


def _ask(method: str, path: str, body: dict[str, str] | None = None) -> Any:  # noqa: ANN401 - JSON
    url = f"{os.environ['GITHUB_API_URL']}/repos/{os.environ['GITHUB_REPOSITORY']}/{path}"
    request = urllib.request.Request(  # noqa: S310 - the runner's own address
        url,
        method=method,
        data=json.dumps(body).encode() if body else None,
        headers={
            "Accept": "application/vnd.github+json",
            "Authorization": f"Bearer {os.environ['GITHUB_TOKEN']}",
            "Content-Type": "application/json",
            "User-Agent": "tuppence-action",
            "X-GitHub-Api-Version": "2022-11-28",
        },
    )
    try:
        with urllib.request.urlopen(request, timeout=SECONDS) as answer:  # noqa: S310 - as above
            return json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            hint = "; give the job `permissions: pull-requests: write`" if error.code == 403 else ""
            raise PublishingFailed(f"GitHub refused {method} {path} with {error.code}{hint}") from None
    except (OSError, ValueError) as error:
        raise PublishingFailed(f"GitHub did not answer {method} {path}: {type(error).__name__}") from None


def _json(file: Path) -> dict[str, Any]:
    value = json.loads(file.read_text(encoding="utf-8"))
    if not isinstance(value, dict):
        raise PublishingFailed(f"{file.name} is not a JSON object")
    return value


if __name__ == "__main__":
    try:
        print(f"Tuppence: {main(Path(sys.argv[1]))}")
    except (PublishingFailed, OSError, ValueError) as error:
        print(f"::error::Tuppence: {error}")
        sys.exit(1)
