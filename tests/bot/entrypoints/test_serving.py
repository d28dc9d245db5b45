"""The server as a process: how it starts, and how it stops."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bot.entrypoints.serving import listening
from bot.errors import UserError
from tests.deliveries import SECRET, body, headers, pull_request
from tests.served import ask

ROOT = Path(__file__).resolve().parents[3]
OPENED = body(pull_request("opened"))
PROGRAM = """
import sys, time
from bot.entrypoints import serving
from bot.entrypoints.http_app import make_app
from bot.logs import configure
from bot.metrics import Metrics
from bot.redaction import Redactor

storing, working, serving.STOP_SECONDS = map(float, sys.argv[2:5])
serving.ANSWER_SECONDS = int(sys.argv[5])
def receive(delivery, event):
    print("storing", flush=True)
    time.sleep(storing)
configure(Redactor())
app = make_app(ready=list, metrics=Metrics(), receive=receive, secrets=[sys.argv[1]])
serving.run(app, serving.listening("127.0.0.1", 0))
time.sleep(working)
print("worker stopped", flush=True)
"""


@contextmanager
def process(
    *, storing: float = 0, working: float = 0, limit: float = 100, answer: int = 5
) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A serving process and its port; `storing` and `working` are seconds that hold up the end.

    It has `limit` seconds for its end, of which requests have `answer`.
    """
    arguments = [sys.executable, "-c", PROGRAM, SECRET, *map(str, (storing, working, limit, answer))]
    with subprocess.Popen(
        arguments, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as started:
        try:
            assert started.stderr is not None
            line = started.stderr.readline()
            found = re.search(r"Listening on 127\.0\.0\.1:(\d+)", line)
            assert found, line + started.stderr.read()
            yield started, int(found[1])
        finally:
            started.kill()


def connect_for_a_minute(port: int) -> None:
    """Again and again: a busy process hears late that it is to stop."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        socket.create_connection(("127.0.0.1", port)).close()
        time.sleep(0.05)


@pytest.mark.parametrize("by", [signal.SIGTERM, signal.SIGINT])
def test_told_to_stop_it_lets_the_caller_finish(by: signal.Signals) -> None:
    """The worker stops after the server, and the process ends well."""
    with process() as (started, port):
        assert ask(port, "GET", "/healthz")[0] == 200
        started.send_signal(by)
        said, _ = started.communicate(timeout=60)
        assert (started.returncode, said) == (0, "worker stopped\n")


def test_a_delivery_that_is_being_stored_is_still_answered() -> None:
    """And no connection is taken any more."""
    with process(storing=1) as (started, port):
        answers: list[int] = []
        sent = headers("pull_request", OPENED)
        thread = threading.Thread(
            target=lambda: answers.append(ask(port, "POST", "/github/webhook", OPENED, sent)[0])
        )
        thread.start()
        assert started.stdout is not None
        assert started.stdout.readline() == "storing\n"
        started.terminate()
        with pytest.raises(ConnectionRefusedError):
            connect_for_a_minute(port)
        thread.join()
        assert answers == [202]
        assert started.wait(timeout=60) == 0


def test_clients_that_say_nothing_do_not_hold_it_up() -> None:
    """Neither before their request nor after it."""
    with process(answer=90) as (started, port), socket.create_connection(("127.0.0.1", port)) as silent:
        silent.sendall(b"POST /github/webhook HTTP/1.1\r\n")
        assert ask(port, "GET", "/healthz")[0] == 200
        started.terminate()
        assert started.wait(timeout=60) == 0


@pytest.mark.parametrize(("storing", "working"), [(200, 0), (0, 200)], ids=["a delivery", "the worker"])
def test_what_hangs_is_left(storing: float, working: float) -> None:
    """The process ends in time with status 1, and says that the next one resumes the rest."""
    with process(storing=storing, working=working, limit=1) as (started, port):
        with socket.create_connection(("127.0.0.1", port)) as waiting:
            lines = "".join(f"{name}: {value}\r\n" for name, value in headers("pull_request", OPENED).items())
            waiting.sendall(
                f"POST /github/webhook HTTP/1.1\r\nHost: x\r\n{lines}Content-Length: {len(OPENED)}\r\n\r\n".encode()
                + OPENED
            )
            assert started.stdout is not None
            assert started.stdout.readline() == "storing\n"
            started.terminate()
            _, logged = started.communicate(timeout=60)
        assert started.returncode == 1
        assert "Did not stop in 1 s" in logged


def test_an_address_that_is_taken_is_named() -> None:
    """One line, with the way out."""
    with listening("127.0.0.1", 0) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(
            UserError, match=rf"cannot listen on 127\.0\.0\.1 port {port}: .*; set TUPPENCE_HOST"
        ):
            listening("127.0.0.1", port)


@pytest.mark.parametrize(
    ("host", "port"), [("192.0.2.1", 0), ("no such host", 0), ("127.0.0.1", 70_000), ("é" * 70, 0)]
)
def test_an_address_that_is_none_is_named(host: str, port: int) -> None:
    """Never a traceback."""
    with pytest.raises(UserError, match="cannot listen on"):
        listening(host, port)
