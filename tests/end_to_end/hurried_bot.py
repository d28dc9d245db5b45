"""`tuppence` with short pauses, for tests that let everything go wrong once.

The bot's other processes run this module again before they begin, so they are in a hurry too. Where
HURRIED_DEATHS names a folder, the worker dies once before and once after every step of durable work.
"""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bot.adapters import git_remote, github_client, slack_api, slack_messages
from bot.adapters.github_pull_requests import GitHubPullRequests
from bot.composition import analysing, savings
from bot.entrypoints import (
    digest_jobs,
    executors,
    github_jobs,
    jobs,
    savings_jobs,
    slack_jobs,
    worker_process,
)
from bot.entrypoints.cli import main

jobs.PAUSES = (0.3, 0.3, 0.5, 1.0)
if jobs.tried.__kwdefaults__:
    jobs.tried.__kwdefaults__["pauses"] = jobs.PAUSES  # a default is what it was when the module was read
slack_jobs.ANSWERED_AGAIN = slack_jobs.SAID_AGAIN = jobs.PAUSES
savings_jobs.SCANNED_AGAIN = digest_jobs.DRAWN_AGAIN = (0.3,)
github_jobs.QUIET_SECONDS = float(os.environ.get("HURRIED_QUIET_SECONDS", "0"))
worker_process.PAUSES = (0.1, 0.1, 0.1, 0.1)
worker_process.NICENESS = 0
github_client._LIMITED_SECONDS = 1.0
github_client._SECONDS = int(os.environ.get("HURRIED_ANSWER_SECONDS", "60"))
slack_api.SECONDS = int(os.environ.get("HURRIED_ANSWER_SECONDS", "60"))
vars(slack_messages)["SECONDS"] = slack_api.SECONDS
git_remote.Limits.__init__.__defaults__ = (float(os.environ.get("HURRIED_ANSWER_SECONDS", "60")), 2**30)
GitHubPullRequests.__init__.__kwdefaults__ = {"patience": (0.1, 0.2, 0.4)}
if lease := float(os.environ.get("HURRIED_LEASE_SECONDS", "0")):
    executors.TIMES = executors.Times(beat=0.5, fence=lease - 1, lease=lease)
analysing.AT_ONCE = int(os.environ.get("HURRIED_ANALYSES", "2"))
savings.AT_ONCE = int(os.environ.get("HURRIED_SAVINGS", "2"))
# What a pod is called, so that one machine can have several.
pod = os.environ.get("HOSTNAME", socket.gethostname())
socket.gethostname = lambda: pod


def with_deaths(trying: Callable[..., Any]) -> Callable[..., Any]:
    """A death on either side of the step where nobody died yet. That it is done is written down after both."""

    def tried(name: str, step: Callable[..., Any], *arguments: Any, **more: Any) -> Any:  # noqa: ANN401 - JSON
        def deadly(*given: Any) -> Any:  # noqa: ANN401 - JSON
            _die(f"before {name}")
            done = step(*given)
            _die(f"after {name}")
            return done

        return trying(name, deadly, *arguments, **more)

    return tried


def _die(where: str) -> None:
    grave = Path(os.environ["HURRIED_DEATHS"], where)
    if not grave.exists():
        grave.touch()
        os.kill(os.getpid(), signal.SIGKILL)


if "HURRIED_DEATHS" in os.environ:
    for deadly_jobs in (digest_jobs, github_jobs, savings_jobs, slack_jobs):
        for trying in (jobs.tried, jobs.attempted):
            if trying.__name__ in vars(deadly_jobs):
                vars(deadly_jobs)[trying.__name__] = with_deaths(trying)

if __name__ == "__main__":
    main()
