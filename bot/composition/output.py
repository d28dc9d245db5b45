"""Where a command puts what it made: standard output, or a file that a person named."""

from __future__ import annotations

import sys
from pathlib import Path

from bot.errors import UserError


def put_out(text: str, output: Path | None) -> None:
    """To standard output where `--output` names no file. Raises UserError."""
    if output is None:
        sys.stdout.write(text)
    else:
        write_file(output, "--output", text.encode())


def write_file(file: Path, option: str, data: bytes) -> None:
    """What `option` asks for. Raises UserError where it cannot be written."""
    try:
        file.write_bytes(data)
    except OSError as error:
        raise UserError(f"{option} {file}: cannot be written: {error.strerror}") from error
