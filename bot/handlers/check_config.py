"""`tuppence check-config`: every problem of a `.tuppence.yaml` or `tuppence.yaml`, at once."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from bot import policy, server_config
from bot.configuration import Misconfigured, check
from bot.errors import UserError
from bot.manifests.documents import load_settings
from bot.words import count


def check_config(file: Path) -> str:
    """What the file is, in one line, once it is sure that all of it can be used.

    Raises `UserError` with a line for each problem.
    """
    try:
        text = file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise UserError(f"{file}: is not UTF-8 text; save it as UTF-8") from error
    except OSError as error:
        raise UserError(f"{file}: cannot be read: {error.strerror}") from error
    if _is_servers(text, file):
        _check_server(text, str(file))
        return f"{file}: a sound configuration of the server"
    return f"{file}: a sound policy: {_summary(policy.parse(text, str(file)))}"


def _is_servers(text: str, file: Path) -> bool:
    """By the keys it holds, and by its name where those do not tell."""
    document = load_settings(text, str(file)).value
    given = set(document) if isinstance(document, Mapping) else set()
    server = len(given & {key.name for key in server_config.SERVER_KEYS})
    policys = len(given & {key.name for key in policy.POLICY_KEYS})
    return server > policys or (server == policys and file.name == server_config.FILE_NAME)


def _check_server(text: str, file: str) -> None:
    document = load_settings(text, file)
    _, problems = check(server_config.SERVER_KEYS, document.value, file, document.locate)
    if problems:
        raise Misconfigured(problems)


def _summary(found: policy.Policy) -> str:
    parts = (
        count(len(found.environments), "environment"),
        count(len(found.guardrails), "guardrail"),
        count(len(found.protect), "protected workload"),
    )
    return ", ".join(parts)
