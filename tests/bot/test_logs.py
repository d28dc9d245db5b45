"""Logs are JSON, say what they are about, and hold no secret."""

from __future__ import annotations

import io
import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.logs import JsonLines, about
from bot.redaction import HIDDEN, Redactor

ROOT = Path(__file__).resolve().parents[2]
CANARY = "c4nary-of-the-logs"


@pytest.fixture
def log() -> Iterator[tuple[logging.Logger, io.StringIO]]:
    """A logger of our format, and what it wrote."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines(Redactor([CANARY])))
    logger = logging.Logger("bot.tried")
    logger.addHandler(handler)
    yield logger, stream
    handler.close()


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    """What was logged."""
    return [json.loads(line) for line in stream.getvalue().splitlines()]


Log = tuple[logging.Logger, io.StringIO]


def test_a_line_is_one_json_object(log: Log) -> None:
    """With time, level, source, words and fields; no line break can forge another line."""
    log[0].warning("Took %s\n{}", "long", extra={"seconds": 1.5, "repository": "acme/shop"})
    [line] = lines(log[1])
    assert line.pop("at").endswith("+00:00")
    assert line == {
        "level": "WARNING",
        "logger": "bot.tried",
        "message": "Took long\n{}",
        "seconds": 1.5,
        "repository": "acme/shop",
    }


def test_a_line_says_what_it_is_about(log: Log) -> None:
    """Without every call repeating it; what is within ends with the block."""
    with about(delivery="72d3162e"):
        with about(pull_request="acme/shop#12"):
            log[0].info("inside")
        log[0].info("outside")
    log[0].info("after")
    assert [(line.get("delivery"), line.get("pull_request")) for line in lines(log[1])] == [
        ("72d3162e", "acme/shop#12"),
        ("72d3162e", None),
        (None, None),
    ]


def test_an_error_is_logged_with_its_causes_and_without_secrets(log: Log) -> None:
    """The traceback is cleaned like any other text."""
    try:
        try:
            raise ValueError(CANARY)
        except ValueError as error:
            raise RuntimeError(f"could not use {CANARY}") from error
    except RuntimeError:
        log[0].exception("It failed with %s", CANARY, extra={CANARY: {"key": CANARY}}, stack_info=True)
    [line] = lines(log[1])
    assert f"ValueError: {HIDDEN}" in line["error"]
    assert f"RuntimeError: could not use {HIDDEN}" in line["error"]
    assert CANARY not in log[1].getvalue()


class _Unsayable:
    def __str__(self) -> str:
        raise ValueError(CANARY)


@pytest.mark.parametrize(
    ("message", "arguments"),
    [("%d apples", (CANARY,)), ("%s", (_Unsayable(),)), ("%s %s", ("one",)), ("\ud800 %s", ("\ud800",))],
    ids=["wrong kind", "no words", "too few", "lone surrogate"],
)
def test_a_line_that_cannot_be_put_into_words_is_still_one(
    log: Log, message: str, arguments: tuple[object, ...]
) -> None:
    """A wrong placeholder in a library must not print its arguments elsewhere."""
    log[0].info(message, *arguments)
    [line] = lines(log[1])
    assert line["level"] == "INFO"
    assert CANARY not in log[1].getvalue()


def test_numbers_that_json_does_not_know_are_text(log: Log) -> None:
    """One odd field must not lose the line."""
    log[0].info("odd", extra={"ratio": float("nan"), "count": 10**5_000, "flag": True})
    [line] = lines(log[1])
    assert line["ratio"] == "nan"
    assert line["count"] == "<int>"
    assert line["flag"] is True


def test_an_endless_text_is_shortened(log: Log) -> None:
    """Both ends tell most."""
    log[0].info("a" + "b" * 10**6 + "c")
    [line] = lines(log[1])
    assert len(line["message"]) < 33_000
    assert line["message"][0] + line["message"][-1] == "ac"


PROGRAM = """
import logging, sys, threading, warnings
canary = sys.argv[1]
early = logging.getLogger("early.library")
early.addHandler(logging.StreamHandler())
early.propagate = False
from bot.logs import configure
from bot.redaction import Redactor
configure(Redactor([canary]), level="DEBUG")

early.error("early %s", canary)
import dbos
from dbos._logger import init_logger
init_logger()
logging.getLogger("dbos").error("dbos %s", canary)
import github
logging.getLogger("github.Requester").debug("github %s", canary)
logging.getLogger("urllib3.connectionpool").debug("urllib3 %s", canary)
logging.error("%d", canary)
warnings.warn("warned " + canary)
thread = threading.Thread(target=lambda: {}[canary])
thread.start(); thread.join()
class Unraisable:
    def __del__(self): raise ValueError("unraisable " + canary)
Unraisable()
raise SystemError("uncaught " + canary)
"""


def test_nothing_gets_past_the_one_handler() -> None:
    """Libraries' handlers, threads, warnings, destructors and the end of the process, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-W", "always", "-c", PROGRAM, CANARY],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    written = [json.loads(line) for line in done.stderr.splitlines()]
    said = "\n".join(line["message"] + line.get("error", "") for line in written)
    assert done.returncode == 1
    assert CANARY not in done.stderr + done.stdout
    for part in ("early", "dbos", "warned", "KeyError", "unraisable", "uncaught"):
        assert part in said
    assert "github" not in said
    assert "urllib3" not in said
