"""Fetching with git over the network, with a password that nobody else can read.

The password goes through a pipe that only git's children inherit, so it stands in no argument, no
environment, no URL and no file. Git asks for it where the server demands one, and only for that server.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from bot.adapters.git_commands import SAFE, environment
from bot.errors import GitUnavailable, OutsideError

_USER = "x-access-token"
"""What GitHub expects as the user name beside an installation token."""
_SCHEMES = {"https", "http", "file"}
_OBJECTS_AT_ONCE = 5_000
_REFUSED = ("authentication failed", "could not read username", "returned error: 401", "returned error: 403")
_GONE = ("not our ref", "couldn't find remote ref", "unadvertised object")
_UNREACHABLE = (
    "unable to access", "could not resolve", "connection", "repository not found", "rpc failed", "early eof",
    "the remote end hung up", "unexpected disconnect", "does not appear to be a git repository",
    "could not read from remote", "returned error", "timed out", "no space left",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Limits:
    """How long one transfer may take, and how large a repository's cache may become."""

    seconds: float = 900
    bytes: int = 10 * 2**30


@dataclass(frozen=True, slots=True)
class Remote:
    """Where a repository is fetched from. `password` is asked for anew at every transfer."""

    repository_id: int
    url: str
    password: Callable[[], str] = field(repr=False)


def fetch_commits(folder: Path, remote: Remote, kept: Mapping[str, str], limits: Limits) -> None:
    """Bring commits with all their history and trees, without contents, and keep each under a ref.

    `kept` maps ref names to commit ids. Raises GitUnavailable, and plain OutsideError where the reason
    lies in `folder`.
    """
    _fetch(folder, remote, [f"+{commit}:{ref}" for ref, commit in kept.items()], b"", limits)


def fetch_contents(folder: Path, remote: Remote, blobs: Collection[str], limits: Limits) -> None:
    """Bring the contents that `blobs` name, a few thousand at a time."""
    wanted = sorted(blobs)
    for start in range(0, len(wanted), _OBJECTS_AT_ONCE):
        lines = "".join(f"{blob}\n" for blob in wanted[start : start + _OBJECTS_AT_ONCE])
        _fetch(folder, remote, [], lines.encode(), limits)


def tidy(folder: Path, limits: Limits) -> None:
    """Let git pack what many small transfers left, where it finds that worthwhile."""
    settings = {**_settings(""), "gc.autoDetach": "false", "gc.autoPackLimit": "20"}
    _run(folder, _command("gc", "--auto", "--quiet"), environment(settings), limits)


def make_bare(folder: Path) -> None:
    """An empty repository without hooks."""
    _run(folder.parent, _command("init", "--bare", "--quiet", "--template=", str(folder)), environment(SAFE))


def _fetch(folder: Path, remote: Remote, refspecs: list[str], given: bytes, limits: Limits) -> None:
    address = urlsplit(remote.url)
    if address.scheme not in _SCHEMES or address.username or address.password:
        raise GitUnavailable("the clone URL must be plain https, http or file", "refused")
    flags = [
        "--quiet", "--no-tags", "--no-write-fetch-head", "--recurse-submodules=no", "--no-auto-maintenance",
        "--no-show-forced-updates", "--filter=blob:none",
    ]  # fmt: skip
    settings = _settings(remote.url)
    if given:
        flags.append("--stdin")
        # There is no history to compare: these objects are asked for because they are not here.
        settings["fetch.negotiationAlgorithm"] = "noop"
    command = _command("fetch", *flags, "origin", *refspecs)
    with _password_pipe(remote, address.scheme) as pipe:
        if pipe is not None:
            settings[f"credential.{address.scheme}://{address.netloc}.helper"] = (
                f"!cat_password() {{ cat /dev/fd/{pipe}; }}; cat_password"
            )
        variables = environment(settings, protocols=address.scheme)
        _run(folder, command, variables, limits, given=given, pipe=pipe)


def _command(*arguments: str) -> list[str]:
    program = shutil.which("git")
    if program is None:
        raise OutsideError("git is not on PATH: install it")
    return [program, "--no-pager", "--no-replace-objects", *arguments]


def _settings(url: str) -> dict[str, str]:
    """A promisor remote is one that may leave objects out; nothing of it is written to a file."""
    return {
        **SAFE,
        "remote.origin.url": url,
        "remote.origin.promisor": "true",
        "remote.origin.partialclonefilter": "blob:none",
        # Empty first: whatever the machine's owner has set up must neither answer nor store the password.
        "credential.helper": "",
        "core.askPass": "",
        "http.lowSpeedLimit": "1000",
        "http.lowSpeedTime": "30",
    }


@contextmanager
def _password_pipe(remote: Remote, scheme: str) -> Iterator[int | None]:
    """A pipe that holds the answer of a credential helper; None where files are read."""
    if scheme == "file":
        yield None
        return
    reading, writing = os.pipe()
    try:
        try:
            os.write(writing, f"username={_USER}\npassword={remote.password()}\n".encode())
        finally:
            os.close(writing)
        yield reading
    finally:
        os.close(reading)


def _run(
    folder: Path,
    command: list[str],
    variables: Mapping[str, str],
    limits: Limits | None = None,
    *,
    given: bytes = b"",
    pipe: int | None = None,
) -> None:
    with tempfile.TemporaryFile() as asked, tempfile.TemporaryFile() as said:
        asked.write(given)
        asked.seek(0)
        try:
            process = subprocess.Popen(
                command,
                cwd=folder,
                env=variables,
                stdin=asked,
                stdout=subprocess.DEVNULL,
                stderr=said,
                pass_fds=() if pipe is None else (pipe,),
                start_new_session=True,
            )
        except OSError as error:
            raise OutsideError(f"git cannot be started in {folder}") from error
        with _ended(process):
            _watch(process, folder, limits or Limits())
        if process.returncode != 0:
            said.seek(0)
            raise _failure(said.read(100_000).decode("utf-8", "replace"))


@contextmanager
def _ended(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """Whatever happens, git and the transports it started are gone afterwards."""
    try:
        yield
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def _watch(process: subprocess.Popen[bytes], folder: Path, limits: Limits) -> None:
    deadline = time.monotonic() + limits.seconds
    pause = 0.02
    while True:
        try:
            process.wait(pause)
        except subprocess.TimeoutExpired:
            pause = 0.5
        if size(folder) > limits.bytes:
            raise GitUnavailable(f"the repository takes more than {limits.bytes:,} bytes", "large")
        if process.poll() is not None:
            return
        if time.monotonic() > deadline:
            raise GitUnavailable(f"fetching did not end in {limits.seconds:g} s", "slow")


def size(folder: Path) -> int:
    """The bytes of the packs, which are nearly all of a cache."""
    total = 0
    for file in (folder / "objects" / "pack").glob("*"):
        try:
            total += file.stat().st_size
        except FileNotFoundError:
            continue  # git has just renamed it
    return total


def _failure(complaint: str) -> OutsideError:
    """Git's words to a kind. They may quote the URL, which holds no password."""
    lines = [line for line in complaint.splitlines() if line.strip()] or ["no reason given"]
    lowered = complaint.lower()
    for words, kind in ((_REFUSED, "refused"), (_GONE, "gone"), (_UNREACHABLE, "outage")):
        if any(word in lowered for word in words):
            return GitUnavailable(f"git cannot fetch: {lines[0].strip()}", kind)
    return OutsideError(f"git cannot fetch: {lines[0].strip()}")
