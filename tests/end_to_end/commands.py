"""Running `tuppence` as a person does: in a process of its own, or faster within this one."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

from bot.entrypoints import cli

TOO_LONG = 150
COUNTED_IN = 0.065
"""Seconds of processor time for `at_most`'s sum where the limits were chosen."""


@dataclass(frozen=True, slots=True)
class Ran:
    """A finished command: exit status, both outputs, and for processes what they used.

    `seconds` are of processor time, which other work on the machine does not lengthen; `peak` is in bytes.
    """

    status: int
    out: str
    err: str
    seconds: float = 0.0
    peak: int = 0

    @property
    def json(self) -> Any:  # noqa: ANN401 - JSON
        """The output, read; strictly, so that NaN would not pass."""
        return json.loads(self.out, parse_constant=lambda name: 1 / 0 if name else None)

    @property
    def complaint(self) -> str:
        """The one line on standard error of a command that refused."""
        assert self.status == cli.UNUSABLE, self
        assert not self.out, self
        assert self.err.count("\n") == 1, self.err
        assert self.err.startswith("tuppence: "), self.err
        return self.err.removeprefix("tuppence: ").rstrip("\n")


def at_most(seconds: float) -> float:
    """So many seconds of processor time where limits were chosen; more on a slower machine."""
    began = time.process_time()
    sum(number * number for number in range(2_000_000))
    return seconds * max(1.0, (time.process_time() - began) / COUNTED_IN)


def tuppence(*arguments: object, cwd: Path | None = None) -> Ran:
    """Run it within this process. What it raises beyond its own exit is raised here: a crash fails the test."""
    out, err = io.StringIO(), io.StringIO()
    status = 0
    with (
        patch.object(sys, "argv", ["tuppence", *map(str, arguments)]),
        contextlib.chdir(cwd or Path.cwd()),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        try:
            cli.main()
        except SystemExit as ended:
            status = ended.code if isinstance(ended.code, int) else 0
    return Ran(status, out.getvalue(), err.getvalue())


def process(*arguments: object, cwd: Path | None = None, before: tuple[str, ...] = ()) -> Ran:
    """Run it in a process of its own, behind the words of `before`."""
    command = [*before, sys.executable, "-m", "bot", *map(str, arguments)]
    checkout = {**os.environ, "PYTHONPATH": str(Path(cli.__file__).parents[2])}
    done = subprocess.run(
        [sys.executable, "-c", _MEASURED, *command],
        cwd=cwd,
        env=checkout,
        capture_output=True,
        timeout=TOO_LONG,
        check=False,
    )
    out, _, used = done.stdout.decode().rpartition("\0")
    seconds, kibibytes = used.split()
    return Ran(done.returncode, out, done.stderr.decode(), float(seconds), int(kibibytes) * 1024)


# A small parent of its own for each command: what children used is told for all of them together.
_MEASURED = """
import resource, subprocess, sys
status = subprocess.run(sys.argv[1:]).returncode
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(end=f"\\0{used.ru_utime + used.ru_stime} {used.ru_maxrss}")
sys.exit(status)
"""
