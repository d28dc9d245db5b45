"""Where a command puts what it made: standard output, or a file that a person named."""

from __future__ import annotations

import codecs
import errno
import io
import os
import sys
from pathlib import Path

from bot.errors import UserError

_PLAIN = {
    "\N{MINUS SIGN}": "-",
    "\N{RIGHTWARDS ARROW}": "->",
    "\N{MULTIPLICATION SIGN}": "x",
    "\N{MIDDLE DOT}": "|",
    "\N{HORIZONTAL ELLIPSIS}": "...",
    "\N{NO-BREAK SPACE}": " ",
    "\N{WORD JOINER}": "",
}


def open_standard_output() -> None:
    """Make it take whatever is written to it.

    It may be closed, or know few signs, as in a Latin-1 locale: a minus must be one all the same.
    """
    sys.stdout = sys.stdout or Path(os.devnull).open("w")  # noqa: SIM115 - open until the end
    if isinstance(sys.stdout, io.TextIOWrapper):
        codecs.register_error("plain-signs", _in_plain_signs)
        sys.stdout.reconfigure(errors="plain-signs")


def _in_plain_signs(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    unknown = error.object[error.start : error.end]
    return "".join(_PLAIN.get(sign, "?") for sign in unknown), error.end


def put_out(text: str, output: Path | None = None) -> None:
    """To standard output where `--output` names no file. Raises UserError.

    A reader that left, such as `head`, has what it wanted: the exit status stays what it would have been.
    """
    if output is not None:
        write_file(output, "--output", text.encode())
        return
    try:
        sys.stdout.write(text)
        sys.stdout.flush()
    except BrokenPipeError:
        _drop_the_rest()
    except OSError as error:
        _drop_the_rest()
        raise UserError(f"standard output: cannot be written: {error.strerror}") from error


def put_line(text: str) -> None:
    """A command's last word, to standard output. Raises UserError."""
    put_out(f"{text}\n")


def _drop_the_rest() -> None:
    """Else the interpreter would try again at its end what it still has, and complain."""
    with Path(os.devnull).open("wb") as nowhere:
        os.dup2(nowhere.fileno(), sys.stdout.fileno())


def refuse_unwritable(file: Path, option: str) -> None:
    """Say at once what could be said only after minutes of reading. Raises UserError."""
    folder = file.absolute().parent
    try:
        there = file.exists()
        if file.is_dir():
            raise UserError(f"{option} {file}: is a folder: name a file")
        if not folder.is_dir():
            raise UserError(f"{option} {file}: there is no folder {folder}")
        if not os.access(file if there else folder, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    except OSError as error:
        raise _unwritable(file, option, error) from error


def write_file(file: Path, option: str, data: bytes) -> None:
    """What `option` asks for. Raises UserError where it cannot be written."""
    try:
        file.write_bytes(data)
    except OSError as error:
        raise _unwritable(file, option, error) from error


def _unwritable(file: Path, option: str, error: OSError) -> UserError:
    return UserError(f"{option} {file}: cannot be written: {error.strerror}")
