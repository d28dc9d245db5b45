"""Logs: one JSON object a line on standard error, without secrets.

Everything that is logged, by whomever, leaves through one handler, and the handler's formatter cleans each
text as the last thing it does: message, traceback, stack and fields. Libraries' own handlers are taken away,
and what Python would print past logging (an exception that nobody caught, a warning) is logged instead.
"""

from __future__ import annotations

import json
import logging
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from types import TracebackType
from typing import Any, TextIO

from bot.redaction import Redactor

_LONGEST = 32_768
"""Characters of one text: a traceback of a deep recursion is longer than anybody reads."""
_LARGEST = 2**63
"""JSON has no infinity, and Python refuses to write integers of thousands of digits."""
_QUIET = ("github", "urllib3", "requests", "asyncio", "alembic", "sqlalchemy", "apscheduler", "uvicorn.error")
"""PyGithub writes its token at DEBUG, urllib3 every URL; they speak from WARNING on."""
_EAGER = ("dbos",)
"""These add a handler of their own, later, where they find none."""
_OWN = frozenset((*vars(logging.makeLogRecord({})), "message", "asctime", "taskName", "color_message"))
_about: ContextVar[dict[str, object]] = ContextVar("about", default={})  # noqa: B039 - never changed in place


@contextmanager
def about(**fields: object) -> Iterator[None]:
    """Puts `fields`, such as `delivery` or `pull_request`, on every line logged within."""
    token = _about.set({**_about.get(), **fields})
    try:
        yield
    finally:
        _about.reset(token)


def told_about() -> dict[str, object]:
    """The fields that lines carry here, to put them on lines of another process."""
    return dict(_about.get())


def configure(redactor: Redactor, *, level: str = "INFO", stream: TextIO | None = None) -> None:
    """Send all logs to `stream` (standard error) as JSON, from `level` on."""
    handler = _Handler(stream or sys.stderr)
    handler.setFormatter(JsonLines(redactor))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in list(root.manager.loggerDict):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
    for name in _EAGER:
        logging.getLogger(name).handlers[:] = [handler]
        logging.getLogger(name).propagate = False
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(logging.WARNING, root.level))
    logging.captureWarnings(capture=True)
    sys.excepthook = _log_uncaught
    threading.excepthook = _log_thread
    sys.unraisablehook = _log_unraisable


class JsonLines(logging.Formatter):
    """A record as one line of JSON: `at`, `level`, `logger`, `message`, fields, and `error` (a traceback)."""

    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        """Never raises: a record that cannot be put into words says so."""
        fields = {**_about.get(), **{key: value for key, value in vars(record).items() if key not in _OWN}}
        line = {
            **fields,
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": _message(record),
        }
        if record.exc_info and record.exc_info[0]:
            line["error"] = self.formatException(record.exc_info)
        if record.stack_info:
            line["stack"] = record.stack_info
        return json.dumps({self._plain(key): self._plain(value) for key, value in line.items()})

    def _plain(self, value: object) -> Any:  # noqa: ANN401 - JSON
        if value is None or (isinstance(value, int | float) and abs(value) < _LARGEST):
            return value
        text = self._redactor.clean(_text(value))
        return text if len(text) <= _LONGEST else f"{text[: _LONGEST // 2]} [...] {text[-_LONGEST // 2 :]}"


class _Handler(logging.StreamHandler[TextIO]):
    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """The stream is gone or full. Python would print the record's arguments, with what they hold."""


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except Exception:  # noqa: BLE001 - a wrong placeholder in a library's call; the words are there
        return f"{_text(record.msg)} {_text(record.args)}"


def _text(value: object) -> str:
    try:
        return str(value)
    except Exception:  # noqa: BLE001 - anybody's __str__
        return f"<{type(value).__name__}>"


def _log_uncaught(kind: type[BaseException], error: BaseException, traceback: TracebackType | None) -> None:
    if issubclass(kind, KeyboardInterrupt):
        return
    logging.getLogger("bot").critical("Stopped by an error", exc_info=(kind, error, traceback))


def _log_thread(args: threading.ExceptHookArgs) -> None:
    if args.exc_value is not None and not isinstance(args.exc_value, SystemExit):
        found = (args.exc_type, args.exc_value, args.exc_traceback)
        logging.getLogger("bot").error("A thread was stopped by an error", exc_info=found)


def _log_unraisable(found: sys.UnraisableHookArgs) -> None:
    if found.exc_value is not None:
        error = (found.exc_type, found.exc_value, found.exc_traceback)
        logging.getLogger("bot").error("An error that nobody could catch", exc_info=error)
