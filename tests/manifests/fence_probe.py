"""A hostile renderer: it tries what a fence must stop and prints, for each attempt, what came of it.

Runs as a program of its own inside the fence, so it imports the standard library alone.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import socket
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

_IO_URING_SETUP, _PTRACE_ATTACH = 425, 16


def _connect(family: socket.AddressFamily, kind: socket.SocketKind, address: tuple[str, int] | str) -> str:
    with socket.socket(family, kind) as connection:
        connection.settimeout(30)
        connection.connect(address)
        connection.send(b"stolen")
    return "sent"


def _checked(answer: int) -> str:
    if answer < 0:
        raise OSError(ctypes.get_errno(), "refused")
    return str(answer)


def _fork() -> str:
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    return "forked"


def _write(path: str) -> str:
    Path(path).write_text("owned", encoding="utf-8")
    return "written"


def _done(call: Callable[..., object], *arguments: object) -> str:
    call(*arguments)
    return "done"


def _signal(process: int) -> str:
    os.kill(process, 0)
    return "reached"


def attempts(prey: Mapping[str, Any]) -> Mapping[str, Callable[[], str]]:
    """Every attack by its name."""
    libc = ctypes.CDLL(None, use_errno=True)
    parent = os.getppid()
    return {
        "tcp": lambda: _connect(socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", prey["tcp"])),
        "udp": lambda: _connect(socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", prey["udp"])),
        "unix socket": lambda: _connect(socket.AF_UNIX, socket.SOCK_STREAM, prey["unix"]),
        "socket pair": lambda: str(socket.socketpair()),
        "io_uring": lambda: _checked(libc.syscall(_IO_URING_SETUP, 1, ctypes.create_string_buffer(256))),
        "secret file": lambda: Path(prey["secret"]).read_text(encoding="utf-8"),
        "secret folder": lambda: str(os.listdir(Path(prey["secret"]).parent)),  # noqa: PTH208 - as an attacker would
        "link to a secret": lambda: Path(prey["link"]).read_text(encoding="utf-8"),
        "parent's environment": lambda: Path(f"/proc/{prey['pid']}/environ").read_text(encoding="utf-8"),
        "write beside the tree": lambda: _write(prey["outside"]),
        "write into the tree": lambda: _write(prey["inside"]),
        "change modes": lambda: _done(Path(prey["secret"]).chmod, 0o600),
        "truncate": lambda: _done(os.truncate, prey["victim"], 0),
        "start a process": _fork,
        "signal another process": lambda: _signal(parent),
        "limit another process": lambda: str(resource.prlimit(parent, resource.RLIMIT_CORE)),
        "slow another process": lambda: _done(
            os.setpriority, os.PRIO_PROCESS, parent, os.getpriority(os.PRIO_PROCESS, parent)
        ),
        "keep another process to some processors": lambda: _done(
            os.sched_setaffinity, parent, os.sched_getaffinity(parent)
        ),
        "trace another process": lambda: _checked(libc.ptrace(_PTRACE_ATTACH, prey["pid"], None, None)),
        "become another program": lambda: str(os.execv("/bin/true", ["true"])),  # noqa: S606 - the attack itself
    }


def main() -> None:
    """Try everything; the last attempt replaces this program when it succeeds, so the rest is printed before."""
    prey = json.loads(sys.argv[1])
    outcome = {"environment": json.dumps(dict(os.environ)), "own file": Path(prey["own"]).read_text("utf-8")}
    for name, attempt in attempts(prey).items():
        if name == "trace another process" and not prey["may_trace"]:
            continue
        if name == "become another program":
            print(json.dumps(outcome), flush=True)
        try:
            outcome[name] = f"SUCCESS {attempt()}"
        except OSError as error:
            outcome[name] = f"refused: {error.strerror}"
    print(json.dumps(outcome), flush=True)


if __name__ == "__main__":
    main()
