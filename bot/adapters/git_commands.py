"""Running git so that nothing in a repository can make it run anything else.

A repository's own configuration may name programs: file system monitors, content filters, hooks,
remote helpers. All are switched off by configuration handed over in the environment, which wins; and
the environment itself is made anew, so that no `GIT_*` variable leads git elsewhere.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import IO

from bot.errors import OutsideError, UserError

_SECONDS = 120
_BATCH = 16  # Answers that are in memory at once, of up to ten megabytes each.
_READ_AT_MOST = 10_000_001
MOST_LISTED = 64 * 2**20
"""Bytes of a commit's listing, those of some 500,000 files. A few trees that name one another many times over
are a kilobyte to push, and more files than any memory holds."""
SAFE = {
    "core.fsmonitor": "false",
    "core.hooksPath": os.devnull,
    "core.pager": "cat",
    # Git refuses other people's repositories because of what their configuration may run: nothing here.
    # Checkouts in containers usually belong to another user.
    "safe.directory": "*",
}


def environment(settings: Mapping[str, str], *, protocols: str = "none") -> dict[str, str]:
    """The whole environment of one git process; it reaches other repositories by `protocols` alone."""
    named = {
        name: value
        for number, (key, setting) in enumerate(settings.items())
        for name, value in ((f"GIT_CONFIG_KEY_{number}", key), (f"GIT_CONFIG_VALUE_{number}", setting))
    }
    return {
        "PATH": os.defpath,
        "HOME": str(Path.home()),
        "LC_ALL": "C",
        "GIT_ALLOW_PROTOCOL": protocols,
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_CONFIG_COUNT": str(len(settings)),
        **named,
    }


class Git:
    """Git in one repository."""

    def __init__(self, folder: Path) -> None:
        """Find the repository that `folder` is in; raises UserError where there is none."""
        program = shutil.which("git")
        if program is None:
            raise UserError(
                "git is not on PATH: install it, or compare two folders with --base-dir and --head-dir"
            )
        if not folder.is_dir():
            raise UserError(f"{folder} is not a folder: give --repo the folder of a git repository")
        self._command = (program, "--no-pager", "--no-replace-objects")
        self.folder = folder
        self._settings = dict(SAFE)
        if self.tried("rev-parse", "--git-dir") is None:
            raise UserError(
                f"{folder} is not in a git repository: give --repo, or compare two folders "
                "with --base-dir and --head-dir"
            )
        self._switch_filters_off()
        self._contents: subprocess.Popen[bytes] | None = None

    def run(self, *arguments: str, given: bytes = b"") -> bytes:
        """What git prints when it is `given` this to read; raises OutsideError with its complaint."""
        done = self._run(arguments, given)
        if done.returncode != 0:
            complaint = done.stderr.decode("utf-8", "replace").strip().splitlines() or ["no reason given"]
            raise OutsideError(f"git {arguments[0]} failed in {self.folder}: {complaint[-1]}")
        return done.stdout

    def listing(self, commit: str) -> bytes:
        """All files of a commit, as `git ls-tree -r -z` tells them. Raises UserError for too many."""
        process = subprocess.Popen(
            (*self._command, "ls-tree", "-r", "-z", "--full-tree", commit),
            cwd=self.folder,
            env=environment(self._settings),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        assert process.stdout is not None  # noqa: S101 - it is a pipe
        # Empty folders in folders print nothing, for as long.
        clock = threading.Timer(_SECONDS, process.kill)
        with process:
            clock.start()
            listed = process.stdout.read(MOST_LISTED + 1)
            clock.cancel()
            if len(listed) > MOST_LISTED:
                process.kill()
        if len(listed) > MOST_LISTED or process.returncode == -signal.SIGKILL:
            raise UserError(
                f"the commit {commit} has more files than can be looked at: take folders out of it"
            )
        if process.returncode != 0:
            raise OutsideError(f"git cannot list the files of {commit} in {self.folder}")
        return listed

    def tried(self, *arguments: str) -> str | None:
        """What git prints, without the line end; None where it fails."""
        done = self._run(arguments)
        return os.fsdecode(done.stdout).rstrip("\n") if done.returncode == 0 else None

    def blobs(self, ids: list[str]) -> Iterator[bytes]:
        """The content of each blob, in order, cut off after 10,000,001 bytes, from one long-lived process."""
        if self._contents is None:
            self._contents = subprocess.Popen(
                (*self._command, "cat-file", "--batch"),
                cwd=self.folder,
                env=environment(self._settings),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
            )
        requests, answers = self._contents.stdin, self._contents.stdout
        assert requests is not None and answers is not None  # noqa: S101, PT018 - both are pipes
        for start in range(0, len(ids), _BATCH):
            batch = ids[start : start + _BATCH]
            try:
                requests.write("".join(f"{blob}\n" for blob in batch).encode())
                requests.flush()
            except OSError as error:
                raise OutsideError(f"git cat-file ended early in {self.folder}") from error
            # All answers are taken before anything is handed out: an abandoned iterator leaves none behind.
            yield from [_content(answers, blob) for blob in batch]

    def close(self) -> None:
        """End the long-lived process."""
        if self._contents is not None:
            with suppress(OSError):
                self._contents.communicate(timeout=10)
            self._contents = None

    def _run(self, arguments: tuple[str, ...], given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        try:
            return subprocess.run(
                (*self._command, *arguments),
                cwd=self.folder,
                env=environment(self._settings),
                input=given,
                capture_output=True,
                timeout=_SECONDS,
                check=False,
            )
        except (subprocess.TimeoutExpired, OSError) as error:
            raise OutsideError(f"git {arguments[0]} did not finish in {self.folder}") from error

    def _switch_filters_off(self) -> None:
        """An empty command is no filter; the names have to be asked for, since git knows no wildcard here."""
        keys = self.tried("config", "--null", "--name-only", "--get-regexp", r"^filter\.") or ""
        for key in filter(None, keys.split("\0")):
            self._settings[key] = "false" if key.endswith(".required") else ""


def _content(answers: IO[bytes], blob: str) -> bytes:
    """One answer of `git cat-file --batch`: a line with the size, the content, a line end."""
    header = answers.readline().split()
    if len(header) != 3:
        raise OutsideError(f"the git object {blob} is missing: fetch it, a partial clone lacks it")
    size = int(header[2])
    content = answers.read(min(size, _READ_AT_MOST))
    rest = size - len(content) + 1
    while rest > 0 and (passed := answers.read(min(rest, 1 << 20))):
        rest -= len(passed)
    return content
