"""`tuppence` with short pauses, for tests that let everything go wrong once.

The bot's other processes run this module again before they begin, so they are in a hurry too.
"""

from __future__ import annotations

import os
import socket

from bot.adapters import git_remote, github_client
from bot.adapters.github_pull_requests import GitHubPullRequests
from bot.composition import analysing
from bot.entrypoints import github_jobs, jobs, worker_process
from bot.entrypoints.cli import main

jobs.PAUSES = (0.3, 0.3, 0.5, 1.0)
github_jobs.QUIET_SECONDS = float(os.environ.get("HURRIED_QUIET_SECONDS", "0.2"))
worker_process.PAUSES = (0.1, 0.1, 0.1, 0.1)
worker_process.NICENESS = 0
github_client._LIMITED_SECONDS = 1.0
github_client._SECONDS = int(os.environ.get("HURRIED_ANSWER_SECONDS", "60"))
git_remote.Limits.__init__.__defaults__ = (float(os.environ.get("HURRIED_ANSWER_SECONDS", "60")), 2**30)
GitHubPullRequests.__init__.__kwdefaults__ = {"patience": (0.1, 0.2, 0.4)}
analysing.AT_ONCE = int(os.environ.get("HURRIED_ANALYSES", "2"))
# What a pod is called, so that one machine can have several.
pod = os.environ.get("HOSTNAME", socket.gethostname())
socket.gethostname = lambda: pod

if __name__ == "__main__":
    main()
