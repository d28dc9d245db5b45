"""Run a renderer on a stranger's files: fenced in, limited, and killed when it overdoes it.

What the fence keeps out and which limits hold is told in docs/rendering.md.
"""

from __future__ import annotations

import contextlib
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from bot.errors import OutsideError, RenderRefused
from bot.manifests import landlock, seccomp

_ROOT = Path(__file__).resolve().parents[2]
_START = (
    "import sys; sys.path.insert(0, sys.argv[1]); from bot.manifests import render_child; render_child.main()"
)
# Shared libraries and the standard library: nothing in them is secret.
_SYSTEM = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/etc/ld.so.cache", f"{sys.base_prefix}/lib")


class Fence(StrEnum):
    """What holds a renderer in. Each of the first two comes with the system-call filter."""

    LANDLOCK = "Landlock"
    BUBBLEWRAP = "bubblewrap"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Limits:
    """The caps: wall-clock time of one root and of all of a tree, and what one child may take.

    `memory_bytes` counts what can be written to (RLIMIT_DATA): an idle Helm takes 0.15 GiB of it.
    """

    seconds: float = 10.0
    total_seconds: float = 300.0
    cpu_seconds: int = 600
    memory_bytes: int = 1 << 30
    answer_bytes: int = 32 << 20
    file_bytes: int = 1 << 20
    open_files: int = 256


@dataclass(frozen=True, slots=True)
class Program:
    """What runs inside: a renderer's library that serves many roots, or a command line that does one."""

    renderer: str
    library: str = ""
    command: tuple[str, ...] = ()
    readable: tuple[str, ...] = ()


class Stopped(OutsideError):
    """The child ended before it answered; the message says why in a few words."""


def find_fence() -> Fence:
    """Find the best fence that this system offers.

    Raises RenderRefused when there is none.
    """
    if seccomp.is_available():
        if landlock.version() > 0:
            return Fence.LANDLOCK
        if shutil.which("bwrap"):
            return Fence.BUBBLEWRAP
    raise RenderRefused(
        "charts and kustomizations come from strangers, and this system cannot fence their renderer in: "
        "it needs Linux on x86-64 or arm64 with Landlock or `bwrap` (or pass --unsafe-render)"
    )


def native_command(name: str) -> str | None:
    """The real path of a program on PATH, but no wrapper script: it would start others, which is fenced."""
    found = shutil.which(name)
    if found is None:
        return None
    path = Path(found).resolve()
    with path.open("rb") as file:
        return None if file.read(2) == b"#!" else str(path)


class FencedChild:
    """A context manager around one child process; leaving it kills the whole process group.

    To be used in the thread that made it: the kernel kills the child when that thread ends.
    """

    def __init__(self, program: Program, readable: Sequence[str], fence: Fence, limits: Limits) -> None:
        """Start the child. It reads nothing but `readable`, the program's files and the system's libraries.

        Raises Stopped when it does not come up.
        """
        self._limits = limits
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the child; closed in close()
        may_read = (*_SYSTEM, *readable, *program.readable)
        # A dynamically linked program starts through the loader, which is executed too.
        executable = (
            [program.command[0], *map(str, Path("/").glob("lib*/ld-*.so*"))] if program.command else []
        )
        setup = {
            "renderer": program.renderer,
            "library": program.library,
            # bubblewrap stands between us and the child, and watches us itself.
            "parent": None if fence is Fence.BUBBLEWRAP else os.getpid(),
            "command": program.command,
            "readable": may_read,
            "executable": executable,
            "landlock": fence is Fence.LANDLOCK,
            "seccomp": fence is not Fence.NONE,
            "cpu_seconds": limits.cpu_seconds,
            "memory_bytes": limits.memory_bytes,
            "file_bytes": limits.file_bytes,
            "open_files": limits.open_files,
        }
        python = os.path.realpath(sys.executable)
        command = [python, "-I", "-S", "-X", "utf8", "-c", _START, str(_ROOT)]
        if fence is Fence.BUBBLEWRAP:
            command = [*_bubblewrap((*may_read, *program.command[:1], python, str(_ROOT / "bot"))), *command]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env={"HOME": "/", "TMPDIR": "/"},
            cwd="/",
            start_new_session=True,
        )
        self._pending = bytearray()
        self._send(setup)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Kill the child and everything it started."""
        # Once it was waited for, its number may be somebody else's.
        if self._process.poll() is None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
        for stream in (self._process.stdin, self._process.stdout, self._errors):
            if stream is not None:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()

    def ask(self, job: Mapping[str, Any]) -> dict[str, Any]:
        """Send one job and wait for its answer: `{"answer": ...}` or `{"error": "..."}`.

        Raises Stopped when the child died or had to be killed; the child is of no use then.
        """
        self._send(job)
        line = self._read(whole=False)
        try:
            answer = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise Stopped("the renderer gave an unreadable answer") from error
        if not isinstance(answer, dict):
            raise Stopped("the renderer gave an unreadable answer")
        return answer

    def output(self) -> tuple[int, str, str]:
        """Wait for a command's end and give its exit code, what it printed, and the end of its errors.

        Raises Stopped as `ask` does.
        """
        if self._process.stdin is not None:
            self._process.stdin.close()
        printed = self._read(whole=True).decode(errors="replace")
        return self._process.wait(), printed, self._complaint()

    def _send(self, message: Mapping[str, Any]) -> None:
        stream = self._process.stdin
        try:
            if stream is not None:
                stream.write(json.dumps(message).encode() + b"\n")
                stream.flush()
        except BrokenPipeError as error:
            raise self._obituary() from error

    def _read(self, *, whole: bool) -> bytes:
        """Read up to a line's end, or all there is, within the time and the size allowed."""
        stream = self._process.stdout
        if stream is None:
            raise Stopped("the renderer has no output")
        poll = select.poll()
        poll.register(stream, select.POLLIN)
        deadline = time.monotonic() + self._limits.seconds
        received, seen = self._pending, 0
        while whole or (end := received.find(b"\n", seen)) < 0:
            seen = len(received)
            if seen > self._limits.answer_bytes:
                raise Stopped(f"it renders more than {self._limits.answer_bytes >> 20} MiB")
            if not poll.poll(max(0.0, deadline - time.monotonic()) * 1000):
                raise Stopped(f"it took longer than {self._limits.seconds:g} s to render")
            chunk = os.read(stream.fileno(), 1 << 18)
            if chunk:
                received += chunk
            elif whole:
                return bytes(received)
            else:
                raise self._obituary()
        line = bytes(received[:end])
        del received[: end + 1]
        return line

    def _obituary(self) -> Stopped:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=1)
        complaint = self._complaint()
        if (
            "out of memory" in complaint
            or "MemoryError" in complaint
            or "cannot allocate memory" in complaint
        ):
            return Stopped(f"it needs more than {self._limits.memory_bytes >> 20} MiB of memory to render")
        if self._process.returncode in (-signal.SIGXCPU, -signal.SIGKILL):
            return Stopped(f"it took more than {self._limits.cpu_seconds} s of processor time to render")
        last = complaint.strip().rpartition("\n")[2]
        return Stopped(f"the renderer ended unexpectedly ({last or f'exit code {self._process.returncode}'})")

    def _complaint(self) -> str:
        # A crash of Go says why in its first lines and lists its threads after.
        self._errors.seek(0)
        text = self._errors.read(self._limits.file_bytes)
        return text.decode(errors="replace")


def _bubblewrap(readable: Sequence[str]) -> list[str]:
    command = [shutil.which("bwrap") or "bwrap", "--unshare-all", "--die-with-parent"]
    for path in readable:
        command += ["--ro-bind-try", path, path]
    return [*command, "--remount-ro", "/", "--"]
