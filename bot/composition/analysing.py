"""Analyses, in processes of their own."""

from __future__ import annotations

from collections.abc import Sequence

from bot.adapters.records import Records
from bot.composition.github_bot import GitHubBot, Json
from bot.composition.processes import Processes, ends_after, takes_at_most
from bot.logs import configure
from bot.redaction import Redactor
from bot.server_config import ServerConfig
from bot.settings import GitHubSettings, Settings

AT_ONCE = 2
"""An analysis keeps a processor busy, and its renderers another."""
LONGEST_SECONDS = 900
MOST_MEMORY = 2**30
"""Bytes: ten times what a usual one takes, and few enough for another beside it. What it reads is a
stranger's: forty megabytes of workloads that hardly differ are one to push, and would fill two of these."""
_bot: GitHubBot


class Analysing:
    """What `GitHubBot` does that takes long."""

    def __init__(
        self,
        settings: Settings,
        config: ServerConfig,
        github: GitHubSettings,
        secrets: Sequence[str],
        *,
        rehearsed: bool,
    ) -> None:
        given = (settings, config, github, tuple(secrets), rehearsed)
        self._processes = Processes("analysis", AT_ONCE, _begin, given)
        self.stop = self._processes.stop

    def analyse(self, sight: Json) -> Json:
        """What is to be said of a pull request. Raises as the analysis does, OutsideError where it died."""
        return self._processes.call(_analyse, sight)


def _begin(
    settings: Settings,
    config: ServerConfig,
    github: GitHubSettings,
    secrets: Sequence[str],
    rehearsed: bool,  # noqa: FBT001 - an initializer
) -> None:
    global _bot  # noqa: PLW0603 - the one thing that a pool's process keeps between calls
    takes_at_most(MOST_MEMORY)
    redactor = Redactor(secrets)
    configure(redactor)
    records = Records(settings.database_url)
    _bot = GitHubBot(settings, config, github, records, redactor, rehearsed=rehearsed)


def _analyse(sight: Json) -> Json:
    with ends_after(LONGEST_SECONDS):
        return _bot.analyse(sight)
