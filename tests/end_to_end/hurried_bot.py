"""`tuppence` with short pauses, for tests that let everything go wrong once.

The bot's other processes run this module again before they begin, so they are in a hurry too. Where
HURRIED_HOLDS names a folder with files such as `ID` that say `before tell`, the step that is about ID waits
there to be killed; the file is then called `ID.met`.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Callable
from contextlib import suppress
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
savings_jobs.SETTLES_SECONDS = 0.01
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


def held(trying: Callable[..., Any]) -> Callable[..., Any]:
    """Hold a step on either side of it. That it is done is written down after both."""

    def tried(name: str, step: Callable[..., Any], *arguments: Any, **more: Any) -> Any:  # noqa: ANN401 - JSON
        def met(*given: Any) -> Any:  # noqa: ANN401 - JSON
            _hold(f"before {name}", str(given))
            done = step(*given)
            _hold(f"after {name}", str(given))
            return done

        return trying(name, met, *arguments, **more)

    return tried


def _hold(where: str, about: str) -> None:
    """Until the end, where a file says so."""
    for file in Path(os.environ["HURRIED_HOLDS"]).iterdir():
        with suppress(FileNotFoundError):  # another step has met it
            if file.name in about and file.read_text() == where:
                file.rename(file.with_suffix(".met"))
                time.sleep(600)


if "HURRIED_HOLDS" in os.environ:
    for held_jobs in (digest_jobs, github_jobs, savings_jobs, slack_jobs):
        for trying in (jobs.tried, jobs.attempted):
            if trying.__name__ in vars(held_jobs):
                vars(held_jobs)[trying.__name__] = held(trying)

if __name__ == "__main__":
    main()
