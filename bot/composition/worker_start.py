"""Where the worker process begins. It alone imports what works: the process that listens stays small."""

from __future__ import annotations

from multiprocessing.connection import Connection

from bot.composition.processes import import_once
from bot.server_config import ServerConfig
from bot.settings import ServeSettings, Settings

STOP_SECONDS = 9
"""For steps under way, of the fifteen that the whole bot has."""


def begin(
    pipe: Connection,
    settings: Settings,
    config: ServerConfig,
    serving: ServeSettings,
    rehearsed: bool,  # noqa: FBT001 - travels to another process
) -> None:
    """Work until the listening process says to stop. `rehearsed`: print what would be written."""
    import_once(["bot.composition.preloaded"])  # while this process imports nearly the same
    from bot.composition.worker import work  # noqa: PLC0415 - a second, and half the memory of a bot

    work(pipe, settings, config, serving, rehearsed)
