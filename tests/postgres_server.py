"""A private PostgreSQL from the programs of this machine, reached through a socket in its own folder."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from urllib.parse import quote

import psycopg

STARTS_WITHIN_SECONDS = 150
_RECKLESS = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=50")
"""What makes it fast, and unfit for anything but tests."""


@dataclass(slots=True)
class Server:
    """A server without a port: nobody but this machine's users reaches it."""

    folder: Path
    _numbers: count[int] = field(default_factory=lambda: count(1))

    def url(self, database: str = "postgres") -> str:
        """The address of a database, as TUPPENCE_DATABASE_URL takes it."""
        return f"postgresql://postgres@/{database}?host={quote(str(self.folder), safe='')}"

    def new_database(self) -> str:
        """The address of a database that was not there before."""
        name = f"test_{next(self._numbers)}"
        self.sql(f"CREATE DATABASE {name}")
        return self.url(name)

    def sql(self, statement: str) -> None:
        """Run a statement that cannot be in a transaction."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            connection.execute(statement.encode())


@contextmanager
def serving() -> Iterator[Server]:
    """A PostgreSQL, while the context lasts. It refuses to run as root, so root starts it as `postgres`."""
    programs = _programs()
    user = "postgres" if os.geteuid() == 0 else None
    # A socket's path may have 107 bytes: the folders of pytest are too deep.
    with tempfile.TemporaryDirectory(prefix="tuppence-pg-", dir="/tmp") as name:
        folder = Path(name)
        if user:
            shutil.chown(folder, user)
        data = folder / "data"
        initdb = [
            str(programs / "initdb"),
            "-D",
            str(data),
            "-U",
            "postgres",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--no-sync",
        ]
        subprocess.run(initdb, check=True, capture_output=True, cwd=folder, user=user)
        settings = [f"-c{setting}" for setting in _RECKLESS]
        command = [
            str(programs / "postgres"),
            "-D",
            str(data),
            "-k",
            str(folder),
            "-clisten_addresses=",
            *settings,
        ]
        with (folder / "server.log").open("wb") as log:
            process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, cwd=folder, user=user)
        try:
            server = Server(folder)
            _wait(process, server)
            yield server
        finally:
            process.send_signal(signal.SIGINT)  # at once, whoever is still connected
            process.wait(timeout=STARTS_WITHIN_SECONDS)


def _programs() -> Path:
    """Where `initdb` is: Debian keeps it off the PATH."""
    found = shutil.which("initdb")
    folders = [Path(found).resolve().parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    if not folders:
        raise RuntimeError("PostgreSQL is not installed: see .ci/system-packages")
    return folders[-1]


def _wait(process: subprocess.Popen[bytes], server: Server) -> None:
    deadline = time.monotonic() + STARTS_WITHIN_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(psycopg.OperationalError):
            psycopg.connect(server.url()).close()
            return
        time.sleep(0.02)
    process.kill()
    raise RuntimeError(
        f"PostgreSQL did not start: {(server.folder / 'server.log').read_text('utf-8')[-2000:]}"
    )
