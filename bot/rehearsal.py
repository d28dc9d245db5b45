"""The part of the composition root that tries a running bot."""

from __future__ import annotations

from pathlib import Path

from bot.errors import UserError


def replay(file: Path, *, event: str, url: str, sign: str) -> str:
    """Send the webhook in `file`, signed with the secret in the environment variable `sign`."""
    from bot.adapters.webhook_sender import post  # noqa: PLC0415 - slow to import
    from bot.handlers import replay as handler  # noqa: PLC0415
    from bot.settings import secret_in  # noqa: PLC0415

    try:
        body = file.read_bytes()
    except OSError as error:
        raise UserError(f"{file}: cannot be read: {error.strerror}") from error
    return handler.replay(body, event=event, url=url, secret=secret_in(sign), post=post)
