"""`tuppence check-config`: every problem of a `.tuppence.yaml` or `tuppence.yaml`, at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from bot import policy, server_config
from bot.configuration import configuration_text
from bot.manifests.documents import load_settings
from bot.server_keys import SERVER_KEYS
from bot.words import count
from estimators.prices import PriceSheet


def check_config(file: Path, *, sheet: Callable[[str], PriceSheet]) -> str:
    """What the file is, in one line, once it is sure that all of it can be used.

    `sheet` reads a price sheet that the server's file names. Raises `UserError` with a line for each problem.
    """
    text = configuration_text(file)
    if _is_servers(text, file):
        server_config.parse(text, str(file), sheet=sheet)
        return f"{file}: a sound configuration of the server"
    return f"{file}: a sound policy: {_summary(policy.parse(text, str(file)))}"


def _is_servers(text: str, file: Path) -> bool:
    """By the keys it holds, and by its name where those do not tell."""
    document = load_settings(text, str(file)).value
    given = set(document) if isinstance(document, Mapping) else set()
    server = len(given & {key.name for key in SERVER_KEYS})
    policys = len(given & {key.name for key in policy.POLICY_KEYS})
    return server > policys or (server == policys and file.name == server_config.FILE_NAME)


def _summary(found: policy.Policy) -> str:
    parts = (
        count(len(found.environments), "environment"),
        count(len(found.guardrails), "guardrail"),
        count(len(found.protect), "protected workload"),
    )
    return ", ".join(parts)
