"""What one value of a configuration file may be: read strictly, described for people and in JSON Schema."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

LONGEST_TEXT = 500
LONGEST_GLOB = 200
LONGEST_KEPT = 36_500
SHOWN = 60


@dataclass(frozen=True, slots=True)
class Kind:
    """`read` gives the value, or raises `ValueError` that says what is wrong and what would be right."""

    name: str
    read: Callable[[object], Any]
    schema: Mapping[str, Any]


def shown(value: object) -> str:
    """A stranger's value, short, on one line, and written as YAML has it."""
    if isinstance(value, Mapping):
        return "a mapping"
    if isinstance(value, list):
        return "a list"
    text = ascii(value) if isinstance(value, str) else str(value)
    text = {"True": "true", "False": "false", "None": "nothing"}.get(text, text)
    return text if len(text) <= SHOWN else text[: SHOWN - 3] + "..."


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        quoting = "; put it in quotes" if isinstance(value, bool | int | float) else ""
        raise ValueError(f"needs text, not {shown(value)}{quoting}")
    if len(value) > LONGEST_TEXT or not value.isprintable():
        raise ValueError(f"needs one line of at most {LONGEST_TEXT} characters, not {shown(value)}")
    return value.strip()


def _number(value: object, example: str) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal | str):
        raise ValueError(f"needs a number such as {example}, not {shown(value)}")
    if not re.fullmatch(r"\d{1,15}(\.\d{1,15})?", str(value), re.ASCII):
        raise ValueError(f"needs a plain number, not below 0, such as {example}, not {shown(value)}")
    try:
        return Decimal(str(value))
    except InvalidOperation as error:
        raise ValueError(f"needs a number such as {example}, not {shown(value)}") from error


def _money(value: object) -> Decimal:
    return _number(value, "250")


def _percent(value: object) -> Decimal:
    return _number(value, "10")


def _days(value: object) -> int:
    number = _number(value, "730")
    if number != int(number) or number > LONGEST_KEPT:
        raise ValueError(f"needs whole days, 0 to {LONGEST_KEPT}, not {shown(value)}")
    return int(number)


def _flag(value: object) -> bool:
    if not isinstance(value, bool):
        raise ValueError(f"needs true or false, not {shown(value)}")
    return value


def _date(value: object) -> date:
    if isinstance(value, date):
        return value
    try:
        return date.fromisoformat(value if isinstance(value, str) and len(value) == 10 else "")
    except ValueError as error:
        raise ValueError(f"needs a day such as 2026-12-31, not {shown(value)}") from error


def _inside(value: object) -> str:
    text = _text(value)
    if text.startswith(("/", "~")) or "\\" in text or re.match(r"[A-Za-z]:", text):
        raise ValueError(f"needs a path from the repository's root, with /, not {shown(value)}")
    if ".." in text.split("/"):
        raise ValueError(f"may not leave the repository with '..': {shown(value)}")
    return text.removeprefix("./")


def _file(value: object) -> str:
    text = _inside(value)
    if text.endswith("/"):
        raise ValueError(f"needs a file, not the folder {shown(value)}")
    return text


def _path_glob(value: object) -> str:
    return _glob(_inside(value))


def _glob(value: object) -> str:
    text = _text(value)
    if len(text) > LONGEST_GLOB:
        raise ValueError(f"needs a pattern of at most {LONGEST_GLOB} characters")
    if text.count("[") != text.count("]") or re.search(r"\[!?\]", text):
        raise ValueError(f"needs a pattern whose [ has its ], not {shown(value)}")
    if any("**" in part and part != "**" for part in text.split("/")):
        raise ValueError(f"needs ** to stand alone between two /, not {shown(value)}")
    return text


def _workload(value: object) -> str:
    text = _glob(value)
    if not re.fullmatch(r"[^/\s]+/[^/\s]+", text):
        raise ValueError(f"needs namespace/name, such as payments/api or payments/*, not {shown(value)}")
    return text


def _approver(value: object) -> str:
    text = _text(value)
    if not re.fullmatch(r"@?[A-Za-z0-9][A-Za-z0-9-]{0,38}(/[A-Za-z0-9][\w.-]*)?", text, re.ASCII):
        raise ValueError(f"needs a GitHub user or a team such as acme/sre, not {shown(value)}")
    return text.removeprefix("@")


def _slack_user(value: object) -> str:
    text = _text(value)
    if not re.fullmatch(r"[UW][A-Z0-9]{1,30}", text, re.ASCII):
        raise ValueError(
            f"needs a member's id from their Slack profile, such as U02AB34CD, not {shown(value)}"
        )
    return text


def _github_team(value: object) -> str:
    text = _approver(value)
    if "/" not in text:
        raise ValueError(f"needs a team with its organization, such as acme/sre, not {shown(value)}")
    return text


def _url(value: object) -> str:
    text = _text(value)
    try:
        parts = urlsplit(text)
        known = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError as error:
        raise ValueError(f"needs a URL such as http://prometheus:9090, not {shown(value)}") from error
    if not known or parts.username or parts.query or parts.fragment:
        raise ValueError(
            f"needs a URL such as http://prometheus:9090, without a password, not {shown(value)}"
        )
    return text


def _texts_by_name(value: object) -> dict[str, str]:
    if not isinstance(value, Mapping) or not value:
        raise ValueError(f"needs names with their values, such as {{cluster: prod}}, not {shown(value)}")
    return {_text(name): _text(item) for name, item in value.items()}


def _globs_by_name(value: object) -> dict[str, tuple[str, ...]]:
    if not isinstance(value, Mapping) or not value:
        raise ValueError(f"needs groups with their patterns, such as {{sre: ['*']}}, not {shown(value)}")
    for name, globs in value.items():
        if not isinstance(globs, list) or not globs:
            raise ValueError(f"needs a list of patterns for {shown(name)}, not {shown(globs)}")
    return {_text(name): tuple(_glob(glob) for glob in globs) for name, globs in value.items()}


def _percents_by_glob(value: object) -> dict[str, Decimal]:
    if not isinstance(value, Mapping) or not value:
        raise ValueError(f"needs patterns with percents, such as {{'shop-*': 60}}, not {shown(value)}")
    percents = {_glob(glob): _percent(percent) for glob, percent in value.items()}
    if sum(percents.values()) > 100:
        raise ValueError(f"gives out {sum(percents.values())} percent; at most 100 are there")
    return percents


def _time(value: object) -> str:
    if not isinstance(value, str) or not re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", value, re.ASCII):
        raise ValueError(f'needs a time such as "09:00", not {shown(value)}')
    return value


def _time_zone(value: object) -> str:
    text = _text(value)
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"needs a time zone such as Europe/Berlin, not {shown(value)}") from error
    return text


_STRING = {"type": "string", "minLength": 1, "maxLength": LONGEST_TEXT}
_NOT_NEGATIVE = {"type": "number", "minimum": 0}

TEXT = Kind("text", _text, _STRING)
MONEY = Kind("amount a month", _money, _NOT_NEGATIVE)
PERCENT = Kind("percent", _percent, _NOT_NEGATIVE)
DAYS = Kind("days", _days, {"type": "integer", "minimum": 0, "maximum": LONGEST_KEPT})
FLAG = Kind("true or false", _flag, {"type": "boolean"})
DAY = Kind("day", _date, {"type": "string", "format": "date"})
FILE = Kind("file", _file, _STRING)
FILE_ON_DISK = Kind("file", _text, _STRING)
PATH_GLOB = Kind("path pattern", _path_glob, _STRING)
GLOB = Kind("pattern", _glob, _STRING)
WORKLOAD = Kind("namespace/name pattern", _workload, {**_STRING, "pattern": "^[^/]+/[^/]+$"})
APPROVER = Kind("GitHub user or team", _approver, _STRING)
SLACK_USER = Kind("Slack user id", _slack_user, {"type": "string", "pattern": "^[UW][A-Z0-9]{1,30}$"})
GITHUB_TEAM = Kind("GitHub team", _github_team, _STRING)
URL = Kind("URL", _url, {"type": "string", "pattern": "^https?://"})
TEXTS_BY_NAME = Kind(
    "names with values",
    _texts_by_name,
    {"type": "object", "minProperties": 1, "additionalProperties": _STRING},
)
GLOBS_BY_NAME = Kind(
    "groups with patterns",
    _globs_by_name,
    {"type": "object", "minProperties": 1, "additionalProperties": {"type": "array", "items": _STRING}},
)
PERCENTS_BY_GLOB = Kind(
    "patterns with percents",
    _percents_by_glob,
    {"type": "object", "minProperties": 1, "additionalProperties": _NOT_NEGATIVE},
)
TIME = Kind("time of day", _time, {"type": "string", "pattern": "^([01]\\d|2[0-3]):[0-5]\\d$"})
TIME_ZONE = Kind("time zone", _time_zone, _STRING)


def one_of(*choices: str) -> Kind:
    """One of a few words."""

    def read(value: object) -> str:
        if not isinstance(value, str) or value not in choices:
            raise ValueError(f"needs one of {', '.join(choices)}, not {shown(value)}")
        return value

    return Kind(" or ".join(f"`{choice}`" for choice in choices), read, {"enum": list(choices)})
